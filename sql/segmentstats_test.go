package sql

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
)

// estimator reads the first estimate of rows of a query's plan.
func estimator(t *testing.T, x *Session, r *record) func(q string) float64 {
	first := regexp.MustCompile(`rows=(\d+)`)
	return func(q string) float64 {
		t.Helper()
		m := first.FindStringSubmatch(run(x, r, "EXPLAIN "+q))
		if m == nil {
			t.Fatalf("%s has no estimate", q)
		}
		n, _ := strconv.ParseFloat(m[1], 64)
		return n
	}
}

// TestEstimatesWithoutAnalyze: the most common values, NULLs and distinct values that segments know of make estimates
// of skewed columns right within a factor of two without ANALYZE; off, answers are the same.
func TestEstimatesWithoutAnalyze(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, `CREATE TABLE s (id int PRIMARY KEY, state text, code int, price float8, note text, one numeric);
		INSERT INTO s SELECT g, CASE WHEN g % 10 < 8 THEN 'done' WHEN g % 100 = 9 THEN 'failed' ELSE 'open' END, CASE WHEN g % 3 = 0 THEN 7 ELSE g END,
			g % 40 / 8.0, CASE WHEN g % 5 = 0 THEN NULL ELSE 'note ' || g % 700 END, CASE WHEN g % 2 = 0 THEN 1.0 ELSE 1.00 END FROM generate_series(1, 40000) g;
		CREATE TABLE d (k int PRIMARY KEY, code int);
		INSERT INTO d SELECT g, CASE WHEN g % 100 = 0 THEN 7 ELSE g END FROM generate_series(1, 2000) g`)
	run(x, r, "CHECKPOINT")
	queries := []string{
		"SELECT * FROM s WHERE state = 'done'", "SELECT * FROM s WHERE state = 'failed'", "SELECT * FROM s WHERE state <> 'done'", "SELECT * FROM s WHERE state = 'none'",
		"SELECT * FROM s WHERE state IN ('failed', 'open')", "SELECT * FROM s WHERE state = ANY ('{done,failed,failed}')", "SELECT * FROM s WHERE code = 7",
		"SELECT * FROM s WHERE code = 8", "SELECT * FROM s WHERE code IN (7, 8, 10)", "SELECT * FROM s WHERE price = 2.5", "SELECT * FROM s WHERE note IS NULL",
		"SELECT * FROM s WHERE note IS NOT NULL", "SELECT * FROM s WHERE note = 'note 34'", "SELECT * FROM s WHERE one = 1", "SELECT * FROM s WHERE state = 'open' AND code = 7",
		"SELECT s.id FROM s JOIN d ON s.code = d.code", "SELECT s.id FROM s JOIN d ON s.code = d.code WHERE s.state = 'failed'",
	}
	estimate := estimator(t, x, r)
	answer := func(q string) string {
		return run(x, r, "SELECT count(*), sum(id), min(id), max(id) FROM ("+q+") q")
	}
	check := func(when string) {
		t.Helper()
		for _, q := range queries {
			run(x, r, "RESET omen.segment_statistics")
			on := answer(q)
			var rows float64
			if _, err := fmt.Sscan(on, &rows); err != nil {
				t.Fatalf("%s: %q", q, on)
			}
			if got := estimate(q); got > 2*max(1, rows)+1 || 2*got+1 < rows {
				t.Errorf("%s: %s is estimated to have %v rows, has %v", when, q, got, rows)
			}
			run(x, r, "SET omen.segment_statistics = off")
			if off := answer(q); off != on {
				t.Errorf("%s: %q with statistics of segments, %q without", q, on, off)
			}
		}
	}
	check("from segments")
	if got := estimate("SELECT * FROM s WHERE state = 'done'"); got > 1000 {
		t.Errorf("%v rows without statistics", got)
	}
	run(x, r, "RESET omen.segment_statistics; ANALYZE")
	check("after ANALYZE")
}

// TestStaleStatistics: segments are believed where the table has grown a lot since ANALYZE, and not before.
func TestStaleStatistics(t *testing.T) {
	x, r := testSession(t, testServer(t))
	estimate := estimator(t, x, r)
	run(x, r, "CREATE TABLE g (id int PRIMARY KEY, v int); INSERT INTO g SELECT i, i % 2 FROM generate_series(1, 10000) i; ANALYZE g; INSERT INTO g SELECT i, 5 FROM generate_series(10001, 15000) i")
	run(x, r, "CHECKPOINT")
	const five = "SELECT * FROM g WHERE v = 5"
	if got := estimate(five); got > 100 {
		t.Errorf("%v rows while ANALYZE is believed", got)
	}
	run(x, r, "INSERT INTO g SELECT i, 5 FROM generate_series(15001, 40000) i")
	run(x, r, "CHECKPOINT")
	if got := estimate(five); got < 15000 || got > 40000 {
		t.Errorf("%v rows are estimated, there are 30000", got)
	}
	run(x, r, "ALTER TABLE g ADD COLUMN later text DEFAULT 'then'")
	if got := estimate("SELECT * FROM g WHERE later = 'then'"); got < 20000 {
		t.Errorf("%v rows with a column's default", got)
	}
	run(x, r, "SET omen.segment_statistics = off")
	if got := estimate(five); got > 400 {
		t.Errorf("%v rows while segments are not asked", got)
	}
}
