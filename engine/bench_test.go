package engine

import (
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// BenchmarkGet reads single rows of a store of 100,000 through a snapshot,
// from a memtable and from a segment.
func BenchmarkGet(b *testing.B) {
	db := testDB(b)
	id := makeStore(b, db)
	tx := db.Begin(TxnOptions{})
	const rows = 100000
	for i := range rows {
		check(b, tx.Insert(ctx, id, key(i), row(i, "some text of a row")))
	}
	commit(b, tx)
	for _, where := range []string{"memtable", "segment"} {
		b.Run(where, func(b *testing.B) {
			tx := db.Begin(TxnOptions{})
			dst := make([]column.Datum, 2)
			keys := make([][]byte, 1024)
			for i := range keys {
				keys[i] = key(i * 7919 % rows)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s := tx.Snapshot()
				if ok, err := s.Get(id, keys[i%len(keys)], nil, dst); !ok || err != nil {
					b.Fatal(ok, err)
				}
				s.Close()
			}
			check(b, tx.Rollback())
		})
		check(b, db.Flush(ctx))
	}
}

// BenchmarkCommit inserts one row in a transaction, over a memory file system.
func BenchmarkCommit(b *testing.B) {
	db := testDB(b)
	id := makeStore(b, db)
	r := row(1, "some text of a row")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tx := db.Begin(TxnOptions{})
		if err := tx.Insert(ctx, id, key(i), r); err != nil {
			b.Fatal(err)
		}
		commit(b, tx)
	}
}
