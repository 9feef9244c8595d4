package exec

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// limitOp skips rows and then yields at most so many; WITH TIES also those
// equal to the last.
type limitOp struct {
	st            *state
	input         operator
	offset, count expr
	ties          *rowKey
	last          []byte
	skip, left    int64
	out           column.Batch
	sel           []int32
	done          bool
}

func (st *state) newLimit(n *plan.Limit) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	o := &limitOp{st: st, input: input}
	if n.Offset != nil {
		if o.offset, err = st.compile(n.Offset); err != nil {
			return nil, err
		}
	}
	if n.Count != nil {
		if o.count, err = st.compile(n.Count); err != nil {
			return nil, err
		}
	}
	if n.TiesBy != nil {
		if o.ties, err = st.sortKey(n.TiesBy); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// bound computes OFFSET or LIMIT; NULL and nil are none.
func bound(e expr, none int64, code, what string) (int64, error) {
	if e == nil {
		return none, nil
	}
	d, err := e.row(&row{})
	if err != nil || d.Null {
		return none, err
	}
	if d.I < 0 {
		return 0, pgerr.New(code, "%s must not be negative", what)
	}
	return d.I, nil
}

func (o *limitOp) open() error {
	var err error
	if o.skip, err = bound(o.offset, 0, pgerr.InvalidRowCountInResultOffsetClause, "OFFSET"); err != nil {
		return err
	}
	if o.left, err = bound(o.count, math.MaxInt64, pgerr.InvalidRowCountInLimitClause, "LIMIT"); err != nil {
		return err
	}
	o.done, o.last = o.left == 0, nil
	if o.done {
		return nil // no row is wanted: nothing below runs
	}
	if s, ok := o.input.(skipper); ok && o.skip > 0 && o.skip < math.MaxInt64 {
		s.skip(o.skip)
		defer func() { o.skip -= s.skipped() }()
	}
	return o.input.open()
}

func (o *limitOp) close() { o.input.close() }

// skipper is an operator that can leave out its first rows without reading
// them. skip asks the next open to do so; skipped, after it, says how many it
// has left out: all or none.
type skipper interface {
	skip(rows int64)
	skipped() int64
}

func (m *measured) skip(rows int64) {
	if s, ok := m.op.(skipper); ok {
		s.skip(rows)
	}
}

func (m *measured) skipped() int64 {
	if s, ok := m.op.(skipper); ok {
		return s.skipped()
	}
	return 0
}

// skip and skipped pass on what a projection is asked that only picks columns:
// computing anything else for a row that is left out could fail.
func (o *projectOp) skip(rows int64) {
	if s, ok := o.input.(skipper); ok && o.picks {
		s.skip(rows)
	}
}

func (o *projectOp) skipped() int64 {
	if s, ok := o.input.(skipper); ok && o.picks {
		return s.skipped()
	}
	return 0
}

func (o *limitOp) next() (*column.Batch, error) {
	for !o.done {
		b, err := o.input.next()
		if err != nil || b == nil {
			return nil, err
		}
		n := int64(b.Len())
		if o.skip >= n {
			o.skip -= n
			continue
		}
		rows := selected(b, b.Sel)[o.skip:]
		o.skip = 0
		if int64(len(rows)) >= o.left {
			rows, err = o.end(b, rows)
			if err != nil {
				return nil, err
			}
		} else {
			o.left -= int64(len(rows))
		}
		if len(rows) == 0 {
			return nil, nil
		}
		o.sel = append(o.sel[:0], rows...)
		o.out = column.Batch{Cols: b.Cols, N: b.N, Sel: o.sel}
		return &o.out, nil
	}
	return nil, nil
}

// end cuts the batch in which the limit is reached.
func (o *limitOp) end(b *column.Batch, rows []int32) ([]int32, error) {
	if o.ties == nil {
		o.done = true
		return rows[:o.left], nil
	}
	n := int(o.left)
	if o.last == nil {
		key, err := o.ties.of(b, rows[n-1], nil)
		if err != nil {
			return nil, err
		}
		o.last = key
	}
	for n < len(rows) {
		key, err := o.ties.of(b, rows[n], nil)
		if err != nil {
			return nil, err
		}
		if string(key) != string(o.last) {
			o.done = true
			break
		}
		n++
	}
	o.left = 0
	return rows[:n], nil
}
