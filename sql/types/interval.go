package types

import (
	"encoding/binary"
	"math"
	"strconv"
)

// Interval is a span of time. Its three parts never mix by themselves.
type Interval struct {
	Micros int64
	Days   int32
	Months int32
}

// IntervalFrom decodes an interval.
func IntervalFrom(d Datum) Interval {
	return Interval{
		Micros: int64(binary.BigEndian.Uint64(d.B)),
		Days:   int32(binary.BigEndian.Uint32(d.B[8:])),
		Months: int32(binary.BigEndian.Uint32(d.B[12:])),
	}
}

// Datum encodes the value.
func (v Interval) Datum() Datum {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(v.Micros))
	b = binary.BigEndian.AppendUint32(b, uint32(v.Days))
	return bytesDatum(binary.BigEndian.AppendUint32(b, uint32(v.Months)))
}

func intervalRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 16); err != nil {
		return Datum{}, err
	}
	return bytesDatum(append([]byte{}, b...)), nil
}

// span returns the length in days and microseconds of a day, a month being 30 days and
// a day 24 hours: intervals of the same span are equal.
func (v Interval) span() (days, micros int64) {
	days, micros = floorDiv(v.Micros, usecPerDay)
	return days + int64(v.Months)*daysPerMonth + int64(v.Days), micros
}

// Compare orders intervals by their span.
func (v Interval) Compare(w Interval) int {
	d1, m1 := v.span()
	d2, m2 := w.span()
	switch {
	case d1 < d2 || d1 == d2 && m1 < m2:
		return -1
	case d1 == d2 && m1 == m2:
		return 0
	}
	return 1
}

func compareInterval(a, b Datum) int { return IntervalFrom(a).Compare(IntervalFrom(b)) }

func intervalKey(d Datum) Datum {
	days, micros := IntervalFrom(d).span()
	return bytesDatum(appendSigned64(appendSigned64(make([]byte, 0, 16), days), micros))
}

func hashInterval(d Datum) uint64 {
	days, micros := IntervalFrom(d).span()
	return CombineHash(HashUint64(uint64(days)), uint64(micros))
}

// The fields of an interval's typmod, as PostgreSQL numbers them.
const (
	intervalMonth  = 1 << 1
	intervalYear   = 1 << 2
	intervalDay    = 1 << 3
	intervalHour   = 1 << 10
	intervalMinute = 1 << 11
	intervalSecond = 1 << 12

	intervalFullRange     = 0x7fff
	intervalFullPrecision = 0xffff
)

func splitIntervalTypmod(typmod int32) (fields int32, precision int32) {
	if typmod < 0 {
		return intervalFullRange, intervalFullPrecision
	}
	return typmod >> 16 & 0x7fff, typmod & 0xffff
}

// intervalRanges are the SQL names of the field ranges.
var intervalRanges = map[int32]string{
	intervalYear: " year", intervalMonth: " month", intervalDay: " day",
	intervalHour: " hour", intervalMinute: " minute", intervalSecond: " second",
	intervalYear | intervalMonth:                                 " year to month",
	intervalDay | intervalHour:                                   " day to hour",
	intervalDay | intervalHour | intervalMinute:                  " day to minute",
	intervalDay | intervalHour | intervalMinute | intervalSecond: " day to second",
	intervalHour | intervalMinute:                                " hour to minute",
	intervalHour | intervalMinute | intervalSecond:               " hour to second",
	intervalMinute | intervalSecond:                              " minute to second",
	intervalFullRange:                                            "",
}

func intervalTypmodOut(typmod int32) string {
	fields, precision := splitIntervalTypmod(typmod)
	s := intervalRanges[fields]
	if precision != intervalFullPrecision {
		s += "(" + strconv.Itoa(int(precision)) + ")"
	}
	return s
}

// fit cuts the parts below the last field of the typmod and rounds seconds.
func (v Interval) fit(typmod int32) (Interval, error) {
	fields, precision := splitIntervalTypmod(typmod)
	switch {
	case fields == intervalFullRange:
	case fields == intervalYear:
		v = Interval{Months: v.Months / monthsPerYear * monthsPerYear}
	case fields&intervalMonth != 0:
		v = Interval{Months: v.Months}
	case fields == intervalDay:
		v.Micros = 0
	case fields&intervalSecond != 0:
	case fields&intervalMinute != 0:
		v.Micros = v.Micros / usecPerMinute * usecPerMinute
	case fields&intervalHour != 0:
		v.Micros = v.Micros / usecPerHour * usecPerHour
	}
	if precision < 6 {
		half := microScales[precision] / 2
		if v.Micros > math.MaxInt64-half || v.Micros < math.MinInt64+half {
			return v, ErrIntervalRange()
		}
		v.Micros = roundMicros(v.Micros, precision)
	}
	return v, nil
}

// parts is an interval as it is printed: every field has the sign of its group.
type intervalParts struct {
	year, mon, day, hour int64
	min, sec, usec       int64
}

func (v Interval) parts() intervalParts {
	t := v.Micros
	p := intervalParts{year: int64(v.Months / 12), mon: int64(v.Months % 12), day: int64(v.Days), hour: t / usecPerHour}
	t -= p.hour * usecPerHour
	p.min = t / usecPerMinute
	t -= p.min * usecPerMinute
	p.sec = t / usecPerSec
	p.usec = t - p.sec*usecPerSec
	return p
}

func (p *intervalParts) hasTime() bool { return p.hour != 0 || p.min != 0 || p.sec != 0 || p.usec != 0 }

func (p *intervalParts) timeNegative() bool {
	return p.hour < 0 || p.min < 0 || p.sec < 0 || p.usec < 0
}

func intervalOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	p := IntervalFrom(d).parts()
	style := IntervalPostgres
	if e != nil {
		style = e.IntervalStyle
	}
	switch style {
	case IntervalSQLStandard:
		return p.appendSQL(dst)
	case IntervalISO8601:
		return p.appendISO(dst)
	case IntervalPostgresVerbose:
		return p.appendVerbose(dst)
	}
	return p.appendPostgres(dst)
}

func abs64(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// appendAbs prints the magnitude of v with at least width digits (1 or 2).
func appendAbs(dst []byte, v int64, width int) []byte {
	v = abs64(v)
	if width == 2 && v < 10 && v >= 0 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, uint64(v), 10)
}

// appendSeconds prints the magnitude of seconds with their fraction.
func (p *intervalParts) appendSeconds(dst []byte, width int) []byte {
	return appendFraction(appendAbs(dst, p.sec, width), int(p.usec))
}

func plural(dst []byte, word string, many bool) []byte {
	dst = append(append(dst, ' '), word...)
	if many {
		dst = append(dst, 's')
	}
	return dst
}

func (p *intervalParts) appendPostgres(dst []byte) []byte {
	start, before := len(dst), false
	for _, f := range [...]struct {
		v    int64
		word string
	}{{p.year, "year"}, {p.mon, "mon"}, {p.day, "day"}} {
		if f.v == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if before && f.v > 0 {
			dst = append(dst, '+')
		}
		dst = plural(strconv.AppendInt(dst, f.v, 10), f.word, f.v != 1)
		before = f.v < 0
	}
	zero := len(dst) == start
	if !zero && !p.hasTime() {
		return dst
	}
	if !zero {
		dst = append(dst, ' ')
	}
	if p.timeNegative() {
		dst = append(dst, '-')
	} else if before {
		dst = append(dst, '+')
	}
	dst = append(appendAbs(dst, p.hour, 2), ':')
	dst = append(appendAbs(dst, p.min, 2), ':')
	return p.appendSeconds(dst, 2)
}

func (p *intervalParts) appendVerbose(dst []byte) []byte {
	dst = append(dst, '@')
	zero, before := true, false
	for _, f := range [...]struct {
		v    int64
		word string
	}{{p.year, "year"}, {p.mon, "mon"}, {p.day, "day"}, {p.hour, "hour"}, {p.min, "min"}} {
		v := f.v
		if v == 0 {
			continue
		}
		if zero {
			before, v = v < 0, abs64(v)
		} else if before {
			v = -v
		}
		dst = plural(strconv.AppendInt(append(dst, ' '), v, 10), f.word, v != 1)
		zero = false
	}
	if p.sec != 0 || p.usec != 0 {
		dst = append(dst, ' ')
		if p.sec < 0 || p.sec == 0 && p.usec < 0 {
			if zero {
				before = true
			} else if !before {
				dst = append(dst, '-')
			}
		} else if before {
			dst = append(dst, '-')
		}
		dst = plural(p.appendSeconds(dst, 1), "sec", abs64(p.sec) != 1 || p.usec != 0)
		zero = false
	}
	if zero {
		dst = append(dst, " 0"...)
	}
	if before {
		dst = append(dst, " ago"...)
	}
	return dst
}

func (p *intervalParts) appendSQL(dst []byte) []byte {
	negative := p.year < 0 || p.mon < 0 || p.day < 0 || p.timeNegative()
	positive := p.year > 0 || p.mon > 0 || p.day > 0 || p.hour > 0 || p.min > 0 || p.sec > 0 || p.usec > 0
	yearMonth := p.year != 0 || p.mon != 0
	standard := !(negative && positive) && !(yearMonth && (p.day != 0 || p.hasTime()))
	if !negative && !positive {
		return append(dst, '0')
	}
	sign := func(minus bool) byte {
		if minus {
			return '-'
		}
		return '+'
	}
	if !standard {
		dst = append(appendAbs(append(dst, sign(p.year < 0 || p.mon < 0)), p.year, 1), '-')
		dst = append(appendAbs(dst, p.mon, 1), ' ')
		dst = append(appendAbs(append(dst, sign(p.day < 0)), p.day, 1), ' ')
		dst = append(dst, sign(p.timeNegative()))
		return p.appendSQLTime(dst)
	}
	if negative {
		dst = append(dst, '-')
	}
	if yearMonth {
		return appendAbs(append(appendAbs(dst, p.year, 1), '-'), p.mon, 1)
	}
	if p.day != 0 {
		dst = append(appendAbs(dst, p.day, 1), ' ')
	}
	return p.appendSQLTime(dst)
}

func (p *intervalParts) appendSQLTime(dst []byte) []byte {
	dst = append(appendAbs(dst, p.hour, 1), ':')
	dst = append(appendAbs(dst, p.min, 2), ':')
	return p.appendSeconds(dst, 2)
}

func (p *intervalParts) appendISO(dst []byte) []byte {
	if *p == (intervalParts{}) {
		return append(dst, "PT0S"...)
	}
	add := func(v int64, letter byte) {
		if v != 0 {
			dst = append(strconv.AppendInt(dst, v, 10), letter)
		}
	}
	dst = append(dst, 'P')
	add(p.year, 'Y')
	add(p.mon, 'M')
	add(p.day, 'D')
	if p.hasTime() {
		dst = append(dst, 'T')
	}
	add(p.hour, 'H')
	add(p.min, 'M')
	if p.sec != 0 || p.usec != 0 {
		if p.sec < 0 || p.usec < 0 {
			dst = append(dst, '-')
		}
		dst = append(p.appendSeconds(dst, 1), 'S')
	}
	return dst
}

// intervalSyntax is the error for interval text.
func intervalSyntax(code dateError, s string) error {
	if code == dateFieldOverflow {
		code = dateIntervalOverflow
	}
	return dateParseError(code, "", s, "interval")
}
