package memtable

import (
	"sort"
	"sync/atomic"
)

// appendLane is a dense sorted array of slots, in chunks that double in size
// and never move. The published length is what readers may see. Beside it
// stands every sampleEvery-th prefix, so that a search touches few cache lines.
type appendLane struct {
	chunks  [chunkCount][]slot
	samples [chunkCount][]uint64
	len     atomic.Uint32
}

// sampleEvery slots are two or three levels of a binary search within eight cache lines.
const sampleEvery = 32

func (l *appendLane) at(i uint32) slot {
	k, at := chunkOf(i)
	return l.chunks[k][at]
}

func (l *appendLane) sample(i uint32) uint64 {
	k, at := chunkOf(i)
	return l.samples[k][at]
}

func (l *appendLane) append(s slot) {
	n := l.len.Load()
	k, at := chunkOf(n)
	if at == 0 {
		l.chunks[k] = make([]slot, firstChunk<<k)
	}
	l.chunks[k][at] = s
	if n%sampleEvery == 0 {
		k, at := chunkOf(n / sampleEvery)
		if at == 0 {
			l.samples[k] = make([]uint64, firstChunk<<k)
		}
		l.samples[k][at] = s.prefix
	}
	l.len.Store(n + 1)
}

// search returns the first of the n slots whose key is not below key.
func (l *appendLane) search(t *Table, n uint32, prefix uint64, key []byte) uint32 {
	lo, hi := uint32(0), (n+sampleEvery-1)/sampleEvery
	below := uint32(0) // samples below prefix
	for lo < hi {
		if m := (lo + hi) / 2; l.sample(m) < prefix {
			lo = m + 1
		} else {
			hi = m
		}
	}
	below = lo
	for hi = (n + sampleEvery - 1) / sampleEvery; lo < hi; { // and those not above it
		if m := (lo + hi) / 2; l.sample(m) <= prefix {
			lo = m + 1
		} else {
			hi = m
		}
	}
	lo, hi = max(below, 1)*sampleEvery-sampleEvery, min(lo*sampleEvery, n)
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

// slots are sorted slots. The prefixes stand by themselves: a search reads
// little else.
type slots struct {
	prefixes []uint64
	ids      []uint32
}

func newSlots(room int) slots {
	return slots{make([]uint64, 0, room), make([]uint32, 0, room)}
}

func (s *slots) append(x slot) {
	s.prefixes, s.ids = append(s.prefixes, x.prefix), append(s.ids, x.id)
}

func (s *slots) appendAll(o slots) {
	s.prefixes, s.ids = append(s.prefixes, o.prefixes...), append(s.ids, o.ids...)
}

func (s *slots) len() int           { return len(s.ids) }
func (s *slots) at(i int) slot      { return slot{s.prefixes[i], s.ids[i]} }
func (s *slots) cut(i, k int) slots { return slots{s.prefixes[i:k:k], s.ids[i:k:k]} }

// search returns the first slot whose key is not below key.
func (s *slots) search(t *Table, prefix uint64, key []byte) int {
	i := lowerBound(s.prefixes, prefix)
	if i == len(s.prefixes) || s.prefixes[i] != prefix {
		return i
	}
	end := i + 1 // of those with the same prefix
	for step := 1; end < len(s.prefixes) && s.prefixes[end] == prefix; step *= 2 {
		end += step
	}
	return i + sort.Search(min(end, len(s.prefixes))-i, func(k int) bool { return t.compare(s.at(i+k), prefix, key) >= 0 })
}

// lowerBound returns the first place of ascending numbers that is not below x.
// It asks first where an even spacing would put x and gallops from there: on
// even keys that is a cache line or two, on the others twice a binary search
// at worst.
func lowerBound(numbers []uint64, x uint64) int {
	last := len(numbers) - 1
	if last < 0 || x <= numbers[0] {
		return 0
	}
	if x > numbers[last] {
		return last + 1
	}
	at := min(int(float64(x-numbers[0])/float64(numbers[last]-numbers[0])*float64(last)), last)
	lo, hi := at, at
	if numbers[at] < x {
		lo, hi = at+1, at+1
		for step := 2; numbers[min(hi, last)] < x; step *= 2 {
			lo, hi = hi+1, hi+step
		}
		hi = min(hi, last)
	} else {
		for step := 2; lo > 0 && numbers[lo-1] >= x; step *= 2 {
			lo, hi = max(lo-step, 0), lo-1
		}
	}
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); numbers[m] < x {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// leaf holds slots in key order, and newer ones in order of arrival.
type leaf struct {
	sorted slots // immutable
	tail   [maxTail]slot
	tails  atomic.Int32
}

// directory lists the leaves. The first key of leaf i is not below first i;
// everything below first 1 belongs to leaf 0.
type directory struct {
	first  slots
	leaves []atomic.Pointer[leaf]
}

func makeLeaves(n int) []atomic.Pointer[leaf] { return make([]atomic.Pointer[leaf], n) }

// randomLane is a two-level tree of leaves. The directory is replaced when a
// leaf splits; a leaf is replaced in place when its tail is merged.
type randomLane struct {
	dir atomic.Pointer[directory]
}

// search returns the leaf that a key belongs to.
func (d *directory) search(t *Table, prefix uint64, key []byte) int {
	at := d.first.search(t, prefix, key)
	if at < d.first.len() && d.first.prefixes[at] == prefix && t.compare(d.first.at(at), prefix, key) == 0 {
		return at
	}
	return max(at-1, 0)
}

func (r *randomLane) find(t *Table, prefix uint64, key []byte) (slot, bool) {
	d := r.dir.Load()
	if d == nil {
		return slot{}, false
	}
	return d.leaves[d.search(t, prefix, key)].Load().find(t, prefix, key)
}

func (lf *leaf) find(t *Table, prefix uint64, key []byte) (slot, bool) {
	if i := lf.sorted.search(t, prefix, key); i < lf.sorted.len() && lf.sorted.prefixes[i] == prefix {
		if s := lf.sorted.at(i); t.compare(s, prefix, key) == 0 {
			return s, true
		}
	}
	for i := range lf.tails.Load() {
		if s := lf.tail[i]; s.prefix == prefix && t.compare(s, prefix, key) == 0 {
			return s, true
		}
	}
	return slot{}, false
}

// insert adds a slot whose key is in no lane yet to leaf at of d.
func (r *randomLane) insert(t *Table, d *directory, at int, s slot) {
	if d == nil {
		one := newSlots(1)
		one.append(s)
		d = &directory{first: one, leaves: makeLeaves(1)}
		d.leaves[0].Store(&leaf{sorted: one})
		r.dir.Store(d)
		return
	}
	lf := d.leaves[at].Load()
	n := lf.tails.Load()
	if n < maxTail {
		lf.tail[n] = s
		lf.tails.Store(n + 1)
		return
	}
	all := lf.merged(t, newSlots(lf.sorted.len()+maxTail+1), s)
	if all.len() <= maxLeaf {
		d.leaves[at].Store(&leaf{sorted: all})
		return
	}
	half := all.len() / 2
	grown := &directory{first: newSlots(len(d.leaves) + 1), leaves: makeLeaves(len(d.leaves) + 1)}
	if at == 0 { // whose keys may have gone below its first one
		grown.first.append(all.at(0))
	} else {
		grown.first.appendAll(d.first.cut(0, at+1))
	}
	grown.first.append(all.at(half))
	grown.first.appendAll(d.first.cut(at+1, d.first.len()))
	for i := range d.leaves {
		j := i
		if i > at {
			j++
		}
		grown.leaves[j].Store(d.leaves[i].Load())
	}
	upper := newSlots(maxLeaf)
	upper.appendAll(all.cut(half, all.len()))
	grown.leaves[at].Store(&leaf{sorted: all.cut(0, half)})
	grown.leaves[at+1].Store(&leaf{sorted: upper})
	r.dir.Store(grown)
}

// merged appends the leaf's slots to dst in key order, with extra ones among them.
func (lf *leaf) merged(t *Table, dst slots, extra ...slot) slots {
	var buf [maxTail + 1]slot
	n := copy(buf[:], lf.tail[:lf.tails.Load()])
	n += copy(buf[n:], extra)
	tail := buf[:n]
	for i := 1; i < n; i++ { // few, and often in order: insertion sort
		s := tail[i]
		k := i
		for ; k > 0 && t.less(s, tail[k-1]); k-- {
			tail[k] = tail[k-1]
		}
		tail[k] = s
	}
	from := 0
	for _, s := range tail { // what lies between two of the tail goes as a whole
		to := from + lowerBound(lf.sorted.prefixes[from:], s.prefix)
		for to < lf.sorted.len() && lf.sorted.prefixes[to] == s.prefix && t.less(lf.sorted.at(to), s) {
			to++
		}
		dst.appendAll(lf.sorted.cut(from, to))
		dst.append(s)
		from = to
	}
	dst.appendAll(lf.sorted.cut(from, lf.sorted.len()))
	return dst
}

func (t *Table) less(a, b slot) bool {
	if a.prefix != b.prefix {
		return a.prefix < b.prefix
	}
	return t.compare(a, b.prefix, t.nodeKey(t.node(b.id))) < 0
}
