package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/internal/vfs"
)

// TestCountAmongChanges: with a few changes in memtables and level 0 a range is
// counted by the ranks of the base and a look at each key that changed, under
// every snapshot; with many it is not.
func TestCountAmongChanges(t *testing.T) {
	db, err := openOn(t, vfs.NewVolatile(), func(o *Options) { o.PartitionBytes = 32 << 10 })
	check(t, err)
	id := makeStore(t, db)
	rng := rand.New(rand.NewPCG(5, 6))
	const span = 30_000
	there := make([]bool, span)
	change := func(n int, bulk bool) {
		tx := db.Begin(TxnOptions{})
		var b *BulkWriter
		if bulk {
			b, err = tx.Bulk(id)
			check(t, err)
		}
		for i := range n {
			k := rng.IntN(span)
			if !bulk && i%50 == 0 {
				k = rng.IntN(200) // so that some ranges have no change
			}
			switch {
			case bulk && there[k]:
				continue
			case bulk:
				check(t, b.Append(key(k), row(k, "bulk")))
			case there[k] && rng.IntN(2) == 0:
				check(t, tx.LockKey(ctx, id, key(k)))
				check(t, tx.Delete(id, key(k), nil))
			default:
				check(t, tx.LockKey(ctx, id, key(k)))
				check(t, tx.Put(id, key(k), row(k, fmt.Sprint("row ", i))))
			}
			there[k] = !there[k] || !bulk && !isDeleted(t, tx, id, k)
		}
		if bulk {
			check(t, b.Finish(ctx))
		}
		commit(t, tx)
	}
	type moment struct {
		s    *Snapshot
		rows []bool
	}
	var moments []moment
	look := func() {
		moments = append(moments, moment{db.Begin(TxnOptions{}).Snapshot(), append([]bool(nil), there...)})
	}
	tx := db.Begin(TxnOptions{})
	for k := 0; k < span; k += 2 {
		check(t, tx.Insert(ctx, id, key(k), row(k, "base")))
		there[k] = true
	}
	commit(t, tx)
	check(t, db.Flush(ctx))
	check(t, db.Compact(ctx, id))
	look()
	ranked := func(m moment, lo, hi int) bool {
		t.Helper()
		want := int64(0)
		for k := lo; k < hi; k++ {
			if m.rows[k] {
				want++
			}
		}
		n, ok, err := m.s.CountByRank(id, key(lo), key(hi))
		check(t, err)
		if ok && n != want {
			t.Fatalf("%d rows of [%d, %d) instead of %d", n, lo, hi, want)
		}
		if n, err = m.s.Count(id, key(lo), key(hi)); err != nil || n != want {
			t.Fatalf("a count of [%d, %d) is %d instead of %d: %v", lo, hi, n, want, err)
		}
		return ok
	}
	for _, flush := range []bool{false, true, true, false} {
		change(40, false)
		if flush {
			check(t, db.Flush(ctx))
		}
		look()
		for _, m := range moments {
			if !ranked(m, 0, span) || !ranked(m, 1000, 29_000) {
				t.Error("a few changes are not looked up")
			}
			for range 20 {
				lo := rng.IntN(span)
				ranked(m, lo, lo+rng.IntN(span-lo))
			}
		}
	}
	for _, s := range db.StoreStats(id).Segments {
		if s.Level == 0 && s.Keys > 100 {
			t.Errorf("%d keys in level 0", s.Keys)
		}
	}
	last := moments[len(moments)-1]
	if at, _, ok, err := last.s.SkipByRank(id, nil, nil, 10_000, false); ok || err != nil {
		t.Errorf("an offset among changes: %x, %v", at, err)
	}
	change(3000, false)
	look()
	if ranked(moments[len(moments)-1], 0, span) {
		t.Error("many changes are looked up one by one")
	}
	change(200, true)
	look()
	for _, m := range moments {
		for range 20 {
			lo := rng.IntN(span)
			ranked(m, lo, lo+rng.IntN(span-lo))
		}
		m.s.Close()
	}
	check(t, db.Close())
}

// isDeleted reports what a transaction has made of a key.
func isDeleted(t *testing.T, tx *Txn, id StoreID, k int) bool {
	t.Helper()
	tx.NextCommand()
	s := tx.Snapshot()
	defer s.Close()
	ok, err := s.Get(id, key(k), nil, row(0, ""))
	check(t, err)
	return !ok
}
