package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/libm"
	"github.com/omendb/omendb/sql/pgerr"
)

// mathEvals are the mathematical functions over double precision and the random ones.
var mathEvals = map[string]EvalFunc{
	"dround": overFloat(func(v float64) (float64, error) { return math.RoundToEven(v), nil }),
	"dceil":  overFloat(func(v float64) (float64, error) { return math.Ceil(v), nil }),
	"dfloor": overFloat(func(v float64) (float64, error) { return math.Floor(v), nil }),
	"dtrunc": overFloat(func(v float64) (float64, error) { return math.Trunc(v), nil }),
	"dsign": overFloat(func(v float64) (float64, error) {
		switch {
		case v > 0:
			return 1, nil
		case v < 0:
			return -1, nil
		}
		return 0, nil
	}),
	"dsqrt": overFloat(func(v float64) (float64, error) {
		if v < 0 {
			return 0, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "cannot take square root of a negative number")
		}
		return finite(math.Sqrt(v), v, v == 0)
	}),
	"dcbrt":   overFloat(func(v float64) (float64, error) { return finite(libm.Cbrt(v), v, v == 0) }),
	"dpow":    overFloats(power),
	"dexp":    overFloat(exponential),
	"dlog1":   overFloat(func(v float64) (float64, error) { return logarithm(libm.Log, v) }),
	"dlog10":  overFloat(func(v float64) (float64, error) { return logarithm(libm.Log10, v) }),
	"degrees": overFloat(func(v float64) (float64, error) { return checked(v/radiansPerDegree, v, v) }),
	"radians": overFloat(func(v float64) (float64, error) {
		if r := v * radiansPerDegree; r != 0 || v == 0 {
			return r, nil
		}
		return 0, floatUnderflow()
	}),
	"dpi":  func(*Ctx, []column.Datum) (column.Datum, error) { return floatResult(math.Pi) },
	"dsin": overFloat(func(v float64) (float64, error) { return circular(libm.Sin, v) }),
	"dcos": overFloat(func(v float64) (float64, error) { return circular(libm.Cos, v) }),
	"dtan": overFloat(func(v float64) (float64, error) { return circular(libm.Tan, v) }),
	"dcot": overFloat(func(v float64) (float64, error) {
		return circular(func(x float64) float64 { return 1 / libm.Tan(x) }, v)
	}),
	"dasin":  overFloat(func(v float64) (float64, error) { return inUnit(libm.Asin, v) }),
	"dacos":  overFloat(func(v float64) (float64, error) { return inUnit(libm.Acos, v) }),
	"datan":  overFloat(func(v float64) (float64, error) { return libm.Atan(v), nil }),
	"datan2": overFloats(func(a, b float64) (float64, error) { return libm.Atan2(a, b), nil }),
	"dsinh":  overFloat(func(v float64) (float64, error) { return libm.Sinh(v), nil }),
	"dcosh":  overFloat(func(v float64) (float64, error) { return libm.Cosh(v), nil }),
	"dtanh":  overFloat(func(v float64) (float64, error) { return libm.Tanh(v), nil }),
	"dasinh": overFloat(func(v float64) (float64, error) { return libm.Asinh(v), nil }),
	"dacosh": overFloat(func(v float64) (float64, error) {
		if v < 1 {
			return 0, inputRange()
		}
		return libm.Acosh(v), nil
	}),
	"datanh": overFloat(func(v float64) (float64, error) {
		if v < -1 || v > 1 {
			return 0, inputRange()
		}
		return math.Atanh(v), nil
	}),
	"dsind":   overFloat(func(v float64) (float64, error) { return inDegrees(sind, v) }),
	"dcosd":   overFloat(func(v float64) (float64, error) { return inDegrees(cosd, v) }),
	"dtand":   overFloat(func(v float64) (float64, error) { return inDegrees(tand, v) }),
	"dcotd":   overFloat(func(v float64) (float64, error) { return inDegrees(cotd, v) }),
	"dasind":  overFloat(func(v float64) (float64, error) { return inUnit(asind, v) }),
	"dacosd":  overFloat(func(v float64) (float64, error) { return inUnit(acosd, v) }),
	"datand":  overFloat(func(v float64) (float64, error) { return libm.Atan(v) / libm.Atan(1) * 45, nil }),
	"datan2d": overFloats(func(a, b float64) (float64, error) { return libm.Atan2(a, b) / libm.Atan(1) * 45, nil }),
	"drandom": func(c *Ctx, _ []column.Datum) (column.Datum, error) { return floatResult(c.Session.Random().Float()) },
	"setseed": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		f := a[0].Float()
		if !(f >= -1 && f <= 1) {
			return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "setseed parameter %s is out of allowed range [-1,1]", trimFloat(c, f))
		}
		c.Session.Random().SetSeed(f)
		return bytesResult(nil)
	},
	"width_bucket_float8": widthBucketFloat,
}

func trimFloat(c *Ctx, f float64) string { return string(c.Env.Out(nil, 701, column.FloatDatum(f))) }

func inputRange() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "input is out of range")
}

// finite refuses an infinity or zero that the argument did not bring.
func finite(v, arg float64, zeroOK bool) (float64, error) {
	if math.IsInf(v, 0) && !math.IsInf(arg, 0) {
		return 0, floatOverflow()
	}
	if v == 0 && !zeroOK {
		return 0, floatUnderflow()
	}
	return v, nil
}

func power(a, b float64) (float64, error) {
	switch {
	case math.IsNaN(a):
		if b == 0 {
			return 1, nil
		}
		return math.NaN(), nil
	case math.IsNaN(b):
		if a == 1 {
			return 1, nil
		}
		return math.NaN(), nil
	case a == 0 && b < 0:
		return 0, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case a < 0 && math.Floor(b) != b:
		return 0, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "a negative number raised to a non-integer power yields a complex result")
	}
	v := libm.Pow(a, b)
	if math.IsInf(a, 0) || math.IsInf(b, 0) {
		return v, nil
	}
	return finite(v, 0, a == 0)
}

func exponential(v float64) (float64, error) {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return libm.Exp(v), nil
	}
	return finite(libm.Exp(v), 0, false)
}

func logarithm(f func(float64) float64, v float64) (float64, error) {
	if v == 0 {
		return 0, pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
	}
	if v < 0 {
		return 0, pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
	}
	return f(v), nil
}

func circular(f func(float64) float64, v float64) (float64, error) {
	if math.IsInf(v, 0) {
		return 0, inputRange()
	}
	return f(v), nil
}

func inUnit(f func(float64) float64, v float64) (float64, error) {
	if v < -1 || v > 1 {
		return 0, inputRange()
	}
	return f(v), nil
}

func inDegrees(f func(float64) float64, v float64) (float64, error) {
	if math.IsNaN(v) {
		return v, nil
	}
	if math.IsInf(v, 0) {
		return 0, inputRange()
	}
	return f(v), nil
}

// The trigonometric functions in degrees are exact where people expect it: they are
// scaled so that sine 30, cosine 60 and tangent 45 come out as 0.5, 0.5 and 1.

// They must be rounded the way a compiled C constant is, hence variables.
var (
	radiansPerDegree = math.Pi / 180
	sin30            = libm.Sin(30 * radiansPerDegree)
	oneMinusCos60    = 1 - libm.Cos(60*radiansPerDegree)
)

func sinFirst(x float64) float64 {
	if x <= 30 {
		return libm.Sin(x*radiansPerDegree) / sin30 / 2
	}
	return cosLow(90 - x)
}

func cosLow(x float64) float64 { return 1 - (1-libm.Cos(x*radiansPerDegree))/oneMinusCos60/2 }

func cosFirst(x float64) float64 {
	if x <= 60 {
		return cosLow(x)
	}
	return libm.Sin((90-x)*radiansPerDegree) / sin30 / 2
}

func sind(x float64) float64 {
	sign := 1.0
	x = math.Mod(x, 360)
	if x < 0 {
		x, sign = -x, -sign
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x = 180 - x
	}
	return sign * sinFirst(x)
}

func cosd(x float64) float64 {
	sign := 1.0
	x = math.Abs(math.Mod(x, 360))
	if x > 180 {
		x = 360 - x
	}
	if x > 90 {
		x, sign = 180-x, -sign
	}
	return sign * cosFirst(x)
}

// quadrant folds an angle into the first quadrant for tangent and cotangent.
func quadrant(x float64) (angle, sign float64) {
	sign = 1
	x = math.Mod(x, 360)
	if x < 0 {
		x, sign = -x, -sign
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x, sign = 180-x, -sign
	}
	return x, sign
}

func tand(x float64) float64 {
	x, sign := quadrant(x)
	return sign*(sinFirst(x)/cosFirst(x)/(sinFirst(45)/cosFirst(45))) + 0
}

func cotd(x float64) float64 {
	x, sign := quadrant(x)
	return sign*(cosFirst(x)/sinFirst(x)/(cosFirst(45)/sinFirst(45))) + 0
}

func asind(x float64) float64 {
	if x < 0 {
		return -asinFirst(-x)
	}
	return asinFirst(x)
}

func asinFirst(x float64) float64 {
	if x <= 0.5 {
		return libm.Asin(x) / libm.Asin(0.5) * 30
	}
	return 90 - libm.Acos(x)/libm.Acos(0.5)*60
}

func acosd(x float64) float64 {
	if x < 0 {
		return 90 + asinFirst(-x)
	}
	if x <= 0.5 {
		return 90 - libm.Asin(x)/libm.Asin(0.5)*30
	}
	return libm.Acos(x) / libm.Acos(0.5) * 60
}

func widthBucketFloat(_ *Ctx, a []column.Datum) (column.Datum, error) {
	v, lo, hi, n := a[0].Float(), a[1].Float(), a[2].Float(), a[3].I
	bad := func(msg string) (column.Datum, error) {
		return column.Datum{}, pgerr.New(pgerr.InvalidArgumentForWidthBucketFunction, "%s", msg)
	}
	switch {
	case n <= 0:
		return bad("count must be greater than zero")
	case math.IsNaN(v) || math.IsNaN(lo) || math.IsNaN(hi):
		return bad("operand, lower bound, and upper bound cannot be NaN")
	case math.IsInf(lo, 0) || math.IsInf(hi, 0):
		return bad("lower and upper bounds must be finite")
	case lo == hi:
		return bad("lower bound cannot equal upper bound")
	}
	up := lo < hi
	if !up {
		v, lo, hi = -v, -lo, -hi
	}
	bucket := int64(0)
	switch {
	case v < lo:
	case v >= hi:
		bucket = n + 1
	default:
		q := (v - lo) / (hi - lo)
		if math.IsInf(hi-lo, 0) {
			q = (v/2 - lo/2) / (hi/2 - lo/2)
		}
		bucket = min(int64(float64(n)*q), n-1) + 1
	}
	return width(4).fit(bucket)
}
