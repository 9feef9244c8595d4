package column

import (
	"syscall"
	"testing"
)

// guarded returns memory that can be read and written up to end, and not behind it.
func guarded(t *testing.T) (mem []byte, end int, free func()) {
	size := syscall.Getpagesize()
	mem, err := syscall.Mmap(-1, 0, 2*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Skip(err)
	}
	if err := syscall.Mprotect(mem[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return mem, size, func() { _ = syscall.Munmap(mem) } // the process ends soon
}
