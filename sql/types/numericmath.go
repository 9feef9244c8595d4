package types

import (
	"math"
	"math/big"

	"github.com/omendb/omendb/sql/pgerr"
)

// The transcendental functions compute in binary fixed point with guard bits and round
// once, half away from zero; the scales of the results are PostgreSQL's.

// guardBits absorb the rounding of the few hundred operations of a series.
const guardBits = 64

func bitsFor(decimals int) uint { return uint(float64(max(decimals, 0))*3.3219280949) + guardBits }

// Sqrt returns the square root.
func (n Numeric) Sqrt() (Numeric, error) {
	switch {
	case n.IsNaN(), n.kind == numKindInf:
		return n, nil
	case n.Sign() < 0:
		return Numeric{}, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "cannot take square root of a negative number")
	}
	weight, _ := n.leading()
	scale := clampScale(minSignificant-((weight+1)*2-1), n)
	c := n.Coefficient()
	shift := 2*(scale+1) - int(n.scale) // one digit more, to round by
	if shift >= 0 {
		c = new(big.Int).Mul(c, pow10(shift))
	} else {
		c = new(big.Int).Quo(c, pow10(-shift))
	}
	root := new(big.Int).Sqrt(c)
	return NumericFromBig(quoRound(root, big.NewInt(10)), scale).checked()
}

// fixed converts a finite numeric to fixed point.
func (n Numeric) fixed(prec uint) *big.Int {
	c := new(big.Int).Lsh(n.Coefficient(), prec)
	return c.Quo(c, pow10(int(n.scale)))
}

// unfixed rounds fixed point to a scale.
func unfixed(v *big.Int, prec uint, scale int) Numeric {
	c := new(big.Int).Mul(v, pow10(scale))
	return NumericFromBig(quoRound(c, new(big.Int).Lsh(big.NewInt(1), prec)), scale)
}

// atanhInverse returns atanh(1/k) in fixed point.
func atanhInverse(k int64, prec uint) *big.Int {
	term := new(big.Int).Lsh(big.NewInt(1), prec)
	term.Quo(term, big.NewInt(k))
	sum, square := new(big.Int).Set(term), big.NewInt(k*k)
	for i := int64(3); term.Sign() != 0; i += 2 {
		term.Quo(term, square)
		sum.Add(sum, new(big.Int).Quo(term, big.NewInt(i)))
	}
	return sum
}

// ln2 returns log 2 in fixed point, by Machin's kind of formula.
func ln2(prec uint) *big.Int {
	work := prec + 16
	sum := new(big.Int).Mul(atanhInverse(26, work), big.NewInt(18))
	sum.Sub(sum, new(big.Int).Mul(atanhInverse(4801, work), big.NewInt(2)))
	sum.Add(sum, new(big.Int).Mul(atanhInverse(8749, work), big.NewInt(8)))
	return sum.Rsh(sum, 16)
}

// fixedExp returns e^x in fixed point: reduced by log 2, halved some times, a Taylor
// series, and squared back.
func fixedExp(x *big.Int, prec uint) *big.Int {
	k := int64(0)
	if x.BitLen() > int(prec) {
		q := new(big.Int).Quo(x, ln2(prec))
		k = q.Int64()
	}
	halvings := uint(math.Sqrt(float64(prec))/2) + 4
	work := prec + 2*halvings + uint(max(k, 0)) + 32
	r := new(big.Int).Lsh(x, work-prec)
	if k != 0 {
		r.Sub(r, new(big.Int).Mul(ln2(work), big.NewInt(k)))
	}
	r.Rsh(r, halvings)
	one := new(big.Int).Lsh(big.NewInt(1), work)
	sum, term := new(big.Int).Set(one), new(big.Int).Set(one)
	for i := int64(1); ; i++ {
		term.Mul(term, r).Rsh(term, work)
		term.Quo(term, big.NewInt(i))
		if term.BitLen() < 2 {
			break
		}
		sum.Add(sum, term)
	}
	for ; halvings > 0; halvings-- {
		sum.Mul(sum, sum).Rsh(sum, work)
	}
	if shift := int64(work-prec) - k; shift >= 0 {
		return sum.Rsh(sum, uint(shift))
	} else {
		return sum.Lsh(sum, uint(-shift))
	}
}

// fixedLn returns the logarithm of num/den in fixed point: with num/den = m*2^e and m about 1,
// Newton's method from the float64 logarithm of m triples the correct digits each time.
func fixedLn(num, den *big.Int, prec uint) *big.Int {
	e := num.BitLen() - den.BitLen()
	work := prec + 32
	m := new(big.Int).Set(num)
	if s := int(work) - e; s >= 0 {
		m.Lsh(m, uint(s))
		m.Quo(m, den)
	} else {
		m.Quo(m, new(big.Int).Lsh(den, uint(-s)))
	}
	f, _ := new(big.Float).SetMantExp(new(big.Float).SetInt(m), -int(work)).Float64()
	guess := new(big.Float).SetPrec(work).SetFloat64(math.Log(f))
	y, _ := new(big.Float).SetMantExp(guess, int(work)).Int(nil)
	for correct := uint(45); ; correct *= 3 {
		ey := fixedExp(y, work)
		diff := new(big.Int).Sub(m, ey)
		diff.Lsh(diff, work+1)
		diff.Quo(diff, ey.Add(ey, m))
		y.Add(y, diff)
		if correct*3 > work {
			break
		}
	}
	y.Add(y, new(big.Int).Mul(ln2(work), big.NewInt(int64(e))))
	return y.Rsh(y, 32)
}

// approx returns a finite value as a float, infinite when it is too large.
func (n Numeric) approx() float64 {
	d := n.digits()
	if d == 0 {
		return 0
	}
	exp := d - int(n.scale)
	drop := max(d-18, 0)
	c := new(big.Int).Quo(n.Coefficient(), pow10(drop))
	return float64(c.Int64()) * math.Pow(10, float64(exp-d+drop))
}

const log10e = 0.434294481903252

// Exp returns e^n.
func (n Numeric) Exp() (Numeric, error) {
	switch n.kind {
	case numKindNegInf:
		return Numeric{}, nil
	case numFinite:
	default:
		return n, nil
	}
	x := n.approx()
	val := min(max(x*log10e, -maxResultScale), maxResultScale)
	scale := clampScale(minSignificant-int(val), n)
	return expScale(n, x, scale)
}

func expScale(n Numeric, x float64, scale int) (Numeric, error) {
	if math.Abs(x) >= maxResultScale*3 {
		if x > 0 {
			return Numeric{}, errNumericOverflow()
		}
		return Numeric{scale: int32(scale)}, nil
	}
	prec := bitsFor(scale + int(max(x*log10e, 0)) + 8)
	return unfixed(fixedExp(n.fixed(prec), prec), prec, scale).checked()
}

// lnWeight estimates the decimal weight of ln(n), for n > 0.
func lnWeight(n Numeric) int {
	if n.Cmp(NumericScaled(9, 1)) >= 0 && n.Cmp(NumericScaled(11, 1)) <= 0 {
		x, _ := n.Sub(NumericFromInt64(1))
		if x.Sign() == 0 {
			return 0
		}
		return x.digits() - 1 - int(x.scale)
	}
	text := n.decimal()
	exp := len(text) - int(n.scale) // value = 0.text * 10^exp
	head := text[:min(len(text), 17)]
	f := 0.0
	for _, c := range head {
		f = f*10 + float64(c-'0')
	}
	ln := math.Log(f) + float64(exp-len(head))*math.Ln10
	return int(math.Log10(math.Abs(ln)))
}

func checkLogarithm(n Numeric) error {
	switch {
	case n.Sign() < 0:
		return pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
	case n.Sign() == 0:
		return pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
	}
	return nil
}

func lnFixed(n Numeric, prec uint) *big.Int {
	return fixedLn(n.Coefficient(), pow10(int(n.scale)), prec)
}

// Ln returns the natural logarithm.
func (n Numeric) Ln() (Numeric, error) {
	if n.IsNaN() {
		return n, nil
	}
	if err := checkLogarithm(n); err != nil || n.IsInf() {
		return n, err
	}
	scale := clampScale(minSignificant-lnWeight(n), n)
	prec := bitsFor(scale + 8)
	return unfixed(lnFixed(n, prec), prec, scale), nil
}

// Log returns the logarithm of n to a base.
func (n Numeric) Log(base Numeric) (Numeric, error) {
	if n.IsNaN() || base.IsNaN() {
		return NumericNaN, nil
	}
	if err := checkLogarithm(base); err != nil {
		return Numeric{}, err
	}
	if err := checkLogarithm(n); err != nil {
		return Numeric{}, err
	}
	if base.IsInf() {
		if n.IsInf() {
			return NumericNaN, nil
		}
		return Numeric{}, nil
	}
	if n.IsInf() {
		return n, nil
	}
	scale := clampScale(minSignificant-(lnWeight(n)-lnWeight(base)), n, base)
	prec := bitsFor(scale + 2*maxDisplayScale/100 + 16 + max(-lnWeight(base), 0)*2 + max(lnWeight(n), 0))
	den := lnFixed(base, prec)
	if den.Sign() == 0 || base.Cmp(NumericFromInt64(1)) == 0 {
		return Numeric{}, ErrDivisionByZero()
	}
	q := new(big.Int).Lsh(lnFixed(n, prec), prec)
	return unfixed(q.Quo(q, den), prec, scale), nil
}

// Pow returns n^exp.
func (n Numeric) Pow(exp Numeric) (Numeric, error) {
	if n.kind != numFinite || exp.kind != numFinite {
		return specialPower(n, exp)
	}
	if n.Sign() == 0 && exp.Sign() < 0 {
		return Numeric{}, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	}
	whole := exp.IsInteger()
	if n.Sign() < 0 && !whole {
		return Numeric{}, pgerr.New(pgerr.InvalidArgumentForPowerFunction,
			"a negative number raised to a non-integer power yields a complex result")
	}
	if whole {
		if e := exp.Trunc(0); e.big == nil && e.small == int64(int32(e.small)) {
			return n.powInt(int(e.small))
		}
	}
	if n.Sign() == 0 {
		return Numeric{scale: minSignificant}, nil
	}
	base := n.Abs()
	negative := n.Sign() < 0 && whole && new(big.Int).Rem(exp.Trunc(0).Coefficient(), big.NewInt(2)).Sign() != 0
	r, err := powReal(base, exp)
	if negative {
		r = r.Neg()
	}
	return r, err
}

func powReal(base, exp Numeric) (Numeric, error) {
	// How many digits the result shows hangs on its weight, which PostgreSQL takes from ln(base) of about eight digits:
	// 0.0999… and 0.1 have different ones, and so the same rounding is part of the answer.
	const guard = 128
	rough := max(8-lnWeight(base), 0)
	prec := bitsFor(rough) + guard
	ln, err := unfixed(lnFixed(base, prec), prec, rough).Mul(exp)
	if err != nil {
		return Numeric{}, err
	}
	val := ln.Round(rough).approx()
	if math.Abs(val) > maxResultScale*3.01 {
		if val > 0 {
			return Numeric{}, errNumericOverflow()
		}
		return Numeric{scale: maxDisplayScale}, nil
	}
	scale := clampScale(minSignificant-int(val*log10e), base, exp)
	prec = bitsFor(scale + int(max(val*log10e, 0)) + max(exp.digits()-int(exp.scale), 0) + 16)
	x := new(big.Int).Mul(lnFixed(base, prec), exp.fixed(prec))
	return unfixed(fixedExp(x.Rsh(x, prec), prec), prec, scale).checked()
}

// powInt raises to an integer power: exactly while the result is of moderate size, else
// with as many digits as it shows and some more.
func (n Numeric) powInt(exp int) (Numeric, error) {
	scale := clampScale(minSignificant, n)
	switch exp {
	case 0:
		return NumericFromInt64(1).Round(scale), nil
	case 1:
		return n.Round(scale), nil
	case -1:
		return divRound(NumericFromInt64(1), n, scale).checked()
	case 2:
		r, err := n.Mul(n)
		return r.Round(scale), err
	}
	if n.Sign() == 0 {
		return Numeric{scale: int32(scale)}, nil
	}
	size := float64(exp) * (math.Log10(math.Abs(leadingFloat(n))) + float64(n.digits()-int(n.scale)))
	if size > 3*math.MaxInt16*4 {
		return Numeric{}, errNumericOverflow()
	}
	if size+1 < float64(-scale) || size+1 < -maxDisplayScale {
		return Numeric{scale: int32(scale)}, nil
	}
	const exactDigits = 20000
	if count := abs(exp); n.digits()*count < exactDigits {
		c := new(big.Int).Exp(n.Coefficient(), big.NewInt(int64(count)), nil)
		den := pow10(int(n.scale) * count)
		if exp < 0 {
			c, den = den, c
		}
		return NumericFromBig(quoRound(c.Mul(c, pow10(scale)), den), scale).checked()
	}
	prec := bitsFor(int(math.Abs(size)) + scale + 2*digits64(int64(exp)) + 24)
	f := powFloat(new(big.Float).SetPrec(prec).Quo(
		new(big.Float).SetPrec(prec).SetInt(n.Coefficient()), new(big.Float).SetPrec(prec).SetInt(pow10(int(n.scale)))), abs(exp))
	if exp < 0 {
		f.Quo(new(big.Float).SetPrec(prec).SetInt64(1), f)
	}
	f.Mul(f, new(big.Float).SetPrec(prec).SetInt(pow10(scale+1)))
	c, _ := f.Int(nil)
	return NumericFromBig(quoRound(c, big.NewInt(10)), scale).checked()
}

// leadingFloat returns the value scaled to 0.1 <= |f| < 1.
func leadingFloat(n Numeric) float64 {
	d := n.digits()
	drop := max(d-18, 0)
	c := new(big.Int).Quo(n.Coefficient(), pow10(drop))
	return float64(c.Int64()) / math.Pow(10, float64(d-drop))
}

func powFloat(base *big.Float, exp int) *big.Float {
	r := new(big.Float).SetPrec(base.Prec()).SetInt64(1)
	for ; exp > 0; exp >>= 1 {
		if exp&1 != 0 {
			r.Mul(r, base)
		}
		base = new(big.Float).SetPrec(base.Prec()).Mul(base, base)
	}
	return r
}

// specialPower raises when an operand is not finite, as POSIX pow does.
func specialPower(n, exp Numeric) (Numeric, error) {
	one := NumericFromInt64(1)
	switch {
	case n.IsFinite() && n.Cmp(one) == 0, exp.IsFinite() && exp.Sign() == 0:
		return one, nil
	case n.IsNaN() || exp.IsNaN():
		return NumericNaN, nil
	case n.IsFinite() && n.Sign() == 0 && exp.Sign() < 0:
		return Numeric{}, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case n.IsFinite() && n.Sign() == 0:
		return Numeric{}, nil
	case exp.IsInf():
		return infinitePower(n.Abs().Cmp(one), exp.Sign()), nil
	case exp.Sign() < 0:
		return Numeric{}, nil
	case n.kind == numKindInf:
		return NumericInf, nil
	case !exp.IsInteger():
		return Numeric{}, pgerr.New(pgerr.InvalidArgumentForPowerFunction,
			"a negative number raised to a non-integer power yields a complex result")
	case new(big.Int).Rem(exp.Trunc(0).Coefficient(), big.NewInt(2)).Sign() != 0:
		return NumericNegInf, nil
	}
	return NumericInf, nil
}

// infinitePower is |n|^±Infinity, by whether |n| is above 1.
func infinitePower(above, expSign int) Numeric {
	switch {
	case above == 0:
		return NumericFromInt64(1)
	case (above > 0) == (expSign > 0):
		return NumericInf
	}
	return Numeric{}
}
