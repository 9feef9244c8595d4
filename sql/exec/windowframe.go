package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// windowFrame computes the bounds of frames.
type windowFrame struct {
	frame       plan.Frame
	startOffset expr // offsets
	endOffset   expr
	from, to    column.Datum // their values, constant over the query
	column      int          // RANGE with offsets: the order column of the kept rows
	desc        bool
	nullsFirst  bool
	in          [2]*functions.Func // in_range for start and end
	ctx         [2]*functions.Ctx
}

// frameCursor remembers where the last row's frame began and ended in RANGE
// mode: bounds only move forward.
type frameCursor struct{ head, tail int }

func (o *windowOp) prepareFrame() (*windowFrame, error) {
	w := o.node.Window
	f := &windowFrame{frame: w.Frame, column: -1}
	var err error
	if w.Frame.StartOffset != nil {
		if f.startOffset, err = o.st.compile(w.Frame.StartOffset); err != nil {
			return nil, err
		}
	}
	if w.Frame.EndOffset != nil {
		if f.endOffset, err = o.st.compile(w.Frame.EndOffset); err != nil {
			return nil, err
		}
	}
	if w.Frame.Mode != plan.RangeFrame || (f.startOffset == nil && f.endOffset == nil) {
		return f, nil
	}
	key := w.OrderBy[0]
	f.desc, f.nullsFirst = key.Desc, key.NullsFirst
	f.in = [2]*functions.Func{w.Frame.StartIn, w.Frame.EndIn}
	for i, fn := range f.in {
		if fn == nil {
			continue
		}
		if fn.Eval == nil {
			return nil, unsupportedFunc(fn)
		}
		c := &compiler{st: o.st}
		offset := w.Frame.StartOffset
		if i == 1 {
			offset = w.Frame.EndOffset
		}
		f.ctx[i] = c.site(key.Collation, fn.Ret, key.Expr, key.Expr, offset)
	}
	f.column, err = o.keep(key.Expr)
	return f, err
}

// start computes the offsets, which do not depend on rows.
func (f *windowFrame) start() error {
	for i, e := range []expr{f.startOffset, f.endOffset} {
		if e == nil {
			continue
		}
		d, err := e.row(&row{})
		if err != nil {
			return err
		}
		which := []string{"starting", "ending"}[i]
		if d.Null {
			return pgerr.New(pgerr.NullValueNotAllowed, "frame %s offset must not be null", which)
		}
		if f.frame.Mode != plan.RangeFrame && d.I < 0 {
			return pgerr.New(pgerr.InvalidPrecedingOrFollowingSize, "frame %s offset must not be negative", which)
		}
		if i == 0 {
			f.from = d.Clone()
		} else {
			f.to = d.Clone()
		}
	}
	return nil
}

// bounds returns the frame of the partition's current row before exclusion.
func (f *windowFrame) bounds(p *windowPartition) (start, end int, err error) {
	if start, err = f.lower(p); err != nil {
		return 0, 0, err
	}
	end, err = f.upper(p)
	return min(max(start, 0), p.n), min(max(end, 0), p.n), err
}

// move adds an offset to a row or group number without overflow.
func move(at int, by int64, forward bool, n int) int {
	if by > int64(n) {
		by = int64(n) + 1
	}
	if forward {
		return at + int(by)
	}
	return at - int(by)
}

// groupStart returns the first row of a peer group, 0 before the first and n after the last.
func (p *windowPartition) groupStart(g int) int {
	switch {
	case g < 0:
		return 0
	case g >= len(p.groups):
		return p.n
	}
	return int(p.groups[g])
}

func (f *windowFrame) lower(p *windowPartition) (int, error) {
	forward := f.frame.Start == plan.OffsetFollowing
	switch f.frame.Start {
	case plan.UnboundedPreceding:
		return 0, nil
	case plan.CurrentRow:
		if f.frame.Mode == plan.RowsFrame {
			return p.row, nil
		}
		return int(p.peerStart[p.row]), nil
	case plan.UnboundedFollowing:
		return p.n, nil
	}
	switch f.frame.Mode {
	case plan.RowsFrame:
		return move(p.row, f.from.I, forward, p.n), nil
	case plan.GroupsFrame:
		return p.groupStart(move(int(p.peerGroup[p.row]), f.from.I, forward, p.n)), nil
	}
	return f.rangeStart(p, !forward)
}

func (f *windowFrame) upper(p *windowPartition) (int, error) {
	forward := f.frame.End == plan.OffsetFollowing
	switch f.frame.End {
	case plan.UnboundedFollowing:
		return p.n, nil
	case plan.CurrentRow:
		if f.frame.Mode == plan.RowsFrame {
			return p.row + 1, nil
		}
		return int(p.peerEnd[p.row]), nil
	case plan.UnboundedPreceding:
		return 0, nil
	}
	switch f.frame.Mode {
	case plan.RowsFrame:
		return move(p.row, f.to.I, forward, p.n) + 1, nil
	case plan.GroupsFrame:
		g := move(int(p.peerGroup[p.row]), f.to.I, forward, p.n)
		if g < 0 {
			return 0, nil
		}
		return p.groupStart(g + 1), nil
	}
	return f.rangeEnd(p, !forward)
}

// value returns the order column of a row.
func (f *windowFrame) value(p *windowPartition, row int) column.Datum {
	return p.op.rows.datum(p.base+row, f.column)
}

func (f *windowFrame) inRange(which int, val, base, offset column.Datum, sub, less bool) (bool, error) {
	d, err := f.in[which].Eval(f.ctx[which], []column.Datum{val, base, offset, column.BoolDatum(sub), column.BoolDatum(less)})
	return d.Bool(), err
}

// rangeStart finds the first row whose value is at least the current one moved
// by the offset (PostgreSQL's update_frameheadpos tells how NULLs take part).
func (f *windowFrame) rangeStart(p *windowPartition, sub bool) (int, error) {
	cur := f.value(p, p.row)
	less := false
	if f.desc {
		sub, less = !sub, true
	}
	at := p.bounded.head
	for ; at < p.n; at++ {
		v := f.value(p, at)
		if v.Null || cur.Null {
			if f.nullsFirst && v.Null && !cur.Null || !f.nullsFirst && !v.Null && cur.Null {
				continue
			}
			break
		}
		ok, err := f.inRange(0, v, cur, f.from, sub, less)
		if err != nil {
			return 0, err
		}
		if ok {
			break
		}
	}
	p.bounded.head = at
	return at, nil
}

// rangeEnd finds the row after the last whose value is at most the current one
// moved by the offset.
func (f *windowFrame) rangeEnd(p *windowPartition, sub bool) (int, error) {
	cur := f.value(p, p.row)
	less := true
	if f.desc {
		sub, less = !sub, false
	}
	at := p.bounded.tail
	for ; at < p.n; at++ {
		v := f.value(p, at)
		if v.Null || cur.Null {
			if f.nullsFirst && !v.Null && cur.Null || !f.nullsFirst && v.Null && !cur.Null {
				break
			}
			continue
		}
		ok, err := f.inRange(1, v, cur, f.to, sub, less)
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
	}
	p.bounded.tail = at
	return at, nil
}
