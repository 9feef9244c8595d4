package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
)

// floatBest is min (sign -1) or max (sign 1) of float lanes, NaN being the
// greatest. Of equal values the later is kept, which tells 0 from -0.
type floatBest struct {
	sign   int
	vals   []float64
	filled []bool
	lane   laneRows
}

func (s *floatBest) Grow(n int) { s.vals, s.filled = growTo(s.vals, n), growTo(s.filled, n) }

// beats reports whether v takes the place of old.
func (s *floatBest) beats(v, old float64) bool {
	switch {
	case v != v:
		return s.sign > 0 || old != old
	case old != old:
		return s.sign < 0
	case s.sign > 0:
		return v >= old
	}
	return v <= old
}

func (s *floatBest) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	lane := args[0].F
	if ids != nil {
		for i, r := range rows {
			g, v := ids[i], lane[r]
			if !s.filled[g] || s.beats(v, s.vals[g]) {
				s.vals[g], s.filled[g] = v, true
			}
		}
		return nil
	}
	if len(rows) == 0 {
		return nil
	}
	best := s.vals[0]
	if !s.filled[0] {
		best, s.filled[0] = lane[rows[0]], true
	}
	if s.sign > 0 {
		for _, r := range rows {
			if v := lane[r]; v >= best || v != v || best != best && s.beats(v, best) {
				best = v
			}
		}
	} else {
		for _, r := range rows {
			if v := lane[r]; v <= best || (v != v || best != best) && s.beats(v, best) {
				best = v
			}
		}
	}
	s.vals[0] = best
	return nil
}

func (s *floatBest) Combine(other AggState, groups []int32) error {
	o := other.(*floatBest)
	for i, g := range groups {
		if o.filled[i] && (!s.filled[g] || s.beats(o.vals[i], s.vals[g])) {
			s.vals[g], s.filled[g] = o.vals[i], true
		}
	}
	return nil
}

func (s *floatBest) Result(g int, _ []column.Datum) (column.Datum, error) {
	if !s.filled[g] {
		return nullResult()
	}
	return column.FloatDatum(s.vals[g]), nil
}

// Results implements AggLane.
func (s *floatBest) Results(start, n int, v *column.Vec) {
	copy(v.F, s.vals[start:start+n])
	unfilled(s.filled[start:start+n], v)
}

func (s *floatBest) Reset(g int) { s.vals[g], s.filled[g] = 0, false }
func (s *floatBest) Size() int64 { return int64(9 * cap(s.vals)) }

// floatMoments keeps count, sum and squares of differences by Youngs and
// Cramer, as PostgreSQL's float8_accum does, for all groups side by side.
type floatMoments struct {
	final func(n, sx, sxx float64) (float64, bool)
	sums  []moments
	lane  laneRows
}

type moments struct{ n, sx, sxx float64 }

func (s *floatMoments) Grow(n int) { s.sums = growTo(s.sums, n) }

func (m *moments) add(v float64) error {
	n, sx, sxx := m.n+1, m.sx+v, m.sxx
	if m.n > 0 {
		d := v*n - sx
		sxx += d * d / (n * m.n)
		if sx-sx != 0 || sxx-sxx != 0 { // infinite, or no number
			if math.IsInf(sx, 0) || math.IsInf(sxx, 0) {
				if !math.IsInf(m.sx, 0) && !math.IsInf(v, 0) {
					return floatOverflow()
				}
				sxx = math.NaN()
			}
		}
	} else if v-v != 0 {
		sxx = math.NaN()
	}
	m.n, m.sx, m.sxx = n, sx, sxx
	return nil
}

func (s *floatMoments) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	lane := args[0].F
	if ids == nil {
		m := &s.sums[0]
		for _, r := range rows {
			if err := m.add(lane[r]); err != nil {
				return err
			}
		}
		return nil
	}
	for i, r := range rows {
		if err := s.sums[ids[i]].add(lane[r]); err != nil {
			return err
		}
	}
	return nil
}

func (s *floatMoments) Combine(other AggState, groups []int32) error {
	o := other.(*floatMoments)
	for i, g := range groups {
		if err := s.sums[g].combine(o.sums[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *moments) combine(o moments) error {
	switch {
	case o.n == 0:
		return nil
	case m.n == 0:
		*m = o
		return nil
	}
	n := m.n + o.n
	d := m.sx/m.n - o.sx/o.n
	sxx := m.sxx + o.sxx + m.n*o.n*d*d/n
	if math.IsInf(sxx, 0) && !math.IsInf(m.sxx, 0) && !math.IsInf(o.sxx, 0) {
		return floatOverflow()
	}
	m.n, m.sx, m.sxx = n, m.sx+o.sx, sxx
	return nil
}

func (s *floatMoments) Result(g int, _ []column.Datum) (column.Datum, error) {
	m := &s.sums[g]
	v, ok := s.final(m.n, m.sx, m.sxx)
	if !ok {
		return nullResult()
	}
	return floatResult(v)
}

func (s *floatMoments) Reset(g int) { s.sums[g] = moments{} }
func (s *floatMoments) Size() int64 { return int64(24 * cap(s.sums)) }
