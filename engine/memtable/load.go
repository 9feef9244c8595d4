package memtable

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// Loading. While nobody reads a table, its writer need not keep the random
// lane in order: keys that do not join the append lane gather as they come,
// and EndLoad sorts them once. That is what recovery does with the log.

// BeginLoad turns an empty table to loading. Until EndLoad only Put and Bytes
// may be called.
func (t *Table) BeginLoad() {
	if t.Empty() && t.pending == nil {
		t.pending = make([]slot, 0, firstPending)
	}
}

// firstPending is what a store with a handful of changes needs.
const firstPending = 16

// EndLoad puts the keys that have gathered in order. From then on the table is
// like any other.
func (t *Table) EndLoad() {
	pending := t.pending
	t.pending = nil
	if len(pending) == 0 {
		return
	}
	sortSlots(t, pending, make([]slot, len(pending)), 1)
	pending = t.unite(pending)
	if len(pending) == 0 {
		return
	}
	t.random.load(t, pending)
}

// unite joins the chains of keys that came more than once, among themselves
// and with the append lane, and returns one slot for each key that is in no lane.
func (t *Table) unite(sorted []slot) []slot {
	rest := sorted[:0]
	at, n := uint32(0), t.lane.length()
	for i := 0; i < len(sorted); {
		s := sorted[i]
		at = t.lane.seek(t, at, n, s)
		first := s.ref
		if at < n && t.alike(t.lane.slot(t, at), s) {
			first = t.lane.at(at)
			t.chain(first, s.ref)
		} else {
			rest = append(rest, s)
		}
		for i++; i < len(sorted) && t.alike(sorted[i], s); i++ {
			t.chain(first, sorted[i].ref)
		}
	}
	return rest
}

// alike reports whether two slots have the same key. It looks at the keys only
// when their numbers do not tell.
func (t *Table) alike(a, b slot) bool {
	return a.prefix == b.prefix && bytes.Equal(t.key(a.ref), t.key(b.ref))
}

// chain makes the only version of one record the newest of another with the same key.
func (t *Table) chain(record, newer uint64) {
	*t.link(newer) = t.newest(record)
	*t.link(record) = newer
	t.rewrites.Add(1)
}

// fewSlots are sorted by comparing, more by their numbers' bytes. A leaf has no more.
const fewSlots = leafSlots

// sortSlots sorts slots by key and, for one key, by arrival. The numbers in
// them are the eight bytes of the key from depth on; keys alike so far are
// told apart by their next eight bytes, and so on. scratch is as long as s at least.
func sortSlots(t *Table, s, scratch []slot, depth int) {
	if len(s) <= fewSlots {
		slices.SortFunc(s, func(a, b slot) int {
			if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
				return c
			}
			if c := bytes.Compare(t.key(a.ref), t.key(b.ref)); c != 0 {
				return c
			}
			return cmp.Compare(a.ref, b.ref)
		})
		return
	}
	radixSort(s, scratch)
	for i := 0; i < len(s); {
		k := i + 1
		for k < len(s) && s[k].prefix == s[i].prefix {
			k++
		}
		if k-i > 1 {
			sortAlike(t, s[i:k], scratch, depth)
		}
		i = k
	}
}

// sortAlike sorts slots whose keys are alike up to eight bytes behind depth,
// where missing bytes count as zeros, and leaves their numbers as they were.
func sortAlike(t *Table, s, scratch []slot, depth int) {
	prefix := s[0].prefix
	if len(s) <= fewSlots {
		sortSlots(t, s, scratch, depth)
		return
	}
	next, ended, on := depth+8, 0, 0
	if depth == 1 && (prefix == 0 || prefix == math.MaxUint64) {
		next = 0 // these numbers stand for other first bytes as well
	}
	// Keys that have ended precede those that go on: a proper prefix is less.
	for _, x := range s {
		if key := t.key(x.ref); len(key) <= next {
			s[ended] = slot{prefix: uint64(len(key)), ref: x.ref}
			ended++
		} else {
			scratch[on] = slot{prefix: Prefix(key[next:]), ref: x.ref}
			on++
		}
	}
	copy(s[ended:], scratch[:on])
	if ended > 0 {
		radixSort(s[:ended], scratch)
	}
	if on > 0 {
		sortSlots(t, s[ended:], scratch, next)
	}
	for i := range s {
		s[i].prefix = prefix
	}
}

// radixSort sorts slots by their numbers, keeping the order of equal ones.
func radixSort(s, scratch []slot) {
	var counts [8][256]uint32
	for i := range s {
		for b, p := 0, s[i].prefix; b < 8; b, p = b+1, p>>8 {
			counts[b][byte(p)]++
		}
	}
	from, to := s, scratch[:len(s)]
	for b := range 8 {
		count := &counts[b]
		if count[byte(s[0].prefix>>(8*b))] == uint32(len(s)) {
			continue // this byte is the same in all
		}
		sum := uint32(0)
		for i := range count {
			count[i], sum = sum, sum+count[i]
		}
		for i := range from {
			d := byte(from[i].prefix >> (8 * b))
			to[count[d]] = from[i]
			count[d]++
		}
		from, to = to, from
	}
	if &from[0] != &s[0] {
		copy(s, from)
	}
}
