package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

const (
	usecPerSec  = int64(1_000_000)
	usecPerMin  = 60 * usecPerSec
	usecPerHour = 60 * usecPerMin
	usecPerDay  = 24 * usecPerHour

	// epochJulian is the Julian day of 2000-01-01, day 0 of dates and timestamps.
	epochJulian = 2451545
	// unixEpochDays is the distance from 1970-01-01 to 2000-01-01.
	unixEpochDays = 10957
)

// civil is a timestamp taken apart. Years are astronomical: 0 is 1 BC.
type civil struct {
	year, month, day int
	micros           int64 // since midnight
}

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

func civilOf(ts int64) civil {
	days, micros := floorDiv(ts, usecPerDay)
	c := dateCivil(days)
	c.micros = micros
	return c
}

// dateCivil splits days since 2000-01-01 (Hinnant, chrono-compatible low-level date algorithms).
func dateCivil(days int64) civil {
	z := days + 730425 // days since 0000-03-01
	era, doe := floorDiv(z, 146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	c := civil{day: int(doy - (153*mp+2)/5 + 1), month: int(mp + 3), year: int(yoe + era*400)}
	if c.month > 12 {
		c.month -= 12
		c.year++
	}
	return c
}

// civilDays returns days since 2000-01-01; months may run over.
func civilDays(year, month, day int) int64 {
	m0, m := floorDiv(int64(month)-1, 12)
	y, mon := int64(year)+m0, m+1
	if mon <= 2 {
		y--
		mon += 12
	}
	era, yoe := floorDiv(y, 400)
	doy := (153*(mon-3)+2)/5 + int64(day) - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 730425
}

func (c civil) days() int64 { return civilDays(c.year, c.month, c.day) }

// timestamp puts the parts together; the result may be out of range.
func (c civil) timestamp() int64 { return c.days()*usecPerDay + c.micros }

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(year, month int) int {
	switch month {
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// weekday is 0 on Sundays.
func (c civil) weekday() int {
	_, r := floorDiv(c.days()+6, 7)
	return int(r)
}

func (c civil) yearDay() int { return int(c.days()-civilDays(c.year, 1, 1)) + 1 }

// isoWeek returns ISO 8601's year, week and day (Monday is 1).
func (c civil) isoWeek() (year, week, day int) {
	day = (c.weekday()+6)%7 + 1
	thursday := dateCivil(c.days() + int64(4-day))
	return thursday.year, (thursday.yearDay()-1)/7 + 1, day
}

// isoWeekStart returns the days of the Monday of an ISO week.
func isoWeekStart(year, week int) int64 {
	fourth := civilDays(year, 1, 4)
	monday := fourth - int64((dateCivil(fourth).weekday()+6)%7)
	return monday + int64(week-1)*7
}

// yearName is the year as people count it: there is no year 0, and BC is negative.
func (c civil) yearName() int {
	if c.year > 0 {
		return c.year
	}
	return c.year - 1
}

func zoneOf(c *Ctx) *types.Zone {
	if c.Env.TimeZone == nil {
		return types.UTC
	}
	return c.Env.TimeZone
}

// toLocal turns an instant into the local time of a zone.
func toLocal(z *types.Zone, ts int64) int64 {
	return ts + int64(z.OffsetAt(ts))*usecPerSec
}

// fromLocal turns a local time of a zone into the instant.
func fromLocal(z *types.Zone, local int64) (int64, error) {
	ts := local - int64(z.Resolve(local))*usecPerSec
	if !types.ValidTimestamp(ts) {
		return 0, types.ErrTimestampRange()
	}
	return ts, nil
}

func infinite(ts int64) bool { return types.IsInfiniteTimestamp(ts) }

func timestampResult(ts int64) (column.Datum, error) {
	if !types.ValidTimestamp(ts) {
		return column.Datum{}, types.ErrTimestampRange()
	}
	return column.Datum{I: ts}, nil
}

// dateToTimestamp keeps infinities.
func dateToTimestamp(d int64) (int64, error) {
	switch d {
	case types.DateInfinity:
		return types.TimestampInfinity, nil
	case types.DateNegInfinity:
		return types.TimestampNegInfinity, nil
	}
	if d > math.MaxInt64/usecPerDay || d < math.MinInt64/usecPerDay || !types.ValidTimestamp(d*usecPerDay) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return d * usecPerDay, nil
}

// timestampToDate keeps infinities.
func timestampToDate(ts int64) int64 {
	switch ts {
	case types.TimestampInfinity:
		return types.DateInfinity
	case types.TimestampNegInfinity:
		return types.DateNegInfinity
	}
	d, _ := floorDiv(ts, usecPerDay)
	return d
}

func timeOfDay(ts int64) int64 {
	_, r := floorDiv(ts, usecPerDay)
	return r
}

// addInterval adds months (staying within the month), days and time to a local timestamp.
func addInterval(ts int64, v types.Interval) (int64, error) {
	if infinite(ts) {
		return ts, nil
	}
	ts, err := addDays(ts, v.Months, v.Days)
	if err != nil {
		return 0, err
	}
	sum := ts + v.Micros
	if addOverflows(ts, v.Micros, sum) || !types.ValidTimestamp(sum) {
		return 0, types.ErrTimestampRange()
	}
	return sum, nil
}

func addDays(ts int64, months, days int32) (int64, error) {
	if months == 0 && days == 0 {
		return ts, nil
	}
	c := civilOf(ts)
	if months != 0 {
		y, m := floorDiv(int64(c.year)*12+int64(c.month)-1+int64(months), 12)
		c.year, c.month = int(y), int(m)+1
		c.day = min(c.day, daysIn(c.year, c.month))
	}
	d := c.days() + int64(days)
	if d > 1<<40 || d < -(1<<40) || !types.ValidDate(d) {
		return 0, types.ErrTimestampRange()
	}
	ts = d*usecPerDay + c.micros
	if d*usecPerDay/usecPerDay != d || !types.ValidTimestamp(ts) {
		return 0, types.ErrTimestampRange()
	}
	return ts, nil
}

// addIntervalIn adds months and days in the local time of a zone, the rest to the instant.
func addIntervalIn(z *types.Zone, ts int64, v types.Interval) (int64, error) {
	if infinite(ts) {
		return ts, nil
	}
	if v.Months != 0 || v.Days != 0 {
		local, err := addDays(toLocal(z, ts), v.Months, v.Days)
		if err != nil {
			return 0, err
		}
		if ts, err = fromLocal(z, local); err != nil {
			return 0, err
		}
	}
	sum := ts + v.Micros
	if addOverflows(ts, v.Micros, sum) || !types.ValidTimestamp(sum) {
		return 0, types.ErrTimestampRange()
	}
	return sum, nil
}

func negate(v types.Interval) (types.Interval, error) {
	if v.Months == math.MinInt32 || v.Days == math.MinInt32 || v.Micros == math.MinInt64 {
		return v, types.ErrIntervalRange()
	}
	return types.Interval{Micros: -v.Micros, Days: -v.Days, Months: -v.Months}, nil
}
