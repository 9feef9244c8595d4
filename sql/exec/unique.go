package exec

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// uniqueOp drops rows equal to the one before.
type uniqueOp struct {
	input     operator
	key       *rowKey
	last, cur []byte
	started   bool
	sel       []int32
	out       column.Batch
}

func (st *state) newUnique(n *plan.Unique) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	key, err := st.sortKey(n.Keys)
	return &uniqueOp{input: input, key: key}, err
}

func (o *uniqueOp) open() error { o.started = false; return o.input.open() }
func (o *uniqueOp) close()      { o.input.close() }

func (o *uniqueOp) next() (*column.Batch, error) {
	for {
		b, err := o.input.next()
		if err != nil || b == nil {
			return nil, err
		}
		o.sel = o.sel[:0]
		for _, r := range selected(b, b.Sel) {
			if o.cur, err = o.key.of(b, r, o.cur[:0]); err != nil {
				return nil, err
			}
			if o.started && bytes.Equal(o.cur, o.last) {
				continue
			}
			o.started = true
			o.cur, o.last = o.last, o.cur
			o.sel = append(o.sel, r)
		}
		if len(o.sel) > 0 {
			o.out = column.Batch{Cols: b.Cols, N: b.N, Sel: o.sel}
			return &o.out, nil
		}
	}
}
