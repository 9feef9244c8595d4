package types

import "strconv"

// appendYear prints a year with at least four digits, without its era.
func appendYear(dst []byte, year int) []byte {
	if year <= 0 {
		year = -(year - 1)
	}
	if year < 10000 {
		return append(dst, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10))
	}
	return strconv.AppendInt(dst, int64(year), 10)
}

func append2(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// appendFraction prints ".ffffff" without trailing zeros, nothing for zero.
func appendFraction(dst []byte, usec int) []byte {
	if usec == 0 {
		return dst
	}
	if usec < 0 {
		usec = -usec
	}
	dst = append(dst, '.')
	for scale := 100_000; usec > 0; scale /= 10 {
		dst = append(dst, byte('0'+usec/scale))
		usec %= scale
	}
	return dst
}

func appendClock(dst []byte, c *civil) []byte {
	dst = append(append2(dst, c.hour), ':')
	dst = append(append2(dst, c.min), ':')
	return appendFraction(append2(dst, c.sec), c.usec)
}

// appendOffset prints a zone offset as +hh, +hh:mm or +hh:mm:ss.
func appendOffset(dst []byte, east int) []byte {
	sign := byte('+')
	if east < 0 {
		sign, east = '-', -east
	}
	dst = append(dst, sign)
	if hours := east / 3600; hours < 100 {
		dst = append2(dst, hours)
	} else { // POSIX zones go up to 167 hours
		dst = strconv.AppendInt(dst, int64(hours), 10)
	}
	if east%3600 != 0 {
		dst = append2(append(dst, ':'), east/60%60)
	}
	if east%60 != 0 {
		dst = append2(append(dst, ':'), east%60)
	}
	return dst
}

func appendEra(dst []byte, year int) []byte {
	if year <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

func dateOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	switch d.I {
	case DateInfinity:
		return append(dst, "infinity"...)
	case DateNegInfinity:
		return append(dst, "-infinity"...)
	}
	y, m, day := fromJulian(int(d.I) + epochJulian)
	style, order := DateISO, OrderMDY
	if e != nil {
		style, order = e.DateStyle, e.DateOrder
	}
	if style == DateISO {
		dst = append(appendYear(dst, y), '-')
		dst = append(append2(dst, m), '-')
		return appendEra(append2(dst, day), y)
	}
	sep := map[DateStyle]byte{DateSQL: '/', DatePostgres: '-', DateGerman: '.'}[style]
	if order == OrderDMY || style == DateGerman {
		m, day = day, m
	}
	dst = append(append2(dst, m), sep)
	dst = append(append2(dst, day), sep)
	return appendEra(appendYear(dst, y), y)
}

func timeOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	var c civil
	c.setTime(d.I)
	return appendClock(dst, &c)
}

func timetzOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	t := TimeTZFrom(d)
	var c civil
	c.setTime(t.Micros)
	return appendOffset(appendClock(dst, &c), -int(t.West))
}

func timestampOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	if special := infiniteTimestamp(d.I); special != "" {
		return append(dst, special...)
	}
	c := civilFromTimestamp(d.I)
	return e.appendTimestamp(dst, &c, nil)
}

func timestamptzOut(e *Env, dst []byte, _ *Type, d Datum) []byte {
	if special := infiniteTimestamp(d.I); special != "" {
		return append(dst, special...)
	}
	z := e.zone()
	stamp := zoneStamp{east: z.OffsetAt(d.I)}
	if e != nil && e.DateStyle != DateISO {
		stamp.abbrev = z.AbbrevAt(d.I)
	}
	c := civilFromTimestamp(d.I + int64(stamp.east)*usecPerSec)
	return e.appendTimestamp(dst, &c, &stamp)
}

func infiniteTimestamp(ts int64) string {
	switch ts {
	case TimestampInfinity:
		return "infinity"
	case TimestampNegInfinity:
		return "-infinity"
	}
	return ""
}

// zoneStamp is the zone of a printed timestamptz.
type zoneStamp struct {
	east   int
	abbrev string
}

// maxAbbrev is how much of an abbreviation is printed.
const maxAbbrev = 10

// appendTimestamp prints a local time in the session's style, with a zone when there is one.
func (e *Env) appendTimestamp(dst []byte, c *civil, z *zoneStamp) []byte {
	style, order := DateISO, OrderMDY
	if e != nil {
		style, order = e.DateStyle, e.DateOrder
	}
	first, second := c.month, c.day
	if order == OrderDMY || style == DateGerman {
		first, second = second, first
	}
	switch style {
	case DateISO:
		dst = append(appendYear(dst, c.year), '-')
		dst = append(append2(dst, c.month), '-')
		dst = append(append2(dst, c.day), ' ')
		dst = appendClock(dst, c)
		if z != nil {
			dst = appendOffset(dst, z.east)
		}
		return appendEra(dst, c.year)
	case DatePostgres:
		dst = append(dst, dayNames[weekday(julian(c.year, c.month, c.day))][:3]...)
		month := monthNames[c.month-1][:3]
		if order == OrderDMY {
			dst = append(append2(append(dst, ' '), c.day), ' ')
			dst = append(append(dst, month...), ' ')
		} else {
			dst = append(append(append(dst, ' '), month...), ' ')
			dst = append(append2(dst, c.day), ' ')
		}
		dst = appendYear(append(appendClock(dst, c), ' '), c.year)
	default:
		sep := byte('/')
		if style == DateGerman {
			sep = '.'
		}
		dst = append(append2(dst, first), sep)
		dst = append(append2(dst, second), sep)
		dst = appendClock(append(appendYear(dst, c.year), ' '), c)
	}
	if z != nil {
		dst = append(dst, ' ')
		dst = append(dst, z.abbrev[:min(len(z.abbrev), maxAbbrev)]...)
	}
	return appendEra(dst, c.year)
}
