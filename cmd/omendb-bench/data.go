package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// dataset makes n distinct ascending keys.
type dataset struct {
	name string
	make func(r *rand.Rand, n int) []uint64
}

// datasets are the shapes of number keys that a table can have, from the
// smoothest to those on which a model has the least to learn.
var datasets = []dataset{
	{"dense", func(_ *rand.Rand, n int) []uint64 { return stepping(n, func() uint64 { return 1 }) }},
	{"timeseries", func(r *rand.Rand, n int) []uint64 {
		return stepping(n, func() uint64 { // a row a millisecond, with jitter; every 20,000 rows a gap of up to an hour
			if r.IntN(20000) == 0 {
				return r.Uint64N(3600e6)
			}
			return 900 + r.Uint64N(200)
		})
	}},
	{"uniform", func(r *rand.Rand, n int) []uint64 {
		return drawn(n, func() uint64 { return r.Uint64() >> 1 })
	}},
	{"lognormal", func(r *rand.Rand, n int) []uint64 {
		return drawn(n, func() uint64 { return uint64(math.Exp(r.NormFloat64()*2) * 1e12) })
	}},
	{"zipfgaps", func(r *rand.Rand, n int) []uint64 {
		z := rand.NewZipf(r, 1.2, 1, 1<<30)
		return stepping(n, func() uint64 { return 1 + z.Uint64() })
	}},
	{"osm", clusters},
}

// stepping makes keys from the steps between them.
func stepping(n int, step func() uint64) []uint64 {
	keys, x := make([]uint64, n), uint64(1.7e15)
	for i := range keys {
		x += max(step(), 1)
		keys[i] = x
	}
	return keys
}

// drawn makes keys of random numbers.
func drawn(n int, draw func() uint64) []uint64 {
	keys := make([]uint64, 0, n)
	for len(keys) < n {
		for len(keys) < n {
			keys = append(keys, draw())
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return keys
}

// clusters makes keys as cell numbers of places on a map: clusters within
// clusters, of sizes that differ by orders of magnitude.
func clusters(r *rand.Rand, n int) []uint64 {
	var towns []uint64
	for len(towns) < max(n/5000, 1) {
		country := r.Uint64() >> 1
		for range 1 + r.IntN(200) {
			towns = append(towns, country+r.Uint64N(1<<48))
		}
	}
	return drawn(n, func() uint64 {
		town := towns[int(float64(len(towns))*r.Float64()*r.Float64())]
		spread := uint(18 + r.IntN(16))
		return (town + (r.Uint64N(1<<spread)+r.Uint64N(1<<spread))/2) & math.MaxInt64
	})
}

// texts are the shapes of string keys.
var texts = []struct {
	name string
	make func(r *rand.Rand, n int) []string
}{
	{"uuid", func(r *rand.Rand, n int) []string {
		return drawnText(n, func() string {
			return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", r.Uint32(), r.Uint32N(1<<16), r.Uint32N(1<<12), 1<<15|r.Uint32N(1<<14), r.Uint64N(1<<48))
		})
	}},
	{"url", func(r *rand.Rand, n int) []string {
		hosts := make([]string, 1000)
		for i := range hosts {
			hosts[i] = fmt.Sprintf("https://www.%s%d.example/", []string{"shop", "news", "blog", "img", "wiki"}[r.IntN(5)], r.IntN(5000))
		}
		return drawnText(n, func() string {
			host := hosts[int(float64(len(hosts))*r.Float64()*r.Float64())]
			return fmt.Sprintf("%s%s/%d", host, []string{"item", "category/list", "static/css", "u"}[r.IntN(4)], r.IntN(1<<30))
		})
	}},
}

func drawnText(n int, draw func() string) []string {
	keys := make([]string, 0, n)
	for len(keys) < n {
		for len(keys) < n {
			keys = append(keys, draw())
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return keys
}

// probes are positions in the keys, drawn uniformly or by Zipf's law.
func probes(r *rand.Rand, n, count int, zipf bool) []int {
	at := make([]int, count)
	z := rand.NewZipf(r, 1.1, 1, uint64(n-1))
	for i := range at {
		at[i] = r.IntN(n)
		if zipf { // popular rows lie anywhere, not side by side
			at[i] = int(z.Uint64() * 0x9E3779B97F4A7C15 % uint64(n))
		}
	}
	return at
}
