package task

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/clock"
)

var bg = context.Background()

func TestGoroutines(t *testing.T) {
	panics := make(chan *Panic, 1)
	g := NewGoroutines(func(p *Panic) { panics <- p })
	done, hold := make(chan struct{}), make(chan struct{})
	g.Submit("work", func() { <-hold; close(done) })
	if g.Running()["work"] != 1 {
		t.Fatal(g.Running())
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if err := g.Await(ctx, done); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(hold)
	if err := g.Await(bg, done); err != nil {
		t.Fatal(err)
	}
	if err := g.Await(ctx, done); err != nil {
		t.Fatal("what is done counts before what is cancelled", err)
	}
	g.Submit("bad", func() { panic("oh") })
	if p := <-panics; p.Task != "bad" || p.Value != "oh" || !strings.Contains(string(p.Stack), "task_test.go") ||
		p.Error() != "task bad panicked: oh" {
		t.Fatal(p)
	}
	fired := make(chan struct{})
	g.After(time.Millisecond, "timer", func() { close(fired) })
	if err := g.Await(bg, fired); err != nil {
		t.Fatal(err)
	}
	var never atomic.Int32
	g.After(20*time.Millisecond, "cancelled", func() { never.Add(1) })()
	g.After(20*time.Millisecond, "closed", func() { never.Add(1) })
	g.Close()
	g.Submit("late", func() { never.Add(1) })
	g.After(0, "late", func() { never.Add(1) })()
	time.Sleep(40 * time.Millisecond)
	if never.Load() != 0 || len(g.Running()) != 0 {
		t.Fatal("ran after Close", g.Running())
	}
}

func TestGoroutinesBoundNames(t *testing.T) {
	g := NewGoroutines(nil)
	defer g.Close()
	defer func() {
		if recover() == nil {
			t.Error("names without end were accepted")
		}
	}()
	for i := range maxNames + 1 {
		g.Submit(fmt.Sprint("task-", i), func() {})
	}
}

// story runs tasks that wait for each other and tells what happened.
func story(seed uint64) string {
	clk := clock.NewManual(time.Unix(0, 0))
	s := NewSim(seed, clk, nil)
	var out strings.Builder
	say := func(f string, args ...any) { fmt.Fprintf(&out, f+" ", args...) }
	baton := make(chan struct{})
	for i := range 4 {
		s.Submit("worker", func() {
			say("start%d", i)
			s.Yield()
			if i == 2 {
				close(baton)
			}
			if err := s.Await(bg, baton); err != nil {
				say("error %v", err)
			}
			say("end%d", i)
		})
	}
	s.After(time.Hour, "late", func() { say("late@%v", clk.Now().Unix()) })
	s.After(time.Minute, "early", func() { say("early@%v", clk.Now().Unix()) })
	s.After(time.Second, "never", func() { say("never") })()
	s.RunUntilIdle()
	say("idle@%v", clk.Now().Unix())
	s.RunFor(2 * time.Minute)
	say("now@%v", clk.Now().Unix())
	for s.Step() {
	}
	return out.String()
}

func TestSimReplaysFromSeed(t *testing.T) {
	stories := map[string]bool{}
	for seed := range uint64(20) {
		first := story(seed)
		if again := story(seed); again != first {
			t.Fatalf("seed %d: %s, then %s", seed, first, again)
		}
		stories[first] = true
		if !strings.HasSuffix(first, "idle@0 early@60 now@120 late@3600 ") || strings.Contains(first, "never") {
			t.Fatal(first)
		}
		for i := range 4 {
			if strings.Count(first, fmt.Sprint("end", i)) != 1 {
				t.Fatal(first)
			}
		}
	}
	if len(stories) < 10 {
		t.Fatalf("20 seeds gave %d orders", len(stories))
	}
}

func TestSimAwait(t *testing.T) {
	s := NewSim(1, clock.NewManual(time.Unix(0, 0)), nil)
	var names []string
	s.Trace = func(name string) { names = append(names, name) }
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(bg)
	var inner error
	s.Submit("waits", func() { inner = s.Await(ctx, make(chan struct{})) })
	s.After(time.Second, "cancels", func() { cancel() })
	s.After(time.Minute, "finishes", func() { close(done) })
	if err := s.Await(bg, done); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, context.Canceled) || strings.Join(names, " ") != "waits cancels waits finishes" {
		t.Fatal(inner, names)
	}
	if err := s.Await(ctx, make(chan struct{})); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.Yield() // the driver's does nothing
	s.Submit("last", func() { names = nil })
	s.Close()
	if names != nil {
		t.Fatal("Close does not run what was accepted")
	}
	s.Submit("late", func() { t.Error("ran") })
	s.After(0, "late", func() { t.Error("ran") })()
	s.RunUntilIdle()
}

func TestSimStuckAndPanics(t *testing.T) {
	s := NewSim(1, clock.NewManual(time.Unix(0, 0)), nil)
	catch := func(f func()) (v any) {
		defer func() { v = recover() }()
		f()
		return nil
	}
	if v := catch(func() { _ = s.Await(bg, make(chan struct{})) }); !strings.Contains(fmt.Sprint(v), "stuck") {
		t.Fatal(v)
	}
	s.Submit("bad", func() { s.Yield(); panic("oh") })
	var p *Panic
	if err, ok := catch(s.RunUntilIdle).(error); !ok || !errors.As(err, &p) || p.Task != "bad" {
		t.Fatal(err)
	}
	var told *Panic
	s = NewSim(1, clock.NewManual(time.Unix(0, 0)), func(p *Panic) { told = p })
	s.Submit("bad", func() { panic("oh") })
	s.RunUntilIdle()
	if told == nil || told.Value != "oh" {
		t.Fatal(told)
	}
}
