package engine

import (
	"errors"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"testing"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// segmentFiles lists a database's segments on disk.
func segmentFiles(t *testing.T, fs vfs.FS, db *DB) []string {
	t.Helper()
	names, err := fs.List(path.Join(db.opts.Dir, segmentDir))
	check(t, err)
	slices.Sort(names)
	return names
}

// TestFullDiskDuringMerge: a merge that finds the disk full leaves the files
// that it read and no other, rows are read as before, also after a crash at
// this moment, and the merge succeeds when there is room again.
func TestFullDiskDuringMerge(t *testing.T) {
	mem := vfs.NewMem(1)
	fault := vfs.NewFault(mem)
	db, err := openOn(t, fault, nil)
	check(t, err)
	id := makeStore(t, db)
	rows := map[int]string{}
	for round := range 3 {
		tx := db.Begin(TxnOptions{})
		for i := 0; i < 600; i += round + 1 {
			text := string(rune('a' + round))
			check(t, tx.Put(id, key(i), row(i, text)))
			rows[i] = text
		}
		commit(t, tx)
		check(t, db.Flush(ctx))
	}
	verify := func(db *DB) {
		t.Helper()
		s := db.Begin(TxnOptions{}).Snapshot()
		defer s.Close()
		if got := contents(t, s, id); !maps.Equal(got, rows) {
			t.Fatalf("%d rows, want %d", len(got), len(rows))
		}
	}
	before := segmentFiles(t, mem, db)
	fault.SetDiskFull(true)
	for range 3 {
		if err := db.Compact(ctx, id); !errors.Is(err, ErrDiskFull) {
			t.Fatalf("a merge on a full disk: %v", err)
		}
	}
	verify(db)
	if after := segmentFiles(t, mem, db); !slices.Equal(before, after) {
		t.Errorf("files %v, before the merge %v", after, before)
	}
	crashed, err := openOn(t, mem.CrashClone(rand.New(rand.NewPCG(1, 2))), nil)
	check(t, err)
	verify(crashed)
	check(t, crashed.Verify(ctx, nil))
	check(t, crashed.Close())
	fault.SetDiskFull(false)
	check(t, db.Compact(ctx, id))
	verify(db)
	if after := segmentFiles(t, mem, db); len(after) >= len(before) {
		t.Errorf("%d files after the merge of %d", len(after), len(before))
	}
	check(t, db.Close())
}

// TestRowsInOrderAreWrittenOnce: segments of rows that came in order of their
// keys are never merged, as long as memtables of the usual kind make them.
func TestRowsInOrderAreWrittenOnce(t *testing.T) {
	var mu sync.Mutex
	var built, merges int64
	db, err := openOn(t, vfs.NewVolatile(), func(o *Options) {
		o.MemtableBytes = 24 << 20
		o.Events = func(e event.Event) {
			mu.Lock()
			defer mu.Unlock()
			switch e.Name {
			case event.SegmentBuild:
				built += e.Bytes
			case event.SegmentMerge:
				merges++
			}
		}
	})
	check(t, err)
	id := makeStore(t, db)
	rng := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 4000)
	for n := 0; n < 25_000; {
		tx := db.Begin(TxnOptions{})
		for range 250 {
			for k := range text { // nothing that an encoding could shorten
				text[k] = byte(rng.Uint32())
			}
			check(t, tx.Put(id, key(n), row(n, string(text))))
			n++
		}
		commit(t, tx)
	}
	check(t, db.Flush(ctx))
	var size int64
	for _, s := range db.StoreStats(id).Segments {
		size += s.Bytes
	}
	check(t, db.Close())
	mu.Lock()
	defer mu.Unlock()
	if merges > 0 || float64(built) > 1.01*float64(size) {
		t.Errorf("%d bytes were written for %d, %d merges", built, size, merges)
	}
}

// TestStallIsSeen: a commit that waits for a flush says so.
func TestStallIsSeen(t *testing.T) {
	var mu sync.Mutex
	stalls := 0
	db, err := openOn(t, vfs.NewVolatile(), func(o *Options) {
		o.Events = func(e event.Event) {
			if e.Name == event.WriteStall {
				mu.Lock()
				stalls++
				mu.Unlock()
			}
		}
	})
	check(t, err)
	id := makeStore(t, db)
	db.flush.mu.Lock()
	db.flush.flushing = true // nobody flushes
	db.flush.mu.Unlock()
	for i := range maxFrozen + 1 {
		insertOne(t, db, id, i)
		db.applyMu.Lock()
		db.freeze()
		db.applyMu.Unlock()
	}
	if stalls != 0 {
		t.Error("a stall without a reason")
	}
	db.opts.Tasks.After(1e6, "test", func() {
		db.flush.mu.Lock()
		db.flush.flushing = false
		db.flush.mu.Unlock()
		db.schedule()
	})
	insertOne(t, db, id, 100)
	if mu.Lock(); stalls != 1 {
		t.Errorf("%d stalls", stalls)
	}
	mu.Unlock()
	check(t, db.Close())
}

// awaitMerged returns when nothing is left to merge. A flush has merges begin
// after it has told of its end.
func awaitMerged(t *testing.T, db *DB) {
	t.Helper()
	db.scheduleMerge()
	check(t, db.wait(ctx, func(f *flusher) bool { return !f.merging }))
}

func insertOne(t *testing.T, db *DB, id StoreID, i int) {
	t.Helper()
	tx := db.Begin(TxnOptions{})
	check(t, tx.Put(id, key(i), row(i, "x")))
	commit(t, tx)
}

// TestFewRowsDoNotRewriteTheTable: rows that change here and there in a large
// table are merged with each other, until they are a share of it.
func TestFewRowsDoNotRewriteTheTable(t *testing.T) {
	var mu sync.Mutex
	var merged, merges int64
	db, err := openOn(t, vfs.NewVolatile(), func(o *Options) {
		o.PartitionBytes = 16 << 10
		o.Events = func(e event.Event) {
			if mu.Lock(); e.Name == event.SegmentMerge {
				merged += e.Bytes
				merges++
			}
			mu.Unlock()
		}
	})
	check(t, err)
	id := makeStore(t, db)
	rng := rand.New(rand.NewPCG(3, 4))
	rows := map[int]string{}
	put := func(list ...int) {
		tx := db.Begin(TxnOptions{})
		for _, k := range list {
			text := make([]byte, 60)
			for i := range text {
				text[i] = byte('a' + rng.IntN(26))
			}
			rows[k] = string(text)
			check(t, tx.Put(id, key(k), row(k, rows[k])))
		}
		commit(t, tx)
		check(t, db.Flush(ctx))
		awaitMerged(t, db)
	}
	all := make([]int, 20_000)
	for i := range all {
		all[i] = i
	}
	put(all...)
	check(t, db.Compact(ctx, id))
	size := func(level int) (n, runs int64) {
		for _, s := range db.StoreStats(id).Segments {
			if s.Level == level {
				n, runs = n+s.Bytes, runs+1
			}
		}
		return n, runs
	}
	table, parts := size(1)
	mu.Lock()
	merged, merges = 0, 0
	mu.Unlock()
	for range 60 {
		put(rng.IntN(20_000), rng.IntN(20_000), rng.IntN(20_000))
		if _, runs := size(0); runs >= 4 {
			t.Fatalf("%d runs wait in level 0", runs)
		}
	}
	mu.Lock()
	if parts < 50 || merges < 15 || merged > table/4 {
		t.Errorf("180 rows of %d bytes in %d segments: %d merges wrote %d bytes", table, parts, merges, merged)
	}
	merges = 0
	mu.Unlock()
	for range 4 {
		list := make([]int, 2000)
		for i := range list {
			list[i] = rng.IntN(20_000)
		}
		put(list...)
	}
	if n, _ := size(0); n > table/8 {
		t.Errorf("%d bytes stay above a table of %d", n, table)
	}
	s := db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); !maps.Equal(got, rows) {
		t.Errorf("%d rows, want %d", len(got), len(rows))
	}
	s.Close()
	check(t, db.Close())
}
