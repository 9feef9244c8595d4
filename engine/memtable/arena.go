package memtable

import "sync/atomic"

// Slabs start small, because a server has hundreds of nearly empty stores, and
// double up to the size at which an allocation is cheap per byte.
const (
	minSlab = 1 << 10
	maxSlab = 1 << 20
)

// arena hands out byte ranges that never move. One writer allocates; any
// number of readers resolve references that were published to them.
type arena struct {
	slabs atomic.Pointer[[][]byte]
	used  int    // bytes used in the last slab
	bytes int64  // bytes allocated in all slabs
	last  []byte // the last slab; writer only
	base  uint64 // reference of its start; writer only
}

// alloc returns a reference to n fresh bytes, and the bytes.
func (a *arena) alloc(n int) (ref uint64, b []byte) {
	if len(a.last)-a.used < n {
		a.grow(n)
	}
	ref = a.base | uint64(a.used)
	b = a.last[a.used : a.used+n : a.used+n]
	a.used += n
	return ref, b
}

// grow adds a slab with room for n bytes.
func (a *arena) grow(n int) {
	var slabs [][]byte
	if p := a.slabs.Load(); p != nil {
		slabs = *p
	}
	size := max(min(max(2*len(a.last), minSlab), maxSlab), n)
	grown := make([][]byte, len(slabs)+1)
	copy(grown, slabs)
	a.last, a.base = make([]byte, size), uint64(len(slabs))<<32
	grown[len(slabs)] = a.last
	a.used, a.bytes = 0, a.bytes+int64(size)
	a.slabs.Store(&grown)
}

// at returns the bytes from a reference to the end of its slab.
func (a *arena) at(ref uint64) []byte {
	return (*a.slabs.Load())[ref>>32][uint32(ref):]
}
