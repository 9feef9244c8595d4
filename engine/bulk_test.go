package engine

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/internal/vfs"
)

// bulkDB is a database whose bulk loads become segments early.
func bulkDB(t *testing.T) (*DB, StoreID, *vfs.Mem) {
	fs := vfs.NewMem(1)
	db, err := openOn(t, fs, func(o *Options) { o.BulkMinBytes = 1; o.BulkBufferBytes = 8 << 10; o.SpillBytes = 16 << 10 })
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	return db, makeStore(t, db), fs
}

func TestBulkLoadInAnyOrder(t *testing.T) {
	db, id, _ := bulkDB(t)
	tx := db.Begin(TxnOptions{})
	b, err := tx.Bulk(id)
	check(t, err)
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(2000) {
		check(t, b.Append(key(i), row(i, "bulk")))
	}
	check(t, b.Finish(ctx))
	check(t, tx.Put(id, key(5), row(5, "changed")))
	check(t, tx.Delete(id, key(6), nil))
	r, err := tx.Lock(ctx, id, key(7), Update, Wait, nil)
	if err != nil || r.Status != Locked {
		t.Error(r, err)
	}
	tx.NextCommand()
	s := tx.Snapshot()
	if got := contents(t, s, id); len(got) != 1999 || got[5] != "changed" || got[7] != "bulk" {
		t.Errorf("before the commit: %d rows, %q", len(got), got[5])
	}
	s.Close()
	commit(t, tx)
	s = db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	var st segment.Stats
	s.SetStats(&st)
	if got := contents(t, s, id); len(got) != 1999 || got[5] != "changed" {
		t.Errorf("after the commit: %d rows, %q", len(got), got[5])
	}
	if st.Segments == 0 || len(db.StoreStats(id).Segments) == 0 {
		t.Error("no segment was read", st)
	}
	var reads ReadStats
	it := s.Scan(id, ScanOptions{Stats: &reads})
	var batch column.Batch
	for ok := true; ok; {
		ok, err = it.Next(&batch)
		check(t, err)
	}
	it.Close()
	if reads.Rows != 1999 || reads.Segments == 0 {
		t.Errorf("%+v", reads)
	}
	if n := s.EstimateRange(id, key(500), key(1500)); n < 700 || n > 1300 {
		t.Errorf("estimate of 1000 rows is %v", n)
	}
}

func TestBulkLoadRefusesDuplicates(t *testing.T) {
	db, id, fs := bulkDB(t)
	var exists *KeyExistsError
	for _, far := range []int{1, 1500} { // in one buffer, and in two runs
		tx := db.Begin(TxnOptions{})
		b, err := tx.Bulk(id)
		check(t, err)
		err = nil
		for i := 0; i < 1500 && err == nil; i++ {
			err = b.Append(key(i*7919%1500), row(i, "x"))
			if i%far == far-1 && err == nil {
				err = b.Append(key(0), row(0, "again"))
			}
		}
		if ferr := b.Finish(ctx); err == nil {
			err = ferr
		}
		if !errors.As(err, &exists) || !exists.Own || len(exists.Row) != 2 {
			t.Errorf("duplicate at a distance of %d: %v", far, err)
		}
		if err := b.Append(key(1), nil); err == nil {
			t.Error("a finished load takes rows")
		}
		check(t, tx.Rollback())
	}
	if names, err := fs.List("db/segments"); err != nil || len(names) > 0 {
		t.Errorf("files are left: %v %v", names, err)
	}
}

func TestBulkLoadRollsBack(t *testing.T) {
	db, id, fs := bulkDB(t)
	load := func(tx *Txn, from int) {
		b, err := tx.Bulk(id)
		check(t, err)
		for i := from; i < from+100; i++ {
			check(t, b.Append(key(i), row(i, "x")))
		}
		check(t, b.Finish(ctx))
		tx.NextCommand()
	}
	tx := db.Begin(TxnOptions{})
	load(tx, 0)
	sp := tx.Savepoint()
	load(tx, 1000)
	tx.RollbackTo(sp)
	s := tx.Snapshot()
	if got := contents(t, s, id); len(got) != 100 {
		t.Errorf("%d rows", len(got))
	}
	s.Close()
	// The keys are free again.
	other := db.Begin(TxnOptions{})
	check(t, other.Insert(ctx, id, key(1001), row(1001, "y")))
	commit(t, other)
	check(t, tx.Rollback())
	if names, err := fs.List("db/segments"); err != nil || len(names) > 0 {
		t.Errorf("files are left: %v %v", names, err)
	}
}

// TestLargeTransactionSpills commits more than fits a record of its own.
func TestLargeTransactionSpills(t *testing.T) {
	db, id, _ := bulkDB(t)
	for round := range 2 {
		tx := db.Begin(TxnOptions{})
		for i := range 1500 {
			if round == 0 {
				check(t, tx.Insert(ctx, id, key(i), row(i, "a")))
			} else if i%2 == 0 {
				check(t, tx.Delete(id, key(i), nil))
			} else {
				check(t, tx.Put(id, key(i), row(i, "b")))
			}
		}
		commit(t, tx)
	}
	if n := len(db.StoreStats(id).Segments); n < 2 {
		t.Errorf("%d segments", n)
	}
	for range 2 {
		s := db.Begin(TxnOptions{}).Snapshot()
		if got := contents(t, s, id); len(got) != 750 || got[1] != "b" {
			t.Errorf("%d rows, %q", len(got), got[1])
		}
		s.Close()
		check(t, db.Compact(ctx, id))
	}
	check(t, db.Verify(ctx, func(done, total int64) {
		if done > total {
			t.Errorf("%d of %d", done, total)
		}
	}))
}
