package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// microsPerDay are a day's units of timestamp.
const microsPerDay = 24 * 60 * 60 * 1_000_000

// Days since 2000 that every timestamp can hold; constants beyond them are compared as they stand.
const (
	leastMomentDay    = -2_400_000
	greatestMomentDay = 100_000_000
)

// compareInKind turns the comparison of a date with a constant timestamp into one with a
// date, and the other way round: date '1994-01-01' + interval '1 year' is a timestamp, while
// zone maps, statistics and the lanes of the column know dates.
func compareInKind(x *plan.Call) *plan.Call {
	if x.Op == 0 || len(x.Args) != 2 {
		return x
	}
	op := functions.OperatorByOID(x.Op)
	if op == nil || op.Left == op.Right {
		return x
	}
	left, right := x.Args[0], x.Args[1]
	if _, ok := left.(*plan.Const); ok {
		if op = functions.OperatorByOID(op.Commutator); op == nil {
			return x
		}
		left, right = right, left
	}
	c, ok := right.(*plan.Const)
	if !ok || c.Value.Null || left.ResultType().OID != op.Left || c.Typ.OID != op.Right {
		return x
	}
	name, value := op.Name, c.Value.I
	switch {
	case op.Left == types.DateOID && op.Right == types.TimestampOID:
		if value < leastMomentDay*microsPerDay || value > greatestMomentDay*microsPerDay {
			return x
		}
		day := value / microsPerDay
		if value%microsPerDay < 0 {
			day--
		}
		if value != day*microsPerDay { // within the day: the date itself is before it
			switch name {
			case "<", "<=":
				name = "<="
			case ">", ">=":
				name = ">"
			default:
				return x
			}
		}
		value = day
	case op.Left == types.TimestampOID && op.Right == types.DateOID:
		if value < leastMomentDay || value > greatestMomentDay {
			return x
		}
		value *= microsPerDay
	default:
		return x
	}
	same := functions.FindOperator(name, op.Left, op.Left)
	if same == nil || same.Code == nil {
		return x
	}
	typ := left.ResultType()
	return &plan.Call{Base: x.Base, Func: same.Code, Op: same.OID, InputColl: x.InputColl,
		Args: []plan.Expr{left, &plan.Const{Base: plan.Base{Typ: plan.Type{OID: typ.OID, Typmod: -1}, Pos: c.Pos}, Value: column.IntDatum(value)}}}
}
