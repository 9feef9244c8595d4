package types

import (
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// dateError is what is wrong with date, time or interval text.
type dateError uint8

const (
	dateOK dateError = iota
	dateBadFormat
	dateFieldOverflow
	dateMonthDayOverflow // perhaps the wrong DateStyle
	dateIntervalOverflow
	dateZoneOverflow
	dateUnknownZone // zone is the name
)

// dateParseError makes the user's error.
func dateParseError(code dateError, zone, s, typeName string) error {
	switch code {
	case dateFieldOverflow:
		return pgerr.New(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s)
	case dateMonthDayOverflow:
		return pgerr.New(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s).
			WithHint("Perhaps you need a different \"datestyle\" setting.")
	case dateIntervalOverflow:
		return pgerr.New(pgerr.IntervalFieldOverflow, "interval field value out of range: \"%s\"", s)
	case dateZoneOverflow:
		return pgerr.New(pgerr.InvalidTimeZoneDisplacementValue, "time zone displacement out of range: \"%s\"", s)
	case dateUnknownZone:
		return unknownZone(zone)
	}
	return pgerr.New(pgerr.InvalidDatetimeFormat, "invalid input syntax for type %s: \"%s\"", typeName, s)
}

func unknownZone(zone string) error {
	return pgerr.New(pgerr.InvalidParameterValue, "time zone \"%s\" not recognized", zone)
}

// dateDecoder gathers the fields of a date and time. It keeps PostgreSQL's rules, which
// depend on the order of fields and on what has been seen before.
type dateDecoder struct {
	e         *Env
	timeOnly  bool // reading time or timetz
	fields    []dateField
	seen      fieldMask
	c         civil
	special   unit // uEpoch, uLate or uEarly instead of a date
	prefix    unit // what the next number is, after a word such as "y" or "j"
	meridiem  int  // 1 AM, 2 PM
	textMonth bool
	julian    bool
	twoDigits bool // a year of one or two digits
	bc        bool
	west      int // the zone's offset, seconds west of UTC, when mTZ is seen
	zone      *Zone
	abbrev    zoneAbbrev
	abbrevID  string
	badZone   string
}

func (d *dateDecoder) decode() dateError {
	for i := range d.fields {
		mask, skip, err := d.field(i)
		if err != dateOK {
			return err
		}
		if skip {
			continue
		}
		if mask&d.seen != 0 {
			return dateBadFormat
		}
		d.seen |= mask
	}
	if d.special != uNone {
		return dateOK
	}
	if err := d.validate(); err != dateOK {
		return err
	}
	if d.meridiem != 0 && d.c.hour > 12 {
		return dateFieldOverflow
	}
	switch {
	case d.meridiem == 1 && d.c.hour == 12:
		d.c.hour = 0
	case d.meridiem == 2 && d.c.hour != 12:
		d.c.hour += 12
	}
	if d.timeOnly {
		return d.finishTime()
	}
	return d.finishDate()
}

// finishDate checks that there is a date, and finds the offset of the zone.
func (d *dateDecoder) finishDate() dateError {
	if d.seen&mDate != mDate {
		return dateBadFormat
	}
	return d.resolveZone(d.c)
}

// finishTime does the same for a time, whose date is today's when none is given.
func (d *dateDecoder) finishTime() dateError {
	if timeOverflows(&d.c) {
		return dateFieldOverflow
	}
	if d.seen&mTime != mTime {
		return dateBadFormat
	}
	if d.zone != nil && d.zone.fixed && d.seen&mDTZMod == 0 {
		d.west = -d.zone.east
		return dateOK
	}
	at := d.c
	switch {
	case d.seen&mDate == mDate:
	case d.seen&mDate != 0 || d.zone != nil:
		if d.zone != nil || d.abbrevID != "" || d.seen&mTZ == 0 {
			return dateBadFormat
		}
	default:
		today := d.e.localNow()
		at.year, at.month, at.day = today.year, today.month, today.day
	}
	return d.resolveZone(at)
}

func (d *dateDecoder) resolveZone(at civil) dateError {
	zone := d.zone
	switch {
	case zone == nil && d.abbrevID == "" && d.seen&mTZ != 0:
		return dateOK
	case d.seen&mDTZMod != 0:
		return dateBadFormat // "DST" needs a plain standard time
	case d.abbrevID != "":
		local := at.localTimestamp()
		guess, _ := d.abbrev.at(d.abbrevID, local)
		if z, ok := LookupZone(d.abbrev.zone); ok {
			guess = z.Resolve(local)
		}
		east, _ := d.abbrev.at(d.abbrevID, local-int64(guess)*usecPerSec)
		d.west = -east
		return dateOK
	case zone == nil:
		zone = d.e.zone()
	}
	d.west = -zone.Resolve(at.localTimestamp())
	return dateOK
}

// localTimestamp is timestamp for the search of offsets: out of range is any moment.
func (c *civil) localTimestamp() int64 {
	ts, ok := c.timestamp(0)
	if !ok {
		return 0
	}
	return ts
}

// validate checks year, month and day once all fields are known.
func (d *dateDecoder) validate() dateError {
	c := &d.c
	if d.seen&mYear != 0 && !d.julian {
		switch {
		case d.bc:
			if c.year <= 0 {
				return dateFieldOverflow
			}
			c.year = -(c.year - 1)
		case d.twoDigits:
			if c.year < 0 {
				return dateFieldOverflow
			}
			if c.year < 70 {
				c.year += 2000
			} else if c.year < 100 {
				c.year += 1900
			}
		case c.year <= 0:
			return dateFieldOverflow
		}
	}
	if d.seen&mDOY != 0 {
		c.year, c.month, c.day = fromJulian(julian(c.year, 1, 1) + c.yday - 1)
	}
	if d.seen&mMonth != 0 && (c.month < 1 || c.month > 12) {
		return dateMonthDayOverflow
	}
	if d.seen&mDay != 0 && (c.day < 1 || c.day > 31) {
		return dateMonthDayOverflow
	}
	if d.seen&mDate == mDate && c.day > daysIn(c.year, c.month) {
		return dateFieldOverflow
	}
	return dateOK
}

func timeOverflows(c *civil) bool {
	return c.hour < 0 || c.hour > 24 || c.min < 0 || c.min > 59 || c.sec < 0 || c.sec > 60 ||
		c.usec < 0 || c.usec > usecPerSec || c.timeOfDay() > usecPerDay
}

// parseDigits reads an integer at the start of s: its value and what follows. ok is
// false when it does not fit 32 bits. No digits give 0, as strtol does.
func parseDigits(s string) (v int, rest string, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if start == i {
		return 0, s, true
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxInt32 {
		return 0, s[i:], false
	}
	return int(n), s[i:], true
}

// parseFraction reads ".25" as a float; a lone point is 0.
func parseFraction(s string) (float64, bool) {
	if len(s) == 1 {
		return 0, true
	}
	for i := 1; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat("0"+s, 64)
	return f, err == nil
}

// parseMicroseconds reads ".25" as microseconds, rounded to even.
func parseMicroseconds(s string) (int, dateError) {
	f, ok := parseFraction(s)
	if !ok {
		return 0, dateBadFormat
	}
	return int(math.RoundToEven(f * usecPerSec)), dateOK
}

// zoneOffset reads a numeric zone: a sign and h, hh, hhmm, hh:mm or hh:mm:ss. The result
// is in seconds west of UTC.
func zoneOffset(s string) (int, dateError) {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, dateBadFormat
	}
	hour, rest, ok := parseDigits(s[1:])
	if !ok {
		return 0, dateZoneOverflow
	}
	minute, sec := 0, 0
	switch {
	case strings.HasPrefix(rest, ":"):
		if minute, rest, ok = parseDigits(rest[1:]); !ok {
			return 0, dateZoneOverflow
		}
		if strings.HasPrefix(rest, ":") {
			if sec, rest, ok = parseDigits(rest[1:]); !ok {
				return 0, dateZoneOverflow
			}
		}
	case rest == "" && len(s) > 3:
		hour, minute = hour/100, hour%100
	}
	if hour < 0 || hour > 15 || minute < 0 || minute > 59 || sec < 0 || sec > 59 {
		return 0, dateZoneOverflow
	}
	if rest != "" {
		return 0, dateBadFormat
	}
	west := -(hour*3600 + minute*60 + sec)
	if s[0] == '-' {
		west = -west
	}
	return west, dateOK
}

// decodeClock reads hh:mm, hh:mm:ss and mm:ss.fff; the hour may be any number of 64 bits
// for intervals. minuteToSecond makes two fields minutes and seconds.
func decodeClock(s string, minuteToSecond bool) (hour int64, minute, sec, usec int, err dateError) {
	i := strings.IndexByte(s, ':')
	if i < 0 {
		return 0, 0, 0, 0, dateBadFormat
	}
	if i > 0 {
		h, perr := strconv.ParseInt(s[:i], 10, 64)
		if perr != nil {
			return 0, 0, 0, 0, dateFieldOverflow
		}
		hour = h
	}
	minute, rest, ok := parseDigits(s[i+1:])
	if !ok {
		return 0, 0, 0, 0, dateFieldOverflow
	}
	switch {
	case rest == "":
		if minuteToSecond {
			if hour > math.MaxInt32 {
				return 0, 0, 0, 0, dateFieldOverflow
			}
			hour, minute, sec = 0, int(hour), minute
		}
	case rest[0] == '.':
		if usec, err = parseMicroseconds(rest); err != dateOK {
			return 0, 0, 0, 0, err
		}
		if hour > math.MaxInt32 {
			return 0, 0, 0, 0, dateFieldOverflow
		}
		hour, minute, sec = 0, int(hour), minute
	case rest[0] == ':':
		if sec, rest, ok = parseDigits(rest[1:]); !ok {
			return 0, 0, 0, 0, dateFieldOverflow
		}
		if rest != "" {
			if rest[0] != '.' {
				return 0, 0, 0, 0, dateBadFormat
			}
			if usec, err = parseMicroseconds(rest); err != dateOK {
				return 0, 0, 0, 0, err
			}
		}
	default:
		return 0, 0, 0, 0, dateBadFormat
	}
	if hour < 0 || minute < 0 || minute > 59 || sec < 0 || sec > 60 || usec < 0 || usec > usecPerSec {
		return 0, 0, 0, 0, dateFieldOverflow
	}
	return hour, minute, sec, usec, dateOK
}
