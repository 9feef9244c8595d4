package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// Append is the workload of lists: transactions of a few appends, reads by key,
// by a second index and by range, in random order.
type Append struct {
	Connect      Connect
	Level        Level
	Transactions int
	Workers      int
	Seed         uint64
	Keys         int // that are in use at a time; 0 is 12
	Each         int // appends to a key before another one takes its place; 0 is 40
	// Yield makes a client hand its turn to another one between statements,
	// as the network does where there is one.
	Yield bool
	// Lost is called when a connection is lost; a nil error means that the
	// worker connects again, and goes on. Without it a lost connection is an error.
	Lost func(error) error

	writes  atomic.Int64 // appends so far: they move the window of keys
	started atomic.Int64
}

func (a *Append) defaults() {
	if a.Keys == 0 {
		a.Keys = 12
	}
	if a.Each == 0 {
		a.Each = 40
	}
	if a.Workers == 0 {
		a.Workers = 8
	}
}

// Setup makes the table.
func (a *Append) Setup(ctx context.Context) error {
	return with(ctx, a.Connect,
		"DROP TABLE IF EXISTS list",
		"CREATE TABLE list (id int PRIMARY KEY, other int, val text)",
		"CREATE INDEX ON list (other)")
}

// with runs statements on a connection of their own.
func with(ctx context.Context, connect Connect, statements ...string) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, s := range statements {
		if _, err := c.Query(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// Run adds transactions to a history.
func (a *Append) Run(ctx context.Context, h *History) error {
	a.defaults()
	a.started.Store(0)
	var wait sync.WaitGroup
	errs := make([]error, a.Workers)
	for w := range a.Workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[w] = a.worker(ctx, h, rand.New(rand.NewPCG(a.Seed, uint64(w))))
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

func (a *Append) worker(ctx context.Context, h *History, rnd *rand.Rand) error {
	var c Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	for a.started.Add(1) <= int64(a.Transactions) && ctx.Err() == nil {
		if c == nil {
			var err error
			if c, err = a.Connect(ctx); err != nil {
				return err
			}
			// Deadlocks are part of the game: find them soon.
			if _, err := c.Query(ctx, "SET deadlock_timeout = '5ms'"); err != nil && SQLState(err) != "" {
				return err
			}
		}
		t := h.Begin()
		err := a.transaction(ctx, h, t, c, rnd)
		if err == nil {
			continue
		}
		if a.Lost == nil {
			return err
		}
		if err := a.Lost(err); err != nil {
			return err
		}
		c.Close()
		c = nil
	}
	return nil
}

// retryable are the failures that concurrency excuses.
var retryable = map[string]bool{"40001": true, "40P01": true}

// transaction runs one transaction; the error is one that ends the connection
// or should not happen.
func (a *Append) transaction(ctx context.Context, h *History, t *Txn, c Conn, rnd *rand.Rand) error {
	run := func(format string, args ...any) ([][]string, error) {
		if a.Yield {
			runtime.Gosched()
		}
		return c.Query(ctx, fmt.Sprintf(format, args...))
	}
	steps := 1 + rnd.IntN(6)
	readOnly := rnd.IntN(5) == 0
	begin := "BEGIN ISOLATION LEVEL %s"
	if readOnly && rnd.IntN(2) == 0 {
		begin += " READ ONLY"
	}
	_, err := run(begin, a.Level)
	for i := 0; err == nil && i < steps; i++ {
		err = a.step(h, t, rnd, readOnly, run)
	}
	if err == nil && rnd.IntN(25) == 0 {
		if _, err = run("ROLLBACK"); err == nil {
			h.end(t, RolledBack)
			return nil
		}
	}
	if err == nil {
		if _, err = run("COMMIT"); err == nil {
			h.end(t, Committed)
			return nil
		}
	}
	code := SQLState(err)
	switch {
	case code == "": // the connection is gone: a commit may have happened, if it was sent
		return err
	case code[:2] == "57" || code == "08007": // shut down, or a commit in doubt
		return err
	}
	h.end(t, RolledBack)
	if _, rerr := c.Query(ctx, "ROLLBACK"); rerr != nil {
		return rerr
	}
	if !retryable[code] {
		return err
	}
	return nil
}

// step runs one statement of a transaction.
func (a *Append) step(h *History, t *Txn, rnd *rand.Rand, readOnly bool, run func(string, ...any) ([][]string, error)) error {
	first := int(a.writes.Load()) / a.Each
	key := first + rnd.IntN(a.Keys)
	dice := rnd.IntN(100)
	if readOnly {
		dice = 45 + dice*55/100
	}
	switch {
	case dice < 35:
		return a.upsert(t, key, run)
	case dice < 45:
		return a.update(t, key, run)
	case dice < 85:
		return a.readKey(h, t, key, rnd.IntN(3), run)
	}
	last := min(key+rnd.IntN(4), first+a.Keys-1)
	column := "id"
	if rnd.IntN(2) == 0 {
		column = "other"
	}
	rows, err := run("SELECT id, val FROM list WHERE %s BETWEEN %d AND %d", column, key, last)
	if err != nil {
		return err
	}
	lists := make(map[int]string)
	for _, r := range rows {
		k, err := strconv.Atoi(r[0])
		if err != nil {
			return err
		}
		lists[k] = r[1]
	}
	for k := key; k <= last; k++ {
		h.read(t, k, lists[k], true)
	}
	return nil
}

func (a *Append) upsert(t *Txn, key int, run func(string, ...any) ([][]string, error)) error {
	a.writes.Add(1)
	v := t.append(key)
	_, err := run("INSERT INTO list VALUES (%d, %d, '%d') ON CONFLICT (id) DO UPDATE SET val = list.val || ',%d'", key, key, v, v)
	return err
}

// update appends to a row that exists; where there is none nothing happens.
func (a *Append) update(t *Txn, key int, run func(string, ...any) ([][]string, error)) error {
	v := t.append(key)
	rows, err := run("UPDATE list SET val = val || ',%d' WHERE id = %d RETURNING id", v, key)
	if err == nil && len(rows) == 0 {
		t.appends = t.appends[:len(t.appends)-1]
	}
	if err == nil {
		a.writes.Add(int64(len(rows)))
	}
	return err
}

func (a *Append) readKey(h *History, t *Txn, key, how int, run func(string, ...any) ([][]string, error)) error {
	where := "id = %d"
	if how == 1 {
		where = "other = %d"
	}
	rows, err := run("SELECT val FROM list WHERE "+where, key)
	if err != nil {
		return err
	}
	text := ""
	if len(rows) > 0 {
		text = rows[0][0]
	}
	h.read(t, key, text, false)
	return nil
}

// Finish reads the state at the end, which tells the outcome of every append.
func (a *Append) Finish(ctx context.Context, h *History) error {
	c, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	rows, err := c.Query(ctx, "SELECT id, val FROM list")
	if err != nil {
		return err
	}
	for _, r := range rows {
		k, err := strconv.Atoi(r[0])
		if err != nil {
			return err
		}
		h.observe(nil, int32(k), parseList(r[1]), false)
	}
	return nil
}
