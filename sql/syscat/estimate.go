package syscat

import "github.com/omendb/omendb/sql/catalog"

// perObject says which descriptors a table's rows come from, and how many of them each has.
var perObject = map[string]struct {
	classes []catalog.Class
	rows    float64
}{
	"pg_class":      {[]catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence}, 1},
	"pg_attribute":  {[]catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence}, 8},
	"pg_attrdef":    {[]catalog.Class{catalog.ClassRelation}, 1},
	"pg_index":      {[]catalog.Class{catalog.ClassIndex}, 1},
	"pg_constraint": {[]catalog.Class{catalog.ClassRelation}, 1},
	"pg_depend":     {[]catalog.Class{catalog.ClassRelation, catalog.ClassIndex, catalog.ClassSequence}, 4},
	"pg_type":       {[]catalog.Class{catalog.ClassType}, 1},
	"pg_proc":       {[]catalog.Class{catalog.ClassFunction}, 1},
	"pg_sequence":   {[]catalog.Class{catalog.ClassSequence}, 1},
	"pg_namespace":  {[]catalog.Class{catalog.ClassSchema}, 1},
	"pg_database":   {[]catalog.Class{catalog.ClassDatabase}, 1},
	"pg_authid":     {[]catalog.Class{catalog.ClassRole}, 1},
	"pg_inherits":   {[]catalog.Class{catalog.ClassRelation}, 0.05},
	"pg_rewrite":    {[]catalog.Class{catalog.ClassRelation}, 0.1},
	"pg_enum":       {[]catalog.Class{catalog.ClassType}, 0.1},
}

// Estimate returns about how many rows the table has, for the optimizer.
func (t *systemTable) Estimate(v *catalog.View) float64 {
	n := 1.0
	if f := t.facts(); f != nil {
		n += float64(len(f.rows))
	}
	p := perObject[t.relation.Name]
	for _, c := range p.classes {
		n += float64(v.Count(c)) * p.rows
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
