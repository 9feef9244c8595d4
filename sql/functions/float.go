package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

func floatOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: overflow")
}

func floatUnderflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: underflow")
}

var floatEvals = map[string]EvalFunc{}

func init() {
	for name, round := range map[string]func(float64) float64{"float4": narrow, "float8": same, "float48": same, "float84": same} {
		floatEvals[name+"pl"] = overFloats(func(a, b float64) (float64, error) { return checked(round(a+b), a, b) })
		floatEvals[name+"mi"] = overFloats(func(a, b float64) (float64, error) { return checked(round(a-b), a, b) })
		floatEvals[name+"mul"] = overFloats(func(a, b float64) (float64, error) {
			p, err := checked(round(a*b), a, b)
			if p == 0 && err == nil && a != 0 && b != 0 {
				return 0, floatUnderflow()
			}
			return p, err
		})
		floatEvals[name+"div"] = overFloats(func(a, b float64) (float64, error) { return divideFloat(round, a, b) })
	}
	for _, name := range []string{"float4", "float8"} {
		floatEvals[name+"um"] = overFloat(func(v float64) (float64, error) { return -v, nil })
		floatEvals[name+"up"] = overFloat(func(v float64) (float64, error) { return v, nil })
		floatEvals[name+"abs"] = overFloat(func(v float64) (float64, error) { return math.Abs(v), nil })
	}
	for _, name := range []string{"i2tod", "i4tod", "i8tod"} {
		floatEvals[name] = func(_ *Ctx, a []column.Datum) (column.Datum, error) { return floatResult(float64(a[0].I)) }
	}
	for _, name := range []string{"i2tof", "i4tof", "i8tof"} {
		floatEvals[name] = func(_ *Ctx, a []column.Datum) (column.Datum, error) { return floatResult(float64(float32(a[0].I))) }
	}
	floatEvals["ftod"] = overFloat(func(v float64) (float64, error) { return v, nil })
	floatEvals["dtof"] = overFloat(func(v float64) (float64, error) {
		f := narrow(v)
		if math.IsInf(f, 0) && !math.IsInf(v, 0) {
			return 0, floatOverflow()
		}
		if f == 0 && v != 0 {
			return 0, floatUnderflow()
		}
		return f, nil
	})
	for prefix := range map[string]bool{"f": true, "d": true} {
		for suffix, w := range map[string]width{"toi2": 2, "toi4": 4, "toi8": 8} {
			floatEvals[prefix+suffix] = func(_ *Ctx, a []column.Datum) (column.Datum, error) { return floatToInt(w, a[0].Float()) }
		}
	}
	for name, op := range map[string]func(x, y, out []float64) bool{
		"pl": addLanes, "mi": subLanes, "mul": mulLanes,
	} {
		arithmeticVecs["float8"+name] = floatVec(floatEvals["float8"+name], op)
	}
}

func same(v float64) float64 { return v }

func narrow(v float64) float64 { return float64(float32(v)) }

func overFloat(f func(v float64) (float64, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := f(a[0].Float())
		return column.FloatDatum(v), err
	}
}

func overFloats(f func(a, b float64) (float64, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := f(a[0].Float(), a[1].Float())
		return column.FloatDatum(v), err
	}
}

// checked refuses an infinity that no operand was.
func checked(v, a, b float64) (float64, error) {
	if math.IsInf(v, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
		return 0, floatOverflow()
	}
	return v, nil
}

func divideFloat(round func(float64) float64, a, b float64) (float64, error) {
	if b == 0 && a == a {
		return 0, divisionByZero()
	}
	q := round(a / b)
	if math.IsInf(q, 0) && !math.IsInf(a, 0) {
		return 0, floatOverflow()
	}
	if q == 0 && a != 0 && !math.IsInf(b, 0) {
		return 0, floatUnderflow()
	}
	return q, nil
}

// floatToInt rounds half to even, as rint does.
func floatToInt(w width, v float64) (column.Datum, error) {
	r := math.RoundToEven(v)
	lo, hi := -0x1p63, 0x1p63
	switch w {
	case 2:
		lo, hi = -0x1p15, 0x1p15
	case 4:
		lo, hi = -0x1p31, 0x1p31
	}
	if !(r >= lo && r < hi) {
		return column.Datum{}, w.outOfRange()
	}
	return intResult(int64(r))
}

// floatVec makes a kernel of a loop that reports whether any result needs a second look:
// an infinity or, from a product, a zero.
func floatVec(eval EvalFunc, loop func(x, y, out []float64) bool) VecFunc {
	return func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Float, out) {
			return nil
		}
		if loop(args[0].F, args[1].F, out.F) {
			return evalRows(c, eval, args, sel, n, out)
		}
		return nil
	}
}

func addLanes(x, y, out []float64) bool {
	inf := false
	for i := range out {
		v := at(x, i) + at(y, i)
		out[i] = v
		inf = inf || v-v != 0
	}
	return inf
}

func subLanes(x, y, out []float64) bool {
	inf := false
	for i := range out {
		v := at(x, i) - at(y, i)
		out[i] = v
		inf = inf || v-v != 0
	}
	return inf
}

func mulLanes(x, y, out []float64) bool {
	odd := false
	for i := range out {
		v := at(x, i) * at(y, i)
		out[i] = v
		odd = odd || v-v != 0 || v == 0
	}
	return odd
}
