//go:build linux

package memtable

import (
	"syscall"
	"unsafe"
)

// hugePage is what the kernel maps at once where it is asked to.
const hugePage = 2 << 20

// newSlab allocates the words of a slab. Large ones ask for huge pages: fewer
// faults while they are filled, and fewer address translations missed later.
// The memory is the collector's all the same, which does not look into it.
func newSlab(n int) []uint64 {
	words := make([]uint64, n)
	if 8*n >= 2*hugePage {
		wantHuge(unsafe.Pointer(unsafe.SliceData(words)), 8*n)
	}
	return words
}

// newLeaves allocates leaves that lie side by side.
func newLeaves(n int) []leaf {
	leaves := make([]leaf, n)
	if size := n * int(unsafe.Sizeof(leaves[0])); size >= 2*hugePage {
		wantHuge(unsafe.Pointer(unsafe.SliceData(leaves)), size)
	}
	return leaves
}

// wantHuge asks for huge pages for a slab, and for what lies beside it in its
// first and last one: two slabs side by side would have small ones there.
func wantHuge(p unsafe.Pointer, size int) {
	start := uintptr(p) &^ (hugePage - 1)
	end := (uintptr(p) + uintptr(size) + hugePage - 1) &^ (hugePage - 1)
	// Advice: the kernel may decline.
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, start, end-start, syscall.MADV_HUGEPAGE)
}
