package sql

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// TestExtendedStatistics: ANALYZE finds out what CREATE STATISTICS asks for, and estimates follow it; without them
// columns count as independent.
func TestExtendedStatistics(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, "CREATE TABLE g AS SELECT i % 100 a, i % 100 / 10 b, CASE WHEN i % 100 < 50 THEN i % 100 / 10 END c FROM generate_series(0, 19999) i")
	first := regexp.MustCompile(`rows=(\d+)`)
	rows := func(q string) float64 {
		t.Helper()
		m := first.FindStringSubmatch(run(x, r, "EXPLAIN "+q))
		if m == nil {
			t.Fatalf("%s has no estimate", q)
		}
		n, _ := strconv.ParseFloat(m[1], 64)
		return n
	}
	grouped := "SELECT a, b, count(*) FROM g GROUP BY a, b"
	both := "SELECT * FROM g WHERE a = 15 AND b = 1"
	never := "SELECT * FROM g WHERE a = 15 AND b = 7"
	for _, step := range []struct {
		create                string
		groups, match, cannot float64
	}{
		{"SELECT 1", 1000, 20, 20},
		{"CREATE STATISTICS s (ndistinct) ON a, b FROM g", 100, 20, 20},
		{"CREATE STATISTICS s (dependencies) ON a, b FROM g", 1000, 200, 200},
		{"CREATE STATISTICS s (mcv) ON b, a FROM g", 1000, 200, 20},
		{"CREATE STATISTICS s ON a, b, c FROM g", 100, 200, 200},
		{"CREATE STATISTICS s ON a, b FROM g; ALTER STATISTICS s SET STATISTICS 0", 1000, 20, 20},
	} {
		run(x, r, "DROP STATISTICS IF EXISTS s; "+step.create+"; ANALYZE g")
		for q, want := range map[string]float64{grouped: step.groups, both: step.match, never: step.cannot} {
			if got := rows(q); math.Abs(got-want) > want/5 {
				t.Errorf("after %s: %s has %v rows, want about %v", step.create, q, got, want)
			}
		}
	}
	expr := "SELECT a * b % 7, count(*) FROM g GROUP BY a * b % 7"
	if got := rows(expr); got < 50 {
		t.Errorf("%v groups of an expression that nothing is known of", got)
	}
	run(x, r, "CREATE STATISTICS e ON (a * b % 7) FROM g; ANALYZE g")
	if got := rows(expr); got != 7 {
		t.Errorf("%v groups of an expression, want 7", got)
	}
	run(x, r, "DROP STATISTICS s; CREATE STATISTICS s ON a, b FROM g; ANALYZE g (c)")
	if got := rows(grouped); got < 900 {
		t.Errorf("%v groups after an ANALYZE of another column", got)
	}
	run(x, r, "ANALYZE g; ANALYZE g (c)")
	if got := rows(grouped); got > 110 {
		t.Errorf("%v groups: ANALYZE of another column has forgotten the others", got)
	}
}
