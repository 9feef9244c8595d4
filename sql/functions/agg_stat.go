package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
)

// statAggs are the statistics over double precision. Like PostgreSQL they keep
// Youngs and Cramer's running sums of squares of differences.
var statAggs = map[string]func(c *Ctx) AggState{}

func init() {
	for name, f := range map[string]func(n, sx, sxx float64) (float64, bool){
		"avg":         func(n, sx, _ float64) (float64, bool) { return sx / n, n > 0 },
		"var_pop":     func(n, _, sxx float64) (float64, bool) { return sxx / n, n > 0 },
		"var_samp":    func(n, _, sxx float64) (float64, bool) { return sxx / (n - 1), n > 1 },
		"variance":    func(n, _, sxx float64) (float64, bool) { return sxx / (n - 1), n > 1 },
		"stddev_pop":  func(n, _, sxx float64) (float64, bool) { return math.Sqrt(sxx / n), n > 0 },
		"stddev_samp": func(n, _, sxx float64) (float64, bool) { return math.Sqrt(sxx / (n - 1)), n > 1 },
		"stddev":      func(n, _, sxx float64) (float64, bool) { return math.Sqrt(sxx / (n - 1)), n > 1 },
	} {
		for _, t := range []string{"float4", "float8"} {
			statAggs[name+"("+t+")"] = func(*Ctx) AggState { return &floatMoments{final: f} }
		}
	}
	for name, f := range map[string]func(s *pairStat) (float64, bool){
		"regr_sxx":   func(s *pairStat) (float64, bool) { return s.sxx, s.n >= 1 },
		"regr_syy":   func(s *pairStat) (float64, bool) { return s.syy, s.n >= 1 },
		"regr_sxy":   func(s *pairStat) (float64, bool) { return s.sxy, s.n >= 1 },
		"regr_avgx":  func(s *pairStat) (float64, bool) { return s.sx / s.n, s.n >= 1 },
		"regr_avgy":  func(s *pairStat) (float64, bool) { return s.sy / s.n, s.n >= 1 },
		"covar_pop":  func(s *pairStat) (float64, bool) { return s.sxy / s.n, s.n >= 1 },
		"covar_samp": func(s *pairStat) (float64, bool) { return s.sxy / (s.n - 1), s.n >= 2 },
		"corr": func(s *pairStat) (float64, bool) {
			return s.sxy / math.Sqrt(s.sxx*s.syy), s.n >= 1 && s.sxx != 0 && s.syy != 0
		},
		"regr_r2":        (*pairStat).r2,
		"regr_slope":     func(s *pairStat) (float64, bool) { return s.sxy / s.sxx, s.n >= 1 && s.sxx != 0 },
		"regr_intercept": func(s *pairStat) (float64, bool) { return (s.sy - s.sx*s.sxy/s.sxx) / s.n, s.n >= 1 && s.sxx != 0 },
	} {
		statAggs[name+"(float8,float8)"] = byRow(func(*Ctx) rowState { return &pairStat{final: f} })
	}
}

// pairStat is float8_regr_accum's state; the arguments come as (Y, X).
type pairStat struct {
	n, sx, sxx, sy, syy, sxy float64
	final                    func(s *pairStat) (float64, bool)
}

func (s *pairStat) add(_ *Ctx, a []column.Datum) error {
	if a[0].Null || a[1].Null {
		return nil
	}
	y, x := a[0].Float(), a[1].Float()
	t := *s
	t.n++
	t.sx += x
	t.sy += y
	if s.n > 0 {
		dx, dy := x*t.n-t.sx, y*t.n-t.sy
		scale := 1 / (t.n * s.n)
		t.sxx += dx * dx * scale
		t.syy += dy * dy * scale
		t.sxy += dx * dy * scale
		if math.IsInf(t.sx, 0) || math.IsInf(t.sxx, 0) || math.IsInf(t.sy, 0) || math.IsInf(t.syy, 0) || math.IsInf(t.sxy, 0) {
			finiteX := !math.IsInf(s.sx, 0) && !math.IsInf(x, 0)
			finiteY := !math.IsInf(s.sy, 0) && !math.IsInf(y, 0)
			if (math.IsInf(t.sx, 0) || math.IsInf(t.sxx, 0)) && finiteX || (math.IsInf(t.sy, 0) || math.IsInf(t.syy, 0)) && finiteY ||
				math.IsInf(t.sxy, 0) && finiteX && finiteY {
				return floatOverflow()
			}
			t.sxx, t.syy, t.sxy = nanIfInf(t.sxx), nanIfInf(t.syy), nanIfInf(t.sxy)
		}
	} else {
		badX, badY := x-x != 0, y-y != 0
		if badX {
			t.sxx, t.sxy = math.NaN(), math.NaN()
		}
		if badY {
			t.syy, t.sxy = math.NaN(), math.NaN()
		}
	}
	*s = t
	return nil
}

func nanIfInf(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func (s *pairStat) combine(_ *Ctx, other rowState) error {
	o := other.(*pairStat)
	switch {
	case o.n == 0:
		return nil
	case s.n == 0:
		final := s.final
		*s = *o
		s.final = final
		return nil
	}
	n := s.n + o.n
	dx, dy := s.sx/s.n-o.sx/o.n, s.sy/s.n-o.sy/o.n
	s.sxx += o.sxx + s.n*o.n*dx*dx/n
	s.syy += o.syy + s.n*o.n*dy*dy/n
	s.sxy += o.sxy + s.n*o.n*dx*dy/n
	s.n, s.sx, s.sy = n, s.sx+o.sx, s.sy+o.sy
	return nil
}

func (s *pairStat) r2() (float64, bool) {
	if s.n < 1 || s.sxx == 0 {
		return 0, false
	}
	if s.syy == 0 {
		return 1, true
	}
	return s.sxy * s.sxy / (s.sxx * s.syy), true
}

func (s *pairStat) result(*Ctx, []column.Datum) (column.Datum, error) {
	v, ok := s.final(s)
	if !ok {
		return nullResult()
	}
	return floatResult(v)
}

func (s *pairStat) size() int64 { return 72 }
