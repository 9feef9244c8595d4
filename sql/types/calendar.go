package types

import "math"

// Units of time.
const (
	usecPerSec    = 1_000_000
	usecPerMinute = 60 * usecPerSec
	usecPerHour   = 3600 * usecPerSec
	usecPerDay    = 86400 * usecPerSec
	secPerDay     = 86400
	daysPerMonth  = 30
	monthsPerYear = 12

	epochJulian     = 2451545 // 2000-01-01, day 0 of dates and timestamps
	unixEpochJulian = 2440588 // 1970-01-01
	epochUnixSec    = (epochJulian - unixEpochJulian) * secPerDay
)

// The limits of dates and timestamps: 4713-11-24 BC (Julian day 0) up to
// 5874898-01-01 and 294277-01-01, exclusively.
const (
	minDate      = -epochJulian
	endDate      = 2147483494 - epochJulian
	minTimestamp = -211813488000000000
	endTimestamp = 9223371331200000000
)

// The infinities.
const (
	DateInfinity         = math.MaxInt32
	DateNegInfinity      = math.MinInt32
	TimestampInfinity    = math.MaxInt64
	TimestampNegInfinity = math.MinInt64
)

// civil is a broken-down local time. Year 0 is 1 BC.
type civil struct {
	year, month, day int
	hour, min, sec   int
	usec             int
	yday             int // 1..366, when read as a day of the year
}

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

var monthDays = [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// daysIn returns the length of a month 1..12.
func daysIn(year, month int) int {
	if month == 2 && isLeap(year) {
		return 29
	}
	return monthDays[month-1]
}

// julian returns the Julian day number of a Gregorian date. It wraps outside of
// the range that validJulian accepts, as PostgreSQL's 32-bit arithmetic does not.
func julian(y, m, d int) int {
	if m > 2 {
		m++
		y += 4800
	} else {
		m += 13
		y += 4799
	}
	century := y / 100
	j := y*365 - 32167
	j += y/4 - century + century/4
	return j + 7834*m/256 + d
}

// validJulian reports whether julian computes the date correctly.
func validJulian(y, m int) bool {
	return (y > -4713 || y == -4713 && m >= 11) && (y < 5874898 || y == 5874898 && m < 6)
}

// fromJulian is the inverse of julian, by PostgreSQL's variant of Fliegel and Van Flandern.
func fromJulian(jd int) (year, month, day int) {
	j := uint32(jd)
	j += 32044
	quad := j / 146097
	extra := (j-quad*146097)*4 + 3
	j += 60 + quad*3 + extra/146097
	quad = j / 1461
	j -= quad * 1461
	y := int(j * 4 / 1461)
	if y != 0 {
		j = (j + 305) % 365
	} else {
		j = (j + 306) % 366
	}
	j += 123
	y += int(quad * 4)
	quad = j * 2141 / 65536
	return y - 4800, int((quad+10)%12) + 1, int(j - 7834*quad/256)
}

// weekday returns 0 for Sunday to 6 for Saturday.
func weekday(jd int) int {
	w := (jd + 1) % 7
	if w < 0 {
		w += 7
	}
	return w
}

// timeOfDay returns the microseconds since midnight.
func (c *civil) timeOfDay() int64 {
	return int64(c.hour*3600+c.min*60+c.sec)*usecPerSec + int64(c.usec)
}

// setTime fills in the clock fields from microseconds since midnight.
func (c *civil) setTime(usec int64) {
	c.hour = int(usec / usecPerHour)
	usec -= int64(c.hour) * usecPerHour
	c.min = int(usec / usecPerMinute)
	usec -= int64(c.min) * usecPerMinute
	c.sec = int(usec / usecPerSec)
	c.usec = int(usec - int64(c.sec)*usecPerSec)
}

// floorDiv splits a timestamp into days and the time of day.
func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q--
		r += b
	}
	return q, r
}

// civilFromTimestamp breaks a finite local timestamp down.
func civilFromTimestamp(ts int64) civil { return civilAt(ts, UTC) }

// civilAt returns the local time of a zone; even that of infinity, which is a number as well.
func civilAt(ts int64, z *Zone) civil {
	var c civil
	days, tod := floorDiv(ts, usecPerDay)
	carry, tod := floorDiv(tod+int64(z.OffsetAt(ts))*usecPerSec, usecPerDay)
	days += carry
	c.year, c.month, c.day = fromJulian(int(days) + epochJulian)
	c.setTime(tod)
	return c
}

// timestamp returns the local timestamp of c; false when it is out of range. A zone
// offset in seconds east of UTC is taken off.
func (c *civil) timestamp(east int) (int64, bool) {
	if !validJulian(c.year, c.month) {
		return 0, false
	}
	days := int64(julian(c.year, c.month, c.day) - epochJulian)
	tod := c.timeOfDay()
	sum := days*usecPerDay + tod
	if (sum-tod)/usecPerDay != days || sum < 0 && days > 0 || sum > 0 && days < -1 {
		return 0, false
	}
	sum -= int64(east) * usecPerSec
	return sum, ValidTimestamp(sum)
}

// ValidTimestamp reports whether a finite timestamp is in PostgreSQL's range.
func ValidTimestamp(ts int64) bool { return ts >= minTimestamp && ts < endTimestamp }

// ValidDate reports whether a finite date is in PostgreSQL's range.
func ValidDate(d int64) bool { return d >= minDate && d < endDate }

// IsInfiniteDate reports whether d is ±infinity.
func IsInfiniteDate(d int64) bool { return d == DateInfinity || d == DateNegInfinity }

// IsInfiniteTimestamp reports whether ts is ±infinity.
func IsInfiniteTimestamp(ts int64) bool {
	return ts == TimestampInfinity || ts == TimestampNegInfinity
}
