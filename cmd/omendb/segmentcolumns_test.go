package main

import (
	"context"
	"path/filepath"
	"testing"
)

// TestSegmentColumnsView compares omen_segment_columns with the rows, and shows nobody what he may not read.
func TestSegmentColumnsView(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	c := startServer(t, dir).mustConnect("sslmode=disable passfile=%s", filepath.Join(dir, passFile))
	must(t, c, "CREATE TABLE o (id int PRIMARY KEY, state text, code int)")
	must(t, c, "INSERT INTO o SELECT g, CASE WHEN g % 10 < 7 THEN 'done' WHEN g % 2 = 0 THEN 'open' END, CASE WHEN g % 4 = 0 THEN 12 ELSE g END FROM generate_series(1, 20000) g")
	must(t, c, "CHECKPOINT")
	for _, q := range []struct {
		sql  string
		want int
	}{
		{"SELECT count(*) FROM omen_segment_columns WHERE tablename = 'o' AND schemaname = 'public'", 3 * count(t, c, "SELECT count(*) FROM omen_models WHERE tablename = 'o' AND indexname IS NULL")},
		{"SELECT sum(row_count)::int FROM omen_segment_columns WHERE tablename = 'o' AND attname = 'id'", 20000},
		{"SELECT sum(null_count)::int FROM omen_segment_columns WHERE tablename = 'o' AND attname = 'state'", count(t, c, "SELECT count(*) FROM o WHERE state IS NULL")},
		{"SELECT sum(n)::int FROM omen_segment_columns, unnest(most_common_vals::text::text[], most_common_rows) AS m(v, n) WHERE tablename = 'o' AND attname = 'state' AND v = 'done'", 14000},
		{"SELECT count(*) FROM omen_segment_columns WHERE tablename = 'o' AND attname = 'state' AND unlisted_most = 0 AND distinct_values = 2 AND bytes > 0 AND most_common_least = most_common_rows AND most_common_most = most_common_rows", count(t, c, "SELECT count(*) FROM omen_models WHERE tablename = 'o' AND indexname IS NULL")},
		{"SELECT count(*) FROM omen_segment_columns WHERE tablename = 'o' AND attname = 'code' AND (most_common_vals::text::int[])[1] = 12 AND most_common_rows[1] BETWEEN row_count / 5 AND row_count / 3 AND most_common_least[1] <= most_common_most[1] AND bytes IS NULL", count(t, c, "SELECT count(*) FROM omen_models WHERE tablename = 'o' AND indexname IS NULL")},
	} {
		if n := count(t, c, q.sql); n != q.want || n == 0 {
			t.Errorf("%s: %d, want %d", q.sql, n, q.want)
		}
	}
	must(t, c, "CREATE ROLE reader; GRANT SELECT (code) ON o TO reader; SET ROLE reader")
	var columns string
	if err := c.QueryRow(ctx, "SELECT string_agg(DISTINCT attname, ' ') FROM omen_segment_columns WHERE tablename = 'o'").Scan(&columns); err != nil || columns != "code" {
		t.Errorf("a role that may read code sees %q (%v)", columns, err)
	}
}
