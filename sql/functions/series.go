package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// seriesSets are generate_series and its kin.
var seriesSets = map[string]SetFunc{
	"generate_series_int4":      intSeries,
	"generate_series_int8":      intSeries,
	"generate_series_step_int4": intSeries,
	"generate_series_step_int8": intSeries,
	"generate_series_timestamp": func(_ *Ctx, a []column.Datum) (SetIter, error) { return newTimeSeries(nil, a) },
	"generate_series_timestamptz": func(c *Ctx, a []column.Datum) (SetIter, error) {
		return newTimeSeries(c.Env.SessionZone(), a)
	},
	"generate_series_numeric":      newNumericSeries,
	"generate_series_step_numeric": newNumericSeries,
}

func zeroStep() error {
	return pgerr.New(pgerr.InvalidParameterValue, "step size cannot equal zero")
}

type intSeriesIter struct {
	next, stop, step int64
	done             bool
	row              [1]column.Datum
}

func intSeries(_ *Ctx, a []column.Datum) (SetIter, error) {
	it := &intSeriesIter{next: a[0].I, stop: a[1].I, step: 1}
	if len(a) > 2 {
		it.step = a[2].I
	}
	if it.step == 0 {
		return nil, zeroStep()
	}
	return it, nil
}

// Next implements SetIter. The series ends where int64 does; int4 never reaches that.
func (it *intSeriesIter) Next() ([]column.Datum, bool, error) {
	if it.done || it.step > 0 && it.next > it.stop || it.step < 0 && it.next < it.stop {
		return nil, false, nil
	}
	it.row[0].I = it.next
	sum := it.next + it.step
	it.done = addOverflows(it.next, it.step, sum)
	it.next = sum
	return it.row[:], true, nil
}

// rowsIter yields rows that are all there already.
type rowsIter struct{ rows [][]column.Datum }

// Next implements SetIter.
func (it *rowsIter) Next() ([]column.Datum, bool, error) {
	if len(it.rows) == 0 {
		return nil, false, nil
	}
	row := it.rows[0]
	it.rows = it.rows[1:]
	return row, true, nil
}

// timeSeries yields timestamps an interval apart.
type timeSeries struct {
	next, stop int64
	step       types.Interval
	sign       int
	zone       *types.Zone // nil for timestamps without zone
	row        [1]column.Datum
}

func newTimeSeries(zone *types.Zone, a []column.Datum) (SetIter, error) {
	it := &timeSeries{next: a[0].I, stop: a[1].I, step: types.IntervalFrom(a[2]), zone: zone}
	if it.sign = it.step.Compare(types.Interval{}); it.sign == 0 {
		return nil, zeroStep()
	}
	return it, nil
}

// Next implements SetIter.
func (it *timeSeries) Next() ([]column.Datum, bool, error) {
	if it.sign > 0 && it.next > it.stop || it.sign < 0 && it.next < it.stop {
		return nil, false, nil
	}
	it.row[0].I = it.next
	var err error
	if it.zone != nil {
		it.next, err = types.TimestamptzAdd(it.next, it.step, it.zone)
	} else {
		it.next, err = types.TimestampAdd(it.next, it.step)
	}
	return it.row[:], err == nil, err
}

// numericSeries yields numerics.
type numericSeries struct {
	next, stop, step types.Numeric
	row              [1]column.Datum
}

func newNumericSeries(_ *Ctx, a []column.Datum) (SetIter, error) {
	it := &numericSeries{next: types.NumericFrom(a[0]), stop: types.NumericFrom(a[1]), step: types.NumericFromInt64(1)}
	if len(a) > 2 {
		it.step = types.NumericFrom(a[2])
	}
	for i, what := range []string{"start value", "stop value", "step size"} {
		n := []types.Numeric{it.next, it.stop, it.step}[i]
		if n.IsNaN() {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "%s cannot be NaN", what)
		}
		if n.IsInf() {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "%s cannot be infinity", what)
		}
	}
	if it.step.Sign() == 0 {
		return nil, zeroStep()
	}
	return it, nil
}

// Next implements SetIter.
func (it *numericSeries) Next() ([]column.Datum, bool, error) {
	if it.next.Cmp(it.stop)*it.step.Sign() > 0 {
		return nil, false, nil
	}
	it.row[0] = it.next.Datum()
	var err error
	it.next, err = it.next.Add(it.step)
	return it.row[:], err == nil, err
}
