package libm

import (
	"math"
	"math/big"
)

// reduce returns r = x - k·π/2 with |r| ≤ π/4, and k modulo 4.
func reduce(x double) (r double, quadrant int) {
	if math.Abs(x.hi) > 1<<28 {
		return reduceLarge(x.hi)
	}
	k := math.RoundToEven(x.hi / (math.Pi / 2))
	r = x
	for _, p := range halfPi {
		r = r.sub(product(k, p))
	}
	return r, int(int64(k) & 3)
}

// reduceLarge subtracts multiples of π/2 from a number with all the digits that takes: as many as the number has before the point,
// those of the result, and those that cancel out where a multiple comes close.
func reduceLarge(x float64) (double, int) {
	const margin = 320
	_, exponent := math.Frexp(x)
	bits, pi2 := uint(exponent+margin), bigPi2
	if bits > workBits {
		bits, pi2 = maxExponent+margin, widePi2()
	}
	wide := func(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }
	q := wide(0).Quo(wide(x), pi2)
	n, _ := q.Add(q, wide(math.Copysign(0.5, x))).Int(nil)
	r := wide(0).SetInt(n)
	r.Mul(r, pi2).Sub(wide(x), r)
	quadrant := new(big.Int).And(n, big.NewInt(3))
	return toDouble(r), int(quadrant.Int64())
}

// sincos returns the sine and cosine.
func sincos(x double) (s, c double) {
	r, quadrant := reduce(x)
	square := r.mul(r)
	s, c = polynomial(square, sineTerms[:14]).mul(r), polynomial(square, cosTerms[:15])
	switch quadrant {
	case 1:
		return c, s.neg()
	case 2:
		return s.neg(), c.neg()
	case 3:
		return c.neg(), s
	}
	return s, c
}

// plain reports whether an argument needs no reduction and no digits: its sine and tangent are itself.
func plain(x float64) bool { return !(math.Abs(x) > 1e-9) || math.IsInf(x, 0) }

// Sin returns the sine of x radians.
func Sin(x float64) float64 {
	if plain(x) || math.IsNaN(x) {
		return math.Sin(x)
	}
	s, _ := sincos(double{x, 0})
	return s.round()
}

// Cos returns the cosine of x radians.
func Cos(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return math.Cos(x)
	}
	_, c := sincos(double{x, 0})
	return c.round()
}

// Tan returns the tangent of x radians.
func Tan(x float64) float64 {
	if plain(x) || math.IsNaN(x) {
		return math.Tan(x)
	}
	s, c := sincos(double{x, 0})
	return s.div(c).round()
}

// Asin returns the arc sine in radians.
func Asin(x float64) float64 {
	if plain(x) || math.Abs(x) >= 1 || math.IsNaN(x) {
		return math.Asin(x)
	}
	y := double{math.Asin(x), 0}
	for range 2 { // steps of Newton's method
		s, c := sincos(y)
		y = y.sub(s.sub(double{x, 0}).div(c))
	}
	return y.round()
}

// Acos returns the arc cosine in radians.
func Acos(x float64) float64 {
	if !(math.Abs(x) < 1) {
		return math.Acos(x)
	}
	y := double{math.Acos(x), 0}
	for range 2 {
		s, c := sincos(y)
		y = y.add(c.sub(double{x, 0}).div(s))
	}
	return y.round()
}

// Atan returns the arc tangent in radians.
func Atan(x float64) float64 { return Atan2(x, 1) }

// Atan2 returns the angle of the point (x, y) in radians.
func Atan2(y, x float64) float64 {
	a := math.Atan2(y, x)
	if x == 0 || y == 0 || math.IsNaN(a) || math.IsInf(x, 0) || math.IsInf(y, 0) || math.Abs(a) < 1e-300 {
		return a
	}
	// What is missing to a is the angle of (x, y) turned back by a. The point is brought near the unit circle first.
	_, k := math.Frexp(math.Max(math.Abs(x), math.Abs(y)))
	x, y = math.Ldexp(x, -k), math.Ldexp(y, -k)
	s, c := sincos(double{a, 0})
	d := c.times(y).sub(s.times(x)).div(c.times(x).add(s.times(y)))
	return double{a, 0}.add(d).round()
}
