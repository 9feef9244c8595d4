package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

// Crash is a disk after a power failure, with what was promised until then.
type Crash struct {
	At       string // the operation before which it happened
	disk     *vfs.Mem
	acked    engine.LSN
	sequence int64
	store    engine.StoreID
	xid      uint64
	ended    []string // prepared transactions whose end was asked for
}

// Result counts what a run has shown.
type Result struct {
	Crashes int64 // recovered disks
	Again   int64 // of these, after a crash in recovery
	Lives   int64 // runs, of which some go on after a crash
	Commits int64
	Steps   int64
	Torn    int64 // crashes that lost commits nobody had been promised

}

// Add adds the counts of another result.
func (r *Result) Add(o Result) {
	r.Crashes += o.Crashes
	r.Again += o.Again
	r.Lives += o.Lives
	r.Commits += o.Commits
	r.Steps += o.Steps
	r.Torn += o.Torn
}

// Sampling says where the power is cut.
type Sampling struct {
	Every int // before one in so many operations that change the disk; 1 = each
	Lives int // how often work goes on after a crash
	// Disk, if not nil, stands between the engine and the disk while clients work.
	Disk func(vfs.FS) vfs.FS
	// Trace, if not nil, is told every operation on the disk.
	Trace func(vfs.Operation)
}

// Run executes a program and recovers from every crash that sampling asks for.
func Run(p Program, s Sampling) (Result, error) {
	var r Result
	err := guard(func() error { return live(p, vfs.NewMem(p.Seed), newState(), s, &r) })
	return r, err
}

// live is one life: open, work, and a look at every crash on the way.
func live(p Program, mem *vfs.Mem, base *State, s Sampling, r *Result) error {
	var disk vfs.FS = mem
	if s.Disk != nil {
		disk = s.Disk(mem)
	}
	w := newWorldOn(p.Seed, mem, disk, base)
	if err := w.open(); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if len(base.Seen) == 0 && base.store == 0 {
		if err := setUp(w.db); err != nil {
			return err
		}
		base.store = 1
	}
	if err := rollBackPrepared(w.db); err != nil {
		return err
	}
	w.acked = engine.LSN(visible(w.db))
	var crashes []*Crash
	working := true
	w.fault.SetHook(func(op vfs.Operation) {
		if s.Trace != nil {
			s.Trace(op)
		}
		if op.Mutates() && w.rng.IntN(s.Every) == 0 {
			crashes = append(crashes, w.crash(op))
		}
		if working && op.Kind == vfs.OpSync {
			w.sim.Yield() // others commit meanwhile
		}
	})
	w.run(p)
	working = false
	if err := w.close(); err != nil {
		w.fail(fmt.Errorf("close: %w", err))
	}
	r.Lives++
	r.Steps += int64(p.Steps())
	r.Commits += int64(len(w.history))
	if w.failure != nil {
		return w.failure
	}
	next := -1
	if len(crashes) > 0 && s.Lives > 0 {
		next = w.rng.IntN(len(crashes))
	}
	for i, c := range crashes {
		state, disk, err := w.recover(c, 2, r)
		if err != nil {
			return fmt.Errorf("crash before %s: %w", c.At, err)
		}
		if i == next {
			q := NewProgram(p.Seed+0x9e3779b9, p.Steps()/2)
			if err := live(q, disk, state, Sampling{Every: s.Every * 2, Lives: s.Lives - 1, Disk: s.Disk, Trace: s.Trace}, r); err != nil {
				return fmt.Errorf("after a crash before %s: %w", c.At, err)
			}
		}
		crashes[i] = nil
	}
	return nil
}

func visible(db *engine.DB) uint64 {
	tx := db.Begin(engine.TxnOptions{})
	defer tx.Rollback()
	s := tx.Snapshot()
	defer s.Close()
	return s.Timestamp()
}

func (w *world) crash(op vfs.Operation) *Crash {
	return &Crash{At: op.String(), disk: w.mem.CrashClone(w.rng), acked: w.acked, sequence: w.sequence, store: w.store, xid: w.xid, ended: w.ended()}
}

// recover opens a crashed disk and compares it with the history. Recovery
// itself is cut short, too, as often as depth says. It returns the state found
// and a copy of the recovered disk.
func (w *world) recover(c *Crash, depth int, r *Result) (*State, *vfs.Mem, error) {
	r.Crashes++
	seed := w.rng.Uint64()
	v := newWorld(seed, c.disk, newState())
	var again *Crash
	if depth > 0 && w.rng.IntN(4) == 0 {
		at := int64(1 + w.rng.IntN(12))
		v.fault.SetHook(func(op vfs.Operation) {
			if at--; at == 0 {
				again = &Crash{At: c.At + ", again in recovery before " + op.String(), disk: c.disk.CrashClone(w.rng),
					acked: c.acked, sequence: c.sequence, store: c.store, xid: c.xid, ended: c.ended}
			}
		})
	}
	if err := v.open(); err != nil {
		return nil, nil, fmt.Errorf("open: %w", err)
	}
	v.fault.SetHook(nil)
	disk := c.disk.CrashClone(rand.New(rand.NewPCG(seed, 1)))
	state, err := w.check(v.db, c, r)
	if cerr := v.close(); err == nil && cerr != nil {
		err = fmt.Errorf("close after recovery: %w", cerr)
	}
	if err == nil && v.failure != nil {
		err = v.failure
	}
	if err == nil && again != nil {
		r.Again++
		_, _, err = w.recover(again, depth-1, r)
		if err != nil {
			err = fmt.Errorf("again before %s: %w", again.At, err)
		}
	}
	return state, disk, err
}

// check compares an open database with the history of the world before.
func (w *world) check(db *engine.DB, c *Crash, r *Result) (*State, error) {
	tx := db.Begin(engine.TxnOptions{})
	s := tx.Snapshot()
	state, err := w.compare(s, c, r)
	s.Close()
	if err != nil {
		return nil, err
	}
	if err := w.checkPrepared(db, c, state, engine.LSN(s.Timestamp())); err != nil {
		return nil, err
	}
	if xid := tx.XID(); xid <= c.xid {
		return nil, fmt.Errorf("transaction number %d after %d", xid, c.xid)
	} else {
		state.xid = xid
	}
	_ = tx.Rollback()
	v, err := db.SequenceNext(sequenceStore, sequenceParams)
	if err != nil || v <= c.sequence {
		return nil, fmt.Errorf("sequence regress: %d after %d (%w)", v, c.sequence, err)
	}
	id := db.NewStoreID()
	if id <= c.store {
		return nil, fmt.Errorf("store number %d after %d", id, c.store)
	}
	// Of these only what the disk knows counts for the next life.
	state.sequence, state.store, state.xid = c.sequence, max(c.store, 1), c.xid
	if w.rng.IntN(4) == 0 {
		if err := db.Verify(ctx, nil); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	return state, nil
}

func (w *world) compare(s *engine.Snapshot, c *Crash, r *Result) (*State, error) {
	seen, err := readLedger(s)
	if err != nil {
		return nil, err
	}
	at := engine.LSN(s.Timestamp())
	state, err := expected(w.base, w.history, c.acked, at, seen)
	if err != nil {
		return nil, err
	}
	rows, sc, err := contents(s)
	if err != nil {
		return nil, err
	}
	if sc.width != state.Width {
		return nil, fmt.Errorf("torn: the table has %d columns, want %d", sc.width, state.Width)
	}
	if r != nil && len(w.history) > 0 && w.history[len(w.history)-1].lsn > at {
		r.Torn++
	}
	ages, err := readAging(s)
	if err != nil {
		return nil, err
	}
	return state, errors.Join(state.diff(rows), state.diffAges(ages))
}
