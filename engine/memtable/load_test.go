package memtable

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// loadKeys are generators of keys with different troubles for the sort.
var loadKeys = map[string]func(rng *rand.Rand, i int) []byte{
	"ascending": func(_ *rand.Rand, i int) []byte { return fmt.Appendf(nil, "k%09d", i) },
	"random": func(rng *rand.Rand, _ int) []byte {
		k := []byte{7, 0, 0, 0, 0, 0, 0, 0, 0}
		for i := range k[1:] {
			k[1+i] = byte(rng.Uint32())
		}
		return k
	},
	"long common prefix": func(rng *rand.Rand, _ int) []byte {
		return fmt.Appendf(nil, "a text that begins alike %06d", rng.IntN(1_000_000))
	},
	"few keys": func(rng *rand.Rand, _ int) []byte { return fmt.Appendf(nil, "key%d", rng.IntN(20)) },
	"prefixes of each other": func(rng *rand.Rand, _ int) []byte {
		return append([]byte{3}, make([]byte, rng.IntN(40))...)
	},
	"all kinds": func(rng *rand.Rand, _ int) []byte {
		k := make([]byte, rng.IntN(30))
		for i := range k {
			k[i] = "\x00\x01\xff"[rng.IntN(3)]
		}
		return k
	},
	"one more, then less": func(rng *rand.Rand, i int) []byte { return fmt.Appendf(nil, "%08d", i/2+rng.IntN(3)) },
}

// TestLoadedTableEqualsOneThatGrew puts the same versions into a table that is
// loaded and into one that is not, then goes on with both.
func TestLoadedTableEqualsOneThatGrew(t *testing.T) {
	for name, key := range loadKeys {
		for _, n := range []int{0, 1, 2, 50, 70, 1000, 5000} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(n), 9))
				loaded, grown := New(), New()
				loaded.BeginLoad()
				ts := uint64(0)
				put := func(n int) {
					for i := range n {
						k := key(rng, i)
						flags := Flags(rng.IntN(3))
						if ts++; i%3 == 0 {
							ts += 7
						}
						data := fmt.Appendf(nil, "data %d", ts)
						loaded.Put(k, ts, flags, data)
						grown.Put(k, ts, flags, data)
					}
				}
				put(n)
				loaded.EndLoad()
				loaded.EndLoad() // does nothing
				same(t, loaded, grown)
				put(300)
				same(t, loaded, grown)
			})
		}
	}
}

// same compares keys, versions and figures of two tables.
func same(t *testing.T, a, b *Table) {
	t.Helper()
	aAll, aDead := a.Versions()
	bAll, bDead := b.Versions()
	if a.Keys() != b.Keys() || aAll != bAll || aDead != bDead || a.Empty() != b.Empty() {
		t.Fatalf("%d keys, %d versions, %d tombstones; want %d, %d, %d", a.Keys(), aAll, aDead, b.Keys(), bAll, bDead)
	}
	aMin, aMax := a.Bounds()
	bMin, bMax := b.Bounds()
	if aMin != bMin || aMax != bMax {
		t.Fatalf("timestamps from %d to %d, want %d to %d", aMin, aMax, bMin, bMax)
	}
	for _, reverse := range []bool{false, true} {
		var ca, cb Cursor
		ca.Init(a, nil, nil, reverse)
		cb.Init(b, nil, nil, reverse)
		for cb.Next() {
			if !ca.Next() || !bytes.Equal(ca.Key(), cb.Key()) {
				t.Fatalf("key %q is missing", cb.Key())
			}
			var va, vb []string
			collect := func(to *[]string) func(Version) error {
				return func(v Version) error {
					*to = append(*to, fmt.Sprint(v.TS, v.Flags, string(v.Data)))
					return nil
				}
			}
			_ = ca.Versions(collect(&va)) // collect never fails
			_ = cb.Versions(collect(&vb))
			if fmt.Sprint(va) != fmt.Sprint(vb) {
				t.Fatalf("key %q has versions %v, want %v", cb.Key(), va, vb)
			}
			if v, ok := a.Get(cb.Key(), math.MaxUint64); !ok || fmt.Sprint(v.TS, v.Flags, string(v.Data)) != vb[0] {
				t.Fatalf("key %q reads %v, want %v", cb.Key(), v, vb[0])
			}
		}
		if ca.Next() {
			t.Fatalf("key %q is too much", ca.Key())
		}
	}
}

// BenchmarkLoad loads random keys and, to compare, grows a table by them.
func BenchmarkLoad(b *testing.B) {
	for _, load := range []bool{true, false} {
		b.Run(fmt.Sprintf("load=%v", load), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			const n = 300_000
			keys := make([][]byte, n)
			for i := range keys {
				keys[i] = loadKeys["random"](rng, i)
			}
			data := make([]byte, 20)
			b.ResetTimer()
			for range b.N {
				t := New()
				if load {
					t.BeginLoad()
				}
				for i, k := range keys {
					t.Put(k, uint64(i), 0, data)
				}
				t.EndLoad()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/key")
		})
	}
}
