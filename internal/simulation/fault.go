package simulation

import (
	"errors"
	"fmt"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

// Prepared is a disk with some history, after a crash.
type Prepared struct {
	disk  *vfs.Mem
	state *State
	seed  uint64
}

// Prepare runs a program and cuts the power at its end, so that what opens the
// disk has a log to replay.
func Prepare(p Program) (*Prepared, error) {
	w := newWorld(p.Seed, vfs.NewMem(p.Seed), newState())
	if err := w.open(); err != nil {
		return nil, err
	}
	if err := setUp(w.db); err != nil {
		return nil, err
	}
	w.acked = engine.LSN(visible(w.db))
	w.run(p)
	if w.failure != nil {
		return nil, w.failure
	}
	c := &Crash{At: "the end", disk: w.mem.Clone(), acked: w.acked, sequence: w.sequence, store: w.store, xid: w.xid, ended: w.ended()}
	disk := c.disk.Clone()
	state, _, err := w.recover(c, 0, new(Result))
	_ = w.close() // its disk is not looked at any more
	return &Prepared{disk: disk, state: state, seed: p.Seed}, err
}

// FaultResult says how a life with a fault went.
type FaultResult struct {
	Operations int64 // on the disk
	Refused    bool  // the database did not open
	Fatal      bool  // the log gave up: the process would have ended
	Resumed    bool  // a transaction and a flush succeeded when the fault was over
}

// Fault lives on a prepared disk while rules make operations fail, then looks
// at what a killed process and what a power failure leave behind. full, if not
// nil, says between which operations the disk is full.
func (p *Prepared) Fault(q Program, full *[2]int64, rules ...vfs.Rule) (r FaultResult, err error) {
	err = guard(func() error {
		w := newWorld(q.Seed, p.disk.Clone(), p.state.clone())
		w.faulty = len(rules) > 0 || full != nil
		for _, rule := range rules {
			w.short = w.short || rule.Kind == vfs.OpRead
		}
		w.fault.Add(rules...)
		w.fault.SetHook(func(op vfs.Operation) {
			r.Operations = op.Index
			if full != nil {
				w.fault.SetDiskFull(op.Index+1 >= full[0] && op.Index+1 < full[1])
			}
		})
		if err := w.open(); err != nil {
			r.Refused = true
			if errors.Is(err, vfs.ErrLocked) {
				return fmt.Errorf("a fault was taken for another process: %w", err)
			}
			w.sim.Close()
			return w.afterwards(&r)
		}
		w.run(q)
		w.fault.Clear()
		w.fault.SetHook(nil)
		w.fault.SetDiskFull(false)
		if w.fatal == nil && w.failure == nil {
			r.Resumed = w.resumes()
		}
		if err := w.close(); err != nil && w.failure == nil {
			w.failure = fmt.Errorf("close: %w", err)
		}
		return w.afterwards(&r)
	})
	return r, err
}

// resumes reports whether work goes on, after the time that a retry takes.
func (w *world) resumes() bool {
	w.sim.RunFor(3 * time.Second)
	w.faulty = false
	c := &client{w: w}
	for i := range 5 {
		if c.do(step{stepTxn, uint64(i)}); w.failure != nil {
			w.failure = fmt.Errorf("after the fault: %w", w.failure)
		}
	}
	c.do(step{kind: stepFlush})
	return w.failure == nil
}

// afterwards recovers without faults.
func (w *world) afterwards(r *FaultResult) error {
	r.Fatal = w.fatal != nil
	if w.failure != nil {
		return w.failure
	}
	for _, end := range []struct {
		name string
		disk *vfs.Mem
	}{{"a kill", w.mem.Clone()}, {"a power failure", w.mem.CrashClone(w.rng)}} {
		c := &Crash{At: end.name, disk: end.disk, acked: w.acked, sequence: w.sequence, store: w.store, xid: w.xid, ended: w.ended()}
		if _, _, err := w.recover(c, 0, new(Result)); err != nil {
			return fmt.Errorf("after %s: %w", end.name, err)
		}
	}
	return nil
}
