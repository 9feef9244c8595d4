package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// Some functions make large values of small ones: repeat('x', 1000000) of a thousand rows is a gigabyte. What computes them
// gets its rows in batches that become smaller as the values become larger, so that their number does not count.

// swells are these functions.
var swells = map[string]bool{"repeat": true, "lpad": true, "rpad": true, "array_fill": true, "replace": true, "regexp_replace": true, "format": true}

// narrowBytes is how many bytes of values are made of one batch before the next is smaller, where the statement may use enough:
// at most narrowShare of its memory.
const (
	narrowBytes = 1 << 20
	narrowShare = 1.0 / 8
)

// narrowOp hands the batches of its input on in pieces.
type narrowOp struct {
	st    *state
	input operator
	batch *column.Batch
	rows  []int32 // of batch that are still to come
	size  int     // of the next piece
	most  int64   // bytes of values of one piece, about
	made  int64   // value of state.made when the last piece went out
	out   column.Batch
	kinds []column.Kind
	row   []column.Datum
}

// narrowed returns the input of an operator that computes expressions.
func (st *state) narrowed(input operator, exprs ...plan.Expr) operator {
	found := false
	for _, e := range exprs {
		plan.Walk(e, func(x plan.Expr) bool {
			if c, ok := x.(*plan.Call); ok && swells[c.Func.Name] {
				found = true
			}
			return !found
		})
	}
	if !found {
		return input
	}
	most := int64(narrowBytes)
	if limit := st.rt.QueryLimit; limit > 0 {
		most = min(most, int64(float64(limit)*narrowShare))
	}
	return &narrowOp{st: st, input: input, size: 1, most: most}
}

func (o *narrowOp) open() error {
	o.batch, o.rows, o.made = nil, nil, o.st.made
	return o.input.open()
}

func (o *narrowOp) close() { o.input.close() }

func (o *narrowOp) next() (*column.Batch, error) {
	switch made := o.st.made - o.made; {
	case made > o.most:
		o.size = max(1, int(int64(o.size)*o.most/made))
	case made < o.most/4:
		o.size = min(2*o.size, column.BatchSize)
	}
	o.made = o.st.made
	if len(o.rows) == 0 {
		b, err := o.input.next()
		if err != nil || b == nil {
			return b, err
		}
		o.size = min(o.size, max(b.Len(), 1))
		if b.Len() <= o.size {
			return b, nil
		}
		o.batch, o.rows = b, selected(b, b.Sel)
		o.kinds, o.row = o.kinds[:0], make([]column.Datum, len(b.Cols))
		for i := range b.Cols {
			o.kinds = append(o.kinds, b.Cols[i].Kind)
		}
	}
	n := min(o.size, len(o.rows))
	// A copy: vectors as long as the whole batch would keep the values of earlier pieces.
	o.out.Reset(o.kinds...)
	for _, r := range o.rows[:n] {
		for c := range o.row {
			o.row[c] = at(&o.batch.Cols[c], int(r))
		}
		o.out.AppendRow(o.row)
	}
	o.rows = o.rows[n:]
	return &o.out, nil
}
