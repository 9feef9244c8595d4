package engine

import (
	"testing"
	"time"
)

// TestStallIsVisible holds commits back while memtables wait, and looks at who waits.
func TestStallIsVisible(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	f := &db.flush
	f.mu.Lock()
	f.flushing = true // nobody flushes
	for range maxFrozen + 1 {
		f.frozen = append(f.frozen, &frozenSet{})
	}
	f.mu.Unlock()
	done := make(chan error)
	go func() {
		tx := db.Begin(TxnOptions{ProcessID: 7})
		err := tx.Insert(ctx, id, key(1), row(1, "late"))
		if err == nil {
			_, err = tx.Commit(ctx)
		}
		done <- err
	}()
	for !db.Stalled(7) {
		time.Sleep(time.Millisecond)
	}
	if db.Stalled(8) {
		t.Error("a process waits that has done nothing")
	}
	select {
	case err := <-done:
		t.Fatalf("a commit was not held back: %v", err)
	default:
	}
	f.mu.Lock()
	f.frozen, f.flushing = nil, false
	f.wake()
	f.mu.Unlock()
	check(t, <-done)
	if db.Stalled(7) {
		t.Error("the process still waits")
	}
}
