package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestHeapReserveGivesWayToALimit(t *testing.T) {
	if got := len(reserveHeap()); got != heapReserve {
		t.Errorf("%d bytes without a limit, want %d", got, heapReserve)
	}
	before := debug.SetMemoryLimit(math.MaxInt64 - 1)
	defer debug.SetMemoryLimit(before)
	if got := len(reserveHeap()); got != 0 {
		t.Errorf("%d bytes beside a limit of memory, want none", got)
	}
}
