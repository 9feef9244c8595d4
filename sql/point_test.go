package sql

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/omendb/omendb/sql/pgerr"
)

// extended drives the extended protocol and writes down what it answers.
type extended struct {
	t *testing.T
	x *Session
	r *record
}

func (e extended) note(err error) bool {
	if err == nil {
		return true
	}
	p := pgerr.From(err)
	fmt.Fprintf(&e.r.out, "ERROR %s: %s\n", p.Code, p.Message)
	e.x.Failed(err)
	return false
}

func (e extended) parse(name, text string, types ...uint32) {
	if e.note(e.x.Parse(context.Background(), name, text, types)) {
		e.sync()
	}
}

func (e extended) sync() { e.note(e.x.Sync(context.Background())) }

// bind binds the unnamed portal to text parameters; "\x00" is NULL.
func (e extended) bind(name string, params ...string) bool {
	values := make([][]byte, len(params))
	for i, p := range params {
		if p != "\x00" {
			values[i] = []byte(p)
		}
	}
	return e.note(e.x.Bind(context.Background(), "", name, nil, values, nil))
}

func (e extended) execute(limit int64) {
	e.note(e.x.Execute(context.Background(), "", limit, e.r))
}

// run binds, executes and syncs.
func (e extended) run(name string, params ...string) {
	if e.bind(name, params...) {
		e.execute(0)
	}
	e.sync()
}

// pointScript exercises the short way with everything around it.
func pointScript(t *testing.T, fast string) string {
	srv := testServer(t)
	x, r := testSession(t, srv)
	other, ro := testSession(t, srv)
	e := extended{t, x, r}
	run(x, r, `CREATE TABLE p (id bigint PRIMARY KEY, name text, n numeric(6,2)); CREATE TABLE q (a text, b int, c int, PRIMARY KEY (a, b));
		INSERT INTO p SELECT g, 'n' || g, g FROM generate_series(1, 20) g; INSERT INTO q VALUES ('x', 1, 2), ('ü', -3, NULL);
		CREATE ROLE reader; GRANT SELECT (id) ON p TO reader; SET omen.fast_path = `+fast)
	r.out.Reset()
	e.parse("p", "SELECT name, n, id FROM p WHERE id = $1")
	e.parse("star", "SELECT * FROM p WHERE id = $1")
	e.parse("q", "SELECT c, a FROM q WHERE a = $1 AND b = $2")
	for range 3 {
		e.run("p", "7")
		e.run("p", "-7")
		e.run("p", "\x00")
		e.run("p", "99999999999999999999")
		e.run("p", "x")
		e.run("p", " 8 ")
		e.run("p")
		e.run("p", "1", "2")
		e.run("star", "20")
		e.run("q", "ü", "-3")
		e.run("q", "x", "1")
		e.run("q", "x\xff", "1")
	}
	// Query strings that differ in their literals.
	for _, text := range []string{"SELECT name, n FROM p WHERE id = 7", "SELECT name, n FROM p WHERE id = 8", "SELECT name, n FROM p WHERE id = -8", "select name, n FROM p WHERE id = 7",
		"SELECT name, n FROM p WHERE id = 99999999999", "SELECT name, n FROM p WHERE id = 999999999999999999999", "SELECT name, n FROM p WHERE id = 7.5", "SELECT name, n FROM p WHERE id = '9'",
		"SELECT name, n FROM p WHERE id = 'x'", "SELECT name, n FROM p WHERE id = '9' -- end", "SELECT name, n, 1 FROM p WHERE id = 3", "SELECT name, n, 2 FROM p WHERE id = 3",
		"SELECT c FROM q WHERE a = 'x' AND b = 1", "SELECT c FROM q WHERE a = 'ü' AND b = -3", "SELECT c FROM q WHERE a = 'y' AND b = 1", "SELECT name FROM p WHERE id = 1; SELECT name FROM p WHERE id = 2"} {
		for range 3 {
			r.out.WriteString(runKeep(x, r, text))
		}
	}
	r.out.WriteString(runKeep(x, r, "BEGIN; UPDATE p SET name = 'in' WHERE id = 7"))
	r.out.WriteString(runKeep(x, r, "SELECT name, n FROM p WHERE id = 7"))
	r.out.WriteString(runKeep(x, r, "ROLLBACK"))
	r.out.WriteString(runKeep(x, r, "SELECT name, n FROM p WHERE id = 7"))
	// Portals: row limits, a second Execute, Close, the end of the transaction.
	e.bind("p", "5")
	cols, err := x.DescribePortal(context.Background(), "")
	fmt.Fprintln(&r.out, cols, err)
	e.execute(1)
	e.execute(1)
	e.execute(0)
	e.sync()
	e.bind("p", "5")
	e.execute(0)
	e.execute(0)
	x.ClosePortal("")
	e.execute(0)
	e.sync()
	e.bind("p", "6")
	e.sync()
	e.execute(0)
	e.sync()
	// A transaction's own changes, a failed one, savepoints, isolation.
	run0 := func(text string) { r.out.WriteString(runKeep(x, r, text)) }
	for _, level := range []string{"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"} {
		run0("BEGIN ISOLATION LEVEL " + level)
		e.run("p", "3")
		run(other, ro, "UPDATE p SET name = name || '+' WHERE id = 3")
		e.run("p", "3")
		run0("SAVEPOINT s; UPDATE p SET name = 'mine' WHERE id = 4")
		e.run("p", "4")
		e.bind("p", "4")
		run0("ROLLBACK TO s")
		e.execute(0)
		e.sync()
		run0("ROLLBACK")
		e.run("p", "4")
	}
	run0("BEGIN; SELECT 1/0")
	e.run("p", "4")
	run0("ROLLBACK")
	// Several statements before one Sync, a change among them.
	e.parse("i", "INSERT INTO p VALUES ($1, 'new', 1)")
	e.bind("p", "21")
	e.execute(0)
	e.bind("i", "21")
	e.execute(0)
	e.bind("p", "21")
	e.execute(0)
	e.sync()
	e.run("p", "21")
	// Privileges and the shape of the table.
	run0("SET ROLE reader")
	e.run("p", "1")
	run0("RESET ROLE")
	e.run("p", "1")
	run(other, ro, "REVOKE ALL ON p FROM reader; ALTER TABLE p ADD COLUMN more int DEFAULT 5")
	e.run("p", "1")
	e.run("star", "1")
	run(other, ro, "ALTER TABLE p RENAME COLUMN name TO title")
	e.run("p", "1")
	run(other, ro, "ALTER TABLE p RENAME COLUMN title TO name; TRUNCATE p")
	e.run("p", "1")
	run(other, ro, "DROP TABLE p")
	e.run("p", "1")
	run0("CREATE TEMP TABLE q (a text PRIMARY KEY, b int, c int)")
	e.run("q", "x", "1")
	run0("DISCARD TEMP")
	e.run("q", "x", "1")
	run0("SELECT idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_all_indexes WHERE indexrelname = 'q_pkey'")
	run0("SELECT xact_commit > 50 FROM pg_stat_database WHERE datname = 'postgres'")
	return r.out.String()
}

// runKeep runs a simple query and returns its output without what was noted before.
func runKeep(x *Session, r *record, text string) string {
	before := r.out.String()
	out := run(x, r, text)
	r.out.Reset()
	r.out.WriteString(before)
	return out
}

// The short way and the ordinary way answer the same.
func TestPointIsNoDifference(t *testing.T) {
	fast, slow := pointScript(t, "on"), pointScript(t, "off")
	if fast != slow {
		t.Errorf("fast:\n%s\nslow:\n%s", fast, slow)
	}
}

// The short way is taken, holds the table's lock until Sync, and waits for those
// who lock the table.
func TestPointLocks(t *testing.T) {
	srv := testServer(t)
	x, r := testSession(t, srv)
	other, ro := testSession(t, srv)
	e := extended{t, x, r}
	run(x, r, "CREATE TABLE p (id int PRIMARY KEY, a int); INSERT INTO p VALUES (1, 2)")
	e.parse("p", "SELECT a FROM p WHERE id = $1")
	e.run("p", "1")
	e.bind("p", "1")
	e.execute(0)
	if !x.short.ran {
		t.Fatal("the second run is not a short one")
	}
	e.sync()
	for range 3 { // the first plans, the second finds the plan
		run(x, r, "SELECT a FROM p WHERE id = 1")
	}
	if len(x.textPoints) != 1 {
		t.Fatal("query strings do not become short")
	}
	e.bind("p", "1")
	e.execute(0)
	if got, want := run(other, ro, "BEGIN; LOCK TABLE p IN ACCESS EXCLUSIVE MODE NOWAIT; COMMIT"), "-- BEGIN\nERROR 55P03: could not obtain lock on relation \"p\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	run(other, ro, "ROLLBACK")
	e.sync()
	if got, want := run(other, ro, "BEGIN; LOCK TABLE p IN ACCESS EXCLUSIVE MODE NOWAIT; UPDATE p SET a = 3"), "-- BEGIN\n-- LOCK TABLE\n-- UPDATE 1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		time.Sleep(20 * time.Millisecond)
		run(other, ro, "COMMIT")
	}()
	r.out.Reset()
	e.run("p", "1")
	<-committed
	if got, want := r.out.String(), "3\n-- SELECT 1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
