//go:build !linux

package vfs

import "os"

func syncData(f *os.File) error { return f.Sync() }

func preallocate(f *os.File, from, to int64) error { return writeZeros(f, from, to) }
