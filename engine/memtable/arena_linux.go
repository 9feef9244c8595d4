//go:build linux

package memtable

import (
	"syscall"
	"unsafe"
)

// hugePage is what the kernel maps at once where it is asked to.
const hugePage = 2 << 20

// adviseSlab asks for huge pages for a large slab: fewer faults while it is
// filled, and fewer address translations missed later.
func adviseSlab(p unsafe.Pointer, size int) {
	if size >= 2*hugePage {
		wantHuge(p, size)
	}
}

// wantHuge asks for huge pages for a slab, and for what lies beside it in its
// first and last one: two slabs side by side would have small ones there.
func wantHuge(p unsafe.Pointer, size int) {
	start := uintptr(p) &^ (hugePage - 1)
	end := (uintptr(p) + uintptr(size) + hugePage - 1) &^ (hugePage - 1)
	// Advice: the kernel may decline.
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, start, end-start, syscall.MADV_HUGEPAGE)
}
