package txn

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
)

// table drives a lock table under the simulated executor: requests run as
// tasks, and what has been granted is seen after the tasks have settled.
type table struct {
	t   *testing.T
	sim *task.Sim
	m   *Manager
}

func newTable(t *testing.T) *table {
	clk := clock.NewManual(time.Unix(1e9, 0))
	sim := task.NewSim(1, clk, nil)
	return &table{t, sim, NewManager(sim, clk)}
}

type request struct {
	done bool
	err  error
}

const timeout = time.Second

func (l *table) ask(o *Owner, tag Tag, mode Mode) *request {
	r := &request{}
	l.sim.Submit("ask", func() {
		_, r.err = l.m.Acquire(context.Background(), o, tag, mode, Transaction, Wait, timeout)
		r.done = true
	})
	for range 20 { // settle without letting time pass: timers fire last
		if r.done {
			break
		}
		l.sim.Step()
		if l.m.Blockers(o.pid) != nil {
			break
		}
	}
	return r
}

func (l *table) settle(d time.Duration) { l.sim.RunFor(d) }

func (l *table) expect(r *request, done bool) {
	l.t.Helper()
	if r.done != done || r.err != nil {
		l.t.Fatalf("granted=%v (%v), want %v", r.done, r.err, done)
	}
}

var table1 = Tag{Kind: Table, A: 1, B: 1}

var one, two = Tag{Kind: Row, A: 1, B: 1}, Tag{Kind: Row, A: 1, B: 2}

// TestConflictsAreSymmetric checks the tables of modes against themselves.
func TestConflictsAreSymmetric(t *testing.T) {
	for i, table := range conflicts {
		kind := Kind(i)
		for a := Mode(1); int(a) < len(table); a++ {
			for b := Mode(1); int(b) < len(table); b++ {
				if kind == Row && (a >= RowWrite || b >= RowWrite) {
					continue // Probe waits for Write and nobody waits for Probe
				}
				if table[a].has(b) != table[b].has(a) {
					t.Errorf("kind %d: %s and %s disagree", kind, ModeName(kind, a), ModeName(kind, b))
				}
			}
		}
	}
}

func TestQueueIsFair(t *testing.T) {
	l := newTable(t)
	a, b, c := NewOwner(1), NewOwner(2), NewOwner(3)
	l.expect(l.ask(a, table1, ShareTable), true)
	writer := l.ask(b, table1, AccessExclusive)
	reader := l.ask(c, table1, ShareTable) // compatible with a, but behind b
	l.expect(writer, false)
	l.expect(reader, false)
	// a holds what b waits for: it may go ahead of b.
	l.expect(l.ask(a, table1, AccessShare), true)
	if p := l.m.Blockers(3); len(p) != 1 || p[0] != 2 {
		t.Errorf("process 3 waits for %v", p)
	}
	l.m.ReleaseTo(a, 0, 0)
	l.settle(0)
	l.expect(writer, true)
	l.expect(reader, false)
	l.m.ReleaseTo(b, 0, 0)
	l.settle(0)
	l.expect(reader, true)
	l.m.ReleaseTo(c, 0, 0)
	if len(l.m.Locks()) != 0 {
		t.Error(l.m.Locks())
	}
}

// TestRowSharersPass: a row lock that the holders allow does not wait for a
// stronger one that waits.
func TestRowSharersPass(t *testing.T) {
	l := newTable(t)
	a, b, c := NewOwner(1), NewOwner(2), NewOwner(3)
	l.expect(l.ask(a, one, RowShare), true)
	writer := l.ask(b, one, RowUpdate)
	l.expect(l.ask(c, one, RowKeyShare), true)
	l.m.ReleaseTo(a, 0, 0)
	l.settle(0)
	l.expect(writer, false)
	l.m.ReleaseTo(c, 0, 0)
	l.settle(0)
	l.expect(writer, true)
}

func TestUpgradeWaitsInFront(t *testing.T) {
	l := newTable(t)
	a, b, c := NewOwner(1), NewOwner(2), NewOwner(3)
	l.expect(l.ask(a, one, RowShare), true)
	l.expect(l.ask(b, one, RowShare), true)
	third := l.ask(c, one, RowUpdate)
	upgrade := l.ask(a, one, RowUpdate)
	l.m.ReleaseTo(b, 0, 0)
	l.settle(0)
	l.expect(upgrade, true)
	l.expect(third, false)
	mark := a.Mark()
	l.expect(l.ask(a, two, RowUpdate), true)
	l.m.ReleaseTo(a, mark, 1)
	if l.m.LockedByOther(two, c) || !l.m.LockedByOther(one, c) || !l.m.RowsLocked(1, c) || l.m.RowsLocked(2, c) {
		t.Error("locks after a partial release")
	}
	l.m.ReleaseTo(a, 0, 0)
	l.settle(0)
	l.expect(third, true)
}

func TestDeadlockOfThree(t *testing.T) {
	l := newTable(t)
	tags := []Tag{one, two, {Kind: Table, B: 9}}
	modes := []Mode{RowUpdate, RowUpdate, AccessExclusive}
	owners := []*Owner{NewOwner(1), NewOwner(2), NewOwner(3)}
	for i, o := range owners {
		o.SetXID(uint64(100 + i))
		l.expect(l.ask(o, tags[i], modes[i]), true)
	}
	var waits []*request
	for i, o := range owners {
		waits = append(waits, l.ask(o, tags[(i+1)%3], modes[(i+1)%3]))
	}
	l.settle(timeout)
	var dead *DeadlockError
	victims := 0
	for i, w := range waits {
		if errors.As(w.err, &dead) {
			victims++
			if len(dead.Edges) != 3 || dead.Edges[0].ProcessID != owners[i].ProcessID() || dead.Edges[0].BlockerXID != uint64(100+(i+1)%3) {
				t.Errorf("victim %d: %+v", i, dead.Edges)
			}
			l.m.ReleaseTo(owners[i], 0, 0)
		}
	}
	l.settle(timeout / 2)
	if victims != 1 {
		t.Fatalf("%d victims", victims)
	}
}

// TestQueueJumpResolvesDeadlock: a waits only behind b's request, b for c and
// c for a. Nobody need fail when a passes b.
func TestQueueJumpResolvesDeadlock(t *testing.T) {
	l := newTable(t)
	a, b, c := NewOwner(1), NewOwner(2), NewOwner(3)
	l.expect(l.ask(c, one, RowShare), true)
	l.expect(l.ask(a, two, RowUpdate), true)
	ofB := l.ask(b, one, RowUpdate)
	ofA := l.ask(a, one, RowShare)
	ofC := l.ask(c, two, RowUpdate)
	l.settle(2 * timeout)
	l.expect(ofA, true)
	l.expect(ofB, false)
	l.m.ReleaseTo(a, 0, 0)
	l.settle(0)
	l.expect(ofC, true)
	l.m.ReleaseTo(c, 0, 0)
	l.settle(0)
	l.expect(ofB, true)
}

func TestCancelledWaitLetsOthersPass(t *testing.T) {
	l := newTable(t)
	a, b, c := NewOwner(1), NewOwner(2), NewOwner(3)
	l.expect(l.ask(a, table1, ShareTable), true)
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("lock timeout")
	var err error
	l.sim.Submit("wait", func() {
		_, err = l.m.Acquire(ctx, b, table1, AccessExclusive, Transaction, Wait, timeout)
	})
	for l.m.Blockers(2) == nil {
		l.sim.Step()
	}
	behind := l.ask(c, table1, ShareTable)
	l.expect(behind, false)
	cancel(reason)
	l.settle(0)
	if !errors.Is(err, reason) {
		t.Error(err)
	}
	l.expect(behind, true)
}

func TestSessionLocksCount(t *testing.T) {
	l := newTable(t)
	a, b := NewOwner(1), NewOwner(2)
	tag := Tag{Kind: Advisory, Sub: 1, A: 5, B: 6}
	for range 2 {
		if _, err := l.m.Acquire(context.Background(), a, tag, AdvisoryExclusive, Session, NoWait, timeout); err != nil {
			t.Fatal(err)
		}
	}
	try := func() error {
		_, err := l.m.Acquire(context.Background(), b, tag, AdvisoryShare, Transaction, NoWait, timeout)
		return err
	}
	if !l.m.ReleaseSession(a, tag, AdvisoryExclusive) || try() != ErrNotAvailable {
		t.Error("the first release ended it")
	}
	if list := l.m.Locks(); len(list) != 1 || list[0].Tag != tag || !list[0].Granted || list[0].ProcessID != 1 {
		t.Error(list)
	}
	l.m.ReleaseAllSession(a)
	if err := try(); err != nil || l.m.ReleaseSession(a, tag, AdvisoryExclusive) {
		t.Error(err)
	}
}
