package keys

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

var orders = []Order{0, Desc, NullsFirst, Desc | NullsFirst, NotNull, Desc | NotNull}

// compare is PostgreSQL's order of two values, NULLs placed by o.
func compare(k column.Kind, a, b column.Datum, o Order) int {
	if a.Null || b.Null {
		c := cmp.Compare(b2i(a.Null), b2i(b.Null))
		if o&NullsFirst != 0 {
			c = -c
		}
		return c
	}
	var c int
	switch k {
	case column.Int:
		c = cmp.Compare(a.I, b.I)
	case column.Float:
		x, y := a.Float(), b.Float()
		switch {
		case x != x || y != y:
			c = cmp.Compare(b2i(x != x), b2i(y != y))
		case x < y:
			c = -1
		case x > y:
			c = 1
		}
	default:
		c = bytes.Compare(a.B, b.B)
	}
	if o&Desc != 0 {
		return -c
	}
	return c
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func randomDatum(r *rand.Rand, k column.Kind, nulls bool) column.Datum {
	if nulls && r.IntN(8) == 0 {
		return column.Null()
	}
	switch k {
	case column.Int:
		edges := []int64{0, 1, -1, math.MinInt64, math.MaxInt64, 255, 256, -256}
		if r.IntN(2) == 0 {
			return column.IntDatum(edges[r.IntN(len(edges))])
		}
		return column.IntDatum(int64(r.Uint64() >> r.IntN(64)))
	case column.Float:
		edges := []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.Float64frombits(0xFFF8000000000001)}
		if r.IntN(2) == 0 {
			return column.FloatDatum(edges[r.IntN(len(edges))])
		}
		return column.FloatDatum(math.Float64frombits(r.Uint64()))
	}
	b := make([]byte, r.IntN(6))
	for i := range b {
		b[i] = []byte{0, 1, 2, 0xFE, 0xFF, 'a'}[r.IntN(6)]
	}
	return column.BytesDatum(b)
}

func TestOrderOfCompositeKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := []column.Kind{column.Int, column.Float, column.Bytes}
	for range 20000 {
		n := 1 + r.IntN(3)
		var ka, kb []byte
		want := 0
		for range n {
			k, o := kinds[r.IntN(3)], orders[r.IntN(len(orders))]
			a := randomDatum(r, k, o&NotNull == 0)
			b := randomDatum(r, k, o&NotNull == 0)
			if r.IntN(2) == 0 {
				b = a
			}
			ka, kb = AppendDatum(ka, k, a, o), AppendDatum(kb, k, b, o)
			if want == 0 {
				want = compare(k, a, b, o)
			}
		}
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("compare(%x, %x) = %d, want %d", ka, kb, got, want)
		}
	}
}

func TestDecodeReturnsTheValue(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tail := []byte("tail")
	for range 20000 {
		k := []column.Kind{column.Int, column.Float, column.Bytes}[r.IntN(3)]
		o := orders[r.IntN(len(orders))]
		d := randomDatum(r, k, o&NotNull == 0)
		enc := append(AppendDatum(nil, k, d, o), tail...)
		got, rest, _, err := Decode(enc, k, o, nil)
		if err != nil || !bytes.Equal(rest, tail) || compare(k, d, got, 0) != 0 {
			t.Fatalf("decode %x = %v, %q, %v; want %v", enc, got, rest, err, d)
		}
		if rest, err := Skip(enc, k, o); err != nil || !bytes.Equal(rest, tail) {
			t.Fatalf("skip %x = %q, %v", enc, rest, err)
		}
		for cut := range len(enc) - len(tail) {
			if _, _, _, err := Decode(enc[:cut], k, o, nil); !errors.Is(err, ErrMalformed) {
				t.Fatalf("decode of cut %x: %v", enc[:cut], err)
			}
			if _, err := Skip(enc[:cut], k, o); !errors.Is(err, ErrMalformed) {
				t.Fatalf("skip of cut %x: %v", enc[:cut], err)
			}
		}
	}
}

func TestDecodeRefusesForeignBytes(t *testing.T) {
	for _, c := range []struct {
		src string
		k   column.Kind
		o   Order
	}{
		{"\x00\x00\x00\x00\x00\x00\x00\x00\x00", column.Int, 0},
		{"\x02", column.Int, NullsFirst},
		{"\x07abc\x00\x01", column.Bytes, 0},
		{"\x01a\x00\x02", column.Bytes, 0},
		{"\x7f\xff\xff\xff\xff\xff\xff\xff", column.Float, NotNull}, // -0
		{"\xff\xff\xff\xff\xff\xff\xff\xff", column.Float, NotNull}, // a strange NaN
	} {
		if _, _, _, err := Decode([]byte(c.src), c.k, c.o, nil); !errors.Is(err, ErrMalformed) {
			t.Errorf("decode %x: %v", c.src, err)
		}
	}
	if _, err := Skip([]byte("\x07"), column.Int, 0); !errors.Is(err, ErrMalformed) {
		t.Errorf("skip of a bad tag: %v", err)
	}
	if _, err := Skip([]byte("\x01a\x00\x02"), column.Bytes, 0); !errors.Is(err, ErrMalformed) {
		t.Errorf("skip of a bad escape: %v", err)
	}
}

func TestPrefixEndBoundsThePrefix(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a", "b"}, {"a\xff", "b"}, {"a\xff\xff", "b"}, {"\x00", "\x01"}, {"ab\x00", "ab\x01"},
	} {
		got, ok := PrefixEnd(nil, []byte(c.in))
		if !ok || string(got) != c.want {
			t.Errorf("PrefixEnd(%q) = %q, %v", c.in, got, ok)
		}
	}
	for _, in := range []string{"", "\xff", "\xff\xff"} {
		if _, ok := PrefixEnd(nil, []byte(in)); ok {
			t.Errorf("PrefixEnd(%q) exists", in)
		}
	}
	if got := Successor(nil, []byte("a")); string(got) != "a\x00" {
		t.Errorf("Successor = %q", got)
	}
}

func TestNullInNotNullPartIsABug(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	AppendNull(nil, NotNull)
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 128)
	v := []byte("with\x00zero")
	n := testing.AllocsPerRun(100, func() {
		k := AppendInt(buf[:0], 7, Desc)
		k = AppendFloat(k, 1.5, NullsFirst)
		k = AppendBytes(k, v, 0)
		_ = AppendNull(k, 0)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
