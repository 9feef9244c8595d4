package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// Committers, waiters, a reader and a compactor on real goroutines and files.
func TestConcurrent(t *testing.T) {
	tasks := task.NewGoroutines(nil)
	defer tasks.Close()
	var applied []LSN
	opts := Options{FS: vfs.OS(), Dir: t.TempDir() + "/wal", Clock: clock.System(), Tasks: tasks,
		FileBytes: 16 << 10, SyncDelay: time.Millisecond, MarkDelay: time.Millisecond,
		Apply: func(rs []Record) {
			for _, r := range rs {
				applied = append(applied, r.LSN)
				if !bytes.Equal(r.Body, r.Decoded.([]byte)) {
					t.Errorf("record %d: body and decoded differ", r.LSN)
				}
			}
		}}
	l, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	const committers, each = 8, 100
	reader, err := l.ReadFrom(1)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for c := range committers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				b := binary.AppendUvarint(make([]byte, 8+i*3%200), uint64(c*each+i))
				lsn, err := l.Propose(bg, KindCommit, b, b, i%3 == 0)
				if err != nil {
					t.Error(err)
					return
				}
				if i%9 == 0 {
					err = l.WaitDurable(bg, lsn)
				}
				if i%20 == 0 && err == nil {
					err = l.Compact(lsn)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done()
		for next := LSN(1); next <= committers*each; {
			r, err := reader.Next()
			if err == io.EOF {
				time.Sleep(time.Millisecond)
				continue
			}
			if err != nil || r.LSN != next {
				t.Errorf("reader at %d: %v", next, err)
				return
			}
			next++
		}
	}()
	wg.Wait()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if len(applied) != committers*each {
		t.Fatalf("%d applied", len(applied))
	}
	for i, lsn := range applied {
		if lsn != LSN(i+1) {
			t.Fatalf("applied %d in place %d", lsn, i+1)
		}
	}
	if l, err = Open(opts); err != nil {
		t.Fatal(err)
	}
	if l.Last() != committers*each {
		t.Fatalf("last is %d", l.Last())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// While one leader syncs, the others gather and share the next sync.
func TestGroupSharesSync(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	b.opts.FileBytes = 1 << 20
	b.open()
	disk.SetHook(func(op vfs.Operation) {
		if op.Kind == vfs.OpSync {
			for range 20 {
				b.sim.Yield()
			}
		}
	})
	before := disk.Count(vfs.OpSync)
	for i := range 16 {
		b.sim.Submit("committer", func() { b.propose(fmt.Sprint(i)) })
	}
	b.sim.RunUntilIdle()
	if syncs := disk.Count(vfs.OpSync) - before; syncs != 2 {
		t.Fatalf("%d syncs for 16 commits", syncs)
	}
	if len(b.applied) != 16 || b.log.Durable() != 16 {
		t.Fatalf("%d applied, %d durable", len(b.applied), b.log.Durable())
	}
}

// A commit alone costs one write and one sync, and the write of the mark, and
// waits for no timer.
func TestAloneOneWriteOneSync(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	b.open()
	writes, all := disk.Count(vfs.OpWrite), disk.Count(vfs.OpAny)
	b.propose("alone")
	if disk.Count(vfs.OpWrite) != writes+2 || disk.Count(vfs.OpAny) != all+3 {
		t.Fatalf("%d operations", disk.Count(vfs.OpAny)-all)
	}
	if allocs := testing.AllocsPerRun(100, func() { b.applied = b.applied[:0]; b.propose("x") }); allocs > 12 {
		t.Fatalf("%v allocations, the memory file system's included", allocs)
	}
}

func TestAsyncBecomesDurableSoon(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	var syncs []event.Event
	b.opts.Events = func(e event.Event) {
		if e.Name == event.WALSync {
			syncs = append(syncs, e)
		}
	}
	b.open()
	for i := 1; i <= 3; i++ {
		if lsn, err := b.log.Propose(bg, KindCommit, []byte("a"), nil, true); err != nil || lsn != LSN(i) {
			t.Fatal(lsn, err)
		}
	}
	if b.log.Durable() != 0 || b.log.Applied() != 3 || b.log.Last() != 3 {
		t.Fatalf("durable %d, applied %d", b.log.Durable(), b.log.Applied())
	}
	b.sim.RunFor(DefaultSyncDelay + time.Millisecond)
	if b.log.Durable() != 3 || len(syncs) != 1 || syncs[0].Count != 3 || syncs[0].LSN != 3 {
		t.Fatalf("durable %d, syncs %+v", b.log.Durable(), syncs)
	}
	if _, err := b.log.Propose(bg, KindCommit, []byte("b"), nil, true); err != nil {
		t.Fatal(err)
	}
	if err := b.log.WaitDurable(bg, 4); err != nil || b.log.Durable() != 4 {
		t.Fatal(err)
	}
}

// A commit that nobody has taken up can be cancelled; later it must be seen
// through.
func TestCancel(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	b.open()
	ctx, cancel := context.WithCancel(bg)
	var queued, taken error
	once := true
	disk.SetHook(func(op vfs.Operation) {
		if op.Kind != vfs.OpSync || !once {
			return
		}
		once = false
		b.sim.Submit("queued", func() { _, queued = b.log.Propose(ctx, KindCommit, []byte("queued"), nil, false) })
		for range 10 {
			b.sim.Yield()
		}
		cancel() // while "queued" queues and "taken" is being synced
		for range 10 {
			b.sim.Yield()
		}
	})
	b.sim.Submit("taken", func() { _, taken = b.log.Propose(ctx, KindCommit, []byte("taken"), nil, false) })
	b.sim.RunUntilIdle()
	if taken != nil || !errors.Is(queued, context.Canceled) {
		t.Fatalf("taken: %v, queued: %v", taken, queued)
	}
	equal(t, b.applied, []string{"taken"})
}

func TestReader(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	r, err := b.log.ReadFrom(1)
	if err != nil {
		t.Fatal(err)
	}
	next := 1
	drain := func(to int) {
		t.Helper()
		for ; next <= to; next++ {
			rec, err := r.Next()
			if err != nil || string(rec.Body) != body(next) || rec.LSN != LSN(next) {
				t.Fatalf("record %d: %v, %v", next, rec, err)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("behind the last: %v", err)
		}
	}
	drain(0)
	for i := 1; i <= 200; i++ {
		b.propose(body(i))
		if i%7 == 0 {
			drain(i)
		}
	}
	// Not durable, not shown.
	if _, err := b.log.Propose(bg, KindCommit, []byte(body(201)), nil, true); err != nil {
		t.Fatal(err)
	}
	drain(200)
	b.sim.RunFor(time.Second)
	drain(201)

	old, err := b.log.ReadFrom(50)
	if err != nil {
		t.Fatal(err)
	}
	release := b.log.Hold(20)
	if err := b.log.Compact(150); err != nil || b.log.First() > 20 {
		t.Fatalf("compacted to %d under a hold: %v", b.log.First(), err)
	}
	release()
	if err := b.log.Compact(150); err != nil || b.log.First() > 50 {
		t.Fatalf("compacted to %d under a reader: %v", b.log.First(), err)
	}
	if rec, err := old.Next(); err != nil || string(rec.Body) != body(50) {
		t.Fatalf("%v, %v", rec, err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.log.Compact(150); err != nil || b.log.First() > 150 || b.log.First() < 50 {
		t.Fatalf("compacted to %d: %v", b.log.First(), err)
	}
	if _, err := b.log.ReadFrom(1); !errors.Is(err, ErrCompacted) {
		t.Fatalf("got %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.ReadFrom(201); err != ErrClosed {
		t.Fatalf("got %v", err)
	}
	if err := b.log.Close(); err != nil {
		t.Fatalf("second close: %v", err)
	}
}

// Files are used again, and what they held before is never taken for records.
func TestRecycling(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	recycled := 0
	b.opts.Events = func(e event.Event) {
		if e.Name == event.WALRotate && e.Detail == "recycled" {
			recycled++
		}
	}
	b.open()
	var want []string
	for round := range 20 {
		for range 40 {
			want = append(want, body(len(want)+1))
			b.propose(want[len(want)-1])
		}
		if err := b.log.Compact(b.log.Durable() - 5); err != nil {
			t.Fatal(err)
		}
		if round%4 == 3 {
			fs := b.fs.(*vfs.Mem).CrashClone(nil)
			b.reopen(fs)
			first := b.log.First()
			equal(t, b.replay(first), want[first-1:])
		}
	}
	if recycled < 15 {
		t.Fatalf("%d rotations used an old file", recycled)
	}
	if s := b.log.Stats(); s.Files > 3 || s.SpareFiles > DefaultSpareFiles || s.SpareBytes != int64(s.SpareFiles)*4096 {
		t.Fatalf("stats %+v", s)
	}
}

func TestFailedCompactKeepsTheFile(t *testing.T) {
	disk := vfs.NewFault(vfs.NewMem(1))
	b := newBench(t, disk)
	b.open()
	for i := 1; i <= 100; i++ {
		b.propose(body(i))
	}
	disk.Add(vfs.Rule{Kind: vfs.OpRename, Nth: 1, Err: syscall.EIO})
	if err := b.log.Compact(80); !errors.Is(err, syscall.EIO) {
		t.Fatalf("got %v", err)
	}
	equal(t, b.replay(1), bodies(100))
	if err := b.log.Compact(80); err != nil || b.log.First() < 50 {
		t.Fatalf("first is %d: %v", b.log.First(), err)
	}
}

// Recovery to an earlier point drops a suffix, atomically: whatever the crash,
// the log has either all of it or nothing.
func TestTruncateSuffix(t *testing.T) {
	for _, keep := range []LSN{0, 1, 57, 140, 199, 200, 300} {
		b := written(t, 200)
		disk := vfs.NewFault(b.fs)
		mem := b.fs.(*vfs.Mem)
		b.reopen(disk)
		disk.SetHook(func(op vfs.Operation) {
			if !op.Mutates() {
				return
			}
			crashed := newBench(t, mem.CrashClone(nil))
			crashed.open()
			if n := len(crashed.replay(1)); n != int(min(keep, 200)) && n != 200 {
				t.Fatalf("truncation to %d crashed at %v: %d records", keep, op, n)
			}
		})
		if err := b.log.TruncateSuffix(keep); err != nil {
			t.Fatal(err)
		}
		disk.SetHook(nil)
		want := bodies(int(min(keep, 200)))
		equal(t, b.replay(1), want)
		if err := b.log.TruncateSuffix(0); keep > 0 && !errors.Is(err, ErrCommitted) {
			t.Fatalf("truncated what was applied: %v", err)
		}
		b.propose("instead")
		b.reopen(mem.CrashClone(nil))
		equal(t, b.replay(1), append(want, "instead"))
	}
}

func TestReplayReportsProgressAndErrors(t *testing.T) {
	b := written(t, 50)
	var names []event.Name
	var last event.Event
	b.opts.Events = func(e event.Event) { names, last = append(names, e.Name), e }
	b.open()
	b.replay(1)
	if names[0] != event.RecoveryStart || last.Name != event.RecoveryDone || last.Count != 50 || last.LSN != 50 || last.Done > last.Total {
		t.Fatalf("events %v, last %+v", names, last)
	}
	stop := errors.New("stop")
	if err := b.log.Replay(10, func(*Record) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
}

// A disk that returns less than there is must not be taken for a short log.
func TestShortReads(t *testing.T) {
	b := written(t, 50)
	for n := int64(1); n < 20; n++ {
		b.opts.FS = vfs.NewFault(b.fs.(*vfs.Mem).Clone(), vfs.Rule{Kind: vfs.OpRead, Nth: n, Times: 100, Short: 600, Partial: true})
		if err := b.openAndReplay(); err == nil {
			if last := b.log.Last(); last != 50 {
				t.Fatalf("short reads from %d on: the log ends with %d", n, last)
			}
			return
		}
	}
	t.Fatal("no run got through")
}

func TestInspect(t *testing.T) {
	b := written(t, 5)
	starts := offsets(t, b.fs, logName("wal", 1))
	end, err := Inspect(b.fs, logName("wal", 1), func(*Record) error { return nil })
	if err != nil || end != starts[5] {
		t.Fatal(end, err)
	}
	stop := errors.New("stop")
	if _, err := Inspect(b.fs, logName("wal", 1), func(*Record) error { return stop }); err != stop {
		t.Fatal(err)
	}
	var damage *CorruptionError
	if _, err := Inspect(b.fs, "wal/other", nil); !errors.As(err, &damage) {
		t.Fatal(err)
	}
	if _, err := Inspect(b.fs, logName("wal", 99), nil); err == nil {
		t.Fatal("a file that is not there")
	}
}

// A snapshot's files stay, though none of them may hold a record that it wants:
// it begins where the log ends, and the log goes on in another file.
func TestSnapshotKeepsItsFiles(t *testing.T) {
	b := newBench(t, vfs.NewMem(1))
	b.open()
	for i := range 5 {
		b.propose(body(i))
	}
	parts, last, release, err := b.log.Snapshot(bg, 6)
	if err != nil || last != 5 || len(parts) != 1 {
		t.Fatal(parts, last, err)
	}
	for i := range 200 {
		b.propose(body(i))
	}
	if err := b.log.Compact(100); err != nil {
		t.Fatal(err)
	}
	if _, err := b.fs.Stat("wal/" + parts[0].Name); err != nil {
		t.Fatalf("a file of the snapshot is gone: %v", err)
	}
	release()
	if err := b.log.Compact(100); err != nil || b.log.First() < 50 {
		t.Fatalf("the log begins with %d (%v)", b.log.First(), err)
	}
}
