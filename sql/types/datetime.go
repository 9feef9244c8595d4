package types

import (
	"cmp"
	"encoding/binary"

	"github.com/omendb/omendb/sql/pgerr"
)

func datetimeCodecs() map[OID]*codec {
	return map[OID]*codec{
		DateOID:        {dateIn, dateOut, dateRecv, int4Send},
		TimeOID:        {timeIn, timeOut, timeRecv, int8Send},
		TimetzOID:      {timetzIn, timetzOut, timetzRecv, textSend},
		TimestampOID:   {timestampIn, timestampOut, timestampRecv, int8Send},
		TimestamptzOID: {timestamptzIn, timestamptzOut, timestamptzRecv, int8Send},
		IntervalOID:    {intervalIn, intervalOut, intervalRecv, textSend},
	}
}

// dateOnly, timeOnly and so on name what ParseDateTime reads.
func (e *Env) decodeDate(s, typeName string, timeOnly bool) (*dateDecoder, error) {
	fields, code := scanDate(s, maxDateText)
	d := &dateDecoder{e: e, timeOnly: timeOnly, fields: fields}
	if code == dateOK {
		code = d.decode()
	}
	if code != dateOK {
		return nil, dateParseError(code, d.badZone, s, typeName)
	}
	return d, nil
}

func dateIn(e *Env, _ *Type, _ int32, s string) (Datum, error) {
	if day, ok := fastISODate(s); ok {
		return intDatum(day), nil
	}
	d, err := e.decodeDate(s, "date", false)
	if err != nil {
		return Datum{}, err
	}
	switch d.special {
	case uEpoch:
		return intDatum(unixEpochJulian - epochJulian), nil
	case uLate:
		return intDatum(DateInfinity), nil
	case uEarly:
		return intDatum(DateNegInfinity), nil
	}
	day := int64(julian(d.c.year, d.c.month, d.c.day) - epochJulian)
	if !validJulian(d.c.year, d.c.month) || !ValidDate(day) {
		return Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range: \"%s\"", s)
	}
	return intDatum(day), nil
}

// fastISODate reads yyyy-mm-dd, the form that bulk loads use, without the full grammar.
func fastISODate[T string | []byte](s T) (int64, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	for i := 0; i < 10; i++ {
		if i != 4 && i != 7 && !isDigit(s[i]) {
			return 0, false
		}
	}
	y := int(s[0]-'0')*1000 + int(s[1]-'0')*100 + int(s[2]-'0')*10 + int(s[3]-'0')
	m := int(s[5]-'0')*10 + int(s[6]-'0')
	d := int(s[8]-'0')*10 + int(s[9]-'0')
	if y < 1 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, false
	}
	return int64(julian(y, m, d) - epochJulian), true
}

func timestampIn(e *Env, _ *Type, _ int32, s string) (Datum, error) {
	if ts, ok := fastISOTimestamp(s); ok {
		return intDatum(ts), nil
	}
	d, err := e.decodeDate(s, "timestamp", false)
	if err != nil {
		return Datum{}, err
	}
	return d.timestamp(s, 0)
}

func timestamptzIn(e *Env, _ *Type, _ int32, s string) (Datum, error) {
	if ts, ok := fastISOTimestamptz(s); ok {
		return intDatum(ts), nil
	}
	d, err := e.decodeDate(s, "timestamp with time zone", false)
	if err != nil {
		return Datum{}, err
	}
	return d.timestamp(s, -d.west)
}

// fastISOTimestamp reads yyyy-mm-dd hh:mm:ss with up to six fractional digits.
func fastISOTimestamp[T string | []byte](s T) (int64, bool) {
	if len(s) < 19 || len(s) > 26 || len(s) == 20 || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	day, ok := fastISODate(s[:10])
	if !ok {
		return 0, false
	}
	for _, i := range [...]int{11, 12, 14, 15, 17, 18} {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	h := int64(s[11]-'0')*10 + int64(s[12]-'0')
	m := int64(s[14]-'0')*10 + int64(s[15]-'0')
	sec := int64(s[17]-'0')*10 + int64(s[18]-'0')
	if h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	usec := int64(0)
	if len(s) > 20 {
		if s[19] != '.' {
			return 0, false
		}
		for i := 20; i < 26; i++ {
			usec *= 10
			if i < len(s) {
				if !isDigit(s[i]) {
					return 0, false
				}
				usec += int64(s[i] - '0')
			}
		}
	}
	return day*usecPerDay + (h*3600+m*60+sec)*usecPerSec + usec, true
}

func (d *dateDecoder) timestamp(s string, east int) (Datum, error) {
	switch d.special {
	case uEpoch:
		return intDatum(-epochUnixSec * usecPerSec), nil
	case uLate:
		return intDatum(TimestampInfinity), nil
	case uEarly:
		return intDatum(TimestampNegInfinity), nil
	}
	ts, ok := d.c.timestamp(east)
	if !ok {
		return Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", s)
	}
	return intDatum(ts), nil
}

func timeIn(e *Env, _ *Type, _ int32, s string) (Datum, error) {
	d, err := e.decodeDate(s, "time", true)
	if err != nil {
		return Datum{}, err
	}
	return intDatum(d.c.timeOfDay()), nil
}

func timetzIn(e *Env, _ *Type, _ int32, s string) (Datum, error) {
	d, err := e.decodeDate(s, "time with time zone", true)
	if err != nil {
		return Datum{}, err
	}
	return TimeTZ{d.c.timeOfDay(), int32(d.west)}.Datum(), nil
}

// TimeTZ is a time of day with a zone offset.
type TimeTZ struct {
	Micros int64 // since midnight, local
	West   int32 // seconds west of UTC
}

// TimeTZFrom decodes a timetz.
func TimeTZFrom(d Datum) TimeTZ {
	return TimeTZ{int64(binary.BigEndian.Uint64(d.B)), int32(binary.BigEndian.Uint32(d.B[8:]))}
}

// Datum encodes the value.
func (t TimeTZ) Datum() Datum {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 12), uint64(t.Micros))
	return bytesDatum(binary.BigEndian.AppendUint32(b, uint32(t.West)))
}

// utc is the moment that orders timetz values; ties go by zone.
func (t TimeTZ) utc() int64 { return t.Micros + int64(t.West)*usecPerSec }

// Compare orders two values: -1, 0 or +1.
func (t TimeTZ) Compare(u TimeTZ) int {
	return cmp.Or(cmp.Compare(t.utc(), u.utc()), cmp.Compare(t.West, u.West))
}

func compareTimeTZ(a, b Datum) int { return TimeTZFrom(a).Compare(TimeTZFrom(b)) }

func timetzKey(d Datum) Datum {
	t := TimeTZFrom(d)
	b := appendSigned64(make([]byte, 0, 12), t.utc())
	return bytesDatum(binary.BigEndian.AppendUint32(b, uint32(t.West)^1<<31))
}

// appendSigned64 appends v so that bytes sort as the numbers do.
func appendSigned64(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(v)^1<<63)
}

func dateRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 4); err != nil {
		return Datum{}, err
	}
	v := int64(int32(binary.BigEndian.Uint32(b)))
	if !IsInfiniteDate(v) && !ValidDate(v) {
		return Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range")
	}
	return intDatum(v), nil
}

func timeRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 8); err != nil {
		return Datum{}, err
	}
	v := int64(binary.BigEndian.Uint64(b))
	if v < 0 || v > usecPerDay {
		return Datum{}, pgerr.New(pgerr.DatetimeFieldOverflow, "time out of range")
	}
	return intDatum(v), nil
}

func timetzRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	if err := exact(b, 12); err != nil {
		return Datum{}, err
	}
	if _, err := timeRecv(e, t, typmod, b[:8]); err != nil {
		return Datum{}, err
	}
	if west := int32(binary.BigEndian.Uint32(b[8:])); west <= -57600 || west >= 57600 {
		return Datum{}, pgerr.New(pgerr.InvalidTimeZoneDisplacementValue, "time zone displacement out of range")
	}
	return bytesDatum(append([]byte{}, b...)), nil
}

func timestampRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 8); err != nil {
		return Datum{}, err
	}
	v := int64(binary.BigEndian.Uint64(b))
	if !IsInfiniteTimestamp(v) && !ValidTimestamp(v) {
		return Datum{}, ErrTimestampRange()
	}
	return intDatum(v), nil
}

func timestamptzRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	return timestampRecv(e, t, typmod, b)
}

// ErrTimestampRange is the error for a computed timestamp beyond PostgreSQL's range.
func ErrTimestampRange() *pgerr.Error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range")
}

// ErrDateRange is the error for a computed date beyond PostgreSQL's range.
func ErrDateRange() *pgerr.Error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range")
}

// ErrIntervalRange is the error for a computed interval beyond PostgreSQL's range.
func ErrIntervalRange() *pgerr.Error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range")
}

// roundMicros rounds a time or timestamp to precision 0..6 digits of a second, half away from zero.
func roundMicros(v int64, precision int32) int64 {
	if precision < 0 || precision >= 6 {
		return v
	}
	scale := microScales[precision]
	if v >= 0 {
		return (v + scale/2) / scale * scale
	}
	return -((-v + scale/2) / scale * scale)
}

var microScales = [7]int64{1_000_000, 100_000, 10_000, 1000, 100, 10, 1}
