package types

import (
	"math/big"
	"math/bits"
)

// The scales of computed results, as PostgreSQL chooses them.
const (
	minSignificant  = 16   // digits that a quotient or a transcendental result has at least
	maxDisplayScale = 1000 // and behind the point at most
	maxResultScale  = 2000 // bounds the size of exp and power
)

// align brings two finite values to one scale; ok is false when that needs big numbers.
func align(a, b Numeric) (x, y int64, scale int32, ok bool) {
	if a.big != nil || b.big != nil {
		return 0, 0, 0, false
	}
	x, y, scale = a.small, b.small, a.scale
	switch diff := int(a.scale) - int(b.scale); {
	case diff == 0:
		return x, y, scale, true
	case diff > 0:
		y, ok = shiftSmall(y, diff)
	default:
		scale = b.scale
		x, ok = shiftSmall(x, -diff)
	}
	return x, y, scale, ok
}

// shiftSmall returns v*10^n when it fits.
func shiftSmall(v int64, n int) (int64, bool) {
	if v == 0 {
		return 0, true
	}
	if n >= len(pow10s) {
		return 0, false
	}
	return mul64(v, pow10s[n])
}

func alignBig(a, b Numeric) (x, y *big.Int, scale int32) {
	x, y, scale = a.Coefficient(), b.Coefficient(), a.scale
	switch diff := int(a.scale) - int(b.scale); {
	case diff > 0:
		y = new(big.Int).Mul(y, pow10(diff))
	case diff < 0:
		scale = b.scale
		x = new(big.Int).Mul(x, pow10(-diff))
	}
	return x, y, scale
}

// Add returns a+b.
func (n Numeric) Add(b Numeric) (Numeric, error) {
	if n.kind != numFinite || b.kind != numFinite {
		switch {
		case n.IsNaN() || b.IsNaN() || n.IsInf() && b.IsInf() && n.kind != b.kind:
			return NumericNaN, nil
		case n.IsInf():
			return n, nil
		}
		return b, nil
	}
	if x, y, scale, ok := align(n, b); ok {
		if sum := x + y; (sum > x) == (y > 0) {
			return Numeric{small: sum, scale: scale}, nil
		}
	}
	x, y, scale := alignBig(n, b)
	return NumericFromBig(new(big.Int).Add(x, y), int(scale)).checked()
}

// Sub returns a-b.
func (n Numeric) Sub(b Numeric) (Numeric, error) { return n.Add(b.Neg()) }

// Neg returns -n.
func (n Numeric) Neg() Numeric {
	switch {
	case n.kind == numKindInf:
		return NumericNegInf
	case n.kind == numKindNegInf:
		return NumericInf
	case n.kind != numFinite:
		return n
	case n.big != nil:
		return NumericFromBig(new(big.Int).Neg(n.big), int(n.scale))
	case n.small == -1<<63:
		return Numeric{big: new(big.Int).Neg(big.NewInt(n.small)), scale: n.scale}
	}
	n.small = -n.small
	return n
}

// Abs returns the magnitude.
func (n Numeric) Abs() Numeric {
	if n.Sign() < 0 {
		return n.Neg()
	}
	return n
}

// specialProduct multiplies when an operand is not finite.
func specialProduct(a, b Numeric) Numeric {
	if a.IsNaN() || b.IsNaN() || a.Sign() == 0 || b.Sign() == 0 {
		return NumericNaN
	}
	if a.Sign() == b.Sign() {
		return NumericInf
	}
	return NumericNegInf
}

// Mul returns a*b.
func (n Numeric) Mul(b Numeric) (Numeric, error) {
	if n.kind != numFinite || b.kind != numFinite {
		return specialProduct(n, b), nil
	}
	scale := int(n.scale) + int(b.scale)
	if n.big == nil && b.big == nil && scale <= MaxNumericScale {
		if p, ok := mul64(n.small, b.small); ok {
			return Numeric{small: p, scale: int32(scale)}, nil
		}
	}
	p := new(big.Int).Mul(n.Coefficient(), b.Coefficient())
	r := NumericFromBig(p, scale)
	if scale > MaxNumericScale {
		r = r.Round(MaxNumericScale)
	}
	return r.checked()
}

// leading returns the weight and the value of the first digit in base 10000, by which
// PostgreSQL estimates the size of quotients. Zero has digit 0 and weight 0.
func (n Numeric) leading() (weight, first int) {
	d := n.digits()
	if d == 0 {
		return 0, 0
	}
	exp := d - 1 - int(n.scale)
	weight = exp >> 2
	k := exp - 4*weight + 1
	c := new(big.Int).Abs(n.Coefficient())
	if d >= k {
		c.Quo(c, pow10(d-k))
	} else {
		c.Mul(c, pow10(k-d))
	}
	return weight, int(c.Int64())
}

// leadingSmall is leading without allocation.
func (n Numeric) leadingSmall() (weight, first int) {
	if n.big != nil || n.small == -1<<63 {
		return n.leading()
	}
	d := digits64(n.small)
	if d == 0 {
		return 0, 0
	}
	exp := d - 1 - int(n.scale)
	weight = exp >> 2
	k, c := exp-4*weight+1, abs64(n.small)
	if d >= k {
		return weight, int(c / pow10s[d-k])
	}
	return weight, int(c * pow10s[k-d])
}

// divScale is the scale of a quotient.
func divScale(a, b Numeric) int {
	w1, d1 := a.leadingSmall()
	w2, d2 := b.leadingSmall()
	q := w1 - w2
	if d1 <= d2 {
		q--
	}
	return clampScale(minSignificant-4*q, a, b)
}

// clampScale makes a scale at least that of the operands, and at most the largest displayed.
func clampScale(scale int, operands ...Numeric) int {
	scale = max(scale, 0)
	for _, n := range operands {
		scale = max(scale, int(n.scale))
	}
	return min(scale, maxDisplayScale)
}

// Div returns a/b at PostgreSQL's scale.
func (n Numeric) Div(b Numeric) (Numeric, error) {
	if n.kind != numFinite || b.kind != numFinite {
		return specialQuotient(n, b)
	}
	if b.Sign() == 0 {
		return Numeric{}, ErrDivisionByZero()
	}
	return divRound(n, b, divScale(n, b)).checked()
}

func specialQuotient(a, b Numeric) (Numeric, error) {
	switch {
	case a.IsNaN() || b.IsNaN():
		return NumericNaN, nil
	case a.IsInf() && b.IsInf():
		return NumericNaN, nil
	case b.IsInf():
		return Numeric{}, nil
	case b.Sign() == 0:
		return Numeric{}, ErrDivisionByZero()
	}
	return specialProduct(a, b), nil
}

// DivScale returns a/b rounded to a scale; both finite, b not zero.
func (n Numeric) DivScale(b Numeric, scale int) Numeric { return divRound(n, b, scale) }

// divRound divides and rounds half away from zero.
func divRound(a, b Numeric, scale int) Numeric {
	shift := scale + int(b.scale) - int(a.scale)
	if r, ok := divSmall(a, b, shift, scale); ok {
		return r
	}
	x, y := a.Coefficient(), b.Coefficient()
	if shift >= 0 {
		x = new(big.Int).Mul(x, pow10(shift))
	} else {
		y = new(big.Int).Mul(y, pow10(-shift))
	}
	return NumericFromBig(quoRound(x, y), scale)
}

// divSmall divides with a 128-bit dividend.
func divSmall(a, b Numeric, shift, scale int) (Numeric, bool) {
	if a.big != nil || b.big != nil || shift < 0 || shift >= len(pow10s) || a.small == -1<<63 || b.small == -1<<63 {
		return Numeric{}, false
	}
	hi, lo := bits.Mul64(uint64(abs64(a.small)), uint64(pow10s[shift]))
	y := uint64(abs64(b.small))
	if hi >= y {
		return Numeric{}, false
	}
	q, r := bits.Div64(hi, lo, y)
	if r >= y-r {
		q++
	}
	if q > 1<<62 {
		return Numeric{}, false
	}
	v := int64(q)
	if (a.small < 0) != (b.small < 0) {
		v = -v
	}
	return Numeric{small: v, scale: int32(scale)}, true
}

// quoRound divides and rounds half away from zero.
func quoRound(x, y *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Sign() == 0 {
		return q
	}
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(y) >= 0 {
		if x.Sign() == y.Sign() {
			q.Add(q, big.NewInt(1))
		} else {
			q.Sub(q, big.NewInt(1))
		}
	}
	return q
}

// DivTrunc returns the quotient without its fraction (SQL's div).
func (n Numeric) DivTrunc(b Numeric) (Numeric, error) {
	if n.kind != numFinite || b.kind != numFinite {
		return specialQuotient(n, b)
	}
	if b.Sign() == 0 {
		return Numeric{}, ErrDivisionByZero()
	}
	x, y, _ := alignBig(n, b)
	return NumericFromBig(new(big.Int).Quo(x, y), 0).checked()
}

// Mod returns the remainder of DivTrunc, which has the sign of n.
func (n Numeric) Mod(b Numeric) (Numeric, error) {
	switch {
	case n.IsNaN() || b.IsNaN():
		return NumericNaN, nil
	case b.Sign() == 0 && b.IsFinite():
		return Numeric{}, ErrDivisionByZero()
	case n.IsInf():
		return NumericNaN, nil
	case b.IsInf():
		return n, nil
	}
	if x, y, scale, ok := align(n, b); ok && y != -1 {
		return Numeric{small: x % y, scale: scale}, nil
	}
	x, y, scale := alignBig(n, b)
	return NumericFromBig(new(big.Int).Rem(x, y), int(scale)), nil
}

// Cmp orders numerics: -Infinity, numbers, Infinity, NaN; the scale does not count.
func (n Numeric) Cmp(b Numeric) int {
	if n.kind != numFinite || b.kind != numFinite {
		return sign(n.rank() - b.rank())
	}
	if x, y, _, ok := align(n, b); ok {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	if s, t := n.Sign(), b.Sign(); s != t {
		return sign(s - t)
	}
	x, y, _ := alignBig(n, b)
	return x.Cmp(y)
}

func (n Numeric) rank() int {
	return map[numKind]int{numKindNegInf: -1, numFinite: 0, numKindInf: 1, numKindNaN: 2}[n.kind]
}

func sign(v int) int {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}

// Round rounds half away from zero to a scale, which may be negative; the result's
// scale is not. Fewer digits are filled up with zeros.
func (n Numeric) Round(scale int) Numeric { return n.rescale(scale, quoRound) }

// Trunc cuts to a scale, which may be negative.
func (n Numeric) Trunc(scale int) Numeric {
	return n.rescale(scale, func(x, y *big.Int) *big.Int { return new(big.Int).Quo(x, y) })
}

func (n Numeric) rescale(scale int, quo func(x, y *big.Int) *big.Int) Numeric {
	if n.kind != numFinite || scale == int(n.scale) {
		return n
	}
	scale = min(max(scale, -maxIntegral), MaxNumericScale)
	if drop := int(n.scale) - scale; drop < 0 {
		if v, ok := shiftSmall(n.small, -drop); ok && n.big == nil {
			return Numeric{small: v, scale: int32(scale)}
		}
		return NumericFromBig(new(big.Int).Mul(n.Coefficient(), pow10(-drop)), scale)
	} else if drop > n.digits()+1 {
		return Numeric{scale: int32(max(scale, 0))}
	} else {
		q := quo(n.Coefficient(), pow10(drop))
		if scale < 0 {
			return NumericFromBig(q.Mul(q, pow10(-scale)), 0)
		}
		return NumericFromBig(q, scale)
	}
}

// Ceil returns the least integer that is not below n.
func (n Numeric) Ceil() Numeric { return n.toward(1) }

// Floor returns the greatest integer that is not above n.
func (n Numeric) Floor() Numeric { return n.toward(-1) }

func (n Numeric) toward(direction int64) Numeric {
	t := n.Trunc(0)
	if n.kind == numFinite && n.Sign() == int(direction) && t.Cmp(n) != 0 {
		t, _ = t.Add(NumericFromInt64(direction))
	}
	return t
}

// MinScale returns the least scale that shows the value exactly.
func (n Numeric) MinScale() int {
	scale, c := int(n.scale), new(big.Int).Set(n.Coefficient())
	if c.Sign() == 0 {
		return 0
	}
	ten, r := big.NewInt(10), new(big.Int)
	for scale > 0 {
		q := new(big.Int)
		if q.QuoRem(c, ten, r); r.Sign() != 0 {
			break
		}
		c = q
		scale--
	}
	return scale
}

// TrimScale removes trailing zeros behind the decimal point.
func (n Numeric) TrimScale() Numeric {
	if n.kind != numFinite {
		return n
	}
	return n.Trunc(n.MinScale())
}

// IsInteger reports whether n is finite and whole.
func (n Numeric) IsInteger() bool { return n.kind == numFinite && n.MinScale() == 0 }
