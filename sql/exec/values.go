package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// valuesOp yields literal rows.
type valuesOp struct {
	st    *state
	rows  [][]expr
	kinds []column.Kind
	at    int
	out   column.Batch
	vals  []column.Datum
}

func (st *state) newValues(n *plan.Values) (operator, error) {
	o := &valuesOp{st: st, kinds: st.kinds(n), rows: make([][]expr, len(n.Rows))}
	o.vals = make([]column.Datum, len(o.kinds))
	c := &compiler{st: st}
	for i, r := range n.Rows {
		var err error
		if o.rows[i], err = c.list(r); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *valuesOp) open() error { o.at = 0; return nil }
func (o *valuesOp) close()      {}

func (o *valuesOp) next() (*column.Batch, error) {
	if o.at >= len(o.rows) {
		return nil, o.st.rt.canceled()
	}
	o.out.Reset(o.kinds...)
	none := &row{}
	for o.at < len(o.rows) && o.out.N < o.st.rt.batchSize() {
		for i, e := range o.rows[o.at] {
			d, err := e.row(none)
			if err != nil {
				return nil, err
			}
			o.vals[i] = d
		}
		o.out.AppendRow(o.vals)
		o.at++
	}
	return &o.out, nil
}
