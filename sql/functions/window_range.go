package functions

import (
	"cmp"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// rangeEvals are in_range, which decides RANGE offsets in window frames: arguments are
// value, base, offset, sub (base - offset rather than +), less (<= rather than >=).
var rangeEvals = map[string]EvalFunc{
	"in_range_numeric_numeric": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, base, off := types.NumericFrom(a[0]), types.NumericFrom(a[1]), types.NumericFrom(a[2])
		if off.Sign() < 0 || off.IsNaN() {
			return column.Datum{}, badOffset()
		}
		sum, err := base.Add(off)
		if a[3].I != 0 {
			sum, err = base.Sub(off)
		}
		if err != nil {
			return column.Datum{}, err
		}
		return within(v.Cmp(sum), a[4])
	},
	"in_range_date_interval": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := types.DateToTimestamp(a[0].I)
		if err != nil {
			return column.Datum{}, err
		}
		base, err := types.DateToTimestamp(a[1].I)
		if err != nil {
			return column.Datum{}, err
		}
		return inTimeRange(v, base, a, types.TimestampAdd)
	},
	"in_range_timestamp_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return inTimeRange(a[0].I, a[1].I, a, types.TimestampAdd)
	},
	"in_range_timestamptz_interval": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return inTimeRange(a[0].I, a[1].I, a, func(ts int64, v types.Interval) (int64, error) {
			return types.TimestamptzAdd(ts, v, c.Env.SessionZone())
		})
	},
	"in_range_time_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return inTimeRange(a[0].I, a[1].I, a, func(t int64, v types.Interval) (int64, error) { return t + v.Micros, nil })
	},
	"in_range_timetz_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		off := types.IntervalFrom(a[2]).Micros
		if off < 0 {
			return column.Datum{}, badOffset()
		}
		if a[3].I != 0 {
			off = -off
		}
		base := types.TimeTZFrom(a[1])
		base.Micros += off // beyond a day too, as in PostgreSQL
		return within(types.TimeTZFrom(a[0]).Compare(base), a[4])
	},
	"in_range_interval_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		off := types.IntervalFrom(a[2])
		if off.Compare(types.Interval{}) < 0 {
			return column.Datum{}, badOffset()
		}
		if a[3].I != 0 {
			var err error
			if off, err = off.Neg(); err != nil {
				return column.Datum{}, err
			}
		}
		sum, err := types.IntervalFrom(a[1]).Add(off)
		if err != nil {
			return column.Datum{}, err
		}
		return within(types.IntervalFrom(a[0]).Compare(sum), a[4])
	},
}

func init() {
	for _, base := range []string{"int2", "int4", "int8"} {
		for _, off := range []string{"int2", "int4", "int8"} {
			rangeEvals["in_range_"+base+"_"+off] = inIntRange
		}
	}
	rangeEvals["in_range_float8_float8"], rangeEvals["in_range_float4_float8"] = inFloatRange, inFloatRange
}

func badOffset() error {
	return pgerr.New(pgerr.InvalidPrecedingOrFollowingSize, "invalid preceding or following size in window function")
}

func within(cmp int, less column.Datum) (column.Datum, error) {
	if less.I != 0 {
		return boolResult(cmp <= 0)
	}
	return boolResult(cmp >= 0)
}

func inIntRange(_ *Ctx, a []column.Datum) (column.Datum, error) {
	off := a[2].I
	if off < 0 {
		return column.Datum{}, badOffset()
	}
	sub := a[3].I != 0
	if sub {
		off = -off
	}
	sum := a[1].I + off
	if addOverflows(a[1].I, off, sum) { // beyond every value
		return boolResult(sub != (a[4].I != 0))
	}
	return within(cmp.Compare(a[0].I, sum), a[4])
}

func inFloatRange(_ *Ctx, a []column.Datum) (column.Datum, error) {
	v, base, off := a[0].Float(), a[1].Float(), a[2].Float()
	sub, less := a[3].I != 0, a[4].I != 0
	switch {
	case math.IsNaN(off) || off < 0:
		return column.Datum{}, badOffset()
	case math.IsNaN(v):
		return boolResult(math.IsNaN(base) || !less)
	case math.IsNaN(base):
		return boolResult(less)
	case math.IsInf(off, 0) && math.IsInf(base, 0) && (base > 0) == sub:
		return boolResult(true)
	}
	sum := base + off
	if sub {
		sum = base - off
	}
	return within(types.CompareFloat(v, sum), a[4])
}

func inTimeRange(v, base int64, a []column.Datum, add func(int64, types.Interval) (int64, error)) (column.Datum, error) {
	off := types.IntervalFrom(a[2])
	if off.Compare(types.Interval{}) < 0 {
		return column.Datum{}, badOffset()
	}
	if a[3].I != 0 {
		var err error
		if off, err = off.Neg(); err != nil {
			return column.Datum{}, err
		}
	}
	sum, err := add(base, off)
	if err != nil {
		return column.Datum{}, err
	}
	return within(cmp.Compare(v, sum), a[4])
}
