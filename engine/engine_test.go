package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

var ctx = context.Background()

// testDB is a database over a memory file system, with real goroutines.
func testDB(t testing.TB) *DB {
	t.Helper()
	tasks := task.NewGoroutines(func(p *task.Panic) { panic(p) })
	db, err := Open(Options{FS: vfs.NewMem(1), Dir: "db", Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(), DeadlockTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		tasks.Close()
	})
	return db
}

func key(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func row(n int, s string) []column.Datum {
	return []column.Datum{column.IntDatum(int64(n)), column.StringDatum(s)}
}

func twoColumns(id StoreID) StoreDef {
	return StoreDef{ID: id, Name: "t", Columns: []ColumnDef{{Kind: column.Int}, {Kind: column.Bytes}}}
}

// makeStore creates a store of an int and a text column.
func makeStore(t testing.TB, db *DB) StoreID {
	t.Helper()
	id := db.NewStoreID()
	tx := db.Begin(TxnOptions{})
	check(t, tx.CreateStore(twoColumns(id)))
	commit(t, tx)
	return id
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, tx *Txn) {
	t.Helper()
	if _, err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
}

// contents reads a store through a snapshot: forwards, backwards and by Get,
// which must agree.
func contents(t testing.TB, s *Snapshot, id StoreID) map[int]string {
	t.Helper()
	rows := map[int]string{}
	var keys [][]byte
	var b column.Batch
	for _, reverse := range []bool{false, true} {
		it := s.Scan(id, ScanOptions{Keys: true, Reverse: reverse})
		n := 0
		for {
			ok, err := it.Next(&b)
			check(t, err)
			if !ok {
				break
			}
			for i, k := range it.Keys() {
				r := b.Row(i)
				v := b.Cols[1].Datum(r).String()
				if reverse {
					if want := keys[len(keys)-1-n]; string(want) != string(k) {
						t.Fatalf("backwards: key %x where %x was expected", k, want)
					}
				} else {
					keys = append(keys, append([]byte(nil), k...))
					rows[int(b.Cols[0].Datum(r).I)] = v
				}
				n++
			}
		}
		it.Close()
		if n != len(keys) {
			t.Fatalf("reverse=%v: %d rows, %d forwards", reverse, n, len(keys))
		}
	}
	for _, k := range keys {
		dst := make([]column.Datum, 2)
		ok, err := s.Get(id, k, nil, dst)
		check(t, err)
		if !ok || rows[int(dst[0].I)] != dst[1].String() {
			t.Fatalf("get %x: %v %v", k, ok, dst)
		}
	}
	if n, err := s.Count(id, nil, nil); err != nil || int(n) != len(rows) {
		t.Fatalf("count is %d (%v), scan found %d", n, err, len(rows))
	}
	return rows
}

func TestCommandsSeeEarlierCommands(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	s := tx.Snapshot()
	if got := contents(t, s, id); len(got) != 0 {
		t.Fatalf("a command sees its own writes: %v", got)
	}
	tx.NextCommand()
	if got := contents(t, s, id); len(got) != 0 {
		t.Fatalf("an older snapshot changed: %v", got)
	}
	s.Close()
	s = tx.Snapshot()
	if got := contents(t, s, id); got[1] != "a" {
		t.Fatalf("own write is missing: %v", got)
	}
	s.Close()
	other := db.Begin(TxnOptions{})
	s = other.Snapshot()
	if got := contents(t, s, id); len(got) != 0 {
		t.Fatalf("uncommitted rows are visible: %v", got)
	}
	s.Close()
	commit(t, tx)
	s = other.Snapshot()
	if got := contents(t, s, id); got[1] != "a" {
		t.Fatalf("committed row is missing: %v", got)
	}
	s.Close()
	check(t, other.Rollback())
}

func TestInsertOfLiveKey(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	var exists *KeyExistsError
	if err := tx.Insert(ctx, id, key(1), row(1, "b")); !errors.As(err, &exists) || !exists.Own {
		t.Fatalf("own duplicate: %v", err)
	}
	commit(t, tx)
	tx = db.Begin(TxnOptions{})
	if err := tx.Insert(ctx, id, key(1), row(1, "b")); !errors.As(err, &exists) || exists.Own || exists.Row[1].String() != "a" {
		t.Fatalf("committed duplicate: %v", err)
	}
	check(t, tx.Delete(id, key(1), nil))
	check(t, tx.Insert(ctx, id, key(1), row(1, "c")))
	commit(t, tx)
	s := db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); got[1] != "c" {
		t.Fatal(got)
	}
	s.Close()
}

func TestSavepoints(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(1), row(1, "a")))
	sp := tx.Savepoint()
	check(t, tx.Put(id, key(1), row(1, "b")))
	check(t, tx.Insert(ctx, id, key(2), row(2, "b")))
	other := db.NewStoreID()
	check(t, tx.CreateStore(twoColumns(other)))
	tx.RollbackTo(sp)
	tx.NextCommand()
	if err := tx.Insert(ctx, other, key(1), row(1, "x")); err == nil {
		t.Fatal("a store outlives the rollback of its creation")
	}
	// The lock of key 2 is free again.
	tx2 := db.Begin(TxnOptions{})
	check(t, tx2.Insert(ctx, id, key(2), row(2, "z")))
	commit(t, tx2)
	check(t, tx.Insert(ctx, id, key(3), row(3, "c")))
	tx.Release(sp)
	commit(t, tx)
	s := db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	got := contents(t, s, id)
	if len(got) != 3 || got[1] != "a" || got[2] != "z" || got[3] != "c" {
		t.Fatal(got)
	}
}

func TestLockReportsWhatHappened(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	for i := range 4 {
		check(t, tx.Insert(ctx, id, key(i), row(i, "a")))
	}
	commit(t, tx)

	reader := db.Begin(TxnOptions{})
	s := reader.Snapshot()
	writer := db.Begin(TxnOptions{})
	check(t, writer.Put(id, key(1), row(1, "b")))
	check(t, writer.Delete(id, key(2), nil))
	check(t, writer.Delete(id, key(3), key(30)))
	check(t, writer.Insert(ctx, id, key(30), row(30, "a")))
	commit(t, writer)
	want := []LockStatus{Locked, Updated, Deleted, Moved}
	for i, w := range want {
		r, err := reader.Lock(ctx, id, key(i), Update, Wait, s)
		check(t, err)
		if r.Status != w {
			t.Errorf("row %d: status %d instead of %d", i, r.Status, w)
		}
		if w == Updated && r.Row[1].String() != "b" || w == Moved && string(r.Key) != string(key(30)) {
			t.Errorf("row %d: %+v", i, r)
		}
	}
	s.Close()
	s = reader.Snapshot()
	check(t, reader.Put(id, key(0), row(0, "x")))
	if r, err := reader.Lock(ctx, id, key(0), Update, Wait, s); err != nil || r.Status != SelfModified {
		t.Errorf("own write of the same command: %v %v", r, err)
	}
	other := db.Begin(TxnOptions{})
	if _, err := other.Lock(ctx, id, key(0), Share, NoWait, nil); !errors.Is(err, ErrLockNotAvailable) {
		t.Errorf("no wait: %v", err)
	}
	if r, err := other.Lock(ctx, id, key(0), Share, SkipLocked, nil); err != nil || r.Status != Skipped {
		t.Errorf("skip locked: %v %v", r, err)
	}
	check(t, other.Rollback())
	s.Close()
	check(t, reader.Rollback())
}

func TestDeadlock(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	a, b := db.Begin(TxnOptions{ProcessID: 1}), db.Begin(TxnOptions{ProcessID: 2})
	check(t, a.Insert(ctx, id, key(1), row(1, "a")))
	check(t, b.Insert(ctx, id, key(2), row(2, "b")))
	done := make(chan error, 1)
	go func() {
		err := b.Insert(ctx, id, key(1), row(1, "b"))
		if err != nil { // the victim makes room, as a session would
			_ = b.Rollback()
		}
		done <- err
	}()
	errA := a.Insert(ctx, id, key(2), row(2, "a"))
	if errA != nil {
		check(t, a.Rollback())
	}
	errB := <-done
	var dead *DeadlockError
	if (errA == nil) == (errB == nil) || !errors.As(errors.Join(errA, errB), &dead) || len(dead.Edges) != 2 {
		t.Fatalf("a: %v, b: %v", errA, errB)
	}
	check(t, b.Rollback())
	check(t, a.Rollback())
}

func TestSequence(t *testing.T) {
	db := testDB(t)
	id := db.NewStoreID()
	tx := db.Begin(TxnOptions{})
	check(t, tx.CreateSequence(id, SequenceState{Last: 5}))
	p := SequenceParams{Increment: 1, Min: 1, Max: 7}
	for _, want := range []int64{5, 6, 7} {
		if v, err := db.SequenceNext(id, p); err != nil || v != want {
			t.Fatal(v, err)
		}
	}
	commit(t, tx)
	if _, err := db.SequenceNext(id, p); !errors.Is(err, ErrSequenceLimit) {
		t.Fatal(err)
	}
	p.Cycle = true
	if v, err := db.SequenceNext(id, p); err != nil || v != 1 {
		t.Fatal(v, err)
	}
}

func TestWriteSkewFailsAtSerializable(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	a, b := db.Begin(TxnOptions{Isolation: Serializable}), db.Begin(TxnOptions{Isolation: Serializable})
	for _, tx := range []*Txn{a, b} {
		s := tx.Snapshot()
		contents(t, s, id)
		s.Close()
	}
	check(t, a.Insert(ctx, id, key(1), row(1, "a")))
	check(t, b.Insert(ctx, id, key(2), row(2, "b")))
	commit(t, a)
	if _, err := b.Commit(ctx); !errors.Is(err, ErrSerialization) {
		t.Fatal(err)
	}
}

func TestUpsert(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	ctx := context.Background()
	tx := db.Begin(TxnOptions{})
	check(t, tx.Upsert(ctx, id, key(1), row(1, "new")))
	commit(t, tx)

	tx = db.Begin(TxnOptions{})
	for _, text := range []string{"first", "second"} {
		check(t, tx.Upsert(ctx, id, key(1), row(1, text)))
	}
	check(t, tx.Upsert(ctx, id, key(2), row(2, "another")))
	check(t, tx.Delete(id, key(2), nil))
	check(t, tx.Upsert(ctx, id, key(2), row(2, "again")))

	// Who else wants a row waits for it.
	other := db.Begin(TxnOptions{})
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	if err := other.Upsert(impatient, id, key(1), row(1, "other")); !errors.Is(err, context.Canceled) {
		t.Errorf("a row that another transaction has written: %v", err)
	}
	commit(t, tx)
	check(t, other.Upsert(ctx, id, key(1), row(1, "other")))
	if err := other.Upsert(ctx, id+100, key(1), row(1, "")); err == nil {
		t.Error("no error for a store that is not there")
	}
	commit(t, other)
	if err := other.Upsert(ctx, id, key(1), row(1, "")); err != ErrTxnDone {
		t.Errorf("after the end: %v", err)
	}

	tx = db.Begin(TxnOptions{})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	if got := contents(t, s, id); len(got) != 2 || got[1] != "other" || got[2] != "again" {
		t.Errorf("rows are %v", got)
	}
}
