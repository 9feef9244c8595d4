package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
)

// sumAggs are the sums whose result is no numeric.
var sumAggs = map[string]func(c *Ctx) AggState{
	"sum(int2)":   func(*Ctx) AggState { return &intSum{} },
	"sum(int4)":   func(*Ctx) AggState { return &intSum{} },
	"sum(money)":  func(*Ctx) AggState { return &intSum{} },
	"sum(float4)": func(*Ctx) AggState { return &floatSum{round: true} },
	"sum(float8)": func(*Ctx) AggState { return &floatSum{} },
}

// intSum adds int64 lanes. Sums of int4 would need 2^32 rows to overflow; like PostgreSQL,
// they wrap then, and so do sums of money.
type intSum struct {
	sums   []int64
	counts []int64
	lane   laneRows
}

func (s *intSum) Grow(n int) { s.sums, s.counts = growTo(s.sums, n), growTo(s.counts, n) }

func (s *intSum) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	lane := args[0].I
	if ids == nil {
		var sum int64
		for _, r := range rows {
			sum += lane[r]
		}
		if len(rows) > 0 {
			s.sums[0] += sum
			s.counts[0] += int64(len(rows))
		}
		return nil
	}
	for i, r := range rows {
		g := ids[i]
		s.sums[g] += lane[r]
		s.counts[g]++
	}
	return nil
}

func (s *intSum) Combine(other AggState, groups []int32) error {
	o := other.(*intSum)
	for i, g := range groups {
		s.sums[g] += o.sums[i]
		s.counts[g] += o.counts[i]
	}
	return nil
}

func (s *intSum) Result(g int, _ []column.Datum) (column.Datum, error) {
	return column.Datum{I: s.sums[g], Null: s.counts[g] == 0}, nil
}

// Results implements AggLane.
func (s *intSum) Results(start, n int, v *column.Vec) {
	copy(v.I, s.sums[start:start+n])
	for i, c := range s.counts[start : start+n] {
		if c == 0 {
			v.Nulls.Set(i)
		}
	}
}

func (s *intSum) Reset(g int) { s.sums[g], s.counts[g] = 0, 0 }
func (s *intSum) Size() int64 { return int64(16 * cap(s.sums)) }

// Remove implements AggRemover.
func (s *intSum) Remove(g int, args []column.Datum) (bool, error) {
	if !args[0].Null {
		s.sums[g] -= args[0].I
		s.counts[g]--
	}
	return true, nil
}

// floatSum adds float lanes in the order they come, as PostgreSQL does; float4
// rounds after every addition.
type floatSum struct {
	round  bool
	sums   []float64
	filled []bool
	lane   laneRows
}

func (s *floatSum) Grow(n int) { s.sums, s.filled = growTo(s.sums, n), growTo(s.filled, n) }

func (s *floatSum) add(g int, v float64) error {
	if !s.filled[g] {
		s.sums[g], s.filled[g] = v, true
		return nil
	}
	sum := s.sums[g] + v
	if s.round {
		sum = narrow(sum)
	}
	if math.IsInf(sum, 0) && !math.IsInf(v, 0) && !math.IsInf(s.sums[g], 0) {
		return floatOverflow()
	}
	s.sums[g] = sum
	return nil
}

func (s *floatSum) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	rows, ids := s.lane.of(groups, args[0], sel, n)
	lane := args[0].F
	if ids != nil {
		for i, r := range rows {
			if err := s.add(int(ids[i]), lane[r]); err != nil {
				return err
			}
		}
		return nil
	}
	if s.round {
		for _, r := range rows {
			if err := s.add(0, lane[r]); err != nil {
				return err
			}
		}
		return nil
	}
	return s.addAll(lane, rows)
}

// addAll adds to group 0. Whether a sum overflowed shows at the end: it never
// comes back from infinity, and where an infinity was put in it is no error.
func (s *floatSum) addAll(lane []float64, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	sum := s.sums[0]
	if !s.filled[0] {
		sum, rows = lane[rows[0]], rows[1:]
		s.sums[0], s.filled[0] = sum, true
	}
	for _, r := range rows {
		sum += lane[r]
	}
	if sum-sum != 0 {
		for _, r := range rows {
			if err := s.add(0, lane[r]); err != nil {
				return err
			}
		}
		return nil
	}
	s.sums[0] = sum
	return nil
}

func (s *floatSum) Combine(other AggState, groups []int32) error {
	o := other.(*floatSum)
	for i, g := range groups {
		if o.filled[i] {
			if err := s.add(int(g), o.sums[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *floatSum) Result(g int, _ []column.Datum) (column.Datum, error) {
	if !s.filled[g] {
		return nullResult()
	}
	return floatResult(s.sums[g])
}

func (s *floatSum) Reset(g int) { s.sums[g], s.filled[g] = 0, false }
func (s *floatSum) Size() int64 { return int64(9 * cap(s.sums)) }
