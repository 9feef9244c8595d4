package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// filterOp keeps the rows for which its condition is true.
type filterOp struct {
	selection
	st    *state
	input operator
	once  bool // the condition is tested when the input is to be opened
	never bool // it was not true
}

func (st *state) newFilter(n *plan.Filter) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	cond, err := st.predicate(n.Cond)
	return &filterOp{selection: selection{cond: cond, figures: st.figures(n)}, st: st, input: st.narrowed(input, n.Cond), once: n.Once}, err
}

func (o *filterOp) open() error {
	o.never = false
	if o.once && o.cond != nil {
		ok, err := o.cond.test(&row{})
		if err != nil {
			return err
		}
		if o.never = !ok; o.never {
			return nil
		}
	}
	return o.input.open()
}

func (o *filterOp) close() { o.input.close() }

func (o *filterOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	switch {
	case o.never:
		return nil, nil
	case o.once:
		return o.input.next()
	}
	for {
		b, err := o.input.next()
		if err != nil || b == nil {
			return nil, err
		}
		if out, err := o.apply(b); err != nil || out != nil {
			return out, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
}
