package learned

import (
	"encoding/binary"
	"slices"
	"testing"
)

// FuzzModel parses any bytes as a model of any keys: refused, not verified, or right for every key.
func FuzzModel(f *testing.F) {
	for _, step := range []uint64{1, 1000} {
		keys := make([]uint64, 3000)
		var b []byte
		for i := range keys {
			keys[i] = uint64(i) * step * (1 + uint64(i)%7)
		}
		slices.Sort(keys)
		for _, k := range keys[:100] {
			b = binary.LittleEndian.AppendUint64(b, k)
		}
		f.Add(Fit(keys[:100]).Append(nil), b)
	}
	f.Fuzz(func(t *testing.T, model, raw []byte) {
		var keys []uint64
		for ; len(raw) >= 8; raw = raw[8:] {
			keys = append(keys, binary.LittleEndian.Uint64(raw))
		}
		slices.Sort(keys)
		m, err := Parse(model, len(keys))
		if err != nil {
			return
		}
		verified := m.Verify(keys)
		for i, k := range keys {
			lower, upper := m.Predict(k)
			place, lo, up := m.Locate(k)
			if lower < 0 || upper > len(keys) || lo != lower || up != upper || place < 0 || place > len(keys) {
				t.Fatalf("key %d: [%d, %d] and [%d, %d] at %d of %d", k, lower, upper, lo, up, place, len(keys))
			}
			first, _ := slices.BinarySearch(keys, k)
			if verified && (first < lower || first > upper) {
				t.Fatalf("key %d stands at %d (%d), outside of [%d, %d] of a verified model", k, first, i, lower, upper)
			}
		}
	})
}
