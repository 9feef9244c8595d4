package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// seriesSets are generate_series and its kin.
var seriesSets = map[string]SetFunc{
	"generate_series_int4":      intSeries,
	"generate_series_int8":      intSeries,
	"generate_series_step_int4": intSeries,
	"generate_series_step_int8": intSeries,
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
