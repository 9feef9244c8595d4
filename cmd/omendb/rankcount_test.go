package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestCountsByRank compares counts of key ranges with models, without them, and with a plain count of the column: of rows on
// disk only, with changes in memory, and in a transaction that has changed the table.
func TestCountsByRank(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	s := startServer(t, dir)
	pass := filepath.Join(dir, passFile)
	c := s.mustConnect("sslmode=disable passfile=%s", pass)
	must(t, c, "CREATE TABLE big (id int PRIMARY KEY, note text)")
	must(t, c, "INSERT INTO big SELECT 3 * g, 'row' FROM generate_series(1, 20000) g")
	if code := s.stop(os.Interrupt); code != 0 { // writes the memtables out
		t.Fatalf("exit code %d", code)
	}
	s = startServer(t, dir)
	c = s.mustConnect("sslmode=disable passfile=%s", pass)
	same := func(state string, deleted int) {
		t.Helper()
		for _, where := range []string{"", " WHERE id >= 300 AND id < 45000", " WHERE id > 299", " WHERE id <= 60000", " WHERE id BETWEEN 50 AND 40",
			" WHERE id > 60000", " WHERE id < 3", " WHERE id >= NULL", " WHERE id BETWEEN 100 AND 59000"} {
			q := "SELECT count(*) FROM big" + where
			n, plain := count(t, c, q), count(t, c, "SELECT count(note) FROM big"+where)
			must(t, c, "SET omen.learned = off")
			off := count(t, c, q)
			must(t, c, "RESET omen.learned")
			if n != plain || n != off || where == "" && n != 20000-deleted {
				t.Errorf("%s: %s is %d, without models %d, rows %d", state, q, n, off, plain)
			}
		}
	}
	same("on disk", 0)
	var reads int64
	lookups := func() int64 {
		if err := c.QueryRow(ctx, "SELECT sum(lookups) FROM omen_models WHERE tablename = 'big'").Scan(&reads); err != nil {
			t.Fatal(err)
		}
		return reads
	}
	before := lookups()
	if n := count(t, c, fmt.Sprintf("SELECT count(*) FROM big WHERE id >= %d AND id < %d", 3000, 30000)); n != 9000 || lookups() != before+2 {
		t.Errorf("%d rows, %d look-ups", n, reads-before)
	}
	must(t, c, "BEGIN")
	must(t, c, "DELETE FROM big WHERE id BETWEEN 600 AND 659")
	same("own changes", 20)
	must(t, c, "COMMIT")
	same("changes in memory", 20)
}
