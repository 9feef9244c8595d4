package functions

import (
	"math"
	"math/big"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// numericEvals are the functions of numeric; its arithmetic lives in sql/types.
var numericEvals = map[string]EvalFunc{
	"numeric_add":       overNumerics(types.Numeric.Add),
	"numeric_sub":       overNumerics(types.Numeric.Sub),
	"numeric_mul":       overNumerics(types.Numeric.Mul),
	"numeric_div":       overNumerics(types.Numeric.Div),
	"numeric_div_trunc": overNumerics(types.Numeric.DivTrunc),
	"numeric_mod":       overNumerics(types.Numeric.Mod),
	"numeric_power":     overNumerics(types.Numeric.Pow),
	"numeric_gcd":       overNumerics(numericGCD),
	"numeric_lcm":       overNumerics(numericLCM),
	"numeric_log": overNumerics(func(base, v types.Numeric) (types.Numeric, error) {
		return v.Log(base)
	}),
	"numeric_exp":        overNumeric(types.Numeric.Exp),
	"numeric_ln":         overNumeric(types.Numeric.Ln),
	"numeric_sqrt":       overNumeric(types.Numeric.Sqrt),
	"numeric_abs":        overNumeric(plainNumeric(types.Numeric.Abs)),
	"numeric_uminus":     overNumeric(plainNumeric(types.Numeric.Neg)),
	"numeric_uplus":      unchanged,
	"numeric_ceil":       overNumeric(plainNumeric(types.Numeric.Ceil)),
	"numeric_floor":      overNumeric(plainNumeric(types.Numeric.Floor)),
	"numeric_trim_scale": overNumeric(plainNumeric(types.Numeric.TrimScale)),
	"numeric_sign": overNumeric(func(n types.Numeric) (types.Numeric, error) {
		if n.IsNaN() {
			return n, nil
		}
		return types.NumericFromInt64(int64(n.Sign())), nil
	}),
	"numeric_inc":    overNumeric(func(n types.Numeric) (types.Numeric, error) { return n.Add(types.NumericFromInt64(1)) }),
	"round(numeric)": overNumeric(func(n types.Numeric) (types.Numeric, error) { return n.Round(0), nil }),
	"trunc(numeric)": overNumeric(func(n types.Numeric) (types.Numeric, error) { return n.Trunc(0), nil }),
	"log(numeric)":   overNumeric(log10Numeric),
	"log10(numeric)": overNumeric(log10Numeric),
	"numeric_round": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return types.NumericFrom(a[0]).Round(clampScale(a[1].I)).Datum(), nil
	},
	"numeric_trunc": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return types.NumericFrom(a[0]).Trunc(clampScale(a[1].I)).Datum(), nil
	},
	"numeric_scale": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := types.NumericFrom(a[0])
		return column.Datum{I: int64(n.Scale()), Null: !n.IsFinite()}, nil
	},
	"numeric_min_scale": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := types.NumericFrom(a[0])
		if !n.IsFinite() {
			return nullResult()
		}
		return intResult(int64(n.MinScale()))
	},
	"numeric_fac":          func(_ *Ctx, a []column.Datum) (column.Datum, error) { return factorial(a[0].I) },
	"width_bucket_numeric": widthBucketNumeric,
	"int2_numeric":         intNumeric,
	"int4_numeric":         intNumeric,
	"int8_numeric":         intNumeric,
	"float4_numeric":       floatNumeric(32),
	"float8_numeric":       floatNumeric(64),
	"numeric_int2":         numericInt(16, "smallint"),
	"numeric_int4":         numericInt(32, "integer"),
	"numeric_int8":         numericInt(64, "bigint"),
	"numeric_float4": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		f, err := types.NumericFrom(a[0]).Float64(32, "real")
		return column.FloatDatum(f), err
	},
	"numeric_float8": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		f, err := types.NumericFrom(a[0]).Float64(64, "double precision")
		return column.FloatDatum(f), err
	},
}

func overNumeric(f func(types.Numeric) (types.Numeric, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n, err := f(types.NumericFrom(a[0]))
		if err != nil {
			return column.Datum{}, err
		}
		return n.Datum(), nil
	}
}

func overNumerics(f func(a, b types.Numeric) (types.Numeric, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n, err := f(types.NumericFrom(a[0]), types.NumericFrom(a[1]))
		if err != nil {
			return column.Datum{}, err
		}
		return n.Datum(), nil
	}
}

func plainNumeric(f func(types.Numeric) types.Numeric) func(types.Numeric) (types.Numeric, error) {
	return func(n types.Numeric) (types.Numeric, error) { return f(n), nil }
}

func log10Numeric(n types.Numeric) (types.Numeric, error) { return n.Log(types.NumericFromInt64(10)) }

// clampScale keeps a scale within what a numeric can have: no number has more than 131,072 digits before the point.
func clampScale(n int64) int { return int(max(-131073, min(n, types.MaxNumericScale))) }

func intNumeric(_ *Ctx, a []column.Datum) (column.Datum, error) {
	return types.NumericFromInt64(a[0].I).Datum(), nil
}

func floatNumeric(bits int) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n, err := types.NumericFromFloat(a[0].Float(), bits)
		if err != nil {
			return column.Datum{}, err
		}
		return n.Datum(), nil
	}
}

func numericInt(bits int, name string) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := types.NumericFrom(a[0]).Int64(bits, name)
		return column.IntDatum(v), err
	}
}

// atScale returns the coefficients of two numerics at their larger scale.
func atScale(a, b types.Numeric) (x, y *big.Int, scale int) {
	scale = max(a.Scale(), b.Scale())
	return scaled(a, scale), scaled(b, scale), scale
}

func scaled(n types.Numeric, scale int) *big.Int {
	c := new(big.Int).Set(n.Coefficient())
	return c.Mul(c, pow10(scale-n.Scale()))
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func nan() types.Numeric {
	n, err := types.ParseNumeric("NaN")
	if err != nil {
		panic(err)
	}
	return n
}

func numericGCD(a, b types.Numeric) (types.Numeric, error) {
	if !a.IsFinite() || !b.IsFinite() {
		return nan(), nil
	}
	x, y, scale := atScale(a, b)
	return types.NumericFromBig(new(big.Int).GCD(nil, nil, x.Abs(x), y.Abs(y)), scale), nil
}

func numericLCM(a, b types.Numeric) (types.Numeric, error) {
	if !a.IsFinite() || !b.IsFinite() {
		return nan(), nil
	}
	x, y, scale := atScale(a, b)
	if x.Sign() == 0 || y.Sign() == 0 {
		return types.NumericFromBig(new(big.Int), scale), nil
	}
	x.Abs(x)
	y.Abs(y)
	g := new(big.Int).GCD(nil, nil, x, y)
	return types.NumericFromBig(x.Mul(x.Quo(x, g), y), scale), nil
}

// maxFactorial is the largest argument whose factorial a numeric can hold.
const maxFactorial = 32177

func factorial(n int64) (column.Datum, error) {
	if n < 0 {
		return column.Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "factorial of a negative number is undefined")
	}
	if n > maxFactorial {
		return column.Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "value overflows numeric format")
	}
	return types.NumericFromBig(new(big.Int).MulRange(1, max(n, 1)), 0).Datum(), nil
}

func widthBucketNumeric(_ *Ctx, a []column.Datum) (column.Datum, error) {
	v, lo, hi := types.NumericFrom(a[0]), types.NumericFrom(a[1]), types.NumericFrom(a[2])
	n := a[3].I
	bad := func(msg string) (column.Datum, error) {
		return column.Datum{}, pgerr.New(pgerr.InvalidArgumentForWidthBucketFunction, "%s", msg)
	}
	switch {
	case n <= 0:
		return bad("count must be greater than zero")
	case v.IsNaN() || lo.IsNaN() || hi.IsNaN():
		return bad("operand, lower bound, and upper bound cannot be NaN")
	case lo.IsInf() || hi.IsInf():
		return bad("lower and upper bounds must be finite")
	case lo.Cmp(hi) == 0:
		return bad("lower bound cannot equal upper bound")
	}
	if lo.Cmp(hi) > 0 {
		v, lo, hi = v.Neg(), lo.Neg(), hi.Neg()
	}
	switch {
	case v.Cmp(lo) < 0:
		return intResult(0)
	case v.Cmp(hi) >= 0:
		return width(4).fit(n + 1)
	}
	scale := max(v.Scale(), lo.Scale(), hi.Scale())
	x, l, h := scaled(v, scale), scaled(lo, scale), scaled(hi, scale)
	x.Sub(x, l).Mul(x, big.NewInt(n))
	return width(4).fit(x.Quo(x, h.Sub(h, l)).Int64() + 1)
}

// moneyEvals are the functions of money, kept as an int64 of cents.
var moneyEvals = map[string]EvalFunc{
	"cash_pl": overInts(func(a, b int64) (column.Datum, error) {
		if addOverflows(a, b, a+b) {
			return column.Datum{}, moneyRange()
		}
		return intResult(a + b)
	}),
	"cash_mi": overInts(func(a, b int64) (column.Datum, error) {
		if (a^b)&(a^(a-b)) < 0 {
			return column.Datum{}, moneyRange()
		}
		return intResult(a - b)
	}),
	"cash_words": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return textResult(moneyWords(a[0].I)) },
	"cash_numeric": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return types.NumericScaled(a[0].I, 2).Datum(), nil
	},
	"int4_cash": overInt(func(v int64) (column.Datum, error) { return intResult(v * 100) }),
	"int8_cash": overInt(func(v int64) (column.Datum, error) {
		if mulOverflows(v, 100) {
			return column.Datum{}, width(8).outOfRange()
		}
		return intResult(v * 100)
	}),
	"numeric_cash": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n, err := types.NumericFrom(a[0]).Mul(types.NumericFromInt64(100))
		if err != nil {
			return column.Datum{}, err
		}
		v, err := n.Int64(64, "bigint")
		return column.IntDatum(v), err
	},
	"cash_div_cash": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if a[1].I == 0 {
			return column.Datum{}, divisionByZero()
		}
		return floatResult(float64(a[0].I) / float64(a[1].I))
	},
}

func init() {
	for _, t := range []string{"int2", "int4", "int8"} {
		mul := overInts(func(a, b int64) (column.Datum, error) {
			if mulOverflows(a, b) {
				return column.Datum{}, moneyRange()
			}
			return intResult(a * b)
		})
		moneyEvals["cash_mul_"+t], moneyEvals[t+"_mul_cash"] = mul, mul
		moneyEvals["cash_div_"+t] = overInts(func(a, b int64) (column.Datum, error) {
			switch {
			case b == 0:
				return column.Datum{}, divisionByZero()
			case b == -1 && a == math.MinInt64:
				return column.Datum{}, moneyRange()
			}
			return intResult(a / b)
		})
	}
	for _, t := range []string{"flt4", "flt8"} {
		moneyEvals["cash_mul_"+t] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
			v, err := checked(float64(a[0].I)*a[1].Float(), 0, a[1].Float())
			return moneyRounded(v, err)
		}
		moneyEvals[t+"_mul_cash"] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
			v, err := checked(a[0].Float()*float64(a[1].I), 0, a[0].Float())
			return moneyRounded(v, err)
		}
		moneyEvals["cash_div_"+t] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
			if a[1].Float() == 0 {
				return column.Datum{}, divisionByZero()
			}
			v, err := checked(float64(a[0].I)/a[1].Float(), 0, a[1].Float())
			return moneyRounded(v, err)
		}
	}
}
