package functions

import (
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// dateReader reads a text by a picture. Every field is remembered with the pattern that
// set it, since two settings must not contradict each other.
type dateReader struct {
	s      string
	pos    int
	extra  int // characters skipped beyond what the picture asked for
	fields map[string]int64
	iso    bool
	greg   bool
	bc     bool
	pm     bool
	clock  bool // twelve-hour clock
	zone   bool
	east   int
	digits int // digits of the year as read
}

func formatError(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.InvalidDatetimeFormat, format, args...)
}

// fieldOf names the field that a pattern sets.
var fieldOf = map[string]string{
	"HH": "hour", "HH12": "hour", "HH24": "hour", "MI": "minute", "SS": "second", "MS": "ms", "US": "us", "SSSS": "day seconds",
	"SSSSS": "day seconds", "DDD": "yday", "IDDD": "yday", "DD": "day", "D": "weekday", "ID": "weekday", "WW": "week", "IW": "week",
	"W": "week of month", "Q": "", "CC": "century", "J": "julian", "MM": "month", "YYYY": "year", "YYY": "year", "YY": "year", "Y": "year",
	"IYYY": "year", "IYY": "year", "IY": "year", "I": "year",
}

// widthOf is how many characters a pattern reads when more digits follow.
func widthOf(key string) int {
	switch key {
	case "HH12", "HH24", "HH", "CC":
		return 2
	case "US", "FF6", "J":
		return 6
	case "YYYY", "IYYY", "SSSS", "Y,YYY", "IDDD":
		return min(len(key), 4)
	}
	return len(key)
}

func (r *dateReader) skipSpace() {
	for r.pos < len(r.s) && strings.IndexByte(" \t\n\r\v\f", r.s[r.pos]) >= 0 {
		r.pos++
	}
}

func separator(c byte) bool {
	return c > 0x20 && c < 0x7f && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')
}

func blank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// read follows the picture through the text.
func (r *dateReader) read(p *picture) error {
	for i := range p.nodes {
		n := &p.nodes[i]
		if !p.fx && (n.key != "" || i == 0) {
			for r.pos < len(r.s) && blank(r.s[r.pos]) {
				r.pos++
				r.extra++
			}
		}
		if n.key == "" {
			r.literal(n, p.fx)
			continue
		}
		if r.pos >= len(r.s) {
			return nil
		}
		if err := r.field(p, i); err != nil {
			return err
		}
		if !p.fx {
			r.extra = 0
			for r.pos < len(r.s) && blank(r.s[r.pos]) {
				r.pos++
				r.extra++
			}
		}
	}
	return nil
}

// literal passes over text that the picture does not interpret.
func (r *dateReader) literal(n *pictureNode, fx bool) {
	if r.pos >= len(r.s) {
		return
	}
	size := charSize([]byte(r.s[r.pos:]), true)
	switch {
	case fx:
		r.pos += size
	case !n.quoted && len(n.text) == 1 && (blank(n.text[0]) || separator(n.text[0])):
		r.extra--
		if blank(r.s[r.pos]) || separator(r.s[r.pos]) {
			r.pos++
			r.extra++
		}
	case r.extra > 0:
		r.extra--
	default:
		r.pos += size
	}
}

// endsDigits says whether what follows node i in the picture cannot be a digit.
func endsDigits(p *picture, i int) bool {
	if p.nodes[i].th != "" || i+1 >= len(p.nodes) {
		return true
	}
	next := &p.nodes[i+1]
	if next.key != "" {
		return !next.digits()
	}
	return !(len(next.text) == 1 && next.text[0] >= '0' && next.text[0] <= '9')
}

// integer reads a number for node i.
func (r *dateReader) integer(p *picture, i, width int) (int64, int, error) {
	n := &p.nodes[i]
	r.skipSpace()
	rest := r.s[r.pos:]
	if len(rest) > width && !n.fm && !endsDigits(p, i) {
		rest = rest[:width]
	}
	fixed := !n.fm && !endsDigits(p, i)
	if fixed && len(rest) < width {
		return 0, 0, formatError("source string too short for \"%s\" formatting field", n.written).
			WithDetail("Field requires %d characters, but only %d remain.", width, len(rest)).
			WithHint("If your source string is not fixed-width, try using the \"FM\" modifier.")
	}
	k := 0
	if k < len(rest) && (rest[k] == '+' || rest[k] == '-') {
		k++
	}
	digits := k
	for k < len(rest) && rest[k] >= '0' && rest[k] <= '9' {
		k++
	}
	if k == digits {
		return 0, 0, formatError("invalid value \"%s\" for \"%s\"", r.s[r.pos:min(len(r.s), r.pos+max(width, 0))], n.written).
			WithDetail("Value must be an integer.")
	}
	if fixed && k < width {
		return 0, 0, formatError("invalid value \"%s\" for \"%s\"", rest, n.written).
			WithDetail("Field requires %d characters, but only %d could be parsed.", width, k).
			WithHint("If your source string is not fixed-width, try using the \"FM\" modifier.")
	}
	v, err := strconv.ParseInt(rest[:k], 10, 64)
	if err != nil || v > math.MaxInt32 || v < math.MinInt32 {
		return 0, 0, pgerr.New(pgerr.DatetimeFieldOverflow, "value for \"%s\" in source string is out of range", n.written).
			WithDetail("Value must be in the range %d to %d.", math.MinInt32, math.MaxInt32)
	}
	r.pos += k
	return v, k - digits, nil
}

// set remembers a field.
func (r *dateReader) set(field string, v int64, n *pictureNode) error {
	if old, ok := r.fields[field]; ok && old != v {
		return formatError("conflicting values for \"%s\" field in formatting string", n.written).
			WithDetail("This value contradicts a previous setting for the same field type.")
	}
	r.fields[field] = v
	return nil
}

// oneOf reads one of several names, whatever their case.
func (r *dateReader) oneOf(names []string, short int, n *pictureNode) (int64, error) {
	for i, name := range names {
		if short > 0 {
			name = name[:short]
		}
		if hasFold(r.s[r.pos:], name) {
			r.pos += len(name)
			return int64(i), nil
		}
	}
	word := r.s[r.pos:]
	if short > 0 && len(word) > short {
		word = word[:short]
	} else if k := strings.IndexAny(word, " \t\n"); k > 0 {
		word = word[:k]
	}
	return 0, formatError("invalid value \"%s\" for \"%s\"", word, n.written).
		WithDetail("The given value did not match any of the allowed values for this field.")
}

func (r *dateReader) field(p *picture, i int) error {
	n := &p.nodes[i]
	switch n.key {
	case "IYYY", "IYY", "IY", "I", "IW", "ID", "IDDD":
		r.iso = true
	case "YYYY", "YYY", "YY", "Y", "Y,YYY", "MM", "MON", "MONTH", "DD", "DDD", "D", "WW", "W", "DAY", "DY", "CC", "RM":
		if n.key != "D" && n.key != "DAY" && n.key != "DY" {
			r.greg = true
		}
	}
	if r.iso && r.greg {
		return formatError("invalid combination of date conventions").
			WithHint("Do not mix Gregorian and ISO week date conventions in a formatting template.")
	}
	switch n.key {
	case "AM", "PM":
		v, err := r.oneOf([]string{"AM", "PM"}, 0, n)
		r.pm, r.clock = v == 1, true
		return err
	case "A.M.", "P.M.":
		v, err := r.oneOf([]string{"A.M.", "P.M."}, 0, n)
		r.pm, r.clock = v == 1, true
		return err
	case "AD", "BC":
		v, err := r.oneOf([]string{"AD", "BC"}, 0, n)
		r.bc = v == 1
		return err
	case "A.D.", "B.C.":
		v, err := r.oneOf([]string{"A.D.", "B.C."}, 0, n)
		r.bc = v == 1
		return err
	case "MONTH", "MON":
		v, err := r.oneOf(monthNames, map[string]int{"MON": 3}[n.key], n)
		if err != nil {
			return err
		}
		return r.set("month", v+1, n)
	case "DAY", "DY":
		v, err := r.oneOf(dayNames, map[string]int{"DY": 3}[n.key], n)
		if err != nil {
			return err
		}
		return r.set("weekday", v+1, n)
	case "RM":
		for m := 11; m >= 0; m-- { // longer numerals first where one begins another
			for _, name := range romanNames {
				if name == romanNames[m] && hasFold(r.s[r.pos:], name) && romanEnds(r.s[r.pos+len(name):]) {
					r.pos += len(name)
					return r.set("month", int64(m+1), n)
				}
			}
		}
		_, err := r.oneOf(nil, 0, n)
		return err
	case "TZH", "TZM":
		return r.zonePart(p, i)
	case "TZ", "OF":
		return pgerr.New(pgerr.FeatureNotSupported, "formatting field \"%s\" is only supported in to_char", n.written)
	case "Y,YYY":
		return r.longYear(n)
	}
	return r.number(p, i)
}

func romanEnds(rest string) bool {
	return rest == "" || strings.IndexByte("IVXivx", rest[0]) < 0
}

func (r *dateReader) longYear(n *pictureNode) error {
	rest := r.s[r.pos:]
	head, tail, ok := strings.Cut(rest, ",")
	k := 0
	for k < len(tail) && k < 3 && tail[k] >= '0' && tail[k] <= '9' {
		k++
	}
	thousands, err := strconv.Atoi(head)
	if !ok || err != nil || k == 0 {
		return formatError("invalid input string for \"Y,YYY\"")
	}
	years, _ := strconv.Atoi(tail[:k])
	r.pos += len(head) + 1 + k
	r.digits = 4
	return r.set("year", int64(thousands*1000+years), n)
}

func (r *dateReader) zonePart(p *picture, i int) error {
	n := &p.nodes[i]
	r.zone = true
	if n.key == "TZM" {
		v, _, err := r.integer(p, i, 2)
		if err != nil {
			return err
		}
		if r.fields["zone sign"] < 0 {
			v = -v
		}
		r.east += int(v) * 60
		return nil
	}
	sign := int64(1)
	switch c := r.s[r.pos]; {
	case c == '+' || c == '-':
		if c == '-' {
			sign = -1
		}
		r.pos++
	case r.extra > 0 && r.pos > 0 && r.s[r.pos-1] == '-':
		sign = -1
	}
	v, _, err := r.integer(p, i, 2)
	r.fields["zone sign"] = sign
	r.east += int(sign*v) * 3600
	return err
}

// number reads a pattern of digits.
func (r *dateReader) number(p *picture, i int) error {
	n := &p.nodes[i]
	if strings.HasPrefix(n.key, "FF") || n.key == "MS" || n.key == "US" {
		return r.fraction(p, i)
	}
	width := widthOf(n.key)
	if n.key == "SSSS" || n.key == "SSSSS" {
		width = 5
	}
	v, digits, err := r.integer(p, i, width)
	if err != nil {
		return err
	}
	if n.th != "" {
		r.pos = min(len(r.s), r.pos+2)
	}
	switch n.key {
	case "HH", "HH12":
		r.clock = true
	case "YYY", "YY", "Y", "IYY", "IY", "I":
		if digits < 4 {
			v = nearYear(v, digits)
		}
		r.digits = digits
		if len(n.key) < 3 && digits <= 2 {
			r.digits = 2
		}
	case "YYYY", "IYYY":
		r.digits = 4
	case "ID":
		if v++; v > 7 {
			v = 1
		}
	case "Q":
		return nil
	}
	return r.set(fieldOf[n.key], v, n)
}

// nearYear takes a short year for the one nearest to 2020.
func nearYear(v int64, digits int) int64 {
	switch {
	case v < 70:
		return v + 2000
	case v < 100:
		return v + 1900
	case v < 520:
		return v + 2000
	case v < 1000:
		return v + 1000
	}
	return v
}

func (r *dateReader) fraction(p *picture, i int) error {
	n := &p.nodes[i]
	width := 6
	if n.key == "MS" {
		width = 3
	} else if n.key != "US" {
		width = int(n.key[2] - '0')
	}
	v, digits, err := r.integer(p, i, width)
	if err != nil {
		return err
	}
	full := 6
	if n.key == "MS" {
		full = 3
	}
	for ; digits < full; digits++ {
		v *= 10
	}
	if n.key == "MS" {
		return r.set("ms", v, n)
	}
	return r.set("us", v, n)
}

func readDate(c *Ctx, s, format string) (*dateReader, error) {
	pic, ok := c.Memo.(*picture)
	if !ok || pic.source != format {
		pic = parsePicture(format)
		c.Memo = pic
	}
	r := &dateReader{s: s, fields: map[string]int64{}}
	return r, r.read(pic)
}

func toTimestamp(c *Ctx, s, format string) (column.Datum, error) {
	r, err := readDate(c, s, format)
	if err != nil {
		return column.Datum{}, err
	}
	day, micros, err := r.assemble()
	if err != nil {
		return column.Datum{}, err
	}
	local, err := types.DateToTimestamp(day)
	if err != nil || !types.ValidTimestamp(local+micros) {
		return column.Datum{}, types.ErrTimestampRange()
	}
	if r.zone {
		return timestampResult(local + micros - int64(r.east)*usecPerSec)
	}
	ts, err := types.TimestampToTimestamptz(local+micros, c.Env.SessionZone())
	return column.IntDatum(ts), err
}

func toDate(c *Ctx, s, format string) (column.Datum, error) {
	r, err := readDate(c, s, format)
	if err != nil {
		return column.Datum{}, err
	}
	day, _, err := r.assemble()
	if err == nil && !types.ValidDate(day) {
		err = types.ErrDateRange()
	}
	return column.IntDatum(day), err
}

func (r *dateReader) overflow() error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", r.s)
}

// assemble makes a day and a time of day of the fields.
func (r *dateReader) assemble() (day, micros int64, err error) {
	f := r.fields
	hour := f["hour"]
	if r.clock {
		if hour < 1 || hour > 12 {
			if _, given := f["hour"]; given {
				return 0, 0, formatError("hour \"%d\" is invalid for the 12-hour clock", hour).
					WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
			}
		}
		if r.pm && hour < 12 {
			hour += 12
		} else if !r.pm && hour == 12 {
			hour = 0
		}
	}
	if sec, ok := f["day seconds"]; ok {
		hour = sec / 3600
		f["minute"], f["second"] = sec/60%60, sec%60
	}
	if hour < 0 || hour > 23 || f["minute"] < 0 || f["minute"] > 59 || f["second"] < 0 || f["second"] > 59 || f["us"]+f["ms"]*1000 >= usecPerSec {
		return 0, 0, r.overflow()
	}
	micros = hour*usecPerHour + f["minute"]*usecPerMin + f["second"]*usecPerSec + f["ms"]*1000 + f["us"]
	if j, ok := f["julian"]; ok {
		return j - epochJulian, micros, nil
	}
	day, err = r.day()
	return day, micros, err
}

// year returns the astronomical year.
func (r *dateReader) year() int64 {
	f := r.fields
	y, given := f["year"]
	cc, hasCentury := f["century"]
	switch {
	case given && hasCentury && r.digits <= 2:
		y = f["year"] % 100
		if y != 0 {
			y += (cc - 1) * 100
		} else {
			y = cc * 100
		}
	case given:
		if r.bc {
			y = -y
		}
		if y < 0 {
			y++
		}
	case hasCentury:
		if y = cc*100 - 99; cc < 0 || r.bc {
			y = -cc*100 + 1
			if cc < 0 {
				y = cc*100 + 1
			}
		}
	}
	return y
}

func (r *dateReader) day() (int64, error) {
	f := r.fields
	year := r.year()
	month, day := f["month"], f["day"]
	week, hasWeek := f["week"]
	yday, hasYday := f["yday"]
	switch {
	case hasWeek && r.iso:
		d := isoWeekStart(int(year), int(week))
		if wd, ok := f["weekday"]; ok {
			if wd > 1 {
				d += wd - 2
			} else {
				d += 6
			}
		}
		return d, nil
	case hasWeek:
		yday, hasYday = (week-1)*7+1, true
	}
	if w, ok := f["week of month"]; ok {
		day = (w-1)*7 + 1
	}
	if hasYday && month == 0 && day == 0 {
		if _, ok := f["year"]; !ok {
			return 0, formatError("cannot calculate day of year without year information")
		}
		if r.iso {
			return isoWeekStart(int(year), 1) + yday - 1, nil
		}
		if yday < 1 || yday > 366 || yday == 366 && !isLeap(int(year)) {
			return 0, r.overflow()
		}
		return civilDays(int(year), 1, 1) + yday - 1, nil
	}
	if _, ok := f["month"]; !ok {
		month = 1
	}
	if day == 0 {
		if _, ok := f["day"]; !ok {
			day = 1
		}
	}
	if month < 1 || month > 12 || day < 1 || year > 1<<24 || day > int64(daysIn(int(year), int(month))) {
		return 0, r.overflow()
	}
	return civilDays(int(year), int(month), int(day)), nil
}
