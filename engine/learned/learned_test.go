package learned

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

const testKeys = 20000

// distributions are the shapes of keys that a table can have.
var distributions = []struct {
	name string
	gen  func(r *rand.Rand) []uint64
}{
	{"dense", each(func(_ *rand.Rand, i int) uint64 { return 1000 + uint64(i) })},
	{"strided", each(func(_ *rand.Rand, i int) uint64 { return uint64(i) * 4096 })},
	{"time series", func(r *rand.Rand) []uint64 {
		t, keys := uint64(1.7e15), make([]uint64, testKeys)
		for i := range keys {
			t += 1000 + r.Uint64N(200)
			if r.IntN(2000) == 0 {
				t += r.Uint64N(1e10) // a gap
			}
			keys[i] = t
		}
		return keys
	}},
	{"uniform", each(func(r *rand.Rand, _ int) uint64 { return r.Uint64() })},
	{"lognormal", each(func(r *rand.Rand, _ int) uint64 { return uint64(math.Exp(r.NormFloat64()*2) * 1e9) })},
	{"zipf gaps", func(r *rand.Rand) []uint64 {
		z := rand.NewZipf(r, 1.2, 1, 1<<40)
		x, keys := uint64(0), make([]uint64, testKeys)
		for i := range keys {
			x += 1 + z.Uint64()
			keys[i] = x
		}
		return keys
	}},
	{"clusters", func(r *rand.Rand) []uint64 {
		keys := make([]uint64, 0, testKeys)
		for len(keys) < testKeys {
			c := r.Uint64()
			for range 1 + r.IntN(50) {
				cc := c + r.Uint64N(1<<(8*(1+r.UintN(5))))
				for range 1 + r.IntN(20) {
					keys = append(keys, cc+r.Uint64N(256))
				}
			}
		}
		return keys
	}},
	{"far outliers", each(func(r *rand.Rand, i int) uint64 {
		switch i {
		case 0:
			return math.MaxUint64
		case 1:
			return 0
		case 2:
			return math.MaxUint64 / 3
		}
		return 1<<62 + r.Uint64N(1<<20)
	})},
	{"signed extremes", each(func(r *rand.Rand, i int) uint64 { return uint64(int64(r.Uint64()>>r.UintN(64))) ^ 1<<63 })},
	{"around 2^53", each(func(r *rand.Rand, i int) uint64 { return 1<<53 - 1 + uint64(i)%3 + uint64(i/3)*3 })},
	{"all equal", each(func(*rand.Rand, int) uint64 { return 77 })},
	{"all greatest", each(func(*rand.Rand, int) uint64 { return math.MaxUint64 })},
	{"duplicates", each(func(r *rand.Rand, _ int) uint64 { return r.Uint64N(300) * 1e6 })},
	{"two values", each(func(r *rand.Rand, i int) uint64 { return []uint64{5, math.MaxUint64 - 5}[i&1] })},
	{"uuids", each(func(r *rand.Rand, _ int) uint64 {
		return Chunk(fmt.Appendf(nil, "%08x-%04x", r.Uint32(), r.Uint32N(1<<16)))
	})},
	{"urls", each(func(r *rand.Rand, _ int) uint64 {
		return Chunk(fmt.Appendf(nil, "%s/%d", []string{"shop", "shop/cart", "news", "img"}[r.IntN(4)], r.IntN(1e6)))
	})},
	{"decimals in text", each(func(_ *rand.Rand, i int) uint64 { return Chunk(fmt.Appendf(nil, "%08d", i*37)) })},
	{"composite keys", func(r *rand.Rand) []uint64 { // of a tenant and a number: chunks behind what all share
		list := make([][]byte, testKeys)
		for i := range list {
			list[i] = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32([]byte("tenant"), 7000+r.Uint32N(40)), uint64(r.IntN(1e6)))
		}
		slices.SortFunc(list, bytes.Compare)
		n, keys := CommonPrefix(list[0], list[len(list)-1]), make([]uint64, len(list))
		for i, k := range list {
			keys[i] = Chunk(k[n:])
		}
		return keys
	}},
	{"few", func(*rand.Rand) []uint64 { return []uint64{3, 9, 9, 12} }},
	{"one", func(*rand.Rand) []uint64 { return []uint64{42} }},
	{"none", func(*rand.Rand) []uint64 { return nil }},
}

func each(f func(r *rand.Rand, i int) uint64) func(*rand.Rand) []uint64 {
	return func(r *rand.Rand) []uint64 {
		keys := make([]uint64, testKeys)
		for i := range keys {
			keys[i] = f(r, i)
		}
		return keys
	}
}

// probes are keys, their neighbours and other misses.
func probes(r *rand.Rand, keys []uint64) []uint64 {
	p := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 63}
	for i, k := range keys {
		p = append(p, k, k-1, k+1, r.Uint64())
		if i > 0 {
			p = append(p, keys[i-1]+(k-keys[i-1])/2)
		}
	}
	return p
}

func checkBounds(t *testing.T, m *Model, keys, probes []uint64) {
	t.Helper()
	lower, upper := make([]int, len(probes)), make([]int, len(probes))
	m.PredictBatch(probes, lower, upper)
	for i, p := range probes {
		place, _ := slices.BinarySearch(keys, p)
		lo, hi := m.Predict(p)
		if place < lo || place > hi || lo < 0 || hi > len(keys) {
			t.Fatalf("key %d stands at %d, predicted %d to %d", p, place, lo, hi)
		}
		if lo != lower[i] || hi != upper[i] {
			t.Fatalf("key %d: batch predicts %d to %d, single %d to %d", p, lower[i], upper[i], lo, hi)
		}
	}
}

func TestBoundsHoldForKeysAndMisses(t *testing.T) {
	for _, d := range distributions {
		t.Run(d.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 12))
			keys := d.gen(r)
			slices.Sort(keys)
			m := Fit(keys)
			p := probes(r, keys)
			checkBounds(t, m, keys, p)
			rows := FitRows(keys, len(keys)/indexShare)
			checkBounds(t, rows, keys, p)
			if rows.Bytes() > len(keys)/indexShare {
				t.Errorf("%d bytes for %d rows", rows.Bytes(), len(keys))
			}
			if !m.Verify(keys) {
				t.Error("Verify refuses the model of its own keys")
			}
			c, err := Parse(m.Append(nil), len(keys))
			if err != nil {
				t.Fatal(err)
			}
			checkBounds(t, c, keys, p)
			if c.Bytes() != m.Bytes() || c.MaxError() != m.MaxError() || c.Keys() != len(keys) || !c.Verify(keys) {
				t.Error("the parsed model is another one")
			}
			t.Logf("%s, %d keys, error %d, %d bytes", m.Kind(), len(keys), m.MaxError(), m.Bytes())
		})
	}
}

func TestSmoothKeysGetASplineAndHopelessOnesDoNot(t *testing.T) {
	for name, want := range map[string]Kind{"dense": Spline, "strided": Spline, "time series": Spline, "uniform": Spline, "far outliers": Spline,
		"all equal": Spline, "two values": Spline, "all greatest": BinarySearch, "few": BinarySearch, "none": BinarySearch} {
		for _, d := range distributions {
			if d.name != name {
				continue
			}
			keys := d.gen(rand.New(rand.NewPCG(1, 1)))
			slices.Sort(keys)
			if m := Fit(keys); m.Kind() != want {
				t.Errorf("%s: %s, want %s", name, m.Kind(), want)
			} else if m.Kind() == Spline && (m.Bytes() > 2*len(keys) || m.Bytes() == 0) {
				t.Errorf("%s: %d bytes", name, m.Bytes())
			} else if m.Kind() == BinarySearch && (m.Bytes() != 0 || m.MaxError() != 0) {
				t.Errorf("%s: no model, but %d bytes and error %d", name, m.Bytes(), m.MaxError())
			}
		}
	}
}

// TestKeysInAnotherOrder: a model promises nothing of keys that do not ascend but the bounds of the array.
func TestKeysInAnotherOrder(t *testing.T) {
	for _, d := range distributions {
		r := rand.New(rand.NewPCG(31, 32))
		keys := d.gen(r)
		slices.Sort(keys)
		sorted := slices.Clone(keys)
		for _, change := range []func(){
			func() { slices.Reverse(keys) },
			func() { r.Shuffle(len(keys), func(i, k int) { keys[i], keys[k] = keys[k], keys[i] }) },
			func() { copy(keys, sorted); slices.Reverse(keys[len(keys)/2:]) },
		} {
			change()
			if slices.IsSorted(keys) {
				continue
			}
			for _, m := range []*Model{Fit(keys), FitRows(keys, len(keys)/indexShare)} {
				if m.Kind() != BinarySearch || m.Keys() != len(keys) {
					t.Errorf("%s: %s of %d keys", d.name, m.Kind(), m.Keys())
				}
				checkBounds(t, m, sorted, []uint64{0, sorted[0], sorted[len(sorted)/2], math.MaxUint64})
			}
			for _, k := range keys[:3] {
				if at := NewIndex(keys).Find(k); at < 0 || at > len(keys) {
					t.Errorf("%s: found at %d of %d", d.name, at, len(keys))
				}
			}
		}
	}
}

// TestLargeModels: predictions of a batch are those of each key where a model
// does not fit into the cache and some of its cells are crowded.
func TestLargeModels(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	keys := make([]uint64, 1_500_000)
	for i := range keys {
		keys[i] = r.Uint64() >> (i % 4 * 10)
	}
	slices.Sort(keys)
	m := fit(keys, 4, 2*len(keys))
	if m == nil || m.Bytes() <= touchedBytes || len(m.table.subs) == 0 {
		t.Fatal("the model is small, or no cell is crowded")
	}
	checkBounds(t, m, keys, probes(r, keys[:20000]))
}

func TestVerifyFindsAModelOfOtherKeys(t *testing.T) {
	keys := distributions[0].gen(nil)
	m := Fit(keys)
	other := slices.Clone(keys)
	for i := range other {
		other[i] += uint64(i * i)
	}
	if m.Verify(other) || m.Verify(keys[1:]) {
		t.Error("the bounds of other keys were accepted")
	}
}

func TestParseRefusesDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	keys := each(func(r *rand.Rand, _ int) uint64 { return r.Uint64() })(r)
	slices.Sort(keys)
	good := Fit(keys).Append(nil)
	for _, b := range [][]byte{nil, good[:10], good[:len(good)-1], append(bytes.Clone(good), 0)} {
		if _, err := Parse(b, len(keys)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	if _, err := Parse(good, len(keys)+1); !errors.Is(err, ErrMalformed) {
		t.Errorf("another number of keys: %v", err)
	}
	none := (&Model{n: 3}).Append(nil)
	none[20] = 1
	if _, err := Parse(append(none, make([]byte, pointBytes)...), 3); !errors.Is(err, ErrMalformed) {
		t.Errorf("no model with points: %v", err)
	}
	p := probes(r, keys[:500])
	for range 3000 {
		b := bytes.Clone(good)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		m, err := Parse(b, len(keys))
		if err != nil {
			continue
		}
		for range 20 {
			m.Predict(p[r.IntN(len(p))])
		}
		if r.IntN(50) == 0 && m.Verify(keys) {
			checkBounds(t, m, keys, p)
		}
	}
}

func TestChunkSortsAsTheBytesDo(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 10000 {
		a, b := make([]byte, r.IntN(12)), make([]byte, r.IntN(12))
		for _, s := range [][]byte{a, b} {
			for i := range s {
				s[i] = byte(r.IntN(3))
			}
		}
		if x, y := Chunk(a), Chunk(b); bytes.Compare(a, b) < 0 && x > y || bytes.Compare(a, b) > 0 && x < y {
			t.Fatalf("chunks of %x and %x", a, b)
		}
		n := CommonPrefix(a, b)
		if !bytes.Equal(a[:n], b[:n]) || n < len(a) && n < len(b) && a[n] == b[n] {
			t.Fatalf("common prefix of %x and %x is not %d", a, b, n)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	keys := distributions[2].gen(rand.New(rand.NewPCG(1, 1)))
	for b.Loop() {
		Fit(keys)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/testKeys, "ns/key")
}

func BenchmarkPredict(b *testing.B) {
	for _, d := range distributions[:8] {
		r := rand.New(rand.NewPCG(1, 1))
		keys := d.gen(r)
		slices.Sort(keys)
		m := Fit(keys)
		b.Run(d.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				lo, hi := m.Predict(keys[i%len(keys)])
				_ = sort.Search(hi-lo, func(k int) bool { return keys[min(lo+k, len(keys)-1)] >= keys[i%len(keys)] })
				i += 7919
			}
		})
	}
}

func TestIndexFindsEveryKeyAndMiss(t *testing.T) {
	for _, d := range distributions {
		t.Run(d.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(21, 22))
			keys := d.gen(r)
			slices.Sort(keys)
			plain := &Index{keys: keys}
			plain.tree.build(keys)
			for _, x := range []*Index{NewIndex(keys), plain} {
				p := probes(r, keys)
				places := make([]int, len(p))
				x.FindBatch(p, places)
				for i, k := range p {
					want, _ := slices.BinarySearch(keys, k)
					if got := x.Find(k); got != want || places[i] != want {
						t.Fatalf("%s: key %d stands at %d, found at %d, in a batch at %d", x.Kind(), k, want, got, places[i])
					}
				}
				t.Logf("%s, error %d, %d bytes", x.Kind(), x.MaxError(), x.Bytes())
			}
		})
	}
}
