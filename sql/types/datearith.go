package types

import (
	"math"

	"github.com/omendb/omendb/sql/pgerr"
)

// addMonths moves c by months and cuts the day to the length of the month it lands in.
func (c *civil) addMonths(months int) {
	c.month += months
	if c.month > 12 {
		c.year += (c.month - 1) / 12
		c.month = (c.month-1)%12 + 1
	} else if c.month < 1 {
		c.year += c.month/12 - 1
		c.month = c.month%12 + 12
	}
	c.day = min(c.day, daysIn(c.year, c.month))
}

// TimestampAdd returns ts + v for timestamps without time zone: months first, then days,
// then the rest.
func TimestampAdd(ts int64, v Interval) (int64, error) { return timestampAdd(ts, v, UTC) }

// TimestamptzAdd returns ts + v; months and days are counted in the zone's local time.
func TimestamptzAdd(ts int64, v Interval, z *Zone) (int64, error) { return timestampAdd(ts, v, z) }

func timestampAdd(ts int64, v Interval, z *Zone) (int64, error) {
	if IsInfiniteTimestamp(ts) {
		return ts, nil
	}
	step := func(move func(c *civil)) bool {
		c := civilFromTimestamp(ts + int64(z.OffsetAt(ts))*usecPerSec)
		move(&c)
		local, ok := c.timestamp(0)
		if ok {
			ts = local - int64(z.Resolve(local))*usecPerSec
		}
		return ok && ValidTimestamp(ts)
	}
	if v.Months != 0 && !step(func(c *civil) { c.addMonths(int(v.Months)) }) {
		return 0, ErrTimestampRange()
	}
	if v.Days != 0 && !step(func(c *civil) {
		c.year, c.month, c.day = fromJulian(julian(c.year, c.month, c.day) + int(v.Days))
	}) {
		return 0, ErrTimestampRange()
	}
	if !add64(&ts, v.Micros) || !ValidTimestamp(ts) {
		return 0, ErrTimestampRange()
	}
	return ts, nil
}

// TimestampSub returns a - b in days and less.
func TimestampSub(a, b int64) (Interval, error) {
	if IsInfiniteTimestamp(a) || IsInfiniteTimestamp(b) {
		return Interval{}, pgerr.New(pgerr.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
	}
	return Interval{Micros: a - b}.JustifyHours()
}

// Neg returns -v.
func (v Interval) Neg() (Interval, error) {
	if v.Months == math.MinInt32 || v.Days == math.MinInt32 || v.Micros == math.MinInt64 {
		return Interval{}, ErrIntervalRange()
	}
	return Interval{-v.Micros, -v.Days, -v.Months}, nil
}

// Add returns v + w, part by part.
func (v Interval) Add(w Interval) (Interval, error) {
	if !add32(&v.Months, int64(w.Months)) || !add32(&v.Days, int64(w.Days)) || !add64(&v.Micros, w.Micros) {
		return Interval{}, ErrIntervalRange()
	}
	return v, nil
}

// Sub returns v - w.
func (v Interval) Sub(w Interval) (Interval, error) {
	if !add32(&v.Months, -int64(w.Months)) || !add32(&v.Days, -int64(w.Days)) {
		return Interval{}, ErrIntervalRange()
	}
	diff := v.Micros - w.Micros
	if (diff < v.Micros) != (w.Micros > 0) && w.Micros != 0 {
		return Interval{}, ErrIntervalRange()
	}
	v.Micros = diff
	return v, nil
}

// roundSix rounds to six decimals, which hides the noise of binary fractions.
func roundSix(f float64) float64 { return math.RoundToEven(f*1e6) / 1e6 }

// Mul returns v * f; fractions of months and days cascade down.
func (v Interval) Mul(f float64) (Interval, error) {
	return v.scale(func(x float64) float64 { return x * f })
}

// Div returns v / f.
func (v Interval) Div(f float64) (Interval, error) {
	if f == 0 {
		return Interval{}, ErrDivisionByZero()
	}
	return v.scale(func(x float64) float64 { return x / f })
}

func (v Interval) scale(by func(x float64) float64) (Interval, error) {
	months, days := by(float64(v.Months)), by(float64(v.Days))
	if !fitsInt32(months) || !fitsInt32(days) {
		return Interval{}, ErrIntervalRange()
	}
	r := Interval{Months: int32(months), Days: int32(days)}
	fromMonths := roundSix((months - float64(r.Months)) * daysPerMonth)
	sec := roundSix((days - float64(r.Days) + fromMonths - math.Trunc(fromMonths)) * secPerDay)
	if math.Abs(sec) >= secPerDay {
		whole := math.Trunc(sec / secPerDay)
		if !add32(&r.Days, int64(whole)) {
			return Interval{}, ErrIntervalRange()
		}
		sec -= whole * secPerDay
	}
	if !add32(&r.Days, int64(fromMonths)) {
		return Interval{}, ErrIntervalRange()
	}
	micros := math.RoundToEven(by(float64(v.Micros)) + sec*usecPerSec)
	if math.IsNaN(micros) || micros < -1<<63 || micros >= 1<<63 {
		return Interval{}, ErrIntervalRange()
	}
	r.Micros = int64(micros)
	return r, nil
}

func fitsInt32(f float64) bool { return f >= math.MinInt32 && f < math.MaxInt32+1 }

// JustifyHours turns 24 hours into a day.
func (v Interval) JustifyHours() (Interval, error) {
	whole := v.Micros / usecPerDay
	v.Micros -= whole * usecPerDay
	if !add32(&v.Days, whole) {
		return Interval{}, ErrIntervalRange()
	}
	v.alignTime()
	return v, nil
}

// alignTime gives days and time the same sign.
func (v *Interval) alignTime() {
	if v.Days > 0 && v.Micros < 0 {
		v.Micros += usecPerDay
		v.Days--
	} else if v.Days < 0 && v.Micros > 0 {
		v.Micros -= usecPerDay
		v.Days++
	}
}

// moveMonths turns 30 days into a month.
func (v *Interval) moveMonths() bool {
	whole := v.Days / daysPerMonth
	v.Days -= whole * daysPerMonth
	return add32(&v.Months, int64(whole))
}

// JustifyDays turns 30 days into a month.
func (v Interval) JustifyDays() (Interval, error) {
	if !v.moveMonths() {
		return Interval{}, ErrIntervalRange()
	}
	if v.Months > 0 && v.Days < 0 {
		v.Days += daysPerMonth
		v.Months--
	} else if v.Months < 0 && v.Days > 0 {
		v.Days -= daysPerMonth
		v.Months++
	}
	return v, nil
}

// JustifyInterval does both and gives all parts the same sign.
func (v Interval) JustifyInterval() (Interval, error) {
	if v.Days > 0 && v.Micros > 0 || v.Days < 0 && v.Micros < 0 {
		if !v.moveMonths() {
			return Interval{}, ErrIntervalRange()
		}
	}
	whole := v.Micros / usecPerDay
	v.Micros -= whole * usecPerDay
	v.Days += int32(whole)
	if !v.moveMonths() {
		return Interval{}, ErrIntervalRange()
	}
	if v.Months > 0 && (v.Days < 0 || v.Days == 0 && v.Micros < 0) {
		v.Days += daysPerMonth
		v.Months--
	} else if v.Months < 0 && (v.Days > 0 || v.Days == 0 && v.Micros > 0) {
		v.Days -= daysPerMonth
		v.Months++
	}
	v.alignTime()
	return v, nil
}

// Age returns the symbolic difference a - b in years, months, days and time, both being
// local times of the zone (UTC for timestamps without one).
func Age(a, b int64, z *Zone) (Interval, error) {
	x, y := civilAt(a, z), civilAt(b, z)
	flip := a < b
	if flip {
		x, y = y, x
	}
	d := civil{x.year - y.year, x.month - y.month, x.day - y.day, x.hour - y.hour, x.min - y.min, x.sec - y.sec, x.usec - y.usec, 0}
	borrow := func(low, high *int, unit int) {
		for *low < 0 {
			*low += unit
			*high--
		}
	}
	borrow(&d.usec, &d.sec, usecPerSec)
	borrow(&d.sec, &d.min, 60)
	borrow(&d.min, &d.hour, 60)
	borrow(&d.hour, &d.day, 24)
	borrow(&d.day, &d.month, daysIn(y.year, y.month))
	borrow(&d.month, &d.year, 12)
	v := Interval{Micros: d.timeOfDay(), Days: int32(d.day), Months: int32(d.year*12 + d.month)}
	if flip {
		return v.Neg()
	}
	return v, nil
}

// DateBin puts ts into bins of a stride that start at origin.
func DateBin(stride Interval, ts, origin int64) (int64, error) {
	if IsInfiniteTimestamp(ts) {
		return ts, nil
	}
	if IsInfiniteTimestamp(origin) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "origin out of range")
	}
	if stride.Months != 0 {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	size, ok := stride.FixedLength()
	if !ok {
		return 0, ErrIntervalRange()
	}
	if size <= 0 {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	diff := ts - origin
	if (diff < ts) != (origin > 0) && origin != 0 {
		return 0, ErrIntervalRange()
	}
	bins, _ := floorDiv(diff, size)
	if r, ok := mul64(bins, size); ok && add64(&r, origin) && ValidTimestamp(r) {
		return r, nil
	}
	return 0, ErrTimestampRange()
}

// FixedLength returns the microseconds of an interval without months, a day having
// 24 hours; false where it has months or the number does not fit.
func (v Interval) FixedLength() (micros int64, ok bool) {
	micros, ok = mul64(int64(v.Days), usecPerDay)
	return micros, ok && add64(&micros, v.Micros) && v.Months == 0
}

// Overlaps reports whether two periods, given by their ends in any order, have a moment in
// common: SQL's OVERLAPS for orderable moments that are not NULL.
func Overlaps(start1, end1, start2, end2 int64) bool {
	if start1 > end1 {
		start1, end1 = end1, start1
	}
	if start2 > end2 {
		start2, end2 = end2, start2
	}
	switch {
	case start1 > start2:
		return start1 < end2
	case start1 < start2:
		return start2 < end1
	}
	return true
}
