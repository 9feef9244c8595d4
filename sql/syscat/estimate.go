package syscat

import "github.com/omendb/omendb/sql/catalog"

// maxCounted bounds the counting of descriptors for an estimate.
const maxCounted = 20000

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
}

// Estimate returns about how many rows the table has, for the optimizer.
func (t *systemTable) Estimate(v *catalog.View) float64 {
	n := 1.0
	if f := t.facts(); f != nil {
		n += float64(len(f.rows))
	}
	p := perObject[t.relation.Name]
	for _, c := range p.classes {
		count := 0
		v.Each(c, func(catalog.Object) bool {
			count++
			return count < maxCounted
		})
		n += float64(count) * p.rows
	}
	return n
}

// Unique reports whether no two rows have the same value of an attribute (0-based).
func (t *systemTable) Unique(attr int) bool {
	name := t.relation.Columns[attr].Name
	return name == "oid" || attr == 0 && (name == "indexrelid" || name == "seqrelid" || name == "aggfnoid" || name == "rngtypid") ||
		t.relation.Name == "pg_namespace" && name == "nspname" || t.relation.Name == "pg_authid" && name == "rolname"
}
