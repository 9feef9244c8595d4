package sql

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/syscat"
	"github.com/omendb/omendb/sql/types"
)

// record is a Sink and Client that writes down everything as text.
type record struct {
	env  *types.Env
	out  strings.Builder
	copy string // what COPY FROM STDIN reads
}

func (r *record) Describe(cols []Column) error { return nil }

func (r *record) Rows(cols []Column, b *column.Batch) error {
	for i := range b.Len() {
		for j := range cols {
			if j > 0 {
				r.out.WriteByte('|')
			}
			if d := b.Cols[j].Datum(b.Row(i)); !d.Null {
				r.out.Write(r.env.Out(nil, cols[j].Type, d))
			} else {
				r.out.WriteString("NULL")
			}
		}
		r.out.WriteByte('\n')
	}
	return nil
}

func (r *record) Complete(tag string) error { fmt.Fprintf(&r.out, "-- %s\n", tag); return nil }
func (r *record) Empty() error              { r.out.WriteString("-- empty\n"); return nil }
func (r *record) Suspended() error          { r.out.WriteString("-- more\n"); return nil }
func (r *record) CopyIn(int8, int) (io.Reader, error) {
	return strings.NewReader(r.copy), nil
}

type copyOut struct {
	bytes.Buffer
	r *record
}

func (c *copyOut) Close() error { c.r.out.Write(c.Bytes()); return nil }

func (r *record) CopyOut(int8, int) (io.WriteCloser, error) { return &copyOut{r: r}, nil }
func (r *record) Notice(n *pgerr.Error) {
	fmt.Fprintf(&r.out, "-- %s: %s\n", n.Severity, n.Message)
}
func (r *record) Parameter(string, string) {}
func (r *record) Notify(pid int32, channel, payload string) {
	fmt.Fprintf(&r.out, "-- notify %s %s\n", channel, payload)
}

// testServer opens a server in memory.
func testServer(t testing.TB) *Server {
	t.Helper()
	fs := vfs.NewVolatile()
	return openServer(t, engine.Options{FS: fs}, Options{TempFS: fs, TempDir: "temp"})
}

// openServer opens a server with some options and ends it with the test.
func openServer(t testing.TB, store engine.Options, o Options) *Server {
	t.Helper()
	tasks := task.NewGoroutines(nil)
	store.Clock, store.Tasks, store.Log = clock.System(), tasks, zerolog.Nop()
	store.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
	db, err := engine.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Open(db, catalog.Options{Superuser: "omendb", System: syscat.Relations()})
	if err != nil {
		t.Fatal(err)
	}
	o.DB, o.Catalog, o.Clock, o.Log, o.Seed = db, cat, clock.System(), zerolog.Nop(), func() int64 { return 1 }
	srv, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		tasks.Close()
	})
	return srv
}

// testSession opens a session on a server.
func testSession(t testing.TB, srv *Server) (*Session, *record) {
	t.Helper()
	r := &record{}
	x, err := srv.Connect(ConnectOptions{User: "omendb", Database: "postgres", Client: r})
	if err != nil {
		t.Fatal(err)
	}
	r.env = x.Env()
	t.Cleanup(x.Close)
	return x, r
}

// run executes a query string and returns everything that it printed.
func run(x *Session, r *record, text string) string {
	r.out.Reset()
	if err := x.Simple(context.Background(), text, r); err != nil {
		e := pgerr.From(err)
		fmt.Fprintf(&r.out, "ERROR %s: %s\n", e.Code, e.Message)
	}
	return r.out.String()
}

func TestSmoke(t *testing.T) {
	x, r := testSession(t, testServer(t))
	for _, step := range []struct{ sql, want string }{
		{"SELECT 1", "1\n-- SELECT 1\n"},
		{"SELECT 1 + 1, 'a' || 'b', NULL::int", "2|ab|NULL\n-- SELECT 1\n"},
		{"SELECT 1/0", "ERROR 22012: division by zero\n"},
		{"CREATE TABLE t (id int PRIMARY KEY, name text)", "-- CREATE TABLE\n"},
		{"INSERT INTO t VALUES (1, 'one'), (2, 'two')", "-- INSERT 0 2\n"},
		{"SELECT name FROM t WHERE id = 2", "two\n-- SELECT 1\n"},
		{"SELECT count(*), max(id) FROM t", "2|2\n-- SELECT 1\n"},
		{"INSERT INTO t VALUES (1, 'again')", "ERROR 23505: duplicate key value violates unique constraint \"t_pkey\"\n"},
		{"UPDATE t SET name = 'TWO' WHERE id = 2 RETURNING *", "2|TWO\n-- UPDATE 1\n"},
		{"BEGIN; DELETE FROM t; ROLLBACK; SELECT count(*) FROM t", "-- BEGIN\n-- DELETE 2\n-- ROLLBACK\n2\n-- SELECT 1\n"},
		{"SELECT a.id, b.name FROM t a LEFT JOIN t b ON a.id = b.id + 1 ORDER BY 1", "1|NULL\n2|one\n-- SELECT 2\n"},
	} {
		if got := run(x, r, step.sql); got != step.want {
			t.Errorf("%s\ngot  %q\nwant %q", step.sql, got, step.want)
		}
	}
}

func TestLiftedPlansServeOtherLiterals(t *testing.T) {
	srv := testServer(t)
	x, r := testSession(t, srv)
	run(x, r, "CREATE TABLE t (id int PRIMARY KEY, n numeric, d date, s text)")
	run(x, r, "INSERT INTO t SELECT g, g + 0.5, date '2020-01-01' + g, 'row ' || g FROM generate_series(-5, 100) g")
	for _, step := range []struct{ sql, want string }{
		{"SELECT s, 'x' FROM t WHERE id = 7", "row 7|x\n-- SELECT 1\n"},
		{"SELECT s, 'y' FROM t WHERE id = 8", "row 8|y\n-- SELECT 1\n"},
		{"SELECT s, 'y' FROM t WHERE id = -3", "row -3|y\n-- SELECT 1\n"},
		{"SELECT s, 'y' FROM t WHERE id = -4", "row -4|y\n-- SELECT 1\n"},
		{"SELECT s FROM t WHERE id = 9 AND d = '2020-01-10'", "row 9\n-- SELECT 1\n"},
		{"SELECT s FROM t WHERE id = 10 AND d = '2020-01-11'", "row 10\n-- SELECT 1\n"},
		{"SELECT s FROM t WHERE id = 10 AND d = 'garbage'", "ERROR 22007: invalid input syntax for type date: \"garbage\"\n"},
		{"UPDATE t SET n = n + 1.25 WHERE id = 1", "-- UPDATE 1\n"},
		{"UPDATE t SET n = n + -1.5 WHERE id = 1", "-- UPDATE 1\n"},
		{"SELECT n FROM t WHERE id = 1", "1.25\n-- SELECT 1\n"},
		{"SELECT id FROM t WHERE id = 3 ORDER BY 1 LIMIT 1", "3\n-- SELECT 1\n"},
		{"SELECT id FROM t WHERE id = 4 ORDER BY 1 LIMIT 0", "-- SELECT 0\n"},
	} {
		if got := run(x, r, step.sql); got != step.want {
			t.Errorf("%s\ngot  %q\nwant %q", step.sql, got, step.want)
		}
		run(x, r, "SET omen.literal_cache = off")
		if strings.HasPrefix(step.sql, "SELECT") {
			if got := run(x, r, step.sql); got != step.want {
				t.Errorf("without lifting: %s\ngot  %q\nwant %q", step.sql, got, step.want)
			}
		}
		run(x, r, "RESET omen.literal_cache")
	}
	if n := len(srv.plans.entries); n == 0 {
		t.Error("nothing was cached")
	}
}

// TestPlansOfAnInstantAreNotKept: 'now' means the time of its own statement, whatever the same text meant before.
func TestPlansOfAnInstantAreNotKept(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, "CREATE TABLE t (id int PRIMARY KEY, at timestamptz)")
	run(x, r, "INSERT INTO t VALUES (1, '2000-01-01')")
	for _, text := range []string{"SELECT 'now'::timestamptz", "SELECT id, 'now'::timestamptz FROM t WHERE id = 1", "UPDATE t SET at = 'now' WHERE id = 1 RETURNING at"} {
		first := run(x, r, text)
		if second := run(x, r, text); second == first {
			t.Errorf("%s: twice %q", text, first)
		}
	}
}

// TestDroppedTableElsewhere: a cached plan does not outlive its table when
// another session drops it and makes one of the same name.
func TestDroppedTableElsewhere(t *testing.T) {
	srv := testServer(t)
	x, rx := testSession(t, srv)
	y, ry := testSession(t, srv)
	for range 2 {
		run(x, rx, "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 2)")
		if got := run(y, ry, "UPDATE t SET v = 3 WHERE id = 1"); got != "-- UPDATE 1\n" {
			t.Error(got)
		}
		run(x, rx, "DROP TABLE t")
	}
}

func TestNamesOfTypesOutsidePgCatalog(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, "CREATE TYPE mood AS ENUM ('sad', 'ok')")
	for _, step := range []struct{ sql, want string }{
		{"SELECT 'information_schema.sql_identifier'::regtype", "information_schema.sql_identifier\n-- SELECT 1\n"},
		{"SELECT 'mood'::regtype, 'mood[]'::regtype, pg_typeof(ARRAY['ok']::mood[])", "mood|mood[]|mood[]\n-- SELECT 1\n"},
	} {
		if got := run(x, r, step.sql); got != step.want {
			t.Errorf("%s\ngot  %q\nwant %q", step.sql, got, step.want)
		}
	}
}

// pg_dump reads sequences as tables, names by their characters, and compares privileges.
func TestWhatDumpsRead(t *testing.T) {
	srv := testServer(t)
	x, r := testSession(t, srv)
	run(x, r, "CREATE SEQUENCE s START 5 INCREMENT 3; SELECT nextval('s'); SELECT nextval('s'); CREATE SEQUENCE fresh START 9")
	for query, want := range map[string]string{
		"SELECT last_value, is_called FROM s":                                              "8|t",
		"SELECT * FROM fresh AS f (a)":                                                     "9|0|f",
		"SELECT tableoid = 's'::regclass FROM s WHERE last_value > 7":                      "t",
		"SELECT (typname)[0], typname[63] = '', typname[64] FROM pg_type WHERE oid = 1007": "_|t|NULL",
		"SELECT ('(1,2)'::point)[1], ('(1,2)'::point)[2]":                                  "2|NULL",
		"SELECT acldefault('r', 10) IS DISTINCT FROM acldefault('r', 10)":                  "f",
		"SELECT acldefault('r', 10) = acldefault('f', 10)":                                 "f",
	} {
		if got := run(x, r, query); !strings.HasPrefix(got, want+"\n") {
			t.Errorf("%s: %q, want %s", query, got, want)
		}
	}
	const early = "CREATE FUNCTION early() RETURNS SETOF int LANGUAGE sql AS 'SELECT a FROM late'"
	if got := run(x, r, early); !strings.Contains(got, "42P01") {
		t.Errorf("a body that reads no table: %q", got)
	}
	run(x, r, "SET check_function_bodies = off")
	if got := run(x, r, early+"; CREATE TABLE late (a int); INSERT INTO late VALUES (7); SELECT early()"); !strings.Contains(got, "7\n") {
		t.Errorf("a function before its table: %q", got)
	}
	run(x, r, "CREATE DOMAIN dd AS int DEFAULT 1 + 1; CREATE DOMAIN dt AS text; ALTER DOMAIN dt SET DEFAULT 'x'")
	if got := run(x, r, "SELECT string_agg(typdefault, ' ' ORDER BY typname) FROM pg_type WHERE typname IN ('dd', 'dt')"); !strings.HasPrefix(got, "(1 + 1) 'x'::text\n") {
		t.Errorf("defaults of domains: %q", got)
	}
	run(x, r, "CREATE ROLE stranger; SET ROLE stranger")
	if got := run(x, r, "SELECT last_value FROM s"); !strings.Contains(got, "permission denied for sequence s") {
		t.Errorf("a sequence without privileges: %q", got)
	}
}
