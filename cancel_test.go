package omendb_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/testflag"
)

// endless are statements that take far longer than the test waits, by where they spend their time. In n are 200,000 rows (id, k of 1,000
// values, s of 60 bytes).
var endless = []struct{ name, sql string }{
	{"scan", "SELECT count(*) FROM n a, n b, n c WHERE a.id + b.id + c.id < 0"},
	{"hash join with many matches", "SELECT count(*) FROM n a JOIN n b ON a.k % 2 = b.k % 2 JOIN n c ON a.k = c.k"},
	{"nested loop on texts", "SELECT count(*) FROM n a JOIN n b ON a.s LIKE '%' || b.s || 'x'"},
	{"merge join", "SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SELECT count(*) FROM n a JOIN n b ON a.k % 2 = b.k % 2"},
	{"full join", "SELECT count(*) FROM n a FULL JOIN n b ON a.k % 2 = b.k % 2"},
	{"sort", "SELECT * FROM (SELECT a.s || b.id s FROM n a, generate_series(1, 1000) b(id) ORDER BY 1 OFFSET 1000000000) q"},
	{"sort by a linguistic collation", "SELECT * FROM (SELECT a.s || b.id s FROM n a, generate_series(1, 1000) b(id) ORDER BY (a.s || b.id) COLLATE \"en-x-icu\" OFFSET 1000000000) q"},
	{"group by", "SELECT a.s || b.id, count(*) FROM n a, generate_series(1, 1000) b(id) GROUP BY 1 OFFSET 1000000000"},
	{"distinct", "SELECT count(*) FROM (SELECT DISTINCT a.id, b.id bid FROM n a, n b) q"},
	{"count distinct", "SELECT count(DISTINCT a.id * 1000 + b) FROM n a, generate_series(1, 1000) b"},
	{"window", "SELECT sum(r) FROM (SELECT rank() OVER (PARTITION BY a.id % 3 ORDER BY b) r FROM n a, generate_series(1, 1000) b) q"},
	{"window frame that slides", "SELECT count(m) FROM (SELECT max(s) OVER (ORDER BY id ROWS BETWEEN 50000 PRECEDING AND 50000 FOLLOWING EXCLUDE CURRENT ROW) m FROM n) q"},
	{"ordered set", "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a.s || b) FROM n a, generate_series(1, 1000) b"},
	{"string_agg", "SELECT length(string_agg(a.s, ',' ORDER BY b, a.id)) FROM n a, generate_series(1, 100) b"},
	{"intersect", "SELECT a.id, b FROM n a, generate_series(1, 1000) b INTERSECT SELECT id, 1 FROM n"},
	{"recursion", "WITH RECURSIVE r(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r"},
	{"recursion with UNION", "WITH RECURSIVE r(i) AS (VALUES (1) UNION SELECT i + 1 FROM r) SELECT count(*) FROM r"},
	{"recursion that grows", "WITH RECURSIVE r(i) AS (VALUES (1) UNION ALL SELECT j FROM r, generate_series(1, 1000) j) SELECT count(*) FROM r"},
	{"cycle", "WITH RECURSIVE r(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r) CYCLE i SET c USING p SELECT count(*) FROM r"},
	{"generate_series", "SELECT count(*) FROM generate_series(1, 100000000000)"},
	{"generate_series in the list", "SELECT generate_series(1, 100000000000) OFFSET 100000000000"},
	{"generate_series of timestamps", "SELECT count(*) FROM generate_series('0001-01-01'::timestamp, '9999-01-01', '1 second')"},
	{"generate_series of numerics", "SELECT count(*) FROM generate_series(1.0, 1e20, 0.1)"},
	{"unnest", "SELECT count(*) FROM n, unnest(array_fill(1, ARRAY[100000])) u"},
	{"lateral", "SELECT count(*) FROM n a, LATERAL (SELECT b.id FROM n b WHERE b.s > a.s ORDER BY b.s, b.id LIMIT 1) q"},
	{"correlated subquery", "SELECT sum((SELECT count(*) FROM n b WHERE b.s > a.s)) FROM n a"},
	{"not in", "SELECT count(*) FROM n a WHERE a.s NOT IN (SELECT b.s || c FROM n b, generate_series(1, 1000) c) OR a.id < 0"},
	{"exists", "SELECT count(*) FROM n a WHERE EXISTS (SELECT FROM n b WHERE b.id > a.id + 199999 + b.k - b.k) OR a.id < 0"},
	{"function", "SELECT sum(slow(id)) FROM n"},
	{"insert select", "INSERT INTO sink SELECT a.id, a.s FROM n a, n b"},
	{"update", "UPDATE n SET s = (SELECT max(b.s) FROM n b WHERE b.id <> n.id)"},
	{"delete", "DELETE FROM n USING n b, n c WHERE n.id + b.id + c.id < 0"},
	{"merge", "MERGE INTO sink USING (SELECT a.id, a.s FROM n a, n b) q ON sink.id = q.id WHEN NOT MATCHED THEN INSERT VALUES (q.id, q.s)"},
	{"create table as", "CREATE TABLE made AS SELECT a.id, b.s FROM n a, n b"},
	{"create index", "CREATE INDEX ON n (slow(id))"},
	{"create index on texts", "CREATE INDEX ON n (regexp_replace(repeat(s, 100), '[0-3]', 'xy', 'g'))"},
	{"alter type", "ALTER TABLE n ALTER k TYPE text USING slow(k)::text"},
	{"add check", "ALTER TABLE n ADD CHECK (slow(id) >= 0)"},
	{"materialized view", "CREATE MATERIALIZED VIEW mv AS SELECT a.id, b.s FROM n a, n b"},
	{"copy to", "COPY (SELECT a.s FROM n a, n b) TO STDOUT"},
	{"regexp", "SELECT count(*) FROM generate_series(1, 1000000) g WHERE repeat('ab', 5000) ~ ('(a|b|ab)*' || g || 'c$')"},
	{"one regexp", "SELECT regexp_replace(repeat('a', 50000000), '(a|aa|aaa)', 'b', 'g') = ''"},
	{"regexp with a back reference", "SELECT repeat('a', 3000) || 'b' ~ '^(a*)(a*)(a*)\\1\\2\\3c$'"},
	{"regexp of a bounded repetition", "SELECT repeat('a', 5000000) ~ '(a{1,100}){1,10}b'"},
	{"regexp split", "SELECT count(*) FROM regexp_split_to_table(repeat('a,', 20000000), ',')"},
	{"regexp matches", "SELECT count(*) FROM regexp_matches(repeat('ab', 20000000), '(a)(b)', 'g')"},
	{"like", "SELECT repeat('a', 50000000) LIKE '%' || repeat('a%', 200) || 'b'"},
	{"like, one pattern", "SELECT repeat('a', 1000000) LIKE '%' || repeat('a', 5000) || '_b%'"},
	{"ilike", "SELECT repeat('a', 50000000) ILIKE '%A%A%A%b'"},
	{"similar to", "SELECT repeat('ab', 5000000) SIMILAR TO '(a|b|ab)*c'"},
	{"position", "SELECT position(repeat('a', 500000) || 'b' IN repeat('a', 50000000))"},
	{"replace", "SELECT length(replace(repeat('a', 50000000), 'a', 'bbbbbbbbbb'))"},
	{"translate", "SELECT sum(length(translate(repeat('abcd', 10000000), 'abc', 'xyz'))) FROM generate_series(1, 1000)"},
	{"upper", "SELECT sum(length(upper(repeat('aé', 20000000)))) FROM generate_series(1, 1000)"},
	{"reverse", "SELECT sum(length(reverse(repeat('aé', 20000000)))) FROM generate_series(1, 1000)"},
	{"repeat", "SELECT sum(length(repeat('abc', 10000000 + g))) FROM generate_series(1, 1000) g"},
	{"lpad", "SELECT sum(length(lpad('x', 5000000 + g, 'éà'))) FROM generate_series(1, 1000) g"},
	{"array_fill", "SELECT sum(cardinality(array_fill(g, ARRAY[2000000]))) FROM generate_series(1, 1000) g"},
	{"string_to_array", "SELECT cardinality(string_to_array(repeat('a,', 20000000), ','))"},
	{"array_to_string", "SELECT sum(length(array_to_string(array_fill(1.5::numeric, ARRAY[3000000]), ','))) FROM generate_series(1, 1000)"},
	{"array_remove", "SELECT sum(cardinality(array_remove(a, g))) FROM (SELECT array_agg(g) a FROM generate_series(1, 200000) g) q, generate_series(1, 100000) g"},
	{"= ANY", "SELECT count(*) FROM n, (SELECT array_agg(-g) a FROM generate_series(1, 200000) g) q WHERE id = ANY (a)"},
	{"power", "SELECT sum(power(1.0000000001 + g, 1000.5 + g)) FROM generate_series(1, 10000) g"},
	{"factorial", "SELECT length(factorial(32177)::text) FROM generate_series(1, 1000)"},
	{"exp", "SELECT sum(exp(5000.5 + g)) FROM generate_series(1, 1000) g"},
	{"ln", "SELECT sum(ln(factorial(20000) + g)) FROM generate_series(1, 1000) g"},
	{"sqrt", "SELECT sum(sqrt(factorial(30000) + g)) FROM generate_series(1, 10000) g"},
	{"numeric product", "SELECT length((f * f)::text) FROM (SELECT factorial(32000) f OFFSET 0) q, generate_series(1, 10000)"},
	{"gcd", "SELECT gcd(factorial(32000), factorial(30000) + 1)"},
	{"numeric text", "SELECT ('1' || repeat('0', 130000))::numeric % 7 FROM generate_series(1, 100000) g"},
	{"jsonpath", "SELECT jsonb_path_query_array(j, 'strict $.** ? (@.** > 1 && @ like_regex \"^a\")') FROM (SELECT jsonb_agg(jsonb_build_array(g, jsonb_build_object('a', g))) j FROM generate_series(1, 200000) g) q"},
	{"jsonpath, nested", "SELECT jsonb_path_query_array(j, '$[*] ? (exists ($[*] ? (@ == -1)))') FROM (SELECT jsonb_agg(g) j FROM generate_series(1, 20000) g) q"},
	{"jsonb parse", "SELECT jsonb_array_length(('[1' || repeat(',[1,{\"a\":2}]', 300000) || ']')::jsonb)"},
	{"json parse", "SELECT json_array_length(('[1' || repeat(',[1,{\"a\":2}]', 500000) || ']')::json)"},
	{"jsonb elements", "SELECT count(*) FROM jsonb_array_elements(('[1' || repeat(',[1,{\"a\":2}]', 300000) || ']')::jsonb)"},
	{"jsonb contains", "SELECT j @> k FROM (SELECT jsonb_agg(jsonb_build_object('a', g)) j, jsonb_agg(jsonb_build_object('a', -g)) k FROM generate_series(1, 20000) g) q"},
	{"jsonb_pretty", "SELECT length(jsonb_pretty(('[1' || repeat(',[1,{\"a\":2}]', 200000) || ']')::jsonb))"},
	{"md5", "SELECT count(md5(repeat('a', 10000000 + g))) FROM generate_series(1, 1000) g"},
	{"sha512", "SELECT count(sha512(repeat('a', 10000000 + g)::bytea)) FROM generate_series(1, 1000) g"},
	{"encode", "SELECT length(encode(repeat('a', 10000000)::bytea, 'base64')) FROM generate_series(1, 100)"},
	{"to_char", "SELECT count(to_char(g, repeat('9', 400) || 'RN')) FROM generate_series(1, 100000000) g"},
	{"format", "SELECT count(format(repeat('%s', 1000) || '%1$s', VARIADIC array_fill(g, ARRAY[1000]))) FROM generate_series(1, 1000000) g"},
	{"row comparison", "SELECT count(*) FROM n a JOIN n b ON (a.s, a.id) < (b.s, b.k) AND a.k = -b.id"},
	{"case in a loop", "SELECT count(*) FROM generate_series(1, 10000000000) g WHERE CASE WHEN g % 2 = 0 THEN g::text ELSE (g + 1)::text END = 'x'"},
	{"regexps of a join", "SELECT count(*) FROM n a, n b WHERE a.s ~ b.s"},
	{"explain analyze", "EXPLAIN ANALYZE SELECT count(*) FROM n a, n b, n c WHERE a.id + b.id + c.id < 0"},
	{"cursor", "DECLARE c SCROLL CURSOR FOR SELECT a.id FROM n a, n b; MOVE ALL IN c"},
	{"limit", "SELECT a.id FROM n a, n b OFFSET 100000000000 LIMIT 1"},
	{"foreign key", "INSERT INTO child SELECT b.id FROM n b, generate_series(1, 5); ALTER TABLE child ADD FOREIGN KEY (a) REFERENCES n (id)"},
	{"analyze", "ANALYZE"},
}

// TestCancel cancels statements after 50 ms, wherever they are then.
func TestCancel(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	other := inside(t, db, "omendb")
	defer other.Close(ctx)
	for _, sql := range []string{
		"CREATE TABLE n (id int PRIMARY KEY, k int, s text); CREATE TABLE sink (id int, s text); CREATE TABLE child (a int)",
		"INSERT INTO n SELECT g, g % 1000, md5(g::text) || md5((-g)::text) FROM generate_series(1, 200000) g",
		"CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT (count(*) * 0)::int + $1 FROM generate_series(1, 100000)'",
	} {
		if _, err := other.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(sql, err)
		}
	}
	for i, c := range append(endless, endlessCalls...) {
		if i >= len(endless) && i%3 != 0 && !*testflag.CancelAll {
			continue
		}
		t.Run(strings.ReplaceAll(c.name, "/", " "), func(t *testing.T) {
			conn := inside(t, db, "omendb")
			defer conn.Close(ctx)
			done := make(chan error, 1)
			go func() {
				_, err := conn.PgConn().Exec(ctx, "BEGIN; "+c.sql).ReadAll()
				done <- err
			}()
			for active := false; !active && len(done) == 0; { // the text has arrived: a cancel before would be for nothing
				if err := other.QueryRow(ctx, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1", conn.PgConn().PID()).Scan(&active); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case err := <-done:
				t.Logf("ended by itself: %v", err)
				return
			case <-time.After(*testflag.CancelAfter):
			}
			if _, err := other.Exec(ctx, "SELECT pg_cancel_backend($1)", conn.PgConn().PID()); err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			select {
			case err = <-done:
			case <-time.After(6 * time.Second):
				t.Fatal("it goes on after 6 seconds")
			}
			if took := time.Since(started); took > *testflag.CancelWithin {
				t.Errorf("ended %d ms after it was cancelled: %v", took.Milliseconds(), err)
			}
		})
	}
}
