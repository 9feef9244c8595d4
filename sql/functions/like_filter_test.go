package functions

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// Filters select what LIKE selects row by row, from rows and from strings side by side.
func TestLikeFilters(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	letters := func(n int) (s []byte) {
		for range n {
			s = append(s, "abä%"[r.IntN(5)])
		}
		return s
	}
	c := &Ctx{Env: testEnv(t)}
	for range 3000 {
		var lane [][]byte
		var heap []byte
		var ends []int64
		for range r.IntN(12) + 1 {
			s := letters(r.IntN(9))
			lane, heap = append(lane, s), append(heap, s...)
			ends = append(ends, int64(len(heap)))
		}
		pattern := letters(r.IntN(6))
		for _, name := range []string{"textlike", "textnlike", "bytealike", "namenlike"} {
			f := NewLikeFilter(name, pattern)
			if f == nil {
				t.Fatalf("%s %q is not simple", name, pattern)
			}
			var want, rows []int32
			for i, s := range lane {
				rows = append(rows, int32(i))
				d, err := likeEvals[name](c, []column.Datum{{B: s}, {B: pattern}})
				if err != nil {
					t.Fatal(err)
				}
				if d.Bool() {
					want = append(want, int32(i))
				}
				if f.Match(s) != d.Bool() {
					t.Fatalf("%q %s %q: %v", s, name, pattern, !d.Bool())
				}
			}
			if got := f.Filter(lane, rows, nil); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%q %s %q: %v, should be %v", lane, name, pattern, got, want)
			}
			if got := f.MatchAll(heap, ends, 0, nil); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%q side by side %s %q: %v, should be %v", lane, name, pattern, got, want)
			}
		}
	}
	for _, pattern := range []string{"a_b", `a\`} {
		if NewLikeFilter("textlike", []byte(pattern)) != nil {
			t.Errorf("%s is taken for a simple pattern", pattern)
		}
	}
}
