package column

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// containing selects strings that have a byte.
type containing byte

func (c containing) Match(s []byte) bool { return bytes.IndexByte(s, byte(c)) >= 0 }

func (c containing) MatchAll(heap []byte, ends []int64, first int32, dst []int32) []int32 {
	start := int64(0)
	for i, end := range ends {
		if c.Match(heap[start:end]) {
			dst = append(dst, first+int32(i))
		}
		start = end
	}
	return dst
}

// Pieces of all forms select the rows that their cells say, and Gather gives
// the cells that Datum gives.
func TestPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	value := map[string]func(i int) Datum{
		"constant number": func(int) Datum { return IntDatum(-7) },
		"packed":          func(int) Datum { return IntDatum(r.Int64N(50) - 20) },
		"wide":            func(int) Datum { return IntDatum(int64(r.Uint64())) },
		"few numbers":     func(int) Datum { return IntDatum([]int64{1 << 60, -3, 12}[r.IntN(3)]) },
		"runs":            func(i int) Datum { return IntDatum(int64(i/200) * 1000) },
		"constant":        func(int) Datum { return StringDatum("xay") },
		"dictionary":      func(int) Datum { return StringDatum(fmt.Sprint("entry ", r.IntN(9))) },
		"large":           func(int) Datum { return StringDatum(fmt.Sprintf("a longer entry %032d", r.IntN(200))) },
		"plain":           func(int) Datum { return StringDatum(fmt.Sprint(r.IntN(1 << r.IntN(40)))) },
		"fixed":           func(int) Datum { return StringDatum(fmt.Sprintf("%08d", r.IntN(1e8))) },
		"no value":        func(int) Datum { return Null() },
	}
	for name, next := range value {
		for _, nulls := range []int{0, 3} {
			v := Vec{Kind: Int}
			if next(0).B != nil || name == "no value" {
				v.Kind = Bytes
			}
			const rows = 700
			for i := range rows {
				if nulls > 0 && r.IntN(nulls) == 0 {
					v.Append(Null())
					continue
				}
				v.Append(next(i))
			}
			var e Encoder
			enc, err := ParseEncoded(e.Append(nil, &v, nil), v.Kind, rows)
			if err != nil {
				t.Fatal(name, err)
			}
			for _, b := range [][2]int{{0, rows}, {0, 1}, {5, 5}, {13, 400}, {256, 699}} {
				checkPiece(t, name, &Piece{Encoded: enc, Lo: b[0], Hi: b[1], At: 17})
			}
		}
	}
}

func checkPiece(t *testing.T, name string, p *Piece) {
	t.Helper()
	compare := func(what string, got []int32, want func(Datum) bool) {
		t.Helper()
		list := []int32{-1}
		for i := p.Lo; i < p.Hi; i++ {
			if d := p.Datum(i); !d.Null && want(d) {
				list = append(list, int32(p.At+i-p.Lo))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(list) {
			t.Fatalf("%s, %s from %d to %d: %v, should be %v", name, what, p.Lo, p.Hi, got, list)
		}
	}
	if p.kind == Bytes {
		for _, c := range "0a8x" {
			compare("a byte", p.Select(containing(c), []int32{-1}), containing(c).wants)
		}
		for _, not := range []bool{false, true} {
			e := &EqualStrings{To: []byte("entry 3"), Not: not}
			compare("equal", p.Select(e, []int32{-1}), func(d Datum) bool { return e.Match(d.B) })
		}
	} else {
		for _, b := range [][2]int64{{-7, 12}, {0, math.MaxInt64}, {math.MinInt64, math.MaxInt64}, {5, 4}, {math.MinInt64, -8}, {2000, 2000}} {
			in := func(d Datum) bool { return b[0] <= d.I && d.I <= b[1] }
			compare("range", p.SelectNumbers(b[0], b[1], false, []int32{-1}), in)
			compare("outside", p.SelectNumbers(b[0], b[1], true, []int32{-1}), func(d Datum) bool { return !in(d) })
		}
	}
	var v Vec
	v.Resize(p.kind, 1000)
	var rows []int32
	for i := p.Lo; i < p.Hi; i += 3 {
		rows = append(rows, int32(p.At+i-p.Lo))
	}
	p.Gather(&v, rows, p.At-p.Lo)
	for _, r := range rows {
		if got, want := v.Datum(int(r)), p.Datum(int(r)-p.At+p.Lo); got.Null != want.Null || !got.Null && (got.I != want.I || string(got.B) != string(want.B)) {
			t.Fatalf("%s: cell %d is %v, should be %v", name, r, got, want)
		}
	}
}

func (c containing) wants(d Datum) bool { return c.Match(d.B) }
