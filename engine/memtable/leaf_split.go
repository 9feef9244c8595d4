package memtable

import (
	"math/bits"
	"slices"
)

// splitter distributes the records of a full leaf, and one more, over two
// leaves. It is scratch of the writer.
type splitter struct {
	slots        [leafSlots + 1]slot
	numbers      [leafSlots + 1]uint64 // that order like the keys
	lower, upper [leafSlots + 1]slot
}

// splitLeaf puts the slots of a leaf and s into two leaves, of which one may be
// the leaf that there is. All keys of the upper one are above those of the
// lower one, which has n, and least is the least of them.
func (r *randomLane) splitLeaf(t *Table, lf *leaf, s slot) (lower, upper *leaf, n int, least slot) {
	if r.sp == nil {
		r.sp = new(splitter)
	}
	sp := r.sp
	copy(sp.slots[:], lf[:])
	sp.slots[leafSlots] = s
	switch below, above := sp.beside(t, s); {
	case !below: // keys in descending order
		lower = r.newLeaf()
		lower[0] = s
		return lower, lf, 1, t.least(sp.slots[:leafSlots])
	case !above: // keys in ascending order: the leaves that they fill are full
		upper = r.newLeaf()
		upper[0] = s
		return lf, upper, leafSlots, s
	}
	sp.number(t)
	middle, ok := sp.middle()
	if !ok {
		middle = sp.sort(t)
	}
	m := 0
	for i := range sp.slots { // writes every slot to both sides, which is faster than to guess the right one
		x := sp.slots[i]
		sp.lower[n], sp.upper[m] = x, x
		_, below := bits.Sub64(sp.numbers[i], middle, 0)
		n, m = n+int(below), m+1-int(below)
		if sp.numbers[i] == middle && (least.ref == 0 || t.less(x, least)) {
			least = x
		}
	}
	lower, upper = r.newLeaf(), r.newLeaf()
	copy(lower[:], sp.lower[:n])
	copy(upper[:], sp.upper[:m])
	return lower, upper, n, least
}

// beside reports whether any of the leaf's keys is below s, and above it.
func (sp *splitter) beside(t *Table, s slot) (below, above bool) {
	for _, x := range sp.slots[:leafSlots] {
		if t.less(x, s) {
			below = true
		} else {
			above = true
		}
		if below && above {
			break
		}
	}
	return below, above
}

// number finds numbers for the keys: their prefixes, or when those are all
// alike the eight bytes behind what all keys begin with.
func (sp *splitter) number(t *Table) {
	alike := true
	for i, x := range sp.slots {
		sp.numbers[i] = x.prefix
		alike = alike && x.prefix == sp.slots[0].prefix
	}
	if !alike {
		return
	}
	first := t.key(sp.slots[0].ref)
	n := len(first)
	for _, x := range sp.slots[1:] {
		n = common(first[:n], t.key(x.ref))
	}
	for i, x := range sp.slots {
		sp.numbers[i] = Prefix(t.key(x.ref)[n:])
	}
}

// common returns how many bytes two keys have in common at their beginning.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// sampled numbers tell the middle closely enough.
const sampled = 15

// middle returns one of the numbers that about as many are below as above, and
// one at least below. There is none if all are alike.
func (sp *splitter) middle() (middle uint64, ok bool) {
	var sample [sampled]uint64
	for i := range sample {
		sample[i] = sp.numbers[(2*i+1)*len(sp.numbers)/(2*sampled)]
	}
	slices.Sort(sample[:])
	middle, least := sample[sampled/2], slices.Min(sp.numbers[:])
	if middle > least {
		return middle, true
	}
	for _, x := range sp.numbers {
		if x > least && (!ok || x < middle) {
			middle, ok = x, true
		}
	}
	return middle, ok
}

// sort makes the numbers the places of the keys in order, and returns the
// middle one.
func (sp *splitter) sort(t *Table) (middle uint64) {
	order := slices.Clone(sp.slots[:])
	slices.SortFunc(order, t.order)
	for i, x := range sp.slots {
		sp.numbers[i] = uint64(slices.Index(order, x))
	}
	return uint64(len(order) / 2)
}

// least returns the slot with the least key.
func (t *Table) least(s []slot) slot {
	least := s[0]
	for _, x := range s[1:] {
		if t.less(x, least) {
			least = x
		}
	}
	return least
}
