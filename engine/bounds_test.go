package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine/segment"
)

// TestBaseForFindsTheSegmentOfAKey compares it with a look at every segment,
// for keys that differ early, late and only in their length.
func TestBaseForFindsTheSegmentOfAKey(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	draw := map[string]func() []byte{
		"numbers":      func() []byte { return key(r.IntN(1000)) },
		"long, shared": func() []byte { return fmt.Appendf(nil, "the same for all of them %03d", r.IntN(1000)) },
		"equal chunks": func() []byte { return fmt.Appendf(nil, "%dsame bytes here%d", r.IntN(2), r.IntN(500)) },
		"lengths":      func() []byte { return bytes.Repeat([]byte{byte(r.IntN(2))}, r.IntN(20)) },
	}
	for name, key := range draw {
		for _, n := range []int{0, 1, 2, 3, 7, 40} {
			var ends [][]byte
			for range 2 * n {
				ends = append(ends, key())
			}
			slices.SortFunc(ends, bytes.Compare)
			ends = slices.CompactFunc(ends, bytes.Equal)
			s := &storeState{def: &storeDef{}}
			for i := 0; i+1 < len(ends); i += 2 {
				s.base = append(s.base, &run{info: &segment.Info{MinKey: ends[i], MaxKey: ends[i+1]}})
			}
			s.arrange()
			for _, k := range append(ends, key(), key(), key(), nil, []byte{0xff}) {
				var want *run
				for _, r := range s.base {
					if r.overlaps(k, append(bytes.Clone(k), 0)) {
						want = r
					}
				}
				got := s.baseFor(k)
				if want != nil && got != want || want == nil && got != nil && bytes.Compare(got.info.MinKey, k) <= 0 {
					t.Fatalf("%s, %d segments: key %q", name, len(s.base), k)
				}
			}
		}
	}
}
