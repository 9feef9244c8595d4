package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

func anyone(PreparedInfo) error { return nil }

// prepareSample prepares a transaction that does one of everything: changes of
// rows, a bulk load, a new store, a new sequence and explicit locks.
func prepareSample(t *testing.T, db *DB, gid string, id, fresh, seq StoreID) LSN {
	t.Helper()
	tx := db.Begin(TxnOptions{ProcessID: 77})
	r, err := tx.Lock(ctx, id, key(1), Update, Wait, nil)
	if err != nil || r.Status != Locked {
		t.Fatal(r, err)
	}
	check(t, tx.Put(id, key(1), row(1, "changed")))
	_, err = tx.Lock(ctx, id, key(2), Update, Wait, nil)
	check(t, err)
	check(t, tx.Delete(id, key(2), nil))
	_, err = tx.Lock(ctx, id, key(3), Share, Wait, nil)
	check(t, err)
	check(t, tx.CreateStore(twoColumns(fresh)))
	check(t, tx.Insert(ctx, fresh, key(9), row(9, "in a new store")))
	check(t, tx.CreateSequence(seq, SequenceState{Last: 5}))
	check(t, tx.LockTable(ctx, 4711, LockShareRowExclusive, Wait))
	b, err := tx.Bulk(id)
	check(t, err)
	for i := 100; i < 400; i++ {
		check(t, b.Append(key(i), row(i, "bulk")))
	}
	check(t, b.Finish(ctx))
	check(t, tx.Insert(ctx, id, key(50), row(50, "added")))
	lsn, err := tx.Prepare(ctx, gid, []byte("meta"), 10)
	check(t, err)
	return lsn
}

// heldBack checks that a prepared transaction's locks are held and nothing of it is seen.
func heldBack(t *testing.T, db *DB, id, fresh, seq StoreID) {
	t.Helper()
	tx := db.Begin(TxnOptions{DeadlockTimeout: time.Millisecond})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	if got := contents(t, s, id); len(got) != 3 || got[1] != "one" {
		t.Error("something prepared is seen:", len(got), got[1])
	}
	for _, k := range []int{1, 2, 3} {
		if _, err := tx.Lock(ctx, id, key(k), Update, NoWait, s); !errors.Is(err, ErrLockNotAvailable) {
			t.Errorf("row %d: %v", k, err)
		}
	}
	if _, err := tx.Lock(ctx, id, key(3), KeyShare, NoWait, s); err != nil {
		t.Error("a share lock became more:", err)
	}
	if err := tx.LockTable(ctx, 4711, LockRowExclusive, NoWait); !errors.Is(err, ErrLockNotAvailable) {
		t.Error(err)
	}
	tx.SetLockTimeout(20 * time.Millisecond)
	for _, k := range []int{50, 200} {
		if err := tx.Insert(ctx, id, key(k), row(k, "other")); !errors.Is(err, ErrLockTimeout) {
			t.Errorf("insert of key %d: %v", k, err)
		}
	}
	if _, err := s.Get(fresh, key(9), nil, make([]column.Datum, 2)); err == nil {
		t.Error("the new store is there")
	}
}

// preparedSampleDB opens a database; with tight every write spills and every lock is packed.
func preparedSampleDB(t *testing.T, fs vfs.FS, tight bool) *DB {
	t.Helper()
	db, err := openOn(t, fs, func(o *Options) {
		o.BulkMinBytes = 1
		o.BulkBufferBytes = 8 << 10
		o.SpillBytes = 64 << 10
		if tight {
			o.SpillBytes, o.PackLocks = 1, 1
		}
	})
	check(t, err)
	return db
}

// TestPreparedSurvives ends a prepared transaction either way, before and after
// every kind of restart.
func TestPreparedSurvives(t *testing.T) {
	for _, restart := range []string{"none", "crash", "flush, crash", "close", "flush, crash, crash", "close, crash", "crash, close"} {
		for n := range 4 {
			outcome, tight := n%2 == 0, n > 1
			t.Run(restart, func(t *testing.T) {
				fs := vfs.NewMem(1)
				db := preparedSampleDB(t, fs, tight)
				id := makeStore(t, db)
				fresh, seq := db.NewStoreID(), db.NewStoreID()
				tx := db.Begin(TxnOptions{})
				for i, s := range []string{"one", "two", "three"} {
					check(t, tx.Insert(ctx, id, key(i+1), row(i+1, s)))
				}
				commit(t, tx)
				prepareSample(t, db, "sample", id, fresh, seq)
				heldBack(t, db, id, fresh, seq)
				var crashed []*DB
				reopen := func(on *vfs.Mem) { fs = on; db = preparedSampleDB(t, on, tight) }
				for _, step := range splitWords(restart) {
					switch step {
					case "crash":
						crashed = append(crashed, db)
						reopen(fs.Clone())
					case "flush":
						check(t, db.Flush(ctx))
					case "close":
						check(t, db.Close())
						reopen(fs)
					}
				}
				defer func() {
					for _, old := range crashed {
						_ = old.Close()
					}
				}()
				heldBack(t, db, id, fresh, seq)
				if list := db.Prepared(); len(list) != 1 || list[0].GID != "sample" || string(list[0].Meta) != "meta" {
					t.Fatal(list)
				}
				_, err := db.FinishPrepared(ctx, "sample", outcome, anyone)
				check(t, err)
				finished(t, db, id, fresh, seq, outcome)
				again := fs.Clone()
				check(t, db.Close())
				for _, on := range []*vfs.Mem{again, fs} {
					db := preparedSampleDB(t, on, tight)
					if len(db.Prepared()) > 0 {
						t.Error("prepared again after its end")
					}
					finished(t, db, id, fresh, seq, outcome)
					check(t, db.Verify(ctx, nil))
					check(t, db.Close())
				}
			})
		}
	}
}

func splitWords(s string) (words []string) {
	word := ""
	for _, c := range s + "," {
		switch c {
		case ',':
			words, word = append(words, word), ""
		case ' ':
		default:
			word += string(c)
		}
	}
	return words
}

// finished checks that a prepared transaction has ended.
func finished(t *testing.T, db *DB, id, fresh, seq StoreID, committed bool) {
	t.Helper()
	tx := db.Begin(TxnOptions{})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	got := contents(t, s, id)
	_, ferr := s.Get(fresh, key(9), nil, make([]column.Datum, 2))
	_, serr := db.SequenceState(seq)
	if committed && (len(got) != 303 || got[1] != "changed" || got[2] != "" || got[200] != "bulk" || got[50] != "added" || ferr != nil || serr != nil) {
		t.Error("committed:", len(got), got[1], got[2], got[50], ferr, serr)
	}
	if !committed && (len(got) != 3 || got[1] != "one" || ferr == nil || serr == nil) {
		t.Error("rolled back:", len(got), got[1], ferr, serr)
	}
	for _, k := range []int{1, 3, 50, 200} {
		if _, err := tx.Lock(ctx, id, key(k), Update, NoWait, s); err != nil {
			t.Errorf("row %d is still locked: %v", k, err)
		}
	}
	check(t, tx.LockTable(ctx, 4711, LockAccessExclusive, NoWait))
}

func TestPreparedRefusals(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	prepare := func(n int, gid string, limit int) error {
		tx := db.Begin(TxnOptions{ProcessID: int32(n)})
		check(t, tx.Insert(ctx, id, key(n), row(n, "x")))
		_, err := tx.Prepare(ctx, gid, nil, limit)
		return err
	}
	check(t, prepare(1, "a", 2))
	if err := prepare(2, "a", 2); !errors.Is(err, ErrPreparedExists) {
		t.Error(err)
	}
	check(t, prepare(2, "b", 2)) // the refused one has let its locks go
	if err := prepare(3, "c", 2); !errors.Is(err, ErrPreparedLimit) {
		t.Error(err)
	}
	refusal := errors.New("not yours")
	if _, err := db.FinishPrepared(ctx, "a", true, func(PreparedInfo) error { return refusal }); err != refusal {
		t.Error(err)
	}
	if _, err := db.FinishPrepared(ctx, "z", true, anyone); !errors.Is(err, ErrPreparedUnknown) {
		t.Error(err)
	}
	tx := db.Begin(TxnOptions{ProcessID: 9})
	k := AdvisoryKey{Database: 1, Key: 1}
	for _, session := range []bool{true, false} {
		_, err := tx.AdvisoryLock(ctx, k, false, session, Wait)
		check(t, err)
	}
	if _, err := tx.Prepare(ctx, "d", nil, 9); !errors.Is(err, ErrSessionLock) {
		t.Error(err)
	}
	for _, gid := range []string{"a", "b"} {
		_, err := db.FinishPrepared(ctx, gid, true, anyone)
		check(t, err)
	}
	// The session that prepared goes on with locks of its own.
	tx = db.Begin(TxnOptions{ProcessID: 1})
	defer tx.Rollback()
	if _, err := tx.Lock(ctx, id, key(1), Update, NoWait, nil); err != nil {
		t.Error(err)
	}
}

// TestPreparedSerializable leaves no write skew between a prepared transaction
// and those that run beside it, restart included.
func TestPreparedSerializable(t *testing.T) {
	for _, crash := range []bool{false, true} {
		fs := vfs.NewMem(1)
		db, err := openOn(t, fs, nil)
		check(t, err)
		id := makeStore(t, db)
		tx := db.Begin(TxnOptions{})
		check(t, tx.Insert(ctx, id, key(1), row(1, "on call")))
		check(t, tx.Insert(ctx, id, key(2), row(2, "on call")))
		commit(t, tx)
		leave := func(db *DB, me, other int) (*Txn, error) {
			tx := db.Begin(TxnOptions{Isolation: Serializable})
			s := tx.Snapshot()
			defer s.Close()
			d := make([]column.Datum, 2)
			if _, err := s.Get(id, key(other), nil, d); err != nil {
				return tx, err
			}
			_, err := tx.Lock(ctx, id, key(me), Update, Wait, s)
			check(t, err)
			return tx, tx.Put(id, key(me), row(me, "off"))
		}
		tx, err = leave(db, 1, 2)
		check(t, err)
		_, err = tx.Prepare(ctx, "p", nil, 1)
		check(t, err)
		if crash {
			db, err = openOn(t, fs.Clone(), nil)
			check(t, err)
		}
		tx, second := leave(db, 2, 1)
		if second == nil {
			_, second = tx.Commit(ctx)
		}
		check(t, tx.Rollback())
		_, err = db.FinishPrepared(ctx, "p", true, anyone)
		check(t, err)
		if !errors.Is(second, ErrSerialization) {
			t.Errorf("crash %v: both left: %v", crash, second)
		}
	}
}
