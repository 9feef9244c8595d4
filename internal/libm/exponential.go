package libm

import "math"

// Exp returns eˣ.
func Exp(x float64) float64 {
	if math.IsNaN(x) || x > 709.79 || x < -745.2 {
		return math.Exp(x)
	}
	y, k := exp(double{x, 0})
	return math.Ldexp(y.round(), k)
}

// exp returns eˣ as y·2ᵏ. The argument is made small by taking out a power of two and halving what is left eight times.
func exp(x double) (y double, k int) {
	const halvings = 8
	k = int(math.RoundToEven(x.hi / math.Ln2))
	n := float64(k)
	r := x.sub(product(n, ln2[0])).sub(product(n, ln2[1])).sub(product(n, ln2[2]))
	r = r.scale(1.0 / (1 << halvings))
	// e^r - 1 is squared up, so that nothing of r is lost beside 1.
	p := polynomial(r, expTerms[1:12]).mul(r)
	for range halvings {
		p = p.scale(2).add(p.mul(p))
	}
	return p.add(double{1, 0}), k
}

// Log returns the natural logarithm.
func Log(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	return log(x).round()
}

// log returns the logarithm of a positive finite number.
func log(x float64) double {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = m*2, k-1
	}
	var y double
	if math.Abs(m-1) < 1.0/1024 {
		y = logNearOne(m)
	} else {
		// One step of Newton's method from a good start: log m = y₀ + log(m·e^-y₀).
		y0 := math.Log(m)
		e, n := exp(double{-y0, 0})
		d := e.times(math.Ldexp(m, n)).sub(double{1, 0})
		y = double{y0, 0}.add(d.sub(d.mul(d).scale(0.5)))
	}
	n := float64(k)
	return product(n, ln2[0]).add(product(n, ln2[1])).add(y)
}

// logNearOne sums log m = 2·artanh((m-1)/(m+1)).
func logNearOne(m float64) double {
	s := double{m - 1, 0}.div(sum(m, 1))
	return polynomial(s.mul(s), oddTerms[:8]).mul(s).scale(2)
}

// Log10 returns the decimal logarithm by fdlibm's formula: the exponent's part in two pieces, the fraction's through Log.
func Log10(x float64) float64 {
	const (
		perLn   = 4.34294481903251816668e-01
		two10Hi = 3.01029995663611771306e-01
		two10Lo = 3.69423907715893078616e-13
	)
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log10(x)
	}
	f, k := math.Frexp(x) // f in [1/2, 1)
	k--
	f *= 2
	if k < 0 {
		k, f = k+1, f/2
	}
	n := float64(k)
	z := n*two10Lo + perLn*Log(f)
	return z + n*two10Hi
}

// Pow returns xʸ.
func Pow(x, y float64) float64 {
	rough := math.Pow(x, y)
	if x == 0 || y == 0 || math.IsNaN(rough) || math.IsInf(x, 0) || math.IsInf(y, 0) || math.Abs(x) == 1 || math.Abs(y*math.Log(math.Abs(x))) > 746 {
		return rough
	}
	p, k := exp(log(math.Abs(x)).times(y))
	v := math.Ldexp(p.round(), k)
	return math.Copysign(v, rough)
}
