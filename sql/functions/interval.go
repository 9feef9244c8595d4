package functions

import (
	"fmt"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// intervalEvals are the arithmetic of intervals, age and overlaps.
var intervalEvals = map[string]EvalFunc{
	"interval_pl": overIntervals(addIntervals),
	"interval_mi": overIntervals(func(a, b types.Interval) (types.Interval, error) {
		n, err := negate(b)
		if err != nil {
			return a, err
		}
		return addIntervals(a, n)
	}),
	"interval_um": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := negate(types.IntervalFrom(a[0]))
		return v.Datum(), err
	},
	"interval_mul": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return scaleInterval(types.IntervalFrom(a[0]), a[1].Float(), func(v, f float64) float64 { return v * f })
	},
	"mul_d_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return scaleInterval(types.IntervalFrom(a[1]), a[0].Float(), func(v, f float64) float64 { return v * f })
	},
	"interval_div": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if a[1].Float() == 0 {
			return column.Datum{}, divisionByZero()
		}
		return scaleInterval(types.IntervalFrom(a[0]), a[1].Float(), func(v, f float64) float64 { return v / f })
	},
	"interval_justify_hours": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return justifyHours(types.IntervalFrom(a[0])).Datum(), nil
	},
	"interval_justify_days": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return justifyDays(types.IntervalFrom(a[0])).Datum(), nil
	},
	"interval_justify_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return justify(types.IntervalFrom(a[0])).Datum(), nil
	},
	"timestamp_age": overInts(age),
	"timestamptz_age": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return age(localOf(c, a[0].I), localOf(c, a[1].I))
	},
	"age(timestamp)": func(c *Ctx, a []column.Datum) (column.Datum, error) { return age(today(c), a[0].I) },
	"age(timestamptz)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return age(today(c), localOf(c, a[0].I))
	},
	"overlaps_timestamp": overlaps(types.TimestampOID),
	"overlaps_time":      overlaps(types.TimeOID),
	"overlaps_timetz":    overlaps(types.TimetzOID),
}

func init() {
	for pattern, order := range mixedOrders {
		for op, suffix := range cmpSuffixes {
			datetimeEvals[fmt.Sprintf(pattern, suffix)] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
				return boolResult(cmpOp(op).holds(order(c, a[0].I, a[1].I)))
			}
		}
		cmp := func(c *Ctx, a []column.Datum) (column.Datum, error) {
			return intResult(int64(order(c, a[0].I, a[1].I)))
		}
		datetimeEvals[fmt.Sprintf(pattern, "cmp")] = cmp
	}
	// (start, end) OVERLAPS (start, end) with lengths instead of ends
	for _, t := range []struct {
		name string
		add  EvalFunc
		typ  OID
	}{
		{"timestamp", datetimeEvals["timestamp_pl_interval"], types.TimestampOID},
		{"timestamptz", datetimeEvals["timestamptz_pl_interval"], types.TimestamptzOID},
		{"time", datetimeEvals["time_pl_interval"], types.TimeOID},
	} {
		for _, form := range []string{"%[1]s,interval,%[1]s,interval", "%[1]s,%[1]s,%[1]s,interval", "%[1]s,interval,%[1]s,%[1]s"} {
			first := form == "%[1]s,interval,%[1]s,interval" || form == "%[1]s,interval,%[1]s,%[1]s"
			second := form != "%[1]s,interval,%[1]s,%[1]s"
			intervalEvals["overlaps("+fmt.Sprintf(form, t.name)+")"] = overlapsLength(t.add, overlaps(t.typ), first, second)
		}
	}
}

func overIntervals(f func(a, b types.Interval) (types.Interval, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := f(types.IntervalFrom(a[0]), types.IntervalFrom(a[1]))
		return v.Datum(), err
	}
}

func addIntervals(a, b types.Interval) (types.Interval, error) {
	months, days := int64(a.Months)+int64(b.Months), int64(a.Days)+int64(b.Days)
	micros := a.Micros + b.Micros
	if months != int64(int32(months)) || days != int64(int32(days)) || addOverflows(a.Micros, b.Micros, micros) {
		return a, types.ErrIntervalRange()
	}
	return types.Interval{Micros: micros, Days: int32(days), Months: int32(months)}, nil
}

func roundMicro(v float64) float64 { return math.RoundToEven(v*1e6) / 1e6 }

// scaleInterval multiplies or divides, carrying fractions of months to days (of which a
// month has 30) and fractions of days to time, but never up.
func scaleInterval(v types.Interval, f float64, op func(v, f float64) float64) (column.Datum, error) {
	months, days := op(float64(v.Months), f), op(float64(v.Days), f)
	if !(math.Abs(months) <= math.MaxInt32) || !(math.Abs(days) <= math.MaxInt32) {
		return column.Datum{}, types.ErrIntervalRange()
	}
	out := types.Interval{Months: int32(months), Days: int32(days)}
	monthDays := roundMicro((months - float64(out.Months)) * 30)
	seconds := roundMicro((days - float64(out.Days) + monthDays - math.Trunc(monthDays)) * 86400)
	if math.Abs(seconds) >= 86400 {
		whole := math.Trunc(seconds / 86400)
		out.Days += int32(whole)
		seconds -= whole * 86400
	}
	out.Days += int32(monthDays)
	micros := math.RoundToEven(op(float64(v.Micros), f) + seconds*1e6)
	if !(micros >= -0x1p63 && micros < 0x1p63) {
		return column.Datum{}, types.ErrIntervalRange()
	}
	out.Micros = int64(micros)
	return out.Datum(), nil
}

func justifyHours(v types.Interval) types.Interval {
	v.Days += int32(v.Micros / usecPerDay)
	v.Micros %= usecPerDay
	if v.Days > 0 && v.Micros < 0 {
		v.Micros += usecPerDay
		v.Days--
	} else if v.Days < 0 && v.Micros > 0 {
		v.Micros -= usecPerDay
		v.Days++
	}
	return v
}

func justifyDays(v types.Interval) types.Interval {
	v.Months += v.Days / 30
	v.Days %= 30
	if v.Months > 0 && v.Days < 0 {
		v.Days += 30
		v.Months--
	} else if v.Months < 0 && v.Days > 0 {
		v.Days -= 30
		v.Months++
	}
	return v
}

func justify(v types.Interval) types.Interval {
	v.Days += int32(v.Micros / usecPerDay)
	v.Micros %= usecPerDay
	v.Months += v.Days / 30
	v.Days %= 30
	if v.Months > 0 && (v.Days < 0 || v.Days == 0 && v.Micros < 0) {
		v.Days += 30
		v.Months--
	} else if v.Months < 0 && (v.Days > 0 || v.Days == 0 && v.Micros > 0) {
		v.Days -= 30
		v.Months++
	}
	if v.Days > 0 && v.Micros < 0 {
		v.Micros += usecPerDay
		v.Days--
	} else if v.Days < 0 && v.Micros > 0 {
		v.Micros -= usecPerDay
		v.Days++
	}
	return v
}

func today(c *Ctx) int64 {
	local := toLocal(zoneOf(c), c.Env.Now)
	return local - timeOfDay(local)
}

// age counts years, months and days between two local times.
func age(a, b int64) (column.Datum, error) {
	if infinite(a) || infinite(b) {
		return column.Datum{}, types.ErrTimestampRange()
	}
	x, y := civilOf(a), civilOf(b)
	sign := 1
	if a < b {
		sign = -1
	}
	year, month, day := sign*(x.year-y.year), sign*(x.month-y.month), sign*(x.day-y.day)
	micros := int64(sign) * (x.micros - y.micros)
	if micros < 0 {
		micros += usecPerDay
		day--
	}
	for day < 0 {
		if sign < 0 {
			day += daysIn(x.year, x.month)
		} else {
			day += daysIn(y.year, y.month)
		}
		month--
	}
	for month < 0 {
		month += 12
		year--
	}
	return types.Interval{
		Months: int32(sign * (year*12 + month)), Days: int32(sign * day), Micros: int64(sign) * micros,
	}.Datum(), nil
}

// overlaps is the standard's predicate over two periods whose ends may be NULL or swapped.
func overlaps(typ OID) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		cmp := c.Env.Comparator(typ, 0)
		s1, e1, ok1 := period(cmp, a[0], a[1])
		s2, e2, ok2 := period(cmp, a[2], a[3])
		if !ok1 || !ok2 {
			return nullResult()
		}
		switch k := cmp(s1, s2); {
		case k > 0:
			if e2.Null {
				return nullResult()
			}
			if cmp(s1, e2) < 0 {
				return boolResult(true)
			}
			if e1.Null {
				return nullResult()
			}
			return boolResult(false)
		case k < 0:
			if e1.Null {
				return nullResult()
			}
			if cmp(s2, e1) < 0 {
				return boolResult(true)
			}
			if e2.Null {
				return nullResult()
			}
			return boolResult(false)
		}
		if e1.Null || e2.Null {
			return nullResult()
		}
		return boolResult(true)
	}
}

// period orders the ends of a period; a NULL becomes its end. False when both are NULL.
func period(cmp func(a, b column.Datum) int, s, e column.Datum) (start, end column.Datum, ok bool) {
	switch {
	case s.Null && e.Null:
		return s, e, false
	case s.Null:
		return e, s, true
	case !e.Null && cmp(s, e) > 0:
		return e, s, true
	}
	return s, e, true
}

func overlapsLength(add, test EvalFunc, first, second bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		b := append([]column.Datum(nil), a...)
		for i, isLength := range []bool{first, second} {
			s, e := 2*i, 2*i+1
			if !isLength {
				continue
			}
			if b[s].Null || b[e].Null {
				b[e] = column.Null()
				continue
			}
			end, err := add(c, b[s:e+1])
			if err != nil {
				return end, err
			}
			b[e] = end
		}
		return test(c, b)
	}
}
