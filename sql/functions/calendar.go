package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

const (
	usecPerSec  = int64(1_000_000)
	usecPerMin  = 60 * usecPerSec
	usecPerHour = 60 * usecPerMin
	usecPerDay  = 24 * usecPerHour

	// epochJulian is the Julian day of 2000-01-01, day 0 of dates and timestamps.
	epochJulian = 2451545
)

// civil is a timestamp taken apart. Years are astronomical: 0 is 1 BC.
type civil struct {
	year, month, day int
	micros           int64 // since midnight
}

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

func civilOf(ts int64) civil {
	days, micros := floorDiv(ts, usecPerDay)
	c := dateCivil(days)
	c.micros = micros
	return c
}

// dateCivil splits days since 2000-01-01 (Hinnant, chrono-compatible low-level date algorithms).
func dateCivil(days int64) civil {
	z := days + 730425 // days since 0000-03-01
	era, doe := floorDiv(z, 146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	c := civil{day: int(doy - (153*mp+2)/5 + 1), month: int(mp + 3), year: int(yoe + era*400)}
	if c.month > 12 {
		c.month -= 12
		c.year++
	}
	return c
}

// civilDays returns days since 2000-01-01; months may run over.
func civilDays(year, month, day int) int64 {
	m0, m := floorDiv(int64(month)-1, 12)
	y, mon := int64(year)+m0, m+1
	if mon <= 2 {
		y--
		mon += 12
	}
	era, yoe := floorDiv(y, 400)
	doy := (153*(mon-3)+2)/5 + int64(day) - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 730425
}

func (c civil) days() int64 { return civilDays(c.year, c.month, c.day) }

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(year, month int) int {
	switch month {
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// weekday is 0 on Sundays.
func (c civil) weekday() int {
	_, r := floorDiv(c.days()+6, 7)
	return int(r)
}

func (c civil) yearDay() int { return int(c.days()-civilDays(c.year, 1, 1)) + 1 }

// isoWeek returns ISO 8601's year, week and day (Monday is 1).
func (c civil) isoWeek() (year, week, day int) {
	day = (c.weekday()+6)%7 + 1
	thursday := dateCivil(c.days() + int64(4-day))
	return thursday.year, (thursday.yearDay()-1)/7 + 1, day
}

// isoWeekStart returns the days of the Monday of an ISO week.
func isoWeekStart(year, week int) int64 {
	fourth := civilDays(year, 1, 4)
	monday := fourth - int64((dateCivil(fourth).weekday()+6)%7)
	return monday + int64(week-1)*7
}

func infinite(ts int64) bool { return types.IsInfiniteTimestamp(ts) }

func timestampResult(ts int64) (column.Datum, error) {
	if !types.ValidTimestamp(ts) {
		return column.Datum{}, types.ErrTimestampRange()
	}
	return column.Datum{I: ts}, nil
}

func timeOfDay(ts int64) int64 {
	_, r := floorDiv(ts, usecPerDay)
	return r
}
