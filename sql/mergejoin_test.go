package sql

import (
	"strings"
	"testing"
)

// TestMergeJoin: without hash joins, equalities of columns of one type are joined by merging, sorted first where they
// are not in order, with the rows of the other methods; enable_mergejoin switches it off.
func TestMergeJoin(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, `CREATE TABLE a (id int PRIMARY KEY, k int, n numeric, v text);
		CREATE TABLE b (id int PRIMARY KEY, k int, n numeric, v text);
		INSERT INTO a SELECT g, nullif(g % 40, 7), (g % 30) / 10.0, 'v' || g % 50 FROM generate_series(1, 3000) g;
		INSERT INTO b SELECT g * 2, nullif(g % 60, 7), round((g % 50) / 10.0, g % 4 + 1), 'v' || g % 70 FROM generate_series(1, 900) g`)
	const sums = "SELECT count(*), sum(a.id), sum(b.id), min(a.v || b.v) FROM a "
	queries := []struct{ query, node string }{
		{sums + "JOIN b ON a.id = b.id", ""}, // a look-up by key costs less
		{sums + "JOIN b ON a.k = b.k", "Merge Join"},
		{sums + "JOIN b ON a.k = b.k AND a.v = b.v AND a.id < b.id", "Merge Join"},
		{sums + "JOIN b ON a.n = b.n", "Merge Join"}, // 0.5 and 0.50 are equal
		{sums + "LEFT JOIN b ON a.k = b.k AND b.v > 'v3'", "Merge Left Join"},
		{sums + "FULL JOIN b ON a.k = b.k AND a.v = b.v", "Merge Full Join"},
		{"SELECT count(*), sum(a.id) FROM a WHERE EXISTS (SELECT FROM b WHERE a.k = b.k AND b.id < 60)", "Merge Semi Join"},
		{"SELECT count(*), sum(a.id) FROM a WHERE NOT EXISTS (SELECT FROM b WHERE a.k = b.k AND b.id < 60)", "Merge Anti Join"},
		{"SELECT count(*), sum(a.id) FROM a WHERE k NOT IN (SELECT k FROM b WHERE k < 5)", ""},
		{sums + "JOIN b ON a.id = b.id::bigint", ""}, // types differ
		{"SELECT a.id, b.v FROM a JOIN b ON a.v = b.v WHERE a.id < 90 AND b.id < 90 ORDER BY 1, 2", "Merge Join"},
	}
	for _, q := range queries {
		run(x, r, "SET enable_indexscan = off; SET omen.disabled_rules = 'index_join, group_join'")
		hashed := run(x, r, q.query)
		run(x, r, "SET enable_hashjoin = off")
		merged, plan := run(x, r, q.query), run(x, r, "EXPLAIN (COSTS OFF) "+q.query)
		run(x, r, "SET enable_mergejoin = off")
		looped, other := run(x, r, q.query), run(x, r, "EXPLAIN (COSTS OFF) "+q.query)
		run(x, r, "RESET ALL")
		if merged != hashed || merged != looped || strings.Contains(merged, "ERROR") {
			t.Errorf("%s: %q by merging, %q by hashing, %q otherwise", q.query, merged, hashed, looped)
		}
		if !strings.Contains(plan, q.node) || strings.Contains(other, "Merge") {
			t.Errorf("%s: %s, and without merging %s", q.query, plan, other)
		}
	}
}
