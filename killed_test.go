package omendb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb"
)

// freeWithin bounds how long the locks of a killed client may be held.
const freeWithin = 200 * time.Millisecond

// rawClient is a connection that can be cut at any moment.
func rawClient(t *testing.T, addr net.Addr) (net.Conn, *pgproto3.Frontend) {
	t.Helper()
	config, err := pgx.ParseConfig(fmt.Sprintf("postgres://omendb:%s@%s/postgres?sslmode=disable", strings.ReplaceAll(password, " ", "%20"), addr))
	if err != nil {
		t.Fatal(err)
	}
	c, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.PgConn().Hijack()
	if err != nil {
		t.Fatal(err)
	}
	return h.Conn, h.Frontend
}

// killedIn are the states in which clients are killed: what they were doing.
var killedIn = map[string]string{
	"table lock":    "SELECT * FROM locked",
	"ddl waits":     "ALTER TABLE locked ADD COLUMN y int",
	"hash join":     "SELECT count(*) FROM generate_series(1, 30000000) a(x) JOIN generate_series(1, 30000000) b(x) USING (x)",
	"spilling join": "SET LOCAL work_mem = '1MB'; SELECT count(*) FROM big a JOIN big b USING (b) JOIN big c USING (b) JOIN big d USING (b)",
	"spilling sort": "SET LOCAL work_mem = '1MB'; SELECT count(*) FROM (SELECT i, md5(i::text) h FROM generate_series(1, 30000000) i ORDER BY 2) s",
	"regexp":        "SELECT count(*) FROM big WHERE (b || repeat(b, 100)) ~ '(.*a){8}.*(b|c)*zz'",
	"one regexp":    "SELECT repeat('ab', 5000000) ~ '(a.*b.*){6}c'",
	"create index":  "CREATE INDEX ON big((md5(md5(md5(b)))), b, a)",
	"refresh":       "CREATE MATERIALIZED VIEW mm AS SELECT count(*) FROM big a JOIN big b ON a.b < b.b; REFRESH MATERIALIZED VIEW mm",
	"rewrite":       "ALTER TABLE big ALTER a TYPE text USING repeat(md5(b), 100)",
	"update":        "UPDATE big SET a = a + 1",
	"array":         "SELECT count(*) FROM (SELECT array_agg(i) FROM generate_series(1, 30000000) i) x",
	"window":        "SELECT sum(r) FROM (SELECT rank() OVER (ORDER BY i % 1000) r FROM generate_series(1, 30000000) i) x",
	"failed":        "SELECT 1/0",
	"prepared":      "PREPARE p AS SELECT pg_sleep(60); EXECUTE p",
	"with hold":     "DECLARE c CURSOR WITH HOLD FOR SELECT i FROM generate_series(1, 1000) i; FETCH 5 FROM c",
	"materializing": "DECLARE c CURSOR WITH HOLD FOR SELECT i FROM generate_series(1, 100000000) i; COMMIT",
	"listen":        "LISTEN news",
	"serializable":  "",
	"parsed":        "",
	"suspended":     "",
	"pipeline":      "",
	"idle":          "",
	"sleep":         "SELECT pg_sleep(60)",
	"row lock":      "UPDATE t SET v = 9 WHERE id = 2",
	"advisory lock": "SELECT pg_advisory_lock(7)",
	"sort":          "SELECT count(*) FROM (SELECT hashtext(i::text) h FROM generate_series(1, 100000000) i ORDER BY 1) s",
	"aggregate":     "SELECT count(*) FROM generate_series(1, 10000000000) i",
	"distinct":      "SELECT count(DISTINCT i) FROM generate_series(1, 100000000) i",
	"nested loop":   "SELECT count(*) FROM generate_series(1, 200000) a JOIN generate_series(1, 200000) b ON a.generate_series + b.generate_series < 0",
	"insert":        "INSERT INTO l SELECT i FROM generate_series(1, 100000000) i",
	"copy in":       "COPY l FROM STDIN",
	"copy out":      "COPY (SELECT i FROM generate_series(1, 10000000000) i) TO STDOUT",
	"recursion":     "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
}

// TestKilledClient cuts connections in the middle of every kind of statement: the
// row that their transaction had locked is free at once.
func TestKilledClient(t *testing.T) {
	db, err := omendb.Open(omendb.Memory, omendb.WithPassword(password))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	addr, err := db.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE t(id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1), (2, 2)", "CREATE TABLE l(x int)", "CREATE TABLE locked(x int)")
	holder := inside(t, db, "omendb")
	exec(t, holder, "BEGIN", "UPDATE t SET v = 0 WHERE id = 2", "SELECT pg_advisory_lock(7)", "LOCK TABLE locked")
	exec(t, c, "CREATE TABLE big(a int, b text)", "INSERT INTO big SELECT i, md5(i::text) FROM generate_series(1, 300000) i",
		"CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM big")
	for name, statement := range killedIn {
		t.Run(name, func(t *testing.T) {
			conn, f := rawClient(t, addr)
			busy(t, f, name, statement)
			if rand.IntN(2) == 0 { // a reset and not an orderly end
				_ = conn.(*net.TCPConn).SetLinger(0)
			}
			conn.Close()
			start := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			if _, err := c.Exec(ctx, "UPDATE t SET v = v + 1 WHERE id = 1"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Exec(ctx, "SELECT pg_advisory_lock(8), pg_advisory_unlock(8)"); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			if t.Log("free after", took); took > 2*freeWithin { // twice the promise: the tests share the processors
				t.Errorf("the locks were held for %v", took)
			}
			nobodyElse(ctx, t, c)
		})
	}
}

// busy brings a client into a state in which it holds locks and runs a statement.
func busy(t *testing.T, f *pgproto3.Frontend, name, statement string) {
	t.Helper()
	level := "READ COMMITTED"
	if name == "serializable" {
		level = "SERIALIZABLE"
	}
	f.Send(&pgproto3.Query{String: "BEGIN ISOLATION LEVEL " + level + "; UPDATE t SET v = v + 1 WHERE id = 1; SELECT pg_advisory_lock(8)"})
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := f.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := m.(*pgproto3.ReadyForQuery); ok {
			break
		}
	}
	switch {
	case name == "parsed": // no Sync
		f.Send(&pgproto3.Parse{Query: "SELECT * FROM t"})
		f.Send(&pgproto3.Bind{})
	case name == "suspended":
		f.Send(&pgproto3.Parse{Query: "SELECT i FROM generate_series(1, 100000000) i"})
		f.Send(&pgproto3.Bind{})
		f.Send(&pgproto3.Execute{MaxRows: 3})
		f.Send(&pgproto3.Flush{})
	case name == "pipeline":
		for range 100 {
			f.Send(&pgproto3.Parse{Query: "SELECT pg_sleep(60)"})
			f.Send(&pgproto3.Bind{})
			f.Send(&pgproto3.Execute{})
		}
		f.Send(&pgproto3.Sync{})
	case statement == "":
		return
	default:
		f.Send(&pgproto3.Query{String: statement})
	}
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
}

// nobodyElse waits until nothing tells of clients other than c and the one that holds what others wait for.
func nobodyElse(ctx context.Context, t *testing.T, c *pgx.Conn) {
	t.Helper()
	const ask = `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
		(SELECT count(*) FROM pg_locks WHERE pid NOT IN (SELECT pid FROM pg_stat_activity) OR NOT granted)`
	var sessions, locks int
	for end := time.Now().Add(2 * freeWithin); ; time.Sleep(5 * time.Millisecond) {
		if err := c.QueryRow(ctx, ask).Scan(&sessions, &locks); err != nil {
			t.Fatal(err)
		}
		if sessions == 2 && locks == 0 {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%d sessions are left, and %d locks or waits of them", sessions-2, locks)
			return
		}
	}
}

// TestKilledClientsLeaveNothing counts goroutines after many lost connections.
func TestKilledClientsLeaveNothing(t *testing.T) {
	clients := 1000
	if testing.Short() {
		clients = 100
	}
	db, err := omendb.Open(omendb.Memory, omendb.WithPassword(password), omendb.WithMaxConnections(200))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE t(id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1)")
	before := runtime.NumGoroutine()
	for i := 0; i < clients; i += 50 {
		conns := make([]net.Conn, 50)
		for k := range conns {
			conns[k] = db.Connect()
			f := pgproto3.NewFrontend(conns[k], conns[k])
			f.Send(&pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "omendb", "database": "postgres"}})
			f.Send(&pgproto3.Query{String: "BEGIN; UPDATE t SET v = v + 1 WHERE id = 1; SELECT pg_sleep(60)"})
			if err := f.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range conns {
			n.Close()
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for runtime.NumGoroutine() > before+2 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before+2 {
		t.Errorf("%d goroutines before, %d after %d killed clients", before, n, clients)
	}
	var locks, sessions int
	if err := c.QueryRow(context.Background(), "SELECT (SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid()), (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')").Scan(&locks, &sessions); err != nil {
		t.Fatal(err)
	}
	if locks != 0 || sessions != 1 {
		t.Errorf("%d locks and %d sessions are left", locks, sessions)
	}
	exec(t, c, "UPDATE t SET v = 0 WHERE id = 1")
}

// TestSessionTimeouts lets each timeout end a connection or statement.
func TestSessionTimeouts(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) // after the parallel parts
	for name, c := range map[string]struct{ setup, wait, want string }{
		"idle in transaction": {"SET idle_in_transaction_session_timeout = 50; BEGIN", "SELECT 1", "25P03"},
		"idle in failed":      {"SET idle_in_transaction_session_timeout = 50|BEGIN; SELECT 1/0", "SELECT 1", "25P03"},
		"idle":                {"SET idle_session_timeout = 50", "SELECT 1", "57P05"},
		"transaction idle":    {"SET transaction_timeout = 50; BEGIN", "SELECT 1", "25P04"},
		"transaction running": {"SET transaction_timeout = 50; BEGIN", "SELECT pg_sleep(5)", "25P04"},
		"statement":           {"SET statement_timeout = 50", "SELECT pg_sleep(5)", "57014"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := db.Connect()
			f := pgproto3.NewFrontend(conn, conn)
			ask := func(text string) (codes []string) {
				if text != "" {
					f.Send(&pgproto3.Query{String: text})
				}
				_ = f.Flush() // a closed connection shows at the read
				_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				for {
					m, err := f.Receive()
					if err != nil {
						return append(codes, "closed")
					}
					switch m := m.(type) {
					case *pgproto3.ErrorResponse:
						codes = append(codes, m.Code)
					case *pgproto3.ReadyForQuery:
						return codes
					}
				}
			}
			f.Send(&pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "omendb", "database": "postgres"}})
			ask("")
			for _, s := range strings.Split(c.setup, "|") {
				ask(s)
			}
			if c.wait == "SELECT 1" {
				time.Sleep(200 * time.Millisecond)
			}
			if got := ask(c.wait); len(got) == 0 || got[0] != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}
