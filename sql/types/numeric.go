package types

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// The form of a numeric: a coefficient c and a display scale s, the value being c/10^s.
// A value with its scale has exactly one form.
//
//	+----------------+------------------+----------------------------------------+
//	| head, 1 byte   | scale, 0 or 2    | coefficient, big endian, minimal length |
//	+----------------+------------------+----------------------------------------+
//	head bits 7-6   0 small: two's complement int64 (nothing is zero)
//	                1 big positive, 2 big negative: magnitude beyond int64
//	                3 special: low bits 0 NaN, 1 Infinity, 2 -Infinity; nothing follows
//	head bits 5-0   scale 0..62; 63: the scale is in the next two bytes
const (
	numSmall    = 0x00
	numBigPos   = 0x40
	numBigNeg   = 0x80
	numSpecial  = 0xC0
	numClass    = 0xC0
	numNaN      = numSpecial
	numInf      = numSpecial | 1
	numNegInf   = numSpecial | 2
	numWide     = 63
	numMaxHead  = 1 + 2 + 8
	maxIntegral = 131072 // digits before the decimal point
)

// MaxNumericScale is the most digits after the point: the display scale has 14 bits in PostgreSQL.
const MaxNumericScale = 16383

type numKind uint8

const (
	numFinite numKind = iota
	numKindNaN
	numKindInf
	numKindNegInf
)

// Numeric is a decoded numeric: coef/10^scale, or NaN or an infinity. The zero value is 0.
// Numerics are immutable; the coefficient is in small unless big is not nil.
type Numeric struct {
	big   *big.Int // only for coefficients that do not fit small
	small int64
	scale int32
	kind  numKind
}

// The special values.
var (
	NumericNaN    = Numeric{kind: numKindNaN}
	NumericInf    = Numeric{kind: numKindInf}
	NumericNegInf = Numeric{kind: numKindNegInf}
)

// NumericFrom decodes a numeric.
func NumericFrom(d Datum) Numeric {
	head := d.B[0]
	if head&numClass == numSpecial {
		return Numeric{kind: numKind(head&3) + numKindNaN}
	}
	b, scale := d.B[1:], int32(head&numWide)
	if scale == numWide {
		scale = int32(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if head&numClass == numSmall {
		return Numeric{small: smallCoefficient(b), scale: scale}
	}
	c := new(big.Int).SetBytes(b)
	if head&numClass == numBigNeg {
		c.Neg(c)
	}
	return Numeric{big: c, scale: scale}
}

func smallCoefficient(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	v := int64(int8(b[0]))
	for _, c := range b[1:] {
		v = v<<8 | int64(c)
	}
	return v
}

// NumericToInt64Scaled returns the coefficient and scale of a numeric without allocating;
// false when it is special or does not fit 64 bits.
func NumericToInt64Scaled(d Datum) (coef int64, scale int, ok bool) {
	head := d.B[0]
	if head&numClass != numSmall {
		return 0, 0, false
	}
	b := d.B[1:]
	if scale = int(head & numWide); scale == numWide {
		scale = int(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	return smallCoefficient(b), scale, true
}

// Datum encodes the value.
func (n Numeric) Datum() Datum { return bytesDatum(n.AppendTo(make([]byte, 0, numMaxHead))) }

// AppendTo appends the encoded form.
func (n Numeric) AppendTo(dst []byte) []byte {
	if n.kind != numFinite {
		return append(dst, numSpecial|byte(n.kind-numKindNaN))
	}
	head := byte(numSmall)
	if n.big != nil {
		head = numBigPos
		if n.big.Sign() < 0 {
			head = numBigNeg
		}
	}
	if n.scale < numWide {
		dst = append(dst, head|byte(n.scale))
	} else {
		dst = binary.BigEndian.AppendUint16(append(dst, head|numWide), uint16(n.scale))
	}
	if n.big != nil {
		return append(dst, n.big.Bytes()...)
	}
	return appendSmallCoefficient(dst, n.small)
}

func appendSmallCoefficient(dst []byte, v int64) []byte {
	if v == 0 {
		return dst
	}
	size := 1
	for size < 8 && v>>(8*size-1) != 0 && v>>(8*size-1) != -1 {
		size++
	}
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, byte(v>>(8*i)))
	}
	return dst
}

// NumericFromInt64 returns v with scale 0.
func NumericFromInt64(v int64) Numeric { return Numeric{small: v} }

// NumericScaled returns coef/10^scale.
func NumericScaled(coef int64, scale int) Numeric { return Numeric{small: coef, scale: int32(scale)} }

// NumericFromBig returns c/10^scale; c must not be changed afterwards.
func NumericFromBig(c *big.Int, scale int) Numeric {
	if c.IsInt64() {
		return Numeric{small: c.Int64(), scale: int32(scale)}
	}
	return Numeric{big: c, scale: int32(scale)}
}

// Coefficient returns the coefficient of a finite value; it must not be changed.
func (n Numeric) Coefficient() *big.Int {
	if n.big != nil {
		return n.big
	}
	return big.NewInt(n.small)
}

// Scale returns the display scale: the digits shown behind the decimal point.
func (n Numeric) Scale() int { return int(n.scale) }

// IsNaN reports whether n is NaN.
func (n Numeric) IsNaN() bool { return n.kind == numKindNaN }

// IsInf reports whether n is an infinity.
func (n Numeric) IsInf() bool { return n.kind >= numKindInf }

// IsFinite reports whether n is a number.
func (n Numeric) IsFinite() bool { return n.kind == numFinite }

// Sign returns -1, 0 or 1; NaN has sign 1, as it sorts above everything.
func (n Numeric) Sign() int {
	switch {
	case n.kind == numKindNegInf:
		return -1
	case n.kind != numFinite:
		return 1
	case n.big != nil:
		return n.big.Sign()
	case n.small < 0:
		return -1
	case n.small > 0:
		return 1
	}
	return 0
}

// pow10s are the powers of ten that fit 64 bits.
var pow10s = func() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// pow10 returns 10^n.
func pow10(n int) *big.Int {
	if n < len(pow10s) {
		return big.NewInt(pow10s[n])
	}
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// errNumericOverflow is the error for a result too large for the type.
func errNumericOverflow() *pgerr.Error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value overflows numeric format")
}

// ErrDivisionByZero is the error of / and %.
func ErrDivisionByZero() *pgerr.Error { return pgerr.New(pgerr.DivisionByZero, "division by zero") }

// checked refuses values that PostgreSQL could not hold.
func (n Numeric) checked() (Numeric, error) {
	if n.scale > MaxNumericScale || n.big != nil && n.digits()-int(n.scale) > maxIntegral {
		return Numeric{}, errNumericOverflow()
	}
	return n, nil
}

// digits returns the number of decimal digits of the coefficient, 0 for zero.
func (n Numeric) digits() int {
	if n.big == nil {
		return digits64(n.small)
	}
	// The estimate by bits is exact or one too small.
	guess := int(float64(n.big.BitLen()-1) * 0.30102999566398119521)
	if n.big.CmpAbs(pow10(guess)) >= 0 {
		for n.big.CmpAbs(pow10(guess+1)) >= 0 {
			guess++
		}
		return guess + 1
	}
	return guess
}

func digits64(v int64) int {
	u := uint64(v)
	if v < 0 {
		u = -u
	}
	d := 0
	for d < len(pow10s) && u >= uint64(pow10s[d]) {
		d++
	}
	return d
}

// ParseNumeric reads the text form; see numeric_in.
func ParseNumeric(s string) (Numeric, error) {
	t := trimSpace(s)
	if n, ok := parseSmallNumeric(t); ok {
		return n, nil
	}
	if len(t) >= 3 && len(t) <= 9 {
		switch strings.ToLower(t) {
		case "nan":
			return NumericNaN, nil
		case "inf", "+inf", "infinity", "+infinity":
			return NumericInf, nil
		case "-inf", "-infinity":
			return NumericNegInf, nil
		}
	}
	return parseLargeNumeric(s, t)
}

// parseSmallNumeric reads up to 18 digits without an exponent.
func parseSmallNumeric(t string) (Numeric, bool) {
	i, neg := 0, false
	if len(t) > 0 && (t[0] == '-' || t[0] == '+') {
		neg = t[0] == '-'
		i = 1
	}
	if len(t)-i > 19 {
		return Numeric{}, false
	}
	var v int64
	digits, point := 0, -1
	for ; i < len(t); i++ {
		c := t[i]
		switch {
		case isDigit(c):
			v = v*10 + int64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return Numeric{}, false
		}
	}
	if digits == 0 || digits > 18 {
		return Numeric{}, false
	}
	if neg {
		v = -v
	}
	if point < 0 {
		point = digits
	}
	return Numeric{small: v, scale: int32(digits - point)}, true
}

func parseLargeNumeric(s, t string) (Numeric, error) {
	bad := func() (Numeric, error) { return Numeric{}, invalidSyntax("numeric", s) }
	n := 0
	if n < len(t) && (t[n] == '-' || t[n] == '+') {
		n++
	}
	start := n
	for n < len(t) && isDigit(t[n]) {
		n++
	}
	whole, fraction := t[start:n], ""
	if n < len(t) && t[n] == '.' {
		n++
		from := n
		for n < len(t) && isDigit(t[n]) {
			n++
		}
		fraction = t[from:n]
	}
	if whole == "" && fraction == "" {
		return bad()
	}
	exponent := 0
	if n < len(t) && t[n]|0x20 == 'e' {
		m := n + 1
		if m < len(t) && (t[m] == '+' || t[m] == '-') {
			m++
		}
		from := m
		for m < len(t) && isDigit(t[m]) {
			m++
		}
		if m == from {
			return bad()
		}
		v, err := strconv.ParseInt(t[n+1:m], 10, 64)
		if m < len(t) {
			return bad()
		}
		if err != nil || v >= math.MaxInt32/2 || v <= -(math.MaxInt32/2) {
			return Numeric{}, errNumericOverflow()
		}
		exponent, n = int(v), m
	}
	if n < len(t) {
		return bad()
	}
	return assembleNumeric(strings.TrimLeft(whole+fraction, "0"), len(fraction)-exponent, t[0] == '-')
}

// assembleNumeric makes ±digits/10^scale; a negative scale appends zeros.
func assembleNumeric(digits string, scale int, neg bool) (Numeric, error) {
	if digits == "" {
		return Numeric{scale: int32(max(scale, 0))}.checked()
	}
	if len(digits)-scale > maxIntegral || scale > MaxNumericScale {
		return Numeric{}, errNumericOverflow()
	}
	if scale < 0 {
		digits += strings.Repeat("0", -scale)
		scale = 0
	}
	c, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		panic("types: digits that are no number")
	}
	if neg {
		c.Neg(c)
	}
	return NumericFromBig(c, scale), nil
}

// Append appends the text form.
func (n Numeric) Append(dst []byte) []byte {
	switch n.kind {
	case numKindNaN:
		return append(dst, "NaN"...)
	case numKindInf:
		return append(dst, "Infinity"...)
	case numKindNegInf:
		return append(dst, "-Infinity"...)
	}
	var buf [20]byte
	var digits []byte
	if n.big != nil {
		digits = n.big.Append(nil, 10)
	} else {
		digits = strconv.AppendInt(buf[:0], n.small, 10)
	}
	if digits[0] == '-' {
		dst = append(dst, '-')
		digits = digits[1:]
	}
	scale := int(n.scale)
	if scale == 0 {
		return append(dst, digits...)
	}
	if len(digits) <= scale {
		dst = append(dst, '0', '.')
		for i := len(digits); i < scale; i++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-scale:]...)
}

// String returns the text form.
func (n Numeric) String() string { return string(n.Append(nil)) }
