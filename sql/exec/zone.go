package exec

import (
	"math"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// zoneCondition is a condition on a column that zone maps can answer for many
// rows at once. The scan's filter holds it as well: it saves reading and
// decides nothing.
type zoneCondition struct {
	attr  int
	kind  plan.CompareKind
	value expr
}

// zoneConditions compiles those of a scan's conditions whose both sides are
// stored as the same kind of number.
func (st *state) zoneConditions(n *plan.Scan) ([]zoneCondition, error) {
	var out []zoneCondition
	for _, p := range n.Prune {
		if family := zoneFamily(n.Table.Columns[p.Attr].Type); family == 0 || family != zoneFamily(p.Value.ResultType().OID) {
			continue
		}
		e, err := st.compile(p.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, zoneCondition{p.Attr, p.Kind, e})
	}
	return out, nil
}

// zoneFamily returns a number that is equal for types whose values compare by
// their stored numbers; 0 for types that do not.
func zoneFamily(t types.OID) types.OID {
	switch t {
	case types.Int2OID, types.Int4OID, types.Int8OID:
		return types.Int8OID
	case types.DateOID, types.TimeOID, types.TimestampOID, types.TimestamptzOID:
		return t
	}
	return 0
}

// wantedRanges evaluates the conditions. One whose value is NULL or cannot be
// evaluated is left to the filter.
func wantedRanges(conds []zoneCondition) []engine.ColumnRange {
	var out []engine.ColumnRange
	for _, c := range conds {
		d, err := c.value.row(&row{})
		if err != nil || d.Null {
			continue
		}
		x := keys.IntBits(d.I)
		r := engine.ColumnRange{Column: c.attr, Max: math.MaxUint64}
		switch c.kind {
		case plan.Equal:
			r.Min, r.Max = x, x
		case plan.Less, plan.LessEqual:
			r.Max = x
		case plan.Greater, plan.GreaterEqual:
			r.Min = x
		default:
			continue
		}
		out = append(out, r)
	}
	return out
}
