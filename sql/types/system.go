package types

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// systemCodecs covers money and the types of PostgreSQL's own columns.
func systemCodecs() map[OID]*codec {
	return map[OID]*codec{
		MoneyOID: {moneyIn, moneyOut, int8Recv, int8Send},
		TIDOID:   {tidIn, tidOut, tidRecv, tidSend},
		PgLSNOID: {lsnIn, lsnOut, sizedRecv(8), textSend},
	}
}

// sizedRecv reads n bytes as they are.
func sizedRecv(n int) func(*Env, *Type, int32, []byte) (Datum, error) {
	return func(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
		if err := exact(b, n); err != nil {
			return Datum{}, err
		}
		return bytesDatum(append([]byte{}, b...)), nil
	}
}

// moneyIn reads dollars and cents with an optional sign, parentheses for negative amounts,
// a dollar sign and grouping commas.
func moneyIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	bad := func() (Datum, error) { return Datum{}, invalidSyntax("money", s) }
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	t = strings.TrimPrefix(t, "$")
	negative := false
	switch {
	case strings.HasPrefix(t, "-"), strings.HasPrefix(t, "("):
		negative, t = true, t[1:]
	case strings.HasPrefix(t, "+"):
		t = t[1:]
	}
	t = strings.TrimLeft(t, " \t\n\v\f\r")
	t = strings.TrimPrefix(t, "$")
	t = strings.TrimLeft(t, " \t\n\v\f\r")
	value, decimals, point, over := int64(0), 0, false, false // value is kept negative: it has more room
	step := func(digit int64) {
		product, ok := mul64(value, 10)
		over = over || !ok || product < math.MinInt64+digit
		value = product - digit
	}
	i := 0
scan:
	for ; i < len(t); i++ {
		switch c := t[i]; {
		case isDigit(c) && (!point || decimals < 2):
			step(int64(c - '0'))
			if point {
				decimals++
			}
		case c == '.' && !point:
			point = true
		case c == ',':
		default:
			break scan
		}
	}
	roundUp := i < len(t) && isDigit(t[i]) && t[i] >= '5'
	for ; decimals < 2; decimals++ {
		step(0)
	}
	if roundUp {
		over = over || value == math.MinInt64
		value--
	}
	for i < len(t) && isDigit(t[i]) {
		i++
	}
	for ; i < len(t); i++ {
		switch c := t[i]; {
		case isSpace(c), c == ')', c == '$':
		case c == '-':
			negative = true
		default:
			return bad()
		}
	}
	if over || !negative && value == math.MinInt64 {
		return Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", s, "money")
	}
	if !negative {
		value = -value
	}
	return intDatum(value), nil
}

func moneyOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	cents := uint64(d.I)
	if d.I < 0 {
		dst = append(dst, '-')
		cents = -cents
	}
	dst = append(dst, '$')
	whole := strconv.FormatUint(cents/100, 10)
	for i := 0; i < len(whole); i++ {
		if i > 0 && (len(whole)-i)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, whole[i])
	}
	return append2(append(dst, '.'), int(cents%100))
}

func tidIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	block, offset, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(s, "("), ")"), ",")
	if !ok || !strings.HasPrefix(s, "(") || !strings.HasSuffix(s, ")") {
		return Datum{}, invalidSyntax("tid", s)
	}
	b, err1 := strconv.ParseInt(block, 10, 64)
	o, err2 := strconv.ParseUint(offset, 10, 16)
	if err1 != nil || err2 != nil || b < math.MinInt32 || b > math.MaxUint32 {
		return Datum{}, invalidSyntax("tid", s)
	}
	return tidOf(uint64(uint32(b))<<16 | o), nil
}

// A tid is held as the storage key of a row whose key is one integer, so that what a client was shown as ctid finds the row
// again: the marker of a value that is not NULL and the number, block and offset, as an ordered int64. Other storage keys
// have no such form; a client sees 48 bits that tell them apart.
const tidMarker = 1

func tidOf(n uint64) Datum {
	return bytesDatum(binary.BigEndian.AppendUint64([]byte{tidMarker}, n|1<<63))
}

func tidNumber(d Datum) uint64 {
	if len(d.B) == 9 && d.B[0] == tidMarker {
		return binary.BigEndian.Uint64(d.B[1:]) & (1<<48 - 1)
	}
	h := fnv.New64a()
	h.Write(d.B)
	return h.Sum64() & (1<<48 - 1)
}

func tidOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	n := tidNumber(d)
	dst = strconv.AppendUint(append(dst, '('), n>>16, 10)
	dst = strconv.AppendUint(append(dst, ','), n&0xffff, 10)
	return append(dst, ')')
}

func tidRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 6); err != nil {
		return Datum{}, err
	}
	return tidOf(uint64(binary.BigEndian.Uint32(b))<<16 | uint64(binary.BigEndian.Uint16(b[4:]))), nil
}

func tidSend(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	n := tidNumber(d)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(dst, uint32(n>>16)), uint16(n))
}

func lsnIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	hi, lo, ok := strings.Cut(s, "/")
	h, err1 := strconv.ParseUint(hi, 16, 32)
	l, err2 := strconv.ParseUint(lo, 16, 32)
	if !ok || len(hi) > 8 || len(lo) > 8 || err1 != nil || err2 != nil || strings.ContainsAny(s, "+-_") {
		return Datum{}, invalidSyntax("pg_lsn", s)
	}
	return bytesDatum(binary.BigEndian.AppendUint64(nil, h<<32|l)), nil
}

func lsnOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	v := binary.BigEndian.Uint64(d.B)
	dst = append(dst, strings.ToUpper(strconv.FormatUint(v>>32, 16))...)
	return append(append(dst, '/'), strings.ToUpper(strconv.FormatUint(v&math.MaxUint32, 16))...)
}
