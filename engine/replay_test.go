package engine

import (
	"encoding/binary"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// insertWithIndexes commits n rows of a table with two indexes, per rows to a transaction.
func insertWithIndexes(t testing.TB, db *DB, n, per int) {
	t.Helper()
	insertRows(t, db, n, per, "some text of a row")
}

func insertRows(t testing.TB, db *DB, n, per int, text string) {
	t.Helper()
	table, first, second := makeStore(t, db), makeStore(t, db), makeStore(t, db)
	for i := 0; i < n; i += per {
		tx := db.Begin(TxnOptions{AsyncCommit: true})
		for k := i; k < min(n, i+per); k++ {
			check(t, tx.Insert(ctx, table, key(k), row(k, text)))
			check(t, tx.Insert(ctx, first, key(int(uint32(k*2654435761))<<24|k), []column.Datum{column.IntDatum(int64(k)), column.BytesDatum(key(k))}))
			check(t, tx.Insert(ctx, second, binary.BigEndian.AppendUint64([]byte("name"), uint64(k)), []column.Datum{column.IntDatum(int64(k)), column.BytesDatum(key(k))}))
		}
		commit(t, tx)
	}
}

// BenchmarkReplay recovers a log of inserts into a table with two indexes and
// reports rows, changes of stores and log records per second.
func BenchmarkReplay(b *testing.B) {
	for _, c := range []struct {
		name string
		per  int
	}{{"one row to a commit", 1}, {"1000 rows to a commit", 1000}} {
		b.Run(c.name, func(b *testing.B) {
			const rows = 200_000
			mem := vfs.NewVolatile()
			db, err := openOn(b, mem, func(o *Options) { o.LogFileBytes = 16 << 20; o.MemtableBytes = 1 << 30 })
			check(b, err)
			insertWithIndexes(b, db, rows, c.per)
			check(b, db.WaitDurable(ctx, db.Durable()))
			var done event.Event
			b.ResetTimer()
			for range b.N {
				killed := mem.Clone()
				db, err := openOn(b, killed, func(o *Options) {
					o.LogFileBytes = 16 << 20
					o.Events = func(e event.Event) {
						if e.Name == event.RecoveryDone {
							done = e
						}
					}
				})
				check(b, err)
				b.StopTimer()
				check(b, db.Close())
				b.StartTimer()
			}
			seconds := done.Duration.Seconds()
			b.ReportMetric(rows/seconds, "rows/s")
			b.ReportMetric(float64(done.Changes)/seconds, "changes/s")
			b.ReportMetric(float64(done.Count)/seconds, "records/s")
			b.ReportMetric(float64(done.Bytes)/seconds/1e6, "MB/s")
		})
	}
}
