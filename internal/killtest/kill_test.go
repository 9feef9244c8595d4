package killtest_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/serverproc"
	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/torture"
)

// longest bounds a run by time; each kill takes about a second.
const longest = 24 * time.Hour

// TestKill builds the server and kills it -kill.cycles times.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIP: no go command to build the server with")
	}
	ctx := context.Background()
	binary, err := serverproc.Build(ctx, "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o := torture.Options{Binary: binary, Dir: t.TempDir(), Seed: uint64(*testflag.KillSeed), Kills: *testflag.KillCycles, For: longest, Connections: 6}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", o.Seed)
	if o.Kills > 20 {
		last := time.Now()
		o.Progress = func(r *torture.Report) {
			if time.Since(last) > time.Minute {
				last = time.Now()
				t.Log(r.Line())
			}
		}
	}
	r, err := torture.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	if err := r.Table(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	if !r.OK() {
		t.Error(r.Detail)
	}
	if r.Work.Acknowledged == 0 || r.Kills < o.Kills {
		t.Error("the test shows nothing")
	}
}
