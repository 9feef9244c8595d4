package types

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones, when the machine has none

	"github.com/omendb/omendb/sql/pgerr"
)

// Zone is a time zone: an IANA zone, a POSIX specification or a fixed offset.
// Zones are immutable and may be shared.
type Zone struct {
	name  string
	loc   *time.Location
	fixed bool // the offset never changes; east and abbrev hold for all times
	east  int
}

// UTC is the zone of a fresh server.
var UTC = &Zone{name: "UTC", loc: time.UTC, fixed: true}

// String returns the zone's name as SHOW timezone prints it.
func (z *Zone) String() string { return z.name }

// maxZoneOffset bounds offsets in seconds, as PostgreSQL does (a week).
const maxZoneOffset = 7 * secPerDay

//go:embed data/timezone_names.txt
var zoneNameFacts string

//go:embed data/timezone_abbrevs.tsv
var zoneAbbrevFacts string

// zoneNames maps lower-case zone names to their proper spelling.
var zoneNames = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 640)
	for _, name := range strings.Fields(zoneNameFacts) {
		m[strings.ToLower(name)] = name
	}
	return m
})

// zoneMemo holds the zones already loaded, by lower-case name. Only names from
// zoneNames get in, so it is bounded.
var zoneMemo sync.Map

// ZoneNames returns the names of all IANA zones.
func ZoneNames() []string { return strings.Fields(zoneNameFacts) }

// LookupZone finds a zone by its name in any case, or reads a POSIX specification
// such as EST5EDT or <+03>-3. It does not know abbreviations; see LookupAbbrev.
func LookupZone(name string) (*Zone, bool) {
	lower := strings.ToLower(name)
	if z, ok := zoneMemo.Load(lower); ok {
		return z.(*Zone), true
	}
	if proper, ok := zoneNames()[lower]; ok {
		loc, err := time.LoadLocation(proper)
		if err != nil {
			return nil, false
		}
		z := newZone(proper, loc)
		zoneMemo.Store(lower, z)
		return z, true
	}
	upper := strings.ToUpper(name)
	if upper == "GMT" {
		return UTC, true
	}
	return posixZone(upper)
}

// newZone notices zones that never changed their offset.
func newZone(name string, loc *time.Location) *Zone {
	z := &Zone{name: name, loc: loc}
	start, end := time.Unix(0, 0).In(loc).ZoneBounds()
	if start.IsZero() && end.IsZero() {
		z.fixed = true
		_, z.east = time.Unix(0, 0).In(loc).Zone()
	}
	return z
}

// FixedZone returns a zone of a constant offset, named as PostgreSQL names it: in
// POSIX notation, whose sign is the opposite of ISO's.
func FixedZone(east int) *Zone {
	h, m, s := abs(east)/3600, abs(east)/60%60, abs(east)%60
	num := pad2(h)
	if m != 0 || s != 0 {
		num += ":" + pad2(m)
	}
	if s != 0 {
		num += ":" + pad2(s)
	}
	pos, neg := "+", "-"
	if east < 0 {
		pos, neg = neg, pos
	}
	return &Zone{name: "<" + pos + num + ">" + neg + num, loc: time.FixedZone(pos+num, east), fixed: true, east: east}
}

func pad2(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// posixZone reads a POSIX TZ specification by handing it to the standard library as
// the footer of an otherwise empty zone file.
func posixZone(spec string) (*Zone, bool) {
	std, east, rest, ok := posixStandard(spec)
	if !ok {
		return nil, false
	}
	if rest == "" {
		return &Zone{name: spec, loc: time.FixedZone(std, east), fixed: true, east: east}, true
	}
	if !posixDaylight(rest) {
		return nil, false
	}
	if !strings.Contains(rest, ",") {
		spec += ",M3.2.0,M11.1.0" // PostgreSQL's default rule: that of the United States since 2007
	}
	loc, err := time.LoadLocationFromTZData(spec, zoneFile(spec))
	if err != nil {
		return nil, false
	}
	if abbrev, _ := time.Unix(0, 0).In(loc).Zone(); abbrev == noAbbrev {
		return nil, false // the library could not read the rule
	}
	return newZone(strings.TrimSuffix(spec, ",M3.2.0,M11.1.0"), loc), true
}

// posixDaylight checks the form of what follows the standard time: a name and a rule.
func posixDaylight(s string) bool {
	name, rest, ok := posixName(s)
	return ok && name != "" && (rest == "" || rest[0] == ',' || rest[0] == '+' || rest[0] == '-' || isDigit(rest[0]))
}

// posixName reads a zone's abbreviation: letters, or anything in angle brackets.
func posixName(s string) (name, rest string, ok bool) {
	if strings.HasPrefix(s, "<") {
		name, rest, ok = strings.Cut(s[1:], ">")
		return name, rest, ok && name != ""
	}
	n := 0
	for n < len(s) && isAlpha(s[n]) {
		n++
	}
	return s[:n], s[n:], n > 0
}

func posixStandard(spec string) (name string, east int, rest string, ok bool) {
	name, rest, ok = posixName(spec)
	if !ok && strings.HasPrefix(spec, "<") || rest == "" { // PostgreSQL takes a missing name, too
		return "", 0, "", false
	}
	sign := -1
	if rest[0] == '+' || rest[0] == '-' {
		if rest[0] == '-' {
			sign = 1
		}
		rest = rest[1:]
	}
	unit := 3600
	for unit > 0 {
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n == 0 || n > 3 {
			return "", 0, "", false
		}
		v, _ := strconv.Atoi(rest[:n])
		if unit == 3600 && v > 167 || unit < 3600 && v > 59 {
			return "", 0, "", false
		}
		east += v * unit
		rest = rest[n:]
		if !strings.HasPrefix(rest, ":") {
			break
		}
		rest = rest[1:]
		unit /= 60
	}
	return name, sign * east, rest, true
}

// noAbbrev is the abbreviation of times that the footer of zoneFile does not cover.
const noAbbrev = "\x01\x01\x01"

// zoneFile makes a TZif version 2 file with one zone, no transition and a footer.
func zoneFile(footer string) []byte {
	header := "TZif2" + strings.Repeat("\x00", 15)
	counts := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4}
	body := "\x00\x00\x00\x00\x00\x00" + noAbbrev + "\x00" // ttinfo: offset 0, no daylight, abbreviation 0
	block := header + string(counts) + body
	return []byte(block + block + "\n" + footer + "\n")
}

// ParseZone reads a value of SET TIME ZONE: a name, a POSIX specification, hours east of UTC
// as a number, or INTERVAL '…' without months and days.
func ParseZone(s string) (*Zone, error) {
	invalid := func(detail string) (*Zone, error) {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"TimeZone\": \"%s\"", s).WithDetail("%s", detail)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	seconds *= 3600
	isNumber := err == nil && !math.IsNaN(seconds)
	if quoted, ok := zoneInterval(s); ok {
		d, err := intervalIn(&Env{}, nil, -1, quoted)
		if err != nil {
			return nil, err
		}
		v := IntervalFrom(d)
		switch {
		case v.Months != 0:
			return invalid("Cannot specify months in time zone interval.")
		case v.Days != 0:
			return invalid("Cannot specify days in time zone interval.")
		}
		seconds, isNumber = float64(v.Micros)/usecPerSec, true
	}
	if isNumber {
		if math.Abs(seconds) > maxZoneOffset {
			return invalid("UTC timezone offset is out of range.")
		}
		return FixedZone(int(math.Trunc(seconds))), nil
	}
	if z, ok := LookupZone(s); ok {
		return z, nil
	}
	return invalid("")
}

// zoneInterval returns what INTERVAL '…' quotes; false for anything else.
func zoneInterval(s string) (string, bool) {
	const word = "interval"
	s = strings.TrimSpace(s)
	if len(s) < len(word) || !strings.EqualFold(s[:len(word)], word) {
		return "", false
	}
	s = strings.TrimSpace(s[len(word):])
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// at returns the offset in seconds east of UTC, the abbreviation and the daylight flag
// that hold at a moment, given in seconds since 1970.
func (z *Zone) at(unix int64) (east int, abbrev string, dst bool) {
	t := time.Unix(unix, 0).In(z.loc)
	abbrev, east = t.Zone()
	return east, abbrev, t.IsDST()
}

// OffsetAt returns the offset in seconds east of UTC at a timestamptz.
func (z *Zone) OffsetAt(ts int64) int {
	if z.fixed {
		return z.east
	}
	sec, _ := floorDiv(ts, usecPerSec)
	east, _, _ := z.at(sec + epochUnixSec)
	return east
}

// Steady returns the offset east of UTC at a timestamptz, in microseconds, and a
// period around it, half-open, in which it is the same.
func (z *Zone) Steady(ts int64) (from, to, east int64) {
	from, to = minTimestamp, endTimestamp
	if z.fixed {
		return from, to, int64(z.east) * usecPerSec
	}
	sec, _ := floorDiv(ts, usecPerSec)
	t := time.Unix(sec+epochUnixSec, 0).In(z.loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		from = max(from, (start.Unix()-epochUnixSec)*usecPerSec)
	}
	if !end.IsZero() {
		to = min(to, (end.Unix()-epochUnixSec)*usecPerSec)
	}
	return from, to, int64(offset) * usecPerSec
}

// AbbrevAt returns the zone's abbreviation at a timestamptz.
func (z *Zone) AbbrevAt(ts int64) string {
	sec, _ := floorDiv(ts, usecPerSec)
	_, abbrev, _ := z.at(sec + epochUnixSec)
	return abbrev
}

// Resolve returns the offset in seconds east of UTC of a local timestamp. A time that
// the clocks skip is read by the offset before the change, one that occurs twice by the
// offset after it: both give standard time where daylight saving is one hour.
func (z *Zone) Resolve(local int64) int {
	if z.fixed {
		return z.east
	}
	sec, _ := floorDiv(local, usecPerSec)
	mine := sec + epochUnixSec
	prev := time.Unix(mine-secPerDay, 0).In(z.loc)
	_, before := prev.Zone()
	_, end := prev.ZoneBounds()
	if end.IsZero() {
		return before
	}
	boundary := end.Unix()
	_, after := end.In(z.loc).Zone()
	beforeTime, afterTime := mine-int64(before), mine-int64(after)
	switch {
	case beforeTime < boundary && afterTime < boundary:
		return before
	case beforeTime > boundary && afterTime >= boundary:
		return after
	case beforeTime > afterTime:
		return before
	}
	return after
}

// zoneAbbrev is one abbreviation: a fixed offset, or a zone to ask.
type zoneAbbrev struct {
	east int
	dst  bool
	zone string
}

var zoneAbbrevs = sync.OnceValue(func() map[string]zoneAbbrev {
	m := make(map[string]zoneAbbrev, 220)
	for line := range strings.Lines(zoneAbbrevFacts) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if east, err := strconv.Atoi(f[1]); err == nil {
			m[f[0]] = zoneAbbrev{east: east, dst: f[2] == "D"}
		} else {
			m[f[0]] = zoneAbbrev{zone: f[1]}
		}
	}
	return m
})

// ZoneAbbrev is one row of pg_timezone_abbrevs.
type ZoneAbbrev struct {
	Abbrev string
	East   int
	DST    bool
}

// ZoneAbbrevs returns all abbreviations with what they mean at a timestamptz.
func ZoneAbbrevs(at int64) []ZoneAbbrev {
	var all []ZoneAbbrev
	for name, a := range zoneAbbrevs() {
		east, dst := a.at(name, at)
		all = append(all, ZoneAbbrev{strings.ToUpper(name), east, dst})
	}
	return all
}

// at returns the offset that the abbreviation stands for at a timestamptz: what the zone
// itself last meant by it, else the zone's offset at that time.
func (a zoneAbbrev) at(name string, ts int64) (east int, dst bool) {
	if a.zone == "" {
		return a.east, a.dst
	}
	z, ok := LookupZone(a.zone)
	if !ok {
		return 0, false
	}
	sec, _ := floorDiv(ts, usecPerSec)
	return z.interpret(strings.ToUpper(name), sec+epochUnixSec)
}

// interpretLimit is where the search for an abbreviation starts at the latest: by then
// every zone has come to its last rule, which uses the same abbreviations every year.
const interpretLimit = 2208988800 // 2040-01-01

// interpret finds what an abbreviation means in a zone near a moment: its most recent use
// at or before it, else the first one after it, else the zone's offset then.
func (z *Zone) interpret(abbrev string, unix int64) (east int, dst bool) {
	t := time.Unix(min(unix, interpretLimit), 0).In(z.loc)
	for u := t; ; {
		if name, off := u.Zone(); name == abbrev {
			return off, u.IsDST()
		}
		start, _ := u.ZoneBounds()
		if start.IsZero() {
			break
		}
		u = start.Add(-time.Second)
	}
	for u := t; u.Unix() < interpretLimit; {
		_, end := u.ZoneBounds()
		if end.IsZero() {
			break
		}
		u = end
		if name, off := u.Zone(); name == abbrev {
			return off, u.IsDST()
		}
	}
	east, _, dst = z.at(unix)
	return east, dst
}

// LookupAbbrev finds what a time zone abbreviation in any case means at a timestamptz.
func LookupAbbrev(name string, at int64) (east int, ok bool) {
	lower := strings.ToLower(name)
	a, ok := zoneAbbrevs()[lower]
	if !ok {
		return 0, false
	}
	east, _ = a.at(lower, at)
	return east, true
}

// IsDST reports whether daylight saving time is in force at a timestamptz.
func (z *Zone) IsDST(ts int64) bool {
	if z.fixed {
		return false
	}
	sec, _ := floorDiv(ts, usecPerSec)
	_, _, dst := z.at(sec + epochUnixSec)
	return dst
}
