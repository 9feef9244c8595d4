package functions

import (
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// unit is a field of a date or time, as extract and date_trunc name it.
type unit uint8

const (
	noUnit unit = iota
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitQuarter
	unitYear
	unitDecade
	unitCentury
	unitMillennium
	unitEpoch
	unitJulian
	unitDow
	unitIsoDow
	unitDoy
	unitIsoYear
	unitZone
	unitZoneHour
	unitZoneMinute
)

// unitNames are the spellings that PostgreSQL takes; further letters of long ones are cut off
// by its ten-character tokens.
var unitNames = map[unit]string{
	unitMicrosecond: "us usec usecs usecond useconds microsecon microsecond microseconds",
	unitMillisecond: "ms msec msecs msecond mseconds millisecon millisecond milliseconds",
	unitSecond:      "s sec secs second seconds",
	unitMinute:      "m min mins minute minutes",
	unitHour:        "h hr hrs hour hours",
	unitDay:         "d day days",
	unitWeek:        "w week weeks",
	unitMonth:       "mon mons month months",
	unitQuarter:     "qtr quarter",
	unitYear:        "y yr yrs year years",
	unitDecade:      "dec decs decade decades",
	unitCentury:     "c cent century centuries",
	unitMillennium:  "mil mils millennia millennium",
	unitEpoch:       "epoch",
	unitJulian:      "j jd julian",
	unitDow:         "dow",
	unitIsoDow:      "isodow",
	unitDoy:         "doy",
	unitIsoYear:     "isoyear",
	unitZone:        "timezone",
	unitZoneHour:    "timezone_h timezone_hour",
	unitZoneMinute:  "timezone_m timezone_minute",
}

var unitByName = func() map[string]unit {
	m := map[string]unit{}
	for u, names := range unitNames {
		for _, n := range strings.Fields(names) {
			m[n] = u
		}
	}
	return m
}()

// parseUnit reads a unit; of a type it is for, only the error needs to know.
func parseUnit(s string, typ OID) (unit, error) {
	u := unitByName[strings.ToLower(s)]
	if u == noUnit {
		return u, unknownUnit(s, typ)
	}
	return u, nil
}

func unknownUnit(s string, typ OID) error {
	return pgerr.New(pgerr.InvalidParameterValue, "unit \"%s\" not recognized for type %s", s, (*types.Env)(nil).TypeName(typ))
}

func unsupportedUnit(s string, typ OID) error {
	return pgerr.New(pgerr.FeatureNotSupported, "unit \"%s\" not supported for type %s", strings.ToLower(s), (*types.Env)(nil).TypeName(typ))
}

// eraOf counts centuries and millennia, which begin with a year 1; there is no era 0.
func eraOf(year, length int) int {
	if year > 0 {
		return (year + length - 1) / length
	}
	return -((length - 1 - (year - 1)) / length)
}

// decadeOf rounds towards the past.
func decadeOf(year int) int {
	q, _ := floorDiv(int64(year), 10)
	return int(q)
}
