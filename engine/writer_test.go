package engine

import (
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// writers reads xmin and xmax of a row in a transaction of its own.
func writers(t *testing.T, db *DB, id StoreID, k int) (xmin, xmax uint64) {
	t.Helper()
	tx := db.Begin(TxnOptions{})
	defer func() { check(t, tx.Rollback()) }()
	s := tx.Snapshot()
	defer s.Close()
	xmin, xmax, err := s.Writers(id, key(k))
	check(t, err)
	return xmin, xmax
}

// TestWriters asks who wrote rows that lie in memtables, segments and private
// writes, who is changing them, and who has changed them since.
func TestWriters(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id := makeStore(t, db)
	wrote := map[int]uint64{}
	put := func(k int) {
		tx := db.Begin(TxnOptions{})
		check(t, tx.Insert(ctx, id, key(k), row(k, "a")))
		wrote[k] = tx.XID()
		commit(t, tx)
	}
	put(1)
	put(2)
	check(t, db.Flush(ctx))
	put(3)
	compare := func(when string) {
		t.Helper()
		for k, want := range wrote {
			newest, err := db.NewestWriter(id, key(k))
			check(t, err)
			if xmin, xmax := writers(t, db, id, k); xmin != want || xmax != 0 || newest != want {
				t.Errorf("%s: row %d was written by %d, then %d (newest %d), want %d", when, k, xmin, xmax, newest, want)
			}
		}
	}
	compare("at first")

	// A private write, and how others see it.
	tx := db.Begin(TxnOptions{})
	_, err = tx.Lock(ctx, id, key(1), Update, Wait, nil)
	check(t, err)
	check(t, tx.Put(id, key(1), row(1, "b")))
	tx.NextCommand()
	s := tx.Snapshot()
	if xmin, xmax, err := s.Writers(id, key(1)); xmin != tx.XID() || xmax != 0 || err != nil {
		t.Errorf("the own write: %d, %d, %v", xmin, xmax, err)
	}
	s.Close()
	if xmin, xmax := writers(t, db, id, 1); xmin != wrote[1] || xmax != tx.XID() {
		t.Errorf("another's write: %d, %d, want %d, %d", xmin, xmax, wrote[1], tx.XID())
	}
	tx.db.locks.Pack(tx.owner, nil)
	if _, xmax := writers(t, db, id, 1); xmax != tx.XID() {
		t.Errorf("a packed lock: %d, want %d", xmax, tx.XID())
	}
	old := db.Begin(TxnOptions{Isolation: RepeatableRead})
	before := old.Snapshot()
	by := tx.XID()
	commit(t, tx)
	if xmin, xmax, err := before.Writers(id, key(1)); xmin != wrote[1] || xmax != by || err != nil {
		t.Errorf("a version that was replaced: %d, %d, %v, want %d, %d", xmin, xmax, err, wrote[1], by)
	}
	wrote[1] = by
	compare("after an update")

	// A store that is dropped, and one that only this transaction knows.
	drop := db.Begin(TxnOptions{})
	check(t, drop.DropStore(id))
	commit(t, drop)
	if xmin, xmax, err := before.Writers(id, key(2)); xmin != wrote[2] || xmax != 0 || err != nil {
		t.Errorf("a row of a dropped store: %d, %d, %v", xmin, xmax, err)
	}
	before.Close()
	check(t, old.Rollback())
	if xid, err := db.NewestWriter(id, key(1)); xid != unknownWriter || err != nil {
		t.Errorf("a dropped store: %d, %v", xid, err)
	}
	own := db.Begin(TxnOptions{})
	fresh := db.NewStoreID()
	check(t, own.CreateStore(twoColumns(fresh)))
	s = own.Snapshot()
	if xmin, xmax, err := s.Writers(fresh, key(1)); xmin != 0 || xmax != 0 || err != nil {
		t.Errorf("a new store: %d, %d, %v", xmin, xmax, err)
	}
	if _, _, err := s.Writers(fresh+1, key(1)); err == nil {
		t.Error("a store that does not exist")
	}
	s.Close()
	check(t, own.Rollback())
	check(t, db.Close())
}

// TestWritersSurvive reopens a database whose commits are in segments and in the log.
func TestWritersSurvive(t *testing.T) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, nil)
	check(t, err)
	id := makeStore(t, db)
	want := map[int]uint64{}
	for k := range 50 {
		tx := db.Begin(TxnOptions{})
		if k%7 == 0 { // numbers that are not used
			tx.XID()
			check(t, tx.Rollback())
			tx = db.Begin(TxnOptions{})
		}
		if k > 30 {
			b, err := tx.Bulk(id)
			check(t, err)
			check(t, b.Append(key(k), []column.Datum{column.IntDatum(int64(k)), column.Null()}))
			check(t, b.Finish(ctx))
		} else {
			check(t, tx.Insert(ctx, id, key(k), row(k, "a")))
		}
		want[k] = tx.XID()
		commit(t, tx)
		if k == 20 {
			check(t, db.Flush(ctx))
		}
		if k == 25 || k == 45 {
			check(t, db.Close())
			db, err = openOn(t, fs, nil)
			check(t, err)
		}
	}
	for k, xid := range want {
		if xmin, xmax := writers(t, db, id, k); xmin != xid || xmax != 0 {
			t.Errorf("row %d: %d, %d, want %d, 0", k, xmin, xmax, xid)
		}
	}
	check(t, db.Close())
}
