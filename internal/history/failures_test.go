package history_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/serverproc"
	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
)

func measure(t *testing.T, name string, f *history.Failures) history.FailureReport {
	t.Helper()
	ctx := context.Background()
	if err := f.Setup(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := f.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r.Cycle != "" {
		t.Errorf("%s: what committed has a cycle: %s", name, r.Cycle)
	}
	t.Logf("%s, %d rows: %s", name, f.Rows, r)
	return r
}

// TestFailures plays on few rows, where failures are many: what commits fits an
// order, and not all failures are needless. With -history.failures it measures on many rows.
func TestFailures(t *testing.T) {
	s := open(t, vfs.NewVolatile())
	r := measure(t, "few rows", &history.Failures{Connect: s.connect, Rows: 40, Workers: 8, For: 700 * time.Millisecond, Seed: seed(), Yield: true})
	if r.Failed == 0 || r.Needless >= r.Failed || r.Committed < r.Attempts/10 {
		t.Errorf("%+v", r)
	}
	long := *testflag.HistoryFailures
	if long == 0 {
		return
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIP: no go command to build the server with")
	}
	ctx := context.Background()
	binary, err := serverproc.Build(ctx, "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/data"
	if err := serverproc.Init(ctx, binary, dir); err != nil {
		t.Fatal(err)
	}
	p, err := serverproc.Start(ctx, binary, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	for _, rows := range []int{100_000, 1000} {
		r := measure(t, "OmenDB", &history.Failures{Connect: dial(p.DSN()), Rows: rows, Workers: 8, For: long, Seed: seed()})
		if rows == 100_000 && r.Share() > 1 {
			t.Errorf("%.2f %% of the attempts fail needlessly, allowed is 1 %%", r.Share())
		}
		if *testflag.HistoryDSN != "" {
			measure(t, "PostgreSQL", &history.Failures{Connect: dial(*testflag.HistoryDSN), Rows: rows, Workers: 8, For: long, Seed: seed()})
		}
	}
}
