package engine

import (
	"fmt"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// TestWriteLists makes transactions that leave the list of first writes in
// every way there is, with lists and without: what they see and what is left
// is the same.
func TestWriteLists(t *testing.T) {
	cases := []struct {
		name string
		work func(t *testing.T, tx *Txn, ids []StoreID)
	}{
		{"many rows", func(t *testing.T, tx *Txn, ids []StoreID) {
			for n := range 300 {
				check(t, tx.Insert(ctx, ids[0], key(n*7919%1000), row(n*7919%1000, "")))
			}
		}},
		{"more bytes than a list holds", func(t *testing.T, tx *Txn, ids []StoreID) {
			wide := string(make([]byte, maxListBytes/8))
			for n := range 20 {
				check(t, tx.Insert(ctx, ids[0], key(20-n), row(20-n, wide)))
			}
		}},
		{"more stores than there are lists", func(t *testing.T, tx *Txn, ids []StoreID) {
			for n := range 50 {
				check(t, tx.Insert(ctx, ids[n%len(ids)], key(n), row(n, "")))
			}
		}},
		{"a key again", func(t *testing.T, tx *Txn, ids []StoreID) {
			for n := range 20 {
				check(t, tx.Insert(ctx, ids[0], key(n), row(n, "first")))
			}
			check(t, tx.Put(ids[0], key(3), row(3, "second")))
			check(t, tx.Delete(ids[0], key(4), nil))
			check(t, tx.Delete(ids[0], key(5), key(50)))
			check(t, tx.Insert(ctx, ids[0], key(50), row(50, "moved")))
			check(t, tx.Insert(ctx, ids[0], key(4), row(4, "again")))
		}},
		{"commands and snapshots", func(t *testing.T, tx *Txn, ids []StoreID) {
			for n := range 20 {
				check(t, tx.Insert(ctx, ids[0], key(n), row(n, "")))
				if n%5 == 4 {
					tx.NextCommand()
				}
				s := tx.Snapshot()
				var dst [2]column.Datum
				ok, err := s.Get(ids[0], key(n-n%5), nil, dst[:])
				check(t, err)
				if ok != (n%5 == 4) {
					t.Errorf("row %d of the running command: %v", n, ok)
				}
				if n == 12 {
					f := s.Fork()
					if c, err := f.Count(ids[0], nil, nil); err != nil || c != 10 {
						t.Error(c, err)
					}
					f.Close()
				}
				s.Close()
			}
		}},
		{"a savepoint", func(t *testing.T, tx *Txn, ids []StoreID) {
			check(t, tx.Insert(ctx, ids[0], key(1), row(1, "")))
			sp := tx.Savepoint()
			check(t, tx.Insert(ctx, ids[0], key(2), row(2, "")))
			check(t, tx.Insert(ctx, ids[1], key(2), row(2, "")))
			tx.RollbackTo(sp)
			check(t, tx.Insert(ctx, ids[0], key(3), row(3, "")))
			tx.Release(sp)
			check(t, tx.Insert(ctx, ids[2], key(4), row(4, "")))
		}},
		{"a bulk load beside", func(t *testing.T, tx *Txn, ids []StoreID) {
			check(t, tx.Insert(ctx, ids[0], key(1), row(1, "")))
			w, err := tx.Bulk(ids[0])
			check(t, err)
			for n := range 2000 {
				check(t, w.Append(key(n+10), row(n+10, "")))
			}
			check(t, w.Finish(ctx))
			check(t, tx.Insert(ctx, ids[0], key(2), row(2, "")))
			check(t, tx.Put(ids[0], key(15), row(15, "new")))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var left [2]string
			for i := range left {
				db, err := openOn(t, vfs.NewMem(1), func(o *Options) { o.PlainWrites, o.BulkMinBytes = i == 1, 1 })
				check(t, err)
				var ids []StoreID
				for range maxLists + 3 {
					ids = append(ids, makeStore(t, db))
				}
				tx := db.Begin(TxnOptions{})
				c.work(t, tx, ids)
				commit(t, tx)
				read := db.Begin(TxnOptions{ReadOnly: true})
				s := read.Snapshot()
				for _, id := range ids {
					left[i] += fmt.Sprintln(contents(t, s, id))
				}
				s.Close()
				check(t, read.Rollback())
				check(t, db.Close())
			}
			if left[0] != left[1] {
				t.Errorf("with lists:\n%.2000s\nwithout:\n%.2000s", left[0], left[1])
			}
		})
	}
}

// TestListPlaces enters keys that follow each other and looks at how many places a search passes.
func TestListPlaces(t *testing.T) {
	const n = 40_000
	l := &writeList{}
	for i := range n {
		k := key(i)
		l.begin(k, rowTag(7, k).B, uint64(i+1), 0, 0)
	}
	l.place()
	mask, passed := uint64(len(l.places)-1), uint64(0)
	for i, row := range l.places {
		if row != 0 {
			passed += (uint64(i) - listPlace(l.rows[row-1].hash)) & mask
		}
	}
	if passed > 4*n {
		t.Errorf("%d places are passed for %d keys", passed, n)
	}
}
