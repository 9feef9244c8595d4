package task

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/omendb/omendb/internal/invariant"
)

// maxNames bounds the distinct task names: they label profiles and metrics, so
// a name that contains an id would grow both without end.
const maxNames = 256

// Panic is what a panicking task left behind.
type Panic struct {
	Task  string
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("task %s panicked: %v", p.Task, p.Value) }

// Goroutines is the server's executor: every task is a goroutine whose profile
// label is the task's name.
type Goroutines struct {
	onPanic func(*Panic)

	mu      sync.Mutex
	closed  bool
	running map[string]int
	timers  map[*pending]struct{}
	active  sync.WaitGroup
}

// pending is a task that waits for its time.
type pending struct{ timer *time.Timer }

// NewGoroutines returns an executor. A panic in a task goes to onPanic, in the
// task's goroutine; without one (nil) it ends the process, as Go does.
func NewGoroutines(onPanic func(*Panic)) *Goroutines {
	return &Goroutines{onPanic: onPanic, running: map[string]int{}, timers: map[*pending]struct{}{}}
}

// Submit implements Executor. After Close, fn is dropped.
func (g *Goroutines) Submit(name string, fn func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.start(name, fn)
}

func (g *Goroutines) start(name string, fn func()) {
	if g.closed {
		return
	}
	g.running[name]++
	invariant.Check(len(g.running) <= maxNames, "more than %d task names, the last is %q", maxNames, name)
	g.active.Add(1)
	go g.run(name, fn)
}

func (g *Goroutines) run(name string, fn func()) {
	defer func() {
		g.mu.Lock()
		g.running[name]--
		g.mu.Unlock()
		g.active.Done()
	}()
	if g.onPanic != nil {
		defer func() {
			if v := recover(); v != nil {
				g.onPanic(&Panic{Task: name, Value: v, Stack: debug.Stack()})
			}
		}()
	}
	pprof.Do(context.Background(), pprof.Labels("task", name), func(context.Context) { fn() })
}

// After implements Executor. Cancel after the start of fn does nothing.
func (g *Goroutines) After(d time.Duration, name string, fn func()) (cancel func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return func() {}
	}
	p := &pending{}
	g.timers[p] = struct{}{}
	p.timer = time.AfterFunc(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if _, ok := g.timers[p]; ok {
			delete(g.timers, p)
			g.start(name, fn)
		}
	})
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		p.timer.Stop()
		delete(g.timers, p)
	}
}

// Await implements Executor.
func (g *Goroutines) Await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx) // tells a timeout from a cancel
	}
}

// Running returns how many tasks of each name run now.
func (g *Goroutines) Running() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string]int{}
	for name, n := range g.running {
		if n > 0 {
			out[name] = n
		}
	}
	return out
}

// Close implements Executor. Tasks that wait for their time are cancelled.
func (g *Goroutines) Close() {
	g.mu.Lock()
	g.closed = true
	for p := range g.timers {
		p.timer.Stop()
		delete(g.timers, p)
	}
	g.mu.Unlock()
	g.active.Wait()
}
