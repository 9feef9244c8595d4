package memtable

import (
	"bytes"
	"math/bits"
	"slices"
	"sync/atomic"
)

// directory lists pages. A page is replaced in its place when one of its leaves
// splits, the directory when a page does.
type directory struct {
	fences
	pages []atomic.Pointer[page]
}

// maxPage leaves are in a page at most: what a split copies, and a search of
// the page reads.
const maxPage = 64

// page lists leaves. Only the counts change while it stands. Once another page
// has taken its place, a leaf of it that was split may be used again: who has
// read a leaf asks whether the page is outdated, and if so begins anew.
type page struct {
	fences
	outdated uint32 // published
	leaves   []*leaf
	counts   []uint32 // slots of each leaf that readers may see; published
	fills    []uint32 // slots of each leaf; writer only
}

// isOutdated reports whether what was read from a leaf may have been that of another one.
func (p *page) isOutdated() bool { return atomic.LoadUint32(&p.outdated) != 0 }

// count returns how many slots of leaf i a reader sees.
func (p *page) count(i int) int { return int(atomic.LoadUint32(&p.counts[i])) }

// fences separate the children of a directory or a page: fence i is the least
// key that child i+1 had when it was made, and nothing below it belongs there.
// They are told apart by numbers that order like the keys, and by the keys
// where those are alike: their prefixes, or when all of these are alike the
// eight bytes behind what all fences begin with.
type fences struct {
	numbers []uint64
	refs    []uint64
	begin   []byte // what all begin with, if the numbers stand behind it; else nil
}

// search returns the child to which the key of a slot belongs.
func (f *fences) search(t *Table, s *slot) int {
	if f.begin != nil {
		return f.searchKey(t, s.prefix, t.key(s.ref))
	}
	i := lowerBound(f.numbers, s.prefix)
	if i == len(f.numbers) || f.numbers[i] != s.prefix {
		return i
	}
	return f.searchKey(t, s.prefix, t.key(s.ref))
}

// searchKey returns the child to which a key with a prefix belongs.
func (f *fences) searchKey(t *Table, prefix uint64, key []byte) int {
	x := prefix
	if f.begin != nil {
		if !bytes.HasPrefix(key, f.begin) {
			if bytes.Compare(key, f.begin) < 0 {
				return 0
			}
			return len(f.numbers)
		}
		x = Prefix(key[len(f.begin):])
	}
	i := lowerBound(f.numbers, x)
	if i == len(f.numbers) || f.numbers[i] != x {
		return i
	}
	hi := i + 1
	if hi < len(f.numbers) && f.numbers[hi] == x {
		if hi = len(f.numbers); x+1 != 0 {
			hi = lowerBound(f.numbers, x+1)
		}
	}
	for i < hi {
		if m := int(uint(i+hi) >> 1); bytes.Compare(t.key(f.refs[m]), key) <= 0 {
			i = m + 1
		} else {
			hi = m
		}
	}
	return i
}

// lowerBound returns the first place of ascending numbers that is not below x.
// Its steps are arithmetic: the processor would guess every second branch wrong.
func lowerBound(numbers []uint64, x uint64) int {
	base, n := 0, len(numbers)
	for n > 1 {
		half := n >> 1
		_, below := bits.Sub64(numbers[base+half-1], x, 0)
		base += half & -int(below)
		n -= half
	}
	if n == 1 {
		_, below := bits.Sub64(numbers[base], x, 0)
		base += int(below)
	}
	return base
}

// insert returns the fences with s before fence i.
func (f *fences) insert(t *Table, i int, s slot) fences {
	next := fences{make([]uint64, len(f.numbers)+1), slices.Insert(slices.Clone(f.refs), i, s.ref), f.begin}
	copy(next.numbers, f.numbers[:i])
	next.numbers[i] = s.prefix
	copy(next.numbers[i+1:], f.numbers[i:])
	if f.begin != nil {
		if key := t.key(s.ref); bytes.HasPrefix(key, f.begin) {
			next.numbers[i] = Prefix(key[len(f.begin):])
			return next
		}
		next.number(t)
	} else if last := len(f.numbers); last > 0 && next.numbers[0] == next.numbers[last] {
		next.number(t)
	}
	return next
}

// cut returns the fences from i up to k.
func (f *fences) cut(t *Table, i, k int) fences {
	part := fences{f.numbers[i:k:k], f.refs[i:k:k], f.begin}
	if f.begin != nil {
		part.numbers = slices.Clone(part.numbers)
		part.number(t)
	}
	return part
}

// number makes the numbers anew.
func (f *fences) number(t *Table) {
	f.begin = nil
	if len(f.refs) == 0 {
		return
	}
	first, last := t.key(f.refs[0]), t.key(f.refs[len(f.refs)-1])
	if t.prefix(first) == t.prefix(last) {
		n := common(first, last)
		f.begin = first[:n:n]
	}
	for i, ref := range f.refs {
		if key := t.key(ref); f.begin != nil {
			f.numbers[i] = Prefix(key[len(f.begin):])
		} else {
			f.numbers[i] = t.prefix(key)
		}
	}
}
