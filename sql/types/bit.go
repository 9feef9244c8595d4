package types

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/pgerr"
)

func bitCodecs() map[OID]*codec {
	bit := &codec{bitIn, bitOut, bitRecv, textSend}
	return map[OID]*codec{BitOID: bit, VarbitOID: bit}
}

// MaxBitLength is the longest bit string in bits, as PostgreSQL counts it.
const MaxBitLength = math.MaxInt32 - 7

// Bits is a decoded bit string: N bits in whole bytes, the first in the top bit, the unused
// ones of the last byte zero.
type Bits struct {
	N     int
	Bytes []byte
}

// BitsFrom decodes a bit string, sharing its bytes.
func BitsFrom(d Datum) Bits { return Bits{int(binary.BigEndian.Uint32(d.B)), d.B[4:]} }

// Datum encodes the value.
func (v Bits) Datum() Datum {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(v.Bytes)), uint32(v.N))
	return bytesDatum(append(b, v.Bytes...))
}

// Bit returns bit i.
func (v Bits) Bit(i int) bool { return v.Bytes[i>>3]&(0x80>>(i&7)) != 0 }

// NewBits returns n zero bits.
func NewBits(n int) Bits { return Bits{n, make([]byte, (n+7)/8)} }

// Set sets bit i.
func (v Bits) Set(i int) { v.Bytes[i>>3] |= 0x80 >> (i & 7) }

// Resize cuts or extends with zeros to n bits.
func (v Bits) Resize(n int) Bits {
	r := NewBits(n)
	copy(r.Bytes, v.Bytes)
	if n < v.N && n&7 != 0 {
		r.Bytes[n>>3] &= 0xFF << (8 - n&7)
	}
	return r
}

// bitIn reads binary digits, or hexadecimal ones behind an x.
func bitIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	digits, width, what := s, 1, "binary"
	if s != "" {
		switch s[0] | 0x20 {
		case 'x':
			digits, width, what = s[1:], 4, "hexadecimal"
		case 'b':
			digits = s[1:]
		}
	}
	v := NewBits(len(digits) * width)
	for i := 0; i < len(digits); i++ {
		h := hexValue(digits[i])
		if int(h) >= 1<<width {
			_, n := utf8.DecodeRuneInString(digits[i:])
			return Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "\"%s\" is not a valid %s digit", digits[i:i+n], what)
		}
		for b := range width {
			if h&(1<<(width-1-b)) != 0 {
				v.Set(i*width + b)
			}
		}
	}
	return v.Datum(), nil
}

func bitOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	v := BitsFrom(d)
	for i := range v.N {
		if v.Bit(i) {
			dst = append(dst, '1')
		} else {
			dst = append(dst, '0')
		}
	}
	return dst
}

func bitRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if len(b) < 4 {
		return Datum{}, shortMessage()
	}
	n := int32(binary.BigEndian.Uint32(b))
	if n < 0 || n > 1<<31-8 {
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid length in external bit string")
	}
	if err := exact(b[4:], (int(n)+7)/8); err != nil {
		return Datum{}, err
	}
	return Bits{int(n), b[4:]}.Resize(int(n)).Datum(), nil
}

// fitBit applies the length of bit(n), or the limit of bit varying(n).
func fitBit(d Datum, n int, varying, explicit bool) (Datum, error) {
	v := BitsFrom(d)
	switch {
	case v.N == n || varying && v.N < n:
		return d, nil
	case explicit:
		return v.Resize(n).Datum(), nil
	case varying:
		return Datum{}, pgerr.New(pgerr.StringDataRightTruncation, "bit string too long for type bit varying(%d)", n)
	}
	return Datum{}, pgerr.New(pgerr.StringDataLengthMismatch, "bit string length %d does not match type bit(%d)", v.N, n)
}

var bitOrder = &order{
	compare: func(a, b Datum) int {
		x, y := BitsFrom(a), BitsFrom(b)
		if c := bytes.Compare(x.Bytes, y.Bytes); c != 0 {
			return c
		}
		return cmp.Compare(x.N, y.N)
	},
	hash:    hashBytes,
	keyKind: column.Bytes,
	key: func(d Datum) Datum {
		v := BitsFrom(d)
		return bytesDatum(binary.BigEndian.AppendUint32(keys.AppendBytes(nil, v.Bytes, keys.NotNull), uint32(v.N)))
	},
}
