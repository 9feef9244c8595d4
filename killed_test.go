package omendb_test

import (
	"context"
	"fmt"
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
	exec(t, c, "CREATE TABLE t(id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1), (2, 2)", "CREATE TABLE l(x int)")
	holder := inside(t, db, "omendb")
	exec(t, holder, "BEGIN", "UPDATE t SET v = 0 WHERE id = 2", "SELECT pg_advisory_lock(7)")
	for name, statement := range map[string]string{
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
	} {
		t.Run(name, func(t *testing.T) {
			conn, f := rawClient(t, addr)
			f.Send(&pgproto3.Query{String: "BEGIN; UPDATE t SET v = v + 1 WHERE id = 1"})
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
			if statement != "" {
				f.Send(&pgproto3.Query{String: statement})
				if err := f.Flush(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(150 * time.Millisecond)
			}
			conn.Close()
			start := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if _, err := c.Exec(ctx, "UPDATE t SET v = v + 1 WHERE id = 1"); err != nil {
				t.Fatal(err)
			}
			// Twice the promise, because the tests share the processors.
			if took := time.Since(start); took > 2*freeWithin {
				t.Errorf("the lock was held for %v", took)
			}
		})
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
	if err := c.QueryRow(context.Background(), "SELECT (SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid()), (SELECT count(*) FROM pg_stat_activity)").Scan(&locks, &sessions); err != nil {
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
