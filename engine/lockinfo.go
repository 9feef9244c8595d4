package engine

import (
	"time"

	"github.com/omendb/omendb/engine/txn"
)

// LockInfo describes a lock that is held or waited for, for pg_locks.
type LockInfo struct {
	Kind      string // "tuple", "page" (a range of keys), "relation", "transactionid", "virtualxid" or "advisory"
	Store     StoreID
	Database  uint32
	Object    uint64 // table oid, advisory key, transaction number or a hash of the row's key
	Pair      bool
	Mode      string
	ProcessID int32 // 0 of a prepared transaction
	XID       uint64
	Granted   bool
	WaitStart time.Time
}

// readLockMode is the mode in which Locks lists what serializable transactions have read.
const readLockMode = "SIReadLock"

// tupleModes are the modes in which PostgreSQL's waiters for a row hold their place in its queue.
var tupleModes = map[txn.Mode]string{txn.RowKeyShare: "AccessShareLock", txn.RowShare: "RowShareLock",
	txn.RowNoKeyUpdate: "ExclusiveLock", txn.RowUpdate: "AccessExclusiveLock"}

// Locks lists table and advisory locks, the numbers of running transactions,
// row locks that are waited for, and the reads of serializable transactions.
// These name a store also when they are of the kind "relation".
func (db *DB) Locks() (list []LockInfo) {
	for _, l := range db.locks.Locks() {
		i := LockInfo{Mode: txn.ModeName(l.Tag.Kind, l.Mode), ProcessID: l.ProcessID, XID: l.XID, Granted: l.Granted, WaitStart: l.WaitStart}
		switch l.Tag.Kind {
		case txn.Row:
			if !l.Granted {
				list = append(list, rowWait(l)...)
			}
			continue
		case txn.Ending:
			if l.Granted { // held unknowingly
				continue
			}
			i.Kind = "virtualxid"
		case txn.Table:
			i.Kind, i.Object = "relation", l.Tag.B
		case txn.Advisory:
			i.Kind, i.Database, i.Object, i.Pair = "advisory", uint32(l.Tag.A), l.Tag.B, l.Tag.Sub == 2
		}
		list = append(list, i)
	}
	for _, l := range db.serial.ReadLocks() {
		i := LockInfo{Kind: "page", Store: StoreID(l.Store), Mode: readLockMode, ProcessID: l.ProcessID, XID: l.XID, Granted: true}
		switch {
		case l.Whole:
			i.Kind = "relation"
		case l.Key != nil:
			i.Kind = "tuple"
		}
		list = append(list, i)
	}
	running := func(pid int32, xid uint64) {
		if xid != 0 {
			list = append(list, LockInfo{Kind: "transactionid", Object: xid, Mode: "ExclusiveLock", ProcessID: pid, XID: xid, Granted: true})
		}
	}
	db.owners.Range(func(_, v any) bool {
		o := v.(*txn.Owner)
		running(o.ProcessID(), o.XID())
		return true
	})
	for _, p := range db.Prepared() {
		running(0, p.XID)
	}
	return list
}

// rowWait shows a wait for a row as PostgreSQL does: the first in the queue holds
// the tuple and waits for the transaction, those behind wait for the tuple.
func rowWait(l txn.Info) []LockInfo {
	wait := LockInfo{Kind: "transactionid", Object: l.Blocker, Mode: "ShareLock", ProcessID: l.ProcessID, XID: l.XID, WaitStart: l.WaitStart}
	mode, queued := tupleModes[l.Mode]
	if !queued || l.Tag.Sub != 0 {
		return []LockInfo{wait}
	}
	place := LockInfo{Kind: "tuple", Store: StoreID(l.Tag.A), Object: l.Tag.B, Mode: mode, ProcessID: l.ProcessID, XID: l.XID, Granted: l.First}
	if l.First {
		return []LockInfo{wait, place}
	}
	place.WaitStart = l.WaitStart
	return []LockInfo{place}
}

// RunningXID returns the number of the transaction that a process is running, 0 without one.
func (db *DB) RunningXID(pid int32) uint64 {
	if o, ok := db.owners.Load(pid); ok {
		return o.(*txn.Owner).XID()
	}
	return 0
}

// TupleID returns the place by which messages and pg_locks name a row: made of
// its key, since rows have no place of their own.
func TupleID(store StoreID, key []byte) (page uint32, tuple uint16) {
	return tupleOf(rowTag(store, key).B)
}

// Tuple returns the same for a lock of the kind "tuple".
func (l *LockInfo) Tuple() (page uint32, tuple uint16) { return tupleOf(l.Object) }

func tupleOf(hash uint64) (page uint32, tuple uint16) {
	return uint32(hash >> 32), uint16(hash>>16) | 1
}
