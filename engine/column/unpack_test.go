package column

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestUnpackAnyPart unpacks parts of packed numbers of every width, which
// begin and end anywhere, from memory that ends where the numbers do or behind them.
func TestUnpackAnyPart(t *testing.T) {
	for name, mode := range unpackModes() {
		t.Run(name, func(t *testing.T) {
			defer mode()()
			testUnpackAnyPart(t)
		})
	}
}

func testUnpackAnyPart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for w := 1; w <= maxPacked; w++ {
		for range 40 {
			n := 1 + rng.IntN(100)
			vals := make([]uint64, n)
			for i := range vals {
				vals[i] = rng.Uint64() & (1<<w - 1)
			}
			p, base := AppendPacked(nil, vals, w), rng.Uint64()
			behind := bytes.Repeat([]byte{0xff}, rng.IntN(20))
			p = slices.Concat(p, behind)[: len(p) : len(p)+len(behind)]
			lo := rng.IntN(n)
			hi := lo + 1 + rng.IntN(n-lo)
			room := rng.IntN(10)
			dst := make([]int64, hi-lo+room+2)
			end := len(dst) - 2
			dst[end], dst[end+1] = -7, -8
			unpack(dst[:hi-lo:end], p, lo, w, base)
			for i := lo; i < hi; i++ {
				if want := int64(base + vals[i]); dst[i-lo] != want {
					t.Fatalf("width %d: value %d of %d to %d is %d, want %d", w, i, lo, hi, dst[i-lo], want)
				}
			}
			if dst[end] != -7 || dst[end+1] != -8 {
				t.Fatalf("width %d: %d values with room for %d more wrote beyond it", w, hi-lo, room)
			}
		}
	}
}

// TestUnpackAtTheEnd unpacks numbers behind which no memory may be read: the
// next page cannot be.
func TestUnpackAtTheEnd(t *testing.T) {
	page, end, free := guarded(t)
	defer free()
	for name, mode := range unpackModes() {
		t.Run(name, func(t *testing.T) {
			defer mode()()
			for w := 1; w <= maxPacked; w++ {
				for n := 1; n < 40; n++ {
					vals := make([]uint64, n)
					for i := range vals {
						vals[i] = uint64(i*7) & (1<<w - 1)
					}
					packed := AppendPacked(nil, vals, w)
					p := page[end-len(packed) : end : end]
					copy(p, packed)
					dst := make([]int64, n)
					unpack(dst, p, 0, w, 3)
					for i := range dst {
						if dst[i] != int64(3+vals[i]) {
							t.Fatalf("width %d: value %d of %d is %d", w, i, n, dst[i])
						}
					}
				}
			}
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	for _, w := range []int{5, 10, 11, 24, 40} {
		vals := make([]uint64, BatchSize)
		for i := range vals {
			vals[i] = uint64(i) & (1<<w - 1)
		}
		p, dst := AppendPacked(nil, vals, w), make([]int64, BatchSize)
		b.Run(fmt.Sprint(w), func(b *testing.B) {
			for b.Loop() {
				unpack(dst, p, 0, w, 5)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/BatchSize, "ns/value")
		})
	}
}
