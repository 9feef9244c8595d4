package simulation

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
)

// kinds of fault, each of which strikes at one operation.
var kinds = []struct {
	name string
	rule vfs.Rule
}{
	{"EIO", vfs.Rule{Err: syscall.EIO}},
	{"ENOSPC", vfs.Rule{Err: syscall.ENOSPC}},
	{"torn write, ENOSPC", vfs.Rule{Kind: vfs.OpWrite, Err: syscall.ENOSPC, Partial: true, Short: 512}},
	{"torn write, EIO", vfs.Rule{Kind: vfs.OpWrite, Err: syscall.EIO, Partial: true, Short: 100}},
	{"short read", vfs.Rule{Kind: vfs.OpRead, Partial: true, Short: 64}},
	{"failed sync", vfs.Rule{Kind: vfs.OpSync, Err: syscall.EIO}},
	{"failed rename", vfs.Rule{Kind: vfs.OpRename, Err: syscall.EIO}},
}

// TestFaultAtEveryOperation lets every single operation on the disk fail, one
// life for each; below -sim.crashes 10000 only every seventh of them.
func TestFaultAtEveryOperation(t *testing.T) {
	programs, stride := 1+uint64(*testflag.SimCrashes/100_000), int64(1)
	if *testflag.SimCrashes < 10_000 {
		stride = 7
	}
	var lives, fatal, refused, resumed int
	for seed := *testflag.SimSeed; seed < *testflag.SimSeed+programs; seed++ {
		prepared, err := Prepare(NewProgram(seed, 16))
		if err != nil {
			t.Fatal(err)
		}
		q := NewProgram(seed+1000, 12)
		for _, kind := range kinds {
			for n := 1 + int64(seed)%stride; ; n += stride {
				rule := kind.rule
				rule.Nth = n
				r, err := prepared.Fault(q, nil, rule)
				if err != nil {
					t.Fatalf("seed %d, %s at operation %d: %v\nreplay: go test ./internal/simulation -run FaultAtEveryOperation -sim.seed %d -sim.crashes 10000", seed, kind.name, n, err, seed)
				}
				lives++
				for _, c := range []struct {
					is    bool
					count *int
				}{{r.Fatal, &fatal}, {r.Refused, &refused}, {r.Resumed, &resumed}} {
					if c.is {
						*c.count++
					}
				}
				if n > r.Operations {
					break
				}
			}
		}
	}
	t.Logf("%d lives with one fault: %d ended by the log, %d did not open, %d went on", lives, fatal, refused, resumed)
	if resumed == 0 || refused == 0 {
		t.Error("an outcome is missing: do the faults strike?")
	}
}

// TestDiskFull fills the disk for some time: nothing acknowledged is lost, and
// work goes on by itself when there is room again.
func TestDiskFull(t *testing.T) {
	prepared, err := Prepare(NewProgram(3, 30))
	if err != nil {
		t.Fatal(err)
	}
	q := NewProgram(1003, 60)
	r, err := prepared.Fault(q, nil)
	if err != nil {
		t.Fatal(err)
	}
	resumed := 0
	for from := int64(1); from < r.Operations; from += 1 + r.Operations/60 {
		for _, length := range []int64{3, 25, 200} {
			r, err := prepared.Fault(q, &[2]int64{from, from + length})
			if err != nil {
				t.Fatal(fmt.Errorf("full from operation %d for %d: %w", from, length, err))
			}
			if r.Fatal {
				t.Errorf("full from operation %d for %d: the log gave up", from, length)
			}
			if r.Resumed {
				resumed++
			}
		}
	}
	if resumed < 100 {
		t.Errorf("work went on %d times only", resumed)
	}
}
