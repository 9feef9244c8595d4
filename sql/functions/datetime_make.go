package functions

import (
	"fmt"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// makeEvals build dates and times from numbers.
var makeEvals = map[string]EvalFunc{
	"make_date": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		d, err := makeDate(a[0].I, a[1].I, a[2].I)
		return column.IntDatum(d), err
	},
	"make_time": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		t, err := makeTime(a[0].I, a[1].I, a[2].Float())
		return column.IntDatum(t), err
	},
	"make_timestamp": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := makeTimestamp(a)
		return column.IntDatum(ts), err
	},
	"make_timestamptz": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := makeTimestamp(a)
		if err == nil {
			ts, err = fromLocal(zoneOf(c), ts)
		}
		return column.IntDatum(ts), err
	},
	"make_timestamptz_at_timezone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := makeTimestamp(a)
		if err != nil {
			return column.Datum{}, err
		}
		z, err := namedZone(c, a[6].String(), ts)
		if err != nil {
			return column.Datum{}, err
		}
		ts, err = fromLocal(z, ts)
		return column.IntDatum(ts), err
	},
	"make_interval": makeInterval,
	"float8_timestamptz": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		s := a[0].Float()
		switch {
		case math.IsNaN(s):
			return column.Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp cannot be NaN")
		case math.IsInf(s, 1):
			return intResult(types.TimestampInfinity)
		case math.IsInf(s, -1):
			return intResult(types.TimestampNegInfinity)
		}
		us := math.RoundToEven((s - unixEpochDays*86400) * 1e6)
		if !(us >= -0x1p63 && us < 0x1p63) || !types.ValidTimestamp(int64(us)) {
			return column.Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%g\"", s)
		}
		return intResult(int64(us))
	},
}

func makeDate(year, month, day int64) (int64, error) {
	bad := func() error {
		return pgerr.New(pgerr.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	}
	y := year
	if y < 0 {
		y++
	} else if y == 0 {
		return 0, bad()
	}
	if month < 1 || month > 12 || day < 1 || y > 1<<24 || y < -(1<<24) || day > int64(daysIn(int(y), int(month))) {
		return 0, bad()
	}
	d := civilDays(int(y), int(month), int(day))
	if !types.ValidDate(d) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", year, month, day)
	}
	return d, nil
}

func makeTime(hour, minute int64, sec float64) (int64, error) {
	if hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(sec >= 0 && sec <= 60) ||
		hour == 24 && (minute > 0 || sec > 0) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", hour, minute, secondsText(sec))
	}
	return hour*usecPerHour + minute*usecPerMin + int64(math.RoundToEven(sec*1e6)), nil
}

// secondsText prints like C's %02g.
func secondsText(sec float64) string {
	s := fmt.Sprintf("%.6g", sec)
	var f float64
	if _, err := fmt.Sscan(s, &f); err == nil {
		s = fmt.Sprintf("%v", f)
	}
	if len(s) < 2 {
		s = "0" + s
	}
	return s
}

// makeTimestamp reads year, month, day, hour, minute and seconds.
func makeTimestamp(a []column.Datum) (int64, error) {
	d, err := makeDate(a[0].I, a[1].I, a[2].I)
	if err != nil {
		return 0, err
	}
	t, err := makeTime(a[3].I, a[4].I, a[5].Float())
	if err != nil {
		return 0, err
	}
	ts, err := dateToTimestamp(d)
	if err != nil || !types.ValidTimestamp(ts+t) {
		return 0, types.ErrTimestampRange()
	}
	return ts + t, nil
}

func makeInterval(_ *Ctx, a []column.Datum) (column.Datum, error) {
	years, months, weeks, days, hours, mins, secs := a[0].I, a[1].I, a[2].I, a[3].I, a[4].I, a[5].I, a[6].Float()
	m, d := years*12+months, weeks*7+days
	micros := float64(hours*usecPerHour+mins*usecPerMin) + math.RoundToEven(secs*1e6)
	if m != int64(int32(m)) || d != int64(int32(d)) || math.IsNaN(secs) || math.IsInf(secs, 0) || !(math.Abs(micros) < 0x1p63) {
		return column.Datum{}, types.ErrIntervalRange()
	}
	us := hours*usecPerHour + mins*usecPerMin + int64(math.RoundToEven(secs*1e6))
	return types.Interval{Micros: us, Days: int32(d), Months: int32(m)}.Datum(), nil
}
