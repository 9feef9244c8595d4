package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// accumulateEvals are the transition functions of the statistical aggregates that can be called by
// themselves: their states are arrays of float8, {N, sum, sum of squared differences}, by the method
// of Youngs and Cramer.
var accumulateEvals = map[string]EvalFunc{
	"float8_accum": accumulate, "float4_accum": accumulate,
	"float8_combine": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overStates(a, 3, "float8_combine", combineOne)
	},
	"float8_regr_accum": regressionStep,
	"float8_regr_combine": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overStates(a, 6, "float8_regr_combine", combineTwo)
	},
	"float8_avg": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		s, err := floatState(a[0], 3, "float8_avg")
		if err != nil || s[0] == 0 {
			return column.Null(), err
		}
		return floatResult(s[1] / s[0])
	},
	"int8_avg": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		s := types.ArrayFrom(a[0]).Elems
		if len(s) != 2 {
			return column.Datum{}, pgerr.New(pgerr.InternalError, "expected 2-element int8 array")
		}
		if s[0].I == 0 {
			return column.Null(), nil
		}
		d, err := types.NumericFromInt64(s[1].I).Div(types.NumericFromInt64(s[0].I))
		return d.Datum(), err
	},
	"int2_avg_accum": intAverageStep, "int4_avg_accum": intAverageStep,
}

// floatState reads the state of an aggregate.
func floatState(d column.Datum, n int, caller string) ([]float64, error) {
	a := types.ArrayFrom(d)
	if len(a.Dims) != 1 || len(a.Elems) != n {
		return nil, pgerr.New(pgerr.InternalError, "%s: expected %d-element float8 array", caller, n)
	}
	out := make([]float64, n)
	for i, e := range a.Elems {
		if e.Null {
			return nil, pgerr.New(pgerr.InternalError, "%s: expected %d-element float8 array", caller, n)
		}
		out[i] = e.Float()
	}
	return out, nil
}

func floatArray(v ...float64) (column.Datum, error) {
	list := make([]column.Datum, len(v))
	for i, x := range v {
		list[i] = column.FloatDatum(x)
	}
	return types.NewArray(types.Float8OID, list).Encode(column.Float), nil
}

// settle replaces a sum of squares that has overflowed: an error when the inputs were finite, NaN otherwise.
func settle(finite bool, sums ...*float64) error {
	for _, s := range sums {
		if math.IsInf(*s, 0) {
			if finite {
				return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: overflow")
			}
			*s = math.NaN()
		}
	}
	return nil
}

func unbounded(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) }

func accumulate(_ *Ctx, a []column.Datum) (column.Datum, error) {
	s, err := floatState(a[0], 3, "float8_accum")
	if err != nil {
		return column.Datum{}, err
	}
	x := a[1].Float()
	n, sx, sxx := s[0]+1, s[1]+x, s[2]
	if s[0] > 0 {
		d := x*n - sx
		sxx += d * d / (n * s[0])
		if math.IsInf(sx, 0) || math.IsInf(sxx, 0) {
			if !math.IsInf(s[1], 0) && !math.IsInf(x, 0) {
				return column.Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: overflow")
			}
			sxx = math.NaN()
		}
	} else if unbounded(x) {
		sxx = math.NaN()
	}
	return floatArray(n, sx, sxx)
}

// regressionStep adds (y, x) to {N, Sx, Sxx, Sy, Syy, Sxy}.
func regressionStep(_ *Ctx, a []column.Datum) (column.Datum, error) {
	s, err := floatState(a[0], 6, "float8_regr_accum")
	if err != nil {
		return column.Datum{}, err
	}
	y, x := a[1].Float(), a[2].Float()
	n, sx, sy := s[0]+1, s[1]+x, s[3]+y
	sxx, syy, sxy := s[2], s[4], s[5]
	if s[0] > 0 {
		dx, dy, scale := x*n-sx, y*n-sy, 1/(n*s[0])
		sxx += dx * dx * scale
		syy += dy * dy * scale
		sxy += dx * dy * scale
		finite := !math.IsInf(s[1], 0) && !math.IsInf(x, 0) && !math.IsInf(s[3], 0) && !math.IsInf(y, 0)
		if err := settle(finite, &sxx, &syy, &sxy); err != nil {
			return column.Datum{}, err
		}
	} else {
		if unbounded(x) {
			sxx, sxy = math.NaN(), math.NaN()
		}
		if unbounded(y) {
			syy, sxy = math.NaN(), math.NaN()
		}
	}
	return floatArray(n, sx, sxx, sy, syy, sxy)
}

// overStates combines two states; one of no rows leaves the other as it is.
func overStates(a []column.Datum, n int, caller string, combine func(s, t []float64) ([]float64, error)) (column.Datum, error) {
	s, err := floatState(a[0], n, caller)
	if err != nil {
		return column.Datum{}, err
	}
	t, err := floatState(a[1], n, caller)
	switch {
	case err != nil:
		return column.Datum{}, err
	case s[0] == 0:
		return floatArray(t...)
	case t[0] == 0:
		return floatArray(s...)
	}
	out, err := combine(s, t)
	if err != nil {
		return column.Datum{}, err
	}
	return floatArray(out...)
}

func combineOne(s, t []float64) ([]float64, error) {
	n := s[0] + t[0]
	d := s[1]/s[0] - t[1]/t[0]
	out := []float64{n, s[1] + t[1], s[2] + t[2] + s[0]*t[0]*d*d/n}
	return out, settle(!math.IsInf(s[2], 0) && !math.IsInf(t[2], 0), &out[2])
}

func combineTwo(s, t []float64) ([]float64, error) {
	n := s[0] + t[0]
	dx, dy, w := s[1]/s[0]-t[1]/t[0], s[3]/s[0]-t[3]/t[0], s[0]*t[0]
	out := []float64{n, s[1] + t[1], s[2] + t[2] + w*dx*dx/n, s[3] + t[3], s[4] + t[4] + w*dy*dy/n, s[5] + t[5] + w*dx*dy/n}
	return out, settle(!math.IsInf(s[2], 0) && !math.IsInf(t[2], 0), &out[2], &out[4], &out[5])
}

// intAverageStep adds to {count, sum}.
func intAverageStep(_ *Ctx, a []column.Datum) (column.Datum, error) {
	s := types.ArrayFrom(a[0]).Elems
	if len(s) != 2 {
		return column.Datum{}, pgerr.New(pgerr.InternalError, "expected 2-element int8 array")
	}
	return types.NewArray(types.Int8OID, []column.Datum{{I: s[0].I + 1}, {I: s[1].I + a[1].I}}).Encode(column.Int), nil
}
