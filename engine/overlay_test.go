package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// rowTexts returns the rows of a scan in their order, as text, keys included.
func rowTexts(t *testing.T, s *Snapshot, id StoreID, plain bool, o ScanOptions) (rows []string) {
	t.Helper()
	s.db.opts.PlainReads = plain
	defer func() { s.db.opts.PlainReads = false }()
	it := s.Scan(id, o)
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		check(t, err)
		if !ok {
			return rows
		}
		if b.Sel != nil {
			t.Fatal("a batch with a selection")
		}
		for i := range b.N {
			text := ""
			if o.Keys {
				text = fmt.Sprintf("%x ", it.Keys()[i])
			}
			for c := range b.Cols {
				d := b.Cols[c].Datum(i)
				text += fmt.Sprint(d.Null, d.I, string(d.B), " ")
			}
			rows = append(rows, text)
		}
	}
}

// TestRowsInPlaceAreThoseOfPlainReads scans a loaded store that is updated,
// deleted from and inserted into, more of one in some steps and of the other in
// others, in memory, in new segments and merged, by old and new snapshots and
// by the transaction that writes.
func TestRowsInPlaceAreThoseOfPlainReads(t *testing.T) {
	db := testDB(t)
	id := makeStore(t, db)
	r := rand.New(rand.NewPCG(7, 8))
	const rows = 20000
	tx := db.Begin(TxnOptions{})
	w, err := tx.Bulk(id)
	check(t, err)
	for n := range rows {
		check(t, w.Append(key(2*n), row(n, "loaded, and long enough that a load in bulk pays")))
	}
	check(t, w.Finish(ctx))
	commit(t, tx)
	var snapshots []*Snapshot
	compare := func(s *Snapshot, step int) {
		o := ScanOptions{Keys: r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			o.Lower, o.Upper = key(r.IntN(2*rows)), key(r.IntN(2*rows))
			if bytes.Compare(o.Lower, o.Upper) > 0 {
				o.Lower, o.Upper = o.Upper, o.Lower
			}
		}
		o.Cols = [][]int{nil, {}, {1}, {1, 0}}[r.IntN(4)]
		want, got := rowTexts(t, s, id, true, o), rowTexts(t, s, id, false, o)
		if len(want) != len(got) {
			t.Fatalf("step %d: %d rows, %d when read plainly", step, len(got), len(want))
		}
		for i := range want {
			if want[i] != got[i] {
				t.Fatalf("step %d: row %d is %q, %q when read plainly", step, i, got[i], want[i])
			}
		}
	}
	for step := range 12 {
		tx := db.Begin(TxnOptions{})
		for range []int{rows / 10, 30, rows / 3}[step%3] {
			n := 2 * r.IntN(rows)
			switch r.IntN([]int{1000, 4, 40}[step%3]) {
			case 1:
				check(t, tx.Delete(id, key(n), nil))
			case 2:
				check(t, tx.Put(id, key(n+1), row(n, "inserted")))
			case 3:
				check(t, tx.Put(id, key(n), []column.Datum{column.Null(), column.Null()}))
			default:
				check(t, tx.Put(id, key(n), row(n, fmt.Sprint("step ", step))))
			}
		}
		tx.NextCommand()
		own := tx.Snapshot()
		compare(own, step)
		own.Close()
		commit(t, tx)
		snapshots = append(snapshots, db.Begin(TxnOptions{}).Snapshot())
		for _, s := range snapshots {
			compare(s, step)
		}
		switch step % 5 {
		case 1, 3:
			check(t, db.Flush(ctx))
		case 4:
			check(t, db.Compact(ctx, id))
		}
		for _, s := range snapshots {
			compare(s, step)
		}
	}
	for _, s := range snapshots {
		s.Close()
	}
}
