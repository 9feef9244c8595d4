package main

import (
	"cmp"
	"unsafe"

	"github.com/omendb/omendb/engine/learned"
)

// batchKeys is the number of keys in a batch of look-ups.
const batchKeys = 32

// batched looks keys up in batches; for the rest it is an array.
type batched[K cmp.Ordered] struct {
	array[K]
	searchBatch func(keys []K, places []int)
}

func (x *batched[K]) find(keys []K) (sum uint64, err error) {
	var places [batchKeys]int
	for len(keys) > 0 {
		part := keys[:min(batchKeys, len(keys))]
		x.searchBatch(part, places[:len(part)])
		for i, k := range part {
			if p := places[i]; p < len(x.keys) && x.keys[p] == k {
				sum += uint64(x.values[p][0] + x.values[p][1])
			}
		}
		keys = keys[len(part):]
	}
	return sum, nil
}

// learnedNumbers is the index of package learned, one at a time and in batches.
func learnedNumbers(keys []uint64, values [][2]int64) (one array[uint64], many *batched[uint64]) {
	x := learned.NewIndex(keys)
	one = array[uint64]{keys: keys, values: values, search: x.Find, index: x.Bytes()}
	if x.Kind() == learned.Spline {
		one.model = x.Bytes()
	}
	return one, &batched[uint64]{one, x.FindBatch}
}

// chunked finds texts by a model of their chunks: the eight bytes behind the
// prefix that all have, which is what segments do with the fences of such keys.
// Where many share a chunk, they are an index of their own, whose prefix is the
// longer one that they have in common.
type chunked struct {
	keys   []string
	prefix string
	model  *learned.Model
	parts  []part // ascending
}

// part is the index of all keys that have a chunk, from keys[start] on.
type part struct {
	start int
	chunk uint64
	index *chunked
}

// partKeys is the number of keys from which a part pays for itself.
const partKeys = 512

// near is the width of a window in which a search gallops from the predicted
// place; in a wider one many keys share a chunk, and halving is better.
const near = 256

// textBytes is what the model of a hundred texts may take.
const textBytes = 60

func learnedTexts(keys []string, values [][2]int64) (one array[string], many *batched[string]) {
	x := newChunked(keys, len(keys)*textBytes/100)
	one = array[string]{keys: keys, values: values, search: x.find, model: x.bytes(), index: x.bytes()}
	return one, &batched[string]{one, x.findBatch}
}

// newChunked builds an index whose model takes limit bytes at most.
func newChunked(keys []string, limit int) *chunked {
	x := &chunked{keys: keys, prefix: keys[0][:learned.CommonPrefix([]byte(keys[0]), []byte(keys[len(keys)-1]))]}
	chunks := make([]uint64, len(keys))
	for i, k := range keys {
		chunks[i] = x.chunk(k)
	}
	x.model = learned.FitRows(chunks, limit)
	for lo, hi := 0, 0; lo < len(keys); lo = hi {
		for hi = lo; hi < len(keys) && chunks[hi] == chunks[lo]; hi++ {
		}
		if n := hi - lo; n >= partKeys && n < len(keys) {
			x.parts = append(x.parts, part{lo, chunks[lo], newChunked(keys[lo:hi], n*textBytes/100-partBytes)})
		}
	}
	return x
}

// partBytes is what a part takes besides its model.
const partBytes = int(unsafe.Sizeof(part{}) + unsafe.Sizeof(chunked{}) + unsafe.Sizeof(learned.Model{}))

func (x *chunked) bytes() int {
	n := x.model.Bytes()
	for _, p := range x.parts {
		n += partBytes + p.index.bytes()
	}
	return n
}

// part returns the index of the keys that have a chunk, if they are many; their
// first key is one of lo to hi.
func (x *chunked) part(chunk uint64, lo, hi int) *part {
	i, j := 0, len(x.parts)
	for i < j {
		if m := int(uint(i+j) >> 1); x.parts[m].start < lo {
			i = m + 1
		} else {
			j = m
		}
	}
	for ; i < len(x.parts) && x.parts[i].start <= hi; i++ {
		if x.parts[i].chunk == chunk {
			return &x.parts[i]
		}
	}
	return nil
}

func (x *chunked) chunk(key string) uint64 {
	rest := key[len(x.prefix):]
	return learned.Chunk(unsafe.Slice(unsafe.StringData(rest), len(rest)))
}

// window is where a key stands, and about where in it.
type window struct{ place, lo, hi int }

func (x *chunked) window(key string) window {
	if n := len(x.prefix); len(key) < n || key[:n] != x.prefix {
		if key < x.prefix {
			return window{}
		}
		return window{len(x.keys), len(x.keys), len(x.keys)}
	}
	c := x.chunk(key)
	place, lo, hi := x.model.Locate(c)
	if p := x.part(c, lo, hi); p != nil {
		w := p.index.window(key)
		return window{p.start + w.place, p.start + w.lo, p.start + w.hi}
	}
	if c++; c == 0 {
		return window{place, lo, len(x.keys)}
	}
	if _, _, end := x.model.Locate(c); end > hi { // those with the same chunk
		hi = end
	}
	return window{place, lo, hi}
}

func (x *chunked) find(key string) int { return x.within(x.window(key), key) }

func (x *chunked) within(w window, key string) int {
	lo, hi := w.lo, w.hi
	if hi-lo <= near && w.place < len(x.keys) {
		if x.keys[w.place] < key {
			lo = w.place + 1
			for step := 1; lo+step < hi; step *= 2 {
				if x.keys[lo+step] >= key {
					hi = lo + step
					break
				}
				lo += step + 1
			}
		} else {
			hi = w.place
			for step := 1; hi-step > lo; step *= 2 {
				if x.keys[hi-step] < key {
					lo = hi - step + 1
					break
				}
				hi -= step
			}
		}
	}
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); x.keys[m] < key {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

func (x *chunked) findBatch(keys []string, places []int) {
	var windows [batchKeys]window
	for i, k := range keys {
		windows[i] = x.window(k)
	}
	x.touch(windows[:len(keys)])
	for i, k := range keys {
		places[i] = x.within(windows[i], k)
	}
}

// touch loads the texts where searches begin and does nothing else, so that
// their misses overlap: first where each lies, then its bytes.
//
//go:noinline
func (x *chunked) touch(windows []window) (sum int) {
	var texts [batchKeys]string
	for i, w := range windows {
		at := w.place
		if w.hi-w.lo > near {
			at = int(uint(w.lo+w.hi) >> 1)
		}
		if at < len(x.keys) {
			texts[i] = x.keys[at]
		}
	}
	for _, t := range texts[:len(windows)] {
		if len(t) > 0 {
			sum += int(t[len(t)-1])
		}
	}
	return sum
}
