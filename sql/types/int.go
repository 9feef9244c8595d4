package types

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// scalarCodecs covers bool, "char", the integers and the unsigned catalog numbers.
func scalarCodecs() map[OID]*codec {
	m := map[OID]*codec{
		BoolOID: {boolIn, boolOut, boolRecv, boolSend},
		CharOID: {charIn, charOut, charRecv, charSend},
		Int2OID: intCodec(16),
		Int4OID: intCodec(32),
		Int8OID: intCodec(64),
		OIDOID:  {oidIn, uintOut, uint4Recv, uint4Send},
		XIDOID:  {xidIn, uintOut, uint4Recv, uint4Send},
		CIDOID:  {xidIn, uintOut, uint4Recv, uint4Send},
		XID8OID: {xid8In, xid8Out, int8Recv, int8Send},
	}
	for _, oid := range []OID{RegprocOID, RegprocedureOID, RegoperOID, RegoperatorOID, RegclassOID, RegtypeOID,
		RegroleOID, RegnamespaceOID, RegconfigOID, RegdictionaryOID, RegcollationOID} {
		m[oid] = &codec{regIn, regOut, uint4Recv, uint4Send}
	}
	return m
}

// Unsigned32 reports whether a type's values are the 32-bit numbers without sign that name catalog rows.
func Unsigned32(oid OID) bool {
	switch oid {
	case OIDOID, RegprocOID, RegprocedureOID, RegoperOID, RegoperatorOID, RegclassOID, RegtypeOID,
		RegroleOID, RegnamespaceOID, RegconfigOID, RegdictionaryOID, RegcollationOID:
		return true
	}
	return false
}

func intCodec(bits int) *codec {
	c := &codec{out: intOut}
	switch bits {
	case 16:
		c.recv, c.send = int2Recv, int2Send
	case 32:
		c.recv, c.send = int4Recv, int4Send
	default:
		c.recv, c.send = int8Recv, int8Send
	}
	name := map[int]string{16: "smallint", 32: "integer", 64: "bigint"}[bits]
	c.in = func(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
		v, err := parseInt(s, bits, name)
		return intDatum(v), err
	}
	return c
}

// isSpace is C's isspace in the C locale.
func isSpace(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func trimSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// parseInt reads a decimal integer of the given width, with blanks around it.
func parseInt(s string, bits int, name string) (int64, error) {
	t := trimSpace(s)
	neg := false
	if len(t) > 0 && (t[0] == '-' || t[0] == '+') {
		neg = t[0] == '-'
		t = t[1:]
	}
	if len(t) == 0 {
		return 0, invalidSyntax(name, s)
	}
	limit := uint64(1)<<(bits-1) - 1
	if neg {
		limit++
	}
	var v uint64
	over := false
	for i := 0; i < len(t); i++ {
		c := t[i] - '0'
		if c > 9 {
			return 0, invalidSyntax(name, s)
		}
		if v > (math.MaxUint64-9)/10 {
			over = true
			continue
		}
		v = v*10 + uint64(c)
	}
	if over || v > limit {
		return 0, pgerr.New(pgerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", s, name)
	}
	if neg {
		return -int64(v), nil
	}
	return int64(v), nil
}

func intOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return strconv.AppendInt(dst, d.I, 10) }

func int2Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 2); err != nil {
		return Datum{}, err
	}
	return intDatum(int64(int16(binary.BigEndian.Uint16(b)))), nil
}

func int4Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 4); err != nil {
		return Datum{}, err
	}
	return intDatum(int64(int32(binary.BigEndian.Uint32(b)))), nil
}

func int8Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 8); err != nil {
		return Datum{}, err
	}
	return intDatum(int64(binary.BigEndian.Uint64(b))), nil
}

func uint4Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 4); err != nil {
		return Datum{}, err
	}
	return intDatum(int64(binary.BigEndian.Uint32(b))), nil
}

func int2Send(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return binary.BigEndian.AppendUint16(dst, uint16(d.I))
}

func int4Send(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(d.I))
}

func int8Send(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(d.I))
}

func uint4Send(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(d.I))
}

func uintOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return strconv.AppendInt(dst, d.I, 10) }

func oidIn(_ *Env, t *Type, _ int32, s string) (Datum, error) { return parseOID(s, t.Name) }

// parseOID reads an unsigned 32-bit number as strtoul does: octal and hexadecimal
// prefixes are not special (base 10), negative numbers wrap around.
func parseOID(s, name string) (Datum, error) {
	t := trimSpace(s)
	neg := strings.HasPrefix(t, "-")
	digits := strings.TrimPrefix(strings.TrimPrefix(t, "-"), "+")
	if digits == "" || len(t)-len(digits) > 1 {
		return Datum{}, invalidSyntax(name, s)
	}
	for i := 0; i < len(digits); i++ {
		if !isDigit(digits[i]) {
			return Datum{}, invalidSyntax(name, s)
		}
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || (v > math.MaxUint32 && !neg) || (neg && v > 1<<31) {
		return Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", s, name)
	}
	if neg {
		v = -v
	}
	return intDatum(int64(uint32(v))), nil
}

// strtoul reads the longest number at the start of s in C's notation (octal, hexadecimal,
// decimal); text without one is 0. This is how PostgreSQL 15 reads xid, cid and xid8.
func strtoul(s string) uint64 {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	base := uint64(10)
	switch {
	case len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x':
		base, s = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, s = 8, s[1:]
	}
	var v uint64
	for i := 0; i < len(s); i++ {
		digit := uint64(hexValue(s[i]))
		if digit >= base {
			break
		}
		if v > (math.MaxUint64-digit)/base {
			return math.MaxUint64
		}
		v = v*base + digit
	}
	if neg {
		return -v
	}
	return v
}

// hexValue returns the value of a hexadecimal digit, 255 for any other byte.
func hexValue(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

func xidIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	return intDatum(int64(uint32(strtoul(s)))), nil
}

func xid8In(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	return intDatum(int64(strtoul(s))), nil
}

func xid8Out(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	return strconv.AppendUint(dst, uint64(d.I), 10)
}

// regIn reads a catalog object's number or, through the session's catalog, its name.
func regIn(e *Env, t *Type, _ int32, s string) (Datum, error) {
	if s == "-" && t.OID != RegroleOID && t.OID != RegnamespaceOID {
		return intDatum(0), nil
	}
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return parseOID(s, "oid")
	}
	if e == nil || e.Names == nil {
		return Datum{}, pgerr.Unsupported("no catalog to find %s \"%s\" in", t.Name, s)
	}
	oid, err := e.Names.ObjectByName(t.OID, s)
	return intDatum(int64(oid)), err
}

func regOut(e *Env, dst []byte, t *Type, d Datum) []byte {
	if d.I == 0 {
		return append(dst, '-')
	}
	if e != nil && e.Names != nil {
		if name, ok := e.Names.ObjectName(t.OID, OID(d.I)); ok {
			return append(dst, name...)
		}
	}
	return strconv.AppendInt(dst, d.I, 10)
}
