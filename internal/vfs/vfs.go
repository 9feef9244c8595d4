// Package vfs is the file system as the engine and the log see it. Nothing
// else in the server opens files for data, so that a test can replace the
// disk by a memory that loses unsynced writes or fails the n-th operation.
//
// Durability follows POSIX: bytes are durable after File.Sync, and a created,
// renamed or removed name is durable after FS.SyncDir of its directory.
package vfs

import (
	"errors"
	"io"
	"os"
	"path"
)

// FS is a file system. Paths are slash-separated. Errors wrap the os sentinel
// errors (os.ErrNotExist, os.ErrExist, …) and syscall errors such as ENOSPC.
type FS interface {
	// Create makes a new empty file for reading and writing, truncating an old one.
	Create(name string) (File, error)
	// Open opens an existing file for reading.
	Open(name string) (File, error)
	// OpenReadWrite opens an existing file for reading and writing.
	OpenReadWrite(name string) (File, error)
	// Rename replaces newName by oldName atomically.
	Rename(oldName, newName string) error
	// Link makes newName another name of oldName.
	Link(oldName, newName string) error
	Remove(name string) error
	// MkdirAll makes a directory and its parents (mode 0700); they are durable
	// when it returns.
	MkdirAll(name string) error
	// List returns the names in a directory, sorted.
	List(dir string) ([]string, error)
	Stat(name string) (os.FileInfo, error)
	// SyncDir makes the directory's entries durable.
	SyncDir(dir string) error
	// Lock takes an exclusive lock held until Close or the end of the process.
	// A lock that another process holds is ErrLocked.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt and WriteAt may be called concurrently.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the file's bytes and size durable.
	Sync() error
	// SyncData makes the file's bytes durable; the size must not have changed.
	SyncData() error
	Truncate(size int64) error
	// Preallocate reserves room so that writes below size cannot run out of
	// space; the file has that size afterwards and reads as zeros.
	Preallocate(size int64) error
	Size() (int64, error)
}

// ErrLocked says that somebody else holds a lock: another process, or another
// opener in this one.
var ErrLocked = errors.New("locked by another opener")

// ReadFile reads a whole file.
func ReadFile(fs FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, size)
	n, err := f.ReadAt(buf, 0)
	if err == io.EOF {
		err = nil
	}
	return buf[:n], err
}

// WriteFile replaces name by data atomically and durably: a temporary file in
// the same directory is written, synced and renamed, then the directory is
// synced.
func WriteFile(fs FS, name string, data []byte) error {
	tmp := name + ".tmp"
	f, err := fs.Create(tmp)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fs.Rename(tmp, name)
	}
	if err != nil {
		_ = fs.Remove(tmp) // the first error is the one to report
		return err
	}
	return fs.SyncDir(path.Dir(name))
}
