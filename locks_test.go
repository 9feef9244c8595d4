package omendb_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
)

// TestDeadlockReport reads what the victim of a deadlock is told.
func TestDeadlockReport(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a, b := inside(t, db, "omendb"), inside(t, db, "omendb")
	exec(t, a, "CREATE TABLE t(id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)", "CREATE TABLE l(x int)")
	for _, c := range []struct{ first, second, crossFirst, crossSecond, detail, where string }{
		{"DELETE FROM t WHERE id = 1", "DELETE FROM t WHERE id = 2", "DELETE FROM t WHERE id = 2", "DELETE FROM t WHERE id = 1",
			`^Process \d+ waits for ShareLock on transaction \d+; blocked by process \d+\.\nProcess \d+ waits for ShareLock on transaction \d+; blocked by process \d+\.$`,
			`^while deleting tuple \(\d+,\d+\) in relation "t"$`},
		{"LOCK TABLE t", "LOCK TABLE l", "LOCK TABLE l", "LOCK TABLE t",
			`^Process \d+ waits for AccessExclusiveLock on relation \d+ of database \d+; blocked by process \d+\.\nProcess`, `^$`},
		{"SELECT pg_advisory_xact_lock(1)", "SELECT pg_advisory_xact_lock(2, 3)", "SELECT pg_advisory_xact_lock(2, 3)", "SELECT pg_advisory_xact_lock(1)",
			`ExclusiveLock on advisory lock \[\d+,0,1,1\]`, `^$`},
	} {
		exec(t, a, "SET deadlock_timeout = '10s'", "BEGIN", c.first)
		exec(t, b, "SET deadlock_timeout = '20ms'", "BEGIN", c.second)
		done := make(chan error, 1)
		go func() {
			_, err := a.Exec(context.Background(), c.crossFirst)
			done <- err
		}()
		waitUntil(t, db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", 1)
		_, err := b.Exec(context.Background(), c.crossSecond)
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "40P01" || e.Hint != "See server log for query details." ||
			!regexp.MustCompile(c.detail).MatchString(e.Detail) || !regexp.MustCompile(c.where).MatchString(e.Where) {
			t.Errorf("%s: %#v", c.first, e)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		exec(t, a, "ROLLBACK")
		exec(t, b, "ROLLBACK")
	}
}

// waitUntil asks until a query has an answer.
func waitUntil(t *testing.T, db *omendb.DB, query string, want int) {
	t.Helper()
	c := inside(t, db, "omendb")
	defer c.Close(context.Background())
	n := -1
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if err := c.QueryRow(context.Background(), query, pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == want {
			return
		}
	}
	t.Fatalf("%s: %d, want %d", query, n, want)
}

// TestLockViews compares pg_locks and pg_stat_activity with what PostgreSQL shows
// while one session waits for another's row.
func TestLockViews(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a, b, c := inside(t, db, "omendb"), inside(t, db, "omendb"), inside(t, db, "omendb")
	exec(t, a, "CREATE TABLE t(id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 1)", "BEGIN", "UPDATE t SET v = 2 WHERE id = 1")
	done := make(chan error, 1)
	go func() {
		_, err := b.Exec(context.Background(), "UPDATE t SET v = 3 WHERE id = 1")
		done <- err
	}()
	waitUntil(t, db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'", 1)
	for query, want := range map[string]int{
		"SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted":                                         2,
		"SELECT count(*) FROM pg_locks w JOIN pg_locks h USING (transactionid) WHERE NOT w.granted AND w.mode = 'ShareLock' AND h.granted":              1,
		"SELECT count(*) FROM pg_locks WHERE locktype = 'tuple' AND relation = 't'::regclass AND mode = 'ExclusiveLock' AND granted":                    1,
		"SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND relation = 't'::regclass AND mode = 'RowExclusiveLock' AND granted AND fastpath": 2,
		"SELECT count(*) FROM pg_locks WHERE locktype = 'virtualxid' AND virtualxid = virtualtransaction AND granted":                                   3,
		"SELECT count(*) FROM pg_locks WHERE waitstart IS NOT NULL":                                                                                     1,
		"SELECT count(*) FROM pg_stat_activity WHERE pg_blocking_pids(pid) <> '{}'":                                                                     1,
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientRead' AND state = 'idle in transaction' AND backend_xid IS NOT NULL":           1,
	} {
		var n int
		if err := c.QueryRow(context.Background(), query, pgx.QueryExecModeSimpleProtocol).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d, want %d (%v)", query, n, want, err)
		}
	}
	exec(t, a, "PREPARE TRANSACTION 'p'")
	waitUntil(t, db, "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND pid IS NULL AND virtualtransaction LIKE '-1/%'", 1)
	exec(t, c, "COMMIT PREPARED 'p'")
	if err := <-done; err != nil {
		t.Error(err)
	}
	waitUntil(t, db, "SELECT count(*) FROM pg_locks WHERE pid IS DISTINCT FROM pg_backend_pid()", 0)
}
