package omendb_test

import (
	"context"
	"testing"

	"github.com/omendb/omendb"
)

// What pg_stat_* count, as PostgreSQL counts it: also what is rolled back, and
// by all sessions together.
func TestAccessCounters(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a, b := inside(t, db, "omendb"), inside(t, db, "omendb")
	exec(t, a, "CREATE TABLE t(id int PRIMARY KEY, x int, y int)", "CREATE INDEX t_x ON t(x)", "SELECT pg_stat_reset()",
		"INSERT INTO t SELECT g, g, g FROM generate_series(1, 100) g", "UPDATE t SET y = 0 WHERE id <= 10", "DELETE FROM t WHERE id = 100",
		"BEGIN", "INSERT INTO t VALUES (200, 200, 200)", "ROLLBACK", "SELECT pg_stat_reset_single_table_counters(0)")
	table := func(q string) (out [4]int64) {
		t.Helper()
		if err := b.QueryRow(context.Background(), q).Scan(&out[0], &out[1], &out[2], &out[3]); err != nil {
			t.Fatal(err)
		}
		return out
	}
	// The live rows are an estimate, of the storage engine.
	const writes = "SELECT n_tup_ins, n_tup_upd, n_tup_del, (n_live_tup BETWEEN 99 AND 103)::int FROM pg_stat_user_tables WHERE relname = 't'"
	if got := table(writes); got != [4]int64{101, 10, 1, 1} {
		t.Errorf("writes: %v", got)
	}
	const reads = "SELECT seq_scan, seq_tup_read, idx_scan, idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 't'"
	const indexes = `SELECT sum(idx_scan) FILTER (WHERE indexrelname = 't_pkey'), sum(idx_tup_read) FILTER (WHERE indexrelname = 't_pkey'),
		sum(idx_scan) FILTER (WHERE indexrelname = 't_x'), sum(idx_tup_fetch) FILTER (WHERE indexrelname = 't_x') FROM pg_stat_user_indexes WHERE relname = 't'`
	for _, c := range []struct {
		statement        string
		table, indexDiff [4]int64
	}{
		{"SELECT sum(y) FROM t", [4]int64{1, 99, 0, 0}, [4]int64{}},
		{"SELECT * FROM t WHERE y = 77", [4]int64{1, 99, 0, 0}, [4]int64{}},
		{"SELECT * FROM t WHERE id = 5", [4]int64{0, 0, 1, 1}, [4]int64{1, 1, 0, 0}},
		{"SELECT * FROM t WHERE id = 500", [4]int64{0, 0, 1, 0}, [4]int64{1, 0, 0, 0}},
		{"SELECT * FROM t WHERE x = 5", [4]int64{0, 0, 1, 1}, [4]int64{0, 0, 1, 1}},
	} {
		before, beforeIndex := table(reads), table(indexes)
		exec(t, a, c.statement)
		after, afterIndex := table(reads), table(indexes)
		for i := range after {
			after[i] -= before[i]
			afterIndex[i] -= beforeIndex[i]
		}
		if after != c.table || afterIndex != c.indexDiff {
			t.Errorf("%s: tables %v, want %v; indexes %v, want %v", c.statement, after, c.table, afterIndex, c.indexDiff)
		}
	}
	const database = "SELECT xact_commit, xact_rollback, tup_inserted, tup_deleted FROM pg_stat_database WHERE datname = current_database()"
	before := table(database)
	exec(t, a, "INSERT INTO t VALUES (300, 1, 1), (301, 1, 1)", "BEGIN", "DELETE FROM t WHERE id = 300", "ROLLBACK")
	if got := code(a, "SELECT 1/0"); got != "22012" {
		t.Fatal(got)
	}
	after := table(database)
	// The first look at the counters is a transaction as well.
	if want := [4]int64{before[0] + 2, before[1] + 2, before[2] + 2, before[3] + 1}; after != want {
		t.Errorf("database: %v, want %v", after, want)
	}
	exec(t, a, "SELECT pg_stat_reset_single_table_counters('t'::regclass)")
	if got := table(writes); got != [4]int64{0, 0, 0, 1} {
		t.Errorf("after the reset of the table: %v", got)
	}
	exec(t, a, "SELECT pg_stat_reset()")
	var known bool
	if err := b.QueryRow(context.Background(), "SELECT stats_reset > now() - interval '1 minute' AND xact_commit < 3 FROM pg_stat_database WHERE datname = current_database()").Scan(&known); err != nil || !known {
		t.Error("the reset is not to be seen", err)
	}
	exec(t, a, "CREATE ROLE poor", "SET ROLE poor")
	for _, q := range []string{"SELECT pg_stat_reset()", "SELECT pg_stat_reset_single_table_counters('t'::regclass)"} {
		if got := code(a, q); got != "42501" {
			t.Errorf("%s by anybody: %q", q, got)
		}
	}
}
