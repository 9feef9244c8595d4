package engine

import (
	"errors"
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/txn"
)

// Errors of concurrency: the transaction may be tried again.
var (
	// ErrSerialization reports that a concurrent transaction changed what this one depends on.
	ErrSerialization = errors.New("could not serialize access")
	// ErrLockNotAvailable reports a lock that NoWait did not want to wait for.
	ErrLockNotAvailable = txn.ErrNotAvailable
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
