package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// Dir is where the database lies on the simulated disk.
const Dir = "db"

// epoch is when every run begins.
var epoch = time.Unix(1_700_000_000, 0)

// world is one life of a database: an open engine on a disk with its clients.
type world struct {
	rng     *rand.Rand
	mem     *vfs.Mem
	fault   *vfs.Fault
	clock   *clock.Manual
	sim     *task.Sim
	db      *engine.DB
	fatal   error
	panics  []*task.Panic
	failure error // the first thing that is wrong

	base     *State
	history  []*effect
	acked    engine.LSN // the highest that was acknowledged as durable
	sequence int64      // the highest value handed out
	store    engine.StoreID
	xid      uint64
	numbers  int64
	faulty   bool // errors are to be expected
	short    bool // and reads that find files shorter than they are
}

// newWorld prepares a life on a disk whose content is base.
func newWorld(seed uint64, mem *vfs.Mem, base *State) *world {
	return newWorldOn(seed, mem, mem, base)
}

// newWorldOn is newWorld with something between the engine and the disk.
func newWorldOn(seed uint64, mem *vfs.Mem, disk vfs.FS, base *State) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 0x776f726c64)), mem: mem, fault: vfs.NewFault(disk), clock: clock.NewManual(epoch), base: base,
		sequence: base.sequence, store: base.store, xid: base.xid}
	for n := range base.Seen {
		w.numbers = max(w.numbers, n)
	}
	w.sim = task.NewSim(seed, w.clock, func(p *task.Panic) {
		w.panics = append(w.panics, p)
		w.fail(fmt.Errorf("%w\n%s", p, p.Stack))
	})
	return w
}

func (w *world) fail(err error) {
	if w.failure == nil {
		w.failure = err
	}
}

// open opens the database. Sizes are small, so that short programs flush,
// merge, rotate the log and spill.
func (w *world) open() error {
	batch := int64(0)
	if w.rng.IntN(2) == 0 {
		batch = 64 << w.rng.IntN(6) // so that recovery reads ahead and shares its work
	}
	db, err := engine.Open(engine.Options{FS: w.fault, Dir: Dir, Clock: w.clock, Tasks: w.sim, Log: zerolog.Nop(), ReplayBatchBytes: batch,
		CacheBytes: 64 << 10, MemtableBytes: 6 << 10, LogFileBytes: 8 << 10,
		BulkMinBytes: 1 << 10, BulkBufferBytes: 2 << 10, SpillBytes: 4 << 10,
		Fatal: func(err error) { w.fatal = err }})
	w.db = db
	return err
}

// close ends the life; what the log refuses after a fatal error is no failure.
func (w *world) close() error {
	var err error
	if w.db != nil {
		err = w.db.Close()
	}
	w.sim.Close()
	if w.fatal != nil {
		err = nil
	}
	return err
}

// run has the clients of a program do their steps.
func (w *world) run(p Program) {
	var ended []chan struct{}
	for i, steps := range p.clients {
		done := make(chan struct{})
		ended = append(ended, done)
		w.sim.Submit("client", func() {
			defer close(done)
			c := &client{w: w, maintenance: i == 0}
			for _, s := range steps {
				if w.fatal != nil || w.failure != nil {
					return
				}
				c.do(s)
			}
		})
	}
	for _, done := range ended {
		_ = w.sim.Await(ctx, done) // the context has no end
	}
}

// guard turns a panic of the driver, for instance a simulation that is stuck,
// into a failure.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return fn()
}
