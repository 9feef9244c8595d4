package exec

import (
	"context"
	"errors"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/pgerr"
)

// serializationFailure adds what PostgreSQL says about failures that a read or
// write caused, and not the change of a row.
func serializationFailure(err error) error {
	failure := pgerr.New(pgerr.SerializationFailure, "%s", err.Error())
	var e *engine.SerializationError
	if errors.As(err, &e) && e.Detail != "" {
		failure = failure.WithDetail("%s", e.Detail).WithHint("The transaction might succeed if retried.")
	}
	return failure
}

// MapError turns the engine's errors into PostgreSQL's. Others stay as they are.
func MapError(err error) error {
	var user *pgerr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &user):
		return user
	case errors.Is(err, engine.ErrSerialization):
		return serializationFailure(err)
	case errors.Is(err, engine.ErrLockNotAvailable):
		return pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on row")
	case errors.Is(err, engine.ErrLockTimeout):
		return pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout")
	case errors.Is(err, engine.ErrDiskFull):
		return pgerr.New(pgerr.DiskFull, "could not write: no space left on device")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return pgerr.From(err)
	}
	var deadlock *engine.DeadlockError
	if errors.As(err, &deadlock) {
		return pgerr.New(pgerr.DeadlockDetected, "deadlock detected").WithDetail("%s", deadlock.Detail()).
			WithHint("See server log for query details.")
	}
	if damage, ok := engine.Corruption(err); ok {
		e := pgerr.New(pgerr.DataCorrupted, "%s", damage.Error())
		e.Store = uint64(damage.Store)
		return e
	}
	return err
}

// whileWaiting adds what a statement was doing with which row when its wait for
// another transaction was ended.
func (w *tableWriter) whileWaiting(err error, doing string, key []byte) error {
	var e *pgerr.Error
	if !errors.As(MapError(err), &e) || e.Where != "" {
		return err
	}
	switch e.Code {
	case pgerr.DeadlockDetected, pgerr.LockNotAvailable, pgerr.QueryCanceled:
	default:
		return err
	}
	if e.Code == pgerr.LockNotAvailable && !errors.Is(err, engine.ErrLockTimeout) {
		return err
	}
	page, tuple := engine.TupleID(w.store, key)
	told := *e
	return told.WithWhere("while %s tuple (%d,%d) in relation \"%s\"", doing, page, tuple, w.rel.Name)
}
