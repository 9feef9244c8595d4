//go:build !amd64

package column

// unpackMost unpacks some of the values and returns how many: none here.
func unpackMost([]int64, []byte, int, uint64) int { return 0 }

// prefetchLines may ask for n cache lines from that of p on.
func prefetchLines(*byte, int) {}

// prefetchEach may ask for the cache lines of n addresses.
func prefetchEach(*uintptr, int) {}
