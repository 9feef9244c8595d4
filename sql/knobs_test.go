package sql

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// knobsOff are settings that may change how rows are found, but no row. Package
// pgdiff turns them over small tables in memory; here rows lie in segments
// with models, behind newer ones.
var knobsOff = []string{"omen.learned", "omen.fast_path", "omen.packed_keys", "omen.literal_cache", "enable_seqscan", "enable_indexscan", "enable_indexonlyscan",
	"enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_nestloop", "enable_hashagg", "enable_sort", "enable_memoize"}

var knobsElse = []string{"omen.row_at_a_time = on", "work_mem = '64kB'", "max_parallel_workers_per_gather = 0", "min_parallel_table_scan_size = 0",
	"omen.disabled_rules = 'zone_maps, key_scan'", "omen.disabled_rules = 'index_join, ordered_scan'", "omen.disabled_rules = 'min_max_index, index_scan'"}

// TestKnobsChangeNoRow asks random questions of tables in segments under random settings.
func TestKnobsChangeNoRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 62))
	x, r := testSession(t, testServer(t))
	for _, step := range []string{`CREATE TABLE big (id int PRIMARY KEY, v int, at timestamptz, note text);
		INSERT INTO big SELECT g * 3, (g * 7919) % 4001, '2026-01-01'::timestamptz + g * interval '1 s', 'n' || g % 1000 FROM generate_series(1, 30000) g;
		CREATE INDEX ON big (v); CREATE INDEX ON big (at) INCLUDE (v);
		CREATE TABLE small (k text PRIMARY KEY, id int); INSERT INTO small SELECT md5(g::text), g * 33 FROM generate_series(1, 3000) g`, "CHECKPOINT",
		"UPDATE big SET v = v + 1 WHERE id % 1000 = 0; DELETE FROM big WHERE id BETWEEN 30000 AND 30500", "CHECKPOINT",
		"INSERT INTO big SELECT g * 3 + 1, g % 4001, '2026-01-01'::timestamptz + g * interval '7 s', 'late' FROM generate_series(1, 500) g", "ANALYZE"} {
		if out := run(x, r, step); strings.Contains(out, "ERROR") {
			t.Fatal(out)
		}
	}
	n := func(limit int) int { return rng.IntN(limit) }
	at := func() string { return fmt.Sprintf("timestamptz '2026-01-01' + %d * interval '1 s'", n(32000)) }
	questions := []func() string{
		func() string { return fmt.Sprintf("SELECT * FROM big WHERE id = %d", n(92000)) },
		func() string {
			return fmt.Sprintf("SELECT id, note FROM big WHERE id IN (%d, %d, %d, %d)", n(92000), 3*n(30000), 3*n(30000), 30000+n(600))
		},
		func() string {
			lo := n(92000)
			return fmt.Sprintf("SELECT count(*) FROM big WHERE id >= %d AND id < %d", lo, lo+n(30000))
		},
		func() string {
			return fmt.Sprintf("SELECT id, v FROM big WHERE id > %d ORDER BY id OFFSET %d LIMIT 3", n(50000), n(20000))
		},
		func() string { return fmt.Sprintf("SELECT id FROM big ORDER BY id DESC OFFSET %d LIMIT 3", n(31000)) },
		func() string {
			return fmt.Sprintf("SELECT count(*), sum(id), min(note) FROM big WHERE v = %d", n(4100))
		},
		func() string {
			return fmt.Sprintf("SELECT sum(v), max(at) FROM big WHERE at BETWEEN %s AND %s", at(), at())
		},
		func() string {
			return fmt.Sprintf("SELECT b.id, b.v FROM small s JOIN big b ON b.id = s.id WHERE s.id < %d", n(99000))
		},
		func() string { return fmt.Sprintf("SELECT id FROM small WHERE k = md5('%d')", n(4000)) },
		func() string {
			return fmt.Sprintf("SELECT count(*), min(id), max(id) FROM small WHERE k >= '%x' AND k < '%x'", n(256), n(256))
		},
		func() string {
			return fmt.Sprintf("SELECT note, count(*), sum(v) FROM big WHERE id < %d GROUP BY note", n(92000))
		},
		func() string { return fmt.Sprintf("SELECT max(id), min(id) FROM big WHERE id < %d", n(92000)) },
		func() string {
			return fmt.Sprintf("SELECT s.id FROM small s WHERE EXISTS (SELECT FROM big b WHERE b.id = s.id AND b.v < %d)", n(4001))
		},
	}
	rows := func(q string) []string {
		out := run(x, r, q)
		if strings.Contains(out, "ERROR") {
			t.Fatalf("%s: %s", q, out)
		}
		list := strings.Split(out, "\n")
		slices.Sort(list)
		return list
	}
	learned := 0
	for i := range 40 * len(questions) {
		q := questions[i%len(questions)]()
		want := rows(q)
		var set []string
		for _, k := range knobsOff {
			if n(5) == 0 || k == "omen.learned" && n(2) == 0 {
				set = append(set, k+" = off")
			}
		}
		if n(2) == 0 {
			set = append(set, knobsElse[n(len(knobsElse))])
		}
		if slices.Contains(set, "omen.learned = off") {
			learned++
		}
		for _, k := range set {
			rows("SET " + k)
		}
		if got := rows(q); !slices.Equal(got, want) {
			t.Errorf("%s\nunder %v: %d lines instead of %d", q, set, len(got), len(want))
		}
		rows("RESET ALL")
	}
	if learned < 100 {
		t.Errorf("models were off %d times", learned)
	}
	const segments = "SELECT count(*) >= 6, count(DISTINCT level), bool_or(kind = 'spline') FROM omen_models WHERE tablename IN ('big', 'small')"
	if out := run(x, r, segments); out != "t|2|t\n-- SELECT 1\n" {
		t.Errorf("segments: %s", out)
	}
}
