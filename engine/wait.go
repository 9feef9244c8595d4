package engine

import (
	"context"

	"github.com/omendb/omendb/engine/txn"
)

// LockTableSession locks a table until UnlockTableSession or the session's end,
// whatever becomes of transactions in between.
func (t *Txn) LockTableSession(ctx context.Context, oid uint64, mode TableLockMode) error {
	tag := txn.Tag{Kind: txn.Table, B: oid}
	_, err := t.db.locks.Acquire(ctx, t.owner, tag, txn.Mode(mode), txn.Session, txn.Wait, t.opts.DeadlockTimeout)
	t.nameDatabase(err)
	return err
}

// UnlockTableSession gives up what LockTableSession took.
func (db *DB) UnlockTableSession(pid int32, oid uint64, mode TableLockMode) {
	db.locks.ReleaseSession(db.owner(pid), txn.Tag{Kind: txn.Table, B: oid}, txn.Mode(mode))
}

// WaitForLockers waits until the transactions have ended that hold, at the time
// of the call, a lock on a table in conflict with a mode. It keeps nobody from
// taking such locks. The transaction itself must not hold one.
func (t *Txn) WaitForLockers(ctx context.Context, oid uint64, mode TableLockMode) error {
	tag := txn.Tag{Kind: txn.Table, B: oid}
	m := t.db.locks
	holds := func(o *txn.Owner) bool {
		for _, h := range m.Holders(tag, txn.Mode(mode), t.owner) {
			if h == o {
				return true
			}
		}
		return false
	}
	err := m.WaitForEnd(ctx, t.owner, m.Holders(tag, txn.Mode(mode), t.owner), holds, t.opts.DeadlockTimeout)
	t.nameDatabase(err)
	return err
}

// WaitForSnapshots waits until the transactions of this database have ended
// that have, at the time of the call, a snapshot older than a timestamp.
func (t *Txn) WaitForSnapshots(ctx context.Context, timestamp uint64) error {
	older := func() (list []*txn.Owner) {
		t.db.live.each(func(g *registration) {
			if g.ts < timestamp && g.txn != nil && g.txn.owner != t.owner && g.txn.opts.Database == t.opts.Database {
				list = append(list, g.txn.owner)
			}
		})
		return list
	}
	has := func(o *txn.Owner) bool {
		for _, h := range older() {
			if h == o {
				return true
			}
		}
		return false
	}
	err := t.db.locks.WaitForEnd(ctx, t.owner, unique(older()), has, t.opts.DeadlockTimeout)
	t.nameDatabase(err)
	return err
}

func unique(owners []*txn.Owner) (list []*txn.Owner) {
	seen := map[*txn.Owner]bool{}
	for _, o := range owners {
		if !seen[o] {
			seen[o] = true
			list = append(list, o)
		}
	}
	return list
}

// each calls fn for all registrations; it must not block.
func (r *registry) each(fn func(*registration)) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for g := s.head.next; g != &s.head; g = g.next {
			fn(g)
		}
		s.mu.Unlock()
	}
}
