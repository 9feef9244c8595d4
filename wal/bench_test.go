package wal

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

func benchOptions(b *testing.B) Options {
	tasks := task.NewGoroutines(nil)
	b.Cleanup(tasks.Close)
	return Options{FS: vfs.OS(), Dir: b.TempDir(), Clock: clock.System(), Tasks: tasks}
}

// BenchmarkCommit is one record of 100 bytes per synchronous commit.
func BenchmarkCommit(b *testing.B) {
	for _, committers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("committers=%d", committers), func(b *testing.B) {
			l, err := Open(benchOptions(b))
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			b.ReportAllocs()
			var wg sync.WaitGroup
			for c := range committers {
				wg.Add(1)
				go func() {
					defer wg.Done()
					body := make([]byte, 100)
					for i := c; i < b.N; i += committers {
						if _, err := l.Propose(bg, KindCommit, body, nil, false); err != nil {
							b.Error(err)
							return
						}
					}
				}()
			}
			wg.Wait()
		})
	}
}

// BenchmarkAsync is one record of 100 bytes per asynchronous commit.
func BenchmarkAsync(b *testing.B) {
	l, err := Open(benchOptions(b))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	b.ReportAllocs()
	body := make([]byte, 100)
	for b.Loop() {
		if _, err := l.Propose(bg, KindCommit, body, nil, true); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay reads one million records of 100 bytes per iteration.
func BenchmarkReplay(b *testing.B) {
	const records = 1_000_000
	opts := benchOptions(b)
	l, err := Open(opts)
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 100)
	for range records {
		if _, err := l.Propose(bg, KindCommit, body, nil, true); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		l, err := Open(opts)
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Since(start)
		n := 0
		if err := l.Replay(1, func(*Record) error { n++; return nil }); err != nil || n != records {
			b.Fatalf("%d records, %v", n, err)
		}
		b.ReportMetric(float64(records)/time.Since(start).Seconds()/1e6, "Mrecords/s")
		b.ReportMetric(float64(opened.Microseconds()), "open-µs")
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
