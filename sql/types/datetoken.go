package types

import "strings"

// fieldMask is a set of date and time parts that text has given so far.
type fieldMask uint32

// The parts. The names follow PostgreSQL's, whose rules for combining them we keep.
const (
	mYear fieldMask = 1 << iota
	mMonth
	mDay
	mJulian
	mTZ
	mDTZ
	mDynTZ
	mIgnore
	mAMPM
	mHour
	mMinute
	mSecond
	mMillisecond
	mMicrosecond
	mDOY
	mDOW
	mUnits
	mADBC
	mISOTime
	mDTZMod
	mWeek
	mDecade
	mCentury
	mMillennium
	mReserved
	mUnknown

	mDate    = mYear | mMonth | mDay
	mTime    = mHour | mMinute | mAllSecs
	mAllSecs = mSecond | mMillisecond | mMicrosecond
)

// unit is what a word such as "day" or a prefix such as "y" stands for, or the kind of
// value that a special word stands for.
type unit uint8

const (
	uNone unit = iota
	uMicrosecond
	uMillisecond
	uSecond
	uMinute
	uHour
	uDay
	uWeek
	uMonth
	uQuarter
	uYear
	uDecade
	uCentury
	uMillennium
	uDOW
	uDOY
	uISODOW
	uISOYear
	uJulian
	uTime
	uTZ
	uTZHour
	uTZMinute
	uEpoch
	uNow
	uToday
	uTomorrow
	uYesterday
	uZulu
	uLate
	uEarly
	uAgo
)

// token is the meaning of a word: its class (one bit of fieldMask) and value.
type token struct {
	class fieldMask
	value int
}

// tokenLen is how many bytes of a word count.
const tokenLen = 10

func clipToken(s string) string {
	if len(s) > tokenLen {
		return s[:tokenLen]
	}
	return s
}

// dateTokens are the words of dates and times.
var dateTokens = buildDateTokens()

func buildDateTokens() map[string]token {
	m := map[string]token{
		"-infinity": {mReserved, int(uEarly)}, "infinity": {mReserved, int(uLate)},
		"epoch": {mReserved, int(uEpoch)}, "now": {mReserved, int(uNow)}, "today": {mReserved, int(uToday)},
		"tomorrow": {mReserved, int(uTomorrow)}, "yesterday": {mReserved, int(uYesterday)},
		"allballs": {mReserved, int(uZulu)},
		"ad":       {mADBC, 0}, "bc": {mADBC, 1}, "am": {mAMPM, 1}, "pm": {mAMPM, 2},
		"at": {mIgnore, 0}, "on": {mIgnore, 0}, "dst": {mDTZMod, 3600}, "t": {mISOTime, int(uTime)},
		"d": {mUnits, int(uDay)}, "dow": {mUnits, int(uDOW)}, "doy": {mUnits, int(uDOY)},
		"h": {mUnits, int(uHour)}, "isodow": {mUnits, int(uISODOW)}, "isoyear": {mUnits, int(uISOYear)},
		"j": {mUnits, int(uJulian)}, "jd": {mUnits, int(uJulian)}, "julian": {mUnits, int(uJulian)},
		"m": {mUnits, int(uMonth)}, "mm": {mUnits, int(uMinute)}, "s": {mUnits, int(uSecond)},
		"y": {mUnits, int(uYear)}, "sept": {mMonth, 9},
		"tues": {mDOW, 2}, "weds": {mDOW, 3}, "thur": {mDOW, 4}, "thurs": {mDOW, 4},
	}
	for i, name := range monthNames {
		m[strings.ToLower(name)] = token{mMonth, i + 1}
		m[strings.ToLower(name[:3])] = token{mMonth, i + 1}
	}
	for i, name := range dayNames {
		m[strings.ToLower(name)] = token{mDOW, i}
		m[strings.ToLower(name[:3])] = token{mDOW, i}
	}
	return m
}

var monthNames = [12]string{"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"}

var dayNames = [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

// unitTokens are the words of intervals, and of the fields of extract and date_trunc.
var unitTokens = func() map[string]token {
	m := map[string]token{"@": {mIgnore, 0}, "ago": {mUnknown, int(uAgo)}}
	for u, words := range map[unit]string{
		uMicrosecond: "us usec usecs usecond useconds microsecon",
		uMillisecond: "ms msec msecs msecond mseconds millisecon",
		uSecond:      "s sec secs second seconds",
		uMinute:      "m min mins minute minutes",
		uHour:        "h hr hrs hour hours",
		uDay:         "d day days",
		uWeek:        "w week weeks",
		uMonth:       "mon mons month months",
		uQuarter:     "qtr quarter",
		uYear:        "y yr yrs year years",
		uDecade:      "dec decs decade decades",
		uCentury:     "c cent century centuries",
		uMillennium:  "mil mils millennia millennium",
		uTZ:          "timezone",
		uTZHour:      "timezone_h",
		uTZMinute:    "timezone_m",
	} {
		for _, w := range strings.Fields(words) {
			m[w] = token{mUnits, int(u)}
		}
	}
	return m
}()

// fieldKind is the shape of one field of date, time or interval text.
type fieldKind uint8

const (
	fNumber  fieldKind = iota // digits, perhaps with a fraction
	fDate                     // digits or letters with separators
	fTime                     // digits with colons
	fTZ                       // a sign and digits
	fString                   // letters
	fSpecial                  // a sign and letters
)

type dateField struct {
	kind fieldKind
	text string // lower case
}

// The limits of date text: as many fields as PostgreSQL allows, and as many bytes.
const (
	maxDateFields   = 25
	maxDateText     = 128 + maxDateFields
	maxIntervalText = 256
)

// dateScanner cuts text into fields.
type dateScanner struct {
	s   string
	pos int
	buf []byte
}

func (d *dateScanner) peek() byte {
	if d.pos < len(d.s) {
		return d.s[d.pos]
	}
	return 0
}

// take appends bytes to the field while they satisfy ok.
func (d *dateScanner) take(ok func(c byte) bool) {
	for d.pos < len(d.s) && ok(d.s[d.pos]) {
		d.buf = append(d.buf, lower(d.s[d.pos]))
		d.pos++
	}
}

func (d *dateScanner) takeOne() {
	d.buf = append(d.buf, lower(d.s[d.pos]))
	d.pos++
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }

func isPunct(c byte) bool { return c > ' ' && c < 0x7f && !isAlnum(c) }

// scanDate cuts text into at most maxDateFields fields of limit bytes together.
func scanDate(s string, limit int) ([]dateField, dateError) {
	var fields []dateField
	d := dateScanner{s: s}
	total := 0
	for d.pos < len(s) {
		if isSpace(d.peek()) {
			d.pos++
			continue
		}
		d.buf = d.buf[:0]
		kind, ok := d.field()
		if !ok {
			return nil, dateBadFormat
		}
		if len(d.buf) == 0 {
			continue // other punctuation only separates
		}
		if total += len(d.buf) + 1; total > limit || len(fields) >= maxDateFields {
			return nil, dateBadFormat
		}
		fields = append(fields, dateField{kind, string(d.buf)})
	}
	return fields, dateOK
}

func (d *dateScanner) field() (fieldKind, bool) {
	c := d.peek()
	switch {
	case isDigit(c):
		return d.digits(), true
	case c == '.':
		d.takeOne()
		d.take(isDigit)
		return fNumber, true
	case isAlpha(c):
		return d.word(), true
	case c == '+' || c == '-':
		d.takeOne()
		for isSpace(d.peek()) {
			d.pos++
		}
		switch c := d.peek(); {
		case isDigit(c):
			d.take(func(c byte) bool { return isDigit(c) || c == ':' || c == '.' || c == '-' })
			return fTZ, true
		case isAlpha(c):
			d.take(isAlpha)
			return fSpecial, true
		}
		return 0, false
	case isPunct(c):
		d.pos++
		return 0, true
	}
	return 0, false
}

func (d *dateScanner) digits() fieldKind {
	d.take(isDigit)
	switch delim := d.peek(); delim {
	case ':':
		d.take(func(c byte) bool { return isDigit(c) || c == ':' || c == '.' })
		return fTime
	case '-', '/', '.':
		d.takeOne()
		if !isDigit(d.peek()) {
			d.take(func(c byte) bool { return isAlnum(c) || c == delim })
			return fDate
		}
		d.take(isDigit)
		if d.peek() == delim {
			d.take(func(c byte) bool { return isDigit(c) || c == delim })
			return fDate
		}
		if delim == '.' {
			return fNumber
		}
		return fDate
	}
	return fNumber
}

// word reads letters, and what may be glued to them in a date or in a zone's name.
func (d *dateScanner) word() fieldKind {
	d.take(isAlpha)
	glued := false
	switch c := d.peek(); {
	case c == '-' || c == '/' || c == '.':
		glued = true
	case c == '+' || isDigit(c):
		_, known := dateTokens[clipToken(string(d.buf))]
		glued = !known
	}
	if !glued {
		return fString
	}
	d.take(func(c byte) bool {
		return isAlnum(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':'
	})
	return fDate
}
