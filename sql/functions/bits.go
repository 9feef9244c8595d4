package functions

import (
	"math/bits"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// bitEvals are the functions of bit and bit varying.
var bitEvals = map[string]EvalFunc{
	"bitlength": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(int64(types.BitsFrom(a[0]).N)) },
	"bitoctetlength": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(int64(types.BitsFrom(a[0]).N+7) / 8)
	},
	"bit_bit_count": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := 0
		for _, b := range types.BitsFrom(a[0]).Bytes {
			n += bits.OnesCount8(b)
		}
		return intResult(int64(n))
	},
	"bit_and": bitwise("AND", func(x, y byte) byte { return x & y }),
	"bit_or":  bitwise("OR", func(x, y byte) byte { return x | y }),
	"bitxor":  bitwise("XOR", func(x, y byte) byte { return x ^ y }),
	"bitnot": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v := types.BitsFrom(a[0])
		out := types.NewBits(v.N)
		for i := range v.N {
			if !v.Bit(i) {
				out.Set(i)
			}
		}
		return out.Datum(), nil
	},
	"bitcat": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return joinBits(types.BitsFrom(a[0]), types.BitsFrom(a[1])), nil
	},
	"bitshiftleft":  func(_ *Ctx, a []column.Datum) (column.Datum, error) { return shiftBits(a[0], a[1].I), nil },
	"bitshiftright": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return shiftBits(a[0], -a[1].I), nil },
	"bitsubstr": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if a[2].I < 0 {
			return column.Datum{}, pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
		}
		return cutBits(types.BitsFrom(a[0]), a[1].I, a[2].I).Datum(), nil
	},
	"bitsubstr_no_len": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return cutBits(types.BitsFrom(a[0]), a[1].I, toTheEnd).Datum(), nil
	},
	"bitoverlay": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return overlayBits(a, a[3].I) },
	"bitoverlay_no_len": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return overlayBits(a, int64(types.BitsFrom(a[1]).N))
	},
	"bitposition": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		s, sub := types.BitsFrom(a[0]), types.BitsFrom(a[1])
		for at := 0; at+sub.N <= s.N && s.N > 0; at++ {
			k := 0
			for k < sub.N && s.Bit(at+k) == sub.Bit(k) {
				k++
			}
			if k == sub.N {
				return intResult(int64(at) + 1)
			}
		}
		return intResult(0)
	},
	"bitgetbit": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v := types.BitsFrom(a[0])
		if err := checkBitIndex(a[1].I, v.N); err != nil {
			return column.Datum{}, err
		}
		return intResult(b2i(v.Bit(int(a[1].I))))
	},
	"bitsetbit": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		v := types.BitsFrom(a[0]).Resize(types.BitsFrom(a[0]).N)
		if err := checkBitIndex(a[1].I, v.N); err != nil {
			return column.Datum{}, err
		}
		if a[2].I != 0 && a[2].I != 1 {
			return column.Datum{}, pgerr.New(pgerr.InvalidParameterValue, "new bit must be 0 or 1")
		}
		i := int(a[1].I)
		v.Bytes[i>>3] &^= 0x80 >> (i & 7)
		if a[2].I == 1 {
			v.Set(i)
		}
		return v.Datum(), nil
	},
	"bitfromint4": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bitsFromInt(a[0].I, a[1].I, 32), nil },
	"bitfromint8": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bitsFromInt(a[0].I, a[1].I, 64), nil },
	"bittoint4":   func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bitsToInt(a[0], 32, "integer") },
	"bittoint8":   func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bitsToInt(a[0], 64, "bigint") },
}

func bitwise(name string, op func(x, y byte) byte) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		x, y := types.BitsFrom(a[0]), types.BitsFrom(a[1])
		if x.N != y.N {
			return column.Datum{}, pgerr.New(pgerr.StringDataLengthMismatch, "cannot %s bit strings of different sizes", name)
		}
		out := types.NewBits(x.N)
		for i := range out.Bytes {
			out.Bytes[i] = op(x.Bytes[i], y.Bytes[i])
		}
		return out.Datum(), nil
	}
}

func joinBits(parts ...types.Bits) column.Datum {
	n := 0
	for _, p := range parts {
		n += p.N
	}
	out, at := types.NewBits(n), 0
	for _, p := range parts {
		for i := range p.N {
			if p.Bit(i) {
				out.Set(at + i)
			}
		}
		at += p.N
	}
	return out.Datum()
}

// shiftBits shifts left by n, right when n is negative; the length stays.
func shiftBits(d column.Datum, n int64) column.Datum {
	v := types.BitsFrom(d)
	out := types.NewBits(v.N)
	for i := range v.N {
		if from := int64(i) + n; from >= 0 && from < int64(v.N) && v.Bit(int(from)) {
			out.Set(i)
		}
	}
	return out.Datum()
}

// cutBits returns length bits from position start, counted from 1.
func cutBits(v types.Bits, start, length int64) types.Bits {
	end := min(start+length, int64(v.N)+1)
	start = max(start, 1)
	if end <= start {
		return types.NewBits(0)
	}
	out := types.NewBits(int(end - start))
	for i := range out.N {
		if v.Bit(int(start) - 1 + i) {
			out.Set(i)
		}
	}
	return out
}

func overlayBits(a []column.Datum, length int64) (column.Datum, error) {
	if a[2].I <= 0 {
		return column.Datum{}, pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	if a[2].I+length > 1<<31-1 {
		return column.Datum{}, width(4).outOfRange()
	}
	v := types.BitsFrom(a[0])
	return joinBits(cutBits(v, 1, a[2].I-1), types.BitsFrom(a[1]), cutBits(v, a[2].I+length, toTheEnd)), nil
}

func checkBitIndex(i int64, n int) error {
	if i < 0 || i >= int64(n) {
		return pgerr.New(pgerr.ArraySubscriptError, "bit index %d out of valid range (0..%d)", i, n-1)
	}
	return nil
}

// bitsFromInt keeps the lowest bits, extending the sign.
func bitsFromInt(v, length int64, size int) column.Datum {
	if length <= 0 || length > types.MaxBitLength {
		length = 1
	}
	out := types.NewBits(int(length))
	for i := range out.N {
		place := out.N - 1 - i // from the lowest bit
		if v>>min(place, size-1)&1 != 0 {
			out.Set(i)
		}
	}
	return out.Datum()
}

func bitsToInt(d column.Datum, size int, name string) (column.Datum, error) {
	v := types.BitsFrom(d)
	if v.N > size {
		return column.Datum{}, pgerr.New(pgerr.NumericValueOutOfRange, "%s out of range", name)
	}
	var out uint64
	for i := range v.N {
		out = out<<1 | uint64(b2i(v.Bit(i)))
	}
	if size == 32 {
		return intResult(int64(int32(out)))
	}
	return intResult(int64(out))
}

// bitAggs fold bit strings.
var bitAggs = map[string]func(c *Ctx) AggState{
	"bit_and(bit)": byRow(func(*Ctx) rowState { return &bitFold{op: bitEvals["bit_and"]} }),
	"bit_or(bit)":  byRow(func(*Ctx) rowState { return &bitFold{op: bitEvals["bit_or"]} }),
	"bit_xor(bit)": byRow(func(*Ctx) rowState { return &bitFold{op: bitEvals["bitxor"]} }),
}

type bitFold struct {
	op     EvalFunc
	value  column.Datum
	filled bool
}

func (s *bitFold) add(c *Ctx, a []column.Datum) (err error) {
	switch {
	case a[0].Null:
	case !s.filled:
		s.value, s.filled = a[0].Clone(), true
	default:
		s.value, err = s.op(c, []column.Datum{s.value, a[0]})
	}
	return err
}

func (s *bitFold) combine(c *Ctx, other rowState) error {
	if o := other.(*bitFold); o.filled {
		return s.add(c, []column.Datum{o.value})
	}
	return nil
}

func (s *bitFold) result(*Ctx, []column.Datum) (column.Datum, error) {
	return column.Datum{B: s.value.B, Null: !s.filled}, nil
}

func (s *bitFold) size() int64 { return int64(64 + len(s.value.B)) }
