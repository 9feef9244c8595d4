package task

import (
	"context"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/invariant"
)

// Sim is the simulation's executor. Exactly one task runs at a time, until it
// ends, awaits or yields; which one continues is drawn from the seed. Time
// stands still while anything can run and then jumps to the next timer. So a
// run is a function of its seed, provided that the tasks are.
//
// One goroutine drives it: the test's, through Step, RunUntilIdle, Await or
// Close. Tasks have goroutines of their own, but pass control by hand.
type Sim struct {
	rng     *rand.Rand
	clock   *clock.Manual
	onPanic func(*Panic)

	ready   []*simTask // may run now
	waiting []*simTask // in Await
	timers  []*simTimer
	order   int // breaks ties between timers
	current *simTask
	closed  bool
	Trace   func(name string) // if set, told every task that continues
}

type simTask struct {
	name    string
	fn      func()
	started bool
	resume  chan struct{} // the driver passes control to the task
	yield   chan bool     // and the task back; true when it has ended
	ctx     context.Context
	done    <-chan struct{}
	err     error
	caught  *Panic
}

type simTimer struct {
	at    time.Time
	order int
	task  *simTask
}

// NewSim returns an executor whose choices come from seed and whose timers
// move clk. Panics of tasks go to onPanic, or on to the driver when it is nil.
func NewSim(seed uint64, clk *clock.Manual, onPanic func(*Panic)) *Sim {
	return &Sim{rng: rand.New(rand.NewPCG(seed, 0x7461736b)), clock: clk, onPanic: onPanic}
}

// Submit implements Executor.
func (s *Sim) Submit(name string, fn func()) {
	if !s.closed {
		s.ready = append(s.ready, &simTask{name: name, fn: fn})
	}
}

// After implements Executor.
func (s *Sim) After(d time.Duration, name string, fn func()) (cancel func()) {
	if s.closed {
		return func() {}
	}
	s.order++
	t := &simTimer{at: s.clock.Now().Add(d), order: s.order, task: &simTask{name: name, fn: fn}}
	s.timers = append(s.timers, t)
	return func() {
		if i := slices.Index(s.timers, t); i >= 0 {
			s.timers = slices.Delete(s.timers, i, i+1)
		}
	}
}

// Await implements Executor. Called by a task it lets others run; called by
// the driver it runs tasks. When nothing is left that could ever close done,
// the simulation is stuck, which is a bug: it panics.
func (s *Sim) Await(ctx context.Context, done <-chan struct{}) error {
	if t := s.current; t != nil {
		t.ctx, t.done = ctx, done
		if s.settle(t) {
			return t.err
		}
		s.waiting = append(s.waiting, t)
		t.pass()
		return t.err
	}
	driver := &simTask{name: "driver", ctx: ctx, done: done}
	for !s.settle(driver) {
		invariant.Check(s.Step(), "simulation is stuck: the driver waits and nothing can run (%d tasks wait)", len(s.waiting))
	}
	return driver.err
}

// Yield lets other tasks run before the calling one goes on. It may be called
// wherever a task holds no lock, for instance from a file system hook. The
// driver's call does nothing.
func (s *Sim) Yield() {
	if t := s.current; t != nil {
		s.ready = append(s.ready, t)
		t.pass()
	}
}

// settle looks whether what t waits for has happened.
func (s *Sim) settle(t *simTask) bool {
	select {
	case <-t.done:
		t.err = nil
		return true
	default:
	}
	if t.err = t.ctx.Err(); t.err != nil {
		return true
	}
	return false
}

// pass gives control back to the driver and waits to get it again.
func (t *simTask) pass() {
	t.yield <- false
	<-t.resume
}

// Step lets one task run until it ends, awaits or yields. If none can, it
// moves the clock to the next timer. It reports whether it did anything.
func (s *Sim) Step() bool {
	invariant.Check(s.current == nil, "a task drives its own simulation")
	rest := s.waiting[:0]
	for _, t := range s.waiting {
		if s.settle(t) {
			s.ready = append(s.ready, t)
		} else {
			rest = append(rest, t)
		}
	}
	s.waiting = rest
	if len(s.ready) == 0 && !s.fire() {
		return false
	}
	i := s.rng.IntN(len(s.ready))
	t := s.ready[i]
	s.ready = slices.Delete(s.ready, i, i+1)
	s.give(t)
	return true
}

// fire makes the earliest timer's task ready.
func (s *Sim) fire() bool {
	if len(s.timers) == 0 {
		return false
	}
	next := 0
	for i, t := range s.timers {
		if c := t.at.Compare(s.timers[next].at); c < 0 || c == 0 && t.order < s.timers[next].order {
			next = i
		}
	}
	t := s.timers[next]
	s.timers = slices.Delete(s.timers, next, next+1)
	if t.at.After(s.clock.Now()) {
		s.clock.Set(t.at)
	}
	s.ready = append(s.ready, t.task)
	return true
}

func (s *Sim) give(t *simTask) {
	if s.Trace != nil {
		s.Trace(t.name)
	}
	s.current = t
	if t.started {
		t.resume <- struct{}{}
	} else {
		t.started = true
		t.resume, t.yield = make(chan struct{}), make(chan bool)
		go func() {
			defer func() {
				if v := recover(); v != nil {
					t.caught = &Panic{Task: t.name, Value: v, Stack: debug.Stack()}
				}
				t.yield <- true
			}()
			t.fn()
		}()
	}
	ended := <-t.yield
	s.current = nil
	if ended && t.caught != nil {
		if s.onPanic == nil {
			panic(t.caught)
		}
		s.onPanic(t.caught)
	}
}

// RunUntilIdle steps until no task is ready; timers do not fire.
func (s *Sim) RunUntilIdle() {
	for len(s.ready) > 0 || s.anyAwake() {
		s.Step()
	}
}

func (s *Sim) anyAwake() bool {
	for i, t := range s.waiting {
		if s.settle(t) {
			s.waiting = slices.Delete(s.waiting, i, i+1)
			s.ready = append(s.ready, t)
			return true
		}
	}
	return false
}

// RunFor steps until d has passed on the clock.
func (s *Sim) RunFor(d time.Duration) {
	stop := make(chan struct{})
	s.After(d, "sim.stop", func() { close(stop) })
	_ = s.Await(context.Background(), stop) // the context has no end
}

// Close implements Executor: timers are cancelled and tasks run to their ends.
func (s *Sim) Close() {
	s.closed = true
	s.timers = nil
	for s.Step() {
	}
}
