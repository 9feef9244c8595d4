package txn

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
)

// TestThinModel does the same at random with a table whose row locks may be
// thin and one in which all are ordinary, and compares what can be seen.
func TestThinModel(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var tables [2]*table
		var owners [2][4]*Owner
		for i := range tables {
			tables[i] = newTable(t)
			for k := range owners[i] {
				owners[i][k] = NewOwner(int32(k)) // the first is nobody's
			}
		}
		tables[1].m.SetPlain(true)
		var marks [4][]int
		for step := range 4000 {
			who, tag := rng.IntN(4), rowTag(rng.Uint64N(200))
			mode, n := Mode(1+rng.IntN(6)), rng.IntN(100)
			level := 0
			if len(marks[who]) > 0 {
				level = rng.IntN(len(marks[who]))
			}
			var seen [2][]any
			for i, l := range tables {
				o := owners[i][who]
				switch {
				case n < 80:
					fresh, err := l.m.Acquire(context.Background(), o, tag, mode, Transaction, NoWait, timeout)
					seen[i] = append(seen[i], fresh, err)
					if fresh && n < 10 {
						l.m.ReleaseLast(o, tag, mode)
					}
				case n < 84:
					seen[i] = append(seen[i], o.Mark())
				case n < 87 && len(marks[who]) > 0:
					l.m.ReleaseTo(o, marks[who][level], level+1)
				case n < 90:
					l.m.ReleaseTo(o, 0, 0)
				case n < 91:
					other := NewOwner(o.pid)
					l.m.Transfer(o, other)
					owners[i][who] = other
				case n < 92 && len(marks[who]) == 0:
					l.m.Pack(o, nil)
				default:
					held := l.m.Holders(tag, mode, o)
					var pids []int32
					for _, h := range held {
						pids = append(pids, h.pid)
					}
					slices.Sort(pids)
					seen[i] = append(seen[i], l.m.LockedByOther(tag, o), l.m.RowsLocked(7, o), l.m.RowsLocked(8, o), len(pids))
				}
				seen[i] = append(seen[i], o.Held())
			}
			switch {
			case n >= 80 && n < 84:
				marks[who] = append(marks[who], seen[0][0].(int))
			case n >= 84 && n < 87 && len(marks[who]) > 0:
				marks[who] = marks[who][:level+1]
			case n >= 84 && n < 90:
				marks[who] = nil
			case n == 90:
				marks[who] = nil
				for i, l := range tables {
					l.m.ReleaseTo(owners[i][who], 0, 0)
				}
			}
			if !slices.Equal(seen[0], seen[1]) {
				t.Fatalf("seed %d, step %d, owner %d, row %v, mode %d, kind %d: %v, with ordinary locks %v", seed, step, who, tag, mode, n, seen[0], seen[1])
			}
		}
	}
}

// TestThinLocksExclude has many transactions change rows that they have locked,
// some of them with waiting: no change is lost.
func TestThinLocksExclude(t *testing.T) {
	tasks := task.NewGoroutines(nil)
	m := NewManager(tasks, clock.System())
	const rows, sessions, turns = 24, 6, 1500
	var counts [rows]int
	var want [rows]int
	var mu sync.Mutex
	var all sync.WaitGroup
	for s := range sessions {
		all.Add(1)
		go func() {
			defer all.Done()
			o, rng := NewOwner(int32(s)), rand.New(rand.NewPCG(uint64(s), 9))
			for range turns {
				var list []uint64
				for range 1 + rng.IntN(4) {
					list = append(list, rng.Uint64N(rows))
				}
				slices.Sort(list) // no deadlocks
				for _, n := range slices.Compact(list) {
					if _, err := m.Acquire(context.Background(), o, rowTag(n), RowUpdate, Transaction, Wait, time.Minute); err != nil {
						t.Error(err)
						return
					}
					if rng.IntN(2) == 0 {
						_, _ = m.Acquire(context.Background(), o, rowTag(n), RowWrite, Transaction, Wait, time.Minute) // conflicts with nothing
					}
					counts[n]++
					mu.Lock()
					want[n]++
					mu.Unlock()
				}
				m.ReleaseTo(o, 0, 0)
			}
		}()
	}
	all.Wait()
	tasks.Close()
	if counts != want {
		t.Errorf("%v changes instead of %v", counts, want)
	}
	for i := range m.shards {
		if s := &m.shards[i]; len(s.locks) > 0 || s.rows > 0 {
			t.Error("ordinary locks are left")
		}
	}
}
