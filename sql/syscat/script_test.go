package syscat_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb/sql/pgerr"
)

// scriptDifferences bounds how many statements of the scripts end otherwise than in
// PostgreSQL; it only goes down.
const scriptDifferences = 2

// outcome runs a statement and says how it ended: its rows, or its error.
func outcome(a asker, query string) string {
	_, rows, err := a.ask(query)
	if err != nil {
		var e *pgconn.PgError
		if errors.As(err, &e) {
			return strings.TrimSpace("ERROR " + e.Code + " " + e.Message + " " + e.Detail)
		}
		x := pgerr.From(err)
		return strings.TrimSpace("ERROR " + x.Code + " " + x.Message + " " + x.Detail)
	}
	if rows == nil {
		return "ok"
	}
	lines := []string{fmt.Sprintf("ok %d", len(rows))}
	for _, r := range rows {
		lines = append(lines, ownName.ReplaceAllString(strings.Join(r, "|"), "postgres"))
	}
	return strings.Join(lines, "\n")
}

// ownName is the database that the answers of PostgreSQL are taken in.
var ownName = regexp.MustCompile(`syscat_(intro|privilege)`)

// TestPrivileges runs scripts of who may do what and compares how each statement ends with
// PostgreSQL. A script is one statement a line; answers stand in a file beside it.
func TestPrivileges(t *testing.T) {
	files, err := filepath.Glob("testdata/privilege/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	total, failed := 0, 0
	for _, f := range files {
		script := statements(t, f)
		want := strings.TrimSuffix(f, ".sql") + ".want"
		if *oracleDSN != "" {
			conn, err := pgconn.Connect(context.Background(), *oracleDSN)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for i, s := range script {
				fmt.Fprintf(&b, "== %d\n%s\n", i, outcome(oracle{conn}, s))
			}
			if err := os.WriteFile(want, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			conn.Close(context.Background())
		}
		raw, err := os.ReadFile(want)
		if err != nil {
			t.Fatal(err)
		}
		o := newOmen(t)
		for i, block := range strings.Split("\n"+string(raw), "\n== ")[1:] {
			_, want, _ := strings.Cut(block, "\n")
			total++
			want = ownName.ReplaceAllString(strings.TrimSpace(want), "postgres")
			if got := outcome(o, script[i]); got != want {
				failed++
				t.Logf("%s %d: %s\ngot  %s\nwant %s", filepath.Base(f), i, script[i], got, want)
			}
		}
	}
	t.Logf("%d of %d statements end as in PostgreSQL", total-failed, total)
	if failed > scriptDifferences {
		t.Errorf("%d statements end otherwise than in PostgreSQL, %d are known to", failed, scriptDifferences)
	}
}

// statements reads a script: one statement a line, comments begin with --.
func statements(t *testing.T, path string) []string {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, line := range strings.Split(string(raw), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			list = append(list, line)
		}
	}
	return list
}
