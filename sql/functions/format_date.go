package functions

import (
	"fmt"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// formatEvals are to_char, to_date, to_timestamp and to_number.
var formatEvals = map[string]EvalFunc{
	"timestamp_to_char": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if infinite(a[0].I) || len(a[1].B) == 0 {
			return nullResult()
		}
		return formatDate(c, civilParts(civilOf(a[0].I)), a[1].String())
	},
	"timestamptz_to_char": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if infinite(a[0].I) || len(a[1].B) == 0 {
			return nullResult()
		}
		z := c.Env.SessionZone()
		parts := civilParts(civilOf(localOf(c, a[0].I)))
		parts.zone, parts.east = z.AbbrevAt(a[0].I), z.OffsetAt(a[0].I)
		return formatDate(c, parts, a[1].String())
	},
	"interval_to_char": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if len(a[1].B) == 0 {
			return nullResult()
		}
		v := types.IntervalFrom(a[0])
		p := dateParts{interval: true, year: int64(v.Months / 12), month: int64(v.Months % 12), day: int64(v.Days)}
		p.setTime(v.Micros)
		p.yearDay = (p.year*12+p.month)*30 + p.day
		return formatDate(c, p, a[1].String())
	},
	"to_timestamp": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return toTimestamp(c, a[0].String(), a[1].String())
	},
	"to_date": func(c *Ctx, a []column.Datum) (column.Datum, error) { return toDate(c, a[0].String(), a[1].String()) },
}

// dateParts is what a picture can show.
type dateParts struct {
	interval             bool
	civil                civil
	year, month, day     int64 // year astronomical
	hour, minute, second int64
	micros               int64
	weekday, yearDay     int64
	zone                 string
	east                 int
}

func (p *dateParts) setTime(micros int64) {
	p.hour, p.minute = micros/usecPerHour, micros/usecPerMin%60
	p.second, p.micros = micros/usecPerSec%60, micros%usecPerSec
}

func civilParts(c civil) dateParts {
	p := dateParts{civil: c, year: int64(c.year), month: int64(c.month), day: int64(c.day), weekday: int64(c.weekday()), yearDay: int64(c.yearDay())}
	p.setTime(c.micros)
	return p
}

// shownYear is the year without a sign for BC.
func (p *dateParts) shownYear(year int64) int64 {
	if p.interval || year > 0 {
		return year
	}
	return -(year - 1)
}

func formatDate(c *Ctx, p dateParts, format string) (column.Datum, error) {
	pic, ok := c.Memo.(*picture)
	if !ok || pic.source != format {
		pic = parsePicture(format)
		c.Memo = pic
	}
	var b strings.Builder
	for i := range pic.nodes {
		n := &pic.nodes[i]
		if n.key == "" {
			b.WriteString(n.text)
			continue
		}
		s, err := p.show(n)
		if err != nil {
			return column.Datum{}, err
		}
		b.WriteString(s)
		if n.th != "" && n.digits() && s != "" {
			b.WriteString(ordinal(s, n.th == "th"))
		}
	}
	return textResult(b.String())
}

// padded prints with leading zeros to a width, one more for a minus sign, or not with FM.
func padded(n *pictureNode, v int64, width int) string {
	if v < 0 {
		width++
	}
	return filled(n, v, width)
}

// filled prints with leading zeros to a width that a minus sign is part of, or not with FM.
func filled(n *pictureNode, v int64, width int) string {
	if n.fm {
		width = 0
	}
	return fmt.Sprintf("%0*d", width, v)
}

func (p *dateParts) show(n *pictureNode) (string, error) {
	switch n.key {
	case "HH", "HH12":
		h := p.hour % 12
		if h == 0 {
			h = 12
		}
		return padded(n, h, 2), nil
	case "HH24":
		return padded(n, p.hour, 2), nil
	case "MI":
		return padded(n, p.minute, 2), nil
	case "SS":
		return padded(n, p.second, 2), nil
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		digits := int(n.key[2] - '0')
		return fmt.Sprintf("%0*d", digits, p.micros/scales[6-digits]), nil
	case "MS":
		return fmt.Sprintf("%03d", p.micros/1000), nil
	case "US":
		return fmt.Sprintf("%06d", p.micros), nil
	case "SSSS", "SSSSS":
		return fmt.Sprint(p.hour*3600 + p.minute*60 + p.second), nil
	case "DDD":
		return filled(n, p.yearDay, 3), nil
	case "DD":
		return filled(n, p.day, 2), nil
	case "MM":
		return padded(n, p.month, 2), nil
	case "CC":
		return p.century(n), nil
	case "Y,YYY":
		y := p.shownYear(p.year)
		return fmt.Sprintf("%d,%03d", y/1000, y%1000), nil
	case "YYYY", "IYYY":
		y := p.shownYear(p.yearFor(n.key))
		if n.fm {
			return fmt.Sprint(y), nil
		}
		return padded(n, y, 4), nil
	case "YYY", "IYY":
		return padded(n, p.shownYear(p.yearFor(n.key))%1000, 3), nil
	case "YY", "IY":
		return padded(n, p.shownYear(p.yearFor(n.key))%100, 2), nil
	case "Y", "I":
		return fmt.Sprint(p.shownYear(p.yearFor(n.key)) % 10), nil
	case "WW":
		return filled(n, (p.yearDay-1)/7+1, 2), nil
	case "W":
		return fmt.Sprint((p.day-1)/7 + 1), nil
	case "Q":
		if p.month == 0 {
			return "", nil
		}
		return fmt.Sprint((p.month-1)/3 + 1), nil
	}
	return p.showName(n)
}

func (p *dateParts) yearFor(key string) int64 {
	if key[0] == 'I' && !p.interval {
		y, _, _ := p.civil.isoWeek()
		return int64(y)
	}
	return p.year
}

func (p *dateParts) century(n *pictureNode) string {
	var cc int64
	switch {
	case p.interval:
		cc = p.year / 100
	case p.year > 0:
		cc = (p.year-1)/100 + 1
	default:
		cc = p.year/100 - 1
	}
	if cc <= 99 && cc >= -99 {
		return padded(n, cc, 2)
	}
	return fmt.Sprint(cc)
}

// showName shows names, zones and what an interval does not have.
func (p *dateParts) showName(n *pictureNode) (string, error) {
	switch n.key {
	case "AM", "PM":
		if p.hour%24 >= 12 {
			return n.cased("PM"), nil
		}
		return n.cased("AM"), nil
	case "A.M.", "P.M.":
		if p.hour%24 >= 12 {
			return n.cased("P.M."), nil
		}
		return n.cased("A.M."), nil
	case "RM":
		if p.month == 0 && p.year == 0 {
			return "", nil
		}
		return blankPad(n, n.cased(romanMonth(int(p.year), int(p.month))), 4), nil
	case "J":
		return fmt.Sprint(civilDays(int(p.year), int(p.month), int(p.day)) + epochJulian), nil
	}
	if p.interval {
		return "", pgerr.New(pgerr.InvalidDatetimeFormat, "invalid format specification for an interval value").
			WithHint("Intervals are not tied to specific calendar dates.")
	}
	switch n.key {
	case "MONTH":
		return blankPad(n, n.cased(monthNames[p.month-1]), 9), nil
	case "MON":
		return n.cased(monthNames[p.month-1][:3]), nil
	case "DAY":
		return blankPad(n, n.cased(dayNames[p.weekday]), 9), nil
	case "DY":
		return n.cased(dayNames[p.weekday][:3]), nil
	case "AD", "BC":
		return n.cased(map[bool]string{true: "AD", false: "BC"}[p.year > 0]), nil
	case "A.D.", "B.C.":
		return n.cased(map[bool]string{true: "A.D.", false: "B.C."}[p.year > 0]), nil
	case "TZ":
		if n.written == "tz" {
			return strings.ToLower(p.zone), nil
		}
		return p.zone, nil
	case "TZH":
		sign, east := splitSign(p.east)
		return fmt.Sprintf("%c%02d", sign, east/3600), nil
	case "TZM":
		_, east := splitSign(p.east)
		return fmt.Sprintf("%02d", east%3600/60), nil
	case "OF":
		sign, east := splitSign(p.east)
		s := fmt.Sprintf("%c%02d", sign, east/3600)
		if m := east % 3600 / 60; m != 0 {
			s += fmt.Sprintf(":%02d", m)
		}
		return s, nil
	case "D":
		return fmt.Sprint(p.weekday + 1), nil
	case "ID":
		_, _, d := p.civil.isoWeek()
		return fmt.Sprint(d), nil
	case "IW":
		_, w, _ := p.civil.isoWeek()
		return padded(n, int64(w), 2), nil
	case "IDDD":
		y, _, _ := p.civil.isoWeek()
		return padded(n, p.civil.days()-isoWeekStart(y, 1)+1, 3), nil
	}
	return "", nil
}

func splitSign(east int) (rune, int) {
	if east < 0 {
		return '-', -east
	}
	return '+', east
}

func blankPad(n *pictureNode, s string, width int) string {
	if n.fm || n.tm || len(s) >= width {
		return s
	}
	return s + strings.Repeat(" ", width-len(s))
}

// romanMonth numbers a month in Roman numerals. Intervals count them from the year's start backwards
// when they are negative, and 0 months of some years are December.
func romanMonth(year, month int) string {
	switch {
	case month == 0 && year == 0:
		return ""
	case month == 0 && year > 0:
		return romanNames[11]
	case month == 0:
		return romanNames[0]
	case month < 0:
		return romanNames[11+month+1]
	}
	return romanNames[month-1]
}
