package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// pairJoin is what the joins share: a join finds candidate pairs of a left row
// and a right row, and pairJoin tests the join's condition, decides by the kind
// of join what to yield, and puts the output together.
//
// Candidates of one left row come one behind the other, followed by the pair
// (row, -1), which stands for "no further candidate": outer joins yield it
// with NULLs and anti joins yield the left row if nothing matched.
type pairJoin struct {
	st        *state
	kind      plan.JoinKind
	cond      predicate
	leftKinds []column.Kind
	kinds     []column.Kind // left ++ right
	leftOnly  bool          // semi and anti joins
	rightOnly bool          // those of the right side

	left    []int32 // candidate pairs
	right   []int32
	matched []bool // by row of the left batch
	rightOK column.Bitmap

	both   column.Batch
	shared column.Batch // columns of the left batch, those of both behind them
	spread []int32      // by row of a shared left batch: the right row, unpaired where there is none
	sel    []int32
	keep   []int32
	out    column.Batch
}

// unpaired marks rows of a left batch that have no candidate.
const unpaired = -2

func (st *state) newPairJoin(kind plan.JoinKind, cond plan.Expr, left, right []column.Kind) (*pairJoin, error) {
	p := &pairJoin{st: st, kind: kind, leftKinds: left}
	p.kinds = append(append(p.kinds, left...), right...)
	p.leftOnly = kind == plan.SemiJoin || kind == plan.AntiJoin || kind == plan.AntiNullJoin
	p.rightOnly = kind == plan.RightSemiJoin || kind == plan.RightAntiJoin
	var err error
	p.cond, err = st.predicate(cond)
	return p, err
}

// outer reports whether left rows without a match are yielded with NULLs.
func (p *pairJoin) outer() bool { return p.kind == plan.LeftJoin || p.kind == plan.FullJoin }

// wantsEnd reports whether the pair that ends a left row's candidates matters.
func (p *pairJoin) wantsEnd() bool {
	return p.outer() || p.kind == plan.AntiJoin || p.kind == plan.AntiNullJoin
}

// keepsRight reports whether right rows are yielded at the end, as they have found a match or not.
func (p *pairJoin) keepsRight() bool {
	return p.kind == plan.RightJoin || p.kind == plan.FullJoin || p.rightOnly
}

// oneMatch reports whether the first match of a left row settles it.
func (p *pairJoin) oneMatch() bool { return p.leftOnly || p.kind == plan.FirstJoin }

// startBatch forgets the matches of the left batch before.
func (p *pairJoin) startBatch(rows int) {
	if cap(p.matched) < rows {
		p.matched = make([]bool, max(rows, column.BatchSize))
	}
	p.matched = p.matched[:rows]
	clear(p.matched)
}

func (p *pairJoin) clearPairs() { p.left, p.right = p.left[:0], p.right[:0] }

func (p *pairJoin) add(l, r int32) {
	p.left = append(p.left, l)
	p.right = append(p.right, r)
}

// addEnd ends the candidates of a left row, unless the last one is a match already.
func (p *pairJoin) addEnd(l int32) {
	if n := len(p.left); p.cond == nil && p.outer() && n > 0 && p.left[n-1] == l {
		return
	}
	p.add(l, -1)
}

// rightGather appends column c of right rows to a vector; -1 is NULL.
type rightGather func(c int, rows []int32, dst *column.Vec)

// flush tests the candidates and returns the rows to yield, nil when there are none.
func (p *pairJoin) flush(left *column.Batch, right rightGather) (*column.Batch, error) {
	if len(p.left) == 0 {
		return nil, nil
	}
	defer p.clearPairs()
	if p.cond == nil && (p.leftOnly || p.rightOnly) {
		return p.decide(left, nil)
	}
	if p.shares(left) {
		return p.flushShared(left, right)
	}
	p.both.Reset(p.kinds...)
	for c := range p.leftKinds {
		gatherVec(&left.Cols[c], p.left, &p.both.Cols[c])
	}
	for c := range len(p.kinds) - len(p.leftKinds) {
		right(c, p.right, &p.both.Cols[len(p.leftKinds)+c])
	}
	p.both.N = len(p.left)
	return p.decide(left, &p.both)
}

// sparse is how many times as many rows a left batch may have as there are candidates for its columns to
// be handed on: the right columns get as long as they are.
const sparse = 4

// shares reports whether the pairs can have the left batch's own columns: no row has two candidates.
func (p *pairJoin) shares(left *column.Batch) bool {
	if p.leftOnly || len(p.left)*sparse < left.N {
		return false
	}
	last := int32(-1)
	for _, l := range p.left {
		if l <= last {
			return false
		}
		last = l
	}
	return true
}

// flushShared is flush where every pair stands in the row of its left row.
func (p *pairJoin) flushShared(left *column.Batch, right rightGather) (*column.Batch, error) {
	p.spread = slices.Grow(p.spread[:0], left.N)[:left.N]
	for i := range p.spread {
		p.spread[i] = unpaired
	}
	for i, l := range p.left {
		p.spread[l] = p.right[i]
	}
	p.both.Reset(p.kinds...)
	p.shared.Cols = append(p.shared.Cols[:0], left.Cols...)
	for c := range len(p.kinds) - len(p.leftKinds) {
		v := &p.both.Cols[len(p.leftKinds)+c]
		right(c, p.spread, v)
		p.shared.Cols = append(p.shared.Cols, *v)
	}
	p.shared.N = left.N
	p.left, p.right = append(p.left[:0], allRows(left.N)...), append(p.right[:0], p.spread...)
	return p.decide(left, &p.shared)
}

// decide applies condition and kind to the pairs.
func (p *pairJoin) decide(left, both *column.Batch) (*column.Batch, error) {
	pass, err := p.passing(both)
	if err != nil {
		return nil, err
	}
	p.keep = p.keep[:0]
	k := 0
	for i := range p.left {
		l, r := p.left[i], p.right[i]
		if r < 0 {
			if r != unpaired && !p.matched[l] && p.wantsEnd() {
				p.keep = append(p.keep, int32(i))
			}
			continue
		}
		if pass != nil {
			for k < len(pass) && int(pass[k]) < i {
				k++
			}
			if k == len(pass) || int(pass[k]) != i {
				continue
			}
		}
		first := !p.matched[l]
		p.matched[l] = true
		if p.keepsRight() {
			p.rightOK.Set(int(r))
		}
		switch p.kind {
		case plan.AntiJoin, plan.AntiNullJoin, plan.RightSemiJoin, plan.RightAntiJoin:
		case plan.SemiJoin, plan.FirstJoin:
			if first {
				p.keep = append(p.keep, int32(i))
			}
		default:
			p.keep = append(p.keep, int32(i))
		}
	}
	return p.output(left, both), nil
}

// passing returns the pairs that satisfy the condition, nil for all.
func (p *pairJoin) passing(both *column.Batch) ([]int32, error) {
	if p.cond == nil {
		return nil, nil
	}
	real := p.sel[:0]
	for i, r := range p.right {
		if r >= 0 {
			real = append(real, int32(i))
		}
	}
	p.sel = real
	if len(real) == 0 {
		return []int32{}, nil
	}
	out, err := p.cond.filter(both, real, real[:0])
	if out == nil {
		out = []int32{}
	}
	return out, err
}

func (p *pairJoin) output(left, both *column.Batch) *column.Batch {
	if len(p.keep) == 0 {
		return nil
	}
	if !p.leftOnly {
		p.out = column.Batch{Cols: both.Cols, N: both.N, Sel: p.keep}
		if len(p.keep) == both.N {
			p.out.Sel = nil
		}
		return &p.out
	}
	for i, k := range p.keep { // pairs become left rows, in order
		p.keep[i] = p.left[k]
	}
	p.out = column.Batch{Cols: left.Cols, N: left.N, Sel: p.keep}
	return &p.out
}

// keptRight yields up to a batch of right rows from *at on: those that nothing matched, with NULLs on the left, or
// what a join of the right side wants, alone; nil at the end.
func (p *pairJoin) keptRight(at *int, n int, right rightGather) *column.Batch {
	rows := make([]int32, 0, p.st.rt.batchSize())
	for *at < n && len(rows) < cap(rows) {
		if p.rightOK.Get(*at) == (p.kind == plan.RightSemiJoin) {
			rows = append(rows, int32(*at))
		}
		*at++
	}
	if len(rows) == 0 {
		return nil
	}
	before := len(p.leftKinds)
	if p.rightOnly {
		before = 0
	}
	p.both.Reset(p.kinds[len(p.leftKinds)-before:]...)
	for c := range before {
		for range rows {
			p.both.Cols[c].Append(column.Null())
		}
	}
	for c := range len(p.kinds) - len(p.leftKinds) {
		right(c, rows, &p.both.Cols[before+c])
	}
	p.both.N, p.both.Sel = len(rows), nil
	return &p.both
}
