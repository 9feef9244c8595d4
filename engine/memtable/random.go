package memtable

import (
	"slices"
	"sync/atomic"
)

// randomLane holds keys that did not come in order, twice: in a hash, which
// finds one key, and for scans by ranges: first in the inbox, in order of
// arrival, and when that is full in leaves under a directory of pages.
// What readers see is published by atomic stores. When a leaf is full, two
// new ones take its place in a new page.
type randomLane struct {
	hash  atomic.Pointer[parts]
	inbox atomic.Pointer[inbox]
	dir   atomic.Pointer[directory]
	count atomic.Int64      // keys in the lane: with it an insert is published
	n     int64             // the same; writer only
	stray [inboxSlots]place // scratch of sortOut
	slab  []leaf            // leaves that are not used yet; writer only
	slabs int               // leaves of the slab before them
	sp    *splitter
}

// maxLeaves are in a slab at most: 4 MB.
const maxLeaves = maxSlab / (2 * leafSlots)

// newLeaf returns an empty leaf. Leaves lie side by side for the sake of huge
// pages; the memory of one that has been split is freed with the table.
func (r *randomLane) newLeaf() *leaf {
	if len(r.slab) == 0 {
		r.slabs = min(max(2*r.slabs, 1), maxLeaves)
		r.slab = newLeaves(r.slabs)
	}
	lf := &r.slab[0]
	r.slab = r.slab[1:]
	return lf
}

// inboxSlots are few enough for a scan to look at, and enough that the cache
// lines of as many leaves are fetched side by side.
const inboxSlots = 64

// inbox takes keys in order of arrival. A full one is replaced.
type inbox struct {
	base  int64 // the number of keys in the lane before its first
	slots [inboxSlots]slot
}

// within appends the inbox's slots within a range to dst, in order. Readers
// must look here before they look at the leaves: a key is in the leaves before
// it leaves the inbox, so that they may find it twice but not miss it.
func (r *randomLane) within(t *Table, b *bounds, dst []slot) []slot {
	in := r.inbox.Load()
	if in == nil {
		return dst
	}
	n := min(r.count.Load()-in.base, inboxSlots)
	for i := range in.slots[:n] {
		if s := in.slots[i]; b.hold(t, s) {
			dst = append(dst, s)
		}
	}
	slices.SortFunc(dst, t.order)
	return dst
}

// maxPage leaves are in a page at most: what a split copies, and a search of
// the page reads.
const maxPage = 64

// firsts are the first keys of what stands in a directory or a page. The first
// key of child i is not below firsts i; what is below firsts 0 belongs to child 0.
type firsts struct {
	prefixes []uint64
	refs     []uint64
}

// page lists leaves. Only the counts change while it stands.
type page struct {
	firsts
	leaves []*leaf
	counts []uint32 // slots of each leaf that readers may see; atomic
	fills  []uint32 // slots of each leaf; writer only
}

func newPage(f firsts, leaves []*leaf) *page {
	counts := make([]uint32, 2*len(leaves))
	return &page{firsts: f, leaves: leaves, counts: counts[:len(leaves)], fills: counts[len(leaves):]}
}

// count returns how many slots of leaf i a reader sees.
func (p *page) count(i int) int { return int(atomic.LoadUint32(&p.counts[i])) }

// directory lists pages. A page is replaced in its place when a leaf splits,
// the directory when a page does.
type directory struct {
	firsts
	pages []atomic.Pointer[page]
}

func (f *firsts) at(i int) slot { return slot{f.prefixes[i], f.refs[i]} }

func (f *firsts) set(i int, s slot) { f.prefixes[i], f.refs[i] = s.prefix, s.ref }

// insert returns firsts with s between the first i and the others.
func (f *firsts) insert(i int, s slot) firsts {
	return firsts{slices.Insert(slices.Clone(f.prefixes), i, s.prefix), slices.Insert(slices.Clone(f.refs), i, s.ref)}
}

func (f *firsts) cut(i, k int) firsts {
	return firsts{f.prefixes[i:k:k], f.refs[i:k:k]}
}

// search returns the child that a key belongs to. The key is read from the
// slot's record when it is asked for and not known.
func (f *firsts) search(t *Table, s slot, key *[]byte) int {
	i := lowerBound(f.prefixes, s.prefix)
	if i == len(f.prefixes) || f.prefixes[i] != s.prefix {
		return max(i-1, 0)
	}
	if *key == nil {
		*key = t.key(s.ref)
	}
	hi := i + 1
	if hi < len(f.prefixes) && f.prefixes[hi] == s.prefix {
		hi += lowerBoundAbove(f.prefixes[hi:], s.prefix)
	}
	for i < hi {
		if m := int(uint(i+hi) >> 1); t.compare(f.at(m), s.prefix, *key) <= 0 {
			i = m + 1
		} else {
			hi = m
		}
	}
	return max(i-1, 0)
}

// lowerBoundAbove returns the first place of ascending numbers that is above x.
func lowerBoundAbove(numbers []uint64, x uint64) int {
	if x+1 == 0 {
		return len(numbers)
	}
	return lowerBound(numbers, x+1)
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

// insert adds the slot of a key that is in no lane yet, and in the hash already.
func (r *randomLane) insert(t *Table, s slot) {
	in := r.inbox.Load()
	if in == nil || r.n-in.base == inboxSlots {
		if in != nil {
			r.sortOut(t, in)
		}
		in = &inbox{base: r.n}
		r.inbox.Store(in)
	}
	in.slots[r.n-in.base] = s
	r.n++
	r.count.Store(r.n)
}

// place is where a slot goes.
type place struct {
	page *page
	lf   *leaf
	leaf int
	slot uint32
}

// sortOut moves the slots of an inbox to leaves, in three steps: their places
// are found, read and only then written. So the cache lines are fetched side
// by side, as neither many stores nor one that publishes would do.
func (r *randomLane) sortOut(t *Table, in *inbox) {
	if r.dir.Load() == nil {
		p := newPage(firsts{[]uint64{in.slots[0].prefix}, []uint64{in.slots[0].ref}}, []*leaf{r.newLeaf()})
		r.setPages(p.firsts, p)
	}
	taken := uint64(0)
	for k, s := range in.slots {
		d := r.dir.Load()
		var key []byte
		at := d.search(t, s, &key)
		p := d.pages[at].Load()
		i := p.search(t, s, &key)
		n := p.fills[i]
		if n == leafSlots {
			r.publish(in, k) // what the split distributes must be there
			r.split(t, d, at, p, i, s)
			continue
		}
		p.fills[i] = n + 1
		lf := p.leaves[i]
		r.stray[k] = place{p, lf, i, n}
		taken |= lf[n].ref
	}
	if taken != 0 {
		panic("memtable: a free place of a leaf is taken")
	}
	r.publish(in, inboxSlots)
}

// publish writes those of an inbox's first n slots whose places are known and
// makes them seen.
func (r *randomLane) publish(in *inbox, n int) {
	for k := range in.slots[:n] {
		if x := &r.stray[k]; x.page != nil {
			x.lf[x.slot] = in.slots[k]
		}
	}
	for k := range in.slots[:n] {
		if x := &r.stray[k]; x.page != nil {
			atomic.StoreUint32(&x.page.counts[x.leaf], x.page.fills[x.leaf])
			x.page = nil
		}
	}
}

// hashSlot makes room for one more key with a tag and returns the hash.
func (r *randomLane) hashSlot(tag uint64) *parts {
	h := r.hash.Load()
	if h == nil {
		h = newParts(1, firstPart)
		r.hash.Store(h)
	}
	for h.full(tag) {
		h = h.grow(tag)
		r.hash.Store(h)
	}
	return h
}

// setPages replaces the directory.
func (r *randomLane) setPages(f firsts, pages ...*page) {
	d := &directory{f, make([]atomic.Pointer[page], len(pages))}
	for i, p := range pages {
		d.pages[i].Store(p)
	}
	r.dir.Store(d)
}

// split puts two leaves in the place of leaf i of a page, which is full, and s
// into one of them.
func (r *randomLane) split(t *Table, d *directory, at int, p *page, i int, s slot) {
	if r.sp == nil {
		r.sp = new(splitter)
	}
	lower, upper := r.newLeaf(), r.newLeaf()
	n, m, first := r.sp.split(t, p.leaves[i], s, lower, upper)
	next := newPage(p.firsts.insert(i+1, first), slices.Insert(slices.Clone(p.leaves), i+1, upper))
	next.leaves[i] = lower
	if i == 0 { // whose keys may have gone below its first one
		next.set(0, t.least(lower[:n]))
	}
	copy(next.fills, p.fills[:i])
	next.fills[i], next.fills[i+1] = uint32(n), uint32(m)
	copy(next.fills[i+2:], p.fills[i+1:])
	copy(next.counts, next.fills)
	if len(next.leaves) <= maxPage {
		d.pages[at].Store(next)
		return
	}
	half := len(next.leaves) / 2
	if i+2 == len(next.leaves) && m == 1 {
		half = len(next.leaves) - 1 // keys in ascending order fill pages as they fill leaves
	}
	pages := make([]*page, 0, len(d.pages)+1)
	for k := range d.pages {
		if k == at {
			pages = append(pages, next.cut(0, half), next.cut(half, len(next.leaves)))
		} else {
			pages = append(pages, d.pages[k].Load())
		}
	}
	tops := d.firsts.insert(at+1, next.at(half))
	if at == 0 {
		tops.set(0, next.at(0))
	}
	r.setPages(tops, pages...)
}

// cut returns a page of the leaves from i up to k.
func (p *page) cut(i, k int) *page {
	part := newPage(p.firsts.cut(i, k), p.leaves[i:k:k])
	copy(part.fills, p.fills[i:k])
	copy(part.counts, part.fills)
	return part
}

// load fills an empty lane with sorted slots.
func (r *randomLane) load(t *Table, sorted []slot) {
	for _, s := range sorted {
		tag := tagOf(t.key(s.ref))
		h := r.hashSlot(tag)
		h.put(tag, s.ref)
	}
	r.n = int64(len(sorted))
	r.count.Store(r.n)
	var pages []*page
	var tops firsts
	for len(sorted) > 0 {
		part := sorted[:min(len(sorted), maxPage/2*loadedLeaf)]
		sorted = sorted[len(part):]
		p := newPage(firsts{}, make([]*leaf, (len(part)+loadedLeaf-1)/loadedLeaf))
		for i := range p.leaves {
			lf := r.newLeaf()
			n := copy(lf[:loadedLeaf], part)
			part = part[n:]
			p.prefixes, p.refs = append(p.prefixes, lf[0].prefix), append(p.refs, lf[0].ref)
			p.leaves[i], p.fills[i] = lf, uint32(n)
			p.counts[i] = uint32(n)
		}
		pages = append(pages, p)
		tops.prefixes, tops.refs = append(tops.prefixes, p.prefixes[0]), append(tops.refs, p.refs[0])
	}
	r.setPages(tops, pages...)
}

// loadedLeaf leaves room for inserts that follow.
const loadedLeaf = leafSlots * 3 / 4
