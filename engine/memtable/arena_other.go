//go:build !linux

package memtable

// newSlab allocates the words of a slab.
func newSlab(n int) []uint64 { return make([]uint64, n) }

// newLeaves allocates leaves that lie side by side.
func newLeaves(n int) []leaf { return make([]leaf, n) }
