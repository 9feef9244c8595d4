package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// Constant computes an expression that reads no rows, parameters or subqueries:
// what the planner folds. The runtime needs a context and functions only.
func Constant(rt *Runtime, e plan.Expr) (column.Datum, error) {
	x, err := newState(rt, &plan.Statement{}).compile(e)
	if err != nil {
		return column.Datum{}, err
	}
	d, err := x.row(&row{})
	return d.Clone(), err
}
