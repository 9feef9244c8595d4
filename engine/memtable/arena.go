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
	used  int   // bytes used in the last slab
	bytes int64 // bytes allocated in all slabs
}

// alloc returns a reference to n fresh bytes, and the bytes.
func (a *arena) alloc(n int) (ref uint64, b []byte) {
	p := a.slabs.Load()
	var slabs [][]byte
	if p != nil {
		slabs = *p
	}
	last := len(slabs) - 1
	if last < 0 || len(slabs[last])-a.used < n {
		size := minSlab
		if last >= 0 {
			size = min(2*len(slabs[last]), maxSlab)
		}
		size = max(size, n)
		grown := make([][]byte, len(slabs)+1)
		copy(grown, slabs)
		last++
		grown[last] = make([]byte, size)
		a.used, a.bytes = 0, a.bytes+int64(size)
		slabs = grown
		a.slabs.Store(&grown)
	}
	ref = uint64(last)<<32 | uint64(a.used)
	b = slabs[last][a.used : a.used+n : a.used+n]
	a.used += n
	return ref, b
}

// at returns the bytes from a reference to the end of its slab.
func (a *arena) at(ref uint64) []byte {
	return (*a.slabs.Load())[ref>>32][uint32(ref):]
}
