package memtable

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"
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
	growth    = 4       // of a part: memory for having to move few entries
)

// hashBytes is what Bytes counts for a key in the hash: an average that does
// not depend on the seed, so that a simulation repeats itself.
const hashBytes = 28

// seed keeps strangers from choosing keys that collide. The order of entries is
// never seen, so that no answer depends on it.
var seed = maphash.MakeSeed()

// parts is a state of the hash. Its words change in place; a part that grows
// makes a new state.
type parts struct {
	shift uint
	words [][]uint64
	used  []uint32 // entries of each part; writer only
	slab  []uint64 // words that are not used yet; writer only
	slabs int      // words of the slab before them
}

// room returns n words for a part. Parts lie side by side for the sake of huge
// pages; the memory of one that has grown is freed with the table.
func (p *parts) room(n int) []uint64 {
	if len(p.slab) < n {
		p.slabs = max(min(2*p.slabs, maxSlab), n)
		p.slab = newSlab(p.slabs)
	}
	w := p.slab[:n:n]
	p.slab = p.slab[n:]
	return w
}

// tagOf returns the bits of a key's hash that an entry holds.
func tagOf(key []byte) uint64 { return maphash.Bytes(seed, key) & tagMask }

// lookup returns the record of a key, or 0 and the free place that it would take.
func (p *parts) lookup(t *Table, key []byte, tag uint64) (record, free uint64) {
	w := p.words[tag>>p.shift]
	mask := uint64(len(w) - 1)
	for i := tag & mask; ; i = (i + 1) & mask {
		e := atomic.LoadUint64(&w[i&uint64(len(w)-1)])
		if e == 0 {
			return 0, i
		}
		if e&tagMask == tag && bytes.Equal(t.key(e>>tagBits), key) {
			return e >> tagBits, 0
		}
	}
}

// fill makes an entry of a free place.
func (p *parts) fill(free, tag, record uint64) {
	k := tag >> p.shift
	p.used[k]++
	atomic.StoreUint64(&p.words[k][free], record<<tagBits|tag)
}

// put adds an entry to a part with room.
func (p *parts) put(tag, record uint64) {
	w := p.words[tag>>p.shift]
	mask := uint64(len(w) - 1)
	i := tag & mask
	for w[i] != 0 {
		i = (i + 1) & mask
	}
	p.fill(i, tag, record)
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
		many := newParts(partCount, firstPart)
		for _, e := range p.words[0] {
			if e != 0 {
				if many.full(e & tagMask) {
					many = many.grow(e & tagMask)
				}
				many.put(e&tagMask, e>>tagBits)
			}
		}
		return many
	}
	k := tag >> p.shift
	next := &parts{shift: p.shift, words: append([][]uint64(nil), p.words...), used: p.used, slab: p.slab, slabs: p.slabs}
	old := next.words[k]
	w := next.room(growth * len(old))
	mask := uint64(len(w) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := e & tagMask & mask
		for w[i] != 0 {
			i = (i + 1) & mask
		}
		w[i] = e
	}
	next.words[k] = w
	return next
}

// newParts returns n empty parts of size words each.
func newParts(n, size int) *parts {
	p := &parts{shift: tagBits, words: make([][]uint64, n), used: make([]uint32, n)}
	if n > 1 {
		p.shift = partShift
	}
	for i := range p.words {
		p.words[i] = p.room(size)
	}
	return p
}
