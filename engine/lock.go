package engine

import (
	"context"
	"errors"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
)

// LockStatus says what Lock found.
type LockStatus uint8

// The outcomes of Lock.
const (
	Locked       LockStatus = iota // locked; the newest version is the one the snapshot sees
	Updated                        // locked; a newer version exists: Row
	Deleted                        // not locked: the row is gone
	Moved                          // not locked: the row is gone to Key
	Skipped                        // not locked: another transaction holds it
	SelfModified                   // the current command has already changed or deleted the row
)

// LockResult is the outcome of Lock.
type LockResult struct {
	Status LockStatus
	Row    []column.Datum // Updated: all columns of the newest version
	Key    []byte         // Moved: where the row went
}

// TableLockMode is a table lock's mode.
type TableLockMode uint8

// The table lock modes with PostgreSQL's conflicts, weakest first.
const (
	LockAccessShare          TableLockMode = 1
	LockRowShare             TableLockMode = 2
	LockRowExclusive         TableLockMode = 3
	LockShareUpdateExclusive TableLockMode = 4
	LockShare                TableLockMode = 5
	LockShareRowExclusive    TableLockMode = 6
	LockExclusive            TableLockMode = 7
	LockAccessExclusive      TableLockMode = 8
)

// AdvisoryKey names an advisory lock. Key is the one bigint, or the two ints as high and low half.
type AdvisoryKey struct {
	Database uint32
	Key      uint64
	Pair     bool
}

// rowTag is the lock tag of a row: FNV-1a over the key.
func rowTag(id StoreID, key []byte) txn.Tag {
	h := uint64(14695981039346656037)
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return txn.Tag{Kind: txn.Row, A: uint64(id), B: h}
}

func (t *Txn) acquire(ctx context.Context, tag txn.Tag, mode txn.Mode, p txn.Policy) (bool, error) {
	t.packIfMany()
	fresh, err := t.db.locks.Acquire(ctx, t.owner, tag, mode, txn.Transaction, p, t.opts.DeadlockTimeout)
	if err != nil {
		t.nameDatabase(err)
	}
	return fresh, err
}

// lockBytes is about what a lock that is not packed takes.
const lockBytes = 200

func (t *Txn) packIfMany() {
	if t.owner.Held() >= t.packAt {
		t.packRowLocks()
	}
}

// packRowLocks frees most of the memory of row locks when there are many.
func (t *Txn) packRowLocks() {
	limit := min(t.db.opts.PackLocks, max(1, int(t.spillLimit()/lockBytes)))
	if t.packAt = limit; t.owner.Held() < limit {
		return
	}
	marks := make([]int, len(t.saves))
	for i := range t.saves {
		marks[i] = t.saves[i].locks
	}
	t.db.locks.Pack(t.owner, marks)
	for i := range t.saves {
		t.saves[i].locks = marks[i]
	}
	t.packAt = max(limit, 2*t.owner.Held()) // those that others hold too stay as they are
}

// nameDatabase completes a report of a deadlock.
func (t *Txn) nameDatabase(err error) {
	var deadlock *DeadlockError
	if errors.As(err, &deadlock) {
		deadlock.Database = t.opts.Database
	}
}

// releaseLast gives back a lock that was just taken and is not wanted.
func (t *Txn) releaseLast(tag txn.Tag, mode txn.Mode, fresh bool) {
	if fresh {
		t.db.locks.ReleaseLast(t.owner, tag, mode)
	}
}

// committed returns the newest committed version of a key.
func (t *Txn) committed(id StoreID, key []byte) (v memtable.Version, live bool, err error) {
	view := t.db.acquireView()
	defer t.db.releaseView(view)
	st := view.stores[id]
	if st == nil { // created by this transaction
		return v, false, nil
	}
	v, ok, err := st.newest(key, math.MaxUint64)
	if ok {
		st.bury(&v)
	}
	return v, ok && !v.Deleted(), err
}

// Lock locks a row in a mode and reports what became of it since the snapshot
// s (nil: since just now). Rows of the transaction's own need no lock, since
// their key is locked already. In RepeatableRead and Serializable a row that
// changed since the snapshot is a *SerializationError, except that a KeyShare
// lock of a row under its old storage key is Updated as in ReadCommitted: only
// the caller knows which other columns are keys.
func (t *Txn) Lock(ctx context.Context, id StoreID, key []byte, mode LockMode, wait WaitPolicy, s *Snapshot) (LockResult, error) {
	if err := t.checkWrite(); err != nil {
		return LockResult{}, err
	}
	v, ok, err := t.own(id, key, false)
	if err != nil {
		return LockResult{}, err
	}
	if ok {
		switch {
		case s != nil && v.TS > s.ownSeq:
			return LockResult{Status: SelfModified}, nil
		case v.Deleted():
			return gone(v), nil
		}
	}
	t.XID() // who waits for the row waits for a transaction with a number
	tag := t.rowTag(id, key)
	policy := txn.Wait
	if wait != Wait {
		policy = txn.NoWait
	}
	fresh, err := t.acquire(ctx, tag, txn.Mode(mode), policy)
	if err == ErrLockNotAvailable && wait == SkipLocked {
		return LockResult{Status: Skipped}, nil
	}
	if err != nil {
		return LockResult{}, err
	}
	if ok {
		return LockResult{Status: Locked}, nil
	}
	res, err := t.since(id, key, s)
	if err == nil && s != nil && t.opts.Isolation != ReadCommitted {
		switch {
		case res.Status == Updated && mode != KeyShare, res.Status == Moved:
			err = &SerializationError{Reason: "concurrent update"}
		case res.Status == Deleted:
			err = &SerializationError{Reason: "concurrent delete"}
		}
	}
	if err != nil || res.Status == Deleted || res.Status == Moved {
		t.releaseLast(tag, txn.Mode(mode), fresh)
	}
	return res, err
}

func gone(v memtable.Version) LockResult {
	if len(v.Data) > 0 {
		return LockResult{Status: Moved, Key: append([]byte(nil), v.Data...)}
	}
	return LockResult{Status: Deleted}
}

// since compares the newest committed version of a key with what a snapshot
// sees. The row that the snapshot sees ends at its first tombstone, whatever
// was inserted under the same key later.
func (t *Txn) since(id StoreID, key []byte, s *Snapshot) (LockResult, error) {
	def, err := t.def(id)
	if err != nil {
		return LockResult{}, err
	}
	view := t.db.acquireView()
	defer t.db.releaseView(view)
	st := view.stores[id]
	if st == nil {
		return LockResult{Status: Deleted}, nil
	}
	newest, ok, err := st.newest(key, math.MaxUint64)
	if err != nil || !ok {
		return LockResult{Status: Deleted}, err
	}
	st.bury(&newest)
	if s == nil || newest.TS <= s.ts {
		if newest.Deleted() {
			return gone(newest), nil
		}
		return LockResult{Status: Locked}, nil
	}
	res := LockResult{Status: Updated}
	for v := newest; ok && v.TS > s.ts; {
		if v.Deleted() {
			res = gone(v)
		} else if v.Flags&memtable.Inserted != 0 {
			res = LockResult{Status: Deleted}
		}
		if v, ok, err = st.newest(key, v.TS-1); err != nil {
			return LockResult{}, err
		}
	}
	if res.Status == Updated {
		res.Row = make([]column.Datum, len(def.kinds))
		def.read(newest.Data, def.all, res.Row)
		for i := range res.Row {
			res.Row[i] = res.Row[i].Clone()
		}
	}
	return res, nil
}

// ChangedSince reports whether a key was written, by another transaction,
// after a snapshot.
func (t *Txn) ChangedSince(id StoreID, key []byte, s *Snapshot) (bool, error) {
	v, _, err := t.committed(id, key)
	return v.TS > s.ts, err
}

// LockTable locks a table, named by a number of the caller's, until the transaction ends.
func (t *Txn) LockTable(ctx context.Context, oid uint64, mode TableLockMode, wait WaitPolicy) error {
	policy := txn.Wait
	if wait != Wait {
		policy = txn.NoWait
	}
	tag := txn.Tag{Kind: txn.Table, B: oid}
	_, err := t.acquire(ctx, tag, txn.Mode(mode), policy)
	return err
}

func advisoryTag(k AdvisoryKey, shared bool) (txn.Tag, txn.Mode) {
	tag := txn.Tag{Kind: txn.Advisory, Sub: 1, A: uint64(k.Database), B: k.Key}
	if k.Pair {
		tag.Sub = 2
	}
	if shared {
		return tag, txn.AdvisoryShare
	}
	return tag, txn.AdvisoryExclusive
}

// AdvisoryLock takes an advisory lock, until the transaction ends or for the
// session. With NoWait or SkipLocked it reports false when it cannot be had at once.
func (t *Txn) AdvisoryLock(ctx context.Context, k AdvisoryKey, shared, session bool, wait WaitPolicy) (bool, error) {
	tag, mode := advisoryTag(k, shared)
	scope, policy := txn.Transaction, txn.Wait
	if session {
		scope = txn.Session
	}
	if wait != Wait {
		policy = txn.NoWait
	}
	_, err := t.db.locks.Acquire(ctx, t.owner, tag, mode, scope, policy, t.opts.DeadlockTimeout)
	if err == ErrLockNotAvailable {
		return false, nil
	}
	return err == nil, err
}

// AdvisoryUnlock gives up one acquisition of a session's advisory lock and
// reports whether the session held it.
func (t *Txn) AdvisoryUnlock(k AdvisoryKey, shared bool) bool {
	tag, mode := advisoryTag(k, shared)
	return t.db.locks.ReleaseSession(t.owner, tag, mode)
}

// AdvisoryUnlockAll gives up the session's advisory locks.
func (t *Txn) AdvisoryUnlockAll() { t.db.locks.ReleaseAllSession(t.owner) }

// owner returns the lock owner of a session.
func (db *DB) owner(pid int32) *txn.Owner {
	if pid == 0 {
		return txn.NewOwner(0)
	}
	if o, ok := db.owners.Load(pid); ok {
		return o.(*txn.Owner)
	}
	o, _ := db.owners.LoadOrStore(pid, txn.NewOwner(pid))
	return o.(*txn.Owner)
}

// EndSession gives up what a session holds beyond its transactions.
func (db *DB) EndSession(pid int32) {
	db.SetSessionBackup(pid, nil)
	if o, ok := db.owners.LoadAndDelete(pid); ok {
		db.locks.ReleaseAllSession(o.(*txn.Owner))
		o.(*txn.Owner).Retire()
	}
}

// BlockingProcesses lists the processes that keep a process waiting for a lock.
func (db *DB) BlockingProcesses(pid int32) []int32 { return db.locks.Blockers(pid) }

// SnapshotBlockers lists the processes whose end a DEFERRABLE transaction of a
// process waits for.
func (db *DB) SnapshotBlockers(pid int32) []int32 { return db.serial.SafetyBlockers(pid) }

// TryLockKey locks a key, which need not have a row, against others who call
// TryLockKey or LockKey, if that can be had at once. It reports false when
// another transaction holds it or when this one did before.
func (t *Txn) TryLockKey(id StoreID, key []byte) (bool, error) {
	fresh, err := t.acquire(context.Background(), t.rowTag(id, key), txn.RowUpdate, txn.NoWait)
	if err == ErrLockNotAvailable {
		return false, nil
	}
	return fresh, err
}

// LockKey is TryLockKey that waits.
func (t *Txn) LockKey(ctx context.Context, id StoreID, key []byte) error {
	_, err := t.acquire(ctx, t.rowTag(id, key), txn.RowUpdate, txn.Wait)
	return err
}

// WaitForWriter waits until no other transaction has an uncommitted write of a
// key and reports whether it had to wait.
func (t *Txn) WaitForWriter(ctx context.Context, id StoreID, key []byte) (waited bool, err error) {
	tag := t.rowTag(id, key)
	fresh, err := t.acquire(ctx, tag, txn.RowProbe, txn.NoWait)
	if err == ErrLockNotAvailable {
		waited = true
		fresh, err = t.acquire(ctx, tag, txn.RowProbe, txn.Wait)
	}
	if err == nil {
		t.releaseLast(tag, txn.RowProbe, fresh)
	}
	return waited, err
}
