package memtable

import (
	"bytes"
	"sync/atomic"
	"unsafe"
)

// inbox takes keys of the random lane before they go to the hash and to their
// leaves, whose cache lines are far away: those of many keys are fetched side
// by side. It is a small hash table, and all that there is of the lane while
// it has few keys. A full one is emptied.
//
// Readers find a key here until it is in the hash and in a leaf. So they look
// here first: what they do not find is there. If both have the key, they take
// the newer version.
//
// A place has a record's reference above tagBits bits of its key's hash, and 0
// if it is free. Most keys that are looked for are not here, which a bit tells
// in a way that the processor can guess.
type inbox struct {
	places [inboxPlaces]uint64
	bits   [inboxBits / 64]uint64
}

const (
	inboxPlaces = 128
	inboxFull   = 80 // few enough for a scan to look at and for a short search
	inboxBits   = 2048
)

// bit returns the bit of a tag and its word.
func (in *inbox) bit(tag uint64) (word *uint64, bit uint64) {
	return &in.bits[tag/64%uint64(len(in.bits))], 1 << (tag % 64)
}

// find returns the record of a key, or 0.
func (in *inbox) find(t *Table, key []byte, tag uint64) (record uint64) {
	if word, bit := in.bit(tag); atomic.LoadUint64(word)&bit == 0 {
		return 0
	}
	return in.search(t, key, tag)
}

func (in *inbox) search(t *Table, key []byte, tag uint64) (record uint64) {
	for i := tag; i < tag+inboxPlaces; i++ {
		e := atomic.LoadUint64(&in.places[i%inboxPlaces])
		if e == 0 {
			break
		}
		if e&tagMask == tag && bytes.Equal(t.key(e>>tagBits), key) {
			return e >> tagBits
		}
	}
	return 0
}

// put adds a record that is not there, and makes it seen.
func (in *inbox) put(tag, record uint64) {
	i := tag
	for in.places[i%inboxPlaces] != 0 {
		i++
	}
	publish64(&in.places[i%inboxPlaces], record<<tagBits|tag)
	word, bit := in.bit(tag)
	publish64(word, *word|bit)
}

// within returns the slots in a range, in order.
func (in *inbox) within(t *Table, b *bounds) (slots []slot) {
	for i := range in.places {
		if e := atomic.LoadUint64(&in.places[i]); e != 0 {
			if s := (slot{t.prefix(t.key(e >> tagBits)), e >> tagBits}); b.hold(t, s) {
				slots = append(slots, s)
			}
		}
	}
	sortSlots(t, slots, nil, 1)
	return slots
}

// waiting are the keys of the inbox in order of arrival. It is the writer's.
type waiting struct {
	n     int
	tags  [inboxFull]uint32
	slots [inboxFull]slot
	spots *[inboxFull]spot // to which they go; nil until the inbox has been full once
}

// spot is where a slot goes.
type spot struct {
	page *page
	leaf uint32
	slot uint32
}

// fewKnown is the share of keys that may turn out to be there: what is put off
// costs a copy of the version.
const fewKnown = 8

// sortOut moves the keys of the inbox to the hash and to leaves: their places
// are found and asked for, and only then written.
func (r *randomLane) sortOut(t *Table) {
	w := r.waiting
	for k, tag := range w.tags[:w.n] {
		s := &w.slots[k]
		if there := r.hashSlot(uint64(tag)).put(t, uint64(tag), s.ref); there != 0 {
			t.join(there, s.ref)
			s.ref = 0
			r.n--
			r.known++
		}
	}
	r.asks, r.known = r.known > w.n/fewKnown, 0
	publish64(&r.count, r.n)
	if r.dir.Load() == nil {
		r.setPages(fences{}, &page{leaves: []*leaf{r.newLeaf()}, counts: make([]uint32, 1), fills: make([]uint32, 1)})
		w.spots = new([inboxFull]spot)
	}
	for k := range w.slots[:w.n] {
		s := &w.slots[k]
		if s.ref == 0 {
			continue
		}
		d := r.dir.Load()
		at := d.search(t, s)
		p := d.pages[at].Load()
		i := p.search(t, s)
		n := p.fills[i]
		if n == leafSlots {
			w.publish(k) // what the split distributes must be there
			r.split(t, d, at, p, i, *s)
			continue
		}
		p.fills[i] = n + 1
		prefetch(unsafe.Pointer(p.leaves[i].at(n)))
		w.spots[k] = spot{p, uint32(i), n}
	}
	w.publish(w.n)
	w.n = 0
	in := r.inbox.Load()
	for i := range in.places {
		publish64(&in.places[i], 0)
	}
	for i := range in.bits {
		publish64(&in.bits[i], 0)
	}
}

// publish writes those of the first n slots whose spots are known and makes
// them seen.
func (w *waiting) publish(n int) {
	for k := range w.slots[:n] {
		if x := &w.spots[k]; x.page != nil {
			*x.page.leaves[x.leaf].at(x.slot) = w.slots[k]
			publish32(&x.page.counts[x.leaf], x.slot+1)
			x.page = nil
		}
	}
}
