package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestModelsView compares omen_models with what is known of a table's segments, and its counters with the look-ups made.
func TestModelsView(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	s := startServer(t, dir)
	pass := filepath.Join(dir, passFile)
	c := s.mustConnect("sslmode=disable passfile=%s", pass)
	must(t, c, "CREATE TABLE reading (id int PRIMARY KEY, note text UNIQUE)")
	must(t, c, "INSERT INTO reading SELECT g, md5(g::text) FROM generate_series(1, 20000) g")
	if code := s.stop(os.Interrupt); code != 0 { // writes the memtables out
		t.Fatalf("exit code %d", code)
	}
	s = startServer(t, dir)
	c = s.mustConnect("sslmode=disable passfile=%s", pass)

	var keys, bytes, fences, lookups, missed int64
	var perKey float64
	var trained time.Time
	const own = `SELECT sum(keys), sum(bytes), sum(fence_bytes), max(bytes_per_key), sum(lookups), sum(mispredictions), min(trained_at)
		FROM omen_models WHERE schemaname = 'public' AND tablename = 'reading' AND indexname IS NULL AND kind IN ('spline', 'binary search') AND error_bound >= 0`
	look := func() {
		t.Helper()
		if err := c.QueryRow(ctx, own).Scan(&keys, &bytes, &fences, &perKey, &lookups, &missed, &trained); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if keys != 20000 || fences <= 0 || perKey != float64(bytes+fences)/20000 || time.Since(trained) < 0 || time.Since(trained) > time.Hour {
		t.Errorf("%d keys, %d bytes, %d of fences, %v for each key, trained %v", keys, bytes, fences, perKey, trained)
	}
	before := lookups
	for i := range 100 {
		if n := count(t, c, fmt.Sprintf("SELECT count(note) FROM reading WHERE id = %d", i*200+1)); n != 1 {
			t.Fatalf("key %d: %d rows", i, n)
		}
	}
	if look(); lookups != before+100 || missed < 0 || missed > lookups {
		t.Errorf("100 reads are %d look-ups after %d; %d mispredictions", lookups-before, before, missed)
	}
	if n := count(t, c, "SELECT sum(keys)::int8 FROM omen_models WHERE tablename = 'reading' AND indexname = 'reading_note_key'"); n != 20000 {
		t.Errorf("the index has %d keys", n)
	}
	if n := count(t, c, "SELECT count(*) FROM omen_models WHERE segment IN (SELECT segment FROM omen_models GROUP BY segment HAVING count(*) > 1)"); n != 0 {
		t.Errorf("%d segments appear twice", n)
	}
}
