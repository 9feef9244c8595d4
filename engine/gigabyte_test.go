package engine

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// BenchmarkReplayGigabyte opens a directory as a killed server leaves it, with
// more than a gigabyte of log on the operating system's disk, with memtables of
// the default size: what is replayed is flushed meanwhile.
//
//	go test ./engine -run xxx -bench ReplayGigabyte -benchtime 1x -timeout 10m
func BenchmarkReplayGigabyte(b *testing.B) {
	dir := b.TempDir()
	db, err := openOn(b, vfs.OS(), func(o *Options) {
		o.Dir, o.LogFileBytes, o.MemtableBytes, o.MaxLogBytes = dir, 0, 1<<40, 1<<40
	})
	check(b, err)
	insertRows(b, db, 2_200_000, 10, strings.Repeat("a text that fills the row ", 10))
	check(b, db.WaitDurable(ctx, db.Durable()))
	killed := b.TempDir()
	check(b, os.CopyFS(killed, os.DirFS(dir)))
	check(b, db.Close())
	var done event.Event
	for range b.N {
		start := time.Now()
		db, err := openOn(b, vfs.OS(), func(o *Options) {
			o.Dir, o.LogFileBytes, o.MaxLogBytes = killed, 0, 1<<40
			o.Events = func(e event.Event) {
				switch e.Name {
				case event.RecoveryDone:
					done = e
					fallthrough
				case event.RecoveryProgress:
					b.Log(e.Name, e.Detail)
				}
			}
		})
		check(b, err)
		b.ReportMetric(time.Since(start).Seconds()/(float64(done.Bytes)/(1<<30)), "s/GB")
		b.ReportMetric(float64(done.Changes)/done.Duration.Seconds(), "changes/s")
		check(b, db.Close())
	}
}
