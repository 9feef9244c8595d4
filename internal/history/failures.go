package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Failures measures serialization failures: transactions of four reads and two
// updates of random rows at SERIALIZABLE. A failure is needless when the
// transaction, had it committed with all that it did, would be on no cycle of
// dependencies among those that did commit.
type Failures struct {
	Connect Connect
	Rows    int
	Workers int
	For     time.Duration
	Seed    uint64
	Yield   bool

	mu   sync.Mutex
	txns []*attempt
}

// FailureReport is what Failures found.
type FailureReport struct {
	Attempts  int
	Committed int
	Updates   int // failed because a row was changed meanwhile: first updater wins
	Deadlocks int
	NoRoom    int // failed because the server had no room for more predicate locks
	Failed    int // failed for read/write dependencies
	Needless  int // of Failed
	Cycle     string
	Seconds   float64
}

// Share returns needless failures in percent of the attempts.
func (r FailureReport) Share() float64 { return 100 * float64(r.Needless) / float64(r.Attempts) }

// String implements fmt.Stringer.
func (r FailureReport) String() string {
	return fmt.Sprintf("%d attempts in %.0f s, %d committed; read/write dependencies %d (%.4f %%), of these needless %d (%.4f %% of attempts); concurrent update %d, deadlock %d, no room for locks %d",
		r.Attempts, r.Seconds, r.Committed, r.Failed, 100*float64(r.Failed)/float64(r.Attempts), r.Needless, r.Share(), r.Updates, r.Deadlocks, r.NoRoom)
}

// touch is a version of a row that an attempt has read, or replaced.
type touch struct {
	key     int
	version int64 // 0 is what Setup wrote
}

type attempt struct {
	committed, conflict bool
	reads               []touch
	writes              []touch // the versions replaced; the new one has the number of the attempt and its place here
}

// writesEach is how many rows an attempt changes.
const writesEach = 2

// Setup makes the table.
func (f *Failures) Setup(ctx context.Context) error {
	return with(ctx, f.Connect,
		"DROP TABLE IF EXISTS item",
		"CREATE TABLE item (id int PRIMARY KEY, version bigint, before bigint)",
		fmt.Sprintf("INSERT INTO item SELECT i, 0, 0 FROM generate_series(0, %d) i", f.Rows-1),
		"ANALYZE item")
}

// Run measures.
func (f *Failures) Run(ctx context.Context) (FailureReport, error) {
	f.txns = []*attempt{{committed: true}} // Setup: its number is 0
	var r FailureReport
	var wait sync.WaitGroup
	errs := make([]error, f.Workers)
	start := time.Now()
	for w := range f.Workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[w] = f.worker(ctx, rand.New(rand.NewPCG(f.Seed, uint64(w))), start.Add(f.For), &r)
		}()
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return r, err
		}
	}
	r.Seconds = time.Since(start).Seconds()
	f.judge(&r)
	return r, nil
}

func (f *Failures) worker(ctx context.Context, rnd *rand.Rand, end time.Time, r *FailureReport) error {
	c, err := f.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	for time.Now().Before(end) {
		f.mu.Lock()
		a, id := &attempt{}, int64(len(f.txns))
		f.txns = append(f.txns, a)
		f.mu.Unlock()
		err := f.attempt(ctx, c, rnd, a, id)
		code := SQLState(err)
		if err != nil && !retryable[code] && code != "53200" {
			return err
		}
		f.mu.Lock()
		r.Attempts++
		switch {
		case err == nil:
			a.committed = true
			r.Committed++
		case code == "40P01":
			r.Deadlocks++
		case code == "53200":
			r.NoRoom++
		case strings.Contains(err.Error(), "read/write dependencies"):
			a.conflict = true
			r.Failed++
		default:
			r.Updates++
		}
		f.mu.Unlock()
		if err != nil {
			if _, err := c.Query(ctx, "ROLLBACK"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Failures) attempt(ctx context.Context, c Conn, rnd *rand.Rand, a *attempt, id int64) error {
	if _, err := c.Query(ctx, "BEGIN ISOLATION LEVEL SERIALIZABLE"); err != nil {
		return err
	}
	for i := range 4 + writesEach {
		if f.Yield {
			runtime.Gosched()
		}
		key := rnd.IntN(f.Rows)
		text := fmt.Sprintf("SELECT version FROM item WHERE id = %d", key)
		if i >= 4 {
			text = fmt.Sprintf("UPDATE item SET before = version, version = %d WHERE id = %d RETURNING before", id*writesEach+int64(i-4), key)
		}
		rows, err := c.Query(ctx, text)
		if err != nil {
			return err
		}
		v, err := strconv.ParseInt(rows[0][0], 10, 64)
		if err != nil {
			return err
		}
		if i < 4 {
			a.reads = append(a.reads, touch{key, v})
		} else {
			a.writes = append(a.writes, touch{key, v})
		}
	}
	_, err := c.Query(ctx, "COMMIT")
	return err
}

// judge adds the failed attempts to the graph of the committed ones, one at a time.
func (f *Failures) judge(r *FailureReport) {
	next := map[touch]int32{}      // who replaced a version
	readers := map[touch][]int32{} // who has read it
	for id, a := range f.txns {
		if !a.committed {
			continue
		}
		for _, w := range a.writes {
			next[w] = int32(id)
		}
		for _, s := range a.reads {
			readers[s] = append(readers[s], int32(id))
		}
	}
	g := newGraph(len(f.txns))
	for id, a := range f.txns {
		if a.committed {
			g.edges = append(g.edges, a.before(int32(id))...)
			g.edges = append(g.edges, a.after(int32(id), next)...)
		}
	}
	g.sort()
	for _, c := range classes {
		if cycle := g.cycle(c); cycle != nil {
			r.Cycle = c.name + ": " + (&History{}).describe(cycle)
			return
		}
	}
	for id, a := range f.txns {
		if a.conflict && !a.closes(int32(id), g, next, readers, f.txns) {
			r.Needless++
		}
	}
}

// before returns the dependencies of the writers of what an attempt has read and replaced on it.
func (a *attempt) before(id int32) (list []edge) {
	for _, s := range a.reads {
		if from := int32(s.version / writesEach); from != id && from != 0 {
			list = append(list, edge{from, id, wr, int32(s.key)})
		}
	}
	for _, w := range a.writes {
		if from := int32(w.version / writesEach); from != id && from != 0 {
			list = append(list, edge{from, id, ww, int32(w.key)})
		}
	}
	return list
}

// after returns the dependencies of an attempt on those who replaced what it has read.
func (a *attempt) after(id int32, next map[touch]int32) (list []edge) {
	for _, s := range a.reads {
		if to, ok := next[s]; ok && to != id {
			list = append(list, edge{id, to, rw, int32(s.key)})
		}
	}
	return list
}

// closes reports whether a failed attempt would be on a cycle. Those that
// changed the same row after it failed could not have, had it committed: with
// them it has no dependency through that row.
func (a *attempt) closes(id int32, g *graph, next map[touch]int32, readers map[touch][]int32, txns []*attempt) bool {
	in := map[int32]bool{}
	for _, e := range a.before(id) {
		in[e.from] = true
	}
	for _, w := range a.writes {
		for _, reader := range readers[w] {
			if !txns[reader].changed(w.key) {
				in[reader] = true
			}
		}
	}
	seen := map[int32]bool{}
	var queue []int32
	for _, e := range a.after(id, next) {
		queue = append(queue, e.to)
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if in[n] {
			return true
		}
		if seen[n] {
			continue
		}
		seen[n] = true
		for _, e := range g.out(n) {
			queue = append(queue, e.to)
		}
	}
	return false
}

func (a *attempt) changed(key int) bool {
	for _, w := range a.writes {
		if w.key == key {
			return true
		}
	}
	return false
}
