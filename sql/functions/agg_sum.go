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
}

func (s *intSum) Grow(n int) { s.sums, s.counts = growTo(s.sums, n), growTo(s.counts, n) }

func (s *intSum) Accumulate(groups []int32, args []*column.Vec, sel []int32, n int) error {
	lane := args[0].I
	if plain(args[0], sel, n) {
		if groups == nil {
			var sum int64
			for _, v := range lane {
				sum += v
			}
			s.sums[0] += sum
			s.counts[0] += int64(n)
			return nil
		}
		for i, g := range groups[:n] {
			s.sums[g] += lane[i]
			s.counts[g]++
		}
		return nil
	}
	feed(groups, args[0], sel, n, func(g, r int) {
		s.sums[g] += lane[r]
		s.counts[g]++
	})
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
	var err error
	lane := args[0].F
	feed(groups, args[0], sel, n, func(g, r int) {
		if e := s.add(g, lane[r]); e != nil {
			err = e
		}
	})
	return err
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
