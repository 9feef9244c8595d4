package wal

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

var bg = context.Background()

// bench is a log with everything around it under the test's control.
type bench struct {
	t       testing.TB
	fs      vfs.FS
	clk     *clock.Manual
	sim     *task.Sim
	opts    Options
	log     *Log
	applied []string
	fatal   error
}

func newBench(t testing.TB, fs vfs.FS) *bench {
	b := &bench{t: t, fs: fs, clk: clock.NewManual(time.Unix(1_700_000_000, 0))}
	b.sim = task.NewSim(1, b.clk, nil)
	b.opts = Options{
		FS: fs, Dir: "wal", Clock: b.clk, Tasks: b.sim, FileBytes: 4096, SkipZeroFill: true,
		Apply: func(rs []Record) {
			for _, r := range rs {
				b.applied = append(b.applied, string(r.Body))
			}
		},
		Fatal: func(err error) { b.fatal = err },
	}
	return b
}

func (b *bench) open() *Log {
	b.t.Helper()
	if err := b.tryOpen(); err != nil {
		b.t.Fatal(err)
	}
	return b.log
}

func (b *bench) tryOpen() (err error) {
	b.log, err = Open(b.opts)
	return err
}

// reopen opens the log on another file system, as after a crash.
func (b *bench) reopen(fs vfs.FS) *Log {
	b.t.Helper()
	b.sim = task.NewSim(2, b.clk, nil)
	b.fs, b.opts.FS, b.opts.Tasks = fs, fs, b.sim
	return b.open()
}

func (b *bench) propose(body string) LSN {
	b.t.Helper()
	lsn, err := b.log.Propose(bg, KindCommit, []byte(body), nil, false)
	if err != nil {
		b.t.Fatalf("propose %q: %v", body, err)
	}
	return lsn
}

// replay returns the bodies from LSN from on, checking that LSNs are dense.
func (b *bench) replay(from LSN) []string {
	b.t.Helper()
	var out []string
	next := from
	err := b.log.Replay(from, func(r *Record) error {
		if r.LSN != next {
			return fmt.Errorf("LSN %d, want %d", r.LSN, next)
		}
		next++
		out = append(out, string(r.Body))
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func body(i int) string { return fmt.Sprintf("record-%d-%0*d", i, i%70, i) }

func bodies(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = body(i + 1)
	}
	return out
}

func TestProposeReplayAcrossFiles(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	const n = 500
	for i := 1; i <= n; i++ {
		if lsn := b.propose(body(i)); lsn != LSN(i) {
			t.Fatalf("LSN %d, want %d", lsn, i)
		}
	}
	equal(t, b.applied, bodies(n))
	if s := b.log.Stats(); s.Files < 10 || s.Durable != n || s.First != 1 {
		t.Fatalf("stats %+v", s)
	}
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Propose(bg, KindCommit, nil, nil, false); !errors.Is(err, ErrClosed) {
		t.Fatalf("propose after close: %v", err)
	}
	b.reopen(b.fs)
	equal(t, b.replay(1), bodies(n))
	equal(t, b.replay(333), bodies(n)[332:])
	if lsn := b.propose("more"); lsn != n+1 {
		t.Fatalf("LSN %d after reopening", lsn)
	}
}

func equal(t testing.TB, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("record %d is %q, want %q", i+1, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
}
