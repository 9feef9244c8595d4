package exec

import (
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

var errLater = pgerr.Unsupported("this kind of expression is not supported")

func (st *state) newWindowAgg(*plan.WindowAgg) (operator, error) { return nil, errLater }
func (st *state) newMergeJoin(*plan.MergeJoin) (operator, error) { return nil, errLater }
