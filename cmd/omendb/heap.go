package main

import (
	"math"
	"runtime/debug"
)

// heapReserve is counted as live by the garbage collector and never touched, so
// that it costs address space only. Cached blocks and rows stand outside the
// heap, so what is live there is tens of MB; the collector, which waits until the heap
// has doubled, would mark all of it for every few batches of a large query. With
// the reserve it lets at least so much garbage gather.
const heapReserve = 128 << 20

// reserveHeap returns the reserve, which counts as long as it is kept alive;
// nothing where the operator has set a limit of memory (GOMEMLIMIT).
func reserveHeap() []byte {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return nil
	}
	return make([]byte, heapReserve)
}
