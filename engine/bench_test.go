package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// benchRows are enough for a few thousand blocks.
const benchRows = 1 << 20

// benchStore is a store of benchRows rows in segments, and a snapshot of it.
func benchStore(b *testing.B) (StoreID, *Snapshot) {
	db := testDB(b)
	id := makeStore(b, db)
	tx := db.Begin(TxnOptions{})
	w, err := tx.Bulk(id)
	check(b, err)
	for n := range benchRows {
		check(b, w.Append(key(n*1000), row(n, "")))
	}
	check(b, w.Finish(ctx))
	commit(b, tx)
	read := db.Begin(TxnOptions{ReadOnly: true})
	s := read.Snapshot()
	b.Cleanup(func() {
		s.Close()
		check(b, read.Rollback())
	})
	return id, s
}

func BenchmarkGet(b *testing.B) {
	id, s := benchStore(b)
	r := rand.New(rand.NewPCG(1, 1))
	dst := make([]column.Datum, 1)
	for b.Loop() {
		ok, err := s.Get(id, key(r.IntN(benchRows)*1000), []int{0}, dst)
		if !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkGetBatch(b *testing.B) {
	id, s := benchStore(b)
	r := rand.New(rand.NewPCG(1, 1))
	keys, found := make([][]byte, 32), make([]bool, 32)
	var dst column.Batch
	for b.Loop() {
		for i := range keys {
			keys[i] = key(r.IntN(benchRows) * 1000)
		}
		check(b, s.GetBatch(id, keys, []int{0}, &dst, found))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/32, "ns/key")
}
