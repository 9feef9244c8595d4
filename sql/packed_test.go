package sql

import (
	"strings"
	"testing"
)

// packedQueries have keys that are packed into integers, or are numbered by arrays.
var packedQueries = strings.Split(strings.TrimSpace(`
SELECT a, count(*), sum(c), min(x), max(s), bool_or(b), count(s), max(x), min(c) FROM p GROUP BY a ORDER BY a
SELECT a, b, s, count(*), sum(c) FROM p GROUP BY a, b, s ORDER BY a, b, s
SELECT big, a, count(*) FROM p GROUP BY big, a ORDER BY big, a
SELECT big, far, count(*) FROM p GROUP BY far, big ORDER BY big, far
SELECT s, b, max(x) FROM p GROUP BY ROLLUP (s, b) ORDER BY s, b, 3
SELECT count(*), sum(a) FROM (SELECT DISTINCT a, c, s FROM p) q
SELECT count(DISTINCT a), count(DISTINCT (a, c)) FROM p
SELECT id, a, c FROM p ORDER BY a, c DESC, id
SELECT id, a, b FROM p ORDER BY b NULLS FIRST, a DESC NULLS LAST, id
SELECT id, big FROM p ORDER BY big DESC, far, id
SELECT id, far FROM p ORDER BY far, id DESC
SELECT id, x FROM p ORDER BY d, id LIMIT 30
SELECT id, n FROM p ORDER BY n DESC, id LIMIT 40
SELECT id, n FROM p WHERE n IS NOT NULL ORDER BY n, id OFFSET 5 LIMIT 40
SELECT id, row_number() OVER w, rank() OVER w, dense_rank() OVER w, sum(c) OVER w, count(*) OVER w, count(b) OVER w, max(a) OVER w, min(x) OVER w FROM p WINDOW w AS (PARTITION BY a ORDER BY d) ORDER BY id
SELECT id, sum(c) OVER (PARTITION BY b ORDER BY id), sum(x) OVER (ORDER BY id), row_number() OVER (ORDER BY d DESC, id) FROM p ORDER BY id
SELECT id, sum(c) OVER (PARTITION BY s), count(*) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) FROM p ORDER BY id
SELECT id, sum(c) OVER (PARTITION BY a, b ORDER BY id ROWS UNBOUNDED PRECEDING), lag(c) OVER (PARTITION BY a, b ORDER BY id) FROM p ORDER BY id
SELECT p.id, q.s, q.x FROM p JOIN p q ON q.id = p.c ORDER BY p.id
SELECT p.id, q.s, q.x FROM p LEFT JOIN (SELECT * FROM p WHERE c < 500) q ON q.id = p.c ORDER BY p.id
SELECT p.id, q.id FROM p LEFT JOIN p q ON q.a = p.c AND q.b = p.b AND q.id < p.id ORDER BY 1, 2
SELECT count(*), sum(p.id) FROM p WHERE EXISTS (SELECT 1 FROM p q WHERE q.c = p.a)
SELECT count(*), sum(p.id) FROM p WHERE NOT EXISTS (SELECT 1 FROM p q WHERE q.c = p.a AND q.b)
SELECT p.s, count(*), sum(q.c), max(q.s) FROM p JOIN p q ON q.id = p.c AND q.x < p.x + 200 GROUP BY 1 ORDER BY 1
SELECT count(*), sum(id) FROM p WHERE ch = 'v1' OR ch <> 'v2  ' AND a = 3 OR 'v3' = ch AND b
SELECT p.far, count(*) FROM p JOIN p q ON q.big = p.big AND q.far = p.far GROUP BY 1 ORDER BY 1
`), "\n")

// TestPackedKeysDoNotShow asks with and without packed keys, by one worker and by several.
func TestPackedKeysDoNotShow(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, `CREATE TABLE p (id int PRIMARY KEY, a int, b boolean, c int NOT NULL, d date, x float8, n numeric(10,2), s text, ch char(4), big bigint, far bigint);
		INSERT INTO p SELECT i, nullif(h % 37, 5), nullif(h % 3, 2) = 1, h % 1500, date '2024-01-01' + i / 9, (h % 1000) / 4.0, nullif(h % 700, 9) / 100.0, 'v' || nullif(h % 11, 3), 'v' || nullif(h % 7, 4),
			(h % 5 - 2) * 4000000000000000000, CASE h % 4 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775807 - 1 WHEN 2 THEN NULL ELSE i % 50 END
		FROM (SELECT i, (i::bigint * 2654435761) % 1000003 AS h FROM generate_series(1, 6000) i) q; ANALYZE p`)
	for _, q := range packedQueries {
		var want string
		for _, set := range []string{
			"SET omen.packed_keys = off; SET omen.row_at_a_time = on; SET max_parallel_workers_per_gather = 0", "SET max_parallel_workers_per_gather = 0", "SET min_parallel_table_scan_size = 0",
			"SET enable_indexscan = off; SET enable_mergejoin = off; SET enable_nestloop = off", "SET work_mem = '64kB'",
		} {
			run(x, r, "RESET ALL; "+set)
			got := run(x, r, q)
			switch {
			case strings.Contains(got, "ERROR"):
				t.Fatalf("%s\n%s: %.300s", q, set, got)
			case want == "":
				want = got
			case got != want:
				t.Errorf("%s\n%s: another answer than without packing\n%.300s\n%.300s", q, set, got, want)
			}
		}
	}
}
