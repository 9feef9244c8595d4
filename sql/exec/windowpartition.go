package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
)

// partition is one partition while its window calls are computed. Rows are
// numbered from 0; it is the WinRow of the row at hand.
type windowPartition struct {
	op        *windowOp
	base, n   int
	peerStart []int32
	peerEnd   []int32
	peerGroup []int32
	groups    []int32 // first row of each peer group
	call      *windowCall
	row       int
	spans     [3]rowSpan // the frame of the row, in order
	bounded   frameCursor
}

// rowSpan is rows from start up to, not including, end.
type rowSpan struct{ start, end int }

func (o *windowOp) newPartition(start, end int) *windowPartition {
	p := &windowPartition{op: o, base: start, n: end - start}
	p.peerStart, p.peerEnd, p.peerGroup = make([]int32, p.n), make([]int32, p.n), make([]int32, p.n)
	for i := range p.n {
		if o.peers[start+i] || i == 0 {
			p.groups = append(p.groups, int32(i))
		}
		p.peerGroup[i] = int32(len(p.groups) - 1)
		p.peerStart[i] = p.groups[len(p.groups)-1]
	}
	last := int32(p.n)
	for i := p.n - 1; i >= 0; i-- {
		p.peerEnd[i] = last
		if int(p.peerStart[i]) == i {
			last = int32(i)
		}
	}
	return p
}

// run computes a call for every row.
func (p *windowPartition) run(c *windowCall, out *column.Vec) error {
	p.call = c
	p.bounded = frameCursor{}
	if c.node.Func.Kind == 'a' {
		return p.aggregate(c, out)
	}
	ctx := *c.ctx
	ctx.Memo = nil
	for p.row = 0; p.row < p.n; p.row++ {
		if err := p.frame(); err != nil {
			return err
		}
		d, err := c.node.Func.Win(&ctx, p)
		if err != nil {
			return err
		}
		out.Set(p.base+p.row, d.Clone())
		if p.row%cancelEvery == 0 {
			if err := p.op.st.rt.canceled(); err != nil {
				return err
			}
		}
	}
	return nil
}

// frame computes the spans of the current row's frame.
func (p *windowPartition) frame() error {
	start, end, err := p.op.frame.bounds(p)
	if err != nil {
		return err
	}
	end = max(end, start)
	p.spans = [3]rowSpan{{start, end}}
	cut := func(from, to int) {
		from, to = max(from, start), min(to, end)
		if from < to {
			p.spans = [3]rowSpan{{start, from}, {to, end}}
		}
	}
	i := p.row
	switch p.op.node.Window.Frame.Exclude {
	case 'r':
		cut(i, i+1)
	case 'g':
		cut(int(p.peerStart[i]), int(p.peerEnd[i]))
	case 't':
		if i >= start && i < end {
			p.spans = [3]rowSpan{{start, max(int(p.peerStart[i]), start)}, {i, i + 1}, {min(int(p.peerEnd[i]), end), end}}
		} else {
			cut(int(p.peerStart[i]), int(p.peerEnd[i]))
		}
	}
	return nil
}

// Rows implements functions.WinRow.
func (p *windowPartition) Rows() int { return p.n }

// Row implements functions.WinRow.
func (p *windowPartition) Row() int { return p.row }

// PeerStart implements functions.WinRow.
func (p *windowPartition) PeerStart() int { return int(p.peerStart[p.row]) }

// PeerEnd implements functions.WinRow.
func (p *windowPartition) PeerEnd() int { return int(p.peerEnd[p.row]) }

// PeerGroup implements functions.WinRow.
func (p *windowPartition) PeerGroup() int { return int(p.peerGroup[p.row]) }

// FrameLen implements functions.WinRow.
func (p *windowPartition) FrameLen() int {
	n := 0
	for _, s := range p.spans {
		n += s.end - s.start
	}
	return n
}

// FrameRow implements functions.WinRow.
func (p *windowPartition) FrameRow(k int) (int, bool) {
	if k < 0 {
		k += p.FrameLen()
	}
	if k < 0 {
		return 0, false
	}
	for _, s := range p.spans {
		if k < s.end-s.start {
			return s.start + k, true
		}
		k -= s.end - s.start
	}
	return 0, false
}

// Arg implements functions.WinRow.
func (p *windowPartition) Arg(i, row int) (column.Datum, error) {
	return p.op.rows.datum(p.base+row, p.call.arg+i), nil
}

// aggregate computes an aggregate over each row's frame: rows are added while
// the frame grows at its end, taken back when it moves at its start and the
// aggregate can do that, and otherwise the frame is computed afresh.
func (p *windowPartition) aggregate(c *windowCall, out *column.Vec) error {
	state := c.newState(c.ctx)
	state.Grow(1)
	remover, _ := state.(functions.AggRemover)
	have := rowSpan{}
	var last [3]rowSpan
	var answer column.Datum
	for p.row = 0; p.row < p.n; p.row++ {
		if p.row%cancelEvery == 0 {
			if err := p.op.st.rt.canceled(); err != nil {
				return err
			}
		}
		if err := p.frame(); err != nil {
			return err
		}
		if p.row > 0 && p.spans == last {
			out.Set(p.base+p.row, answer)
			continue
		}
		last = p.spans
		want := p.spans[0]
		simple := p.spans[1] == (rowSpan{}) && p.spans[2] == (rowSpan{})
		moved, err := false, error(nil)
		if simple && want.start >= have.start && want.end >= have.end && want.start <= have.end {
			moved, err = p.remove(c, remover, have.start, want.start)
			if err != nil {
				return err
			}
		}
		if moved {
			err = p.accumulate(c, state, have.end, want.end)
		} else {
			state.Reset(0)
			for _, s := range p.spans {
				if err = p.accumulate(c, state, s.start, s.end); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
		have = want
		if !simple {
			have = rowSpan{-1, -1} // the next frame starts afresh
		}
		d, err := state.Result(0, nil)
		if err != nil {
			return err
		}
		answer = d.Clone()
		out.Set(p.base+p.row, answer)
	}
	return nil
}

// accumulate adds the rows from start to end, chunk by chunk.
func (p *windowPartition) accumulate(c *windowCall, state functions.AggState, start, end int) error {
	size := p.op.rows.size
	var sel []int32
	for i := p.base + start; i < p.base+end; {
		b := p.op.rows.batches[i/size]
		stop := min(p.base+end, (i/size+1)*size)
		sel = sel[:0]
		for ; i < stop; i++ {
			r := i % size
			if c.filter < 0 || b.Cols[c.filter].Datum(r).Bool() {
				sel = append(sel, int32(r))
			}
		}
		if len(sel) == 0 {
			continue
		}
		args := make([]*column.Vec, c.nargs)
		for k := range args {
			args[k] = &b.Cols[c.arg+k]
		}
		if err := state.Accumulate(nil, args, sel, b.N); err != nil {
			return err
		}
		if err := p.op.st.rt.canceled(); err != nil {
			return err
		}
	}
	return nil
}

// remove takes back the rows from start to end; false when that is not possible.
func (p *windowPartition) remove(c *windowCall, r functions.AggRemover, start, end int) (bool, error) {
	if start == end {
		return true, nil
	}
	if r == nil {
		return false, nil
	}
	vals := make([]column.Datum, c.nargs)
	for i := start; i < end; i++ {
		if c.filter >= 0 && !p.op.rows.datum(p.base+i, c.filter).Bool() {
			continue
		}
		for k := range vals {
			vals[k] = p.op.rows.datum(p.base+i, c.arg+k)
		}
		if ok, err := r.Remove(0, vals); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}
