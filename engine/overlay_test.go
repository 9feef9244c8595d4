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
		if it.Deferred() {
			loadLate(t, it, &b)
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

// loadLate loads the columns of a deferred batch, after it has compared the cells
// of single rows, and the stored ones where there is no patch, with them.
func loadLate(t *testing.T, it *Iterator, b *column.Batch) {
	t.Helper()
	if b.Sel != nil {
		t.Fatal("a deferred batch with a selection")
	}
	patched := map[int32]bool{}
	for _, r := range it.Patches() {
		patched[r] = true
	}
	for c := range b.Cols {
		check(t, it.Load(b, c, nil))
		if len(patched)%3 != 0 { // a third of the batches is enough
			continue
		}
		var want []column.Datum
		for r := range b.N {
			want = append(want, b.Cols[c].Datum(r).Clone())
		}
		same := func(r int, d column.Datum, what string) {
			if w := want[r]; d.Null != w.Null || !d.Null && (d.I != w.I || string(d.B) != string(w.B)) {
				t.Fatalf("%s of row %d: %v, should be %v", what, r, d, w)
			}
		}
		pieces, ok := it.Pieces(c)
		for _, p := range pieces {
			for i := p.Lo; ok && i < p.Hi; i++ {
				if r := p.At + i - p.Lo; !patched[int32(r)] {
					same(r, p.Datum(i), "stored form")
				}
			}
		}
		var v column.Vec
		it.LoadPatches(&v, c)
		for k, r := range it.Patches() {
			same(int(r), v.Datum(k), "patch")
		}
		var sel []int32
		for r := 3; r < b.N; r += 7 {
			sel = append(sel, int32(r))
		}
		if len(sel) == 0 {
			continue
		}
		check(t, it.Load(b, c, sel))
		for _, r := range sel {
			same(int(r), b.Cols[c].Datum(int(r)), "cell")
		}
		check(t, it.Load(b, c, nil))
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
		o.Late = r.IntN(2) == 0
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
