package types

import (
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// DateToTimestamp returns midnight of a date.
func DateToTimestamp(day int64) (int64, error) {
	switch {
	case day == DateInfinity:
		return TimestampInfinity, nil
	case day == DateNegInfinity:
		return TimestampNegInfinity, nil
	case day >= endTimestamp/usecPerDay:
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return day * usecPerDay, nil
}

// DateToTimestamptz returns midnight of a date in a zone.
func DateToTimestamptz(day int64, z *Zone) (int64, error) {
	local, err := DateToTimestamp(day)
	if err != nil {
		return 0, err
	}
	return TimestampToTimestamptz(local, z)
}

// TimestampToDate returns the day of a timestamp.
func TimestampToDate(ts int64) int64 {
	switch ts {
	case TimestampInfinity:
		return DateInfinity
	case TimestampNegInfinity:
		return DateNegInfinity
	}
	day, _ := floorDiv(ts, usecPerDay)
	return day
}

// TimestampToTime returns the time of day of a finite timestamp.
func TimestampToTime(ts int64) int64 {
	_, tod := floorDiv(ts, usecPerDay)
	return tod
}

// TimestampToTimestamptz reads a local time in a zone.
func TimestampToTimestamptz(local int64, z *Zone) (int64, error) {
	if IsInfiniteTimestamp(local) {
		return local, nil
	}
	ts := local - int64(z.Resolve(local))*usecPerSec
	if !ValidTimestamp(ts) {
		return 0, ErrTimestampRange()
	}
	return ts, nil
}

// TimestamptzToTimestamp returns the local time of a moment in a zone.
func TimestamptzToTimestamp(ts int64, z *Zone) (int64, error) {
	if IsInfiniteTimestamp(ts) {
		return ts, nil
	}
	local := ts + int64(z.OffsetAt(ts))*usecPerSec
	if !ValidTimestamp(local) {
		return 0, ErrTimestampRange()
	}
	return local, nil
}

// TimestamptzToTimeTZ returns the time of day and offset of a moment in a zone.
func TimestamptzToTimeTZ(ts int64, z *Zone) TimeTZ {
	east := z.OffsetAt(ts)
	return TimeTZ{TimestampToTime(ts + int64(east)*usecPerSec), int32(-east)}
}

// AtOffset returns the same moment of the day in another offset.
func (t TimeTZ) AtOffset(west int32) TimeTZ {
	_, tod := floorDiv(t.Micros+int64(t.West-west)*usecPerSec, usecPerDay)
	return TimeTZ{tod, west}
}

// SessionZone returns the session's time zone, never nil.
func (e *Env) SessionZone() *Zone { return e.zone() }

// ZoneNamed returns the zone that AT TIME ZONE names: an abbreviation, whose meaning may
// depend on the time ts, or a zone. local says that ts is a local time in that zone.
func ZoneNamed(name string, ts int64, local bool) (*Zone, error) {
	lower := strings.ToLower(name)
	if a, ok := zoneAbbrevs()[lower]; ok {
		if local && a.zone != "" {
			if z, ok := LookupZone(a.zone); ok {
				ts -= int64(z.Resolve(ts)) * usecPerSec
			}
		}
		east, _ := a.at(lower, ts)
		return FixedZone(east), nil
	}
	if z, ok := LookupZone(name); ok {
		return z, nil
	}
	return nil, unknownZone(name)
}

// ZoneFromInterval returns the zone that AT TIME ZONE interval means.
func (e *Env) ZoneFromInterval(v Interval) (*Zone, error) {
	if v.Months != 0 || v.Days != 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "interval time zone \"%s\" must not include months or days",
			intervalOut(e, nil, nil, v.Datum()))
	}
	return FixedZone(int(v.Micros / usecPerSec)), nil
}

// ZoneForMake reads the zone of make_timestamptz: a signed offset, an abbreviation or a name.
func ZoneForMake(name string, local int64) (*Zone, error) {
	if name != "" && isDigit(name[0]) {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid input syntax for type %s: \"%s\"", "numeric time zone", name).
			WithHint("Numeric time zones must have \"-\" or \"+\" as first character.")
	}
	west, code := zoneOffset(name)
	switch code {
	case dateOK:
		return FixedZone(-west), nil
	case dateZoneOverflow:
		return nil, pgerr.New(pgerr.InvalidParameterValue, "numeric time zone \"%s\" out of range", name)
	}
	return ZoneNamed(name, local, true)
}

// MakeDate returns a date; negative years are BC.
func MakeDate(year, month, day int) (int64, error) {
	c, ok := makeCivil(year, month, day)
	if !ok {
		return 0, dateOutOfField(c.year, month, day)
	}
	d := int64(julian(c.year, c.month, c.day) - epochJulian)
	if !validJulian(c.year, c.month) || !ValidDate(d) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", c.year, month, day)
	}
	return d, nil
}

// makeCivil counts the years before Christ astronomically: 1 BC is 0.
func makeCivil(year, month, day int) (c civil, ok bool) {
	c = civil{year: year, month: month, day: day}
	if year < 0 && year != math.MinInt32 { // the lowest has no opposite
		c.year = year + 1
	}
	return c, year != 0 && year != math.MinInt32 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(c.year, month)
}

func dateOutOfField(year, month, day int) error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
}

// formatSeconds prints seconds as C's %02g.
func formatSeconds(sec float64) string {
	switch {
	case math.IsNaN(sec):
		return "NaN"
	case math.IsInf(sec, 0):
		return map[bool]string{true: "Infinity", false: "-Infinity"}[sec > 0]
	}
	s := string(appendG(nil, sec, 64, 6, 6))
	if len(s) < 2 {
		s = "0" + s
	}
	return s
}

// MakeTime returns a time of day.
func MakeTime(hour, minute int, sec float64) (int64, error) {
	micros := math.RoundToEven(sec * usecPerSec)
	if hour < 0 || hour > 24 || minute < 0 || minute > 59 || math.IsNaN(sec) || micros < 0 || micros > usecPerMinute ||
		int64(hour*60+minute)*usecPerMinute+int64(micros) > usecPerDay {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", hour, minute, formatSeconds(sec))
	}
	return int64(hour*60+minute)*usecPerMinute + int64(micros), nil
}

// MakeTimestamp returns a local timestamp.
func MakeTimestamp(year, month, day, hour, minute int, sec float64) (int64, error) {
	c, ok := makeCivil(year, month, day)
	if !ok {
		return 0, dateOutOfField(year, month, day)
	}
	tod, err := MakeTime(hour, minute, sec)
	if err != nil {
		return 0, err
	}
	midnight, ok := c.timestamp(0)
	if ok = ok && add64(&midnight, tod); !ok || !ValidTimestamp(midnight) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: %d-%02d-%02d %d:%02d:%s",
			year, month, day, hour, minute, formatSeconds(sec))
	}
	return midnight, nil
}

// MakeInterval adds up the arguments of make_interval. Months and days wrap around at 32
// bits, as they do in PostgreSQL 15.
func MakeInterval(years, months, weeks, days, hours, minutes int32, sec float64) (Interval, error) {
	if math.IsInf(sec, 0) || math.IsNaN(sec) {
		return Interval{}, ErrIntervalRange()
	}
	return Interval{
		Months: years*monthsPerYear + months,
		Days:   weeks*7 + days,
		Micros: int64(hours)*usecPerHour + int64(minutes)*usecPerMinute + int64(math.RoundToEven(sec*usecPerSec)),
	}, nil
}

// TimestamptzFromUnix converts seconds since 1970 (to_timestamp).
func TimestamptzFromUnix(sec float64) (int64, error) {
	switch {
	case math.IsNaN(sec):
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp cannot be NaN")
	case math.IsInf(sec, 1):
		return TimestampInfinity, nil
	case math.IsInf(sec, -1):
		return TimestampNegInfinity, nil
	}
	shifted := math.RoundToEven((sec - epochUnixSec) * usecPerSec)
	if shifted < minTimestamp || shifted >= endTimestamp {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", strconv.FormatFloat(sec, 'g', 6, 64))
	}
	return int64(shifted), nil
}
