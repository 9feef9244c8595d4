package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// BenchmarkBatches commits batches of a hundred rows of a hundred bytes, and
// rows alone; an operation is a row.
func BenchmarkBatches(b *testing.B) {
	for _, size := range []int{1, 100} {
		for _, sorted := range []bool{false, true} {
			for _, durable := range []bool{false, true} {
				b.Run(fmt.Sprintf("rows=%d/sorted=%v/durable=%v", size, sorted, durable), func(b *testing.B) { benchmarkBatches(b, size, sorted, durable) })
			}
		}
	}
}

func benchmarkBatches(b *testing.B, size int, sorted, durable bool) {
	db, err := Open(Options{FS: vfs.OS(), Dir: b.TempDir(), Clock: clock.System(), Tasks: task.NewGoroutines(nil), Log: zerolog.Nop(),
		Fatal: func(err error) { panic(err) }})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	ctx, id := context.Background(), db.NewStoreID()
	t := db.Begin(TxnOptions{})
	if err := t.CreateStore(StoreDef{ID: id, Name: "bench", Columns: []ColumnDef{{Kind: column.Int}, {Kind: column.Bytes}, {Kind: column.Bytes}}, KeyColumns: []int{0}}); err != nil {
		b.Fatal(err)
	}
	if _, err := t.Commit(ctx); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	row, value, next := make([]column.Datum, 3), make([]byte, 92), int64(0)
	var key []byte
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		t := db.Begin(TxnOptions{AsyncCommit: !durable, ProcessID: 1})
		for range min(size, b.N-done) {
			if next += 1000; !sorted {
				next = rng.Int64N(1 << 30)
			}
			row[0], row[1], row[2] = column.IntDatum(next), column.BytesDatum(value[:46]), column.BytesDatum(value[46:])
			key = keys.AppendInt(key[:0], next, 0)
			if err := t.Upsert(ctx, id, key, row); err != nil {
				b.Fatal(err)
			}
			done++
		}
		if _, err := t.Commit(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
