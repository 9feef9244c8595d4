//go:build amd64 && !race

package memtable

import "unsafe"

// recycles says whether leaves that have been split are used again. Readers may
// be at them, and loads must not overtake each other then.
const recycles = true

// publish32 and publish64 store a word after everything that was stored before
// it, so that whoever loads it atomically sees all of that. They wait for
// nothing, as the stores of sync/atomic do on this processor: those hold back
// what follows until all cache lines written before have arrived.
//
//go:noescape
func publish32(p *uint32, x uint32)

//go:noescape
func publish64(p *uint64, x uint64)

// prefetch asks for the cache line of p, which need not be there, and does not wait.
//
//go:noescape
func prefetch(p unsafe.Pointer)
