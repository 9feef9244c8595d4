package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// truncEvals are date_trunc, date_bin and time zone conversion.
var truncEvals = map[string]EvalFunc{
	"timestamp_trunc": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if infinite(a[1].I) {
			return a[1], nil
		}
		u, err := truncUnit(a[0].String(), types.TimestampOID)
		if err != nil {
			return column.Datum{}, err
		}
		ts, ok := truncTimestamp(u, a[1].I)
		if !ok {
			return column.Datum{}, unsupportedUnit(a[0].String(), types.TimestampOID)
		}
		return timestampResult(ts)
	},
	"timestamptz_trunc": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return truncInstant(zoneOf(c), a[0].String(), a[1].I)
	},
	"timestamptz_trunc_zone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		z, err := namedZone(c, a[2].String(), a[1].I)
		if err != nil {
			return column.Datum{}, err
		}
		return truncInstant(z, a[0].String(), a[1].I)
	},
	"interval_trunc":  truncInterval,
	"timestamp_bin":   func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bin(a) },
	"timestamptz_bin": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bin(a) },

	"timestamp_zone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		z, err := namedZone(c, a[0].String(), a[1].I)
		if err != nil || infinite(a[1].I) {
			return a[1], err
		}
		ts, err := fromLocal(z, a[1].I)
		return column.IntDatum(ts), err
	},
	"timestamptz_zone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		z, err := namedZone(c, a[0].String(), a[1].I)
		if err != nil || infinite(a[1].I) {
			return a[1], err
		}
		return timestampResult(toLocal(z, a[1].I))
	},
	"timestamp_izone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		east, err := intervalOffset(c, a[0])
		if err != nil || infinite(a[1].I) {
			return a[1], err
		}
		return timestampResult(a[1].I - east*usecPerSec)
	},
	"timestamptz_izone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		east, err := intervalOffset(c, a[0])
		if err != nil || infinite(a[1].I) {
			return a[1], err
		}
		return timestampResult(a[1].I + east*usecPerSec)
	},
	"timetz_zone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		z, err := namedZone(c, a[0].String(), c.Env.Now)
		if err != nil {
			return column.Datum{}, err
		}
		return shiftTimeTZ(a[1], int64(z.OffsetAt(c.Env.Now))), nil
	},
	"timetz_izone": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		east, err := intervalOffset(c, a[0])
		if err != nil {
			return column.Datum{}, err
		}
		return shiftTimeTZ(a[1], east), nil
	},
}

// truncUnit reads a unit for date_trunc, which does not know those that only extract has.
func truncUnit(name string, typ OID) (unit, error) {
	u, err := parseUnit(name, typ)
	if err == nil && u >= unitEpoch && u <= unitIsoYear {
		return u, unknownUnit(name, typ)
	}
	return u, err
}

// truncTimestamp sets everything smaller than the unit to its beginning.
func truncTimestamp(u unit, ts int64) (int64, bool) {
	c := civilOf(ts)
	switch u {
	case unitMicrosecond:
		return ts, true
	case unitMillisecond:
		c.micros -= c.micros % 1000
		return c.timestamp(), true
	case unitSecond:
		c.micros -= c.micros % usecPerSec
		return c.timestamp(), true
	case unitMinute:
		c.micros -= c.micros % usecPerMin
		return c.timestamp(), true
	case unitHour:
		c.micros -= c.micros % usecPerHour
		return c.timestamp(), true
	case unitWeek:
		y, w, _ := c.isoWeek()
		return isoWeekStart(y, w) * usecPerDay, true
	case unitMillennium:
		c.year = firstYear(c.year, 1000)
	case unitCentury:
		c.year = firstYear(c.year, 100)
	case unitDecade:
		c.year = 10 * decadeOf(c.year)
	}
	switch u {
	case unitMillennium, unitCentury, unitDecade, unitYear:
		c.month, c.day = 1, 1
	case unitQuarter:
		c.month, c.day = (c.month-1)/3*3+1, 1
	case unitMonth:
		c.day = 1
	case unitDay:
	default:
		return 0, false
	}
	c.micros = 0
	return c.timestamp(), true
}

// firstYear returns the first year of a year's century or millennium.
func firstYear(year, length int) int {
	if year > 0 {
		return (year+length-1)/length*length - length + 1
	}
	return -((length-1-(year-1))/length)*length + 1
}

func truncInstant(z *types.Zone, name string, ts int64) (column.Datum, error) {
	if infinite(ts) {
		return intResult(ts)
	}
	u, err := truncUnit(name, types.TimestamptzOID)
	if err != nil {
		return column.Datum{}, err
	}
	local := toLocal(z, ts)
	cut, ok := truncTimestamp(u, local)
	if !ok {
		return column.Datum{}, unsupportedUnit(name, types.TimestamptzOID)
	}
	if u <= unitHour { // within the same offset: not through an hour that occurs twice
		return timestampResult(ts - (local - cut))
	}
	out, err := fromLocal(z, cut)
	return column.IntDatum(out), err
}

func truncInterval(_ *Ctx, a []column.Datum) (column.Datum, error) {
	u, err := truncUnit(a[0].String(), types.IntervalOID)
	if err != nil {
		return column.Datum{}, err
	}
	v := types.IntervalFrom(a[1])
	years := v.Months / 12
	switch u {
	case unitMillennium:
		v = types.Interval{Months: years / 1000 * 12000}
	case unitCentury:
		v = types.Interval{Months: years / 100 * 1200}
	case unitDecade:
		v = types.Interval{Months: years / 10 * 120}
	case unitYear:
		v = types.Interval{Months: years * 12}
	case unitQuarter:
		v = types.Interval{Months: v.Months / 3 * 3}
	case unitMonth:
		v = types.Interval{Months: v.Months}
	case unitDay:
		v.Micros = 0
	case unitHour:
		v.Micros -= v.Micros % usecPerHour
	case unitMinute:
		v.Micros -= v.Micros % usecPerMin
	case unitSecond:
		v.Micros -= v.Micros % usecPerSec
	case unitMillisecond:
		v.Micros -= v.Micros % 1000
	case unitMicrosecond:
	default:
		e := unsupportedUnit(a[0].String(), types.IntervalOID).(*pgerr.Error)
		if u == unitWeek {
			e = e.WithDetail("Months usually have fractional weeks.")
		}
		return column.Datum{}, e
	}
	return v.Datum(), nil
}

func bin(a []column.Datum) (column.Datum, error) {
	stride, ts, origin := types.IntervalFrom(a[0]), a[1].I, a[2].I
	if infinite(ts) {
		return a[1], nil
	}
	if infinite(origin) {
		return column.Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "origin out of range")
	}
	if stride.Months != 0 {
		return column.Datum{}, pgerr.New(pgerr.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	usecs := int64(stride.Days)*usecPerDay + stride.Micros
	if usecs <= 0 {
		return column.Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	_, rest := floorDiv(ts-origin, usecs)
	return timestampResult(ts - rest)
}

// namedZone finds a zone by name, abbreviation or POSIX rule; what an abbreviation means can
// depend on the time.
func namedZone(_ *Ctx, name string, at int64) (*types.Zone, error) {
	if infinite(at) {
		at = 0
	}
	if east, ok := types.LookupAbbrev(name, at); ok {
		return types.FixedZone(east), nil
	}
	if len(name) > 1 && (name[0] == '+' || name[0] == '-') { // POSIX counts westward
		if d, err := (*types.Env)(nil).In(types.IntervalOID, -1, name[1:]+":00"); err == nil {
			west := types.IntervalFrom(d).Micros / usecPerSec
			if name[0] == '-' {
				west = -west
			}
			return types.FixedZone(-int(west)), nil
		}
	}
	z, err := types.ParseZone(name)
	if err != nil {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "time zone \"%s\" not recognized", name)
	}
	return z, nil
}

// intervalOffset reads a zone given as an interval: seconds east of UTC.
func intervalOffset(c *Ctx, d column.Datum) (int64, error) {
	v := types.IntervalFrom(d)
	if v.Months != 0 || v.Days != 0 {
		return 0, pgerr.New(pgerr.InvalidParameterValue, "interval time zone \"%s\" must not include months or days",
			c.Env.Out(nil, types.IntervalOID, d))
	}
	return v.Micros / usecPerSec, nil
}

func shiftTimeTZ(d column.Datum, east int64) column.Datum {
	t := types.TimeTZFrom(d)
	return types.TimeTZ{Micros: timeOfDay(t.Micros + (int64(t.West)+east)*usecPerSec), West: -int32(east)}.Datum()
}
