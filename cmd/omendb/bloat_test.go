package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestBloatViews keeps a snapshot open while rows are updated, and looks at it
// and at what is kept for it.
func TestBloatViews(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	s := startServer(t, dir)
	pass := filepath.Join(dir, passFile)
	c, old := s.mustConnect("sslmode=disable passfile=%s", pass), s.mustConnect("sslmode=disable passfile=%s", pass)
	must(t, c, "CREATE TABLE account (id int PRIMARY KEY, balance int)")
	must(t, c, "INSERT INTO account SELECT g, 0 FROM generate_series(1, 2000) g")
	must(t, old, "BEGIN ISOLATION LEVEL REPEATABLE READ")
	if n := count(t, old, "SELECT sum(balance)::int FROM account"); n != 0 {
		t.Fatal(n)
	}
	for range 12 {
		must(t, c, "UPDATE account SET balance = balance + 1")
		must(t, c, "CHECKPOINT")
	}
	var pid, records int64
	var since time.Time
	const oldest = "SELECT pid, records, since FROM omen_snapshots WHERE pid <> pg_backend_pid() ORDER BY position LIMIT 1"
	if err := c.QueryRow(ctx, oldest).Scan(&pid, &records, &since); err != nil || pid != int64(old.PgConn().PID()) || records < 12 || time.Since(since) > time.Hour {
		t.Errorf("process %d, %d records, since %v (%v)", pid, records, since, err)
	}
	const dead = "SELECT versions - 2000, dead_versions FROM omen_bloat WHERE tablename = 'account' AND indexname IS NULL"
	var behind, known int64
	if err := c.QueryRow(ctx, dead).Scan(&behind, &known); err != nil || known < 2000 || behind > 6*2000 {
		t.Errorf("%d versions more than rows after 12 updates, %d of them known to be dead (%v)", behind, known, err)
	}
	if n := count(t, c, "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'account'"); int64(n) != known {
		t.Errorf("pg_stat_user_tables counts %d dead rows", n)
	}
	if n := count(t, old, "SELECT sum(balance)::int FROM account"); n != 0 {
		t.Errorf("the old snapshot sees a sum of %d", n)
	}
	must(t, old, "COMMIT")
	if n := count(t, c, "SELECT count(*) FROM omen_snapshots WHERE pid <> pg_backend_pid()"); n != 0 {
		t.Errorf("%d snapshots of others are left", n)
	}
	if n := count(t, c, "SELECT sum(balance)::int FROM account"); n != 24000 {
		t.Error(fmt.Sprint("a sum of ", n))
	}
	if code := s.stop(os.Interrupt); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
