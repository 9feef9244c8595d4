package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/wal"
)

// TestDamagedRecordsAreRefused feeds apply with shortened and altered bodies:
// it must say no or do something harmless, never run out of bounds.
func TestDamagedRecordsAreRefused(t *testing.T) {
	db, err := openOn(t, vfs.NewMem(1), nil) // never closed: what it holds in the end is not fit to be flushed
	check(t, err)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	wide := twoColumns(id)
	wide.KeyColumns = []int{0}
	check(t, tx.AlterStore(wide))
	check(t, tx.CreateSequence(db.NewStoreID(), SequenceState{Last: 3}))
	check(t, tx.Insert(ctx, id, key(1), row(1, "text")))
	check(t, tx.Delete(id, key(2), key(3)))
	tx.XID()
	body := tx.encode()
	check(t, tx.Rollback())
	db.recovering = true // else a record is what this process has encoded
	defer func() { db.recovering = false }()
	apply := func(kind wal.Kind, b []byte) error {
		db.applyMu.Lock()
		defer db.applyMu.Unlock()
		visible := db.visible.Load()
		err := db.apply(&wal.Record{LSN: LSN(visible + 1), Kind: kind, Body: b})
		db.visible.Store(visible) // the log knows nothing of it
		return err
	}
	refused := 0
	for n := range body {
		if apply(kindCommit, body[:n]) != nil {
			refused++
		}
	}
	if refused < len(body)*3/4 {
		t.Errorf("%d of %d shortened bodies are refused", refused, len(body))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		bad := append([]byte(nil), body...)
		bad[rng.IntN(len(bad))] = byte(rng.Uint32())
		_ = apply(kindCommit, bad) // must return
	}
	for kind, b := range map[wal.Kind][]byte{kindCommit: {9}, kindSequence: {1, 5}, kindReserve: {1}, 77: {1}} {
		if apply(kind, b) == nil {
			t.Errorf("kind %d with body %v passes", kind, b)
		}
	}
}

func TestTransactionSettings(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	tx.SetIsolation(Serializable, false, true)
	tx.SetAsyncCommit(true)
	tx.SetDeadlockTimeout(1e6)
	if o := tx.Options(); o.Isolation != Serializable || !o.Deferrable || !o.AsyncCommit || o.DeadlockTimeout != 1e6 {
		t.Errorf("%+v", o)
	}
	tx.Snapshot().Close()
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	tx.NextCommand()
	if tx.Command() != 1 {
		t.Error(tx.Command())
	}
	lsn, err := tx.Commit(ctx)
	check(t, err)
	check(t, db.WaitDurable(ctx, lsn))
	tx = db.Begin(TxnOptions{ProcessID: 4})
	k := AdvisoryKey{Key: 1, Pair: true}
	if ok, err := tx.AdvisoryLock(ctx, k, false, true, Wait); !ok || err != nil {
		t.Error(ok, err)
	}
	tx.AdvisoryUnlockAll()
	if l := db.Locks(); len(l) != 0 {
		t.Error(l)
	}
	check(t, tx.Rollback())
}
