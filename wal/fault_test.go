package wal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// scenario writes, compacts, closes, reopens and replays a small log. It
// returns what was acknowledged and the first error.
func (b *bench) scenario(acked map[LSN]string) error {
	if err := b.tryOpen(); err != nil {
		return err
	}
	for i := 1; i <= 40; i++ {
		text := fmt.Sprintf("%s-%0*d", body(i), 60*(i%5), 0)
		lsn, err := b.log.Propose(bg, KindCommit, []byte(text), nil, i%4 == 0)
		if err != nil {
			b.log.Close()
			return err
		}
		if i%4 != 0 {
			acked[lsn] = text
		}
	}
	b.sim.RunFor(time.Second)
	if err := b.log.Compact(15); err != nil {
		b.log.Close()
		return err
	}
	if err := b.log.Close(); err != nil {
		return err
	}
	if err := b.tryOpen(); err != nil {
		return err
	}
	if err := b.log.Replay(b.log.First(), func(*Record) error { return nil }); err != nil {
		b.log.Close()
		return err
	}
	return b.log.Close()
}

// Every operation on the disk fails once, in every way. The outcome is success
// or an error, and nothing acknowledged is lost.
func TestFaultAtEveryOperation(t *testing.T) {
	count := vfs.NewFault(vfs.NewMem(1))
	if err := newBench(t, count).scenario(map[LSN]string{}); err != nil {
		t.Fatal(err)
	}
	total := count.Count(vfs.OpAny)
	ways := []struct {
		name string
		rule vfs.Rule
	}{
		{"EIO", vfs.Rule{Err: syscall.EIO}},
		{"ENOSPC", vfs.Rule{Err: syscall.ENOSPC}},
		{"torn EIO", vfs.Rule{Err: syscall.EIO, Short: 100, Partial: true}},
		{"torn ENOSPC", vfs.Rule{Err: syscall.ENOSPC, Short: 70, Partial: true}},
		{"short", vfs.Rule{Short: 40, Partial: true}},
		{"ENOSPC for long", vfs.Rule{Err: syscall.ENOSPC, Times: 30}},
	}
	failed := 0
	for _, way := range ways {
		for n := int64(1); n <= total; n++ {
			mem := vfs.NewMem(uint64(n))
			rule := way.rule
			rule.Nth = n
			b := newBench(t, vfs.NewFault(mem, rule))
			acked := map[LSN]string{}
			err := b.scenario(acked)
			if err != nil {
				failed++
			}
			if (b.fatal != nil) != errors.Is(err, ErrPoisoned) && err != nil {
				t.Fatalf("%s at operation %d: fatal %v, error %v", way.name, n, b.fatal, err)
			}
			after := newBench(t, mem.CrashClone(nil))
			after.open()
			got := map[LSN]string{}
			first := after.log.First()
			for i, text := range after.replay(first) {
				got[first+LSN(i)] = text
			}
			for lsn, text := range acked {
				if lsn >= first && got[lsn] != text {
					t.Fatalf("%s at operation %d of %d: acknowledged record %d is lost (%v)", way.name, n, total, lsn, err)
				}
			}
			if first > 15 {
				t.Fatalf("%s at operation %d: the log starts with %d", way.name, n, first)
			}
		}
	}
	t.Logf("%d operations, %d ways, %d errors", total, len(ways), failed)
	if int64(failed) < total {
		t.Fatal("too few faults showed: the test does not test")
	}
}

func TestFailedSyncPoisons(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	var events []event.Name
	b.opts.Events = func(e event.Event) { events = append(events, e.Name) }
	b.open()
	b.propose("kept")
	disk.Add(vfs.Rule{Kind: vfs.OpSync, Nth: 1, Err: syscall.EIO})
	_, err := b.log.Propose(bg, KindCommit, []byte("lost"), nil, false)
	if !errors.Is(err, ErrPoisoned) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v", err)
	}
	if !errors.Is(b.fatal, ErrPoisoned) {
		t.Fatalf("Fatal got %v", b.fatal)
	}
	if events[len(events)-1] != event.WALFatal {
		t.Fatalf("events %v", events)
	}
	// The disk works again; the log must not.
	for range 2 {
		if _, err := b.log.Propose(bg, KindCommit, []byte("later"), nil, true); !errors.Is(err, ErrPoisoned) {
			t.Fatalf("got %v", err)
		}
	}
	equal(t, b.applied, []string{"kept"})
	if err := b.log.Close(); !errors.Is(err, ErrPoisoned) {
		t.Fatalf("close: %v", err)
	}
}

// A failing background sync reaches those who come later.
func TestFailedBackgroundSyncPoisons(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	b.open()
	disk.Add(vfs.Rule{Kind: vfs.OpSync, Err: syscall.EIO})
	if _, err := b.log.Propose(bg, KindCommit, []byte("async"), nil, true); err != nil {
		t.Fatal(err)
	}
	b.sim.RunFor(time.Second)
	if b.fatal == nil {
		t.Fatal("nobody was told")
	}
	if err := b.log.WaitDurable(bg, 1); !errors.Is(err, ErrPoisoned) {
		t.Fatalf("got %v", err)
	}
	if err := b.log.TruncateSuffix(0); !errors.Is(err, ErrPoisoned) {
		t.Fatalf("got %v", err)
	}
}

func TestDiskFullThenResume(t *testing.T) {
	mem := vfs.NewMem(1)
	b := newBench(t, mem)
	b.opts.SpareFiles = -1
	b.open()
	b.propose("first")
	mem.SetLimit(mem.Used()) // no new file, but room in the current one
	var err error
	n := 0
	for ; err == nil; n++ {
		_, err = b.log.Propose(bg, KindCommit, make([]byte, 500), nil, false)
	}
	if !errors.Is(err, syscall.ENOSPC) || n < 5 {
		t.Fatalf("after %d: %v", n, err)
	}
	applied := len(b.applied)
	if b.fatal != nil || LSN(applied) != b.log.Last() {
		t.Fatalf("fatal %v, %d applied, last %d", b.fatal, applied, b.log.Last())
	}
	if lsn := b.propose("small ones still fit"); lsn != LSN(applied+1) {
		t.Fatalf("LSN %d", lsn)
	}
	mem.SetLimit(0)
	b.propose(strings.Repeat("y", 600))
	b.reopen(mem.CrashClone(nil))
	if got := b.replay(1); len(got) != applied+2 {
		t.Fatalf("%d records, want %d", len(got), applied+2)
	}
}

// Full even for overwriting: the commit is in doubt, nothing is written until
// its traces are wiped out, and then it can never come back.
func TestInDoubt(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	b.open()
	b.propose("first")
	disk.Add(vfs.Rule{Kind: vfs.OpWrite, Nth: 1, Err: syscall.ENOSPC, Short: 4000, Partial: true})
	disk.Add(vfs.Rule{Kind: vfs.OpWrite, Nth: 2, Times: 2, Err: syscall.ENOSPC})
	var doubt *InDoubtError
	if _, err := b.log.Propose(bg, KindCommit, []byte("doubt"), nil, false); !errors.As(err, &doubt) {
		t.Fatalf("got %v", err)
	}
	_, err := b.log.Propose(bg, KindCommit, []byte("never written"), nil, false)
	if !errors.Is(err, syscall.ENOSPC) || errors.As(err, &doubt) {
		t.Fatalf("got %v", err)
	}
	b.propose("after")
	equal(t, b.applied, []string{"first", "after"})
	b.reopen(b.log.opts.FS)
	equal(t, b.replay(1), []string{"first", "after"})
}

func TestApplyPanicPoisons(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.opts.Apply = func([]Record) { panic("bug") }
	b.open()
	func() {
		defer func() {
			if recover() != "bug" {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = b.log.Propose(bg, KindCommit, nil, nil, false)
	}()
	if !errors.Is(b.fatal, ErrPoisoned) {
		t.Fatalf("Fatal got %v", b.fatal)
	}
	if _, err := b.log.Propose(bg, KindCommit, nil, nil, false); !errors.Is(err, ErrPoisoned) {
		t.Fatalf("got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	var large *TooLargeError
	if _, err := b.log.Propose(bg, KindCommit, make([]byte, MaxBodyBytes+1), nil, false); !errors.As(err, &large) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, err := b.log.Propose(ctx, KindCommit, nil, nil, false); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := b.log.WaitDurable(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
