package memtable

import (
	"slices"
	"sync/atomic"
)

// randomLane holds keys that did not come in order, twice: in a hash, which
// finds one key, and for scans in leaves by ranges, under a directory of pages.
// Before that they are in the inbox. What readers see is published word by
// word. When a leaf is full, two take its place in a new page.
type randomLane struct {
	inbox atomic.Pointer[inbox]
	hash  atomic.Pointer[parts]
	dir   atomic.Pointer[directory]
	count uint64 // keys in the lane; published

	// The writer's alone, as what follows.
	n       uint64 // the same
	waiting *waiting
	slab    []leaf // leaves that are not used yet
	slabs   int    // leaves of the slab before them
	reserve *Reserve
	sp      *splitter
}

// maxLeaves are in a slab at most: 4 MB.
const maxLeaves = maxSlab / (2 * leafSlots)

// newLeaf returns an empty leaf. Leaves lie side by side for the sake of huge
// pages; the memory of one that has been split is freed with the table.
func (r *randomLane) newLeaf() *leaf {
	if len(r.slab) == 0 {
		r.slabs = min(max(2*r.slabs, 1), maxLeaves)
		r.slab = r.reserve.leaves(r.slabs)
	}
	lf := &r.slab[0]
	r.slab = r.slab[1:]
	return lf
}

// length returns how many keys a reader sees.
func (r *randomLane) length() int64 { return int64(atomic.LoadUint64(&r.count)) }

// lookup returns the record of a key, 0 if it is not in the lane.
func (r *randomLane) lookup(t *Table, key []byte, tag uint64) (record uint64) {
	in := r.inbox.Load()
	if in == nil {
		return 0
	}
	if h := r.hash.Load(); h != nil {
		record = h.lookup(t, key, tag)
	}
	if record == 0 {
		record = in.find(t, key, tag)
	}
	return record
}

// has is lookup for the writer, who mostly knows without a look that a key is not there.
func (r *randomLane) has(t *Table, key []byte, tag uint64) (record uint64) {
	if h := r.hash.Load(); h != nil && !h.expect(tag) {
		return 0
	}
	return r.lookup(t, key, tag)
}

// insert adds the slot of a key that is in no lane yet.
func (r *randomLane) insert(t *Table, s slot, tag uint64) {
	in, w := r.inbox.Load(), r.waiting
	if in == nil || w.n == inboxFull {
		if in == nil {
			w = new(waiting)
			r.waiting = w
		} else {
			r.sortOut(t)
		}
		in = new(inbox)
		r.inbox.Store(in)
	}
	if h := r.hash.Load(); h != nil {
		h.announce(tag)
	}
	w.tags[w.n], w.slots[w.n] = uint32(tag), s
	w.n++
	in.put(tag, s.ref)
	r.n++
	publish64(&r.count, r.n)
}

// hashSlot makes room for one more key with a tag and returns the hash.
func (r *randomLane) hashSlot(tag uint64) *parts {
	h := r.hash.Load()
	if h == nil {
		h = newParts(r.reserve, 1, firstPart)
		r.hash.Store(h)
		h.announceAll(r.waiting)
	}
	for h.full(tag) {
		h = h.grow(tag)
		h.announceAll(r.waiting)
		r.hash.Store(h)
	}
	return h
}

// setPages replaces the directory.
func (r *randomLane) setPages(f fences, pages ...*page) {
	d := &directory{f, make([]atomic.Pointer[page], len(pages))}
	for i, p := range pages {
		d.pages[i].Store(p)
	}
	r.dir.Store(d)
}

// split puts two leaves in the place of leaf i of a page, which is full, and s
// into one of them.
func (r *randomLane) split(t *Table, d *directory, at int, p *page, i int, s slot) {
	lower, upper, n, least := r.splitLeaf(t, p.leaves[i], s)
	next := &page{fences: p.fences.insert(t, i, least), leaves: slices.Insert(slices.Clone(p.leaves), i+1, upper)}
	next.leaves[i] = lower
	next.fills = slices.Insert(slices.Clone(p.fills), i+1, uint32(leafSlots+1-n))
	next.fills[i] = uint32(n)
	next.counts = slices.Clone(next.fills)
	if len(next.leaves) <= maxPage {
		d.pages[at].Store(next)
		return
	}
	half := len(next.leaves) / 2
	if i+2 == len(next.leaves) && n == leafSlots {
		half = len(next.leaves) - 1 // keys in ascending order fill pages as they fill leaves
	}
	pages := make([]*page, 0, len(d.pages)+1)
	for k := range d.pages {
		if k == at {
			pages = append(pages, next.cut(t, 0, half), next.cut(t, half, len(next.leaves)))
		} else {
			pages = append(pages, d.pages[k].Load())
		}
	}
	ref := next.refs[half-1]
	r.setPages(d.fences.insert(t, at, slot{t.prefix(t.key(ref)), ref}), pages...)
}

// cut returns a page of the leaves from i up to k.
func (p *page) cut(t *Table, i, k int) *page {
	return &page{p.fences.cut(t, i, k-1), p.leaves[i:k:k], p.counts[i:k:k], p.fills[i:k:k]}
}

// load fills an empty lane with sorted slots.
func (r *randomLane) load(t *Table, sorted []slot) {
	r.waiting = &waiting{spots: new([inboxFull]spot)}
	r.inbox.Store(new(inbox))
	for _, s := range sorted {
		tag := tagOf(s.prefix, t.key(s.ref))
		h := r.hashSlot(tag)
		h.announce(tag)
		h.put(tag, s.ref)
	}
	r.n = uint64(len(sorted))
	publish64(&r.count, r.n)
	var pages []*page
	var tops fences
	for len(sorted) > 0 {
		p := &page{}
		for len(sorted) > 0 && len(p.leaves) < maxPage/2 {
			part := sorted[:min(len(sorted), loadedLeaf)]
			sorted = sorted[len(part):]
			f := &p.fences
			if len(p.leaves) == 0 {
				f = &tops
			}
			f.numbers, f.refs = append(f.numbers, part[0].prefix), append(f.refs, part[0].ref)
			lf := r.newLeaf()
			copy(lf[:], part)
			p.leaves, p.counts = append(p.leaves, lf), append(p.counts, uint32(len(part)))
		}
		p.fences.number(t)
		p.fills = slices.Clone(p.counts)
		pages = append(pages, p)
	}
	tops.numbers, tops.refs = tops.numbers[1:], tops.refs[1:] // what comes before the first fence is in the first page
	tops.number(t)
	r.setPages(tops, pages...)
}

// loadedLeaf leaves room for inserts that follow.
const loadedLeaf = leafSlots * 3 / 4
