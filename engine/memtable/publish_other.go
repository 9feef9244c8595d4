//go:build !amd64 || race

package memtable

import (
	"sync/atomic"
	"unsafe"
)

// recycles says whether leaves that have been split are used again: that would
// be a race with readers who then throw away what they have read.
const recycles = false

// publish32 and publish64 store a word after everything that was stored before
// it, so that whoever loads it atomically sees all of that.
func publish32(p *uint32, x uint32) { atomic.StoreUint32(p, x) }

func publish64(p *uint64, x uint64) { atomic.StoreUint64(p, x) }

// prefetch may ask for the cache line of p.
func prefetch(unsafe.Pointer) {}
