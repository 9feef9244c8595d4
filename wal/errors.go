package wal

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("log is closed")
	// ErrPoisoned is wrapped by every error after a failed sync. Whether the
	// records pending then are in the log is known only after recovery.
	ErrPoisoned = errors.New("log is unusable after an I/O failure")
	// ErrCommitted refuses to truncate what has been applied.
	ErrCommitted = errors.New("log records are already committed")
	// ErrCompacted says that records asked for have been recycled.
	ErrCompacted = errors.New("log records are no longer kept")
)

// CorruptionError is damage below the durable mark.
type CorruptionError struct {
	File   string
	Offset int64
	LSN    LSN // the first record that is not there
	Detail string
}

func (e *CorruptionError) Error() string {
	return fmt.Sprintf("log file %s is damaged at offset %d (record %d): %s", e.File, e.Offset, e.LSN, e.Detail)
}

// VersionError is a file written by a newer server.
type VersionError struct {
	File    string
	Version int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("log file %s has format version %d, this server reads versions up to %d: start the newer server",
		e.File, e.Version, FormatVersion)
}

// TooLargeError refuses a record above MaxBodyBytes.
type TooLargeError struct{ Bytes int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("log record of %d bytes exceeds the limit of %d bytes", e.Bytes, MaxBodyBytes)
}

// InDoubtError says that a record could neither be written nor wiped out: the
// disk is full even for overwriting. It is not applied; should the server end
// before there is room to wipe it out, recovery may find it.
type InDoubtError struct{ Err error }

func (e *InDoubtError) Error() string { return "commit in doubt: " + e.Err.Error() }

func (e *InDoubtError) Unwrap() error { return e.Err }

// isSpace tells the errors that pass when somebody makes room.
func isSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, errQuota)
}
