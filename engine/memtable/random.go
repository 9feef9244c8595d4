package memtable

import (
	"slices"
	"sync/atomic"
)

// randomLane holds keys that did not come in order, twice: in a hash, which
// finds one key, and for scans in leaves by ranges, under a directory of pages.
// Before that they are in the inbox. What readers see is published word by
// word. When a leaf is full, two take its place in a new page.
//
// Whether the hash has a key that comes is a cache miss of its own. So where
// versions of one key differ in their timestamps the question is put off until
// the key goes from the inbox to the hash, which has to read the same line.
// Until then such a key has two records, of which that in the inbox has the
// newer versions; then they join the versions of the other one.
type randomLane struct {
	inbox atomic.Pointer[inbox]
	hash  atomic.Pointer[parts]
	dir   atomic.Pointer[directory]
	count uint64 // keys in the lane; published

	// The writer's alone, as what follows.
	n       uint64 // the same
	defers  bool   // puts off whether the hash has a key
	asks    bool   // does not at present, since most keys that come are there
	known   int    // keys that came since the inbox was emptied, and were there
	waiting *waiting
	spare   *leaf  // one that has been split
	slab    []leaf // leaves that are not used yet
	slabs   int    // leaves of the slab before them
	reserve *Reserve
	sp      *splitter
}

// maxLeaves are in a slab at most: 4 MB.
const maxLeaves = maxSlab / (2 * leafSlots)

// newLeaf returns a leaf whose slots hold anything: one that has been split, or
// fresh memory, in which leaves lie side by side for the sake of huge pages.
func (r *randomLane) newLeaf() *leaf {
	if lf := r.spare; lf != nil {
		r.spare = nil
		return lf
	}
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

// get returns the newest version of a key at or below ts, and the record if the key is in the lane.
func (r *randomLane) get(t *Table, key []byte, tag, ts uint64) (v Version, ok bool, record uint64) {
	in := r.inbox.Load()
	if in == nil {
		return v, false, 0
	}
	if record = in.find(t, key, tag); record != 0 {
		if v, ok = t.visible(record, ts); ok {
			return v, true, record
		}
	}
	if h := r.hash.Load(); h != nil {
		if older := h.lookup(t, key, tag); older != 0 {
			record = older
			v, ok = t.visible(record, ts)
		}
	}
	return v, ok, record
}

// has returns the record to which the writer adds a version of a key, 0 if it
// is to insert the key.
func (r *randomLane) has(t *Table, key []byte, tag uint64) (record uint64) {
	in := r.inbox.Load()
	if in == nil {
		return 0
	}
	record = in.find(t, key, tag)
	if h := r.hash.Load(); record == 0 && h != nil && (!r.defers || r.asks) {
		if record = h.lookup(t, key, tag); record != 0 {
			r.known++
		}
	}
	return record
}

// insert adds the slot of a key for which has returned no record.
func (r *randomLane) insert(t *Table, s slot, tag uint64) {
	in, w := r.inbox.Load(), r.waiting
	if in == nil {
		in, w = new(inbox), new(waiting)
		r.waiting = w
		r.inbox.Store(in)
	} else if w.n == inboxFull {
		r.sortOut(t)
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
	}
	for h.full(tag) {
		h = h.grow(tag)
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
// into one of them. The page is outdated when readers find its successor.
func (r *randomLane) split(t *Table, d *directory, at int, p *page, i int, s slot) {
	full := p.leaves[i]
	lower, upper, n, least := r.splitLeaf(t, full, s)
	r.replace(t, d, at, p.split(t, i, n, lower, upper, least), i+1 == len(p.leaves) && n == leafSlots)
	if publish32(&p.outdated, 1); recycles && lower != full && upper != full {
		r.spare = full
	}
}

// split returns a page with two leaves in the place of leaf i, of which the
// lower one has n slots and the upper one the others of a full leaf and one more.
func (p *page) split(t *Table, i, n int, lower, upper *leaf, least slot) *page {
	next := &page{fences: p.fences.insert(t, i, least), leaves: slices.Insert(slices.Clone(p.leaves), i+1, upper)}
	next.leaves[i] = lower
	next.fills = slices.Insert(slices.Clone(p.fills), i+1, uint32(leafSlots+1-n))
	next.fills[i] = uint32(n)
	next.counts = slices.Clone(next.fills)
	return next
}

// replace puts a page in the place of page at, or two if it has too many
// leaves: all but the last one and that one if keys come in ascending order,
// which fill pages as they fill leaves.
func (r *randomLane) replace(t *Table, d *directory, at int, next *page, ascending bool) {
	if len(next.leaves) <= maxPage {
		d.pages[at].Store(next)
		return
	}
	half := len(next.leaves) / 2
	if ascending {
		half = len(next.leaves) - 1
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
	return &page{fences: p.fences.cut(t, i, k-1), leaves: p.leaves[i:k:k], counts: p.counts[i:k:k], fills: p.fills[i:k:k]}
}

// load fills an empty lane with sorted slots.
func (r *randomLane) load(t *Table, sorted []slot) {
	r.waiting = &waiting{spots: new([inboxFull]spot)}
	r.inbox.Store(new(inbox))
	for _, s := range sorted {
		tag := tagOf(s.prefix, t.key(s.ref))
		r.hashSlot(tag).put(t, tag, s.ref)
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
