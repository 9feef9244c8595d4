// Package keys encodes values so that comparing the encodings byte by byte
// (bytes.Compare) orders them as their values are ordered. A composite key is
// the concatenation of its parts: no part is a prefix of another part of the
// same kind and order, so a later part never influences an earlier one.
//
// One part:
//
//	+------------+-----------------------------------------------------------+
//	| tag 1 byte | value; every byte inverted when the order is Desc         |
//	+------------+-----------------------------------------------------------+
//	tag    0x00 NULL that sorts first, 0x01 a value follows, 0x02 NULL that
//	       sorts last; absent when the order says NotNull
//	Int    8 bytes, big endian, sign bit inverted
//	Float  8 bytes, big endian; IEEE bits with the sign bit inverted when it is
//	       clear and all bits inverted when it is set; NaN is one value above
//	       +Inf and -0 is 0, as in PostgreSQL
//	Bytes  the bytes with 0x00 written as 0x00 0xFF, ended by 0x00 0x01
//
// All Append functions allocate nothing when dst has room. Decoding returns
// the value except for the sign of a zero and the payload of a NaN.
package keys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	"github.com/omendb/omendb/engine/column"
)

// Order says how one part of a key sorts. The zero value is PostgreSQL's
// default: ascending, NULLs last, a tag in front.
type Order uint8

// The flags of an Order.
const (
	Desc       Order = 1 << iota // greater values first
	NullsFirst                   // NULLs before all values, whatever Desc says
	NotNull                      // the part is never NULL and has no tag byte
)

const (
	tagNullFirst = 0x00
	tagValue     = 0x01
	tagNullLast  = 0x02

	escape     = 0x00 // in a byte string: what follows says which
	escapedNul = 0xFF // a zero byte of the value
	terminator = 0x01 // the end of the value; below every other continuation
)

// ErrMalformed reports bytes that no Append function of this package wrote.
var ErrMalformed = errors.New("malformed key")

// AppendInt appends the encoding of v.
func AppendInt(dst []byte, v int64, o Order) []byte {
	if o&NotNull == 0 {
		dst = append(dst, tagValue)
	}
	return binary.BigEndian.AppendUint64(dst, mask(o)^IntBits(v))
}

// AppendFloat appends the encoding of v.
func AppendFloat(dst []byte, v float64, o Order) []byte {
	if o&NotNull == 0 {
		dst = append(dst, tagValue)
	}
	return binary.BigEndian.AppendUint64(dst, mask(o)^FloatBits(v))
}

// AppendBytes appends the encoding of v.
func AppendBytes(dst, v []byte, o Order) []byte {
	if o&NotNull == 0 {
		dst = append(dst, tagValue)
	}
	start := len(dst)
	for {
		i := bytes.IndexByte(v, escape)
		if i < 0 {
			break
		}
		dst = append(dst, v[:i]...)
		dst = append(dst, escape, escapedNul)
		v = v[i+1:]
	}
	dst = append(dst, v...)
	dst = append(dst, escape, terminator)
	if o&Desc != 0 {
		invert(dst[start:])
	}
	return dst
}

// AppendNull appends the encoding of NULL. It panics when o says NotNull: the
// caller has checked the constraint.
func AppendNull(dst []byte, o Order) []byte {
	switch {
	case o&NotNull != 0:
		panic("keys: NULL in a part that is never NULL")
	case o&NullsFirst != 0:
		return append(dst, tagNullFirst)
	}
	return append(dst, tagNullLast)
}

// AppendDatum appends the encoding of d, which is of kind k.
func AppendDatum(dst []byte, k column.Kind, d column.Datum, o Order) []byte {
	switch {
	case d.Null:
		return AppendNull(dst, o)
	case k == column.Int:
		return AppendInt(dst, d.I, o)
	case k == column.Float:
		return AppendFloat(dst, d.Float(), o)
	}
	return AppendBytes(dst, d.B, o)
}

// IntBits maps v to an unsigned number that sorts as v does.
func IntBits(v int64) uint64 { return uint64(v) ^ 1<<63 }

// FloatBits maps v to an unsigned number that sorts as PostgreSQL sorts v.
func FloatBits(v float64) uint64 {
	if v != v {
		return math.Float64bits(math.NaN()) | 1<<63
	}
	if v == 0 { // either zero
		return 1 << 63
	}
	b := math.Float64bits(v)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// BitsFloat is the inverse of FloatBits.
func BitsFloat(b uint64) float64 {
	if b>>63 != 0 {
		return math.Float64frombits(b &^ (1 << 63))
	}
	return math.Float64frombits(^b)
}

func mask(o Order) uint64 {
	if o&Desc != 0 {
		return math.MaxUint64
	}
	return 0
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}
