package syscat

import (
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// sources makes the rows that come from descriptors, by the table's name.
var sources map[string]func(g *generator)

// specialFacts make the facts of tables that are not stored as they are.
var specialFacts map[string]func(r *catalog.Relation) *factSet

func init() {
	specialFacts = map[string]func(r *catalog.Relation) *factSet{
		"pg_attribute": attributeFacts, "pg_type": typeFacts, "pg_proc": procFacts,
	}
	sources = map[string]func(g *generator){
		"pg_class": classRows, "pg_attribute": attributeRows, "pg_attrdef": attrdefRows, "pg_index": indexRows,
		"pg_constraint": constraintRows, "pg_sequence": sequenceRows, "pg_inherits": inheritsRows, "pg_rewrite": rewriteRows,
		"pg_type": typeRows, "pg_enum": enumRows, "pg_proc": procRows,
		"pg_namespace": namespaceRows, "pg_database": databaseRows, "pg_authid": authidRows,
		"pg_auth_members": authMemberRows, "pg_db_role_setting": roleSettingRows, "pg_extension": extensionRows,
		"pg_default_acl": defaultACLRows, "pg_parameter_acl": parameterACLRows, "pg_depend": dependRows, "pg_shdepend": shdependRows,
		"pg_description": descriptionRows, "pg_shdescription": shdescriptionRows, "pg_statistic": statisticRows,
		"pg_statistic_ext": extendedRows, "pg_trigger": triggerRows, "pg_aggregate": aggregateRows,
		"omen_scrub": scrubRows, "omen_damage": damageRows, "omen_models": modelRows,
		"omen_snapshots": snapshotRows, "omen_bloat": bloatRows, "omen_segment_columns": segmentColumnRows,
	}
}

func num32(oid OID) string { return strconv.FormatUint(uint64(oid), 10) }

// The access methods that relations have.
const (
	amHeap  OID = 2
	amBtree OID = 403
	amHash  OID = 405
	amGin   OID = 2742
)

func accessMethod(name string) OID {
	switch name {
	case "hash":
		return amHash
	case "gin":
		return amGin
	}
	return amBtree
}

// pageBytes is PostgreSQL's block size, in which relpages counts.
const pageBytes = 8192

// classAttrs restricts pg_class.
const (
	classOID  = 0
	className = 1
	// What takes a look at other objects.
	classTriggers = 20
	classChildren = 21
)

func classRows(g *generator) {
	each(g, catalog.ClassRelation, classOID, className, func(r *catalog.Relation) bool { return relationClass(g, r) })
	each(g, catalog.ClassIndex, classOID, className, func(i *catalog.Index) bool { return indexClass(g, i) })
	each(g, catalog.ClassSequence, classOID, className, func(s *catalog.Sequence) bool { return sequenceClass(g, s) })
}

func relationClass(g *generator, r *catalog.Relation) bool {
	var am, node OID
	frozen, minmulti := num(0), num(0)
	pages, tuples := int64(0), -1.0
	rules := false
	switch r.Kind {
	case catalog.KindTable, catalog.KindMatView:
		am, node, frozen, minmulti = amHeap, r.OID, g.frozen(), num(1)
		if s := g.view.Statistic(r.OID); s != nil {
			pages, tuples = (s.Bytes+pageBytes-1)/pageBytes, s.Rows
		}
		rules = r.Kind == catalog.KindMatView
	case catalog.KindView:
		rules = true
	}
	checks, triggers := 0, false
	for i := range r.Constraints {
		switch r.Constraints[i].Kind {
		case 'c':
			checks++
		case 'f':
			triggers = true
		}
		triggers = triggers || recheckTrigger(&r.Constraints[i])
	}
	if g.needs(classTriggers) && !triggers {
		triggers = len(g.view.ReferencedBy(r.OID)) > 0
	}
	ident := r.ReplIdent
	if ident == 0 {
		ident = 'd'
		if r.Kind == catalog.KindView || r.Kind == catalog.KindComposite {
			ident = 'n'
		}
	}
	return g.row(num(r.OID), str(r.Name), num(r.Schema), num(r.RowType), num(0), num(r.Owner), num(am), num(node), num(0),
		num(pages), float(tuples), num(0), num(0), flag(len(r.Indexes) > 0), flag(false), num(persistence(r.Persistence)),
		num(byte(r.Kind)), num(len(r.Columns)), num(checks), flag(rules), flag(triggers), flag(g.needs(classChildren) && hasChildren(g.view, r.OID)),
		flag(false), flag(false), flag(r.Kind != catalog.KindMatView || r.Populated), num(ident), flag(false), num(0),
		frozen, minmulti, aclDatum(g.view, r.ACL), texts(r.Options), null)
}

func persistence(p byte) byte {
	if p == 0 {
		return 'p'
	}
	return p
}

func hasChildren(v *catalog.View, oid OID) bool {
	for _, o := range v.Dependents(catalog.ClassRelation, oid) {
		if r, ok := o.(*catalog.Relation); ok {
			for _, p := range r.Inherits {
				if p == oid {
					return true
				}
			}
		}
	}
	return false
}

func indexClass(g *generator, i *catalog.Index) bool {
	pages, tuples, persist, owner := 1, 0.0, byte('p'), i.Owner
	if s := g.view.Statistic(i.Table); s != nil {
		tuples = s.Rows
	}
	if r := g.view.Relation(i.Table); r != nil {
		persist, owner = persistence(r.Persistence), r.Owner
	}
	return g.row(num(i.OID), str(i.Name), num(i.Schema), num(0), num(0), num(owner), num(accessMethod(i.Method)), num(i.OID), num(0),
		num(pages), float(tuples), num(0), num(0), flag(false), flag(false), num(persist),
		num(byte('i')), num(len(i.Keys)+len(i.Include)), num(0), flag(false), flag(false), flag(false),
		flag(false), flag(false), flag(true), num(byte('n')), flag(false), num(0), num(0), num(0), null, texts(i.Options), null)
}

func sequenceClass(g *generator, s *catalog.Sequence) bool {
	return g.row(num(s.OID), str(s.Name), num(s.Schema), num(0), num(0), num(s.Owner), num(0), num(s.OID), num(0),
		num(1), float(1), num(0), num(0), flag(false), flag(false), num(persistence(s.Persistence)),
		num(byte('S')), num(3), num(0), flag(false), flag(false), flag(false),
		flag(false), flag(false), flag(true), num(byte('n')), flag(false), num(0), num(0), num(0), aclDatum(g.view, s.ACL), null, null)
}

// attrRow is one row of pg_attribute.
type attrRow struct {
	name                string
	typ                 OID
	num                 int16
	dims                int32
	typmod              int32
	storage             byte
	compression         byte
	notNull, hasDefault bool
	hasMissing          bool
	missing             column.Datum
	identity, generated byte
	dropped, inherited  bool
	local               bool
	collation           OID
	acl, options        column.Datum
	statTarget          int32
}

// attribute yields a row of pg_attribute, with the facts of its type filled in.
func (g *generator) attribute(env *types.Env, rel OID, a *attrRow) bool {
	length, byval, align := int16(-1), false, byte('i')
	if t := env.Type(a.typ); t != nil {
		length, byval, align = t.Len, t.ByVal, t.Align
		if a.storage == 0 {
			a.storage = t.Storage
		}
	}
	if a.storage == 0 {
		a.storage = 'p'
	}
	typ := a.typ
	if a.dropped {
		typ = 0
	}
	inherited := 0
	if a.inherited {
		inherited = max(1, g.view.ParentsWithColumn(g.view.Relation(rel), a.name))
	}
	if !a.hasMissing {
		a.missing = null
	}
	return g.row(num(rel), str(a.name), num(typ), num(a.statTarget), num(length), num(a.num), num(a.dims), num(-1),
		num(a.typmod), flag(byval), num(align), num(a.storage), num(a.compression), flag(a.notNull), flag(a.hasDefault), flag(a.hasMissing),
		num(a.identity), num(a.generated), flag(a.dropped), flag(!a.inherited || a.local), num(inherited), num(a.collation),
		a.acl, a.options, null, a.missing)
}

// systemAttributes are the columns that every table has.
var systemAttributes = []attrRow{
	{name: "tableoid", typ: types.OIDOID, num: -6}, {name: "cmax", typ: types.CIDOID, num: -5},
	{name: "xmax", typ: types.XIDOID, num: -4}, {name: "cmin", typ: types.CIDOID, num: -3},
	{name: "xmin", typ: types.XIDOID, num: -2}, {name: "ctid", typ: types.TIDOID, num: -1},
}

func (g *generator) systemAttributes(env *types.Env, rel OID) {
	for _, a := range systemAttributes {
		a.typmod, a.notNull, a.acl, a.options = -1, true, null, null
		if !g.attribute(env, rel, &a) {
			return
		}
	}
}

// attributeRows yields the columns of tables, views, composite types, indexes and
// sequences, whose first attribute attrelid is the usual restriction.
func attributeRows(g *generator) {
	env := g.rt.Functions.Env
	each(g, catalog.ClassRelation, 0, -1, func(r *catalog.Relation) bool {
		if r.Kind == catalog.KindTable || r.Kind == catalog.KindMatView {
			g.systemAttributes(env, r.OID)
		}
		for i := range r.Columns {
			c := &r.Columns[i]
			a := attrRow{name: c.Name, typ: c.Type, num: c.Num, typmod: c.Typmod, storage: c.Storage, compression: c.Compression, dims: int32(c.Dims), notNull: c.NotNull,
				hasDefault: hasDefault(c), identity: c.Identity, generated: c.Generated, dropped: c.Dropped,
				inherited: c.Inherited, local: c.Local, collation: c.Collation, acl: aclDatum(g.view, c.ACL), options: texts(c.Options), statTarget: c.StatTgt}
			if a.statTarget == 0 {
				a.statTarget = -1
			}
			if c.Dropped {
				a.name = "........pg.dropped." + strconv.Itoa(int(c.Num)) + "........"
				a.hasDefault, a.notNull, a.statTarget = false, false, 0
			} else if c.HasMissing && !c.Missing.Null {
				a.hasMissing, a.missing = true, env.MakeArray(types.NewArray(c.Type, []column.Datum{c.Missing}))
			}
			if !g.attribute(env, r.OID, &a) {
				return false
			}
		}
		return true
	})
	each(g, catalog.ClassIndex, 0, -1, func(x *catalog.Index) bool { return indexAttributes(g, env, x) })
	each(g, catalog.ClassSequence, 0, -1, func(s *catalog.Sequence) bool {
		g.systemAttributes(env, s.OID)
		for i, c := range sequenceColumns {
			a := attrRow{name: c.name, typ: c.typ, num: int16(i + 1), typmod: -1, notNull: true, acl: null, options: null, statTarget: -1}
			if !g.attribute(env, s.OID, &a) {
				return false
			}
		}
		return true
	})
}

// sequenceColumns are the columns that a sequence has as a table.
var sequenceColumns = []struct {
	name string
	typ  OID
}{{"last_value", types.Int8OID}, {"log_cnt", types.Int8OID}, {"is_called", types.BoolOID}}

func indexAttributes(g *generator, env *types.Env, x *catalog.Index) bool {
	r := g.view.Relation(x.Table)
	if r == nil {
		return true
	}
	for i := range x.Keys {
		k := &x.Keys[i]
		a := attrRow{name: k.Name, typ: k.Type, num: int16(i + 1), typmod: -1, collation: shownCollation(r, k), acl: null, options: null, statTarget: -1}
		if k.Column > 0 {
			a.typmod, a.storage = r.Columns[k.Column-1].Typmod, r.Columns[k.Column-1].Storage
		}
		if a.name == "" && k.Column > 0 {
			a.name = r.Columns[k.Column-1].Name
		}
		if k.StatTgt != 0 {
			a.statTarget = k.StatTgt
		}
		if kept := keptType(env, x, k); kept != a.typ {
			a.typ, a.typmod, a.storage = kept, -1, 0
		}
		if !g.attribute(env, x.OID, &a) {
			return false
		}
	}
	for i, n := range x.Include {
		c := &r.Columns[n-1]
		a := attrRow{name: c.Name, typ: c.Type, num: int16(len(x.Keys) + i + 1), typmod: c.Typmod, collation: c.Collation, acl: null, options: null, statTarget: -1}
		if !g.attribute(env, x.OID, &a) {
			return false
		}
	}
	return true
}

// keptType is the type of what an index keeps of a key in PostgreSQL: hashes, or the elements that a value consists of.
func keptType(env *types.Env, x *catalog.Index, k *catalog.IndexKey) OID {
	switch class := functions.OpclassByOID(k.OpClass); {
	case x.Method == "hash":
		return types.Int4OID
	case x.Method != "gin" || class == nil || class.KeyType == 0:
		return k.Type
	case class.Name == "array_ops":
		base, _ := env.BaseType(k.Type, -1)
		if t := env.Type(base); t != nil && t.IsArray() {
			return t.Elem
		}
		return k.Type
	default:
		return class.KeyType
	}
}

// collect runs a source of rows and keeps what it yields.
func collect(r *catalog.Relation, env *types.Env, fill func(g *generator)) *factSet {
	s := &factSet{kind: make([]column.Kind, len(r.Columns)), columns: newColumnSet(len(r.Columns))}
	for i := range r.Columns {
		s.kind[i] = env.Kind(r.Columns[i].Type)
	}
	fill(&generator{columns: len(r.Columns), name: r.Name, yield: func(row []column.Datum) bool {
		s.rows = append(s.rows, append([]column.Datum(nil), row...))
		return true
	}})
	return s
}

// attributeFacts completes the attributes of the system relations.
func attributeFacts(r *catalog.Relation) *factSet {
	env := types.NewEnv()
	t := ownFacts("pg_class")
	oid, kind := t.Column("oid"), t.Column("relkind")
	acls := map[int]string{}
	s := collect(r, env, func(g *generator) {
		n := 0
		for _, row := range t.Rows {
			rel := oidOf(row[oid])
			if k := row[kind]; k == "r" || k == "t" {
				g.systemAttributes(env, rel)
				n += len(systemAttributes)
			}
			for _, c := range builtin().columns[rel] {
				a := attrRow{name: c.Name, typ: c.Type, num: c.Num, dims: c.dims, typmod: c.Typmod, storage: c.Storage,
					notNull: c.NotNull, collation: c.Collation, acl: null, options: null, statTarget: -1}
				g.attribute(env, rel, &a)
				if c.acl != functions.Null {
					acls[n] = c.acl
				}
				n++
			}
		}
	})
	for row, acl := range acls {
		s.setACL(row, acl)
	}
	return s
}
