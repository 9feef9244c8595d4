package omendb_test

import (
	"fmt"
	"testing"

	"github.com/omendb/omendb"
)

// TestConditionsOnStoredColumns asks for conditions of all kinds over segments,
// before and after rows of them were updated, deleted and inserted under an open
// snapshot, with columns read late and row by row: the answers are the same.
func TestConditionsOnStoredColumns(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, old := inside(t, db, "omendb"), inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE s(id int PRIMARY KEY, n int, word text, note text, f float8, d numeric, at timestamp)",
		`INSERT INTO s SELECT i, i*7919%1000, 'word'||i%9, CASE WHEN i%11<>0 THEN 'note '||md5(i::text)||repeat(' x', i%5) END, i*7919%500/3.0,
			(i%97)/4.0, timestamp '2024-01-01' + i * interval '155 minutes' FROM generate_series(1, 4000) i`,
		"VACUUM FULL s", "ANALYZE s", "SET min_parallel_table_scan_size = 0")
	conditions := []string{
		"n > 900", "n BETWEEN 10 AND 20", "n = 77 AND word = 'word3'", "n <> 5 AND f < 20", "word = 'word4'", "word <> 'word4' AND n < 30",
		"word > 'word6'", "word = 'nothing'", "note LIKE '%ab%'", "note LIKE 'note a%c%'", "note LIKE '%x' AND n > 500", "note NOT LIKE '%a%'",
		"note LIKE '%e_f%'", "note LIKE 'note'", "note LIKE NULL", "note IS NULL AND word LIKE '%3'", "word LIKE 'word%' AND f > 100", "d > 20 AND n < 100",
		"at >= '2024-03-01' AND at < '2024-03-02'", "at >= '2024-03-01' AND at < '2024-03-02' AND n > 500", "n > 2147483647", "n < 10 OR word = 'word1'",
		"n > (SELECT max(n) - 5 FROM s) AND note LIKE '%0%'", "n < -2147483648 OR false", "1 = 1 AND n < 0", "f = 'NaN' OR n = 1", "upper(word) = 'WORD2' AND n >= 990",
	}
	compare := func(state string) {
		t.Helper()
		for _, cond := range conditions {
			for _, sql := range []string{
				"SELECT count(*)::text FROM s WHERE " + cond,
				"SELECT concat_ws('|', count(note), sum(n), min(word), max(at), sum(d)) FROM s WHERE " + cond,
				"SELECT coalesce(string_agg(word||c||m, ',' ORDER BY word), '') FROM (SELECT word, count(*) AS c, max(note) AS m FROM s WHERE " + cond + " GROUP BY word) x",
				"SELECT md5(coalesce(string_agg(s::text, ';' ORDER BY f, id), '')) FROM s WHERE " + cond,
				"SELECT concat_ws('|', date_trunc('day', min(at)), date_bin('7 hours', max(at), '2024-01-01')) FROM s WHERE " + cond,
			} {
				exec(t, c, "SET omen.row_at_a_time = on")
				want := one[string](t, c, sql)
				exec(t, c, "SET omen.row_at_a_time = off")
				if got := one[string](t, c, sql); got != want {
					t.Errorf("%s: %s\n%s, row by row %s", state, sql, got, want)
				}
			}
		}
	}
	compare("loaded")
	exec(t, old, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM s")
	before := one[string](t, old, "SELECT md5(string_agg(s::text, ';' ORDER BY id)) FROM s")
	exec(t, c, "UPDATE s SET n = n + 1, word = 'word4', note = note || ' abc' WHERE id % 10 = 3", "UPDATE s SET note = NULL, f = -f WHERE id % 17 = 5")
	compare("updated")
	exec(t, c, "DELETE FROM s WHERE id % 23 = 0 AND id > 2000", "INSERT INTO s SELECT -i, i, 'word'||i%9, 'new ab', 1, 2, '2024-03-01' FROM generate_series(1, 300) i",
		"UPDATE s SET at = '2024-03-01 12:00', id = id + 100000 WHERE id % 41 = 7", "BEGIN", "UPDATE s SET n = 995 WHERE id % 29 = 3")
	compare("changed")
	exec(t, c, "COMMIT", "CHECKPOINT")
	compare("in new segments")
	if after := one[string](t, old, "SELECT md5(string_agg(s::text, ';' ORDER BY id)) FROM s"); after != before {
		t.Error(fmt.Sprint("the old snapshot sees ", after, ", not ", before))
	}
}
