package engine

import (
	"context"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/txn"
)

// Reader reads single rows of the newest committed state outside of
// transactions: a query of one row in a transaction of its own needs no more.
// Each Get has its own snapshot. It is used by one goroutine at a time, the one
// that runs the transactions of the same process.
//
// Get needs no registered timestamp, as a Snapshot does: it reads from a view
// that it holds, from which nothing is taken away, at a timestamp that is read
// after the view was taken. What it returns was the newest committed version of
// the key at some moment during the call.
type Reader struct {
	snap  Snapshot
	owner *txn.Owner
	table uint64 // locked, 0 for none
	held  bool
}

// NewReader returns the reader of a process.
func (db *DB) NewReader(pid int32) *Reader {
	return &Reader{snap: Snapshot{db: db}, owner: db.owner(pid)}
}

// LockTable takes the lock of a reader of a table, if it can be had at once.
// The reader keeps it until Close; a transaction that the process begins before
// that takes it over.
func (r *Reader) LockTable(oid uint64) bool {
	if r.held && r.table == oid {
		return true
	}
	_, err := r.snap.db.locks.Acquire(context.Background(), r.owner, txn.Tag{Kind: txn.Table, B: oid}, txn.AccessShare, txn.Transaction, txn.NoWait, 0)
	if err != nil {
		return false
	}
	r.table, r.held = oid, true
	return true
}

// SetNoModel makes reads search without the learned models. Results are the same.
func (r *Reader) SetNoModel(off bool) { r.snap.noModel = off }

// Get reads one row as Snapshot.Get does. What it returns is valid until the
// next call of Get or Close.
func (r *Reader) Get(id StoreID, key []byte, cols []int, dst []column.Datum) (bool, error) {
	s := &r.snap
	if now := s.db.view.Load(); now != s.view {
		if s.view != nil {
			s.db.releaseView(s.view)
		}
		s.view, s.last = s.db.acquireView(), nil
	}
	s.ts = s.db.visible.Load()
	s.read.Buf = s.read.Buf[:0]
	return s.Get(id, key, cols, dst)
}

// Close gives up the lock and what reads hold. The reader may be used again.
// The owner has no transaction, or one that has ended.
func (r *Reader) Close() {
	if s := &r.snap; s.view != nil {
		s.tally.Flush()
		s.db.releaseView(s.view)
		s.view, s.last = nil, nil
	}
	if r.held {
		r.held = false
		r.snap.db.locks.ReleaseTo(r.owner, 0, 0)
	}
}
