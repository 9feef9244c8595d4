package types

import (
	"math"
	"strconv"
	"strings"
)

// field takes in field i. It returns the parts that the field gave; skip says that it
// gave none and means nothing ("at", "on").
func (d *dateDecoder) field(i int) (mask fieldMask, skip bool, err dateError) {
	f := d.fields[i]
	switch f.kind {
	case fDate:
		mask, err = d.dateField(i, f.text)
	case fTime:
		if d.prefix != uNone {
			if d.prefix != uTime {
				return 0, false, dateBadFormat
			}
			d.prefix = uNone
		}
		mask, err = d.clock(f.text)
	case fTZ:
		mask = mTZ
		d.west, err = zoneOffset(f.text)
	case fNumber:
		if d.prefix != uNone {
			mask, err = d.prefixed(f.text)
			d.prefix = uNone
		} else {
			mask, err = d.number(i, f.text)
		}
	default:
		return d.word(i, f.text)
	}
	return mask, false, err
}

func (d *dateDecoder) clock(s string) (fieldMask, dateError) {
	hour, minute, sec, usec, err := decodeClock(s, false)
	if err != dateOK {
		return 0, err
	}
	if hour > math.MaxInt32 {
		return 0, dateFieldOverflow
	}
	d.c.hour, d.c.min, d.c.sec, d.c.usec = int(hour), minute, sec, usec
	if timeOverflows(&d.c) {
		return 0, dateFieldOverflow
	}
	return mTime, dateOK
}

// dateField reads digits and letters with separators: a date, a zone's name, or a time
// run together with a zone.
func (d *dateDecoder) dateField(i int, s string) (fieldMask, dateError) {
	if d.timeOnly {
		n := len(d.fields)
		if i == 0 && n >= 2 && (d.fields[n-1].kind == fDate || d.fields[1].kind == fTime) {
			return d.date(s)
		}
		if isDigit(s[0]) {
			return d.timeWithZone(s, d.seen|mDate)
		}
		return d.namedZone(s)
	}
	switch {
	case d.prefix == uJulian:
		day, rest, ok := parseDigits(s)
		if !ok || day < 0 {
			return 0, dateFieldOverflow
		}
		d.setJulian(day)
		var err dateError
		if d.west, err = zoneOffset(rest); err != dateOK {
			return 0, err
		}
		d.prefix = uNone
		return mDate | mTime | mTZ, dateOK
	case d.prefix != uNone || d.seen&(mMonth|mDay) == mMonth|mDay:
		if !isDigit(s[0]) && d.prefix == uNone {
			return d.namedZone(s)
		}
		if d.prefix != uNone && d.prefix != uTime {
			return 0, dateBadFormat
		}
		d.prefix = uNone
		return d.timeWithZone(s, d.seen)
	}
	return d.date(s)
}

func (d *dateDecoder) setJulian(day int) {
	d.c.year, d.c.month, d.c.day = fromJulian(day)
	d.julian = true
}

// timeWithZone reads hhmmss-zz.
func (d *dateDecoder) timeWithZone(s string, seen fieldMask) (fieldMask, dateError) {
	dash := strings.IndexByte(s, '-')
	if d.seen&mTime == mTime || dash < 0 {
		return 0, dateBadFormat
	}
	var err dateError
	if d.west, err = zoneOffset(s[dash:]); err != dateOK {
		return 0, err
	}
	mask, err := d.runTogether(s[:dash], seen)
	return mask | mTZ, err
}

func (d *dateDecoder) namedZone(s string) (fieldMask, dateError) {
	z, ok := LookupZone(s)
	if !ok {
		d.badZone = s
		return 0, dateUnknownZone
	}
	d.zone = z
	return mTZ, dateOK
}

// date reads a date of two or three parts with separators.
func (d *dateDecoder) date(s string) (fieldMask, dateError) {
	var parts []string
	for s != "" && len(parts) < maxDateFields {
		i := 0
		for i < len(s) && !isAlnum(s[i]) {
			i++
		}
		if i == len(s) {
			return 0, dateBadFormat
		}
		s = s[i:]
		class := isAlpha
		if isDigit(s[0]) {
			class = isDigit
		}
		n := 0
		for n < len(s) && class(s[n]) {
			n++
		}
		parts = append(parts, s[:n])
		// Whatever ends a part is a separator, even a digit behind letters.
		s = s[min(n+1, len(s)):]
	}
	seen, given, text := d.seen, fieldMask(0), false
	for i, p := range parts {
		if !isAlpha(p[0]) {
			continue
		}
		tok, known := dateTokens[clipToken(p)]
		if known && tok.class == mIgnore {
			continue
		}
		if tok.class != mMonth || seen&mMonth != 0 {
			return 0, dateBadFormat
		}
		d.c.month, text = tok.value, true
		seen, given = seen|mMonth, given|mMonth
		parts[i] = ""
	}
	for _, p := range parts {
		if p == "" {
			continue
		}
		mask, err := d.plainNumber(p, text, seen)
		if err != dateOK {
			return 0, err
		}
		if seen&mask != 0 {
			return 0, dateBadFormat
		}
		seen, given = seen|mask, given|mask
	}
	if seen&^(mDOY|mTZ) != mDate {
		return 0, dateBadFormat
	}
	return given, dateOK
}

// number reads digits, perhaps with a fraction, that no word announced.
func (d *dateDecoder) number(i int, s string) (fieldMask, dateError) {
	point := strings.IndexByte(s, '.')
	if d.timeOnly {
		n := len(d.fields)
		switch {
		case point >= 0 && i == 0 && n >= 2 && d.fields[n-1].kind == fDate:
			return d.date(s)
		case point > 2, point < 0 && len(s) > 4:
			return d.runTogether(s, d.seen|mDate)
		case point >= 0:
			return 0, dateBadFormat
		}
		return d.plainNumber(s, false, d.seen|mDate)
	}
	switch {
	case point >= 0 && d.seen&mDate == 0:
		return d.date(s)
	case point > 2:
		return d.runTogether(s, d.seen)
	case len(s) >= 6 && (d.seen&mDate == 0 || d.seen&mTime == 0):
		return d.runTogether(s, d.seen)
	}
	return d.plainNumber(s, d.textMonth, d.seen)
}

// plainNumber reads one part of a date, which one by its place and the DateStyle.
func (d *dateDecoder) plainNumber(s string, textMonth bool, seen fieldMask) (fieldMask, dateError) {
	v, rest, ok := parseDigits(s)
	if !ok {
		return 0, dateFieldOverflow
	}
	digits := len(s) - len(rest)
	switch {
	case digits == 0:
		return 0, dateBadFormat
	case strings.HasPrefix(rest, "."):
		if digits > 2 {
			return d.runTogether(s, seen|mDate)
		}
		usec, err := parseMicroseconds(rest)
		if err != dateOK {
			return 0, err
		}
		d.c.usec = usec
	case rest != "":
		return 0, dateBadFormat
	}
	if len(s) == 3 && seen&mDate == mYear && v >= 1 && v <= 366 {
		d.c.yday = v
		return mDOY | mMonth | mDay, dateOK
	}
	order := OrderMDY
	if d.e != nil {
		order = d.e.DateOrder
	}
	var mask fieldMask
	long := len(s) >= 3
	switch seen & mDate {
	case 0:
		switch {
		case long || order == OrderYMD:
			mask = mYear
		case order == OrderDMY:
			mask = mDay
		default:
			mask = mMonth
		}
	case mYear, mDay:
		mask = mMonth
	case mMonth:
		mask = mDay
		if textMonth && (long || order == OrderYMD) {
			mask = mYear
		}
	case mYear | mMonth:
		mask = mDay
		if textMonth && long && d.twoDigits {
			// The first number was the day, not the year.
			d.c.day, d.c.year, d.twoDigits = d.c.year, v, false
			return mDay, dateOK
		}
	case mMonth | mDay:
		mask = mYear
	case mDate:
		return d.runTogether(s, seen)
	default:
		return 0, dateBadFormat
	}
	switch mask {
	case mYear:
		d.c.year, d.twoDigits = v, len(s) <= 2
	case mMonth:
		d.c.month = v
	default:
		d.c.day = v
	}
	return mask, dateOK
}

// runTogether reads yyyymmdd, yymmdd, hhmmss and hhmm, the times with a fraction.
func (d *dateDecoder) runTogether(s string, seen fieldMask) (fieldMask, dateError) {
	digits := s
	if point := strings.IndexByte(s, '.'); point >= 0 {
		n := point + 1
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		f, _ := parseFraction(s[point:n])
		d.c.usec = int(math.RoundToEven(f * usecPerSec))
		digits = s[:point]
	} else if seen&mDate != mDate && len(s) >= 6 {
		n := len(s)
		d.c.day, d.c.month = atoi(s[n-2:]), atoi(s[n-4:n-2])
		d.c.year = atoi(s[:n-4])
		d.twoDigits = d.twoDigits || n == 6
		return mDate, dateOK
	}
	if seen&mTime != mTime {
		switch n := len(digits); n {
		case 6:
			d.c.hour, d.c.min, d.c.sec = atoi(digits[:2]), atoi(digits[2:4]), atoi(digits[4:])
			return mTime, dateOK
		case 4:
			d.c.hour, d.c.min, d.c.sec = atoi(digits[:2]), atoi(digits[2:]), 0
			return mTime, dateOK
		}
	}
	return 0, dateBadFormat
}

// atoi reads the digits at the start of s; numbers beyond 32 bits stay there, out of any range.
func atoi(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	v, err := strconv.ParseInt(s[:n], 10, 32)
	if err != nil && n > 0 {
		return math.MaxInt32
	}
	return int(v)
}

// prefixed reads a number that a word such as "y" or "j" announced.
func (d *dateDecoder) prefixed(s string) (fieldMask, dateError) {
	v, rest, ok := parseDigits(s)
	if !ok {
		return 0, dateFieldOverflow
	}
	decimal := strings.HasPrefix(rest, ".")
	if decimal && d.prefix != uJulian && d.prefix != uTime && d.prefix != uSecond || !decimal && rest != "" {
		return 0, dateBadFormat
	}
	switch d.prefix {
	case uYear:
		d.c.year = v
		return mYear, dateOK
	case uMonth:
		if d.seen&mMonth != 0 && d.seen&mHour != 0 {
			d.c.min = v
			return mMinute, dateOK
		}
		d.c.month = v
		return mMonth, dateOK
	case uDay:
		d.c.day = v
		return mDay, dateOK
	case uHour:
		d.c.hour = v
		return mHour, dateOK
	case uMinute:
		d.c.min = v
		return mMinute, dateOK
	case uSecond:
		d.c.sec = v
		if !decimal {
			return mSecond, dateOK
		}
		var err dateError
		d.c.usec, err = parseMicroseconds(rest)
		return mAllSecs, err
	case uTZ:
		var err dateError
		d.west, err = zoneOffset(s)
		return mTZ, err
	case uJulian:
		if v < 0 {
			return 0, dateFieldOverflow
		}
		d.setJulian(v)
		if !decimal {
			return mDate, dateOK
		}
		f, ok := parseFraction(rest)
		if !ok {
			return 0, dateBadFormat
		}
		d.c.setTime(int64(f * usecPerDay))
		return mDate | mTime, dateOK
	case uTime:
		mask, err := d.runTogether(s, d.seen|mDate)
		if err == dateOK && mask != mTime {
			err = dateBadFormat
		}
		return mask, err
	}
	return 0, dateBadFormat
}

// word reads letters, perhaps with a sign in front.
func (d *dateDecoder) word(i int, s string) (mask fieldMask, skip bool, err dateError) {
	if a, ok := zoneAbbrevs()[s]; ok {
		switch {
		case a.zone != "":
			d.abbrev, d.abbrevID = a, s
			return mTZ, false, dateOK
		case a.dst:
			mask = mDTZ
		}
		d.west = -a.east
		return mask | mTZ, false, dateOK
	}
	tok, known := dateTokens[clipToken(s)]
	if !known {
		z, ok := LookupZone(s)
		if !ok {
			return 0, false, dateBadFormat
		}
		d.zone = z
		return mTZ, false, dateOK
	}
	mask = tok.class
	switch tok.class {
	case mIgnore:
		return 0, true, dateOK
	case mReserved:
		mask, err = d.reserved(unit(tok.value))
	case mMonth:
		if d.timeOnly {
			return 0, false, dateBadFormat
		}
		if d.seen&mMonth != 0 && !d.textMonth && d.seen&mDay == 0 && d.c.month >= 1 && d.c.month <= 31 {
			d.c.day = d.c.month
			mask = mDay
		}
		d.textMonth, d.c.month = true, tok.value
	case mDTZMod:
		d.west -= tok.value
		mask |= mDTZ
	case mAMPM:
		d.meridiem = tok.value
	case mADBC:
		d.bc = tok.value == 1
	case mDOW:
		if d.timeOnly {
			return 0, false, dateBadFormat
		}
	case mUnits:
		mask, d.prefix = 0, unit(tok.value)
	case mISOTime:
		mask = 0
		if !d.timeOnly && d.seen&mDate != mDate || i+1 >= len(d.fields) || d.fields[i+1].kind > fTime {
			return 0, false, dateBadFormat
		}
		d.prefix = unit(tok.value)
	}
	return mask, false, err
}

// reserved takes in now, today, infinity and their like.
func (d *dateDecoder) reserved(u unit) (fieldMask, dateError) {
	switch u {
	case uZulu:
		d.c.hour, d.c.min, d.c.sec, d.west = 0, 0, 0, 0
		return mTime | mTZ, dateOK
	case uNow:
		now, east := d.e.now()
		c := civilFromTimestamp(now + int64(east)*usecPerSec)
		d.west = -east
		if d.timeOnly {
			d.c.hour, d.c.min, d.c.sec, d.c.usec = c.hour, c.min, c.sec, c.usec
			return mTime, dateOK
		}
		d.c = c
		return mDate | mTime | mTZ, dateOK
	}
	if d.timeOnly {
		return 0, dateBadFormat
	}
	switch u {
	case uToday, uTomorrow, uYesterday:
		c := d.e.localNow()
		day := julian(c.year, c.month, c.day)
		switch u {
		case uTomorrow:
			day++
		case uYesterday:
			day--
		}
		d.c.year, d.c.month, d.c.day = fromJulian(day)
		return mDate, dateOK
	}
	d.special = u
	return mDate | mTime | mTZ, dateOK
}

// now returns the start of the transaction and the session zone's offset then.
func (e *Env) now() (ts int64, east int) {
	if e != nil {
		ts = e.Now
		if e.NowRead != nil {
			*e.NowRead = true
		}
	}
	return ts, e.zone().OffsetAt(ts)
}

// localNow returns the start of the transaction in the session's zone.
func (e *Env) localNow() civil {
	ts, east := e.now()
	return civilFromTimestamp(ts + int64(east)*usecPerSec)
}
