package functions

import (
	"math"
	"math/big"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// extractEvals are extract(), which gives numeric, and date_part(), which gives double
// precision.
var extractEvals = map[string]EvalFunc{}

func init() {
	for name, typ := range map[string]OID{
		"date": types.DateOID, "timestamp": types.TimestampOID, "timestamptz": types.TimestamptzOID,
		"time": types.TimeOID, "timetz": types.TimetzOID, "interval": types.IntervalOID,
	} {
		extractEvals["extract_"+name] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
			return extract(c, a[0].String(), typ, a[1], false)
		}
		extractEvals[name+"_part"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
			return extract(c, a[0].String(), typ, a[1], true)
		}
	}
	extractEvals["date_part(text,date)"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := dateToTimestamp(a[1].I)
		if err != nil {
			return column.Datum{}, err
		}
		return extract(c, a[0].String(), types.TimestampOID, column.IntDatum(ts), true)
	}
}

// field is an extracted value: an exact quotient.
type field struct {
	value types.Numeric
	none  bool
}

func whole(v int) (field, bool) { return field{value: types.NumericFromInt64(int64(v))}, true }

func wholes(v int64, scale int) (field, bool) {
	return field{value: types.NumericScaled(v, scale)}, true
}

func extract(c *Ctx, name string, typ OID, d column.Datum, asFloat bool) (column.Datum, error) {
	u, err := parseUnit(name, typ)
	if err != nil {
		return column.Datum{}, err
	}
	var f field
	ok := true
	switch typ {
	case types.DateOID:
		if types.IsInfiniteDate(d.I) {
			f, ok = infiniteField(u, d.I > 0, true)
		} else if f, ok = dateField(u, dateCivil(d.I)); u == unitJulian {
			f, ok = whole(int(d.I + epochJulian))
		} else if u == unitEpoch {
			f, ok = wholes((d.I+unixEpochDays)*86400, 0)
		}
	case types.TimestampOID:
		if infinite(d.I) {
			f, ok = infiniteField(u, d.I > 0, false)
		} else {
			f, ok = timestampField(u, civilOf(d.I), d.I)
		}
	case types.TimestamptzOID:
		if infinite(d.I) {
			f, ok = infiniteField(u, d.I > 0, false)
		} else if f, ok = zoneField(u, zoneOf(c).OffsetAt(d.I)); !ok {
			f, ok = timestampField(u, civilOf(localOf(c, d.I)), d.I)
		}
	case types.TimeOID:
		f, ok = clockField(u, d.I)
		if u == unitEpoch {
			f, ok = wholes(d.I, 6)
		}
	case types.TimetzOID:
		t := types.TimeTZFrom(d)
		if f, ok = zoneField(u, -int(t.West)); !ok {
			f, ok = clockField(u, t.Micros)
		}
		if u == unitEpoch {
			f, ok = wholes(t.Micros+int64(t.West)*usecPerSec, 6)
		}
	case types.IntervalOID:
		if u == unitEpoch && asFloat {
			return floatResult(intervalSeconds(types.IntervalFrom(d)))
		}
		f, ok = intervalField(u, types.IntervalFrom(d))
	}
	switch {
	case !ok:
		return column.Datum{}, unsupportedUnit(name, typ)
	case f.none:
		return nullResult()
	case !asFloat:
		return f.value.Datum(), nil
	}
	if f.value.IsInf() {
		return floatResult(math.Inf(f.value.Sign()))
	}
	v, err := f.value.Float64(64, "double precision")
	return column.FloatDatum(v), err
}

// infiniteField: what only grows is infinite, what comes round again is NULL.
func infiniteField(u unit, positive, date bool) (field, bool) {
	switch u {
	case unitYear, unitDecade, unitCentury, unitMillennium, unitJulian, unitIsoYear, unitEpoch:
		text := "-Infinity"
		if positive {
			text = "Infinity"
		}
		n, err := types.ParseNumeric(text)
		return field{value: n}, err == nil
	case unitMicrosecond, unitMillisecond, unitSecond, unitMinute, unitHour:
		return field{none: true}, !date
	case unitZone, unitZoneHour, unitZoneMinute:
		return field{none: true}, !date
	case unitDay, unitMonth, unitQuarter, unitWeek, unitDow, unitIsoDow, unitDoy:
		return field{none: true}, true
	}
	return field{}, false
}

// dateField returns what a date alone determines.
func dateField(u unit, c civil) (field, bool) {
	switch u {
	case unitDay:
		return whole(c.day)
	case unitMonth:
		return whole(c.month)
	case unitQuarter:
		return whole((c.month-1)/3 + 1)
	case unitWeek:
		_, w, _ := c.isoWeek()
		return whole(w)
	case unitYear:
		return whole(c.yearName())
	case unitDecade:
		return whole(decadeOf(c.year))
	case unitCentury:
		return whole(eraOf(c.year, 100))
	case unitMillennium:
		return whole(eraOf(c.year, 1000))
	case unitIsoYear:
		y, _, _ := c.isoWeek()
		if y <= 0 {
			y--
		}
		return whole(y)
	case unitDow:
		return whole(c.weekday())
	case unitIsoDow:
		_, _, d := c.isoWeek()
		return whole(d)
	case unitDoy:
		return whole(c.yearDay())
	}
	return field{}, false
}

func clockField(u unit, micros int64) (field, bool) {
	switch u {
	case unitMicrosecond:
		return wholes(micros%usecPerMin, 0)
	case unitMillisecond:
		return wholes(micros%usecPerMin, 3)
	case unitSecond:
		return wholes(micros%usecPerMin, 6)
	case unitMinute:
		return wholes(micros/usecPerMin%60, 0)
	case unitHour:
		return wholes(micros/usecPerHour, 0)
	}
	return field{}, false
}

// timestampField takes the local parts and the instant (or the local time itself), whose
// distance from 1970 is the epoch.
func timestampField(u unit, c civil, ts int64) (field, bool) {
	switch u {
	case unitEpoch:
		shift := unixEpochDays * usecPerDay
		if sum := ts + shift; !addOverflows(ts, shift, sum) {
			return wholes(sum, 6)
		}
		b := new(big.Int).Add(big.NewInt(ts), big.NewInt(shift))
		return field{value: types.NumericFromBig(b, 6)}, true
	case unitJulian:
		day := types.NumericFromInt64(c.days() + epochJulian)
		part, err := types.NumericFromInt64(c.micros).Div(types.NumericFromInt64(usecPerDay))
		if err == nil {
			day, err = day.Add(part)
		}
		return field{value: day}, err == nil
	}
	if f, ok := clockField(u, c.micros); ok {
		return f, ok
	}
	return dateField(u, c)
}

func zoneField(u unit, east int) (field, bool) {
	switch u {
	case unitZone:
		return whole(east)
	case unitZoneHour:
		return whole(east / 3600)
	case unitZoneMinute:
		return whole(east % 3600 / 60)
	}
	return field{}, false
}

func intervalField(u unit, v types.Interval) (field, bool) {
	years, months := int(v.Months/12), int(v.Months%12)
	switch u {
	case unitDay:
		return whole(int(v.Days))
	case unitMonth:
		return whole(months)
	case unitQuarter:
		return whole(months/3 + 1)
	case unitYear:
		return whole(years)
	case unitDecade:
		return whole(years / 10)
	case unitCentury:
		return whole(years / 100)
	case unitMillennium:
		return whole(years / 1000)
	case unitEpoch:
		quarterDays := int64(4*365.25)*int64(years) + 120*int64(months) + 4*int64(v.Days)
		b := new(big.Int).Mul(big.NewInt(quarterDays), big.NewInt(21600*usecPerSec))
		return field{value: types.NumericFromBig(b.Add(b, big.NewInt(v.Micros)), 6)}, true
	}
	return clockField(u, v.Micros)
}
