package sqllogic_test

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/sqllogic"
	"github.com/omendb/omendb/internal/testflag"
)

// The queries that the always-run samples take from each script of the public corpus.
const (
	corpusQueries = 150 // from the copy in testdata
	sharedQueries = 25  // from the big scripts beside the repository, when they are there
)

// root finds the module's root from the package's folder, where `go test` runs.
func root(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
	}
}

func target() sqllogic.Target {
	if dsn := *testflag.SQLLogicDSN; dsn != "" {
		return sqllogic.Postgres(dsn)
	}
	return memory{}
}

// TestSQLLogic runs our own scripts in full and samples of the public corpus; with -sqllogic.dir that folder instead.
func TestSQLLogic(t *testing.T) {
	top := root(t)
	if dir := *testflag.SQLLogicDir; dir != "" {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(top, dir)
		}
		runFolder(t, dir, "", *testflag.SQLLogicLimit, *testflag.SQLLogicFloor)
		return
	}
	own := filepath.Join(top, "testdata", "sqllogic")
	t.Run("own", func(t *testing.T) { runFolder(t, own, "corpus/", *testflag.SQLLogicLimit, *testflag.SQLLogicFloor) })
	t.Run("corpus", func(t *testing.T) { runFolder(t, filepath.Join(own, "corpus"), "", corpusQueries, 100) })
	t.Run("shared", func(t *testing.T) {
		shared := filepath.Join(top, "..", "shared", "sqllogictest", "test")
		if _, err := os.Stat(shared); err != nil || testing.Short() {
			t.Skip("SKIP: the large scripts are not beside the repository, or -short is set")
		}
		runFolder(t, shared, "", sharedQueries, 100)
	})
}

// runFolder plays every script below dir but those whose path begins with except, two at a time, and reports by folder.
func runFolder(t *testing.T, dir, except string, limit int, floor float64) {
	names, err := sqllogic.Scripts(dir)
	if err != nil {
		t.Fatal(err)
	}
	excused, err := sqllogic.ExcusedRecords(excusedFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	opts := sqllogic.Options{Limit: limit, Excused: excused, Finished: *testflag.SQLLogicDSN != ""}
	if s := *testflag.SQLLogicSeconds; s > 0 {
		opts.Deadline = time.Now().Add(time.Duration(s) * time.Second)
	}
	var report sqllogic.Report
	run := 0
	t.Run("scripts", func(t *testing.T) {
		for _, name := range names {
			if except != "" && strings.HasPrefix(name, except) {
				continue
			}
			run++
			t.Run(strings.TrimSuffix(name, ".test"), func(t *testing.T) {
				t.Parallel()
				report.Add(play(t, dir, name, opts))
			})
		}
	})
	if run == 0 {
		t.Fatalf("no scripts below %s", dir)
	}
	var text strings.Builder
	report.Write(&text)
	if report.Share() < floor {
		t.Errorf("%.2f %% of the records pass, less than %.2f %%\n%s", report.Share(), floor, text.String())
		return
	}
	t.Logf("\n%s", text.String())
}

// excusedFile is where a corpus lists what PostgreSQL fails: beside the scripts or one folder up.
func excusedFile(dir string) string {
	const name = "postgres-fails.txt"
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return filepath.Join(dir, name)
	}
	return filepath.Join(dir, "..", name)
}

// play runs one script on a database of its own, or rewrites it.
func play(t *testing.T, dir, name string, opts sqllogic.Options) sqllogic.Result {
	file := filepath.Join(dir, filepath.FromSlash(name))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script, err := sqllogic.Parse(name, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	connect, drop, err := target().Create(ctx, strings.TrimSuffix(strings.ReplaceAll(name, "/", "_"), path.Ext(name)))
	if err != nil {
		t.Fatal(err)
	}
	defer drop()
	if *testflag.SQLLogicRewrite && *testflag.SQLLogicDSN != "" {
		rewritten, failures := sqllogic.Rewrite(ctx, connect, script, string(text), 0)
		for _, f := range failures {
			t.Error(f)
		}
		if err := os.WriteFile(file, []byte(rewritten), 0o644); err != nil {
			t.Fatal(err)
		}
		return sqllogic.Result{Script: name}
	}
	return sqllogic.Run(ctx, connect, script, opts)
}
