package memtable

import (
	"slices"
)

// leafSlots are few enough to be sorted when a scan comes by, and many enough
// that the directory above is small.
const leafSlots = 128

// leaf holds the slots of a range of keys in order of arrival. How many there
// are is in the page above it.
type leaf [leafSlots]slot

// sorted returns the leaf's first n slots in order, in dst.
func (lf *leaf) sorted(t *Table, n int, dst []slot) []slot {
	dst = append(dst[:0], lf[:n]...)
	slices.SortFunc(dst, t.order)
	return dst
}

// bounds are the ends of a range of keys, with their prefixes; nil is open.
type bounds struct {
	lower, upper             []byte
	lowerPrefix, upperPrefix uint64
}

func (b *bounds) set(t *Table, lower, upper []byte) {
	*b = bounds{lower: lower, upper: upper}
	if lower != nil {
		b.lowerPrefix = t.prefix(lower)
	}
	if upper != nil {
		b.upperPrefix = t.prefix(upper)
	}
}

func (b *bounds) hold(t *Table, s slot) bool {
	return (b.lower == nil || t.compare(s, b.lowerPrefix, b.lower) >= 0) &&
		(b.upper == nil || t.compare(s, b.upperPrefix, b.upper) < 0)
}

// within returns those of the leaf's first n slots that lie in a range, in
// order, in dst.
func (lf *leaf) within(t *Table, n int, b *bounds, dst []slot) []slot {
	dst = dst[:0]
	for i := range lf[:n] {
		if s := lf[i]; b.hold(t, s) {
			dst = append(dst, s)
		}
	}
	slices.SortFunc(dst, t.order)
	return dst
}

// count returns how many of the leaf's first n slots lie in a range.
func (lf *leaf) count(t *Table, n int, b *bounds) (count int) {
	for i := range lf[:n] {
		if b.hold(t, lf[i]) {
			count++
		}
	}
	return count
}

// splitter distributes the slots of a full leaf and one more over two leaves.
type splitter struct {
	all          [leafSlots + 1]slot
	lower, upper [leafSlots + 1]slot
}

// split puts the slots and s into two leaves: all keys of the second are above
// those of the first, and first is not above them. Keys that came in ascending
// order stay together, so that leaves they fill are full.
func (sp *splitter) split(t *Table, lf *leaf, s slot, lower, upper *leaf) (n, m int, first slot) {
	copy(sp.all[:], lf[:])
	sp.all[leafSlots] = s
	if ascending(t, sp.all[:]) {
		copy(lower[:], lf[:])
		upper[0] = s
		return leafSlots, 1, s
	}
	first = t.middle(sp.all[:])
	n, m, alike := sp.halve(first.prefix)
	if alike > 1 || n == 0 || m == 0 || n > leafSlots || m > leafSlots { // the numbers do not tell, or the sample was a bad one
		slices.SortFunc(sp.all[:], t.order)
		n = copy(lower[:], sp.all[:leafSlots/2])
		return n, copy(upper[:], sp.all[leafSlots/2:]), sp.all[leafSlots/2]
	}
	copy(lower[:], sp.lower[:n])
	copy(upper[:], sp.upper[:m])
	return n, m, first
}

// halve distributes by the numbers, and counts those that are the middle one.
// It writes every slot to both sides, which is faster than to guess the right one.
func (sp *splitter) halve(middle uint64) (n, m, alike int) {
	for i := range sp.all {
		x := sp.all[i]
		sp.lower[n], sp.upper[m] = x, x
		below, same := 0, 0
		if x.prefix < middle {
			below = 1
		}
		if x.prefix == middle {
			same = 1
		}
		n, m, alike = n+below, m+1-below, alike+same
	}
	return n, m, alike
}

func ascending(t *Table, s []slot) bool {
	for i := 1; i < len(s); i++ {
		if !t.less(s[i-1], s[i]) {
			return false
		}
	}
	return true
}

// sampled slots tell the middle of a leaf closely enough.
const sampled = 15

// middle returns a slot that about as many are below as above.
func (t *Table) middle(s []slot) slot {
	var sample [sampled]slot
	for i := range sample {
		sample[i] = s[(2*i+1)*len(s)/(2*sampled)]
	}
	slices.SortFunc(sample[:], t.order)
	return sample[sampled/2]
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
