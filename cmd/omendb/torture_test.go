package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/omendb/omendb/internal/torture"
)

// TestTorture runs the command with one kill; internal/killtest does more of them.
func TestTorture(t *testing.T) {
	scratch := t.TempDir()
	code, out, errs := finish(t, "torture", "--seed", "3", "--kills", "1", "--connections", "2", "--scratch", scratch)
	if code != 0 || !strings.Contains(out, "Everything that was acknowledged is there") {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("the scratch directory holds %v (%v)", left, err)
	}
	code, out, errs = finish(t, "torture", "--kills", "1", "--connections", "1", "--json", "--scratch", scratch)
	var r torture.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Kills < 1 || r.Checks < 2 || r.Work.Acknowledged == 0 {
		t.Errorf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	for _, wrong := range [][]string{{"--minutes", "0"}, {"--connections", "0"}, {"--connections", "1000"}, {"extra"}} {
		if code, _, _ := finish(t, append([]string{"torture"}, wrong...)...); code != exitUsage {
			t.Errorf("torture %v: exit code %d", wrong, code)
		}
	}
}
