package exec

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// lateFilter is the condition of a scan taken apart, for batches that come
// without their columns: each part loads what it reads, for the rows that are
// left, or asks the stored form, and the rest is loaded for the rows that pass.
type lateFilter struct {
	parts  []latePart
	unread []bool // columns that nobody reads behind the condition; nil: none
	loaded []bool // columns of the batch in hand
	side   column.Batch
	picked []int32
	merged []int32
}

// latePart is one condition of several.
type latePart struct {
	cond   predicate
	cols   []int
	stored storedFilter // nil: it needs its columns decoded
}

// storedFilter is a condition on one column that can be asked of its stored form.
type storedFilter interface {
	// filterStored appends the rows for which the condition is true; false, and
	// nothing done, where only the decoded form tells.
	filterStored(pieces []column.Piece, dst []int32) (rows []int32, ok bool)
}

// lateFilter takes a condition apart; nil where there is none, or where it must
// not be asked twice.
func (st *state) lateFilter(e plan.Expr) (*lateFilter, error) {
	if e == nil || st.rt.Knobs.RowAtATime || isVolatile(e) {
		return nil, nil
	}
	conds := []plan.Expr{e}
	if b, ok := e.(*plan.BoolOp); ok && b.Op == plan.And {
		conds = b.Args
	}
	f := &lateFilter{}
	for _, c := range conds {
		p, err := st.predicate(c)
		if err != nil {
			return nil, err
		}
		part := latePart{cond: p}
		plan.Walk(c, func(x plan.Expr) bool {
			if s, ok := x.(*plan.Slot); ok {
				part.cols = append(part.cols, s.Index)
			}
			return true
		})
		part.stored = storedOf(p)
		if k := len(f.parts) - 1; k < 0 || !f.parts[k].join(&part) {
			f.parts = append(f.parts, part)
		}
	}
	return f, nil
}

// join makes a part, and another one that follows it, one: bounds of a number.
func (p *latePart) join(next *latePart) bool {
	a, ok1 := p.stored.(*storedRange)
	b, ok2 := next.stored.(*storedRange)
	if !ok1 || !ok2 || a.limits[0].slot != b.limits[0].slot {
		return false
	}
	a.limits = append(a.limits, b.limits...)
	all := make(conjunction, len(a.limits))
	for i, l := range a.limits {
		all[i] = l
	}
	p.cond = all
	return true
}

// storedOf returns the face of a predicate towards stored columns, if it has one.
func storedOf(p predicate) storedFilter {
	switch p := p.(type) {
	case *likeMatch:
		return p
	case *comparison:
		switch {
		case p.lane == column.Int && p.kind != plan.NotEqual:
			return &storedRange{limits: []*comparison{p}}
		case p.lane == column.Bytes && (p.kind == plan.Equal || p.kind == plan.NotEqual):
			return storedEqual{p}
		}
	}
	return nil
}

// storedEqual is text = constant, or <>.
type storedEqual struct{ *comparison }

func (p storedEqual) filterStored(pieces []column.Piece, dst []int32) ([]int32, bool) {
	d, err := p.value.row(&row{})
	if err != nil {
		return dst, false
	}
	if d.Null {
		return dst, true
	}
	m := &column.EqualStrings{To: d.B, Not: p.kind == plan.NotEqual}
	for i := range pieces {
		dst = pieces[i].Select(m, dst)
	}
	return dst, true
}

// storedRange is comparisons of one number with constants.
type storedRange struct{ limits []*comparison }

func (p *storedRange) filterStored(pieces []column.Piece, dst []int32) ([]int32, bool) {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	for _, l := range p.limits {
		d, err := l.value.row(&row{})
		switch {
		case err != nil:
			return dst, false
		case d.Null:
			return dst, true
		case l.kind == plan.Less && d.I == math.MinInt64, l.kind == plan.Greater && d.I == math.MaxInt64:
			return dst, true
		}
		switch l.kind {
		case plan.Less:
			hi = min(hi, d.I-1)
		case plan.LessEqual:
			hi = min(hi, d.I)
		case plan.Equal:
			lo, hi = max(lo, d.I), min(hi, d.I)
		case plan.GreaterEqual:
			lo = max(lo, d.I)
		case plan.Greater:
			lo = max(lo, d.I+1)
		}
	}
	for i := range pieces {
		dst = pieces[i].SelectNumbers(lo, hi, false, dst)
	}
	return dst, true
}

// readOnly tells the scan which columns are read behind its condition.
func (f *lateFilter) readOnly(cols int, exprs []plan.Expr) {
	f.unread = make([]bool, cols)
	for c := range f.unread {
		f.unread[c] = true
	}
	for _, e := range exprs {
		plan.Walk(e, func(x plan.Expr) bool {
			if s, ok := x.(*plan.Slot); ok {
				f.unread[s.Index] = false
			}
			return true
		})
	}
}

// applyLate returns the rows of a deferred batch that pass, with all columns of
// these rows, nil if there are none.
func (o *scanOp) applyLate(b *column.Batch) (*column.Batch, error) {
	f := o.apart
	if len(f.loaded) != len(b.Cols) {
		f.loaded = make([]bool, len(b.Cols))
	}
	clear(f.loaded)
	var sel []int32
	for i := range f.parts {
		out, err := o.applyPart(b, &f.parts[i], sel)
		if err != nil {
			return o.applyWhole(b)
		}
		if sel = out; len(out) == 0 {
			break
		}
	}
	o.figures.Removed += int64(b.N - len(sel))
	if len(sel) == 0 {
		return nil, nil
	}
	o.sel = sel
	for c := range b.Cols {
		if f.unread != nil && f.unread[c] {
			continue
		}
		if err := o.load(b, c, sel); err != nil {
			return nil, err
		}
	}
	o.out = column.Batch{Cols: b.Cols, N: b.N, Sel: sel}
	return &o.out, nil
}

// load decodes a column for rows, unless it is there.
func (o *scanOp) load(b *column.Batch, c int, sel []int32) error {
	if o.apart.loaded[c] {
		return nil
	}
	o.apart.loaded[c] = true
	return o.it.Load(b, c, sel)
}

// applyWhole asks for the condition as if the batch had not been deferred: a
// row in it fails, and those before it are to be seen.
func (o *scanOp) applyWhole(b *column.Batch) (*column.Batch, error) {
	for c := range b.Cols {
		if err := o.it.Load(b, c, nil); err != nil {
			return nil, err
		}
	}
	return o.apply(b)
}

// applyPart returns the rows of sel, nil being all, for which a part is true.
func (o *scanOp) applyPart(b *column.Batch, p *latePart, sel []int32) ([]int32, error) {
	if p.stored != nil && sel == nil {
		if pieces, ok := o.it.Pieces(p.cols[0]); ok {
			if rows, ok := p.stored.filterStored(pieces, o.sel[:0]); ok {
				return o.withPatches(rows, b, p)
			}
		}
	}
	for _, c := range p.cols {
		if err := o.load(b, c, sel); err != nil {
			return nil, err
		}
	}
	if sel == nil {
		return p.cond.filter(b, nil, o.sel[:0])
	}
	return p.cond.filter(b, sel, sel[:0])
}

// withPatches corrects the answer of a stored form by the rows that memtables
// have in the place of others.
func (o *scanOp) withPatches(rows []int32, b *column.Batch, p *latePart) ([]int32, error) {
	patched := o.it.Patches()
	if len(patched) == 0 {
		return rows, nil
	}
	f, c := o.apart, p.cols[0]
	if len(f.side.Cols) != len(b.Cols) {
		f.side.Cols = make([]column.Vec, len(b.Cols))
	}
	o.it.LoadPatches(&f.side.Cols[c], c)
	f.side.N = len(patched)
	picked, err := p.cond.filter(&f.side, nil, f.picked[:0])
	if err != nil {
		return nil, err
	}
	f.picked = picked
	out := f.merged[:0]
	for k, at := range patched {
		for len(rows) > 0 && rows[0] < at {
			out, rows = append(out, rows[0]), rows[1:]
		}
		if len(rows) > 0 && rows[0] == at {
			rows = rows[1:]
		}
		if len(picked) > 0 && int(picked[0]) == k {
			out, picked = append(out, at), picked[1:]
		}
	}
	out = append(out, rows...)
	o.sel, f.merged = out, o.sel
	return out, nil
}

// likeMatch is column LIKE constant, or NOT LIKE.
type likeMatch struct {
	slot    int
	src     string
	value   expr
	slow    *condition
	pattern []byte // that filter is of
	known   bool
	filters *functions.LikeFilter // nil: such patterns are matched by slow
}

// likeKernel returns a kernel for slot LIKE constant, or nil.
func (c *compiler) likeKernel(e *plan.Call) (predicate, error) {
	if e.Func.Lang != functions.LangInternal || len(e.Args) != 2 || !functions.IsLike(e.Func.Src) || !rowless(e.Args[1]) {
		return nil, nil
	}
	s := slotOf(e.Args[0])
	if s == nil || c.kind(e.Args[0]) != column.Bytes {
		return nil, nil
	}
	value, err := c.expr(e.Args[1])
	if err != nil {
		return nil, err
	}
	slow, err := c.top(e)
	return &likeMatch{slot: s.Index, src: e.Func.Src, value: value, slow: &condition{arg: slow}}, err
}

func (p *likeMatch) test(r *row) (bool, error) { return p.slow.test(r) }

// filterOf compiles the pattern: usable is false where slow has to do it, null
// says that no row matches.
func (p *likeMatch) filterOf() (f *functions.LikeFilter, null bool) {
	d, err := p.value.row(&row{})
	if err != nil || d.Null {
		return nil, err == nil
	}
	if !p.known || string(p.pattern) != string(d.B) {
		p.pattern, p.known = append(p.pattern[:0], d.B...), true
		p.filters = functions.NewLikeFilter(p.src, p.pattern)
	}
	return p.filters, false
}

func (p *likeMatch) filter(b *column.Batch, sel, dst []int32) ([]int32, error) {
	f, null := p.filterOf()
	v := &b.Cols[p.slot]
	switch {
	case null:
		return dst, nil
	case f == nil || isConst(v, b.N):
		return p.slow.filter(b, sel, dst)
	}
	start := len(dst)
	dst = f.Filter(v.B, selected(b, sel), dst)
	if len(v.Nulls) > 0 {
		dst = dropNulls(v, dst, start)
	}
	return dst, nil
}

func (p *likeMatch) filterStored(pieces []column.Piece, dst []int32) ([]int32, bool) {
	f, null := p.filterOf()
	if f == nil || null {
		return dst, null
	}
	for i := range pieces {
		dst = pieces[i].Select(f, dst)
	}
	return dst, true
}
