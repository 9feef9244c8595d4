package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// appendOp yields its inputs one after the other. Each is opened when it is reached.
type appendOp struct {
	st     *state
	inputs []operator
	at     int
	opened bool
}

func (st *state) newAppend(n *plan.Append) (operator, error) {
	o := &appendOp{st: st}
	for _, in := range n.Inputs {
		op, err := st.operator(in)
		if err != nil {
			return nil, err
		}
		o.inputs = append(o.inputs, op)
	}
	return o, nil
}

func (o *appendOp) open() error { o.at, o.opened = 0, false; return nil }

func (o *appendOp) close() {
	for _, in := range o.inputs {
		in.close()
	}
}

func (o *appendOp) next() (*column.Batch, error) {
	for o.at < len(o.inputs) {
		in := o.inputs[o.at]
		if !o.opened {
			if err := in.open(); err != nil {
				return nil, err
			}
			o.opened = true
		}
		b, err := in.next()
		if err != nil || b != nil {
			return b, err
		}
		o.at, o.opened = o.at+1, false
	}
	return nil, nil
}
