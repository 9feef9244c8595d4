package syscat

import "github.com/omendb/omendb/sql/catalog"

// perClass is how many rows the objects of a class have in a system table, on average.
type perClass struct {
	class catalog.Class
	rows  float64
	whole bool // rows are made from all of them together
}

// perObject says which descriptors a table's rows come from.
var perObject = map[string][]perClass{
	"pg_class":      {{catalog.ClassRelation, 1, false}, {catalog.ClassIndex, 1, false}, {catalog.ClassSequence, 1, false}},
	"pg_attribute":  {{catalog.ClassRelation, 12, false}, {catalog.ClassIndex, 1.5, false}, {catalog.ClassSequence, 9, false}},
	"pg_attrdef":    {{catalog.ClassRelation, 1, false}},
	"pg_index":      {{catalog.ClassIndex, 1, false}},
	"pg_constraint": {{catalog.ClassRelation, 1.5, false}, {catalog.ClassType, 0.1, false}},
	"pg_depend":     {{catalog.ClassRelation, 5, false}, {catalog.ClassIndex, 2, false}, {catalog.ClassSequence, 2, false}, {catalog.ClassType, 1, false}, {catalog.ClassFunction, 2, false}, {catalog.ClassExtension, 1, false}, {catalog.ClassDefaultACL, 1, false}},
	"pg_shdepend": {{catalog.ClassSchema, 1, false}, {catalog.ClassRelation, 1, false}, {catalog.ClassSequence, 1, false}, {catalog.ClassType, 1, false}, {catalog.ClassFunction, 1, false}, {catalog.ClassDatabase, 1, false}, {catalog.ClassDefaultACL, 2, false},
		{catalog.ClassBuiltinACL, 1, false}, {catalog.ClassSharedACL, 1, false}},
	"pg_description":     {{catalog.ClassSchema, 1, false}, {catalog.ClassRelation, 1, false}, {catalog.ClassSequence, 0.2, false}, {catalog.ClassIndex, 0.2, false}, {catalog.ClassType, 0.2, false}, {catalog.ClassFunction, 1, false}, {catalog.ClassExtension, 1, false}},
	"pg_shdescription":   {{catalog.ClassDatabase, 1, false}, {catalog.ClassRole, 0.2, false}},
	"pg_type":            {{catalog.ClassType, 1, false}},
	"pg_enum":            {{catalog.ClassType, 0.2, false}},
	"pg_proc":            {{catalog.ClassFunction, 1, false}},
	"pg_sequence":        {{catalog.ClassSequence, 1, false}},
	"pg_namespace":       {{catalog.ClassSchema, 1, false}},
	"pg_database":        {{catalog.ClassDatabase, 1, false}},
	"pg_authid":          {{catalog.ClassRole, 1, false}},
	"pg_auth_members":    {{catalog.ClassRole, 0.5, false}},
	"pg_db_role_setting": {{catalog.ClassDatabase, 0.2, true}, {catalog.ClassRole, 0.2, true}, {catalog.ClassSetting, 1, true}},
	"pg_extension":       {{catalog.ClassExtension, 1, false}},
	"pg_default_acl":     {{catalog.ClassDefaultACL, 1, false}},
	"pg_parameter_acl":   {{catalog.ClassSharedACL, 1, false}},
	"pg_inherits":        {{catalog.ClassRelation, 0.05, false}},
	"pg_rewrite":         {{catalog.ClassRelation, 0.1, false}},
	"pg_trigger":         {{catalog.ClassRelation, 1, false}},
	"pg_statistic_ext":   {{catalog.ClassRelation, 0.1, false}},
	"pg_aggregate":       {{catalog.ClassFunction, 0.1, false}},
	"pg_statistic":       {{catalog.ClassStatistic, 5, false}},
}

// Estimate returns about how many rows the table has, for the optimizer.
func (t *systemTable) Estimate(v *catalog.View) float64 {
	n := 1.0
	if f := t.facts(); f != nil {
		n += float64(len(f.rows))
	}
	for _, p := range t.classes {
		n += float64(v.Count(p.class)) * p.rows
	}
	return n
}

// Unique reports whether no two rows have the same value of an attribute (0-based).
func (t *systemTable) Unique(attr int) bool {
	name := t.relation.Columns[attr].Name
	return name == "oid" || attr == 0 && (name == "indexrelid" || name == "seqrelid" || name == "aggfnoid" || name == "rngtypid") ||
		t.relation.Name == "pg_namespace" && name == "nspname" || t.relation.Name == "pg_authid" && name == "rolname"
}

// distinct says about how many different values columns have that are no keys: above zero
// their number, below zero their share of the rows.
var distinct = map[string]float64{
	"relkind": 6, "relpersistence": 2, "relnamespace": 8, "relam": 4, "relowner": 3, "contype": 4, "connamespace": 4, "attnum": 40, "adnum": 40,
	"typtype": 5, "typnamespace": 4, "typcategory": 12, "pronamespace": 3, "prokind": 4, "prolang": 3, "classid": 8, "refclassid": 8,
	"deptype": 4, "classoid": 10, "objsubid": 20, "refobjsubid": 20, "atttypid": 60, "attname": -0.1,
	"attrelid": -0.12, "adrelid": -0.8, "indrelid": -0.5, "conrelid": -0.4, "conindid": -0.7, "confrelid": -0.3, "typrelid": -0.5, "typelem": -0.5, "typarray": -0.5,
	"objid": -0.5, "refobjid": -0.3, "objoid": -0.7, "relname": -0.9, "typname": -0.9, "proname": -0.7, "conname": -0.9,
}

// Distinct returns about how many different values an attribute has, in the form of
// pg_stats.n_distinct; 0: not known.
func (t *systemTable) Distinct(attr int) float64 {
	if t.Unique(attr) {
		return -1
	}
	return distinct[t.relation.Columns[attr].Name]
}
