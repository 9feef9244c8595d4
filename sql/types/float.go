package types

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

func floatCodecs() map[OID]*codec {
	return map[OID]*codec{
		Float4OID: {float4In, float4Out, float4Recv, float4Send},
		Float8OID: {float8In, float8Out, float8Recv, float8Send},
	}
}

// ParseFloat reads a float of 32 or 64 bits as PostgreSQL's input functions do; name
// is the type named in errors.
func ParseFloat(s string, bits int, name string) (float64, error) {
	t := trimSpace(s)
	if special, ok := specialFloat(t); ok {
		return special, nil
	}
	n := floatPrefix(t)
	if n == 0 || n != len(t) {
		return 0, invalidSyntax(name, s)
	}
	if hex := strings.TrimLeft(t, "+-"); len(hex) > 1 && hex[1]|0x20 == 'x' && !strings.ContainsAny(hex, "pP") {
		t += "p0"
	}
	v, err := strconv.ParseFloat(t, bits)
	underflow := v == 0 && strings.ContainsAny(mantissa(t), "123456789")
	if errors.Is(err, strconv.ErrRange) || underflow {
		return 0, pgerr.New(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type %s", trimSpace(s), name)
	}
	if err != nil {
		return 0, invalidSyntax(name, s)
	}
	return v, nil
}

// mantissa cuts the exponent off a decimal number; hexadecimal ones give "".
func mantissa(t string) string {
	if strings.ContainsAny(t, "xX") {
		return ""
	}
	if i := strings.IndexAny(t, "eE"); i >= 0 {
		return t[:i]
	}
	return t
}

func specialFloat(t string) (float64, bool) {
	if len(t) < 3 || len(t) > 9 {
		return 0, false
	}
	switch strings.ToLower(t) {
	case "nan", "+nan":
		return math.NaN(), true
	case "-nan": // shown as NaN, like any
		return math.Copysign(math.NaN(), -1), true
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// floatPrefix returns the length of the longest number in C's notation at the start of t.
func floatPrefix(t string) int {
	i := 0
	if i < len(t) && (t[i] == '+' || t[i] == '-') {
		i++
	}
	isMantissa, exponent := isDigit, byte('e')
	if i+1 < len(t) && t[i] == '0' && t[i+1]|0x20 == 'x' {
		isMantissa, exponent = func(c byte) bool { return hexValue(c) < 16 }, 'p'
		i += 2
	}
	digits := 0
	for ; i < len(t) && isMantissa(t[i]); i++ {
		digits++
	}
	if i < len(t) && t[i] == '.' {
		for i++; i < len(t) && isMantissa(t[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(t) && t[i]|0x20 == exponent {
		j := i + 1
		if j < len(t) && (t[j] == '+' || t[j] == '-') {
			j++
		}
		if j < len(t) && isDigit(t[j]) {
			for i = j; i < len(t) && isDigit(t[i]); i++ {
			}
		}
	}
	return i
}

func float4In(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	v, err := ParseFloat(s, 32, "real")
	return floatDatum(v), err
}

func float8In(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	if v, ok := quickFloat(s); ok {
		return floatDatum(v), nil
	}
	v, err := ParseFloat(s, 64, "double precision")
	return floatDatum(v), err
}

func float4Out(e *Env, dst []byte, _ *Type, d Datum) []byte { return e.appendFloat(dst, d.Float(), 32) }

func float8Out(e *Env, dst []byte, _ *Type, d Datum) []byte { return e.appendFloat(dst, d.Float(), 64) }

// appendFloat prints shortest-precise digits when extra_float_digits is positive, else
// that many fewer than the type's guaranteed ones, in the manner of C's %g.
func (e *Env) appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	}
	extra := 1
	if e != nil {
		extra = e.ExtraFloatDigits
	}
	fixedBelow, precision := 15, -1
	if bits == 32 {
		fixedBelow = 6
	}
	if extra <= 0 {
		precision = max(fixedBelow+extra, 1)
		fixedBelow = precision
	}
	return appendG(dst, v, bits, precision, fixedBelow)
}

// appendG prints with an exponent when it is below -4 or at least fixedBelow, without
// trailing zeros; precision -1 is shortest. Exponents have two digits at least.
func appendG(dst []byte, v float64, bits, precision, fixedBelow int) []byte {
	if v == 0 {
		if math.Signbit(v) {
			dst = append(dst, '-')
		}
		return append(dst, '0')
	}
	switch {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case math.IsInf(v, 0):
		if v < 0 {
			dst = append(dst, '-')
		}
		return append(dst, "inf"...)
	}
	prec := precision
	if prec > 0 {
		prec--
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'e', prec, bits)
	e := len(dst) - 1
	for dst[e] != 'e' {
		e--
	}
	exp, _ := strconv.Atoi(string(dst[e+1:]))
	if exp < -4 || exp >= fixedBelow {
		switch {
		case precision > 0:
			dst = trimMantissa(dst, start, e)
		default:
			for digits := digitsIn(dst[start:e]); betweenFloats(string(dst[start:]), v, bits); digits++ {
				dst = strconv.AppendFloat(dst[:start], v, 'e', digits, bits)
			}
		}
		return dst
	}
	dst = dst[:start]
	if precision < 0 {
		return strconv.AppendFloat(dst, v, 'f', -1, bits)
	}
	dst = strconv.AppendFloat(dst, v, 'f', max(precision-1-exp, 0), bits)
	return trimZeros(dst, start)
}

// betweenFloats reports whether a decimal lies exactly halfway to the next float: it would be read as v, since v is even, but
// PostgreSQL (after Ulf Adams, "Ryū", PLDI 2018) prints only what lies on v's side. Decimals short enough for that to happen
// are those of large numbers.
func betweenFloats(decimal string, v float64, bits int) bool {
	least, next := float64(1<<53), math.Nextafter
	if bits == 32 {
		least = 1 << 24
		next = func(v, to float64) float64 { return float64(math.Nextafter32(float32(v), float32(to))) }
	}
	if math.Abs(v) < least {
		return false
	}
	exact, _, err := big.ParseFloat(decimal, 10, 1200, big.ToNearestEven)
	if err != nil {
		return false
	}
	to := math.Inf(exact.Cmp(big.NewFloat(v)))
	if exact.Cmp(big.NewFloat(v)) == 0 || math.IsInf(next(v, to), 0) {
		return false
	}
	middle := new(big.Float).SetPrec(1200).Add(big.NewFloat(v), big.NewFloat(next(v, to)))
	return exact.Cmp(middle.Quo(middle, big.NewFloat(2))) == 0
}

// digitsIn counts the digits of a mantissa, which is how many stand behind the point of one that is a digit longer.
func digitsIn(mantissa []byte) int {
	n := 0
	for _, c := range mantissa {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

func trimMantissa(dst []byte, start, e int) []byte {
	exp := string(dst[e:])
	return append(trimZeros(dst[:e], start), exp...)
}

// trimZeros cuts trailing zeros behind a decimal point in dst[start:], and the point.
func trimZeros(dst []byte, start int) []byte {
	point := false
	for _, c := range dst[start:] {
		point = point || c == '.'
	}
	if !point {
		return dst
	}
	n := len(dst)
	for dst[n-1] == '0' {
		n--
	}
	if dst[n-1] == '.' {
		n--
	}
	return dst[:n]
}

func float4Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 4); err != nil {
		return Datum{}, err
	}
	return floatDatum(float64(math.Float32frombits(binary.BigEndian.Uint32(b)))), nil
}

func float8Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 8); err != nil {
		return Datum{}, err
	}
	return floatDatum(math.Float64frombits(binary.BigEndian.Uint64(b))), nil
}

func float4Send(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(d.Float())))
}

func float8Send(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return binary.BigEndian.AppendUint64(dst, Float64Bits(d.Float()))
}

// CompareFloat is PostgreSQL's order of floats: NaN equals NaN and is above everything.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	an, bn := math.IsNaN(a), math.IsNaN(b)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	}
	return -1
}

// Float64Bits is the binary form of float8, in which every NaN is the quiet one that
// PostgreSQL sends, of either sign.
func Float64Bits(f float64) uint64 {
	bits := math.Float64bits(f)
	if f != f {
		return 0x7FF8<<48 | bits&(1<<63)
	}
	return bits
}
