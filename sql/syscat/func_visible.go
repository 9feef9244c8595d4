package syscat

import (
	"slices"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// visibleCalls tell whether objects are found by their bare names.
var visibleCalls = map[string]call{
	"pg_table_is_visible": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		r, ok := f.relationOf(oidArg(a[0]))
		if !ok {
			return f.factVisible("pg_class", a[0], "relname", "relnamespace")
		}
		return flag(f.visible(catalog.ClassRelation, r.meta)), nil
	},
	"pg_type_is_visible": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		t := f.World.Types().Type(oidArg(a[0]))
		if t == nil {
			return null, nil
		}
		return flag(f.typeVisible(t)), nil
	},
	"pg_function_is_visible": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		fn := f.World.View().Func(oidArg(a[0]))
		if fn == nil {
			return null, nil
		}
		return flag(f.functionVisible(fn)), nil
	},
	"pg_operator_is_visible":       factVisibility("pg_operator", "oprname", "oprnamespace"),
	"pg_opclass_is_visible":        factVisibility("pg_opclass", "opcname", "opcnamespace"),
	"pg_opfamily_is_visible":       factVisibility("pg_opfamily", "opfname", "opfnamespace"),
	"pg_collation_is_visible":      factVisibility("pg_collation", "collname", "collnamespace"),
	"pg_conversion_is_visible":     factVisibility("pg_conversion", "conname", "connamespace"),
	"pg_ts_config_is_visible":      factVisibility("pg_ts_config", "cfgname", "cfgnamespace"),
	"pg_ts_dict_is_visible":        factVisibility("pg_ts_dict", "dictname", "dictnamespace"),
	"pg_ts_parser_is_visible":      factVisibility("pg_ts_parser", "prsname", "prsnamespace"),
	"pg_ts_template_is_visible":    factVisibility("pg_ts_template", "tmplname", "tmplnamespace"),
	"pg_statistics_obj_is_visible": func(Functions, *functions.Ctx, []datum) (datum, error) { return null, nil },
	"pg_my_temp_schema": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return num(f.World.View().TempSchema()), nil
	},
	"pg_is_other_temp_schema": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		s := f.World.View().Schema(oidArg(a[0]))
		other := s != nil && s.OID != f.World.View().TempSchema() && len(s.Name) > 8 && s.Name[:8] == "pg_temp_"
		return flag(other), nil
	},
}

// typeVisible reports whether the search path finds a type by its bare name.
func (f Functions) typeVisible(t *types.Type) bool {
	v := f.World.View()
	for _, s := range f.World.Path() {
		if s == catalog.PgCatalog {
			if b := types.ByName(t.Name); b != nil {
				return b.OID == t.OID
			}
			continue
		}
		if u := v.TypeByName(s, t.Name); u != nil {
			return u.OID == t.OID
		}
		if s == catalog.InformationSchema && t.Schema == "information_schema" {
			return true
		}
	}
	return false
}

// functionVisible reports whether no function of the same name and arguments comes earlier.
func (f Functions) functionVisible(fn *functions.Func) bool {
	v := f.World.View()
	for _, s := range f.World.Path() {
		if s == fn.Namespace {
			return true
		}
		for _, other := range functions.ByName(fn.Name) {
			if other.Namespace == s && slices.Equal(other.Args, fn.Args) {
				return false
			}
		}
		for _, other := range v.FunctionsByName(s, fn.Name) {
			if slices.Equal(other.ArgTypes, fn.Args) {
				return false
			}
		}
	}
	return false
}

// factVisible answers for objects that only the facts know: they are visible if their
// schema is on the path. (Nothing else can have their names.)
func (f Functions) factVisible(table string, oid datum, name, schema string) (datum, error) {
	r := builtinNamed(table)
	facts := r.Virtual.(*systemTable).facts()
	at := position(columnNames(r), "oid")
	rows := facts.find(at, oid)
	if len(rows) == 0 {
		return null, nil
	}
	s := oidArg(facts.rows[rows[0]][position(columnNames(r), schema)])
	return flag(slices.Contains(f.World.Path(), s)), nil
}

func factVisibility(table, name, schema string) call {
	return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return f.factVisible(table, a[0], name, schema)
	}
}

// builtinNamed returns a table of pg_catalog.
func builtinNamed(name string) *catalog.Relation {
	if r := builtin().byName[name]; r != nil {
		return r
	}
	panic("syscat: no system table " + name)
}
