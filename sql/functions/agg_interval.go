package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// intervalAggs are sum and avg of intervals.
var intervalAggs = map[string]func(c *Ctx) AggState{
	"sum(interval)": byRow(func(*Ctx) rowState { return &intervalSum{} }),
	"avg(interval)": byRow(func(*Ctx) rowState { return &intervalSum{avg: true} }),
}

// intervalSum adds intervals, part by part.
type intervalSum struct {
	avg bool
	n   int64
	sum types.Interval
}

func (s *intervalSum) add(_ *Ctx, a []column.Datum) (err error) {
	if a[0].Null {
		return nil
	}
	s.n++
	s.sum, err = s.sum.Add(types.IntervalFrom(a[0]))
	return err
}

func (s *intervalSum) combine(_ *Ctx, other rowState) (err error) {
	o := other.(*intervalSum)
	s.n += o.n
	s.sum, err = s.sum.Add(o.sum)
	return err
}

func (s *intervalSum) remove(_ *Ctx, a []column.Datum) (bool, error) {
	if a[0].Null {
		return true, nil
	}
	v, err := types.IntervalFrom(a[0]).Neg()
	if err != nil {
		return false, err
	}
	s.n--
	s.sum, err = s.sum.Add(v)
	return true, err
}

func (s *intervalSum) result(*Ctx, []column.Datum) (column.Datum, error) {
	if s.n == 0 {
		return nullResult()
	}
	if s.avg {
		v, err := s.sum.Div(float64(s.n))
		return v.Datum(), err
	}
	return s.sum.Datum(), nil
}

func (s *intervalSum) size() int64 { return 40 }
