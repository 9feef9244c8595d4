package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// Ranks, and aggregates over frames that begin with the partition and end with
// the current row or its peers, are computed in one pass over all complete
// partitions instead of frame by frame.

// runKind says how a call is computed in one pass.
type runKind uint8

const (
	runRowNumber runKind = iota + 1
	runRank
	runDenseRank
	runAggregate
)

var rankRuns = map[string]runKind{"window_row_number": runRowNumber, "window_rank": runRank, "window_dense_rank": runDenseRank}

// runOf returns how a call can be computed in one pass, 0 if it cannot.
func (o *windowOp) runOf(c *windowCall) runKind {
	if o.st.rt.Knobs.NoPacking || c.filter >= 0 {
		return 0
	}
	if c.newState == nil {
		if c.node.Func.Lang != functions.LangInternal {
			return 0
		}
		return rankRuns[c.node.Func.Src]
	}
	f := o.node.Window.Frame
	if f.Exclude != 0 || f.Start != plan.UnboundedPreceding || f.End != plan.CurrentRow || c.nargs > 1 {
		return 0
	}
	if _, ok := c.newState(c.ctx).(functions.AggRunner); !ok {
		return 0
	}
	return runAggregate
}

// run computes a call for all complete partitions.
func (o *windowOp) run(c *windowCall, out *column.Vec) error {
	if c.runs == runAggregate {
		return o.runAggregate(c, out)
	}
	row, rank, dense := int64(0), int64(0), int64(0)
	begins, peers := o.begins[:o.complete], o.peers[:o.complete]
	for i := range out.I {
		if begins[i] {
			row, dense = 0, 0
		}
		row++
		if peers[i] {
			rank = row
			dense++
		}
		switch c.runs {
		case runRowNumber:
			out.I[i] = row
		case runRank:
			out.I[i] = rank
		default:
			out.I[i] = dense
		}
	}
	return nil
}

func (o *windowOp) runAggregate(c *windowCall, out *column.Vec) error {
	state := c.newState(c.ctx)
	state.Grow(1)
	runner := state.(functions.AggRunner)
	for i, first := 0, 0; first < o.complete; i++ {
		b := o.rows.batches[i]
		n := min(b.N, o.complete-first)
		var arg *column.Vec
		if c.nargs > 0 {
			arg = &b.Cols[c.arg]
		}
		v := part(out, first, n)
		if err := runner.Run(arg, o.begins[first:first+n], &v); err != nil {
			return err
		}
		if v.Nulls.Any() {
			for r := range n {
				if v.Nulls.Get(r) {
					out.Nulls.Set(first + r)
				}
			}
		}
		first += n
	}
	if o.node.Window.Frame.Mode == plan.RowsFrame {
		return nil
	}
	for i := o.complete - 2; i >= 0; i-- { // peers have what the last of them has
		if !o.peers[i+1] {
			out.Set(i, out.Datum(i+1))
		}
	}
	return nil
}

// part is n rows of a vector from first on, to be read, or to be written where none is NULL yet.
func part(v *column.Vec, first, n int) column.Vec {
	p := column.Vec{Kind: v.Kind}
	switch v.Kind {
	case column.Int:
		p.I = v.I[first : first+n]
	case column.Float:
		p.F = v.F[first : first+n]
	default:
		p.B = v.B[first : first+n]
	}
	if v.Nulls.Any() {
		for i := range n {
			if v.Nulls.Get(first + i) {
				p.Nulls.Set(i)
			}
		}
	}
	return p
}

// enoughBatches is how many batches of complete partitions are computed at once:
// the more, the less often rows of an incomplete one are moved.
const enoughBatches = 4

func (o *windowOp) enough() int { return enoughBatches * o.st.rt.batchSize() }

// plainKeys notes the key columns where all of them are integers.
func (o *windowOp) plainKeys() {
	o.plain = !o.st.rt.Knobs.NoPacking && !o.st.rt.Knobs.RowAtATime
	columns := func(keys []plan.SortKey) (out []int) {
		for _, k := range keys {
			s, ok := k.Expr.(*plan.Slot)
			if !ok || o.st.keyForm(s.ResultType()) != keyInt {
				o.plain = false
				return nil
			}
			out = append(out, s.Index)
		}
		return out
	}
	o.partCols, o.peerCols = columns(o.node.Window.PartitionBy), columns(o.node.Window.OrderBy)
}

// divideLanes is divide for integers.
func (o *windowOp) divideLanes(b *column.Batch) {
	rows := selected(b, b.Sel)
	o.fresh = append(o.fresh[:0], make([]bool, len(rows))...)
	for _, c := range o.partCols {
		o.differ(c, &b.Cols[c], rows, o.fresh)
	}
	if !o.any && len(rows) > 0 {
		o.fresh[0], o.any = true, true
	}
	for i, f := range o.fresh {
		if f {
			o.starts = append(o.starts, o.rows.n+i)
		}
	}
	o.begins = append(o.begins, o.fresh...)
	for _, c := range o.peerCols {
		o.differ(c, &b.Cols[c], rows, o.fresh)
	}
	o.peers = append(o.peers, o.fresh...)
}

// differ marks the rows whose value in a column is another than in the row before.
func (o *windowOp) differ(c int, v *column.Vec, rows []int32, marks []bool) {
	last := column.Datum{}
	if n := o.rows.n; n > 0 {
		last = o.rows.datum(n-1, c)
	}
	if v.Nulls.Any() || last.Null {
		for i, r := range rows {
			d := v.Datum(int(r))
			if d.Null != last.Null || !d.Null && d.I != last.I {
				marks[i] = true
			}
			last = d
		}
		return
	}
	prev := last.I
	for i, r := range rows {
		x := v.I[r]
		if x != prev {
			marks[i] = true
		}
		prev = x
	}
}
