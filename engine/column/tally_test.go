package column

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestTallyCountsEveryValue compares the counts of a vector, whatever the form that
// it was encoded in, with those of a map.
func TestTallyCountsEveryValue(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var e Encoder
	forms := map[int]bool{}
	for round := range 600 {
		kind := []Kind{Int, Float, Bytes}[round%3]
		rows, different := 1+rnd.IntN(1024), 1+rnd.IntN([]int{1, 3, 40, 300, 5000}[rnd.IntN(5)])
		step, length, nulls := []int64{1, 1000, 1 << 40}[rnd.IntN(3)], rnd.IntN(12), []int{0, 1, 3, 50}[rnd.IntN(4)]
		sorted := rnd.IntN(3) == 0
		var v Vec
		v.Reset(kind)
		want := map[string]int{}
		for i := range rows {
			x := rnd.IntN(different)
			if sorted {
				x = i * different / rows
			}
			d := IntDatum(int64(x) * step)
			switch {
			case nulls > 0 && rnd.IntN(nulls) == 0:
				d = Null()
			case kind == Float && step > 1:
				d = FloatDatum(float64(x) * 1.2345678901)
			case kind == Float:
				d = FloatDatum(float64(x) / 100)
			case kind == Bytes:
				d = StringDatum(fmt.Sprintf("%0*d", length, x))
			}
			v.Append(d)
			if !d.Null {
				want[fmt.Sprint(d.I, d.B)]++
			}
		}
		e.Append(nil, &v, nil)
		forms[e.form] = true
		limit := e.Distinct()
		if limit >= 0 && limit < len(want) {
			t.Fatalf("%d values of at most %d", len(want), limit)
		}
		got := map[string]int{}
		counts := e.Tally(&v, nil)
		for _, c := range counts {
			d := v.Datum(int(c.Row))
			got[fmt.Sprint(d.I, d.B)] += int(c.N)
		}
		if len(got) != len(want) || limit < 0 && len(counts) != len(want) {
			t.Fatalf("round %d, form %d: %d values in %d counts, want %d", round, e.form, len(got), len(counts), len(want))
		}
		for s, n := range want {
			if got[s] != n {
				t.Fatalf("round %d, form %d: %q: %d, want %d", round, e.form, s, got[s], n)
			}
		}
	}
	if len(forms) != 8 {
		t.Errorf("forms seen: %v", forms)
	}
}
