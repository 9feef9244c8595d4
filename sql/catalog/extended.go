package catalog

import "github.com/omendb/omendb/engine/column"

// ExtendedStatistic is CREATE STATISTICS: what ANALYZE is to find out about several columns of a table
// together. It is a part of its table, though it has a name in a schema and an owner of its own.
type ExtendedStatistic struct {
	OID     OID      `tag:"1"`
	Name    string   `tag:"2"`
	Schema  OID      `tag:"3"`
	Owner   OID      `tag:"4"`
	Columns []int16  `tag:"5"` // ascending
	Exprs   [][]byte `tag:"6"` // encoded bound expressions
	Kinds   []byte   `tag:"7"` // 'd' distinct groups, 'f' dependencies, 'm' common values, 'e' expressions
	Target  int32    `tag:"8"` // -1: the default
	Comment string   `tag:"9"`
}

// GroupStatistic is what ANALYZE found out for an ExtendedStatistic.
type GroupStatistic struct {
	Object   OID             `tag:"1"`
	Columns  []int16         `tag:"2"`
	Distinct []GroupDistinct `tag:"3"`
	Degrees  []GroupDegree   `tag:"4"`
	Common   []GroupCommon   `tag:"5"`
	Exprs    []GroupExpr     `tag:"6"`
}

// GroupExpr is the number of distinct values of an expression.
type GroupExpr struct {
	Expr []byte  `tag:"1"`
	N    float64 `tag:"2"`
}

// GroupDistinct is the number of distinct values of some columns together.
type GroupDistinct struct {
	Columns []int16 `tag:"1"`
	N       float64 `tag:"2"`
}

// GroupDegree is the fraction of the rows in which one column decides what is in another.
type GroupDegree struct {
	From   int16   `tag:"1"`
	To     int16   `tag:"2"`
	Degree float64 `tag:"3"`
}

// GroupCommon is a combination of values and the fraction of rows that have it.
type GroupCommon struct {
	Values    []column.Datum `tag:"1"`
	Frequency float64        `tag:"2"`
}

// EachExtended calls fn with every statistics object, until it returns false.
func (v *View) EachExtended(fn func(*Relation, *ExtendedStatistic) bool) {
	v.Relations(func(r *Relation) bool {
		for i := range r.Extended {
			if !fn(r, &r.Extended[i]) {
				return false
			}
		}
		return true
	})
}

// ExtendedByName finds a statistics object.
func (v *View) ExtendedByName(schema OID, name string) (table *Relation, found *ExtendedStatistic) {
	v.EachExtended(func(r *Relation, s *ExtendedStatistic) bool {
		if s.Schema == schema && s.Name == name {
			table, found = r, s
		}
		return found == nil
	})
	return table, found
}
