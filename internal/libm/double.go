package libm

import "math"

// double is an unevaluated sum of two floats, |lo| ≤ ulp(hi)/2: about 106 bits. The operations follow T. J. Dekker,
// "A floating-point technique for extending the available precision", Numerische Mathematik 18 (1971).
type double struct{ hi, lo float64 }

func sum(a, b float64) double {
	s := a + b
	t := s - a
	return double{s, (a - (s - t)) + (b - t)}
}

// quick is sum for |a| ≥ |b|.
func quick(a, b float64) double {
	s := a + b
	return double{s, b - (s - a)}
}

func product(a, b float64) double {
	p := a * b
	return double{p, math.FMA(a, b, -p)}
}

func (a double) add(b double) double {
	s, t := sum(a.hi, b.hi), sum(a.lo, b.lo)
	s = quick(s.hi, s.lo+t.hi)
	return quick(s.hi, s.lo+t.lo)
}

func (a double) neg() double { return double{-a.hi, -a.lo} }

func (a double) sub(b double) double { return a.add(b.neg()) }

func (a double) mul(b double) double {
	p := product(a.hi, b.hi)
	return quick(p.hi, p.lo+(a.hi*b.lo+a.lo*b.hi))
}

func (a double) times(b float64) double {
	p := product(a.hi, b)
	return quick(p.hi, math.FMA(a.lo, b, p.lo))
}

func (a double) div(b double) double {
	q := a.hi / b.hi
	r := a.sub(b.times(q))
	q2 := r.hi / b.hi
	r = r.sub(b.times(q2))
	return quick(q, q2).add(double{r.hi / b.hi, 0})
}

// scale multiplies by a power of two.
func (a double) scale(f float64) double { return double{a.hi * f, a.lo * f} }

func (a double) round() float64 { return a.hi + a.lo }

// polynomial evaluates c[0] + c[1]·x + … by Horner's scheme.
func polynomial(x double, c []double) double {
	y := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		y = y.mul(x).add(c[i])
	}
	return y
}
