package libm

import (
	"math/big"
	"sync"
)

// workBits is the precision with which constants are derived.
const workBits = 400

var (
	ln2        = parts(logTwo(), 3)
	halfPi     = parts(piHalves(workBits), 4)
	fractions  = inverses(40)               // 1/n
	factorials = inverseFactorials(40)      // 1/n!
	oddTerms   = everySecond(fractions, 1)  // 1, 1/3, 1/5, …: artanh
	sineTerms  = alternating(factorials, 1) // 1, -1/3!, 1/5!, …
	cosTerms   = alternating(factorials, 0) // 1, -1/2!, 1/4!, …
	expTerms   = factorials[:14]            // 1, 1, 1/2!, …
	bigPi2     = piHalves(workBits)         // for arguments that only many digits reduce
)

func number(v float64) *big.Float { return new(big.Float).SetPrec(workBits).SetFloat64(v) }

func quotient(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(workBits).Quo(a, b) }

// logTwo sums log 2 = Σ 1/(n·2ⁿ).
func logTwo() *big.Float {
	total, power := number(0), number(1)
	for n := 1; n < workBits; n++ {
		power.Quo(power, number(2))
		total.Add(total, quotient(power, number(float64(n))))
	}
	return total
}

// maxExponent bounds the binary exponent of a float64.
const maxExponent = 1024

// widePi2 has digits enough to reduce the largest float64. Few programs ask for the sine of such numbers.
var widePi2 = sync.OnceValue(func() *big.Float { return piHalves(maxExponent + 400) })

// piHalves sums Machin's formula: π/4 = 4·arctan(1/5) − arctan(1/239).
func piHalves(bits int) *big.Float {
	wide := func(v float64) *big.Float { return new(big.Float).SetPrec(uint(bits)).SetFloat64(v) }
	inverseArctan := func(x float64) *big.Float {
		total, power := wide(0), wide(0).Quo(wide(1), wide(x))
		square := wide(x * x)
		for n := 1; n < bits; n += 2 {
			term := wide(0).Quo(power, wide(float64(n)))
			if n%4 == 3 {
				term.Neg(term)
			}
			total.Add(total, term)
			power.Quo(power, square)
		}
		return total
	}
	pi := inverseArctan(5)
	pi.Mul(pi, wide(4)).Sub(pi, inverseArctan(239))
	return pi.Mul(pi, wide(2))
}

// parts splits a number into floats whose sum it is, the largest first.
func parts(v *big.Float, n int) []float64 {
	rest := new(big.Float).Copy(v)
	out := make([]float64, n)
	for i := range out {
		out[i], _ = rest.Float64()
		rest.Sub(rest, number(out[i]))
	}
	return out
}

func toDouble(v *big.Float) double {
	p := parts(v, 2)
	return double{p[0], p[1]}
}

// inverses returns 1/n at n.
func inverses(n int) []double {
	out := make([]double, n)
	for i := 1; i < n; i++ {
		out[i] = toDouble(quotient(number(1), number(float64(i))))
	}
	return out
}

func inverseFactorials(n int) []double {
	out := make([]double, n)
	f := number(1)
	for i := range out {
		if i > 0 {
			f.Mul(f, number(float64(i)))
		}
		out[i] = toDouble(quotient(number(1), f))
	}
	return out
}

func everySecond(list []double, first int) []double {
	var out []double
	for i := first; i < len(list); i += 2 {
		out = append(out, list[i])
	}
	return out
}

func alternating(list []double, first int) []double {
	out := everySecond(list, first)
	for i := 1; i < len(out); i += 2 {
		out[i] = out[i].neg()
	}
	return out
}
