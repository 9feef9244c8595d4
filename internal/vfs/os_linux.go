package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData skips the metadata that reading the bytes back does not need. The
// error is not retried: after a failed sync the kernel may have dropped the
// dirty pages, and a second call would report success.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}

// preallocate reserves blocks; file systems without fallocate get zeros.
func preallocate(f *os.File, from, to int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, from, to-from)
		switch {
		case err == nil:
			return nil
		case err == unix.EINTR:
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return writeZeros(f, from, to)
		}
		return &os.PathError{Op: "fallocate", Path: f.Name(), Err: err}
	}
}
