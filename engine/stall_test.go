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

// TestFlushesWaitForMerges has merges rest: flushes go on until level 0 is
// crowded, then wait, and go on when merges do.
func TestFlushesWaitForMerges(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	f := &db.flush
	f.mu.Lock()
	f.merging = true // nobody merges
	f.mu.Unlock()
	runs := func() int {
		v := db.acquireView()
		defer db.releaseView(v)
		return len(v.stores[id].level0)
	}
	for i := 0; runs() < crowded; i++ {
		insertOne(t, db, id, i%2) // over and over: none of them goes to the base but the first
		check(t, db.Flush(ctx))
		if i > crowded+1 {
			t.Fatalf("%d flushes have made %d runs", i+1, runs())
		}
	}
	insertOne(t, db, id, 2)
	done := make(chan error)
	go func() { done <- db.Flush(ctx) }()
	select {
	case err := <-done:
		t.Fatalf("a flush did not wait for merges: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	f.mu.Lock()
	f.merging = false
	f.wake()
	f.mu.Unlock()
	check(t, <-done)
	awaitMerged(t, db)
	if n := runs(); n >= crowded {
		t.Errorf("%d runs are left in level 0", n)
	}
}
