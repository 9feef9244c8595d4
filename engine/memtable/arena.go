package memtable

import (
	"strings"
	"sync/atomic"
	"unsafe"
)

// Slabs start small, because a server has hundreds of nearly empty stores, and
// double up to the size at which an allocation is cheap per byte and huge
// pages fit in. References count words of eight bytes in an address space of
// units; a slab takes the units that it needs, and one at least.
const (
	minSlab  = 1 << 7  // words
	maxSlab  = 1 << 19 // words: 4 MB
	unitBits = 17      // of the offset in a unit of 1 MB
	unitMask = 1<<unitBits - 1
)

// bigRecord is the share of the current slab, or of a unit, above which a record gets a slab
// of its own, so that little of the current one is lost. Such a slab takes a unit, of which an
// address space of 16 GB has 16384: smaller records would use them up.
const bigRecord = 8

// firstWord keeps reference 0 free, and records of 64 bytes on cache lines.
const firstWord = 8

// arena hands out ranges of words that never move. One writer allocates; any
// number of readers resolve references that were published to them.
type arena struct {
	units atomic.Pointer[[][]uint64] // from the start of each unit to the end of its slab
	last  []uint64                   // the slab that is being filled; writer only
	used  int                        // words used of it
	base  uint64                     // reference of its start
	bytes int64                      // bytes allocated in all slabs

	reserve *Reserve // nil: of none
}

// alloc returns a reference to n fresh words, and the words, which hold anything.
func (a *arena) alloc(n int) (ref uint64, w []uint64) {
	if len(a.last)-a.used < n {
		return a.allocSlow(n)
	}
	ref = a.base + uint64(a.used)
	w = a.last[a.used : a.used+n : a.used+n]
	a.used += n
	return ref, w
}

func (a *arena) allocSlow(n int) (ref uint64, w []uint64) {
	if n > max(len(a.last), 1<<unitBits)/bigRecord && a.last != nil {
		base, words := a.grow(n)
		return base, words[:n:n]
	}
	a.base, a.last = a.grow(max(min(2*len(a.last), maxSlab), minSlab, n+firstWord))
	a.used = firstWord
	return a.alloc(n)
}

// grow adds a slab of n words.
func (a *arena) grow(n int) (base uint64, words []uint64) {
	var units [][]uint64
	if p := a.units.Load(); p != nil {
		units = *p
	}
	if a.reserve != nil && n >= pieceWords && n <= maxSlab {
		words = a.reserve.slab(n)
	} else {
		words = unsafe.Slice((*uint64)(newMemory(8*n)), n)
	}
	base = uint64(len(units)) << unitBits
	for at := 0; at < n; at += 1 << unitBits {
		units = append(units, words[at:]) // readers do not look behind the length that they know
	}
	a.bytes += int64(n) * 8
	a.units.Store(&units)
	return base, words
}

// newMemory returns memory for a slab that is not cleared: its words are written
// before they are read, and to clear them would take as long as to write them.
// It is the collector's all the same, which does not look into it. The builder
// is the library's way to such memory; nobody has its string.
func newMemory(size int) unsafe.Pointer {
	var b strings.Builder
	b.Grow(size)
	b.WriteByte(0)
	p := unsafe.Pointer(unsafe.StringData(b.String()))
	adviseSlab(p, size)
	return p
}

// newSlab returns the words of a slab, which are zero.
func newSlab(n int) []uint64 {
	words := make([]uint64, n)
	adviseSlab(unsafe.Pointer(unsafe.SliceData(words)), 8*n)
	return words
}

// leaves returns leaves that lie side by side, and whose slots hold anything.
func (r *Reserve) leaves(n int) []leaf {
	if size := 2 * leafSlots * n; r != nil && size >= pieceWords {
		return unsafe.Slice((*leaf)(unsafe.Pointer(unsafe.SliceData(r.slab(size)))), n)
	}
	return unsafe.Slice((*leaf)(newMemory(n*int(unsafe.Sizeof(leaf{})))), n)
}

// at returns the words from a reference to the end of its slab.
func (a *arena) at(ref uint64) []uint64 {
	return (*a.units.Load())[ref>>unitBits][ref&unitMask:]
}

// bytesOf returns n bytes of words from byte off on.
func bytesOf(words []uint64, off, n int) []byte {
	all := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))
	return all[off : off+n : off+n]
}
