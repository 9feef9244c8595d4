package column

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// shapes make columns that lead the encoder to each of its forms.
var shapes = []struct {
	name string
	form int
	kind Kind
	gen  func(r *rand.Rand, i int) Datum
}{
	{"all null", formAllNull, Int, func(*rand.Rand, int) Datum { return Null() }},
	{"all null bytes", formAllNull, Bytes, func(*rand.Rand, int) Datum { return Null() }},
	{"constant int", formConstant, Int, func(*rand.Rand, int) Datum { return IntDatum(-42) }},
	{"constant float", formConstant, Float, func(*rand.Rand, int) Datum { return FloatDatum(math.Pi) }},
	{"constant bytes", formConstant, Bytes, func(*rand.Rand, int) Datum { return StringDatum("same") }},
	{"growing", formPacked, Int, func(_ *rand.Rand, i int) Datum { return IntDatum(1e15 + int64(i)*3) }},
	{"full range", formPacked, Int, func(r *rand.Rand, _ int) Datum { return IntDatum(int64(r.Uint64())) }},
	{"few far values", formDict, Int, func(r *rand.Rand, _ int) Datum {
		return IntDatum([]int64{math.MinInt64, 0, math.MaxInt64}[r.IntN(3)])
	}},
	{"long runs", formRuns, Int, func(_ *rand.Rand, i int) Datum { return IntDatum(int64(i/100) * 1e12) }},
	{"random floats", formPacked, Float, func(r *rand.Rand, _ int) Datum { return FloatDatum(r.NormFloat64()) }},
	{"prices", formScaled, Float, func(r *rand.Rand, _ int) Datum { return FloatDatum(float64(r.IntN(100000)) / 100) }},
	{"special floats", formDict, Float, func(r *rand.Rand, _ int) Datum {
		return FloatDatum([]float64{math.NaN(), math.Inf(-1), math.Copysign(0, -1), 1e300}[r.IntN(4)])
	}},
	{"few words", formDict, Bytes, func(r *rand.Rand, _ int) Datum { return StringDatum([]string{"", "red", "green"}[r.IntN(3)]) }},
	{"texts", formPlain, Bytes, func(r *rand.Rand, i int) Datum {
		return StringDatum(fmt.Sprintf("%d %x", i, bytes.Repeat([]byte{byte(i)}, r.IntN(20))))
	}},
	{"uuids", formFixed, Bytes, func(r *rand.Rand, _ int) Datum {
		return StringDatum(fmt.Sprintf("%016x", r.Uint64()))
	}},
}

func same(k Kind, a, b Datum) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if k == Bytes {
		return bytes.Equal(a.B, b.B)
	}
	return a.I == b.I
}

func TestEncodedColumnsReturnEveryCell(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var e Encoder
	for _, s := range shapes {
		for _, rows := range []int{1, 2, 7, 8, 9, 63, 64, 65, 500, 1024} {
			for _, nulls := range []bool{false, true} {
				var v Vec
				var marks Bitmap
				v.Reset(s.kind)
				for i := range rows {
					d := s.gen(r, i)
					if nulls && r.IntN(4) == 0 {
						d = Null()
					}
					v.Append(d)
					if nulls && r.IntN(5) == 0 {
						marks.Set(i)
					}
				}
				b := e.Append([]byte("x"), &v, marks)[1:]
				if rows == 1024 && !nulls && int(b[0]) != s.form {
					t.Errorf("%s: form %d, want %d", s.name, b[0], s.form)
				}
				c, err := ParseEncoded(b, s.kind, rows)
				if err == nil {
					err = c.Check()
				}
				if err != nil || c.Rows() != rows || c.HasMarks() != marks.Any() {
					t.Fatalf("%s/%d: parse: %v", s.name, rows, err)
				}
				for i := range rows {
					if got := c.Datum(i); !same(s.kind, got, v.Datum(i)) || c.Marked(i) != marks.Get(i) {
						t.Fatalf("%s/%d: cell %d is %v, want %v", s.name, rows, i, got, v.Datum(i))
					}
				}
				lo := r.IntN(rows)
				hi := lo + r.IntN(rows-lo) + 1
				checkDecode(t, &c, &v, 0, rows)
				checkDecode(t, &c, &v, lo, hi)
			}
		}
	}
}

func checkDecode(t *testing.T, c *Encoded, v *Vec, lo, hi int) {
	t.Helper()
	var got Vec
	got.Reset(v.Kind)
	got.Append(Null())
	c.Decode(&got, lo, lo)
	c.Decode(&got, lo, hi)
	if got.Len() != 1+hi-lo {
		t.Fatalf("decoded %d rows, want %d", got.Len()-1, hi-lo)
	}
	for i := lo; i < hi; i++ {
		if !same(v.Kind, got.Datum(1+i-lo), v.Datum(i)) {
			t.Fatalf("decoded row %d is %v, want %v", i, got.Datum(1+i-lo), v.Datum(i))
		}
	}
}

func TestPackingAtEveryWidth(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for w := 0; w <= 64; w++ {
		limit := uint64(math.MaxUint64)
		if w < 64 {
			limit = 1<<uint(w) - 1
		}
		pw := PackedWidth(limit)
		vals := make([]uint64, 100)
		for i := range vals {
			vals[i] = r.Uint64() & limit
		}
		p := AppendPacked(nil, vals, pw)
		if len(p) != PackedSize(len(vals), pw) {
			t.Fatalf("width %d: %d bytes, want %d", w, len(p), PackedSize(len(vals), pw))
		}
		for lo := range 20 {
			out := make([]int64, len(vals)-lo)
			unpack(out, p, lo, pw, 5)
			for i, x := range out {
				if uint64(x) != vals[lo+i]+5 || PackedAt(p, lo+i, pw) != vals[lo+i] {
					t.Fatalf("width %d from %d: value %d", w, lo, lo+i)
				}
			}
		}
	}
}

// FuzzParseEncoded: whatever the bytes are, parsing and checking returns an
// error or a column whose cells can be read.
func FuzzParseEncoded(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 9))
	var e Encoder
	for _, s := range shapes {
		var v Vec
		v.Reset(s.kind)
		for i := range 20 {
			v.Append(s.gen(r, i))
		}
		f.Add(e.Append(nil, &v, nil), byte(s.kind), uint16(20))
	}
	f.Fuzz(func(t *testing.T, b []byte, kind byte, rows uint16) {
		readAll(t, b, Kind(kind%3+1), int(rows))
	})
}

func readAll(t *testing.T, b []byte, kind Kind, rows int) {
	c, err := ParseEncoded(b, kind, rows)
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		if !errors.Is(err, ErrEncoding) {
			t.Fatalf("error of another class: %v", err)
		}
		return
	}
	var v Vec
	v.Reset(kind)
	c.Decode(&v, 0, rows)
	for i := range rows {
		if !same(kind, c.Datum(i), v.Datum(i)) {
			t.Fatalf("cell %d differs from decoded row", i)
		}
	}
}

func TestDamagedEncodingsNeverPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 11))
	var e Encoder
	for _, s := range shapes {
		var v Vec
		v.Reset(s.kind)
		for i := range 200 {
			v.Append(s.gen(r, i))
		}
		b := e.Append(nil, &v, nil)
		for range 300 {
			d := bytes.Clone(b)
			for range 1 + r.IntN(3) {
				d[r.IntN(min(len(d), 40))] = byte(r.Uint32())
			}
			readAll(t, d[:len(d)-r.IntN(2)*r.IntN(len(d))], s.kind, 200)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var e Encoder
	for _, s := range shapes {
		var v Vec
		v.Reset(s.kind)
		for i := range 1024 {
			v.Append(s.gen(r, i))
		}
		c, err := ParseEncoded(e.Append(nil, &v, nil), s.kind, 1024)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				v.Reset(s.kind)
				c.Decode(&v, 0, 1024)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/row")
		})
	}
}

// TestDictionaryOfUnscalableFloats has floats of which only some can be scaled: what was tried with them
// is not left behind in the dictionary's codes.
func TestDictionaryOfUnscalableFloats(t *testing.T) {
	var v Vec
	v.Reset(Float)
	for i := range 100 {
		v.Append(FloatDatum([]float64{5, 1.23456789012345, 7e9}[i%3]))
	}
	var e Encoder
	c, err := ParseEncoded(e.Append(nil, &v, nil), Float, 100)
	if err != nil || c.Check() != nil {
		t.Fatal(err, c.Check())
	}
	for i := range 100 {
		if got := c.Datum(i).Float(); got != v.F[i] {
			t.Errorf("row %d: %v, want %v", i, got, v.F[i])
		}
	}
}
