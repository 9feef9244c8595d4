package simulation

import (
	"fmt"
	"hash/fnv"
	"runtime"
	"sync"
	"testing"

	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
)

// plan chooses length and sampling for a seed: short programs are crashed at
// every operation, longer ones at some.
func plan(seed uint64) (Program, Sampling) {
	n := *testflag.SimSteps
	switch {
	case n > 0:
	case seed%8 == 0:
		n = 150
	case seed%8 < 3:
		n = 40
	default:
		n = 14
	}
	every := 1
	if n > 20 {
		every = 1 + n/8
	}
	return NewProgram(seed, n), Sampling{Every: every, Lives: 2}
}

// TestCrashAnywhere cuts the power anywhere. More of it:
//
//	go test ./internal/simulation -run CrashAnywhere -v -timeout 0 -sim.crashes 20000
func TestCrashAnywhere(t *testing.T) {
	target := *testflag.SimCrashes
	if testing.Short() {
		target = min(target, 400)
	}
	var mu sync.Mutex
	var total Result
	next, failed := *testflag.SimSeed, false
	work := func() {
		for {
			mu.Lock()
			seed := next
			next++
			done := failed || total.Crashes >= target
			mu.Unlock()
			if done {
				return
			}
			p, s := plan(seed)
			r, err := Run(p, s)
			mu.Lock()
			total.Add(r)
			first := err != nil && !failed
			failed = failed || err != nil
			mu.Unlock()
			if first {
				report(t, p, s, err)
			}
		}
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Add(1)
		go func() { defer workers.Done(); work() }()
	}
	workers.Wait()
	t.Logf("%d crashes (%d of them in recovery) in %d lives of %d steps and %d commits; after %d of them commits were gone that nobody had been promised",
		total.Crashes, total.Again, total.Lives, total.Steps, total.Commits, total.Torn)
}

// report shrinks a failing program and says how to replay it.
func report(t *testing.T, p Program, s Sampling, err error) {
	t.Errorf("seed %d: %v\nreplay: go test ./internal/simulation -run CrashAnywhere -sim.seed %d -sim.crashes 1", p.Seed, err, p.Seed)
	small, err := Shrink(p, 60, func(q Program) error {
		_, err := Run(q, Sampling{Every: 1, Lives: s.Lives})
		return err
	})
	if err != nil {
		t.Errorf("shrunk from %d to %d steps: %v\n%s", p.Steps(), small.Steps(), err, small)
	}
}

// TestOneSeedIsOneRun compares all operations on the disk of two runs.
func TestOneSeedIsOneRun(t *testing.T) {
	for seed := range uint64(4) {
		var first, second string
		for _, out := range []*string{&first, &second} {
			h := fnv.New64a()
			_, err := Run(NewProgram(seed, 80), Sampling{Every: 100, Lives: 1, Trace: func(op vfs.Operation) { fmt.Fprintln(h, op) }})
			if err != nil {
				t.Fatal(err)
			}
			*out = fmt.Sprint(h.Sum64())
		}
		if first != second {
			t.Errorf("two runs of seed %d differ", seed)
		}
	}
}

// lying is a disk whose syncs do nothing.
type lying struct{ vfs.FS }

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error     { return nil }
func (lyingFile) SyncData() error { return nil }

func (l lying) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return lyingFile{f}, nil
}

func (l lying) Create(name string) (vfs.File, error)        { return l.wrap(l.FS.Create(name)) }
func (l lying) OpenReadWrite(name string) (vfs.File, error) { return l.wrap(l.FS.OpenReadWrite(name)) }

// TestLossIsNoticed runs on a disk that lies: the simulation must say so, and
// must find a short program that shows it.
func TestLossIsNoticed(t *testing.T) {
	fails := func(p Program) error {
		_, err := Run(p, Sampling{Every: 1, Disk: func(fs vfs.FS) vfs.FS { return lying{fs} }})
		return err
	}
	p := NewProgram(1, 40)
	small, err := Shrink(p, 25, fails)
	if err == nil {
		t.Fatal("a disk that keeps nothing went unnoticed")
	}
	if small.Steps() > p.Steps()/2 {
		t.Errorf("shrunk from %d to %d steps only: %v", p.Steps(), small.Steps(), err)
	}
}
