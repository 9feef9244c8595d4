package functions

import (
	"fmt"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// intervalEvals are the arithmetic of intervals, age and overlaps.
var intervalEvals = map[string]EvalFunc{
	"interval_pl": overIntervals(types.Interval.Add),
	"interval_mi": overIntervals(types.Interval.Sub),
	"interval_um": justified(types.Interval.Neg),
	"interval_mul": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := types.IntervalFrom(a[0]).Mul(a[1].Float())
		return v.Datum(), err
	},
	"mul_d_interval": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := types.IntervalFrom(a[1]).Mul(a[0].Float())
		return v.Datum(), err
	},
	"interval_div": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := types.IntervalFrom(a[0]).Div(a[1].Float())
		return v.Datum(), err
	},
	"interval_justify_hours":    justified(types.Interval.JustifyHours),
	"interval_justify_days":     justified(types.Interval.JustifyDays),
	"interval_justify_interval": justified(types.Interval.JustifyInterval),
	"timestamp_age":             overInts(func(a, b int64) (column.Datum, error) { return age(a, b, types.UTC) }),
	"timestamptz_age": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return age(a[0].I, a[1].I, c.Env.SessionZone())
	},
	"age(timestamp)": func(c *Ctx, a []column.Datum) (column.Datum, error) { return age(today(c), a[0].I, types.UTC) },
	"age(timestamptz)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		midnight, err := types.TimestampToTimestamptz(today(c), c.Env.SessionZone())
		if err != nil {
			return column.Datum{}, err
		}
		return age(midnight, a[0].I, c.Env.SessionZone())
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

func today(c *Ctx) int64 {
	local := localOf(c, c.Env.Now)
	return local - timeOfDay(local)
}

func age(a, b int64, z *types.Zone) (column.Datum, error) {
	if min(a, b) == math.MinInt64 { // infinity is taken for the number it is stored as, -infinity is out of the calendar
		return column.Datum{}, types.ErrTimestampRange()
	}
	v, err := types.Age(a, b, z)
	return v.Datum(), err
}

// justified makes a function of one interval to another.
func justified(f func(types.Interval) (types.Interval, error)) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := f(types.IntervalFrom(a[0]))
		return v.Datum(), err
	}
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
