package omendb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/omendb/omendb"
)

// TestDeepSavepoints nests thousands of savepoints with rows, locks and tables in them, and rolls back to
// some: what was done inside is gone, what was done before stays, and it takes no longer the deeper it gets.
func TestDeepSavepoints(t *testing.T) {
	const depth, limit = 3000, 20 * time.Second // about half a second on an idle machine
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE sp(id int PRIMARY KEY, v int)", "INSERT INTO sp SELECT i, 0 FROM generate_series(1, 100) i", "BEGIN")
	start := time.Now()
	for at := 1; at <= depth; at += 100 {
		var b strings.Builder
		for i := at; i < at+100; i++ {
			fmt.Fprintf(&b, "SAVEPOINT s%d; INSERT INTO sp VALUES (%d, %d); UPDATE sp SET v = %d WHERE id = %d;", i, 1000+i, i, i, i%100+1)
		}
		fmt.Fprintf(&b, "CREATE TABLE sp_%d(a int); SELECT pg_advisory_xact_lock(%d)", at, at)
		if got := code(c, b.String()); got != "" {
			t.Fatal(got)
		}
	}
	state := func() string {
		return one[string](t, c, `SELECT concat_ws(' ', (SELECT count(*) FROM sp), (SELECT sum(v) FROM sp),
			(SELECT count(*) FROM pg_class WHERE relname LIKE 'sp\_%' AND relkind = 'r'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'))`)
	}
	rows := func(n int) string { // with savepoints 1 to n: the new rows hold 1..n, the old ones the last value that fell on them
		sum := n * (n + 1) / 2
		for i := max(1, n-99); i <= n; i++ {
			sum += i
		}
		tables := n / 100
		return fmt.Sprintf("%d %d %d %d", 100+n, sum, tables, tables)
	}
	if got := state(); got != rows(depth) {
		t.Errorf("all: %s, want %s", got, rows(depth))
	}
	for _, to := range []int{2001, 501, 1} {
		exec(t, c, fmt.Sprintf("ROLLBACK TO s%d", to))
		if got := state(); got != rows(to-1) {
			t.Errorf("back to s%d: %s, want %s", to, got, rows(to-1))
		}
	}
	exec(t, c, "ROLLBACK")
	if got := state(); got != "100 0 0 0" {
		t.Errorf("rolled back: %s", got)
	}
	if took := time.Since(start); took > limit {
		t.Errorf("%d savepoints took %v", depth, took)
	}
}
