package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBenchPassesArgumentsToItsProgram(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	var out, errs bytes.Buffer
	if code := run([]string{"bench", "index"}, &out, &errs); code != exitFailure || !strings.Contains(errs.String(), "not installed") {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	script := "#!/bin/sh\necho \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, benchProgram), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"bench", "index", "--keys", "5"}, &out, &errs); code != 0 || out.String() != "index --keys 5\n" {
		t.Fatalf("exit code %d: %q, %s", code, out.String(), errs.String())
	}
}
