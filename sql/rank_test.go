package sql

import (
	"fmt"
	"strings"
	"testing"
)

const rankRows = "60000"

func rankSession(t *testing.T) (*Session, *record) {
	t.Helper()
	x, r := testSession(t, testServer(t))
	run(x, r, "CREATE TABLE big (id int PRIMARY KEY, v int, note text); INSERT INTO big SELECT g * 2, g % 977, 'n' || g FROM generate_series(1, "+rankRows+") g; CREATE INDEX ON big (v)")
	run(x, r, "CHECKPOINT") // no row stays in memory
	return x, r
}

// TestOffsetByRank: OFFSET over a table or a range of its primary key passes over rows without reading them where that
// is exact, and answers as the scan does in all other cases.
func TestOffsetByRank(t *testing.T) {
	x, r := rankSession(t)
	queries := []string{
		"SELECT * FROM big ORDER BY id OFFSET 40000 LIMIT 3",
		"SELECT note FROM big ORDER BY id DESC OFFSET 59998 LIMIT 3",
		"SELECT id FROM big WHERE id > 1001 AND id <= 90000 ORDER BY id OFFSET 30000 LIMIT 2",
		"SELECT id FROM big WHERE id > 1001 AND id <= 90000 ORDER BY id DESC OFFSET 30000 LIMIT 2",
		"SELECT id FROM big ORDER BY id OFFSET 59999",
		"SELECT id FROM big ORDER BY id OFFSET 60000",
		"SELECT id FROM big ORDER BY id OFFSET 70000",
		"SELECT id + 1 FROM big ORDER BY id OFFSET 50000 LIMIT 1",
		"SELECT id FROM big WHERE v = 5 ORDER BY id OFFSET 20 LIMIT 2",
		"SELECT (SELECT id FROM big ORDER BY id OFFSET o LIMIT 1) FROM (VALUES (0), (1), (30000), (59999), (60000)) v(o)",
	}
	answers := func() (list []string) {
		for _, q := range queries {
			on := run(x, r, q)
			run(x, r, "SET omen.learned = off")
			if off := run(x, r, q); on != off || strings.Contains(on, "ERROR") {
				t.Errorf("%s: %q with models, %q without", q, on, off)
			}
			run(x, r, "RESET omen.learned")
			list = append(list, on)
		}
		return list
	}
	ranked := func(q string) bool {
		return strings.Contains(run(x, r, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "+q), "Rows by Rank")
	}
	if first := answers(); !strings.Contains(first[0], "80002") || !strings.Contains(first[1], "n2\n") {
		t.Errorf("answers %q", first)
	}
	for i, want := range []bool{true, true, true, true, true, true, true, true, false} {
		if got := ranked(queries[i]); got != want {
			t.Errorf("%s: by rank is %v", queries[i], got)
		}
	}
	for _, q := range []string{"SELECT count(*) FROM big", "SELECT count(*) FROM big WHERE id > 500"} {
		if !ranked(q) {
			t.Errorf("%s is not counted by rank", q)
		}
	}
	run(x, r, "BEGIN; DELETE FROM big WHERE id % 3 = 0; INSERT INTO big VALUES (7, 7, 'seven')")
	answers()
	run(x, r, "COMMIT; CHECKPOINT")
	answers()
	if ranked(queries[0]) {
		t.Error("deleted rows have a rank")
	}
}

// TestLookupsInMemory: EXPLAIN tells how many of the rows that were looked up lay in memory.
func TestLookupsInMemory(t *testing.T) {
	x, r := rankSession(t)
	run(x, r, "UPDATE big SET v = 5 WHERE id IN (400, 6000)")
	for _, c := range []struct {
		query string
		rows  int
	}{
		{"SELECT note FROM big WHERE id IN (2, 400, 6000, 80000, 7)", 2},
		{"SELECT note FROM big WHERE id = 400", 1},
		{"SELECT note FROM big WHERE id = 402", 0},
		{"SELECT count(*) FROM big WHERE note > 'n5' AND id BETWEEN 300 AND 7000", 2},
	} {
		want := fmt.Sprintf("Memtable Rows: %d\n", c.rows)
		if plan := run(x, r, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "+c.query); !strings.Contains(plan, want) {
			t.Errorf("%s: no %q in\n%s", c.query, want, plan)
		}
	}
	run(x, r, "CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1), (2)")
	if plan := run(x, r, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM fresh WHERE id IN (1, 2, 3)"); !strings.Contains(plan, "Memtable Rows: 2\n") {
		t.Error(plan)
	}
}

// TestReadsInBatches: IN lists, index joins and index scans look rows up in batches.
func TestReadsInBatches(t *testing.T) {
	x, r := rankSession(t)
	run(x, r, "CREATE TABLE small AS SELECT g * 40 AS id FROM generate_series(1, 100) g; ANALYZE")
	for _, c := range []struct{ query, node string }{
		{"SELECT note FROM big WHERE id IN (2, 400, 6000, 80000, 7)", "batched=5"},
		{"SELECT note FROM small s JOIN big b ON b.id = s.id", "batched=100"},
		{"SELECT note FROM big WHERE v = 5", "batched=62"},
	} {
		if plan := run(x, r, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "+c.query); !strings.Contains(plan, c.node) {
			t.Errorf("%s:\n%s", c.query, plan)
		}
	}
}
