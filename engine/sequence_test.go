package engine

import (
	"errors"
	"testing"
)

func TestSequenceLife(t *testing.T) {
	db := testDB(t)
	up := SequenceParams{Increment: 5, Min: 1, Max: 1000}
	tx := db.Begin(TxnOptions{})
	gone, id := db.NewStoreID(), db.NewStoreID()
	check(t, tx.CreateSequence(id, SequenceState{Last: 1}))
	sp := tx.Savepoint()
	check(t, tx.CreateSequence(gone, SequenceState{Last: 1}))
	if err := tx.CreateSequence(id, SequenceState{}); err == nil {
		t.Error("a sequence is created twice")
	}
	tx.RollbackTo(sp)
	var missing *StoreNotFoundError
	if _, err := db.SequenceNext(gone, up); !errors.As(err, &missing) {
		t.Error(err)
	}
	var at LSN
	tx.OnCommit(func(lsn LSN) { at = lsn })
	lsn, err := tx.Commit(ctx)
	check(t, err)
	if at != lsn || lsn == 0 {
		t.Errorf("the hook learned %d, the commit was %d", at, lsn)
	}
	check(t, db.WaitDurable(ctx, lsn))

	check(t, db.SetSequence(id, SequenceState{Last: 990, Called: true}))
	up.Cache = 10
	first, n, err := db.SequenceBlock(id, up)
	if first != 995 || n != 2 || err != nil {
		t.Errorf("block of %d from %d: %v", n, first, err)
	}
	if s, err := db.SequenceState(id); err != nil || s != (SequenceState{1000, true}) {
		t.Error(s, err)
	}
	down := SequenceParams{Increment: -3, Min: -5, Max: 1000, Cycle: true}
	check(t, db.SetSequence(id, SequenceState{Last: -4}))
	for _, want := range []int64{-4, 1000, 997} {
		if v, err := db.SequenceNext(id, down); v != want || err != nil {
			t.Errorf("%d instead of %d: %v", v, want, err)
		}
	}
	tx = db.Begin(TxnOptions{})
	check(t, tx.DropSequence(id))
	check(t, tx.Rollback())
	if _, err := db.SequenceNext(id, down); err != nil {
		t.Error(err)
	}
	tx = db.Begin(TxnOptions{})
	check(t, tx.DropSequence(id))
	commit(t, tx)
	tx = db.Begin(TxnOptions{})
	if err := tx.DropSequence(id); !errors.As(err, &missing) {
		t.Error(err)
	}
	if err := db.SetSequence(id, SequenceState{}); !errors.As(err, &missing) {
		t.Error(err)
	}
	check(t, tx.Rollback())
}

func TestTransactionNumbers(t *testing.T) {
	db := testDB(t)
	a, b := db.Begin(TxnOptions{}), db.Begin(TxnOptions{})
	x, y := a.XID(), b.XID()
	if x == y || a.XID() != x || a.AssignedXID() != x {
		t.Error(x, y)
	}
	xmin, xmax, active := db.XIDRange()
	if xmin != min(x, y) || xmax != max(x, y)+1 || len(active) != 2 {
		t.Error(xmin, xmax, active)
	}
	check(t, a.Rollback())
	check(t, b.Rollback())
	if xmin, xmax, active := db.XIDRange(); xmin != xmax || len(active) != 0 {
		t.Error(xmin, xmax, active)
	}
}

func TestEndedTransactionsRefuseWork(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{Isolation: RepeatableRead})
	tx.Snapshot().Close()
	check(t, tx.Rollback())
	check(t, tx.Rollback())
	_, lockErr := tx.Lock(ctx, id, key(1), Update, Wait, nil)
	_, commitErr := tx.Commit(ctx)
	_, bulkErr := tx.Bulk(id)
	for _, err := range []error{tx.Insert(ctx, id, key(1), nil), tx.Put(id, key(1), nil), tx.Delete(id, key(1), nil),
		tx.CreateStore(twoColumns(99)), tx.AlterStore(twoColumns(id)), tx.DropStore(id),
		tx.CreateSequence(98, SequenceState{}), tx.DropSequence(98), lockErr, commitErr, bulkErr} {
		if !errors.Is(err, ErrTxnDone) {
			t.Error(err)
		}
	}
	unknown := db.Begin(TxnOptions{})
	var missing *StoreNotFoundError
	_, bulkErr = unknown.Bulk(77)
	for _, err := range []error{unknown.Insert(ctx, 77, key(1), nil), unknown.Put(77, key(1), nil), unknown.Delete(77, key(1), nil),
		unknown.AlterStore(twoColumns(77)), unknown.DropStore(77), bulkErr} {
		if !errors.As(err, &missing) || missing.Store != 77 {
			t.Error(err)
		}
	}
	check(t, unknown.Rollback())
}

// TestRepeatableReadFailsOnChangedRows: the first updater wins.
func TestRepeatableReadFailsOnChangedRows(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	check(t, tx.Insert(ctx, id, key(2), row(2, "a")))
	check(t, tx.Insert(ctx, id, key(3), row(3, "a")))
	commit(t, tx)
	old := db.Begin(TxnOptions{Isolation: RepeatableRead})
	s := old.Snapshot()
	tx = db.Begin(TxnOptions{})
	check(t, tx.Put(id, key(1), row(1, "b")))
	check(t, tx.Delete(id, key(2), nil))
	check(t, tx.Delete(id, key(3), nil))
	check(t, tx.Insert(ctx, id, key(3), row(3, "another")))
	commit(t, tx)
	for i := 1; i <= 3; i++ {
		if _, err := old.Lock(ctx, id, key(i), Update, Wait, s); !errors.Is(err, ErrSerialization) {
			t.Errorf("row %d: %v", i, err)
		}
	}
	if r, err := old.Lock(ctx, id, key(1), KeyShare, Wait, s); err != nil || r.Status != Updated || string(r.Row[1].B) != "b" {
		t.Error(r, err)
	}
	if s.Timestamp() == 0 || s.Command() != 0 {
		t.Error(s.Timestamp(), s.Command())
	}
	s.Close()
	check(t, old.Rollback())
}
