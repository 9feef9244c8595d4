package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// resultOp yields one computed row, or none.
type resultOp struct {
	st    *state
	exprs []expr
	cond  predicate
	kinds []column.Kind
	out   column.Batch
	done  bool
}

func (st *state) newResult(n *plan.Result) (operator, error) {
	exprs, err := st.compileAll(n.Exprs)
	if err != nil {
		return nil, err
	}
	cond, err := st.predicate(n.Filter)
	return &resultOp{st: st, exprs: exprs, cond: cond, kinds: st.exprKinds(n.Exprs)}, err
}

func (o *resultOp) open() error { o.done = false; return nil }
func (o *resultOp) close()      {}

func (o *resultOp) next() (*column.Batch, error) {
	if o.done {
		return nil, nil
	}
	o.done = true
	none := &row{}
	if o.cond != nil {
		if ok, err := o.cond.test(none); !ok || err != nil {
			return nil, err
		}
	}
	o.out.Reset(o.kinds...)
	for i, e := range o.exprs {
		d, err := e.row(none)
		if err != nil {
			return nil, err
		}
		o.out.Cols[i].Append(d)
	}
	o.out.N = 1
	return &o.out, nil
}
