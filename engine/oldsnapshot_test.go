package engine

import (
	"fmt"
	"maps"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// churn updates all rows again and again, each round a transaction that is flushed.
func churn(t *testing.T, db *DB, id StoreID, rows, rounds int) {
	t.Helper()
	for n := range rounds {
		tx := db.Begin(TxnOptions{})
		for i := range rows {
			if _, err := tx.Lock(ctx, id, key(i), NoKeyUpdate, Wait, nil); err != nil {
				t.Fatal(err)
			}
			check(t, tx.Put(id, key(i), row(i, fmt.Sprint("round ", n))))
		}
		commit(t, tx)
		check(t, db.Flush(ctx))
	}
}

// TestOldSnapshotHoldsOnlyWhatItSees keeps snapshots open while every row is
// updated many times: merging goes on, and what it leaves is a version for each
// of the snapshots and the newest one.
func TestOldSnapshotHoldsOnlyWhatItSees(t *testing.T) {
	for _, spill := range []int64{0, 1 << 10} {
		db, err := openOn(t, vfs.NewMem(1), func(o *Options) { o.SpillBytes = spill })
		check(t, err)
		id := makeStore(t, db)
		const rows = 200
		tx := db.Begin(TxnOptions{})
		for i := range rows {
			check(t, tx.Insert(ctx, id, key(i), row(i, "first")))
		}
		commit(t, tx)
		old := db.Begin(TxnOptions{Isolation: RepeatableRead, ProcessID: 7})
		s := old.Snapshot()
		want := contents(t, s, id)
		churn(t, db, id, rows, 12)
		later := db.Begin(TxnOptions{Isolation: RepeatableRead, ProcessID: 8}).Snapshot()
		wantLater := contents(t, later, id)
		churn(t, db, id, rows, 30)
		check(t, db.wait(ctx, func(f *flusher) bool { return !f.flushing && !f.merging }))
		st := db.StoreStats(id)
		if len(st.Segments) > 6 {
			t.Errorf("%d segments: merging has stopped", len(st.Segments))
		}
		check(t, db.Compact(ctx, id))
		if st = db.StoreStats(id); st.Versions != 3*rows || st.Dead != 2*rows || st.DeadBytes <= 0 {
			t.Errorf("%d versions of %d rows, %d dead (%d bytes), under two old snapshots", st.Versions, rows, st.Dead, st.DeadBytes)
		}
		if got := contents(t, s, id); !maps.Equal(got, want) {
			t.Error("the old snapshot has changed")
		}
		if got := contents(t, later, id); !maps.Equal(got, wantLater) {
			t.Error("the later snapshot has changed")
		}
		if list := db.Snapshots(); len(list) != 2 || list[0].ProcessID != 7 || list[0].Records < 42 || list[1].ProcessID != 8 || list[1].Records < 30 {
			t.Error("snapshots in use:", list)
		}
		s.Close()
		check(t, old.Rollback())
		check(t, later.txn.Rollback())
		later.Close()
		for range 50 { // one merge takes some of the segments
			db.scheduleMerge()
			check(t, db.wait(ctx, func(f *flusher) bool { return !f.merging }))
			if st = db.StoreStats(id); st.Versions == rows {
				break
			}
		}
		if st.Versions != rows || st.Dead != 0 {
			t.Errorf("%d versions of %d rows, %d dead, when the snapshots are gone", st.Versions, rows, st.Dead)
		}
		check(t, db.Close())
	}
}

// TestOldSnapshotSeesHowItsRowEnded locks rows of an old snapshot after merges
// have dropped what no snapshot sees.
func TestOldSnapshotSeesHowItsRowEnded(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	change := func(fn func(tx *Txn)) {
		tx := db.Begin(TxnOptions{})
		for k := 1; k <= 3; k++ {
			if _, err := tx.Lock(ctx, id, key(k), Update, Wait, nil); err != nil {
				t.Fatal(err)
			}
		}
		fn(tx)
		commit(t, tx)
		check(t, db.Flush(ctx))
	}
	change(func(tx *Txn) {
		for k := 1; k <= 3; k++ {
			check(t, tx.Insert(ctx, id, key(k), row(k, "seen")))
		}
	})
	reader := db.Begin(TxnOptions{})
	s := reader.Snapshot()
	change(func(tx *Txn) {
		check(t, tx.Delete(id, key(1), nil))
		check(t, tx.Put(id, key(2), row(2, "changed")))
		check(t, tx.Delete(id, key(3), key(9)))
		check(t, tx.Insert(ctx, id, key(9), row(9, "moved")))
	})
	change(func(tx *Txn) {
		check(t, tx.Insert(ctx, id, key(1), row(1, "another")))
		check(t, tx.Insert(ctx, id, key(3), row(3, "another")))
	})
	change(func(tx *Txn) {
		for k := 1; k <= 3; k++ {
			check(t, tx.Put(id, key(k), row(k, "last")))
		}
	})
	check(t, db.Compact(ctx, id))
	for k, want := range map[int]LockStatus{1: Deleted, 2: Updated, 3: Moved} {
		if r, err := reader.Lock(ctx, id, key(k), Update, NoWait, s); err != nil || r.Status != want {
			t.Errorf("row %d: %+v (%v), want status %d", k, r, err, want)
		}
	}
	s.Close()
	check(t, reader.Rollback())
}
