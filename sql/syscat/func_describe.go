package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/types"
)

// describeCalls say what objects are.
var describeCalls = map[string]call{
	"format_type": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if a[0].Null {
			return null, nil
		}
		if a[1].Null {
			return str(f.World.Types().TypeName(oidArg(a[0]))), nil
		}
		return str(f.World.Types().FormatType(oidArg(a[0]), int32(a[1].I))), nil
	},
	"obj_description(oid,name)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.comment("pg_description", a[0], systemTableNamed(a[1].String()), 0)
	},
	"obj_description(oid)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.comment("pg_description", a[0], 0, 0)
	},
	"col_description(oid,int4)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.comment("pg_description", a[0], pgClassOID, a[1].I)
	},
	"shobj_description(oid,name)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.comment("pg_shdescription", a[0], systemTableNamed(a[1].String()), 0)
	},
	"PG_encoding_to_char": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if e := charset.ByNumber(int(a[0].I)); e != nil {
			return str(e.Name), nil
		}
		return str(""), nil
	},
	"PG_char_to_encoding": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if e := charset.Find(a[0].String()); e != nil {
			return num(e.Number), nil
		}
		return num(-1), nil
	},
	"pg_encoding_max_length_sql": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if e := charset.ByNumber(int(a[0].I)); e != nil {
			return num(e.MaxLen), nil
		}
		return null, nil
	},
	"pg_collation_for": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		c := f.World.Types().Collation(oidArg(a[0]))
		if c == nil {
			return null, nil
		}
		return str(f.quote(c.Name)), nil
	},
	"pg_collation_actual_version":          nothing,
	"pg_database_collation_actual_version": nothing,
	"pg_column_compression":                nothing,
	"pg_index_column_has_property": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.indexColumnProperty(oidArg(a[0]), int(a[1].I), a[2].String()), nil
	},
	"pg_index_has_property": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		x := f.World.View().Index(oidArg(a[0]))
		if x == nil {
			return null, nil
		}
		switch strings.ToLower(a[1].String()) {
		case "clusterable", "index_scan", "bitmap_scan":
			return flag(true), nil
		case "backward_scan":
			return flag(accessMethod(x.Method) == amBtree), nil
		}
		return null, nil
	},
	"pg_indexam_has_property": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		btree := oidArg(a[0]) == amBtree
		switch strings.ToLower(a[1].String()) {
		case "can_order", "can_unique", "can_include":
			return flag(btree), nil
		case "can_multi_col":
			return flag(oidArg(a[0]) != amHash), nil
		case "can_exclude":
			return flag(btree), nil
		}
		return null, nil
	},
	"pg_relation_is_publishable": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		r := f.World.View().Relation(oidArg(a[0]))
		if r == nil {
			return null, nil
		}
		return flag(r.Kind == catalog.KindTable && r.Persistence == 'p' && r.OID >= catalog.FirstUserOID), nil
	},
	"pg_relation_is_updatable": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		r := f.World.View().Relation(oidArg(a[0]))
		if r == nil {
			return num(0), nil
		}
		events, err := planner.UpdatableEvents(f.World.Planner(), r, 0)
		return num(int64(events)), err
	},
	"pg_column_is_updatable": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		const updateDelete = 1<<2 | 1<<4
		r := f.World.View().Relation(oidArg(a[0]))
		if r == nil || a[1].I <= 0 {
			return flag(false), nil
		}
		events, err := planner.UpdatableEvents(f.World.Planner(), r, int(a[1].I))
		return flag(events&updateDelete == updateDelete), err
	},
	"pg_partition_root": nothing,
	"pg_describe_object": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return orNull(f.describe(oidArg(a[0]), oidArg(a[1]), int16(a[2].I))), nil
	},
	"pg_sequence_last_value": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		s, err := f.sequence(oidArg(a[0]))
		if err != nil {
			return null, err
		}
		state, err := f.World.DB().SequenceState(storeOf(s.Store))
		if err != nil || !state.Called {
			return null, exec.MapError(err)
		}
		return num(state.Last), nil
	},
	"pg_sequence_parameters": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		s, err := f.sequence(oidArg(a[0]))
		if err != nil {
			return null, err
		}
		field := func(t OID, d datum) types.Field { return types.Field{Type: t, Value: d} }
		return f.World.Types().MakeRecord([]types.Field{field(types.Int8OID, num(s.Start)), field(types.Int8OID, num(s.Min)),
			field(types.Int8OID, num(s.Max)), field(types.Int8OID, num(s.Increment)), field(types.BoolOID, flag(s.Cycle)),
			field(types.Int8OID, num(max(s.CacheSz, 1))), field(types.OIDOID, num(s.Type))}), nil
	},
}

// describeSets are those that return several rows.
var describeSets = map[string]set{
	"pg_get_keywords": func(Functions, *functions.Ctx, []datum) ([][]datum, error) {
		var out [][]datum
		for _, r := range ownFacts("keywords").Rows {
			out = append(out, []datum{str(r[0]), num(r[1][0]), flag(r[2] == "t"), str(r[3]), str(r[4])})
		}
		return out, nil
	},
	"pg_options_to_table": func(_ Functions, _ *functions.Ctx, a []datum) ([][]datum, error) {
		var out [][]datum
		if a[0].Null {
			return nil, nil
		}
		for _, e := range types.ArrayFrom(a[0]).Elems {
			name, value, ok := strings.Cut(e.String(), "=")
			v := null
			if ok {
				v = str(value)
			}
			out = append(out, []datum{str(name), v})
		}
		return out, nil
	},
	"ts_token_type_byid":     tokenTypes,
	"ts_token_type_byname":   tokenTypes,
	"aclexplode":             explodeACL,
	"pg_partition_ancestors": func(f Functions, _ *functions.Ctx, a []datum) ([][]datum, error) { return nil, nil },
	"pg_partition_tree":      func(f Functions, _ *functions.Ctx, a []datum) ([][]datum, error) { return nil, nil },
	"_pg_expandarray(anyarray)": func(_ Functions, _ *functions.Ctx, a []datum) ([][]datum, error) {
		var out [][]datum
		if a[0].Null {
			return nil, nil
		}
		for i, e := range types.ArrayFrom(a[0]).Elems {
			out = append(out, []datum{e, num(i + 1)})
		}
		return out, nil
	},
}

// explodeACL is aclexplode: one row per grantee and privilege.
func explodeACL(f Functions, _ *functions.Ctx, a []datum) ([][]datum, error) {
	if a[0].Null {
		return nil, nil
	}
	var out [][]datum
	for _, e := range types.ArrayFrom(a[0]).Elems {
		if e.Null {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "ACL arrays must not contain null values")
		}
		item, err := f.parseItem(e.String())
		if err != nil {
			return nil, err
		}
		for i := range len(privilegeLetters) {
			if item.Privileges&(1<<i) != 0 {
				out = append(out, []datum{num(item.Grantor), num(item.Grantee), str(privilegeWords[i]), flag(item.GrantOptions&(1<<i) != 0)})
			}
		}
	}
	return out, nil
}

// privilegeWords are the names of privileges by bit.
var privilegeWords = []string{"INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "EXECUTE", "USAGE",
	"CREATE", "TEMPORARY", "CONNECT", "SET", "ALTER SYSTEM"}

// parseItem reads the text of an aclitem.
func (f Functions) parseItem(s string) (catalog.ACLItem, error) {
	var item catalog.ACLItem
	role := func(name string) (OID, error) {
		if name == "" {
			return 0, nil
		}
		if n, err := types.NewEnv().In(types.OIDOID, -1, name); err == nil {
			return oidArg(n), nil
		}
		return f.roleArg("name", str(name), false)
	}
	name, rest := aclWord(s)
	var err error
	if item.Grantee, err = role(name); err != nil {
		return item, err
	}
	rest = strings.TrimPrefix(rest, "=")
	letters, grantor, _ := strings.Cut(rest, "/")
	for i := 0; i < len(letters); i++ {
		at := strings.IndexByte(privilegeLetters, letters[i])
		if at < 0 {
			return item, pgerr.New(pgerr.InvalidTextRepresentation, "invalid mode character: must be one of \"%s\"", privilegeLetters)
		}
		item.Privileges |= 1 << at
		if i+1 < len(letters) && letters[i+1] == '*' {
			item.GrantOptions |= 1 << at
			i++
		}
	}
	name, _ = aclWord(grantor)
	item.Grantor, err = role(name)
	return item, err
}

// aclWord reads a role name, which may be quoted.
func aclWord(s string) (name, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, "=/")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] == '"' {
			if i+1 < len(s) && s[i+1] == '"' {
				i++
			} else {
				return b.String(), s[i+1:]
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// systemTableNamed returns the OID of a table of pg_catalog, 1 (which is none) for an unknown one.
func systemTableNamed(name string) OID {
	if r := builtin().byName[name]; r != nil {
		return r.OID
	}
	return 1
}

// comment looks a comment up; class 0 means any.
func (f Functions) comment(table string, object datum, class OID, sub int64) (datum, error) {
	shared := table == "pg_shdescription"
	out := null
	t := builtinNamed(table).Virtual.(*systemTable)
	rt := &exec.Runtime{Catalog: f.World.View(), DB: f.World.DB(), Functions: &functions.Ctx{Env: f.World.Types()}}
	err := t.Rows(rt, exec.VirtualRead{Equal: []exec.VirtualEqual{{Attr: 0, Value: object}}}, func(row []datum) bool {
		if row[0].I != object.I || class != 0 && OID(row[1].I) != class || !shared && row[2].I != sub {
			return true
		}
		out = row[len(row)-1]
		return false
	})
	return out, err
}

// sequence finds a sequence for functions that take a regclass.
func (f Functions) sequence(oid OID) (*catalog.Sequence, error) {
	if s := f.World.View().Sequence(oid); s != nil {
		return s, nil
	}
	if r, ok := f.relationOf(oid); ok {
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", r.meta.Name)
	}
	return nil, pgerr.New(pgerr.UndefinedTable, "could not open relation with OID %d", oid)
}

// indexColumnProperty is pg_index_column_has_property.
func (f Functions) indexColumnProperty(oid OID, n int, property string) datum {
	x := f.World.View().Index(oid)
	if x == nil || n < 1 || n > len(x.Keys)+len(x.Include) {
		return null
	}
	btree := accessMethod(x.Method) == amBtree
	included := n > len(x.Keys)
	switch property = strings.ToLower(property); property {
	case "asc", "desc", "nulls_first", "nulls_last", "orderable", "search_array", "search_nulls":
		if included || !btree {
			if included && strings.HasPrefix(property, "search") || included && property == "orderable" {
				return flag(false)
			}
			if included {
				return null
			}
			return flag(false)
		}
		k := &x.Keys[n-1]
		return flag(map[string]bool{"asc": !k.Desc, "desc": k.Desc, "nulls_first": k.NullsFirst, "nulls_last": !k.NullsFirst,
			"orderable": true, "search_array": true, "search_nulls": true}[property])
	case "distance_orderable":
		return flag(false)
	case "returnable":
		return flag(btree)
	}
	return null
}

// describe is pg_describe_object for the objects of databases.
func (f Functions) describe(class, oid OID, sub int16) string {
	v := f.World.View()
	switch class {
	case pgClassOID:
		r, ok := f.relationOf(oid)
		if !ok {
			return ""
		}
		kind := map[catalog.Class]string{catalog.ClassIndex: "index", catalog.ClassSequence: "sequence"}[r.object.Class()]
		name := f.qualified(catalog.ClassRelation, r.meta, false)
		if t, ok := r.object.(*catalog.Relation); ok {
			kind = relationWords[t.Kind]
			if sub > 0 && int(sub) <= len(t.Columns) {
				return "column " + f.quote(t.Columns[sub-1].Name) + " of " + kind + " " + name
			}
		}
		return kind + " " + name
	case pgTypeOID:
		return "type " + f.World.Types().TypeName(oid)
	case pgNamespaceOID:
		return "schema " + f.quote(v.SchemaName(oid))
	case pgAuthidOID:
		if r := v.Role(oid); r != nil {
			return "role " + f.quote(r.Name)
		}
	case pgDatabaseOID:
		if d := v.Database(oid); d != nil {
			return "database " + f.quote(d.Name)
		}
	case pgProcOID:
		if fn := v.Func(oid); fn != nil {
			name, _ := f.World.Types().Names.ObjectName(types.RegprocedureOID, oid)
			return "function " + name
		}
	case pgConstraintOID:
		switch c, r, t := f.constraint(oid); {
		case r != nil:
			return "constraint " + f.quote(c.Name) + " on table " + f.qualified(catalog.ClassRelation, &r.Meta, false)
		case t != nil:
			return "constraint " + f.quote(c.Name)
		}
	case pgRewriteOID:
		if r := v.Relation(ruleView(oid)); r != nil {
			return "rule _RETURN on " + relationWords[r.Kind] + " " + f.qualified(catalog.ClassRelation, &r.Meta, false)
		}
	case pgAttrdefOID:
		return f.describeDefault(oid)
	}
	return f.describeFact(class, oid)
}

// namedFacts are the classes of objects that the facts have, by the column of the name.
var namedFacts = map[OID]struct {
	word string
	name int
}{
	2612: {"language", 1}, 2601: {"access method", 1}, 1213: {"tablespace", 1}, 3602: {"text search configuration", 1},
	3600: {"text search dictionary", 1}, 3601: {"text search parser", 1}, 3764: {"text search template", 1}, 2607: {"conversion", 1},
	3456: {"collation", 1}, 2616: {"operator class", 2}, 2753: {"operator family", 2},
}

// tokens are the kinds of tokens that the default text search parser finds.
var tokens = [][2]string{
	{"asciiword", "Word, all ASCII"}, {"word", "Word, all letters"}, {"numword", "Word, letters and digits"}, {"email", "Email address"},
	{"url", "URL"}, {"host", "Host"}, {"sfloat", "Scientific notation"}, {"version", "Version number"},
	{"hword_numpart", "Hyphenated word part, letters and digits"}, {"hword_part", "Hyphenated word part, all letters"},
	{"hword_asciipart", "Hyphenated word part, all ASCII"}, {"blank", "Space symbols"}, {"tag", "XML tag"}, {"protocol", "Protocol head"},
	{"numhword", "Hyphenated word, letters and digits"}, {"asciihword", "Hyphenated word, all ASCII"}, {"hword", "Hyphenated word, all letters"},
	{"url_path", "URL path"}, {"file", "File or path name"}, {"float", "Decimal notation"}, {"int", "Signed integer"},
	{"uint", "Unsigned integer"}, {"entity", "XML entity"},
}

// defaultParser is the OID of the only text search parser.
const defaultParser = 3722

// tokenTypes is ts_token_type, of the parser of an OID or a name.
func tokenTypes(_ Functions, _ *functions.Ctx, a []datum) ([][]datum, error) {
	switch {
	case a[0].Null:
		return nil, nil
	case a[0].B != nil && a[0].String() != "default" && a[0].String() != "pg_catalog.default":
		return nil, pgerr.New(pgerr.UndefinedObject, "text search parser \"%s\" does not exist", a[0].String())
	case a[0].B == nil && a[0].I != defaultParser:
		return nil, pgerr.New(pgerr.InternalError, "cache lookup failed for text search parser %d", a[0].I)
	}
	out := make([][]datum, len(tokens))
	for i, t := range tokens {
		out[i] = []datum{num(i + 1), str(t[0]), str(t[1])}
	}
	return out, nil
}

// describeFact is pg_describe_object for built-in objects of other classes.
func (f Functions) describeFact(class, oid OID) string {
	switch class {
	case 2617:
		if name, ok := f.World.Types().Names.ObjectName(types.RegoperatorOID, oid); ok {
			return "operator " + name
		}
		return ""
	case pgTriggerOID:
		if r, c, i := f.triggerOf(oid); r != nil {
			return "trigger " + f.quote(triggerName(c, i)) + " on table " + f.qualified(catalog.ClassRelation, &r.Meta, false)
		}
		return ""
	}
	named, ok := namedFacts[class]
	if !ok || builtin().byOID[class] == nil {
		return ""
	}
	facts := builtin().byOID[class].Virtual.(*systemTable).facts()
	found := facts.find(0, num(oid))
	if len(found) == 0 {
		return ""
	}
	row := facts.rows[found[0]]
	text := named.word + " " + f.quote(row[named.name].String())
	if class == 2616 || class == 2753 {
		am := builtinNamed("pg_am").Virtual.(*systemTable).facts()
		for _, k := range am.find(0, row[1]) {
			text += " for access method " + am.rows[k][1].String()
		}
	}
	return text
}

// describeDefault names the column that a default belongs to.
func (f Functions) describeDefault(oid OID) (text string) {
	f.World.View().Relations(func(r *catalog.Relation) bool {
		for i := range r.Columns {
			c := &r.Columns[i]
			if attrdefOID(r.OID, c.Num) == oid && hasDefault(c) {
				text = "default value for column " + f.quote(c.Name) + " of table " + f.qualified(catalog.ClassRelation, &r.Meta, false)
			}
		}
		return text == ""
	})
	return text
}

// relationWords name the kinds of relations.
var relationWords = map[catalog.RelationKind]string{catalog.KindTable: "table", catalog.KindView: "view", catalog.KindMatView: "materialized view",
	catalog.KindComposite: "composite type", catalog.KindVirtual: "table"}
