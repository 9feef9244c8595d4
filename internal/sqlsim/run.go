package sqlsim

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/omendb/omendb/internal/vfs"
)

// clients work at the same time, one statement's piece at a time.
const clients = 2

// Result counts what runs have shown.
type Result struct {
	Crashes int64 // recovered disks
	Again   int64 // of these, after a crash in recovery
	Lives   int64
	Commits int64
	Later   int64 // crashes that kept a transaction nobody had been told of
}

// Add adds the counts of another result.
func (r *Result) Add(o Result) {
	r.Crashes += o.Crashes
	r.Again += o.Again
	r.Lives += o.Lives
	r.Commits += o.Commits
	r.Later += o.Later
}

// crash is a disk after a power failure, with what was promised until then.
type crash struct {
	at    string
	disk  *vfs.Mem
	acked [clients]int64
	sent  [clients]int64
}

// Plan says how much a run does.
type Plan struct {
	Transactions int // of each client, in each life
	Every        int // the power is cut before one in so many operations on the disk
	Lives        int // work goes on after so many crashes
	// Disk, if not nil, stands between the engine and the disk while clients work.
	Disk func(vfs.FS) vfs.FS
	// Trace, if not nil, is told every operation on the disk while clients work.
	Trace func(vfs.Operation)
}

// shorter is the plan of the life after a crash.
func (p Plan) shorter() Plan {
	p.Transactions, p.Every, p.Lives = p.Transactions/2, p.Every*2, p.Lives-1
	return p
}

// Run is one run, with all its crashes.
func Run(seed uint64, p Plan) (r Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	var base [clients]*state
	for i := range base {
		base[i] = newState()
	}
	err = live(seed, vfs.NewMem(seed), base, true, p, &r)
	return r, err
}

// live is one life of a database: open, work, and a look at every crash on the way.
func live(seed uint64, disk *vfs.Mem, base [clients]*state, fresh bool, p Plan, r *Result) error {
	var under vfs.FS = disk
	if p.Disk != nil {
		under = p.Disk(disk)
	}
	s, err := openStack(seed, under, nil)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 0x73716c))
	list, err := prepare(s, seed, base, fresh)
	if err != nil {
		return err
	}
	var crashes []*crash
	working := true
	s.fault.SetHook(func(op vfs.Operation) {
		if p.Trace != nil {
			p.Trace(op)
		}
		if op.Mutates() && rng.IntN(p.Every) == 0 {
			c := &crash{at: op.String(), disk: disk.CrashClone(rng)}
			for i, k := range list {
				c.acked[i], c.sent[i] = k.acked, k.last().n
			}
			crashes = append(crashes, c)
		}
		if working && op.Kind == vfs.OpSync {
			s.sim.Yield() // others go on meanwhile
		}
	})
	work(s, list, p.Transactions)
	working = false
	for _, c := range list {
		if c.err == nil {
			c.session.Close()
		}
		r.Commits += int64(len(c.states) - 1)
	}
	err = s.close()
	for _, c := range list {
		if c.err != nil {
			return fmt.Errorf("client %d: %w", c.id, c.err)
		}
	}
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	r.Lives++
	next := -1
	if p.Lives > 0 && len(crashes) > 0 {
		next = rng.IntN(len(crashes))
	}
	for i, c := range crashes {
		found, after, err := recoverFrom(rng, c, list, 2, r)
		if err != nil {
			return fmt.Errorf("crash before %s: %w", c.at, err)
		}
		if i == next {
			if err := live(seed+0x9e3779b9, after, found, false, p.shorter(), r); err != nil {
				return fmt.Errorf("after a crash before %s: %w", c.at, err)
			}
		}
		crashes[i] = nil
	}
	return nil
}

// prepare makes the clients, and what they share when the database is new.
func prepare(s *stack, seed uint64, base [clients]*state, fresh bool) ([]*client, error) {
	var list []*client
	for i := range clients {
		x, err := s.connect()
		if err != nil {
			return nil, err
		}
		c := &client{id: i, rng: rand.New(rand.NewPCG(seed, uint64(i))), session: x, states: []*state{base[i]}, base: base[i].n, acked: base[i].n}
		c.fresh = int64(seed%1000)*1_000_000 + base[i].n*10_000
		list = append(list, c)
		if !fresh {
			continue
		}
		if i == 0 {
			if err := x.exec("CREATE TABLE done (client int PRIMARY KEY, n bigint NOT NULL)"); err != nil {
				return nil, err
			}
		}
		if err := x.exec("INSERT INTO done VALUES (%d, 0); CREATE SEQUENCE c%d_seq", i, i); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// work has all clients do their transactions.
func work(s *stack, list []*client, transactions int) {
	var ended []chan struct{}
	for _, c := range list {
		done := make(chan struct{})
		ended = append(ended, done)
		s.sim.Submit("client", func() {
			defer close(done)
			for range transactions {
				if c.err = c.transaction(); c.err != nil || s.fatal != nil {
					return
				}
			}
		})
	}
	for _, done := range ended {
		_ = s.sim.Await(context.Background(), done) // the context has no end
	}
}

// recoverFrom opens a crashed disk and compares it with the ledgers; recovery itself is cut short, too. It returns the states
// that were found, and the disk to go on with.
func recoverFrom(rng *rand.Rand, c *crash, list []*client, depth int, r *Result) (found [clients]*state, after *vfs.Mem, err error) {
	r.Crashes++
	seed := rng.Uint64()
	var again *crash
	s, err := openStack(seed, c.disk, func(f *vfs.Fault) {
		at := 1 + rng.IntN(12)
		if depth == 0 || rng.IntN(4) > 0 {
			return
		}
		f.SetHook(func(op vfs.Operation) {
			if at--; at == 0 {
				again = &crash{at: c.at + ", again in recovery before " + op.String(), disk: c.disk.CrashClone(rng), acked: c.acked, sent: c.sent}
			}
		})
	})
	if err != nil {
		return found, nil, err
	}
	s.fault.SetHook(nil)
	after = c.disk.CrashClone(rand.New(rand.NewPCG(seed, 1)))
	found, later, err := look(s, c, list)
	if cerr := s.close(); err == nil && cerr != nil {
		err = fmt.Errorf("close after recovery: %w", cerr)
	}
	if later {
		r.Later++
	}
	if err == nil && again != nil {
		r.Again++
		_, _, err = recoverFrom(rng, again, list, depth-1, r)
		if err != nil {
			err = fmt.Errorf("again before %s: %w", again.at, err)
		}
	}
	return found, after, err
}
