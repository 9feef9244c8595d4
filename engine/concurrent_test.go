package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// TestBankTransfers moves money between accounts from several goroutines at
// every isolation level, beside flushes, merges and readers: every snapshot
// must show the same total.
func TestBankTransfers(t *testing.T) {
	for _, level := range []Isolation{ReadCommitted, RepeatableRead, Serializable} {
		fs := vfs.NewMem(1)
		db, err := openOn(t, fs, func(o *Options) { o.MemtableBytes = 16 << 10; o.DeadlockTimeout = 5e6 })
		check(t, err)
		id := makeStore(t, db)
		const accounts, balance = 20, 1000
		tx := db.Begin(TxnOptions{})
		for i := range accounts {
			check(t, tx.Insert(ctx, id, key(i), row(i, strconv.Itoa(balance))))
		}
		commit(t, tx)
		var wg sync.WaitGroup
		for w := range 3 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(w), uint64(level)))
				for range 60 {
					transfer(t, db, id, level, rng.IntN(accounts), rng.IntN(accounts))
				}
			})
		}
		wg.Go(func() {
			for range 40 {
				s := db.Begin(TxnOptions{}).Snapshot()
				if got := total(t, s, id); got != accounts*balance {
					t.Errorf("a snapshot at level %d shows %d", level, got)
				}
				s.Close()
			}
		})
		wg.Wait()
		check(t, db.Close())
		db, err = openOn(t, fs, nil)
		check(t, err)
		s := db.Begin(TxnOptions{}).Snapshot()
		if got := total(t, s, id); got != accounts*balance {
			t.Errorf("after a restart the total is %d", got)
		}
		s.Close()
		check(t, db.Close())
	}
}

func total(t testing.TB, s *Snapshot, id StoreID) (sum int) {
	for _, v := range contents(t, s, id) {
		n, err := strconv.Atoi(v)
		check(t, err)
		sum += n
	}
	return sum
}

// transfer moves one unit, trying again as long as another transaction is in the way.
func transfer(t *testing.T, db *DB, id StoreID, level Isolation, from, to int) {
	for from != to {
		tx := db.Begin(TxnOptions{Isolation: level})
		err := errors.Join(add(tx, id, from, -1), add(tx, id, to, 1))
		if err == nil {
			_, err = tx.Commit(ctx)
		}
		_ = tx.Rollback()
		var dead *DeadlockError
		if err == nil {
			return
		}
		if !errors.Is(err, ErrSerialization) && !errors.As(err, &dead) {
			t.Error(err)
			return
		}
	}
}

// add changes one account the way an UPDATE does: find, lock, look again, write.
func add(tx *Txn, id StoreID, account, amount int) error {
	s := tx.Snapshot()
	defer s.Close()
	dst := make([]column.Datum, 2)
	ok, err := s.Get(id, key(account), nil, dst)
	if err != nil || !ok {
		return errors.Join(err, errors.New("account is missing"))
	}
	r, err := tx.Lock(ctx, id, key(account), NoKeyUpdate, Wait, s)
	if err != nil {
		return err
	}
	value := dst[1].String()
	switch r.Status {
	case Updated:
		value = r.Row[1].String()
	case Locked:
	default:
		return errors.New("account went away")
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return err
	}
	defer tx.NextCommand()
	return tx.Put(id, key(account), row(account, strconv.Itoa(n+amount)))
}

// TestInsertWaitsForTheOtherInserter shows both outcomes of the wait.
func TestInsertWaitsForTheOtherInserter(t *testing.T) {
	for _, commits := range []bool{true, false} {
		db := testDB(t)
		id := makeStore(t, db)
		a, b := db.Begin(TxnOptions{ProcessID: 1}), db.Begin(TxnOptions{ProcessID: 2})
		check(t, a.Insert(ctx, id, key(1), row(1, "a")))
		done := make(chan error)
		go func() { done <- b.Insert(ctx, id, key(1), row(1, "b")) }()
		for len(db.BlockingProcesses(2)) == 0 {
		}
		if p := db.BlockingProcesses(2); len(p) != 1 || p[0] != 1 {
			t.Fatal(p)
		}
		if n := len(db.Locks()); n < 2 {
			t.Fatalf("%d locks are listed", n)
		}
		if commits {
			commit(t, a)
		} else {
			check(t, a.Rollback())
		}
		err := <-done
		var exists *KeyExistsError
		if errors.As(err, &exists) != commits || !commits && err != nil {
			t.Fatalf("commits=%v: %v", commits, err)
		}
		check(t, b.Rollback())
	}
}

// TestInsertDoesNotWaitForLockers: a live row that is only locked, not
// written, is in the way at once.
func TestInsertDoesNotWaitForLockers(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	a := db.Begin(TxnOptions{})
	check(t, a.Insert(ctx, id, key(1), row(1, "a")))
	commit(t, a)
	a = db.Begin(TxnOptions{})
	_, err := a.Lock(ctx, id, key(1), Update, Wait, nil)
	check(t, err)
	var exists *KeyExistsError
	b := db.Begin(TxnOptions{})
	if err := b.Insert(ctx, id, key(1), row(1, "b")); !errors.As(err, &exists) {
		t.Fatal(err)
	}
	check(t, a.Rollback())
	check(t, b.Rollback())
}

func TestBulkLoadLocksItsKeys(t *testing.T) {
	db, err := openOn(t, vfs.NewMem(1), func(o *Options) { o.BulkMinBytes = 1 })
	check(t, err)
	id := makeStore(t, db)
	load := func(tx *Txn, from, to int) error {
		b, err := tx.Bulk(id)
		check(t, err)
		for i := from; i < to; i++ {
			check(t, b.Append(key(i), row(i, "bulk")))
		}
		return b.Finish(ctx)
	}
	for _, commits := range []bool{true, false} {
		from := 1000
		if commits {
			from = 0
		}
		a, b := db.Begin(TxnOptions{ProcessID: 1}), db.Begin(TxnOptions{ProcessID: 2})
		check(t, load(a, from, from+100))
		check(t, b.Insert(ctx, id, key(from+500), row(from+500, "b")))
		done := make(chan error)
		go func() { done <- b.Insert(ctx, id, key(from+50), row(from+50, "b")) }()
		for len(db.BlockingProcesses(2)) == 0 {
		}
		if commits {
			commit(t, a)
		} else {
			check(t, a.Rollback())
		}
		var exists *KeyExistsError
		if err := <-done; errors.As(err, &exists) != commits || !commits && err != nil {
			t.Fatalf("commits=%v: %v", commits, err)
		}
		if err := load(b, from+499, from+501); !errors.As(err, &exists) || !exists.Own {
			t.Fatalf("a load over an own row: %v", err)
		}
		commit(t, b)
	}
	c := db.Begin(TxnOptions{})
	var exists *KeyExistsError
	if err := load(c, 90, 110); !errors.As(err, &exists) {
		t.Fatalf("a load over committed rows: %v", err)
	}
	check(t, c.Rollback())
	s := db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); len(got) != 103 {
		t.Fatalf("%d rows", len(got))
	}
	s.Close()
	check(t, db.Close())
}

func TestLocksAreFairAndCanBeGivenUp(t *testing.T) {
	db := testDB(t)
	k := AdvisoryKey{Database: 1, Key: 7}
	a, b, c := db.Begin(TxnOptions{ProcessID: 1}), db.Begin(TxnOptions{ProcessID: 2}), db.Begin(TxnOptions{ProcessID: 3})
	if ok, err := a.AdvisoryLock(ctx, k, true, true, Wait); !ok || err != nil {
		t.Fatal(ok, err)
	}
	wait, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		_, err := b.AdvisoryLock(wait, k, false, false, Wait)
		done <- err
	}()
	for len(db.BlockingProcesses(2)) == 0 {
	}
	// A later shared request does not overtake the exclusive one.
	if ok, err := c.AdvisoryLock(ctx, k, true, false, NoWait); ok || err != nil {
		t.Fatal(ok, err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if ok, err := c.AdvisoryLock(ctx, k, true, false, NoWait); !ok || err != nil {
		t.Fatal(ok, err)
	}
	check(t, c.Rollback())
	check(t, a.Rollback())
	if ok, _ := b.AdvisoryLock(ctx, k, false, false, NoWait); ok {
		t.Fatal("a session lock ended with its transaction")
	}
	next := db.Begin(TxnOptions{ProcessID: 1})
	if !next.AdvisoryUnlock(k, true) || next.AdvisoryUnlock(k, true) {
		t.Fatal("unlock")
	}
	check(t, next.LockTable(ctx, 5, LockAccessShare, Wait))
	check(t, b.LockTable(ctx, 5, LockRowExclusive, NoWait))
	if err := b.LockTable(ctx, 5, LockAccessExclusive, NoWait); !errors.Is(err, ErrLockNotAvailable) {
		t.Fatal(err)
	}
	if ok, err := next.AdvisoryLock(ctx, k, false, true, NoWait); !ok || err != nil {
		t.Fatal(ok, err)
	}
	check(t, next.Rollback())
	db.EndSession(1)
	if ok, err := b.AdvisoryLock(ctx, k, false, false, NoWait); !ok || err != nil {
		t.Fatal("locks outlive their session", err)
	}
	check(t, b.Rollback())
}
