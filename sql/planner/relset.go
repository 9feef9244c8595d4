package planner

import "math/bits"

// maxRels bounds the range table of one query level after subqueries were
// pulled up: the width of a relSet. PostgreSQL has no such limit, but its
// planner is of no use beyond either.
const maxRels = 512

// relSet is a set of range-table indexes of one query level.
type relSet [maxRels / 64]uint64

func relOf(i int) (s relSet) {
	s[i>>6] = 1 << (uint(i) & 63)
	return s
}

func (s relSet) has(i int) bool { return s[i>>6]&(1<<(uint(i)&63)) != 0 }

func (s relSet) union(t relSet) relSet {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

func (s relSet) minus(t relSet) relSet {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

func (s relSet) contains(t relSet) bool {
	for i := range s {
		if t[i]&^s[i] != 0 {
			return false
		}
	}
	return true
}

func (s relSet) overlaps(t relSet) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

func (s relSet) empty() bool { return s == relSet{} }

// each calls f for every member in ascending order.
func (s relSet) count() (n int) {
	s.each(func(int) { n++ })
	return n
}

func (s relSet) each(f func(int)) {
	for i, w := range s {
		for w != 0 {
			f(i<<6 + bits.TrailingZeros64(w))
			w &= w - 1
		}
	}
}
