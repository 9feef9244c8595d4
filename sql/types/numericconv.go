package types

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

func numericCodecs() map[OID]*codec {
	return map[OID]*codec{NumericOID: {numericIn, numericOut, numericRecv, numericSend}}
}

func numericIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	n, err := ParseNumeric(s)
	if err != nil {
		return Datum{}, err
	}
	return n.Datum(), nil
}

func numericOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return NumericFrom(d).Append(dst) }

// FitNumeric rounds n to a typmod and refuses what has too many digits then.
func FitNumeric(n Numeric, typmod int32) (Numeric, error) {
	if typmod < varHdr || n.IsNaN() {
		return n, nil
	}
	precision, scale := NumericTypmod(typmod)
	if n.IsInf() {
		return n, pgerr.New(pgerr.NumericValueOutOfRange, "numeric field overflow").
			WithDetail("A field with precision %d, scale %d cannot hold an infinite value.", precision, scale)
	}
	n = n.Round(scale)
	if whole := precision - scale; n.Sign() != 0 && n.digits()-int(n.scale) > whole {
		limit := "1"
		if whole != 0 {
			limit = "10^" + strconv.Itoa(whole)
		}
		return n, pgerr.New(pgerr.NumericValueOutOfRange, "numeric field overflow").
			WithDetail("A field with precision %d, scale %d must round to an absolute value less than %s.", precision, scale, limit)
	}
	return n, nil
}

// The signs of the wire form.
const (
	wirePositive = 0x0000
	wireNegative = 0x4000
	wireNaN      = 0xC000
	wireInf      = 0xD000
	wireNegInf   = 0xF000
)

// numericSend writes digits in base 10000 as PostgreSQL stores them.
func numericSend(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	n := NumericFrom(d)
	if n.kind != numFinite {
		code := map[numKind]uint16{numKindNaN: wireNaN, numKindInf: wireInf, numKindNegInf: wireNegInf}[n.kind]
		scale := uint16(0)
		if n.IsInf() {
			scale = 0x20 // a bit of the header of infinities that PostgreSQL lets through
		}
		return appendWireHead(dst, 0, 0, code, scale)
	}
	code := uint16(wirePositive)
	if n.Sign() < 0 {
		code = wireNegative
	}
	digits, weight := n.base10000()
	dst = appendWireHead(dst, len(digits), weight, code, uint16(n.scale))
	for _, v := range digits {
		dst = binary.BigEndian.AppendUint16(dst, v)
	}
	return dst
}

func appendWireHead(dst []byte, ndigits, weight int, code, scale uint16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(ndigits))
	dst = binary.BigEndian.AppendUint16(dst, uint16(weight))
	dst = binary.BigEndian.AppendUint16(dst, code)
	return binary.BigEndian.AppendUint16(dst, scale)
}

// base10000 returns the magnitude's digits in base 10000 without zeros at either end, and
// the weight of the first.
func (n Numeric) base10000() (digits []uint16, weight int) {
	text := n.Abs().decimal()
	if text == "" {
		return nil, 0
	}
	scale := int(n.scale)
	for ; scale&3 != 0; scale++ {
		text += "0"
	}
	for len(text)&3 != 0 {
		text = "0" + text
	}
	for i := 0; i < len(text); i += 4 {
		v, _ := strconv.Atoi(text[i : i+4])
		digits = append(digits, uint16(v))
	}
	weight = len(digits) - scale/4 - 1
	for len(digits) > 0 && digits[0] == 0 {
		digits = digits[1:]
		weight--
	}
	for digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	return digits, weight
}

// decimal returns the digits of a coefficient that is not negative, "" for zero.
func (n Numeric) decimal() string {
	switch {
	case n.big != nil:
		return n.big.String()
	case n.small == 0:
		return ""
	}
	return strconv.FormatInt(n.small, 10)
}

func numericRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if len(b) < 8 {
		return Datum{}, shortMessage()
	}
	ndigits := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	code, scale := binary.BigEndian.Uint16(b[4:]), int(binary.BigEndian.Uint16(b[6:]))
	bad := func(what string) (Datum, error) {
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid %s in external \"numeric\" value", what)
	}
	switch code {
	case wirePositive, wireNegative, wireNaN, wireInf, wireNegInf:
	default:
		return bad("sign")
	}
	if scale > MaxNumericScale {
		return bad("scale")
	}
	if err := exact(b[8:], 2*ndigits); err != nil {
		return Datum{}, err
	}
	text := make([]byte, 0, 4*ndigits)
	for i := 0; i < ndigits; i++ {
		v := binary.BigEndian.Uint16(b[8+2*i:])
		if v >= 10000 {
			return bad("digit")
		}
		text = append(text, byte('0'+v/1000), byte('0'+v/100%10), byte('0'+v/10%10), byte('0'+v%10))
	}
	switch code {
	case wireNaN:
		return NumericNaN.Datum(), nil
	case wireInf:
		return NumericInf.Datum(), nil
	case wireNegInf:
		return NumericNegInf.Datum(), nil
	}
	start := 0
	for start < len(text) && text[start] == '0' {
		start++
	}
	// The last group of digits may go past the scale: those digits do not count,
	// not even as digits too many.
	fraction := 4 * (ndigits - 1 - weight)
	if excess := fraction - scale; excess > 0 {
		text = text[:max(len(text)-excess, start)]
		fraction = scale
	}
	n, err := assembleNumeric(string(text[start:]), fraction, code == wireNegative)
	if err != nil {
		return Datum{}, err
	}
	return n.Trunc(scale).Datum(), nil
}

func compareNumeric(a, b Datum) int {
	x, xs, ok1 := NumericToInt64Scaled(a)
	y, ys, ok2 := NumericToInt64Scaled(b)
	if ok1 && ok2 && xs == ys {
		return compareInt(intDatum(x), intDatum(y))
	}
	return NumericFrom(a).Cmp(NumericFrom(b))
}

var numericOrder = &order{compareNumeric, hashNumeric, column.Bytes, numericKey, false}

// The classes of numeric keys, in order.
const (
	keyNegInf   = 0x10
	keyNegative = 0x20
	keyZero     = 0x30
	keyPositive = 0x40
	keyInf      = 0x50
	keyNaN      = 0x60
)

// numericKey makes a key: class, decimal exponent, and the digits without trailing zeros,
// two to a byte (1..100). Negative values have all of it inverted and end in 0xFF, so
// that more digits sort lower.
func numericKey(d Datum) Datum { return bytesDatum(appendNumericKey(nil, NumericFrom(d))) }

func appendNumericKey(dst []byte, n Numeric) []byte {
	switch {
	case n.kind == numKindNaN:
		return append(dst, keyNaN)
	case n.kind == numKindInf:
		return append(dst, keyInf)
	case n.kind == numKindNegInf:
		return append(dst, keyNegInf)
	case n.Sign() == 0:
		return append(dst, keyZero)
	}
	negative := n.Sign() < 0
	digits := n.Abs().decimal()
	exponent := len(digits) - int(n.scale)
	end := len(digits)
	for digits[end-1] == '0' {
		end--
	}
	class := byte(keyPositive)
	if negative {
		class = keyNegative
	}
	dst = append(dst, class)
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(int32(exponent))^1<<31)
	for i := 0; i < end; i += 2 {
		pair := (digits[i] - '0') * 10
		if i+1 < end {
			pair += digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	if negative {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
		dst = append(dst, 0xFF)
	}
	return dst
}

// hashNumeric gives whole numbers the hash of the integer types.
func hashNumeric(d Datum) uint64 {
	if v, scale, ok := NumericToInt64Scaled(d); ok && scale < len(pow10s) && v%pow10s[scale] == 0 {
		return HashUint64(uint64(v / pow10s[scale]))
	}
	n := NumericFrom(d).TrimScale()
	if n.kind == numFinite && n.big == nil && n.scale == 0 {
		return HashUint64(uint64(n.small))
	}
	return HashBytes(n.AppendTo(nil))
}

// Int64 rounds n to an integer type of some bits; name is the type's in errors.
func (n Numeric) Int64(bits int, name string) (int64, error) {
	if n.IsNaN() {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "cannot convert NaN to %s", name)
	}
	if n.IsInf() {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "cannot convert infinity to %s", name)
	}
	r := n.Round(0)
	if limit := int64(1) << (bits - 1); r.big != nil || bits < 64 && (r.small >= limit || r.small < -limit) {
		return 0, pgerr.New(pgerr.NumericValueOutOfRange, "%s out of range", name)
	}
	return r.small, nil
}

// Float64 converts to a float of 32 or 64 bits; values beyond it are an error.
func (n Numeric) Float64(bits int, name string) (float64, error) {
	switch n.kind {
	case numKindNaN:
		return math.NaN(), nil
	case numKindInf:
		return math.Inf(1), nil
	case numKindNegInf:
		return math.Inf(-1), nil
	}
	if n.scale == 0 && n.big == nil && bits == 64 {
		return float64(n.small), nil
	}
	return ParseFloat(n.String(), bits, name)
}

// NumericFromFloat converts a float of 32 or 64 bits, by its 6 or 15 significant digits.
func NumericFromFloat(v float64, bits int) (Numeric, error) {
	switch {
	case math.IsNaN(v):
		return NumericNaN, nil
	case math.IsInf(v, 1):
		return NumericInf, nil
	case math.IsInf(v, -1):
		return NumericNegInf, nil
	}
	digits := 15
	if bits == 32 {
		digits = 6
	}
	return ParseNumeric(string(appendG(nil, v, 64, digits, digits)))
}

// NumericFromUint64 returns v with scale 0.
func NumericFromUint64(v uint64) Numeric { return NumericFromBig(new(big.Int).SetUint64(v), 0) }
