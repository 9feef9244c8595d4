package types

import (
	"github.com/omendb/omendb/sql/pgerr"
)

// unitNamed finds the unit that a word names, for extract, or with
// onlyUnits for date_trunc, which knows fewer. Words of another meaning give uNone and true.
func unitNamed(word string, onlyUnits bool) (unit, bool) {
	word = clipToken(LowerASCII(word))
	if t, ok := unitTokens[word]; ok {
		if t.class == mUnits {
			return unit(t.value), true
		}
		return uNone, true
	}
	if onlyUnits {
		return uNone, false
	}
	switch t := dateTokens[word]; t.class {
	case mUnits:
		return unit(t.value), true
	case mReserved:
		return unit(t.value), true
	}
	return uNone, false
}

func unitUnknown(word string, t OID) error {
	return pgerr.New(pgerr.InvalidParameterValue, "unit \"%s\" not recognized for type %s", LowerASCII(word), new(Env).TypeName(t))
}

func unitUnsupported(word string, t OID) *pgerr.Error {
	return pgerr.New(pgerr.FeatureNotSupported, "unit \"%s\" not supported for type %s", LowerASCII(word), new(Env).TypeName(t))
}

// eraYear rounds a year down to the first of its decade, century or millennium.
func eraYear(year, span int) int {
	if year > 0 {
		return (year+span-1)/span*span - span + 1
	}
	return -((span-1-(year-1))/span)*span + 1
}

// TruncTimestamp cuts a local timestamp to a unit.
func TruncTimestamp(word string, ts int64) (int64, error) {
	if IsInfiniteTimestamp(ts) {
		return ts, nil
	}
	c := civilFromTimestamp(ts)
	if _, err := c.trunc(word, TimestampOID); err != nil {
		return 0, err
	}
	r, ok := c.timestamp(0)
	if !ok {
		return 0, ErrTimestampRange()
	}
	return r, nil
}

// TruncTimestamptz cuts a moment to a unit of a zone's local time.
func TruncTimestamptz(word string, ts int64, z *Zone) (int64, error) {
	if IsInfiniteTimestamp(ts) {
		return ts, nil
	}
	east := z.OffsetAt(ts)
	c := civilFromTimestamp(ts + int64(east)*usecPerSec)
	days, err := c.trunc(word, TimestamptzOID)
	if err != nil {
		return 0, err
	}
	if days {
		east = z.Resolve(c.localTimestamp())
	}
	r, ok := c.timestamp(east)
	if !ok {
		return 0, ErrTimestampRange()
	}
	return r, nil
}

// trunc cuts c; t is the type named in errors, days says that the unit was at least a day.
func (c *civil) trunc(word string, t OID) (days bool, err error) {
	u, known := unitNamed(word, true)
	if !known || u == uNone {
		return false, unitUnknown(word, t)
	}
	switch u {
	case uMicrosecond:
		return false, nil
	case uMillisecond:
		c.usec = c.usec / 1000 * 1000
		return false, nil
	case uSecond, uMinute, uHour:
		c.usec = 0
		if u != uSecond {
			c.sec = 0
		}
		if u == uHour {
			c.min = 0
		}
		return false, nil
	case uDay:
	case uWeek:
		jd := julian(c.year, c.month, c.day)
		c.year, c.month, c.day = fromJulian(jd - (weekday(jd)+6)%7)
	case uMonth:
		c.day = 1
	case uQuarter:
		c.month, c.day = 3*((c.month-1)/3)+1, 1
	case uYear:
		c.month, c.day = 1, 1
	case uDecade:
		c.month, c.day = 1, 1
		if c.year > 0 {
			c.year = c.year / 10 * 10
		} else {
			c.year = -((8 - (c.year - 1)) / 10) * 10
		}
	case uCentury:
		c.year, c.month, c.day = eraYear(c.year, 100), 1, 1
	case uMillennium:
		c.year, c.month, c.day = eraYear(c.year, 1000), 1, 1
	default:
		return false, unitUnsupported(word, t)
	}
	c.hour, c.min, c.sec, c.usec = 0, 0, 0, 0
	return true, nil
}

// TruncLength returns how long a unit of date_trunc is, in microseconds of local
// time: even says that all are of this length, else it is the longest one's. It
// is 0 for a word that date_trunc does not know.
func TruncLength(word string) (length int64, even bool) {
	u, known := unitNamed(word, true)
	if !known {
		return 0, false
	}
	switch u {
	case uMicrosecond:
		return 1, true
	case uMillisecond:
		return 1000, true
	case uSecond:
		return usecPerSec, true
	case uMinute:
		return usecPerMinute, true
	case uHour:
		return usecPerHour, true
	case uDay:
		return usecPerDay, true
	case uWeek:
		return 7 * usecPerDay, true
	case uMonth:
		return 31 * usecPerDay, false
	case uQuarter:
		return 92 * usecPerDay, false
	case uYear:
		return 366 * usecPerDay, false
	case uDecade:
		return 3653 * usecPerDay, false
	case uCentury:
		return 36525 * usecPerDay, false
	case uMillennium:
		return 365250 * usecPerDay, false
	}
	return 0, false
}

// TruncInterval cuts an interval to a unit.
func TruncInterval(word string, v Interval) (Interval, error) {
	u, known := unitNamed(word, true)
	if !known || u == uNone {
		return v, unitUnknown(word, IntervalOID)
	}
	months := func(n int32) (Interval, error) { return Interval{Months: v.Months / n * n}, nil }
	micros := func(n int64) (Interval, error) {
		v.Micros = v.Micros / n * n
		return v, nil
	}
	switch u {
	case uMillennium:
		return months(12000)
	case uCentury:
		return months(1200)
	case uDecade:
		return months(120)
	case uYear:
		return months(12)
	case uQuarter:
		return months(3)
	case uMonth:
		return months(1)
	case uDay:
		return Interval{Months: v.Months, Days: v.Days}, nil
	case uHour:
		return micros(usecPerHour)
	case uMinute:
		return micros(usecPerMinute)
	case uSecond:
		return micros(usecPerSec)
	case uMillisecond:
		return micros(1000)
	case uMicrosecond:
		return v, nil
	case uWeek:
		return v, unitUnsupported(word, IntervalOID).WithDetail("Months usually have fractional weeks.")
	}
	return v, unitUnsupported(word, IntervalOID)
}

// part is a value of extract: NULL when null is set.
type partResult struct {
	n    Numeric
	null bool
}

func whole(v int) partResult { return partResult{n: NumericFromInt64(int64(v))} }

func scaledPart(micros int64, scale int) partResult {
	return partResult{n: NumericScaled(micros, scale)}
}

// clockPart extracts what a time of day has.
func clockPart(u unit, tod int64) (partResult, bool) {
	var c civil
	c.setTime(tod)
	switch u {
	case uMicrosecond:
		return whole(c.sec*usecPerSec + c.usec), true
	case uMillisecond:
		return scaledPart(int64(c.sec)*usecPerSec+int64(c.usec), 3), true
	case uSecond:
		return scaledPart(int64(c.sec)*usecPerSec+int64(c.usec), 6), true
	case uMinute:
		return whole(c.min), true
	case uHour:
		return whole(c.hour), true
	}
	return partResult{}, false
}

// isoWeek returns the ISO year and week of a day.
func isoWeek(jd int) (year, week int) {
	thursday := jd - (weekday(jd)+6)%7 + 3
	year, _, _ = fromJulian(thursday)
	return year, (thursday-julian(year, 1, 1))/7 + 1
}

// spanOf counts decades, centuries or millennia.
func spanOf(year, span int) int {
	if span == 10 {
		if year >= 0 {
			return year / 10
		}
		return -((8 - (year - 1)) / 10)
	}
	if year > 0 {
		return (year + span - 1) / span
	}
	return -((span - 1 - (year - 1)) / span)
}

// dayPart extracts what a date has, but for the Julian day and the epoch.
func dayPart(u unit, c *civil) (partResult, bool) {
	jd := julian(c.year, c.month, c.day)
	switch u {
	case uDay:
		return whole(c.day), true
	case uMonth:
		return whole(c.month), true
	case uQuarter:
		return whole((c.month-1)/3 + 1), true
	case uWeek:
		_, week := isoWeek(jd)
		return whole(week), true
	case uYear:
		return whole(noYearZero(c.year)), true
	case uISOYear:
		year, _ := isoWeek(jd)
		return whole(noYearZero(year)), true
	case uDecade:
		return whole(spanOf(c.year, 10)), true
	case uCentury:
		return whole(spanOf(c.year, 100)), true
	case uMillennium:
		return whole(spanOf(c.year, 1000)), true
	case uDOW:
		return whole(weekday(jd)), true
	case uISODOW:
		return whole((weekday(jd)+6)%7 + 1), true
	case uDOY:
		return whole(jd - julian(c.year, 1, 1) + 1), true
	}
	return partResult{}, false
}

func noYearZero(year int) int {
	if year > 0 {
		return year
	}
	return year - 1
}

// infinitePart extracts from an infinite moment: what only grows is infinite, what
// comes round again is NULL.
func infinitePart(u unit, positive bool) (partResult, bool) {
	switch u {
	case uMicrosecond, uMillisecond, uSecond, uMinute, uHour, uDay, uMonth, uQuarter, uWeek, uDOW, uISODOW, uDOY,
		uTZ, uTZHour, uTZMinute:
		return partResult{null: true}, true
	case uYear, uDecade, uCentury, uMillennium, uJulian, uISOYear, uEpoch:
		if positive {
			return partResult{n: NumericInf}, true
		}
		return partResult{n: NumericNegInf}, true
	}
	return partResult{}, false
}

// extract looks the unit up and asks of for the part.
func extract(word string, t OID, of func(u unit) (partResult, bool)) (Numeric, bool, error) {
	u, known := unitNamed(word, false)
	moment := t == TimestampOID || t == TimestamptzOID || t == DateOID
	if !known || u == uNone || u > uEpoch && !moment { // "now" and its like
		return Numeric{}, false, unitUnknown(word, t)
	}
	r, ok := of(u)
	if !ok {
		return Numeric{}, false, unitUnsupported(word, t)
	}
	return r.n, r.null, nil
}

// ExtractTimestamp returns a part of a timestamp, or null. date_part is the same as a float.
func ExtractTimestamp(word string, ts int64) (n Numeric, null bool, err error) {
	return extract(word, TimestampOID, func(u unit) (partResult, bool) {
		if IsInfiniteTimestamp(ts) {
			return infinitePart(u, ts > 0)
		}
		return timestampPart(u, ts, ts)
	})
}

// ExtractTimestamptz returns a part of a moment as seen in a zone, or null.
func ExtractTimestamptz(word string, ts int64, z *Zone) (n Numeric, null bool, err error) {
	return extract(word, TimestamptzOID, func(u unit) (partResult, bool) {
		if IsInfiniteTimestamp(ts) {
			return infinitePart(u, ts > 0)
		}
		east := z.OffsetAt(ts)
		if r, ok := zonePart(u, east); ok {
			return r, true
		}
		return timestampPart(u, ts+int64(east)*usecPerSec, ts)
	})
}

func zonePart(u unit, east int) (partResult, bool) {
	switch u {
	case uTZ:
		return whole(east), true
	case uTZHour:
		return whole(east / 3600), true
	case uTZMinute:
		return whole(east / 60 % 60), true
	}
	return partResult{}, false
}

func timestampPart(u unit, local, moment int64) (partResult, bool) {
	c := civilFromTimestamp(local)
	switch u {
	case uEpoch:
		n, err := NumericScaled(moment, 6).Add(NumericScaled(epochUnixSec*usecPerSec, 6))
		return partResult{n: n}, err == nil
	case uJulian:
		day := NumericFromInt64(int64(julian(c.year, c.month, c.day)))
		fraction, err := NumericFromInt64(c.timeOfDay()).Div(NumericFromInt64(usecPerDay))
		if err != nil {
			return partResult{}, false
		}
		n, err := day.Add(fraction)
		return partResult{n: n}, err == nil
	}
	if r, ok := clockPart(u, c.timeOfDay()); ok {
		return r, true
	}
	return dayPart(u, &c)
}

// ExtractDate returns a part of a date, or null.
func ExtractDate(word string, day int64) (n Numeric, null bool, err error) {
	return extract(word, DateOID, func(u unit) (partResult, bool) {
		if _, isClock := clockPart(u, 0); isClock || u == uTZ || u == uTZHour || u == uTZMinute {
			return partResult{}, false
		}
		if IsInfiniteDate(day) {
			return infinitePart(u, day > 0)
		}
		switch u {
		case uEpoch:
			return partResult{n: NumericFromInt64((day + epochJulian - unixEpochJulian) * secPerDay)}, true
		case uJulian:
			return whole(int(day) + epochJulian), true
		}
		var c civil
		c.year, c.month, c.day = fromJulian(int(day) + epochJulian)
		return dayPart(u, &c)
	})
}

// ExtractTime returns a part of a time.
func ExtractTime(word string, tod int64) (Numeric, error) {
	n, _, err := extract(word, TimeOID, func(u unit) (partResult, bool) {
		if u == uEpoch {
			return scaledPart(tod, 6), true
		}
		return clockPart(u, tod)
	})
	return n, err
}

// ExtractTimeTZ returns a part of a timetz.
func ExtractTimeTZ(word string, t TimeTZ) (Numeric, error) {
	n, _, err := extract(word, TimetzOID, func(u unit) (partResult, bool) {
		if u == uEpoch {
			return scaledPart(t.utc(), 6), true
		}
		if r, ok := zonePart(u, -int(t.West)); ok {
			return r, true
		}
		return clockPart(u, t.Micros)
	})
	return n, err
}

// ExtractInterval returns a part of an interval.
func ExtractInterval(word string, v Interval) (Numeric, error) {
	n, _, err := extract(word, IntervalOID, func(u unit) (partResult, bool) {
		p := v.parts()
		switch u {
		case uMicrosecond:
			return whole(int(p.sec*usecPerSec + p.usec)), true
		case uMillisecond:
			return scaledPart(p.sec*usecPerSec+p.usec, 3), true
		case uSecond:
			return scaledPart(p.sec*usecPerSec+p.usec, 6), true
		case uMinute:
			return whole(int(p.min)), true
		case uHour:
			return whole(int(p.hour)), true
		case uDay:
			return whole(int(p.day)), true
		case uMonth:
			return whole(int(p.mon)), true
		case uQuarter:
			return whole(int(p.mon/3 + 1)), true
		case uYear:
			return whole(int(p.year)), true
		case uDecade:
			return whole(int(p.year / 10)), true
		case uCentury:
			return whole(int(p.year / 100)), true
		case uMillennium:
			return whole(int(p.year / 1000)), true
		case uEpoch:
			// A year is 365.25 days here, a month 30.
			sec := (1461*int64(v.Months/12) + 120*int64(v.Months%12) + 4*int64(v.Days)) * (secPerDay / 4)
			n, err := NumericScaled(v.Micros, 6).Add(NumericFromInt64(sec))
			return partResult{n: n}, err == nil
		}
		return partResult{}, false
	})
	return n, err
}
