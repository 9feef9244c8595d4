package types

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// intervalBuilder adds up the parts of an interval. A method that returns false has
// found a sum out of range.
type intervalBuilder struct {
	years, months, days int32
	micros              int64
}

func intervalIn(e *Env, _ *Type, typmod int32, s string) (Datum, error) {
	v, code := e.parseInterval(s, typmod)
	if code != dateOK {
		return Datum{}, intervalSyntax(code, s)
	}
	months := int64(v.years)*monthsPerYear + int64(v.months)
	if months != int64(int32(months)) {
		return Datum{}, ErrIntervalRange()
	}
	return Interval{v.micros, v.days, int32(months)}.Datum(), nil
}

func (e *Env) parseInterval(s string, typmod int32) (*intervalBuilder, dateError) {
	fieldRange, _ := splitIntervalTypmod(typmod)
	fields, code := scanDate(s, maxIntervalText)
	v := &intervalBuilder{}
	if code == dateOK {
		sqlStandard := e != nil && e.IntervalStyle == IntervalSQLStandard
		code = v.decode(fields, fieldRange, sqlStandard)
	}
	if code == dateBadFormat {
		*v = intervalBuilder{}
		code = v.decodeISO(s)
	}
	return v, code
}

func add32(a *int32, b int64) bool {
	sum := int64(*a) + b
	if b != int64(int32(b)) || sum != int64(int32(sum)) {
		return false
	}
	*a = int32(sum)
	return true
}

func add64(a *int64, b int64) bool {
	sum := *a + b
	if (sum > *a) != (b > 0) && b != 0 {
		return false
	}
	*a = sum
	return true
}

// mul64 multiplies; false on overflow.
func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(abs64(a)), uint64(abs64(b)))
	negative := (a < 0) != (b < 0)
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	if hi != 0 || lo > limit {
		return 0, false
	}
	if negative {
		return -int64(lo), true
	}
	return int64(lo), true
}

// scaled adds val and frac units of scale microseconds.
func (v *intervalBuilder) scaled(val int64, frac float64, scale int64) bool {
	product, ok := mul64(val, scale)
	return ok && add64(&v.micros, product) && v.fraction(frac, float64(scale))
}

// fraction adds frac units of scale microseconds, rounded to the nearest.
func (v *intervalBuilder) fraction(frac, scale float64) bool {
	if frac == 0 {
		return true
	}
	frac *= scale
	usec := int64(frac)
	frac -= float64(usec)
	if frac > 0.5 {
		usec++
	} else if frac < -0.5 {
		usec--
	}
	return add64(&v.micros, usec)
}

func (v *intervalBuilder) addDays(val int64, frac float64, scale int64) bool {
	if val != int64(int32(val)) || !add32(&v.days, val*scale) {
		return false
	}
	return v.fractionDays(frac, float64(scale))
}

func (v *intervalBuilder) fractionDays(frac, scale float64) bool {
	frac *= scale
	days := int64(frac)
	return add32(&v.days, days) && v.fraction(frac-float64(days), usecPerDay)
}

func (v *intervalBuilder) addMonths(val int64, frac float64) bool {
	return add32(&v.months, val) && v.fractionDays(frac, daysPerMonth)
}

func (v *intervalBuilder) addYears(val int64, frac float64, scale int64) bool {
	if val != int64(int32(val)) || !add32(&v.years, val*scale) {
		return false
	}
	return add32(&v.months, int64(math.RoundToEven(frac*float64(scale)*monthsPerYear)))
}

// add adds val and frac of a unit. It returns the parts that this counts as.
func (v *intervalBuilder) add(u unit, val int64, frac float64) (fieldMask, dateError) {
	var mask fieldMask
	ok := true
	switch u {
	case uMicrosecond:
		mask, ok = mMicrosecond, v.scaled(val, frac, 1)
	case uMillisecond:
		mask, ok = mMillisecond, v.scaled(val, frac, 1000)
	case uSecond:
		mask, ok = mSecond, v.scaled(val, frac, usecPerSec)
		if frac != 0 {
			mask = mAllSecs
		}
	case uMinute:
		mask, ok = mMinute, v.scaled(val, frac, usecPerMinute)
	case uHour:
		mask, ok = mHour, v.scaled(val, frac, usecPerHour)
	case uDay:
		mask = mDay
		ok = v.addDays(val, 0, 1) && v.fraction(frac, usecPerDay)
	case uWeek:
		mask, ok = mWeek, v.addDays(val, frac, 7)
	case uMonth:
		mask, ok = mMonth, v.addMonths(val, frac)
	case uYear:
		mask, ok = mYear, v.addYears(val, frac, 1)
	case uDecade:
		mask, ok = mDecade, v.addYears(val, frac, 10)
	case uCentury:
		mask, ok = mCentury, v.addYears(val, frac, 100)
	case uMillennium:
		mask, ok = mMillennium, v.addYears(val, frac, 1000)
	default:
		return 0, dateBadFormat
	}
	if !ok {
		return 0, dateFieldOverflow
	}
	return mask, dateOK
}

// defaultUnit is the unit of a number without one: the last field of the typmod.
func defaultUnit(fieldRange int32) unit {
	switch {
	case fieldRange == intervalFullRange || fieldRange&intervalSecond != 0:
		return uSecond
	case fieldRange&intervalMinute != 0:
		return uMinute
	case fieldRange&intervalHour != 0:
		return uHour
	case fieldRange&intervalDay != 0:
		return uDay
	case fieldRange&intervalMonth != 0:
		return uMonth
	}
	return uYear
}

// decode reads the traditional and SQL forms: fields from right to left, so that a
// unit is known before its number.
func (v *intervalBuilder) decode(fields []dateField, fieldRange int32, sqlStandard bool) dateError {
	negative := sqlStandard && oneLeadingMinus(fields)
	var seen fieldMask
	u, haveUnit, ago := uNone, false, false
	for i := len(fields) - 1; i >= 0; i-- {
		f := fields[i]
		var mask fieldMask
		var err dateError
		switch f.kind {
		case fTime:
			err = v.clock(f.text, fieldRange, false)
			mask, u, haveUnit = mTime, uDay, true
			if negative && v.micros > 0 {
				v.micros = -v.micros
			}
		case fTZ, fDate, fNumber:
			if f.kind == fTZ && strings.IndexByte(f.text[1:], ':') >= 0 {
				if err = v.clock(f.text[1:], fieldRange, f.text[0] == '-'); err == dateOK {
					mask, u, haveUnit = mTime, uDay, true
					break
				}
			}
			if !haveUnit {
				u, haveUnit = defaultUnit(fieldRange), true
			}
			mask, u, err = v.amount(f.text, u, negative)
		default:
			tok, known := unitTokens[clipToken(f.text)]
			switch {
			case !known:
				return dateBadFormat
			case tok.class == mIgnore:
				continue
			}
			u, haveUnit = unit(tok.value), true
			ago = ago || u == uAgo
		}
		if err != dateOK {
			return err
		}
		if mask&seen != 0 {
			return dateBadFormat
		}
		seen |= mask
	}
	switch {
	case seen == 0:
		return dateBadFormat
	case ago:
		return v.negate()
	}
	return dateOK
}

// oneLeadingMinus reports whether the first sign is a minus and the only one: then SQL
// applies it to all fields.
func oneLeadingMinus(fields []dateField) bool {
	if len(fields) == 0 || fields[0].text[0] != '-' {
		return false
	}
	for _, f := range fields[1:] {
		if f.text[0] == '-' || f.text[0] == '+' {
			return false
		}
	}
	return true
}

func (v *intervalBuilder) negate() dateError {
	if v.years == math.MinInt32 || v.months == math.MinInt32 || v.days == math.MinInt32 || v.micros == math.MinInt64 {
		return dateFieldOverflow
	}
	v.years, v.months, v.days, v.micros = -v.years, -v.months, -v.days, -v.micros
	return dateOK
}

// clock reads hh:mm[:ss], which replaces any smaller amounts read before.
func (v *intervalBuilder) clock(s string, fieldRange int32, minus bool) dateError {
	hour, minute, sec, usec, err := decodeClock(s, fieldRange == intervalMinute|intervalSecond)
	if err != dateOK {
		return err
	}
	micros, ok := mul64(hour, usecPerHour)
	if !ok || !add64(&micros, int64(minute)*usecPerMinute) || !add64(&micros, int64(sec)*usecPerSec) || !add64(&micros, int64(usec)) {
		return dateFieldOverflow
	}
	if minus {
		micros = -micros
	}
	v.micros = micros
	return dateOK
}

// amount reads a number of some unit, or years-months. It returns the unit for a number
// to its left: days to the left of hours.
func (v *intervalBuilder) amount(s string, u unit, negative bool) (fieldMask, unit, dateError) {
	n := 0
	if s[0] == '+' || s[0] == '-' {
		n++
	}
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	var val int64
	if digits := strings.TrimLeft(s[:n], "+-"); digits != "" {
		parsed, err := strconv.ParseInt(s[:n], 10, 64)
		if err != nil {
			return 0, u, dateFieldOverflow
		}
		val = parsed
	}
	minus, frac := s[0] == '-', 0.0
	switch rest := s[n:]; {
	case rest == "":
	case rest[0] == '-':
		months, tail, ok := parseDigits(rest[1:])
		if !ok || months < 0 || months >= monthsPerYear {
			return 0, u, dateFieldOverflow
		}
		if tail != "" {
			return 0, u, dateBadFormat
		}
		if minus {
			months = -months
		}
		if val, ok = mul64(val, monthsPerYear); !ok || !add64(&val, int64(months)) {
			return 0, u, dateFieldOverflow
		}
		u = uMonth
	case rest[0] == '.':
		f, ok := parseFraction(rest)
		if !ok {
			return 0, u, dateBadFormat
		}
		if frac = f; minus {
			frac = -f
		}
	default:
		return 0, u, dateBadFormat
	}
	if negative && val > 0 {
		val = -val
	}
	if negative && frac > 0 {
		frac = -frac
	}
	mask, err := v.add(u, val, frac)
	if u == uHour {
		u = uDay
	}
	return mask, u, err
}

// isoNumber reads a number of an ISO 8601 interval, split into its whole and fractional parts.
func isoNumber(s string) (val int64, frac float64, rest string, err dateError) {
	if s == "" || !isDigit(s[0]) && s[0] != '-' && s[0] != '.' {
		return 0, 0, s, dateBadFormat
	}
	n := floatPrefix(s)
	if n == 0 {
		return 0, 0, s, dateBadFormat
	}
	f, perr := strconv.ParseFloat(s[:n], 64)
	if perr != nil {
		return 0, 0, s, dateBadFormat
	}
	if f < -1e15 || f > 1e15 {
		return 0, 0, s, dateFieldOverflow
	}
	whole := math.Trunc(f)
	return int64(whole), f - whole, s[n:], dateOK
}

// isoWidth counts the digits of the whole part of a number.
func isoWidth(s string) int {
	s = strings.TrimPrefix(s, "-")
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// decodeISO reads ISO 8601: with designators (P1Y2M3DT4H5M6S), and the alternative
// format in its basic (P00010203T040506) and extended (P0001-02-03T04:05:06) forms.
func (v *intervalBuilder) decodeISO(s string) dateError {
	if len(s) < 2 || s[0] != 'P' {
		return dateBadFormat
	}
	datePart, haveField := true, false
	for s = s[1:]; s != ""; {
		if s[0] == 'T' {
			datePart, haveField = false, false
			s = s[1:]
			continue
		}
		val, frac, rest, err := isoNumber(s)
		if err != dateOK {
			return err
		}
		width := isoWidth(s)
		designator := byte(0)
		if rest != "" {
			designator = rest[0]
		}
		var u unit
		if datePart {
			u = map[byte]unit{'Y': uYear, 'M': uMonth, 'W': uWeek, 'D': uDay}[designator]
		} else {
			u = map[byte]unit{'H': uHour, 'M': uMinute, 'S': uSecond}[designator]
		}
		if u != uNone {
			if _, err := v.add(u, val, frac); err != dateOK {
				return err
			}
			s, haveField = rest[1:], true
			continue
		}
		switch {
		case haveField:
			return dateBadFormat
		case datePart && (designator == 0 || designator == 'T' || designator == '-'):
			s, err = v.isoDate(width, val, frac, rest)
		case !datePart && (designator == 0 || designator == ':'):
			s, err = v.isoTime(width, val, frac, rest)
		default:
			return dateBadFormat
		}
		if err != dateOK {
			return err
		}
	}
	return dateOK
}

// isoDate reads yyyymmdd, or what follows yyyy in yyyy-mm-dd. It returns the text from T on.
func (v *intervalBuilder) isoDate(width int, val int64, frac float64, rest string) (string, dateError) {
	if width == 8 && !strings.HasPrefix(rest, "-") {
		if !v.addYears(val/10000, 0, 1) || !v.addMonths(val/100%100, 0) || !v.addDays(val%100, 0, 1) ||
			!v.fraction(frac, usecPerDay) {
			return "", dateFieldOverflow
		}
		return rest, dateOK
	}
	for _, u := range [...]unit{uYear, uMonth, uDay} {
		if _, err := v.add(u, val, frac); err != dateOK {
			return "", err
		}
		if rest == "" || rest[0] == 'T' {
			return rest, dateOK
		}
		if rest[0] != '-' || u == uDay {
			return "", dateBadFormat
		}
		var err dateError
		if val, frac, rest, err = isoNumber(rest[1:]); err != dateOK {
			return "", err
		}
	}
	return rest, dateOK
}

// isoTime reads hhmmss, or what follows hh in hh:mm:ss.
func (v *intervalBuilder) isoTime(width int, val int64, frac float64, rest string) (string, dateError) {
	if width == 6 && rest == "" {
		if !v.scaled(val/10000, 0, usecPerHour) || !v.scaled(val/100%100, 0, usecPerMinute) ||
			!v.scaled(val%100, frac, usecPerSec) {
			return "", dateFieldOverflow
		}
		return "", dateOK
	}
	for _, u := range [...]unit{uHour, uMinute, uSecond} {
		if _, err := v.add(u, val, frac); err != dateOK {
			return "", err
		}
		if rest == "" {
			return "", dateOK
		}
		if rest[0] != ':' || u == uSecond {
			return "", dateBadFormat
		}
		var err dateError
		if val, frac, rest, err = isoNumber(rest[1:]); err != dateOK {
			return "", err
		}
	}
	return rest, dateOK
}
