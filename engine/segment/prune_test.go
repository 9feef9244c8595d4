package segment

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestPruneAsksForTheKeys leaves out, or keeps, each extent at random: what a
// scan does not yield has a key in a range that was said not to be needed.
func TestPruneAsksForTheKeys(t *testing.T) {
	forEachSegment(t, 6000, func(t *testing.T, s shape, vs []version, r *Reader) {
		rng := rand.New(rand.NewPCG(3, 4))
		for range 8 {
			o := IterOptions{Snapshot: snapshots[rng.IntN(len(snapshots))], Cols: allColumns(len(s.kinds)), Keys: true, Reverse: rng.IntN(2) == 0}
			if rng.IntN(2) == 0 {
				o.Lower, o.Upper = vs[rng.IntN(len(vs))].key, vs[rng.IntN(len(vs))].key
				if bytes.Compare(o.Lower, o.Upper) > 0 {
					o.Lower, o.Upper = o.Upper, o.Lower
				}
			}
			all := scan(t, r, o)
			var out [][2][]byte
			o.Prune = func([]Zone) bool { return true }
			o.Needed = func(lower, upper []byte) bool {
				if o.Lower != nil && (bytes.Compare(lower, o.Lower) < 0 || bytes.Compare(upper, o.Upper) > 0) {
					t.Fatalf("asked for %x to %x, beyond the bounds %x to %x", lower, upper, o.Lower, o.Upper)
				}
				if rng.IntN(2) == 0 {
					return true
				}
				out = append(out, [2][]byte{bytes.Clone(lower), bytes.Clone(upper)})
				return false
			}
			got := scan(t, r, o)
			for _, v := range all {
				if len(got) > 0 && bytes.Equal(got[0].key, v.key) {
					got = got[1:]
					continue
				}
				left := false
				for _, x := range out {
					left = left || bytes.Compare(x[0], v.key) <= 0 && bytes.Compare(v.key, x[1]) < 0
				}
				if !left {
					t.Fatalf("key %x was left out, and not asked for", v.key)
				}
			}
			if len(got) > 0 {
				t.Fatalf("key %x comes from nowhere", got[0].key)
			}
		}
	})
}

// TestWanted looks for extents in ranges of keys that have some, and have none.
func TestWanted(t *testing.T) {
	forEachSegment(t, 6000, func(t *testing.T, _ shape, vs []version, r *Reader) {
		rng := rand.New(rand.NewPCG(5, 6))
		never, always := func([]Zone) bool { return false }, func([]Zone) bool { return true }
		for range 200 {
			key := vs[rng.IntN(len(vs))].key
			budget := 2
			if !r.Wanted(key, append(bytes.Clone(key), 0), never, &budget) {
				t.Fatalf("no extent may have key %x", key)
			}
		}
		info := r.Info()
		if len(info.Schema.Columns) == 0 {
			return // without zones the answer is always the same
		}
		budget := 1000
		if r.Wanted(append(bytes.Clone(info.MaxKey), 0), append(bytes.Clone(info.MaxKey), 1), never, &budget) || r.Wanted(nil, info.MinKey, never, &budget) || budget != 1000 {
			t.Error("keys outside of the segment are looked for")
		}
		budget = r.Extents() - 1
		if end := append(bytes.Clone(info.MaxKey), 0); r.Extents() > 1 && !r.Wanted(info.MinKey, end, always, &budget) {
			t.Error("an answer that nobody asked the zones about")
		}
	})
}
