package memtable

import (
	"sort"
	"sync/atomic"
)

// appendLane is a dense sorted array of slots, in chunks that double in size
// and never move. The published length is what readers may see.
type appendLane struct {
	chunks [chunkCount][]slot
	len    atomic.Uint32
}

func (l *appendLane) at(i uint32) slot {
	k, at := chunkOf(i)
	return l.chunks[k][at]
}

func (l *appendLane) append(s slot) {
	n := l.len.Load()
	k, at := chunkOf(n)
	if at == 0 {
		l.chunks[k] = make([]slot, firstChunk<<k)
	}
	l.chunks[k][at] = s
	l.len.Store(n + 1)
}

// search returns the first of the n slots whose key is not below key.
func (l *appendLane) search(t *Table, n uint32, prefix uint64, key []byte) uint32 {
	lo, hi := uint32(0), n
	for lo < hi {
		mid := (lo + hi) / 2
		if t.compare(l.at(mid), prefix, key) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// A leaf is split in two when its sorted part outgrows maxLeaf. Its tail is
// merged into a new leaf when it is full: short enough to scan, long enough
// that an insert copies a few slots on average.
const (
	maxLeaf = 512
	maxTail = 32
)

// leaf holds slots in key order, and newer ones in order of arrival.
type leaf struct {
	sorted []slot // immutable
	tail   [maxTail]slot
	tails  atomic.Int32
}

// directory lists the leaves. The first key of leaf i is not below first[i];
// everything below first[1] belongs to leaf 0.
type directory struct {
	first  []slot
	leaves []atomic.Pointer[leaf]
}

// randomLane is a two-level tree of leaves. The directory is replaced when a
// leaf splits; a leaf is replaced in place when its tail is merged.
type randomLane struct {
	dir atomic.Pointer[directory]
}

func (d *directory) search(t *Table, prefix uint64, key []byte) int {
	lo, hi := 1, len(d.leaves)
	for lo < hi {
		mid := (lo + hi) / 2
		if t.compare(d.first[mid], prefix, key) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

func (r *randomLane) find(t *Table, prefix uint64, key []byte) (slot, bool) {
	d := r.dir.Load()
	if d == nil {
		return slot{}, false
	}
	lf := d.leaves[d.search(t, prefix, key)].Load()
	lo, hi := 0, len(lf.sorted)
	for lo < hi {
		mid := (lo + hi) / 2
		if t.compare(lf.sorted[mid], prefix, key) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(lf.sorted) && t.compare(lf.sorted[lo], prefix, key) == 0 {
		return lf.sorted[lo], true
	}
	for i := range lf.tails.Load() {
		if s := lf.tail[i]; s.prefix == prefix && t.compare(s, prefix, key) == 0 {
			return s, true
		}
	}
	return slot{}, false
}

// insert adds a slot whose key is in no lane yet.
func (r *randomLane) insert(t *Table, s slot, key []byte) {
	d := r.dir.Load()
	if d == nil {
		d = &directory{first: []slot{s}, leaves: make([]atomic.Pointer[leaf], 1)}
		d.leaves[0].Store(&leaf{sorted: []slot{s}})
		r.dir.Store(d)
		return
	}
	at := d.search(t, s.prefix, key)
	lf := d.leaves[at].Load()
	n := lf.tails.Load()
	if n < maxTail {
		lf.tail[n] = s
		lf.tails.Store(n + 1)
		return
	}
	all := lf.merged(t, make([]slot, 0, len(lf.sorted)+maxTail+1), s)
	if len(all) <= maxLeaf {
		d.leaves[at].Store(&leaf{sorted: all})
		return
	}
	half := len(all) / 2
	grown := &directory{
		first:  make([]slot, len(d.first)+1),
		leaves: make([]atomic.Pointer[leaf], len(d.leaves)+1),
	}
	copy(grown.first, d.first[:at+1])
	copy(grown.first[at+2:], d.first[at+1:])
	for i := range d.leaves {
		j := i
		if i > at {
			j++
		}
		grown.leaves[j].Store(d.leaves[i].Load())
	}
	grown.leaves[at].Store(&leaf{sorted: all[:half:half]})
	grown.leaves[at+1].Store(&leaf{sorted: append([]slot(nil), all[half:]...)})
	grown.first[at+1] = all[half]
	r.dir.Store(grown)
}

// merged appends the leaf's slots to dst in key order, with extra ones among them.
func (lf *leaf) merged(t *Table, dst []slot, extra ...slot) []slot {
	var buf [maxTail + 1]slot
	n := copy(buf[:], lf.tail[:lf.tails.Load()])
	n += copy(buf[n:], extra)
	tail := buf[:n]
	sort.Slice(tail, func(i, j int) bool { return t.less(tail[i], tail[j]) })
	sorted := lf.sorted
	for len(sorted) > 0 && len(tail) > 0 {
		if t.less(tail[0], sorted[0]) {
			dst, tail = append(dst, tail[0]), tail[1:]
		} else {
			dst, sorted = append(dst, sorted[0]), sorted[1:]
		}
	}
	return append(append(dst, sorted...), tail...)
}

func (t *Table) less(a, b slot) bool {
	if a.prefix != b.prefix {
		return a.prefix < b.prefix
	}
	return t.compare(a, b.prefix, t.nodeKey(t.node(b.id))) < 0
}
