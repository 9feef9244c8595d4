package isolation_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/isolation"
	"github.com/omendb/omendb/internal/testflag"
)

const folder = "../../testdata/isolation"

// known are the scenarios in which we still differ from PostgreSQL, and why.
// One that no longer differs fails the test, so that the list stays true.
var known = map[string]string{}

// knownSpilled are those in which transactions whose changes have spilled differ.
var knownSpilled = map[string]string{
	"row-deleted-inserted": "a segment does not tell a row that was deleted and inserted again by one transaction from one that was changed",
}

// memory gives every scenario an OmenDB in memory.
type memory struct{ settings map[string]string }

func (m memory) Create(context.Context, string) (isolation.Connect, func(), error) {
	db, err := omendb.Open(omendb.Memory, omendb.WithSettings(m.settings))
	if err != nil {
		return nil, nil, err
	}
	connect := func(ctx context.Context, onNotice func(string, string)) (*pgconn.PgConn, error) {
		cfg, err := pgconn.ParseConfig("postgres://omendb@in-process/postgres?sslmode=disable")
		if err != nil {
			return nil, err
		}
		cfg.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
		cfg.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
		return isolation.Dial(ctx, cfg, onNotice)
	}
	return connect, func() { _ = db.Close() }, nil
}

// TestIsolation runs the scenarios and compares with what PostgreSQL did.
func TestIsolation(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder, "*.spec"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	runner := isolation.Runner{Target: memory{}}
	if *testflag.IsolationDSN != "" {
		runner.Target = isolation.Postgres(*testflag.IsolationDSN)
	} else if *testflag.IsolationRewrite {
		t.Fatal("only PostgreSQL's results are expectations: give -isolation.dsn")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".spec")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenario(t, runner, name)
		})
	}
}

// TestIsolationSpilled runs the scenarios with transactions that may have next to
// nothing in memory: their changes spill and their row locks are packed.
func TestIsolationSpilled(t *testing.T) {
	if *testflag.IsolationDSN != "" {
		t.Skip("PostgreSQL has no such setting")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.spec"))
	if err != nil {
		t.Fatal(err)
	}
	runner := isolation.Runner{Target: memory{map[string]string{"omen.transaction_memory": "1"}}}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".spec")
		t.Run(name, func(t *testing.T) {
			if why := knownSpilled[name]; why != "" {
				t.Skip("known difference: " + why)
			}
			t.Parallel()
			scenario(t, runner, name)
		})
	}
}

func scenario(t *testing.T, runner isolation.Runner, name string) {
	file := filepath.Join(folder, name)
	text, err := os.ReadFile(file + ".spec")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := isolation.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	why := known[name]
	if *testflag.IsolationDSN != "" {
		why = ""
	}
	if why != "" {
		runner.Limit = time.Second // a session that should have failed may wait for ever
	}
	got, err := runner.Run(context.Background(), name, spec)
	if err != nil && why == "" {
		t.Fatalf("%v\n%s", err, got)
	}
	if *testflag.IsolationRewrite {
		if err := os.WriteFile(file+".out", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file + ".out")
	if err != nil {
		t.Fatal(err)
	}
	if why != "" {
		if got == string(want) {
			t.Errorf("does as PostgreSQL now: take it off the list of known differences")
		}
		t.Skip("known difference: " + why)
	}
	compare(t, string(want), got)
}

// compare shows the first permutation that went differently.
func compare(t *testing.T, want, got string) {
	const mark = "\nstarting permutation:"
	w, g := strings.Split(want, mark), strings.Split(got, mark)
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			other := ""
			if i < len(g) {
				other = g[i]
			}
			t.Errorf("permutation%s\n--- on PostgreSQL, but here:\n%s", w[i], other)
		}
	}
	if len(g) > len(w) {
		t.Errorf("%d permutations, expected %d", len(g)-1, len(w)-1)
	}
}
