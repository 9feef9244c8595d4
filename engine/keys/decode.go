package keys

import (
	"bytes"
	"encoding/binary"

	"github.com/omendb/omendb/engine/column"
)

// Decode reads the first part of src, which is of kind k and order o. It
// returns the value, what follows it in src, and buf, to which the bytes of
// an escaped or descending Bytes value were appended; a Bytes value shares
// src or buf.
func Decode(src []byte, k column.Kind, o Order, buf []byte) (d column.Datum, rest, newBuf []byte, err error) {
	if o&NotNull == 0 {
		if len(src) == 0 {
			return d, nil, buf, ErrMalformed
		}
		switch src[0] {
		case tagValue:
			src = src[1:]
		case nullTag(o):
			return column.Null(), src[1:], buf, nil
		default:
			return d, nil, buf, ErrMalformed
		}
	}
	if k == column.Bytes {
		return decodeBytes(src, o, buf)
	}
	if len(src) < 8 {
		return d, nil, buf, ErrMalformed
	}
	bits := binary.BigEndian.Uint64(src) ^ mask(o)
	if k == column.Int {
		return column.IntDatum(int64(bits ^ 1<<63)), src[8:], buf, nil
	}
	f := BitsFloat(bits)
	if FloatBits(f) != bits {
		return d, nil, buf, ErrMalformed // -0 or another NaN: no key of ours
	}
	return column.FloatDatum(f), src[8:], buf, nil
}

// Skip returns what follows the first part of src, of kind k and order o.
func Skip(src []byte, k column.Kind, o Order) ([]byte, error) {
	if o&NotNull == 0 {
		if len(src) == 0 {
			return nil, ErrMalformed
		}
		switch src[0] {
		case tagValue:
			src = src[1:]
		case nullTag(o):
			return src[1:], nil
		default:
			return nil, ErrMalformed
		}
	}
	if k != column.Bytes {
		if len(src) < 8 {
			return nil, ErrMalformed
		}
		return src[8:], nil
	}
	_, rest, _, err := scanBytes(src, o)
	return rest, err
}

func nullTag(o Order) byte {
	if o&NullsFirst != 0 {
		return tagNullFirst
	}
	return tagNullLast
}

// scanBytes finds the end of an encoded byte string: body is what stands
// before the terminator, escapes counts the escaped zeros in it.
func scanBytes(src []byte, o Order) (body, rest []byte, escapes int, err error) {
	flip := byte(mask(o))
	for i := 0; ; i += 2 {
		j := bytes.IndexByte(src[i:], escape^flip)
		if j < 0 || i+j+1 >= len(src) {
			return nil, nil, 0, ErrMalformed
		}
		i += j
		switch src[i+1] ^ flip {
		case terminator:
			return src[:i], src[i+2:], escapes, nil
		case escapedNul:
			escapes++
		default:
			return nil, nil, 0, ErrMalformed
		}
	}
}

func decodeBytes(src []byte, o Order, buf []byte) (column.Datum, []byte, []byte, error) {
	body, rest, escapes, err := scanBytes(src, o)
	if err != nil {
		return column.Datum{}, nil, buf, err
	}
	if escapes == 0 && o&Desc == 0 {
		return column.BytesDatum(body[:len(body):len(body)]), rest, buf, nil
	}
	flip, start := byte(mask(o)), len(buf)
	for i := 0; i < len(body); i++ {
		c := body[i] ^ flip
		buf = append(buf, c)
		if c == escape {
			i++ // the second byte of the pair
		}
	}
	return column.BytesDatum(buf[start:len(buf):len(buf)]), rest, buf, nil
}

// PrefixEnd appends to dst the least key that is greater than every key that
// starts with prefix, and reports whether there is one: there is none when
// prefix is empty or consists of 0xFF bytes.
func PrefixEnd(dst, prefix []byte) ([]byte, bool) {
	n := len(prefix)
	for n > 0 && prefix[n-1] == 0xFF {
		n--
	}
	if n == 0 {
		return dst, false
	}
	dst = append(dst, prefix[:n]...)
	dst[len(dst)-1]++
	return dst, true
}

// Successor appends to dst the least key that is greater than key.
func Successor(dst, key []byte) []byte { return append(append(dst, key...), 0) }
