//go:build !linux

package memtable

import "unsafe"

// adviseSlab may ask for huge pages.
func adviseSlab(unsafe.Pointer, int) {}
