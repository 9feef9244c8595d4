package history_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
)

// registerCall is one operation on a register: kind r, w or c (compare and set from old to value).
type registerCall struct {
	kind       byte
	key        int
	old, value int
}

// registerModel is a set of registers that hold 0 at first. The output is the
// value read, or for c whether it took place (1 or 0); −1 is not known.
var registerModel = porcupine.Model{
	Partition: func(list []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[int][]porcupine.Operation{}
		for _, op := range list {
			k := op.Input.(registerCall).key
			byKey[k] = append(byKey[k], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		v, in, out := state.(int), input.(registerCall), output.(int)
		switch in.kind {
		case 'r':
			return out == -1 || out == v, v
		case 'w':
			return true, in.value
		}
		if v == in.old {
			return out != 0, in.value
		}
		return out != 1, v
	},
}

// registers plays single statements on registers, at a level each, and collects them.
type registers struct {
	connect history.Connect
	lost    func(error) error // as in history.Append
	keys    int
	calls   int // by each worker
	clock   time.Time
	mu      sync.Mutex
	done    []porcupine.Operation
}

func (r *registers) setup(ctx context.Context) error {
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, s := range []string{"DROP TABLE IF EXISTS register", "CREATE TABLE register (id int PRIMARY KEY, v int)",
		fmt.Sprintf("INSERT INTO register SELECT i, 0 FROM generate_series(0, %d) i", r.keys-1)} {
		if _, err := c.Query(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *registers) run(ctx context.Context, workers int, seed uint64) error {
	r.clock = time.Now()
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[w] = r.worker(ctx, w, workers, rand.New(rand.NewPCG(seed, uint64(w))))
		}()
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *registers) worker(ctx context.Context, client, clients int, rnd *rand.Rand) error {
	var c history.Conn
	level := levels[client%len(levels)]
	for i := range r.calls {
		if c == nil {
			var err error
			if c, err = r.connect(ctx); err != nil {
				return err
			}
			if _, err := c.Query(ctx, "SET default_transaction_isolation = '"+string(level)+"'"); err != nil && history.SQLState(err) != "" {
				return err
			}
		}
		in := registerCall{kind: "rrwc"[rnd.IntN(4)], key: rnd.IntN(r.keys), old: rnd.IntN(5), value: rnd.IntN(5)}
		call := time.Since(r.clock).Nanoseconds()
		out, err := in.run(ctx, c)
		if rnd.IntN(2) == 0 {
			runtime.Gosched()
		}
		op := porcupine.Operation{ClientId: client + clients*i, Input: in, Call: call, Output: out, Return: time.Since(r.clock).Nanoseconds()}
		if err != nil {
			if history.SQLState(err) == "40001" {
				continue // it did not happen
			}
			if r.lost == nil {
				return err
			}
			// It may have happened, or happen still.
			op.Output, op.Return = -1, math.MaxInt64/2
			if err := r.lost(err); err != nil {
				return err
			}
			c.Close()
			c = nil
			if in.kind == 'r' {
				continue
			}
		}
		r.mu.Lock()
		r.done = append(r.done, op)
		r.mu.Unlock()
	}
	if c != nil {
		c.Close()
	}
	return nil
}

func (in registerCall) run(ctx context.Context, c history.Conn) (int, error) {
	switch in.kind {
	case 'r':
		rows, err := c.Query(ctx, fmt.Sprintf("SELECT v FROM register WHERE id = %d", in.key))
		if err != nil {
			return -1, err
		}
		return strconv.Atoi(rows[0][0])
	case 'w':
		_, err := c.Query(ctx, fmt.Sprintf("UPDATE register SET v = %d WHERE id = %d", in.value, in.key))
		return 1, err
	}
	rows, err := c.Query(ctx, fmt.Sprintf("UPDATE register SET v = %d WHERE id = %d AND v = %d RETURNING 1", in.value, in.key, in.old))
	return len(rows), err
}

func (r *registers) check(t *testing.T, seed uint64) {
	t.Helper()
	switch porcupine.CheckOperationsTimeout(registerModel, r.done, time.Minute) {
	case porcupine.Illegal:
		t.Errorf("seed %d: %d operations on registers fit no order", seed, len(r.done))
	case porcupine.Unknown:
		t.Errorf("seed %d: the search for an order takes too long", seed)
	}
}

// TestRegisters: single statements take effect at once, somewhere between call and return.
func TestRegisters(t *testing.T) {
	ctx, s := context.Background(), seed()
	r := &registers{connect: target(t), keys: 8, calls: *testflag.HistoryTransactions / 100}
	if err := r.setup(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.run(ctx, 8, s); err != nil {
		t.Fatal(err)
	}
	r.check(t, s)
	// A read of what nobody wrote must not pass.
	r.done = append(r.done, porcupine.Operation{ClientId: 1 << 30, Input: registerCall{kind: 'r'}, Output: 77, Call: 0, Return: math.MaxInt64 / 2})
	if porcupine.CheckOperations(registerModel, r.done) {
		t.Error("a value from nowhere passes")
	}
}

// spilling gives transactions next to nothing in memory: their changes go to
// files, their row locks are packed.
func spilling(o *engine.Options) { o.SpillBytes, o.PackLocks = 1<<10, 2 }

// TestCrash lets the power fail while lists, keys and registers are worked on,
// and goes on with what is on disk.
func TestCrash(t *testing.T) {
	ctx, s := context.Background(), seed()
	d := &doomed{t: t, fs: vfs.NewMem(s)}
	d.server = open(t, d.fs, spilling)
	a := &history.Append{Connect: d.connect, Level: history.Serializable, Transactions: max(600, *testflag.HistoryTransactions/25), Workers: 4, Seed: s, Yield: true, Lost: d.lost}
	k := &history.Keys{Connect: d.connect, Transactions: a.Transactions, Workers: 2, Seed: s, Yield: true, Lost: d.lost}
	r := &registers{connect: d.connect, lost: d.lost, keys: 8, calls: 100}
	for _, setup := range []func(context.Context) error{a.Setup, k.Setup, r.setup} {
		if err := setup(ctx); err != nil {
			t.Fatal(err)
		}
	}
	h := history.New()
	jobs := []func() error{
		func() error { return a.Run(ctx, h) },
		func() error { return k.Run(ctx) },
		func() error { return r.run(ctx, 3, s) },
	}
	var wait sync.WaitGroup
	for _, job := range jobs {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := job(); err != nil {
				t.Errorf("seed %d: %v", s, err)
			}
		}()
	}
	finished := make(chan struct{})
	go func() { wait.Wait(); close(finished) }()
	crashes, due := 0, 100 // by transactions, not by time: machines differ
	for running := true; running; {
		select {
		case <-finished:
			running = false
		case <-time.After(time.Millisecond):
			if n, _ := h.Len(); n >= due {
				crashes++
				due = n + 100
				d.crash()
			}
		}
	}
	d.crash()
	if err := a.Finish(ctx, h); err != nil {
		t.Fatal(err)
	}
	for _, v := range h.Violations(a.Level) {
		t.Errorf("seed %d: %s: %s", s, v.Class, v.Detail)
	}
	bad, err := k.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range bad {
		t.Errorf("seed %d: %s", s, v)
	}
	r.check(t, s)
	all, committed := h.Len()
	t.Logf("%d crashes, %d transactions, %d known to be committed", crashes, all, committed)
	if crashes == 0 || committed < all/4 {
		t.Errorf("%d crashes, %d of %d committed: the test shows little", crashes, committed, all)
	}
}
