package engine

import (
	"fmt"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// TestExpiredVersionHidesOlder writes a row, moves the horizon and overwrites
// the row with one that is behind it, with a flush, a merge, a restart, a
// snapshot or nothing in between: the older version does not come back.
func TestExpiredVersionHidesOlder(t *testing.T) {
	const kinds = 5
	for n := range kinds * kinds * kinds {
		between := [3]int{n % kinds, n / kinds % kinds, n / kinds / kinds}
		fs := vfs.NewMem(1)
		db, err := openOn(t, fs, nil)
		check(t, err)
		id := makeStore(t, db)
		put := func(k, age int) {
			tx := db.Begin(TxnOptions{})
			check(t, tx.LockKey(ctx, id, key(k)))
			check(t, tx.Put(id, key(k), row(age, "")))
			commit(t, tx)
		}
		var held []*Snapshot
		pause := func(kind int) {
			switch kind {
			case 1:
				check(t, db.Flush(ctx))
			case 2:
				check(t, db.Compact(ctx, id))
			case 3:
				for _, s := range held {
					s.Close()
				}
				held = nil
				check(t, db.Close())
				db, err = openOn(t, fs, nil)
				check(t, err)
			case 4:
				held = append(held, db.Begin(TxnOptions{}).Snapshot())
			}
		}
		put(8, 5)
		put(9, 2)
		pause(between[0])
		tx := db.Begin(TxnOptions{})
		check(t, tx.MoveHorizon(id, 0, 1))
		commit(t, tx)
		pause(between[1])
		put(9, -4)
		pause(between[2])
		for _, then := range []int{0, 1, 2, 1} {
			pause(then)
			tx := db.Begin(TxnOptions{})
			s := tx.Snapshot()
			if got := fmt.Sprint(contents(t, s, id)); got != "map[5:]" {
				t.Errorf("%v, then %d: %s", between, then, got)
			}
			s.Close()
			check(t, tx.Rollback())
		}
		for _, s := range held {
			s.Close()
		}
		check(t, db.Close())
	}
}

// TestExpiredVersionsAboveTheBase: where small runs are merged above the base, an
// expired or deleted version goes on hiding the one that lies there.
func TestExpiredVersionsAboveTheBase(t *testing.T) {
	db, err := openOn(t, vfs.NewVolatile(), func(o *Options) { o.PartitionBytes = 4 << 10 })
	check(t, err)
	id := makeStore(t, db)
	const rows = 8000
	change := func(fn func(*Txn)) {
		tx := db.Begin(TxnOptions{})
		fn(tx)
		commit(t, tx)
	}
	change(func(tx *Txn) {
		for k := range rows {
			check(t, tx.Insert(ctx, id, key(k), row(1000+k, fmt.Sprint("a text for row ", k))))
		}
	})
	check(t, db.Compact(ctx, id))
	check(t, db.Flush(ctx))
	check(t, db.Compact(ctx, id))
	change(func(tx *Txn) { check(t, tx.MoveHorizon(id, 0, 1000)) })
	flushed := func() {
		check(t, db.Flush(ctx))
		awaitMerged(t, db)
	}
	for i := range 4 {
		change(func(tx *Txn) {
			for k := i; k < rows; k += 997 {
				check(t, tx.LockKey(ctx, id, key(k)))
				if k%2 == 0 {
					check(t, tx.Delete(id, key(k), nil))
				} else {
					check(t, tx.Put(id, key(k), row(5, "behind the horizon")))
				}
			}
		})
		flushed()
	}
	level := [2]int{}
	for _, s := range db.StoreStats(id).Segments {
		level[s.Level]++
	}
	if level[0] != 1 || level[1] < 8 {
		t.Fatalf("%d runs above %d segments", level[0], level[1])
	}
	s := db.Begin(TxnOptions{}).Snapshot()
	defer s.Close()
	got := contents(t, s, id)
	for i := range 4 {
		for k := i; k < rows; k += 997 {
			if text, ok := got[1000+k]; ok {
				t.Errorf("row %d is back: %q", k, text)
			}
		}
	}
	if len(got) != rows-4*9 || got[1500] != "a text for row 500" {
		t.Errorf("%d rows", len(got))
	}
	check(t, db.Close())
}
