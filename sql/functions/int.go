package functions

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// width is the size of an integer type's values in bytes.
type width int

var widthNames = map[width]string{2: "smallint", 4: "integer", 8: "bigint"}

// fit checks that v is a value of the type.
func (w width) fit(v int64) (column.Datum, error) {
	if w == 2 && v != int64(int16(v)) || w == 4 && v != int64(int32(v)) {
		return column.Datum{}, w.outOfRange()
	}
	return column.Datum{I: v}, nil
}

func (w width) outOfRange() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "%s out of range", widthNames[w])
}

func divisionByZero() error { return pgerr.New(pgerr.DivisionByZero, "division by zero") }

func addOverflows(a, b, sum int64) bool { return (a^sum)&(b^sum) < 0 }

func subOverflows(a, b, diff int64) bool { return (a^b)&(a^diff) < 0 }

func mulOverflows(a, b int64) bool {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return int64(hi) != int64(lo)>>63
}

var (
	intEvals       = map[string]EvalFunc{}
	arithmeticVecs = map[string]VecFunc{}
)

// intPairs lists the operand pairs of the arithmetic operators and the result's width.
var intPairs = map[string]width{"int2": 2, "int4": 4, "int8": 8, "int24": 4, "int42": 4, "int28": 8, "int82": 8, "int48": 8, "int84": 8}

func init() {
	for p, w := range intPairs {
		intEvals[p+"pl"], arithmeticVecs[p+"pl"] = intAdd(w), intAddVec(w)
		intEvals[p+"mi"], arithmeticVecs[p+"mi"] = intSub(w), intSubVec(w)
		intEvals[p+"mul"], arithmeticVecs[p+"mul"] = intMul(w), intMulVec(w)
		intEvals[p+"div"] = intDiv(w)
	}
	for name, w := range map[string]width{"int2": 2, "int4": 4, "int8": 8} {
		intEvals[name+"mod"] = intMod
		intEvals[name+"um"] = overInt(func(v int64) (column.Datum, error) { return intNegate(w, v) })
		intEvals[name+"up"] = overInt(intResult)
		intEvals[name+"abs"] = overInt(func(v int64) (column.Datum, error) {
			if v < 0 {
				return intNegate(w, v)
			}
			return intResult(v)
		})
		intEvals[name+"and"] = overInts(func(a, b int64) (column.Datum, error) { return intResult(a & b) })
		intEvals[name+"or"] = overInts(func(a, b int64) (column.Datum, error) { return intResult(a | b) })
		intEvals[name+"xor"] = overInts(func(a, b int64) (column.Datum, error) { return intResult(a ^ b) })
		intEvals[name+"not"] = overInt(func(v int64) (column.Datum, error) { return intResult(^v) })
		intEvals[name+"shl"] = overInts(func(a, b int64) (column.Datum, error) { return intResult(shiftLeft(w, a, b)) })
		intEvals[name+"shr"] = overInts(func(a, b int64) (column.Datum, error) { return intResult(a >> shiftCount(w, b)) })
		intEvals[name+"inc"] = overInt(func(v int64) (column.Datum, error) { return addInt(w, v, 1) })
		intEvals[name+"dec"] = overInt(func(v int64) (column.Datum, error) { return addInt(w, v, -1) })
		intEvals[name+"gcd"] = overInts(func(a, b int64) (column.Datum, error) { return gcdResult(w, a, b) })
		intEvals[name+"lcm"] = overInts(func(a, b int64) (column.Datum, error) { return lcmResult(w, a, b) })
	}
	for name, w := range map[string]width{"i4toi2": 2, "int82": 2, "int84": 4} { // narrowing casts
		intEvals[name] = overInt(w.fit)
	}
	for _, name := range strings.Fields("i2toi4 int28 int48 oidtoi8 chartoi4") {
		intEvals[name] = overInt(intResult)
	}
	intEvals["chartoi4"] = overInt(func(v int64) (column.Datum, error) { return intResult(int64(int8(v))) })
	intEvals["i4tochar"] = overInt(func(v int64) (column.Datum, error) {
		if v < math.MinInt8 || v > math.MaxInt8 {
			return column.Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, `"char" out of range`)
		}
		return intResult(v & 0xff)
	})
	intEvals["i8tooid"] = overInt(func(v int64) (column.Datum, error) {
		if v < 0 || v > math.MaxUint32 {
			return column.Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "OID out of range")
		}
		return intResult(v)
	})
	intEvals["to_hex32"] = overInt(func(v int64) (column.Datum, error) { return textResult(strconv.FormatUint(uint64(uint32(v)), 16)) })
	intEvals["to_hex64"] = overInt(func(v int64) (column.Datum, error) { return textResult(strconv.FormatUint(uint64(v), 16)) })
}

func overInt(f func(v int64) (column.Datum, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return f(a[0].I) }
}

func overInts(f func(a, b int64) (column.Datum, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return f(a[0].I, a[1].I) }
}

func addInt(w width, a, b int64) (column.Datum, error) {
	sum := a + b
	if addOverflows(a, b, sum) {
		return column.Datum{}, w.outOfRange()
	}
	return w.fit(sum)
}

func intAdd(w width) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return addInt(w, a[0].I, a[1].I) }
}

func intSub(w width) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		diff := a[0].I - a[1].I
		if subOverflows(a[0].I, a[1].I, diff) {
			return column.Datum{}, w.outOfRange()
		}
		return w.fit(diff)
	}
}

func intMul(w width) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if mulOverflows(a[0].I, a[1].I) {
			return column.Datum{}, w.outOfRange()
		}
		return w.fit(a[0].I * a[1].I)
	}
}

func intDiv(w width) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if a[1].I == 0 {
			return column.Datum{}, divisionByZero()
		}
		if a[1].I == -1 {
			return intNegate(w, a[0].I)
		}
		return w.fit(a[0].I / a[1].I)
	}
}

func intMod(_ *Ctx, a []column.Datum) (column.Datum, error) {
	if a[1].I == 0 {
		return column.Datum{}, divisionByZero()
	}
	if a[1].I == -1 {
		return intResult(0)
	}
	return intResult(a[0].I % a[1].I)
}

func intNegate(w width, v int64) (column.Datum, error) {
	if v == math.MinInt64 {
		return column.Datum{}, w.outOfRange()
	}
	return w.fit(-v)
}

// shiftCount wraps the count as the processor does.
func shiftCount(w width, n int64) uint64 {
	if w == 8 {
		return uint64(n) & 63
	}
	return uint64(n) & 31
}

func shiftLeft(w width, v, n int64) int64 {
	v <<= shiftCount(w, n)
	switch w {
	case 2:
		return int64(int16(v))
	case 4:
		return int64(int32(v))
	}
	return v
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func gcdResult(w width, a, b int64) (column.Datum, error) {
	g := gcd(magnitude(a), magnitude(b))
	if g > math.MaxInt64 {
		return column.Datum{}, w.outOfRange()
	}
	return w.fit(int64(g))
}

func lcmResult(w width, a, b int64) (column.Datum, error) {
	if a == 0 || b == 0 {
		return intResult(0)
	}
	x, y := magnitude(a), magnitude(b)
	hi, lo := bits.Mul64(x/gcd(x, y), y)
	if hi != 0 || lo > math.MaxInt64 {
		return column.Datum{}, w.outOfRange()
	}
	return w.fit(int64(lo))
}
