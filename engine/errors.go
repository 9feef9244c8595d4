package engine

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/txn"
	"github.com/omendb/omendb/wal"
)

// Errors of concurrency: the transaction may be tried again.
var (
	// ErrSerialization reports that a concurrent transaction changed what this one depends on.
	ErrSerialization = errors.New("could not serialize access")
	// ErrLockNotAvailable reports a lock that NoWait did not want to wait for.
	ErrLockNotAvailable = txn.ErrNotAvailable
	// ErrLockTimeout reports a lock that was waited for longer than SetLockTimeout allows.
	ErrLockTimeout = txn.ErrTimeout
)

// DeadlockError reports that transactions wait for each other, and this one was chosen to fail.
type DeadlockError = txn.DeadlockError

// Errors of use and of state.
var (
	ErrClosed        = errors.New("database is closed")
	ErrReadOnly      = errors.New("transaction is read-only")
	ErrTxnDone       = errors.New("transaction has already ended")
	ErrDiskFull      = errors.New("no space left on device")
	ErrSequenceLimit = errors.New("sequence reached its limit")
)

// SerializationError is an ErrSerialization with its cause.
type SerializationError struct {
	Reason string // "concurrent update", "concurrent delete", "read/write dependencies among transactions"
	Detail string // of the last of these: PostgreSQL's reason code
}

// Error implements error.
func (e *SerializationError) Error() string {
	return "could not serialize access due to " + e.Reason
}

// Is makes errors.Is find ErrSerialization.
func (e *SerializationError) Is(target error) bool { return target == ErrSerialization }

// KeyExistsError reports that a key to be inserted has a live row.
type KeyExistsError struct {
	Store StoreID
	Key   []byte
	Row   []column.Datum
	Own   bool // the row was written by the inserting transaction itself
}

// Error implements error.
func (e *KeyExistsError) Error() string {
	return fmt.Sprintf("key %x already exists in store %d", e.Key, e.Store)
}

// StoreNotFoundError reports a store that does not exist for the caller.
type StoreNotFoundError struct{ Store StoreID }

// Error implements error.
func (e *StoreNotFoundError) Error() string { return fmt.Sprintf("store %d does not exist", e.Store) }

// CorruptionError reports bytes on disk that are not what was written.
type CorruptionError struct {
	File   string
	Offset int64
	Detail string
	Store  StoreID // whose rows the file holds; 0 when that is not known
}

// Error implements error.
func (e *CorruptionError) Error() string {
	return fmt.Sprintf("file %s is damaged at offset %d: %s", e.File, e.Offset, e.Detail)
}

// VersionError reports a file that a newer program wrote.
type VersionError struct {
	File    string
	Version int
	Known   int
}

// Error implements error.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format version %d, this program knows versions up to %d: use the newer program", e.File, e.Version, e.Known)
}

// Corruption returns the damage that an error reports, wherever in the engine it was found.
func Corruption(err error) (*CorruptionError, bool) {
	var own *CorruptionError
	var seg *segment.CorruptionError
	var log *wal.CorruptionError
	switch {
	case errors.As(err, &own):
		return own, true
	case errors.As(err, &seg):
		return &CorruptionError{File: seg.File, Offset: seg.Offset, Detail: seg.Detail, Store: StoreID(seg.Store)}, true
	case errors.As(err, &log):
		return &CorruptionError{File: log.File, Offset: log.Offset, Detail: log.Detail}, true
	}
	return nil, false
}

// ioError marks a full disk as ErrDiskFull.
func ioError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}
