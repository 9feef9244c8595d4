package exec

import (
	"math/bits"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// Numerics of one scale that fit 64 bits are computed as integers, a lane for a
// batch. Whatever does not fit (several scales in a column, NaN, overflow) is
// left to the functions on encoded values: a lane says so and nothing is lost
// but its time.

// laneExpr is an expression of type numeric that can be computed as a lane.
type laneExpr interface {
	// lane returns the rows sel of b, nil when it cannot. It is valid until the
	// next call and not to be written.
	lane(b *column.Batch, sel []int32) (*functions.NumericLane, error)
}

// constantLane is an operand that is the same for all rows of a batch.
type constantLane struct {
	arg   expr
	coef  int64
	scale int
}

// get evaluates it and reports whether it can be an operand. An error is left
// to the functions on encoded values, which meet it where it belongs.
func (k *constantLane) get() (ok bool) {
	d, err := k.arg.row(&row{})
	if err != nil || d.Null {
		return false
	}
	k.coef, k.scale, ok = types.NumericToInt64Scaled(d)
	return ok
}

// laneOf returns the lane form of an expression of type numeric, nil if it has none.
func (c *compiler) laneOf(e plan.Expr) (laneExpr, error) {
	if c.st.rt.Knobs.RowAtATime {
		return nil, nil
	}
	switch e := e.(type) {
	case *plan.Slot:
		if c.st.baseType(e.ResultType().OID) == types.NumericOID {
			return c.lanes.slot(e.Index), nil
		}
	case *plan.Relabel:
		if !e.Wraps() {
			return c.laneOf(e.Arg)
		}
	case *plan.Call:
		return c.callLane(e)
	}
	return nil, nil
}

// laneOperators are the functions that lanes compute.
var laneOperators = map[string]byte{"numeric_add": '+', "numeric_sub": '-', "numeric_mul": '*'}

func (c *compiler) callLane(e *plan.Call) (laneExpr, error) {
	if e.Func.Lang != functions.LangInternal {
		return nil, nil
	}
	switch e.Func.Src {
	case "int2_numeric", "int4_numeric", "int8_numeric":
		if len(e.Args) != 1 {
			return nil, nil
		}
		arg, err := c.expr(e.Args[0])
		if err != nil {
			return nil, err
		}
		return &integerLane{arg: arg}, nil
	}
	op := laneOperators[e.Func.Src]
	if op == 0 || len(e.Args) != 2 {
		return nil, nil
	}
	l := &arithmeticLane{op: op}
	for i, a := range e.Args {
		k, err := c.constantLane(a)
		if err != nil {
			return nil, err
		}
		if l.fixed[i] = k; k != nil {
			continue
		}
		if l.args[i], err = c.laneOf(a); l.args[i] == nil || err != nil {
			return nil, err
		}
	}
	if l.args[0] == nil && l.args[1] == nil {
		return nil, nil
	}
	return l, nil
}

// constantLane compiles an operand without columns, nil if it is something else.
func (c *compiler) constantLane(e plan.Expr) (*constantLane, error) {
	if !rowless(e) || e.ResultType().OID != types.NumericOID || isVolatile(e) {
		return nil, nil
	}
	x, err := c.expr(e)
	return &constantLane{arg: x}, err
}

// slotLanes are the lanes of an operator's input columns, decoded once for all
// expressions that read them.
type slotLanes struct {
	slots map[int]*slotLane
}

func (s *slotLanes) slot(i int) *slotLane {
	if s == nil {
		return &slotLane{index: i}
	}
	l := s.slots[i]
	if l == nil {
		if s.slots == nil {
			s.slots = map[int]*slotLane{}
		}
		l = &slotLane{index: i, keep: true}
		s.slots[i] = l
	}
	return l
}

// forget is called for every new batch.
func (s *slotLanes) forget() {
	for _, l := range s.slots {
		l.held = false
	}
}

// slotLane decodes a column.
type slotLane struct {
	index int
	keep  bool // what was decoded, for all rows of the batch, until forgotten
	held  bool
	ok    bool
	vals  functions.NumericLane
}

func (s *slotLane) lane(b *column.Batch, sel []int32) (*functions.NumericLane, error) {
	if s.keep {
		sel = b.Sel
	}
	if !s.held {
		s.ok, s.held = s.vals.Decode(&b.Cols[s.index], selected(b, sel), b.N), s.keep
	}
	if !s.ok {
		return nil, nil
	}
	return &s.vals, nil
}

// integerLane is the cast of an integer.
type integerLane struct {
	arg  expr
	vals functions.NumericLane
}

func (l *integerLane) lane(b *column.Batch, sel []int32) (*functions.NumericLane, error) {
	v, err := l.arg.vec(b, sel)
	if err != nil || len(v.I) != b.N {
		return nil, err
	}
	l.vals.Coef, l.vals.Scale = v.I, 0
	l.vals.SetNulls(v.Nulls, b.N)
	return &l.vals, nil
}

// arithmeticLane adds, subtracts or multiplies. Of each side either args or fixed is set.
type arithmeticLane struct {
	op    byte
	args  [2]laneExpr
	fixed [2]*constantLane
	vals  functions.NumericLane
	nulls column.Bitmap
}

// side is one operand: a lane, or a constant.
type laneSide struct {
	coef  []int64 // nil: constant
	value int64
	scale int
	nulls column.Bitmap
}

func (l *arithmeticLane) side(i int, b *column.Batch, sel []int32) (s laneSide, ok bool, err error) {
	if k := l.fixed[i]; k != nil {
		ok = k.get()
		return laneSide{value: k.coef, scale: k.scale}, ok, nil
	}
	v, err := l.args[i].lane(b, sel)
	if v == nil || err != nil {
		return s, false, err
	}
	return laneSide{coef: v.Coef, scale: v.Scale, nulls: v.Nulls()}, true, nil
}

// maxLaneScale keeps results where PostgreSQL's scale is the plain sum or maximum.
const maxLaneScale = 18

func (l *arithmeticLane) lane(b *column.Batch, sel []int32) (*functions.NumericLane, error) {
	x, ok, err := l.side(0, b, sel)
	if !ok || err != nil {
		return nil, err
	}
	y, ok, err := l.side(1, b, sel)
	if !ok || err != nil {
		return nil, err
	}
	if cap(l.vals.Coef) < b.N {
		l.vals.Coef = make([]int64, max(b.N, column.BatchSize))
	}
	l.vals.Coef = l.vals.Coef[:b.N]
	rows := selected(b, sel)
	if l.op == '*' {
		l.vals.Scale = x.scale + y.scale
		ok = l.vals.Scale <= maxLaneScale && multiplyLanes(l.vals.Coef, &x, &y, rows)
	} else {
		l.vals.Scale = max(x.scale, y.scale)
		ok = l.vals.Scale <= maxLaneScale && addLanes(l.vals.Coef, &x, &y, l.vals.Scale, l.op == '-', rows)
	}
	if !ok {
		return nil, nil
	}
	l.vals.SetNulls(l.union(x.nulls, y.nulls), b.N)
	return &l.vals, nil
}

func (l *arithmeticLane) union(a, b column.Bitmap) column.Bitmap {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	l.nulls = append(l.nulls[:0], a...)
	for i, w := range b {
		if i == len(l.nulls) {
			l.nulls = append(l.nulls, w)
			continue
		}
		l.nulls[i] |= w
	}
	return l.nulls
}

// product returns a*b and something else than 0 if it does not fit.
func product(a, b int64) (p int64, lost int64) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	top := int64(hi) - a>>63&b - b>>63&a
	return int64(lo), top ^ int64(lo)>>63
}

func multiplyLanes(dst []int64, x, y *laneSide, rows []int32) bool {
	var lost, bad int64
	if x.coef == nil {
		x, y = y, x
	}
	if y.coef == nil {
		for _, r := range rows {
			dst[r], bad = product(x.coef[r], y.value)
			lost |= bad
		}
		return lost == 0
	}
	for _, r := range rows {
		dst[r], bad = product(x.coef[r], y.coef[r])
		lost |= bad
	}
	return lost == 0
}

// addLanes adds, or subtracts, at a common scale.
func addLanes(dst []int64, x, y *laneSide, scale int, minus bool, rows []int32) bool {
	fx, fy := powersOfTen[scale-x.scale], powersOfTen[scale-y.scale]
	if minus {
		fy = -fy
	}
	var lost int64
	for _, r := range rows {
		a, b := x.value, y.value
		if x.coef != nil {
			a = x.coef[r]
		}
		if y.coef != nil {
			b = y.coef[r]
		}
		a, badA := product(a, fx)
		b, badB := product(b, fy)
		sum := a + b
		dst[r] = sum
		lost |= badA | badB | (a^sum)&(b^sum)>>63
	}
	return lost == 0
}

// powersOfTen are those that fit an int64.
var powersOfTen = func() (p [maxLaneScale + 1]int64) {
	p[0] = 1
	for i := range maxLaneScale {
		p[i+1] = p[i] * 10
	}
	return p
}()

// laneCall is a call that is computed as a lane where that is possible.
type laneCall struct {
	*call
	form laneExpr
	mem  []byte
	vals column.Vec
}

func (e *laneCall) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	l, err := e.form.lane(b, sel)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return e.call.vec(b, sel)
	}
	e.vals.Resize(column.Bytes, b.N)
	nulls := l.Nulls()
	e.mem = e.mem[:0]
	rows := selected(b, sel)
	if need := len(rows) * maxSmallNumeric; cap(e.mem) < need {
		e.mem = make([]byte, 0, need)
	}
	for _, r := range rows {
		if nulls.Get(int(r)) {
			e.vals.Nulls.Set(int(r))
			continue
		}
		at := len(e.mem)
		e.mem = types.NumericScaled(l.Coef[r], l.Scale).AppendTo(e.mem)
		e.vals.B[r] = e.mem[at:len(e.mem):len(e.mem)]
	}
	return &e.vals, nil
}

// maxSmallNumeric is the most bytes of an encoded numeric of 64 bits.
const maxSmallNumeric = 11

// numericComparison is lane op constant.
type numericComparison struct {
	form  laneExpr
	value *constantLane
	kind  plan.CompareKind
	slow  *condition
}

// numericComparisons names the comparisons of numerics.
var numericComparisons = map[string]plan.CompareKind{
	"numeric_lt": plan.Less, "numeric_le": plan.LessEqual, "numeric_eq": plan.Equal,
	"numeric_ge": plan.GreaterEqual, "numeric_gt": plan.Greater, "numeric_ne": plan.NotEqual,
}

// numericKernel returns a comparison of a lane with a literal, or nil.
func (c *compiler) numericKernel(e *plan.Call) (predicate, error) {
	kind, ok := numericComparisons[e.Func.Src]
	if !ok || len(e.Args) != 2 || e.Func.Lang != functions.LangInternal {
		return nil, nil
	}
	left := e.Args[0]
	value, err := c.constantLane(e.Args[1])
	if value == nil && err == nil {
		left, kind = e.Args[1], mirrored[kind]
		value, err = c.constantLane(e.Args[0])
	}
	if value == nil || err != nil {
		return nil, err
	}
	form, err := c.laneOf(left)
	if form == nil || err != nil {
		return nil, err
	}
	x, err := c.top(e)
	if err != nil {
		return nil, err
	}
	return &numericComparison{form: form, value: value, kind: kind, slow: &condition{arg: x}}, nil
}

func (p *numericComparison) test(r *row) (bool, error) { return p.slow.test(r) }

func (p *numericComparison) filter(b *column.Batch, sel, dst []int32) ([]int32, error) {
	l, err := p.form.lane(b, sel)
	if err != nil {
		return nil, err
	}
	if l == nil || !p.value.get() {
		return p.slow.filter(b, sel, dst)
	}
	kind, c, ok := p.kind, p.value.coef, true
	switch diff := l.Scale - p.value.scale; {
	case diff >= 0 && diff <= maxLaneScale:
		var lost int64
		c, lost = product(c, powersOfTen[diff])
		ok = lost == 0
	case diff < 0 && -diff <= maxLaneScale:
		kind, c, ok = coarser(kind, c, powersOfTen[-diff])
	default:
		ok = false
	}
	if !ok {
		return p.slow.filter(b, sel, dst)
	}
	start := len(dst)
	dst = compareLane(kind, l.Coef, c, selected(b, sel), dst)
	if nulls := l.Nulls(); len(nulls) > 0 {
		dst = dropNulls(&column.Vec{Kind: column.Int, Nulls: nulls}, dst, start)
	}
	return dst, nil
}

// coarser turns a comparison with c/by into one with an integer, where there is one.
func coarser(kind plan.CompareKind, c, by int64) (plan.CompareKind, int64, bool) {
	floor, rest := c/by, c%by
	if rest < 0 {
		floor, rest = floor-1, rest+by
	}
	if rest == 0 {
		return kind, floor, true
	}
	switch kind { // floor < c/by < floor+1
	case plan.Less, plan.LessEqual:
		return plan.LessEqual, floor, true
	case plan.Greater, plan.GreaterEqual:
		return plan.Greater, floor, true
	}
	return kind, 0, false
}
