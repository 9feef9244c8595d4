package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugeSlice returns a slice of n values, which hold no pointers, on huge pages
// where the kernel has any left: the address of a cell in a large array is
// then rarely missing in the processor's tables. OmenDB's cache of blocks does
// the same. release gives the memory back.
func hugeSlice[T any](n int) (s []T, release func()) {
	const hugePages = 32 << 20 // smaller arrays need none
	size := n * int(unsafe.Sizeof(*new(T)))
	if size < hugePages {
		return make([]T, n), func() {}
	}
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return make([]T, n), func() {}
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE)                                                          // advice: the kernel may decline
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), func() { _ = unix.Munmap(b) } // only fails for a range that is not mapped
}
