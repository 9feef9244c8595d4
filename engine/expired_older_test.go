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
