package memtable

import (
	"math"
	"unsafe"
)

// leafSlots are few enough to be sorted when a scan comes by, and many enough
// that the directory above and the ends of all leaves, where inserts go, stay in
// the processor's cache: with a million keys those are 180 kB.
const leafSlots = 512

// leaf holds the slots of a range of keys in order of arrival. How many there
// are is in the page above it.
type leaf [leafSlots]slot

// at returns a slot's place. It does not look whether there is a leaf: that
// would read its first cache line, which is seldom the one that is wanted.
func (lf *leaf) at(i uint32) *slot {
	return (*slot)(unsafe.Add(unsafe.Pointer(lf), uintptr(i%leafSlots)*unsafe.Sizeof(slot{})))
}

// within returns those of the leaf's first n slots that lie in a range, in
// order, in dst. A nil range has all.
func (lf *leaf) within(t *Table, n int, b *bounds, dst []slot) []slot {
	if dst = dst[:0]; b == nil {
		dst = append(dst, lf[:n]...)
	} else {
		lower, width := b.prefixes()
		for i := range lf[:n] {
			if s := lf[i]; s.prefix-lower <= width && b.hold(t, s) {
				dst = append(dst, s)
			}
		}
	}
	sortSlots(t, dst, nil, 1)
	return dst
}

// count returns how many of the leaf's first n slots lie in a range.
func (lf *leaf) count(t *Table, n int, b *bounds) (count int) {
	lower, width := b.prefixes()
	for i := range lf[:n] {
		if s := lf[i]; s.prefix-lower <= width && b.hold(t, s) {
			count++
		}
	}
	return count
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

// prefixes returns the least prefix of keys in the range, and how far above it
// the greatest is.
func (b *bounds) prefixes() (lower, width uint64) {
	upper := uint64(math.MaxUint64)
	if b.lower != nil {
		lower = b.lowerPrefix
	}
	if b.upper != nil {
		upper = max(b.upperPrefix, lower)
	}
	return lower, upper - lower
}

func (b *bounds) hold(t *Table, s slot) bool {
	return (b.lower == nil || t.compare(s, b.lowerPrefix, b.lower) >= 0) &&
		(b.upper == nil || t.compare(s, b.upperPrefix, b.upper) < 0)
}
