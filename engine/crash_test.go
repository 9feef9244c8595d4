package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// crashRun is one simulated life of a database whose disk is cloned, as a
// power failure would leave it, before many of its operations.
type crashRun struct {
	t         *testing.T
	seed      uint64
	rng       *rand.Rand
	mem       *vfs.Mem
	sim       *task.Sim
	db        *DB
	id, seq   StoreID
	acked     model // what was acknowledged
	inFlight  model // what may be there instead: a commit has begun
	lastValue int64 // of the sequence, as handed out
	crashes   []crash
}

type crash struct {
	at              string
	fs              *vfs.Mem
	acked, inFlight model
	value           int64
	id, seq         StoreID
}

var crashSequence = SequenceParams{Increment: 1, Min: 1, Max: 1 << 40}

func simOptions(fs vfs.FS, sim *task.Sim, clk *clock.Manual) Options {
	return Options{FS: fs, Dir: "db", Clock: clk, Tasks: sim, Log: zerolog.Nop(), MemtableBytes: 6 << 10,
		LogFileBytes: 16 << 10, BulkMinBytes: 2 << 10, BulkBufferBytes: 4 << 10, SpillBytes: 6 << 10}
}

// TestCrashAnywhere runs random work under the simulated executor and recovers
// from clones taken all along the way. A failing seed is replayed by
// OMENDB_CRASH_SEED.
func TestCrashAnywhere(t *testing.T) {
	first, runs := envInt("OMENDB_CRASH_SEED", 1), envInt("OMENDB_CRASH_RUNS", 6)
	total := 0
	for seed := first; seed < first+runs; seed++ {
		r := &crashRun{t: t, seed: uint64(seed), rng: rand.New(rand.NewPCG(uint64(seed), 99)), mem: vfs.NewMem(uint64(seed)), acked: model{}}
		r.live(120)
		for _, c := range r.crashes {
			r.recover(c, 1)
		}
		total += len(r.crashes)
	}
	if total < runs*20 {
		t.Errorf("only %d crashes in %d runs", total, runs)
	}
}

// live does random work and collects crashes.
func (r *crashRun) live(steps int) {
	clk := clock.NewManual(time.Unix(1e9, 0))
	r.sim = task.NewSim(r.seed, clk, nil)
	fault := vfs.NewFault(r.mem)
	var err error
	r.db, err = Open(simOptions(fault, r.sim, clk))
	check(r.t, err)
	r.id, r.seq = makeStore(r.t, r.db), r.db.NewStoreID()
	tx := r.db.Begin(TxnOptions{})
	check(r.t, tx.CreateSequence(r.seq, SequenceState{Last: 1}))
	commit(r.t, tx)
	fault.SetHook(func(op vfs.Operation) {
		if op.Mutates() && r.rng.IntN(8) == 0 {
			r.crashes = append(r.crashes, crash{op.String(), r.mem.CrashClone(r.rng), maps.Clone(r.acked), maps.Clone(r.inFlight), r.lastValue, r.id, r.seq})
		}
	})
	for range steps {
		r.work()
	}
	fault.SetHook(nil)
	check(r.t, r.db.Close())
	r.sim.Close()
}

func (r *crashRun) work() {
	switch n := r.rng.IntN(20); {
	case n == 0:
		check(r.t, r.db.Flush(ctx))
	case n == 1:
		check(r.t, r.db.Compact(ctx, r.id))
	case n == 2:
		r.sim.RunUntilIdle()
	case n < 5:
		v, err := r.db.SequenceNext(r.seq, crashSequence)
		check(r.t, err)
		r.lastValue = v
	default:
		r.transaction()
	}
}

func (r *crashRun) transaction() {
	tx := r.db.Begin(TxnOptions{})
	after := maps.Clone(r.acked)
	if r.rng.IntN(6) == 0 {
		b, err := tx.Bulk(r.id)
		check(r.t, err)
		for range r.rng.IntN(80) {
			if k := r.rng.IntN(2000); after[k] == "" {
				after[k] = fmt.Sprint("bulk", k)
				check(r.t, b.Append(key(k), row(k, after[k])))
			}
		}
		check(r.t, b.Finish(ctx))
	}
	for range r.rng.IntN(30) {
		k := r.rng.IntN(300)
		switch {
		case after[k] == "":
			after[k] = fmt.Sprint("row", k, r.rng.IntN(1000))
			check(r.t, tx.Insert(ctx, r.id, key(k), row(k, after[k])))
		case r.rng.IntN(2) == 0:
			delete(after, k)
			check(r.t, tx.Delete(r.id, key(k), nil))
		default:
			after[k] = fmt.Sprint("new", k, r.rng.IntN(1000))
			check(r.t, tx.Put(r.id, key(k), row(k, after[k])))
		}
	}
	r.inFlight = after
	commit(r.t, tx)
	r.acked, r.inFlight = after, nil
}

// recover opens a crashed file system and compares it with what was
// acknowledged. Recovery itself crashes, too.
func (r *crashRun) recover(c crash, depth int) {
	r.t.Helper()
	clk := clock.NewManual(time.Unix(1e9, 0))
	sim := task.NewSim(r.seed, clk, nil)
	fault := vfs.NewFault(c.fs)
	var again []crash
	fault.SetHook(func(op vfs.Operation) {
		if depth > 0 && op.Mutates() && r.rng.IntN(10) == 0 && len(again) < 2 {
			again = append(again, crash{c.at + ", then " + op.String(), c.fs.CrashClone(r.rng), c.acked, c.inFlight, c.value, c.id, c.seq})
		}
	})
	where := fmt.Sprintf("OMENDB_CRASH_SEED=%d, crash before %s", r.seed, c.at)
	db, err := Open(simOptions(fault, sim, clk))
	if err != nil {
		r.t.Fatalf("%s: %v", where, err)
	}
	s := db.Begin(TxnOptions{}).Snapshot()
	got := contents(r.t, s, c.id)
	s.Close()
	if !maps.Equal(got, c.acked) && (c.inFlight == nil || !maps.Equal(got, c.inFlight)) {
		r.t.Fatalf("%s: %d rows, acknowledged were %d", where, len(got), len(c.acked))
	}
	v, err := db.SequenceNext(c.seq, crashSequence)
	if err != nil || v <= c.value || v > c.value+4*sequenceAhead {
		r.t.Fatalf("%s: sequence gives %d after %d: %v", where, v, c.value, err)
	}
	fault.SetHook(nil)
	if err := db.Verify(ctx, nil); err != nil {
		r.t.Fatalf("%s: %v", where, err)
	}
	check(r.t, db.Close())
	sim.Close()
	for _, a := range again {
		r.recover(a, depth-1)
	}
}
