package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// wantedRows scans a store with a wanted range of column 0 and applies the
// condition to what comes, as a caller does.
func wantedRows(t *testing.T, s *Snapshot, id StoreID, lo, hi int64, prune, reverse bool, st *ReadStats) map[int64]string {
	t.Helper()
	o := ScanOptions{Reverse: reverse, Stats: st}
	if prune {
		o.Wanted = []ColumnRange{{Column: 0, Min: keys.IntBits(lo), Max: keys.IntBits(hi)}}
	}
	it := s.Scan(id, o)
	defer it.Close()
	rows := map[int64]string{}
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		check(t, err)
		if !ok {
			return rows
		}
		for i := range b.N {
			if v := b.Cols[0].I[i]; !b.Cols[0].Null(i) && v >= lo && v <= hi {
				rows[v] = b.Cols[1].Datum(i).String()
			}
		}
	}
}

// TestWantedRangesChangeNoRow compares scans with and without the condition
// while rows are loaded, changed, deleted, flushed and merged, under old and
// new snapshots.
func TestWantedRangesChangeNoRow(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	r := rand.New(rand.NewPCG(5, 6))
	const rows = 60000
	tx := db.Begin(TxnOptions{})
	w, err := tx.Bulk(id)
	check(t, err)
	for n := range rows {
		check(t, w.Append(key(n), row(n, "loaded, and long enough that a load in bulk pays")))
	}
	check(t, w.Finish(ctx))
	commit(t, tx)
	var old []*Snapshot
	var pruned, passed int64
	for step := range 12 {
		tx := db.Begin(TxnOptions{}) // in order, which zones of memtables know; the next steps change some of these again
		for n := step * 1000; n < step*1000+3000; n++ {
			if _, err := tx.Lock(ctx, id, key(n), Update, Wait, nil); err != nil {
				t.Fatal(err)
			}
			check(t, tx.Put(id, key(n), row(2*rows+n, fmt.Sprint(step))))
		}
		commit(t, tx)
		tx = db.Begin(TxnOptions{})
		for range 300 {
			n := r.IntN(rows)
			if _, err := tx.Lock(ctx, id, key(n), Update, Wait, nil); err != nil {
				t.Fatal(err)
			}
			if r.IntN(3) == 0 {
				check(t, tx.Delete(id, key(n), nil))
			} else { // the new value of column 0 lies elsewhere
				check(t, tx.Put(id, key(n), row(rows+r.IntN(rows), fmt.Sprint(step))))
			}
		}
		commit(t, tx)
		switch step % 4 {
		case 1:
			check(t, db.Flush(ctx))
		case 3:
			check(t, db.Compact(ctx, id))
		}
		old = append(old, db.Begin(TxnOptions{}).Snapshot())
		for _, s := range old {
			lo := int64(r.IntN(3 * rows))
			hi, reverse := lo+int64(r.IntN(rows/8)), r.IntN(2) == 0
			var st ReadStats
			want, got := wantedRows(t, s, id, lo, hi, false, reverse, nil), wantedRows(t, s, id, lo, hi, true, reverse, &st)
			pruned, passed = pruned+st.ExtentsPruned, passed+st.RowsPassed
			if len(want) != len(got) {
				t.Fatalf("step %d: %d rows of %d to %d, %d without the condition", step, len(got), lo, hi, len(want))
			}
			for k, v := range want {
				if got[k] != v {
					t.Fatalf("step %d: row %d is %q, want %q", step, k, got[k], v)
				}
			}
		}
	}
	for _, s := range old {
		s.Close()
	}
	if pruned == 0 || passed == 0 {
		t.Errorf("%d extents were pruned, and %d rows of memtables passed by", pruned, passed)
	}
}
