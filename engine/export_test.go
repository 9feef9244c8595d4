package engine

import "testing"

// TestExportedSnapshot reads through a transaction's snapshot after the state
// went on and was flushed and merged.
func TestExportedSnapshot(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	write := func(s string) {
		t.Helper()
		tx := db.Begin(TxnOptions{})
		if _, err := tx.Lock(ctx, id, key(1), Update, Wait, nil); err != nil {
			t.Fatal(err)
		}
		check(t, tx.Put(id, key(1), row(1, s)))
		commit(t, tx)
	}
	write("old")
	for _, level := range []Isolation{ReadCommitted, RepeatableRead} {
		from := db.Begin(TxnOptions{Isolation: level})
		e := from.Export()
		write("new")
		check(t, db.Flush(ctx))
		check(t, db.Compact(ctx, id))
		to := db.Begin(TxnOptions{Isolation: RepeatableRead})
		if !to.Import(e) || !from.Exports() {
			t.Fatal("not exported")
		}
		check(t, from.Rollback())
		write("newer")
		check(t, db.Flush(ctx))
		check(t, db.Compact(ctx, id))
		s := to.Snapshot()
		if got := contents(t, s, id); got[1] != "old" {
			t.Errorf("level %d: %q", level, got[1])
		}
		s.Close()
		if lag := db.SnapshotLag(); lag != 2 {
			t.Errorf("a lag of %d records", lag)
		}
		check(t, to.Rollback())
		if db.SnapshotLag() != 0 {
			t.Error("the lag stays")
		}
		late := db.Begin(TxnOptions{Isolation: RepeatableRead})
		if late.Import(e) {
			t.Error("a snapshot outlives its transaction")
		}
		check(t, late.Rollback())
		write("old")
	}
	if lag := db.SnapshotLag(); lag != 0 {
		t.Errorf("a lag of %d without snapshots", lag)
	}
	if db.live.shards[0].head.next != &db.live.shards[0].head {
		t.Error("a snapshot is left")
	}
}
