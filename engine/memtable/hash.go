package memtable

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
	"sync/atomic"
	"unsafe"
)

// The hash finds the records of the random lane by their keys, without any
// order: one cache line and the record. An entry is a word, the record's
// reference above tagBits bits of the key's hash; 0 is free. Readers follow
// the words without locks while the writer fills free ones in.
//
// It is a set of parts, one at first and later partCount, each of which
// grows by itself, so that no insert has to move all entries.
const (
	tagBits   = 28
	tagMask   = 1<<tagBits - 1
	partCount = 256
	partShift = tagBits - 8
	firstPart = 64
	onePart   = 1 << 12 // entries of a single part, beyond which there are many
	growth    = 2       // of a part
)

// seed keeps strangers from choosing keys that collide. The order of entries is
// never seen, so that no answer depends on it.
var (
	seed       = maphash.MakeSeed()
	numberSeed = maphash.Bytes(seed, []byte("numbers"))
	multiplier = maphash.Bytes(seed, []byte("multiplier")) | 1
)

// parts is a state of the hash. Its words change in place; a part that grows
// makes a new state.
type parts struct {
	shift uint
	words [][]uint64
	used  []uint32 // entries of each part; writer only
	slab  []uint64 // words that are not used yet; writer only
	slabs int      // words of the slab before them

	reserve *Reserve
}

// room returns n words for a part. Parts lie side by side for the sake of huge
// pages; the memory of one that has grown is freed with the table.
func (p *parts) room(n int) []uint64 {
	if len(p.slab) < n {
		p.slabs = max(min(2*p.slabs, maxSlab), n)
		p.slab = p.reserve.slab(p.slabs)
	}
	w := p.slab[:n:n]
	p.slab = p.slab[n:]
	return w
}

// tagOf returns the bits of a key's hash that an entry holds.
// A number is taken by its prefix, unless that is one which stands for many keys:
// to hash the bytes of a key that was just written would wait for the writes.
func tagOf(prefix uint64, key []byte) uint64 {
	if len(key) == numberKey && prefix+1 > 1 {
		hi, lo := bits.Mul64(prefix^numberSeed, multiplier)
		return (hi ^ lo) & tagMask
	}
	return maphash.Bytes(seed, key) & tagMask
}

// numberKey is the length of the key of a number, a mark and eight bytes.
const numberKey = 9

// lookup returns the record of a key, or 0.
func (p *parts) lookup(t *Table, key []byte, tag uint64) (record uint64) {
	w := p.words[tag>>p.shift]
	mask := uint64(len(w) - 1)
	for i := tag & mask; ; i = (i + 1) & mask {
		e := atomic.LoadUint64(&w[i&uint64(len(w)-1)])
		if e == 0 {
			return 0
		}
		if e&tagMask == tag && bytes.Equal(t.key(e>>tagBits), key) {
			return e >> tagBits
		}
	}
}

// announce asks for the place of a key that goes to the inbox.
func (p *parts) announce(tag uint64) {
	w := p.words[tag>>p.shift]
	prefetch(unsafe.Pointer(&w[tag&uint64(len(w)-1)]))
}

// put adds an entry to a part with room, and returns 0; or the record of the
// same key, if there is one.
func (p *parts) put(t *Table, tag, record uint64) (there uint64) {
	k := tag >> p.shift
	w := p.words[k]
	mask := uint64(len(w) - 1)
	i := tag & mask
	for ; w[i] != 0; i = (i + 1) & mask {
		if e := w[i]; e&tagMask == tag && bytes.Equal(t.key(e>>tagBits), t.key(record)) {
			return e >> tagBits
		}
	}
	p.used[k]++
	publish64(&w[i], record<<tagBits|tag)
	return 0
}

// enter copies entries to a part that nobody sees yet.
func enter(w, entries []uint64) {
	mask := uint64(len(w) - 1)
	for _, e := range entries {
		if e == 0 {
			continue
		}
		i := e & tagMask & mask
		for w[i] != 0 {
			i = (i + 1) & mask
		}
		w[i] = e
	}
}

// full reports whether the part for a tag must grow before an entry is added:
// above 5/8 the runs of entries get long.
func (p *parts) full(tag uint64) bool {
	k := tag >> p.shift
	return int(p.used[k])*8 >= len(p.words[k])*5
}

// grow returns a state with more room for a tag.
func (p *parts) grow(tag uint64) *parts {
	if len(p.words) == 1 && len(p.words[0]) >= onePart {
		many := newParts(p.reserve, partCount, firstPart)
		for i, e := range p.words[0] {
			if e != 0 {
				for many.full(e & tagMask) {
					many = many.grow(e & tagMask)
				}
				many.used[e&tagMask>>many.shift]++
				enter(many.words[e&tagMask>>many.shift], p.words[0][i:i+1])
			}
		}
		return many
	}
	k := tag >> p.shift
	next := &parts{shift: p.shift, words: slices.Clone(p.words), used: p.used, slab: p.slab, slabs: p.slabs, reserve: p.reserve}
	old := next.words[k]
	next.words[k] = next.room(growth * len(old))
	enter(next.words[k], old)
	return next
}

// newParts returns n empty parts of size words each.
func newParts(r *Reserve, n, size int) *parts {
	p := &parts{reserve: r, shift: tagBits, words: make([][]uint64, n), used: make([]uint32, n)}
	if n > 1 {
		p.shift = partShift
	}
	for i := range p.words {
		p.words[i] = p.room(size)
	}
	return p
}
