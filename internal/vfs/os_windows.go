package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

var errNotDir error = windows.ERROR_DIRECTORY

// syncDir does nothing: NTFS journals directory entries itself and offers no
// way to flush one directory.
func syncDir(string) error { return nil }

func lockFile(f *os.File) error {
	var o windows.Overlapped
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &o)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}
