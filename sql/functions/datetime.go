package functions

import (
	"cmp"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// datetimeEvals are arithmetic and casts among dates, times and timestamps; interval_*,
// extract, date_trunc and formatting have their own files.
var datetimeEvals = map[string]EvalFunc{
	"now":                 func(c *Ctx, _ []column.Datum) (column.Datum, error) { return intResult(c.Env.Now) },
	"statement_timestamp": func(c *Ctx, _ []column.Datum) (column.Datum, error) { return intResult(c.Env.StatementNow) },
	"clock_timestamp":     func(c *Ctx, _ []column.Datum) (column.Datum, error) { return intResult(c.Env.ClockNow()) },
	"date_finite":         overInt(func(v int64) (column.Datum, error) { return boolResult(!types.IsInfiniteDate(v)) }),
	"timestamp_finite":    overInt(func(v int64) (column.Datum, error) { return boolResult(!infinite(v)) }),
	"interval_finite":     func(*Ctx, []column.Datum) (column.Datum, error) { return boolResult(true) },

	"date_pli": overInts(func(d, n int64) (column.Datum, error) { return shiftDate(d, n) }),
	"date_mii": overInts(func(d, n int64) (column.Datum, error) { return shiftDate(d, -n) }),
	"integer_pl_date(int4,date)": overInts(func(n, d int64) (column.Datum, error) {
		return shiftDate(d, n)
	}),
	"date_mi": overInts(func(a, b int64) (column.Datum, error) {
		if types.IsInfiniteDate(a) || types.IsInfiniteDate(b) {
			return column.Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "cannot subtract infinite dates")
		}
		return intResult(a - b)
	}),
	"date_pl_interval": dateInterval(false),
	"date_mi_interval": dateInterval(true),
	"interval_pl_date(interval,date)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return dateInterval(false)(c, []column.Datum{a[1], a[0]})
	},
	"timestamp_pl_interval": timestampInterval(false),
	"timestamp_mi_interval": timestampInterval(true),
	"interval_pl_timestamp(interval,timestamp)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return timestampInterval(false)(c, []column.Datum{a[1], a[0]})
	},
	"timestamptz_pl_interval": timestamptzInterval(false),
	"timestamptz_mi_interval": timestamptzInterval(true),
	"interval_pl_timestamptz(interval,timestamptz)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return timestamptzInterval(false)(c, []column.Datum{a[1], a[0]})
	},
	"timestamp_mi": overInts(func(a, b int64) (column.Datum, error) {
		v, err := types.TimestampSub(a, b)
		return v.Datum(), err
	}),

	"time_pl_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(timeOfDay(a[0].I + types.IntervalFrom(a[1]).Micros))
	},
	"time_mi_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(timeOfDay(a[0].I - types.IntervalFrom(a[1]).Micros))
	},
	"interval_pl_time(interval,time)": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(timeOfDay(a[1].I + types.IntervalFrom(a[0]).Micros))
	},
	"time_mi_time": overInts(func(a, b int64) (column.Datum, error) { return types.Interval{Micros: a - b}.Datum(), nil }),
	"timetz_pl_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		t := types.TimeTZFrom(a[0])
		t.Micros = timeOfDay(t.Micros + types.IntervalFrom(a[1]).Micros)
		return t.Datum(), nil
	},
	"interval_pl_timetz": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		t := types.TimeTZFrom(a[1])
		t.Micros = timeOfDay(t.Micros + types.IntervalFrom(a[0]).Micros)
		return t.Datum(), nil
	},
	"timetz_mi_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		t := types.TimeTZFrom(a[0])
		t.Micros = timeOfDay(t.Micros - types.IntervalFrom(a[1]).Micros)
		return t.Datum(), nil
	},

	"date_timestamp": overInt(func(d int64) (column.Datum, error) {
		ts, err := types.DateToTimestamp(d)
		return column.IntDatum(ts), err
	}),
	"date_timestamptz": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := dateToTimestamptz(c, a[0].I)
		return column.IntDatum(ts), err
	},
	"timestamp_date": overInt(func(ts int64) (column.Datum, error) { return intResult(types.TimestampToDate(ts)) }),
	"timestamptz_date": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(types.TimestampToDate(localOf(c, a[0].I)))
	},
	"timestamp_timestamptz": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := instantOf(c, a[0].I)
		return column.IntDatum(ts), err
	},
	"timestamptz_timestamp": func(c *Ctx, a []column.Datum) (column.Datum, error) { return timestampOrInfinite(localOf(c, a[0].I)) },
	"timestamp_time": overInt(func(ts int64) (column.Datum, error) {
		return column.Datum{I: timeOfDay(ts), Null: infinite(ts)}, nil
	}),
	"timestamptz_time": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return column.Datum{I: timeOfDay(localOf(c, a[0].I)), Null: infinite(a[0].I)}, nil
	},
	"timestamptz_timetz": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if infinite(a[0].I) {
			return nullResult()
		}
		return types.TimeTZ{Micros: timeOfDay(localOf(c, a[0].I)), West: -int32(c.Env.SessionZone().OffsetAt(a[0].I))}.Datum(), nil
	},
	"time_timetz": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		local := localOf(c, c.Env.Now)
		return types.TimeTZ{Micros: a[0].I, West: -int32(c.Env.SessionZone().Resolve(local - timeOfDay(local) + a[0].I))}.Datum(), nil
	},
	"timetz_time":   func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(types.TimeTZFrom(a[0]).Micros) },
	"time_interval": overInt(func(v int64) (column.Datum, error) { return types.Interval{Micros: v}.Datum(), nil }),
	"interval_time": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(timeOfDay(types.IntervalFrom(a[0]).Micros))
	},
	"datetime_timestamp":         overInts(dateTime),
	"timedate_pl(time,date)":     overInts(func(t, d int64) (column.Datum, error) { return dateTime(d, t) }),
	"datetimetz_timestamptz":     func(_ *Ctx, a []column.Datum) (column.Datum, error) { return dateTimeTZ(a[0], a[1]) },
	"timetzdate_pl(timetz,date)": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return dateTimeTZ(a[1], a[0]) },
	"timestamptz(date,time)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		d, err := dateTime(a[0].I, a[1].I)
		if err != nil {
			return d, err
		}
		ts, err := instantOf(c, d.I)
		return column.IntDatum(ts), err
	},
}

func shiftDate(d, n int64) (column.Datum, error) {
	if types.IsInfiniteDate(d) {
		return intResult(d)
	}
	if !types.ValidDate(d + n) {
		return column.Datum{}, types.ErrDateRange()
	}
	return intResult(d + n)
}

// localOf returns the session's local time of an instant; infinities stay.
func localOf(c *Ctx, ts int64) int64 {
	if infinite(ts) {
		return ts
	}
	return ts + int64(c.Env.SessionZone().OffsetAt(ts))*usecPerSec
}

// instantOf returns the instant of a local time of the session; infinities stay.
func instantOf(c *Ctx, local int64) (int64, error) {
	return types.TimestampToTimestamptz(local, c.Env.SessionZone())
}

func timestampOrInfinite(ts int64) (column.Datum, error) {
	if infinite(ts) {
		return intResult(ts)
	}
	return timestampResult(ts)
}

func dateToTimestamptz(c *Ctx, d int64) (int64, error) {
	ts, err := types.DateToTimestamp(d)
	if err != nil {
		return 0, err
	}
	return instantOf(c, ts)
}

func signedInterval(d column.Datum, minus bool) (types.Interval, error) {
	v := types.IntervalFrom(d)
	if minus {
		return v.Neg()
	}
	return v, nil
}

func dateInterval(minus bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := types.DateToTimestamp(a[0].I)
		if err != nil {
			return column.Datum{}, err
		}
		v, err := signedInterval(a[1], minus)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err = types.TimestampAdd(ts, v)
		return column.IntDatum(ts), err
	}
}

func timestampInterval(minus bool) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := signedInterval(a[1], minus)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err := types.TimestampAdd(a[0].I, v)
		return column.IntDatum(ts), err
	}
}

func timestamptzInterval(minus bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := signedInterval(a[1], minus)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err := types.TimestamptzAdd(a[0].I, v, c.Env.SessionZone())
		return column.IntDatum(ts), err
	}
}

func dateTime(d, t int64) (column.Datum, error) {
	ts, err := types.DateToTimestamp(d)
	if err != nil || infinite(ts) {
		return column.IntDatum(ts), err
	}
	return timestampResult(ts + t)
}

func dateTimeTZ(d, t column.Datum) (column.Datum, error) {
	ts, err := types.DateToTimestamp(d.I)
	if err != nil || infinite(ts) {
		return column.IntDatum(ts), err
	}
	v := types.TimeTZFrom(t)
	return timestampResult(ts + v.Micros + int64(v.West)*usecPerSec)
}

// mixedOrders compares dates with timestamps and timestamps with instants: it brings both
// sides to a timestamp or an instant and says how they order.
var mixedOrders = map[string]func(c *Ctx, a, b int64) int{
	"date_%s_timestamp":        func(_ *Ctx, a, b int64) int { return cmp.Compare(looseTimestamp(a), b) },
	"timestamp_%s_date":        func(_ *Ctx, a, b int64) int { return cmp.Compare(a, looseTimestamp(b)) },
	"date_%s_timestamptz":      func(c *Ctx, a, b int64) int { return cmp.Compare(looseInstant(c, looseTimestamp(a)), b) },
	"timestamptz_%s_date":      func(c *Ctx, a, b int64) int { return cmp.Compare(a, looseInstant(c, looseTimestamp(b))) },
	"timestamp_%s_timestamptz": func(c *Ctx, a, b int64) int { return cmp.Compare(looseInstant(c, a), b) },
	"timestamptz_%s_timestamp": func(c *Ctx, a, b int64) int { return cmp.Compare(a, looseInstant(c, b)) },
}

// looseTimestamp takes dates beyond the range of timestamps for just that.
func looseTimestamp(d int64) int64 {
	ts, err := types.DateToTimestamp(d)
	if err != nil {
		return types.TimestampInfinity - 1
	}
	return ts
}

func looseInstant(c *Ctx, local int64) int64 {
	ts, err := instantOf(c, local)
	if err != nil {
		return local
	}
	return ts
}
