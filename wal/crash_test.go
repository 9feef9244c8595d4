package wal

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

var (
	crashSeed  = flag.Uint64("wal.seed", 0, "run the crash test with this seed only")
	crashSeeds = flag.Uint64("wal.seeds", 60, "how many seeds the crash test runs")
)

// ledger is what the outside world knows of the log at some moment.
type ledger struct {
	acked   map[LSN]string  // synchronous commits acknowledged
	durable LSN             // what the log claimed
	kept    LSN             // records from here on were asked to be kept
	refused map[string]bool // commits that were told they failed
	known   map[string]bool // everything proposed so far
}

func (l *ledger) clone() *ledger {
	c := &ledger{acked: map[LSN]string{}, durable: l.durable, kept: l.kept, refused: map[string]bool{}, known: map[string]bool{}}
	for k, v := range l.acked {
		c.acked[k] = v
	}
	for k := range l.refused {
		c.refused[k] = true
	}
	for k := range l.known {
		c.known[k] = true
	}
	return c
}

// crashRun is one random workload whose file system is crashed again and again.
type crashRun struct {
	t    *testing.T
	seed uint64
	rng  *rand.Rand
	mem  *vfs.Mem
	disk *vfs.Fault
	sim  *task.Sim
	clk  *clock.Manual
	log  *Log
	led  *ledger

	crashes int
}

func (c *crashRun) fail(format string, args ...any) {
	// Not Fatalf: this may be a task's goroutine. The simulation passes it on.
	panic(fmt.Sprintf("%s\nreplay: go test ./wal -run TestCrash -wal.seed=%d", fmt.Sprintf(format, args...), c.seed))
}

func (c *crashRun) options(fs vfs.FS, tasks task.Executor) Options {
	return Options{FS: fs, Dir: "db/wal", Clock: c.clk, Tasks: tasks, FileBytes: 4096, MaxBatch: 6000,
		SpareFiles: 2, SkipZeroFill: c.seed%2 == 0}
}

// TestCrash runs several committers over a crash memory, takes the state that
// a power failure may leave at any operation, recovers it (crashing the
// recovery as well) and compares with what was acknowledged.
func TestCrash(t *testing.T) {
	crashes := 0
	if *crashSeed != 0 {
		crashes = runCrash(t, *crashSeed)
	} else {
		for seed := uint64(1); seed <= *crashSeeds; seed++ {
			crashes += runCrash(t, seed)
		}
	}
	t.Logf("%d crashes", crashes)
	if crashes < 50 {
		t.Fatalf("only %d crashes: the test does not test", crashes)
	}
}

func runCrash(t *testing.T, seed uint64) int {
	c := &crashRun{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), mem: vfs.NewMem(seed),
		clk: clock.NewManual(time.Unix(1_700_000_000, 0)),
		led: &ledger{acked: map[LSN]string{}, kept: 1, refused: map[string]bool{}, known: map[string]bool{}}}
	c.disk = vfs.NewFault(c.mem)
	c.sim = task.NewSim(seed, c.clk, nil)
	if err := c.mem.MkdirAll("db"); err != nil {
		t.Fatal(err)
	}
	c.disk.SetHook(c.operation)
	opts := c.options(c.disk, c.sim)
	opts.Apply = func(rs []Record) {
		for _, r := range rs {
			if c.led.refused[string(r.Body)] {
				c.fail("refused record %d was applied", r.LSN)
			}
		}
	}
	var err error
	if c.log, err = Open(opts); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		c.sim.Submit("committer", func() { c.committer(i) })
	}
	c.sim.Submit("compactor", c.compactor)
	if seed%3 == 0 {
		c.sim.Submit("filler", c.filler)
	}
	c.sim.RunFor(time.Minute)
	if err := c.log.Close(); err != nil {
		t.Fatal(err)
	}
	c.disk.SetHook(nil)
	c.crash(c.mem.Clone()) // a clean end is a crash that loses nothing
	return c.crashes
}

// operation is called before everything that the log does to the disk.
func (c *crashRun) operation(op vfs.Operation) {
	if op.Mutates() && c.rng.IntN(4) == 0 {
		c.crash(c.broken(c.mem))
	}
	if c.log != nil && op.Kind != vfs.OpRename && c.rng.IntN(3) == 0 {
		c.sim.Yield()
	}
}

func (c *crashRun) committer(id int) {
	for i := range 25 {
		text := c.text(fmt.Sprintf("%d.%d:", id, i))
		async := c.rng.IntN(3) == 0
		c.led.known[text] = true
		lsn, err := c.log.Propose(bg, KindCommit, []byte(text), nil, async)
		var doubt *InDoubtError
		switch {
		case err == nil && !async:
			c.led.acked[lsn] = text
			if c.log.Durable() < lsn {
				c.fail("record %d was acknowledged, durable is %d", lsn, c.log.Durable())
			}
		case err == nil:
			if c.rng.IntN(4) == 0 {
				err := c.log.WaitDurable(bg, lsn)
				switch {
				case err == nil:
					c.led.acked[lsn] = text
				case !errors.Is(err, syscall.ENOSPC): // then it waits for room
					c.fail("wait: %v", err)
				}
			}
		case errors.As(err, &doubt):
		case errors.Is(err, syscall.ENOSPC):
			c.led.refused[text] = true
		default:
			c.fail("propose: %v", err)
		}
		if c.rng.IntN(5) == 0 {
			c.pause(time.Duration(c.rng.IntN(200)) * time.Millisecond)
		}
	}
}

// text pads a name to a body. Few sizes, so that what is written again after a
// cut often ends where something old begins.
func (c *crashRun) text(name string) string {
	size := 16 * (1 + c.rng.IntN(2))
	switch c.rng.IntN(24) {
	case 0:
		size = c.rng.IntN(5000) // may not fit into a file of the usual size
	case 1, 2, 3:
		size = c.rng.IntN(700)
	}
	return name + strings.Repeat("x", max(0, size-len(name)))
}

func (c *crashRun) pause(d time.Duration) {
	done := make(chan struct{})
	c.sim.After(d, "pause", func() { close(done) })
	if err := c.sim.Await(bg, done); err != nil {
		c.fail("pause: %v", err)
	}
}

func (c *crashRun) compactor() {
	for range 6 {
		c.pause(time.Duration(c.rng.IntN(150)) * time.Millisecond)
		if d := c.log.Durable(); d > 1 {
			c.led.kept = max(c.led.kept, 1+LSN(c.rng.Uint64N(uint64(d))))
			if err := c.log.Compact(c.led.kept); err != nil {
				c.fail("compact: %v", err)
			}
		}
	}
}

// filler makes the disk full from time to time, once in a while in the middle
// of a write.
func (c *crashRun) filler() {
	for range 8 {
		c.pause(time.Duration(c.rng.IntN(100)) * time.Millisecond)
		if c.rng.IntN(2) == 0 {
			c.disk.SetDiskFull(true)
			c.pause(time.Duration(c.rng.IntN(50)) * time.Millisecond)
			c.disk.SetDiskFull(false)
			continue
		}
		c.disk.Clear()
		c.disk.Add(vfs.Rule{Kind: vfs.OpWrite, Path: ".wal", Nth: 1 + c.rng.Int64N(3), Times: 1 + c.rng.Int64N(2),
			Err: syscall.ENOSPC, Short: c.rng.IntN(1500), Partial: true})
	}
}

// broken is the state after a power failure or, one time in four, after the
// death of the process alone.
func (c *crashRun) broken(fs *vfs.Mem) *vfs.Mem {
	if c.rng.IntN(4) == 0 {
		return fs.Clone()
	}
	return fs.CrashClone(c.rng)
}

// crash recovers fs and checks it against the ledger, crashing the recovery
// too.
func (c *crashRun) crash(fs *vfs.Mem) {
	c.crashes++
	led := c.led.clone()
	if c.log != nil {
		led.durable = c.log.Durable()
	}
	c.recoverAndCheck(fs, led, 2)
}

func (c *crashRun) recoverAndCheck(fs *vfs.Mem, led *ledger, depth int) {
	disk := vfs.NewFault(fs)
	if depth > 0 {
		disk.SetHook(func(op vfs.Operation) {
			if op.Mutates() && c.rng.IntN(6) == 0 {
				c.crashes++
				c.recoverAndCheck(c.broken(fs), led.clone(), depth-1)
			}
		})
	}
	sim := task.NewSim(c.rng.Uint64(), c.clk, nil)
	log, err := Open(c.options(disk, sim))
	if err != nil {
		c.fail("recovery: %v", err)
	}
	c.check(log, led)
	// What recovery has shown must not go away any more.
	found := map[string]bool{}
	for lsn, text := range c.records(log) {
		led.acked[lsn] = text
		found[text] = true
	}
	// And what it has cut must not come back. (Of what was compacted away
	// nobody can tell.)
	for text := range led.known {
		if !found[text] && log.First() == 1 {
			led.refused[text] = true
		}
	}
	led.durable = log.Last()
	for i := range c.rng.IntN(3) {
		text := c.text(fmt.Sprintf("%d.a%d:", depth, i))
		led.known[text] = true
		lsn, err := log.Propose(bg, KindCommit, []byte(text), nil, false)
		if err != nil {
			c.fail("propose after recovery: %v", err)
		}
		led.acked[lsn] = text
	}
	disk.SetHook(nil)
	if c.rng.IntN(2) == 0 {
		if err := log.Close(); err != nil {
			c.fail("close after recovery: %v", err)
		}
	}
	again, err := Open(c.options(c.broken(fs), task.NewSim(1, c.clk, nil)))
	if err != nil {
		c.fail("second recovery: %v", err)
	}
	c.check(again, led)
}

func (c *crashRun) records(log *Log) map[LSN]string {
	out := map[LSN]string{}
	next := log.First()
	err := log.Replay(next, func(r *Record) error {
		if r.LSN != next {
			return fmt.Errorf("LSN %d instead of %d", r.LSN, next)
		}
		out[r.LSN] = string(r.Body)
		next++
		return nil
	})
	if err != nil {
		c.fail("replay: %v", err)
	}
	return out
}

func (c *crashRun) check(log *Log, led *ledger) {
	if log.First() > led.kept {
		c.fail("the log starts with %d, records from %d were to be kept", log.First(), led.kept)
	}
	if log.Last() < led.durable {
		c.fail("the log ends with %d, %d was durable", log.Last(), led.durable)
	}
	got := c.records(log)
	for lsn, text := range led.acked {
		if lsn >= log.First() && got[lsn] != text {
			c.fail("acknowledged record %d is %.40q, want %.40q", lsn, got[lsn], text)
		}
	}
	for lsn, text := range got {
		if led.refused[text] {
			c.fail("refused record %.40q came back as %d", text, lsn)
		}
		if !led.known[text] {
			c.fail("record %d is %.40q, which nobody proposed", lsn, text)
		}
	}
}
