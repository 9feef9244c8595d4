package engine

import (
	"errors"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// spillingDB has a transaction in progress that has spilled.
func spillingDB(t *testing.T, fs vfs.FS, events event.Sink) (*DB, StoreID, *Txn) {
	t.Helper()
	db, err := openOn(t, fs, func(o *Options) { o.SpillBytes, o.Events = 4<<10, events })
	check(t, err)
	id := makeStore(t, db)
	tx := db.Begin(TxnOptions{})
	check(t, tx.Insert(ctx, id, key(1), row(1, "committed")))
	commit(t, tx)
	tx = db.Begin(TxnOptions{})
	for i := 2; i < 500; i++ {
		check(t, tx.Insert(ctx, id, key(i), row(i, "some text that takes room")))
	}
	return db, id, tx
}

func filesOfSegments(t *testing.T, fs vfs.FS) int {
	t.Helper()
	names, err := fs.List("db/" + segmentDir)
	check(t, err)
	return len(names)
}

// TestSpilledFilesGo: the files of private writes are gone after a rollback, and
// after the start that follows a crash; nothing of the transaction is there.
func TestSpilledFilesGo(t *testing.T) {
	mem := vfs.NewMem(1)
	spilled := 0
	db, id, tx := spillingDB(t, mem, func(e event.Event) {
		if e.Name == event.TxnSpill {
			spilled++
		}
	})
	before := filesOfSegments(t, mem)
	if spilled < 5 || before < 2 {
		t.Fatalf("%d spills, %d files", spilled, before)
	}
	killed := mem.Clone()
	check(t, tx.Rollback())
	if n := filesOfSegments(t, mem); n != 0 {
		t.Errorf("%d files are left of a transaction that was rolled back", n)
	}
	if db.private.Load() != 0 {
		t.Errorf("%d bytes of private writes are counted when there are none", db.private.Load())
	}
	check(t, db.Close())
	db, err := openOn(t, killed, nil)
	check(t, err)
	s := db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); len(got) != 1 {
		t.Errorf("%d rows after a kill, 1 was committed", len(got))
	}
	s.Close()
	if n := filesOfSegments(t, killed); n > 1 {
		t.Errorf("%d files after the start", n)
	}
	check(t, db.Verify(ctx, nil))
	check(t, db.Close())
}

// TestDiskFullWhileSpilling: the write fails, a rollback to a savepoint or of all
// works without room, and the transaction can go on when there is some.
func TestDiskFullWhileSpilling(t *testing.T) {
	fault := vfs.NewFault(vfs.NewMem(1))
	db, id, tx := spillingDB(t, fault, nil)
	sp := tx.Savepoint()
	insert := func(from, to int) (err error) {
		for i := from; i < to && err == nil; i++ {
			err = tx.Insert(ctx, id, key(i), row(i, "some text that takes room"))
		}
		return err
	}
	check(t, insert(500, 600))
	fault.SetDiskFull(true)
	if err := insert(600, 2000); !errors.Is(err, ErrDiskFull) {
		t.Fatal("a full disk:", err)
	}
	tx.RollbackTo(sp)
	s := tx.LatestSnapshot()
	s.ownSeq = tx.seq
	if got := contents(t, s, id); len(got) != 499 {
		t.Errorf("%d rows after the rollback to a savepoint, not 499", len(got))
	}
	s.Close()
	fault.SetDiskFull(false)
	check(t, insert(500, 700))
	commit(t, tx)
	s = db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); len(got) != 699 {
		t.Errorf("%d rows after the commit, not 699", len(got))
	}
	s.Close()
	tx = db.Begin(TxnOptions{})
	check(t, insert(5000, 5400))
	fault.SetDiskFull(true)
	if err := insert(5400, 9000); !errors.Is(err, ErrDiskFull) {
		t.Fatal("a full disk:", err)
	}
	check(t, tx.Rollback())
	fault.SetDiskFull(false)
	check(t, db.Verify(ctx, nil))
	check(t, db.Close())
}

// TestCursorOverPrivateRuns reads what a statement saw while later statements
// of its transaction change, spill and merge everything.
func TestCursorOverPrivateRuns(t *testing.T) {
	db, id, tx := spillingDB(t, vfs.NewMem(1), nil)
	tx.NextCommand()
	s := tx.Snapshot()
	it := s.Scan(id, ScanOptions{Keys: true})
	late := tx.Snapshot()
	for n := range 8 {
		for i := 499; i >= 2; i-- {
			if n == 7 && i%2 == 0 {
				check(t, tx.Delete(id, key(i), nil))
			} else if i < 499 {
				check(t, tx.Put(id, key(i), row(i, "changed")))
			}
		}
		tx.NextCommand()
	}
	if n := len(tx.bulk[id]); n > 4*mergeLinks {
		t.Errorf("%d links: they are not merged", n)
	}
	rows := 0
	for _, got := range []map[int]string{drain(t, it), contents(t, late, id)} {
		rows++
		for i := 2; i < 499; i++ {
			if got[i] != "some text that takes room" {
				t.Fatalf("read %d: row %d is %q", rows, i, got[i])
			}
		}
	}
	it.Close()
	s.Close()
	late.Close()
	commit(t, tx)
	check(t, db.Flush(ctx))
	check(t, db.Compact(ctx, id))
	s = db.Begin(TxnOptions{}).Snapshot()
	if got := contents(t, s, id); len(got) != 250 || got[3] != "changed" {
		t.Errorf("%d rows after the commit, row 3 is %q", len(got), got[3])
	}
	s.Close()
	check(t, db.Close())
}

// drain reads the rest of a scan.
func drain(t *testing.T, it *Iterator) map[int]string {
	t.Helper()
	rows := map[int]string{}
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		check(t, err)
		if !ok {
			return rows
		}
		for i := range b.N {
			rows[int(b.Cols[0].Datum(i).I)] = b.Cols[1].Datum(i).String()
		}
	}
}
