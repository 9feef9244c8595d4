package syscat

import (
	"slices"
	"strings"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// systemTable computes one system table.
type systemTable struct {
	relation *catalog.Relation
	aclAttr  int // the attribute with privileges, -1: none
	facts    func() *factSet
	classes  []perClass // whose descriptors the others come from
	kinds    func() []column.Kind
	rows     func(g *generator) // from descriptors; nil: none
	own      map[int]bool       // attributes by which rows finds descriptors without a pass over all
	current  map[int]bool       // attributes whose values change while the catalog does not
	live     bool               // all rows do: nothing is kept
}

var _ exec.VirtualTable = (*systemTable)(nil)
var _ exec.VirtualColumns = (*systemTable)(nil)
var _ exec.VirtualFinder = (*systemTable)(nil)

// extraFacts are files that add rows to those of the file named like the table.
var extraFacts = map[string]string{"pg_description": "pg_collation_description"}

func newTable(r *catalog.Relation) *systemTable {
	t := &systemTable{relation: r, aclAttr: -1, rows: sources[r.Name], classes: perObject[r.Name], own: map[int]bool{}, current: map[int]bool{}, live: strings.HasPrefix(r.Name, "omen_")}
	for i := range r.Columns {
		name := r.Columns[i].Name
		if r.Columns[i].Type == types.AclitemArrayOID {
			t.aclAttr = i
		}
		t.own[i] = slices.Contains(keyedBy[r.Name], name)
		t.current[i] = name == "relfrozenxid" || name == "datfrozenxid"
	}
	if t.rows != nil && t.classes == nil && !t.live {
		panic("syscat: " + r.Name + " comes from no class of descriptors")
	}
	t.kinds = sync.OnceValue(func() []column.Kind {
		env := types.NewEnv()
		kinds := make([]column.Kind, len(r.Columns))
		for i := range r.Columns {
			kinds[i] = env.Kind(r.Columns[i].Type)
		}
		return kinds
	})
	t.facts = sync.OnceValue(func() *factSet {
		if special := specialFacts[r.Name]; special != nil {
			return special(r)
		}
		var list []*functions.FactTable
		for _, name := range []string{r.Name, extraFacts[r.Name]} {
			if f := ownFacts(name); f != nil {
				list = append(list, f)
			} else if f := functions.Facts(name); f != nil {
				list = append(list, f)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return loadFacts(r, list)
	})
	return t
}

// keyedBy names the columns by which a table's source finds descriptors at once.
var keyedBy = map[string][]string{
	"pg_class": {"oid", "relname"}, "pg_attribute": {"attrelid"}, "pg_attrdef": {"adrelid"}, "pg_index": {"indexrelid", "indrelid"},
	"pg_constraint": {"conrelid", "confrelid"}, "pg_sequence": {"seqrelid"}, "pg_inherits": {"inhrelid"}, "pg_rewrite": {"oid", "ev_class"},
	"pg_type": {"oid", "typname"}, "pg_enum": {"enumtypid"}, "pg_proc": {"oid", "proname"},
	"pg_namespace": {"oid", "nspname"}, "pg_database": {"oid", "datname"}, "pg_authid": {"oid", "rolname"},
	"pg_statistic": {"starelid"}, "pg_aggregate": {"aggfnoid"},
}

// generator hands over the rows of one scan.
type generator struct {
	rt      *exec.Runtime
	view    *catalog.View
	columns int
	name    string
	exec.VirtualRead
	yield func([]column.Datum) bool
	buf   []column.Datum
	done  bool
	xid   int64 // what frozen ids show
	keep  bool  // the rows are kept: frozen ids are left to whoever reads them
	span  span  // whose descriptors' rows are made
}

// Rows implements exec.VirtualTable.
func (t *systemTable) Rows(rt *exec.Runtime, read exec.VirtualRead, yield func(row []column.Datum) bool) error {
	if f := t.facts(); f != nil {
		g := t.generator(rt, read, yield)
		t.factRows(g, f)
		if g.done {
			return nil
		}
	}
	if t.rows == nil {
		return nil
	}
	if len(read.Equal) > 0 && !t.live && !t.native(read.Equal) {
		return t.byIndex(rt, read, yield)
	}
	t.rows(t.generator(rt, read, yield))
	return nil
}

func (t *systemTable) generator(rt *exec.Runtime, read exec.VirtualRead, yield func(row []column.Datum) bool) *generator {
	return &generator{rt: rt, view: rt.Catalog, columns: len(t.relation.Columns), name: t.relation.Name,
		VirtualRead: read, yield: yield}
}

// native reports whether the table's source finds the descriptors of a restriction by itself.
func (t *systemTable) native(equal []exec.VirtualEqual) bool {
	for _, q := range equal {
		if t.own[q.Attr] {
			return true
		}
	}
	return false
}

// factRows yields the rows of the facts, through the most selective restriction.
func (t *systemTable) factRows(g *generator, f *factSet) {
	if len(g.Equal) == 0 {
		for i := range f.rows {
			if !t.factRow(g, f, i) {
				return
			}
		}
		return
	}
	x, rows := shortest(g.Equal, f.by)
	x.visit(rows, func(i int) bool { return t.factRow(g, f, i) })
}

// fewRows is where looking for a more selective restriction is not worth it.
const fewRows = 4

func (t *systemTable) factRow(g *generator, f *factSet, i int) bool {
	row := f.rows[i]
	if t.aclAttr >= 0 && g.needs(t.aclAttr) {
		acl := f.aclOf(i)
		if b := t.storedACL(g.view, row); b != nil {
			acl = b.ACL
		}
		if acl != nil {
			g.buf = append(g.buf[:0], row...)
			g.buf[t.aclAttr] = aclDatum(g.view, acl)
			row = g.buf
		}
	}
	return g.send(row)
}

// builtinKinds are the tables whose rows from the facts can be granted privileges.
var builtinKinds = map[string]byte{"pg_proc": catalog.BuiltinFunction, "pg_type": catalog.BuiltinType, "pg_class": catalog.BuiltinRelation,
	"pg_language": catalog.BuiltinLanguage, "pg_tablespace": catalog.BuiltinTablespace}

// storedACL returns the privileges that were changed on what a row of the facts describes.
func (t *systemTable) storedACL(v *catalog.View, row []column.Datum) *catalog.BuiltinACL {
	kind := builtinKinds[t.relation.Name]
	if kind == 0 || v.BuiltinACLs() == 0 {
		return nil
	}
	return v.StoredACL(kind, OID(row[0].I), "")
}

// needs reports whether an attribute is read. Sources may leave out the others, and do
// where a value is not at hand.
func (g *generator) needs(attr int) bool { return g.Need == nil || g.Need[attr] }

func (g *generator) send(row []column.Datum) bool {
	if !g.done && g.Passes(row) && !g.yield(row) {
		g.done = true
	}
	return !g.done
}

// row yields one row made of all its values.
func (g *generator) row(values ...column.Datum) bool {
	if len(values) != g.columns {
		panic("syscat: a row of " + g.name + " has the wrong number of columns")
	}
	g.buf = append(g.buf[:0], values...) // the arguments stay where they are: a row of many is no allocation
	return g.send(g.buf)
}

// key returns the value that an OID column is restricted to.
func (g *generator) key(attr int) (OID, bool) {
	for _, q := range g.Equal {
		if q.Attr == attr {
			return OID(q.Value.I), true
		}
	}
	return 0, false
}

// text returns the value that a name column is restricted to.
func (g *generator) text(attr int) (string, bool) {
	for _, q := range g.Equal {
		if q.Attr == attr {
			return string(q.Value.B), true
		}
	}
	return "", false
}

// each visits the objects of a class: the one that column oidAttr is restricted to, or
// those of the name that nameAttr is restricted to, else all. Built-in relations are
// left out: the facts have them.
func each[T catalog.Object](g *generator, class catalog.Class, oidAttr, nameAttr int, fn func(T) bool) {
	visit := func(o catalog.Object) bool {
		x, ok := o.(T)
		if !ok || class == catalog.ClassRelation && o.Head().OID < catalog.FirstUserOID {
			return true
		}
		return fn(x) && !g.done
	}
	if oid, ok := g.key(oidAttr); ok {
		if o := g.view.Get(class, oid); o != nil {
			visit(o)
		}
		return
	}
	if name, ok := g.text(nameAttr); ok && nameAttr >= 0 && class != catalog.ClassFunction {
		for _, schema := range g.schemasOf(class) {
			if o := g.view.ByName(class, schema, name); o != nil && o.Class() == class && !visit(o) {
				return
			}
		}
		return
	}
	g.visit(class, visit)
}

// schemasOf returns the schemas in which objects of a class can be.
func (g *generator) schemasOf(class catalog.Class) []OID {
	switch class {
	case catalog.ClassDatabase, catalog.ClassRole, catalog.ClassSchema, catalog.ClassExtension:
		return []OID{0}
	}
	var list []OID
	g.view.Each(catalog.ClassSchema, func(o catalog.Object) bool {
		list = append(list, o.Head().OID)
		return true
	})
	return list
}

// frozen is the transaction id before which everything is final: no row of ours ever
// needs freezing, so age() stays small.
func (g *generator) frozen() column.Datum {
	if g.keep {
		return num(frozenLater)
	}
	if g.xid == 0 && g.rt.DB != nil {
		xmin, _, _ := g.rt.DB.XIDRange()
		g.xid = max(3, int64(uint32(xmin)))
	}
	return num(g.xid)
}

// frozenLater stands for the frozen id in rows that are kept, since that moves.
const frozenLater int64 = -1

// objectClasses maps the classes of descriptors to the system tables of their rows.
var objectClasses = map[catalog.Class]OID{catalog.ClassDatabase: 1262, catalog.ClassRole: 1260, catalog.ClassSchema: 2615,
	catalog.ClassRelation: pgClassOID, catalog.ClassSequence: pgClassOID, catalog.ClassIndex: pgClassOID, catalog.ClassType: 1247,
	catalog.ClassFunction: 1255, catalog.ClassExtension: 3079, catalog.ClassOperator: 2617, catalog.ClassAggregate: 1255,
	catalog.ClassCast: 2605, catalog.ClassCollation: 3456, catalog.ClassPolicy: 3256, catalog.ClassDefaultACL: 826}

const pgClassOID OID = 1259

// aclDatum prints privileges as aclitem[]; NULL for the defaults.
func aclDatum(v *catalog.View, list []catalog.ACLItem) column.Datum {
	if list == nil {
		return null
	}
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = aclText(v, a)
	}
	return stringArray(types.AclitemOID, out)
}

// privilegeLetters are aclitem's letters by bit.
const privilegeLetters = "arwdDxtXUCTcsA"

// aclText prints one item: grantee=privileges/grantor.
func aclText(v *catalog.View, a catalog.ACLItem) string {
	var b strings.Builder
	if a.Grantee != 0 {
		b.WriteString(aclName(v, a.Grantee))
	}
	b.WriteByte('=')
	for i := range len(privilegeLetters) {
		if a.Privileges&(1<<i) != 0 {
			b.WriteByte(privilegeLetters[i])
			if a.GrantOptions&(1<<i) != 0 {
				b.WriteByte('*')
			}
		}
	}
	b.WriteByte('/')
	b.WriteString(aclName(v, a.Grantor))
	return b.String()
}

func aclName(v *catalog.View, role OID) string {
	r := v.Role(role)
	if r == nil {
		return num32(role)
	}
	for _, c := range r.Name {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return `"` + strings.ReplaceAll(r.Name, `"`, `""`) + `"`
		}
	}
	return r.Name
}
