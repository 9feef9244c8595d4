package sql

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/testflag"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/pgerr"
)

const (
	// memoryLimit is what the statements below may use, and heapLimit by how much the heap may grow before one fails:
	// batches on their way come on top of what is counted.
	memoryLimit = 1 << 20
	heapLimit   = 10 * memoryLimit
	memoryRows  = 48000 // of 256 bytes each: twelve times the limit
)

// What becomes of a statement that needs more than its memory.
const (
	spills  = "spills"
	streams = "streams" // needs no memory in proportion to its input
	fails   = "53200"
)

// hungry are statements that need ten times their memory, by the operator that does. In t are
// memoryRows rows (id, k of 100 values, s of 256 bytes), u has the same, few has 100 rows.
var hungry = []struct{ name, want, sql string }{
	{"sort", spills, "SELECT s, id FROM t ORDER BY s"},
	{"hash join, left", spills, "SELECT count(*), count(u.id) FROM t LEFT JOIN u ON t.s = u.s AND t.id < u.id + 1"},
	{"hash join, right semi", streams, "SELECT count(*) FROM few WHERE EXISTS (SELECT FROM u WHERE u.s = few.s)"},
	{"hash aggregate", spills, "SELECT count(*), sum(n) FROM (SELECT s, count(*) n FROM t GROUP BY s) q"},
	{"count(DISTINCT)", fails, "SELECT count(DISTINCT s) FROM t"},
	{"array_agg", fails, "SELECT cardinality(array_agg(s)) FROM t"},
	{"array_agg, ORDER BY", fails, "SELECT cardinality(array_agg(s ORDER BY id DESC)) FROM t"},
	{"string_agg", fails, "SELECT length(string_agg(s, ',')) FROM t"},
	{"json_agg", fails, "SELECT length(json_agg(s)::text) FROM t"},
	{"jsonb_agg", fails, "SELECT length(jsonb_agg(s)::text) FROM t"},
	{"jsonb_object_agg", fails, "SELECT length(jsonb_object_agg(id, s)::text) FROM t"},
	{"percentile_disc", fails, "SELECT length(percentile_disc(0.5) WITHIN GROUP (ORDER BY s)) FROM t"},
	{"array_agg in groups", fails, "SELECT k, cardinality(array_agg(s)) FROM t GROUP BY k"},
	{"string_agg in groups", fails, "SELECT k, length(string_agg(s, '')) FROM t GROUP BY k"},
	{"window, one partition", fails, "SELECT count(*), max(x) FROM (SELECT s, last_value(s) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) x FROM t) q"},
	{"INTERSECT", spills, "SELECT count(*) FROM (SELECT s FROM t INTERSECT SELECT s FROM u) q"},
	{"recursion, UNION", fails, "WITH RECURSIVE r AS (SELECT s, 0 i FROM t UNION SELECT s, i + 1 FROM r WHERE i < 1) SELECT count(*) FROM r"},
	{"recursion, UNION ALL", spills, "WITH RECURSIVE r AS (SELECT 0 i, s FROM t UNION ALL SELECT i + 1, s FROM r WHERE i < 1) SELECT count(*), sum(length(s)) FROM r"},
	{"generate_series", streams, "SELECT count(*), sum(g) FROM generate_series(1, 1000000) g"},
	{"unnest", fails, "SELECT count(*) FROM unnest((SELECT array_agg(s) FROM t)) x"},
	{"jsonb_array_elements", fails, "SELECT count(*) FROM jsonb_array_elements((SELECT jsonb_agg(s) FROM t)) x"},
	{"WITH HOLD", fails, "BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT s, id FROM t; COMMIT; FETCH 20 FROM h; CLOSE h"},
	{"SCROLL", fails, "BEGIN; DECLARE h SCROLL CURSOR FOR SELECT s, id FROM t; MOVE ALL IN h; FETCH BACKWARD 3 FROM h; COMMIT"},
	{"IN (subquery), hashed", fails, "SELECT count(*) FROM t WHERE s IN (SELECT s FROM u) OR id < 0"},
	{"ARRAY(subquery)", fails, "SELECT cardinality(ARRAY(SELECT s FROM t))"},
}

// hungrier are more of them, for -memory.all.
var hungrier = []struct{ name, want, sql string }{
	{"sort in a cursor", spills, "BEGIN; DECLARE c CURSOR FOR SELECT s, id FROM t ORDER BY s; FETCH 10 FROM c; COMMIT"},
	{"hash join, inner", spills, "SELECT count(*), sum(length(t.s) + length(u.s)) FROM t JOIN u ON t.s = u.s"},
	{"hash join, right", spills, "SELECT count(*), count(u.id) FROM u RIGHT JOIN t ON t.s = u.s AND t.id < u.id + 1"},
	{"hash join, full", spills, "SELECT count(t.id), count(u.id) FROM t FULL JOIN u ON t.s = u.s || 'x'"},
	{"hash join, semi", spills, "SELECT count(*) FROM t WHERE EXISTS (SELECT FROM u WHERE u.s = t.s)"},
	{"hash join, anti", spills, "SELECT count(*) FROM t WHERE NOT EXISTS (SELECT FROM u WHERE u.s = t.s || 'x')"},
	{"GROUPING SETS", fails, "SELECT count(*), sum(n) FROM (SELECT s, k, count(*) n FROM t GROUP BY GROUPING SETS ((s, k), (s), ())) q"},
	{"DISTINCT", spills, "SELECT count(*) FROM (SELECT DISTINCT s FROM t) q"},
	{"DISTINCT ON", spills, "SELECT count(*) FROM (SELECT DISTINCT ON (s) s, id FROM t ORDER BY s, id) q"},
	{"window, many partitions", fails, "SELECT count(*), max(x) FROM (SELECT last_value(s) OVER (PARTITION BY k ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) x FROM t) q"},
	{"UNION", spills, "SELECT count(*) FROM (SELECT s FROM t UNION SELECT s FROM u) q"},
	{"EXCEPT", spills, "SELECT count(*) FROM (SELECT s FROM t EXCEPT SELECT s || 'x' FROM u) q"},
	{"materialised CTE, twice", spills, "WITH c AS MATERIALIZED (SELECT id, s FROM t) SELECT (SELECT count(*) FROM c), (SELECT sum(length(s)) FROM c)"},
	{"IN (subquery)", spills, "SELECT count(*) FROM t WHERE s IN (SELECT s FROM u)"},
	{"NOT IN (subquery)", fails, "SELECT count(*) FROM t WHERE s NOT IN (SELECT s || 'x' FROM u)"},
	{"nested loop", streams, "SELECT count(*) FROM (VALUES (1), (2)) v(x) JOIN (SELECT s FROM t OFFSET 0) q ON length(q.s) > v.x"},
	{"UPDATE FROM", spills, "BEGIN; UPDATE t SET k = t.k + 1 FROM u WHERE t.s = u.s; ROLLBACK"},
	{"DELETE USING", spills, "BEGIN; DELETE FROM t USING u WHERE t.s = u.s; ROLLBACK"},
	{"MERGE", streams, "BEGIN; MERGE INTO few USING u ON few.s = u.s WHEN MATCHED THEN UPDATE SET k = 0; ROLLBACK"},
	{"RETURNING", streams, "BEGIN; UPDATE t SET k = k + 1 RETURNING id, s; ROLLBACK"},
	{"RETURNING in WITH", spills, "BEGIN; WITH d AS (UPDATE t SET k = k + 1 RETURNING id, s) SELECT count(*), sum(length(s)) FROM d; ROLLBACK"},
	{"INSERT SELECT", streams, "BEGIN; INSERT INTO sink SELECT * FROM t; ROLLBACK"},
	{"COPY TO", streams, "COPY t TO STDOUT"},
	{"COPY (query) TO", spills, "COPY (SELECT * FROM t ORDER BY s) TO STDOUT"},
	{"COPY FROM", streams, "BEGIN; COPY sink FROM STDIN; ROLLBACK"},
	{"repeat", streams, "SELECT sum(length(repeat(s, 1000 + id % 2))) FROM t WHERE id <= 2000"},
	{"one repeat", fails, "SELECT length(repeat('x', 100000000))"},
	{"lpad", streams, "SELECT sum(length(lpad(s, 200000))) FROM t WHERE id <= 2000"},
	{"array_fill", fails, "SELECT cardinality(array_fill(1, ARRAY[1000000]))"},
	{"string_to_array", fails, "SELECT cardinality(string_to_array(repeat('a,', 500000), ','))"},
	{"regexp_replace", fails, "SELECT length(regexp_replace(repeat('a', 500000), 'a', 'bbbbbbbbbb', 'g'))"},
	{"replace", fails, "SELECT length(replace(repeat('a', 500000), 'a', 'bbbbbbbbbb'))"},
	{"regexp_split_to_table", fails, "SELECT count(*) FROM regexp_split_to_table(repeat('a,', 500000), ',')"},
	{"format", fails, "SELECT length(format('%10000000s', 'x'))"},
	{"CREATE TABLE AS", spills, "BEGIN; CREATE TABLE made AS SELECT * FROM t ORDER BY s; SELECT count(*), sum(length(s)) FROM made; ROLLBACK"},
	{"SELECT INTO", spills, "BEGIN; SELECT t.id, u.s INTO made FROM t JOIN u ON t.s = u.s; SELECT count(*), sum(length(s)) FROM made; ROLLBACK"},
	{"CREATE INDEX", streams, "BEGIN; CREATE INDEX ON t (s); SELECT count(*) FROM t; ROLLBACK"},
	{"CREATE UNIQUE INDEX", streams, "BEGIN; CREATE UNIQUE INDEX ON t (s, id); SELECT count(*) FROM t; ROLLBACK"},
	{"CREATE INDEX of an expression", streams, "BEGIN; CREATE INDEX ON t (reverse(s), (id * -1)) INCLUDE (k); SELECT count(*) FROM t; ROLLBACK"},
	{"REFRESH MATERIALIZED VIEW", spills, "BEGIN; CREATE MATERIALIZED VIEW mv AS SELECT id, s FROM t ORDER BY s; REFRESH MATERIALIZED VIEW mv; SELECT count(*), sum(length(s)) FROM mv; ROLLBACK"},
	{"REFRESH MATERIALIZED VIEW CONCURRENTLY", spills, "BEGIN; CREATE MATERIALIZED VIEW mv AS SELECT id, k, s FROM t ORDER BY s; CREATE UNIQUE INDEX ON mv (id); UPDATE t SET k = 5 WHERE id < 2000; REFRESH MATERIALIZED VIEW CONCURRENTLY mv; SELECT count(*), sum(k), sum(length(s)) FROM mv; ROLLBACK"},
	{"ALTER TABLE, rewritten", streams, "BEGIN; ALTER TABLE t ALTER k TYPE text USING k::text || s; SELECT count(*), sum(length(k)) FROM t; ROLLBACK"},
	{"ALTER TABLE, generated column", streams, "BEGIN; ALTER TABLE t ADD g text GENERATED ALWAYS AS (s || 'x') STORED; SELECT count(*), sum(length(g)) FROM t; ROLLBACK"},
	{"ADD PRIMARY KEY", streams, "BEGIN; ALTER TABLE t ADD PRIMARY KEY (s, id); SELECT count(*), max(s) FROM t; ROLLBACK"},
	{"ADD UNIQUE", streams, "BEGIN; ALTER TABLE t ADD UNIQUE (s, id); SELECT count(*) FROM t; ROLLBACK"},
	{"ADD CHECK", streams, "BEGIN; ALTER TABLE t ADD CHECK (length(s) > 0); SELECT count(*) FROM t; ROLLBACK"},
	{"ADD FOREIGN KEY", streams, "BEGIN; ALTER TABLE u ADD UNIQUE (s); ALTER TABLE t ADD FOREIGN KEY (s) REFERENCES u (s); SELECT count(*) FROM t; ROLLBACK"},
	{"VALIDATE CONSTRAINT", streams, "BEGIN; ALTER TABLE u ADD UNIQUE (s); ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (s) REFERENCES u (s) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT f; ROLLBACK"},
	{"ON CONFLICT", streams, "BEGIN; ALTER TABLE u ADD UNIQUE (s); INSERT INTO u SELECT * FROM t ON CONFLICT (s) DO UPDATE SET k = excluded.k + 1; SELECT count(*), sum(k) FROM u; ROLLBACK"},
	{"ON CONFLICT DO NOTHING", streams, "BEGIN; ALTER TABLE u ADD UNIQUE (s); INSERT INTO u SELECT id, k, s FROM t ON CONFLICT DO NOTHING; SELECT count(*) FROM u; ROLLBACK"},
	{"DELETE with ON DELETE CASCADE", streams, "BEGIN; ALTER TABLE u ADD UNIQUE (s); CREATE TABLE c (s text REFERENCES u (s) ON DELETE CASCADE); CREATE INDEX ON c (s); INSERT INTO c SELECT s FROM t; DELETE FROM u; SELECT count(*) FROM c; ROLLBACK"},
	{"CLUSTER", streams, "CREATE INDEX IF NOT EXISTS ti ON t (s); CLUSTER t USING ti; SELECT count(*), sum(length(s)) FROM t; DROP INDEX ti"},
	{"ANALYZE", streams, "ANALYZE t; SELECT count(*) FROM t"},
	{"values that are sorted", spills, "SELECT count(*), max(length(x)) FROM (SELECT repeat(s, 10) x FROM t WHERE id <= 5000 ORDER BY 1) q"},
	{"values that are grouped", fails, "SELECT count(*) FROM (SELECT repeat(s, 10) x FROM t WHERE id <= 5000 GROUP BY 1) q"},
}

// digest is a Sink and Client that keeps no more of the rows than their sum, whatever their order.
type digest struct {
	record
	seed maphash.Seed
	sum  uint64
	rows int
}

func (d *digest) Rows(cols []Column, b *column.Batch) error {
	var h maphash.Hash
	for i := range b.Len() {
		h.SetSeed(d.seed)
		for j := range cols {
			if v := b.Cols[j].Datum(b.Row(i)); !v.Null {
				h.Write(d.env.Out(nil, cols[j].Type, v))
			}
			h.WriteByte(0)
		}
		d.sum += h.Sum64()
		d.rows++
	}
	return nil
}

// CopyIn sends as many rows as the tables have, one after the other.
func (d *digest) CopyIn(int8, int) (io.Reader, error) {
	r, w := io.Pipe()
	go func() {
		line := "\t1\t" + strings.Repeat("copied in ", 25) + "\n"
		for i := range memoryRows {
			if _, err := fmt.Fprint(w, i, line); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r, nil
}

func (d *digest) CopyOut(int8, int) (io.WriteCloser, error) { return digestOut{d}, nil }

type digestOut struct{ d *digest }

func (o digestOut) Write(p []byte) (int, error) {
	o.d.rows += bytes.Count(p, []byte("\n"))
	return len(p), nil
}
func (o digestOut) Close() error { return nil }

// ask runs statements and says what came of them.
func (d *digest) ask(x *Session, text string) (string, *pgerr.Error) {
	d.out.Reset()
	d.sum, d.rows = 0, 0
	if err := x.Simple(context.Background(), text, d); err != nil {
		e := pgerr.From(err)
		if out := run(x, &d.record, "ROLLBACK"); !strings.Contains(out, "ROLLBACK") {
			return out, e
		}
		return "", e
	}
	return fmt.Sprintf("%d rows, sum %x, %s", d.rows, d.sum, d.out.String()), nil
}

// countedFS counts the files that are made.
type countedFS struct {
	vfs.FS
	made atomic.Int64
}

func (f *countedFS) Create(name string) (vfs.File, error) {
	f.made.Add(1)
	return f.FS.Create(name)
}

// sampled runs f and returns by how much the heap grew at most, without what only waits for its collection.
func sampled(f func()) int64 {
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	base, peak := live(), int64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			peak = max(peak, live()-base)
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak
}

// TestTenTimesTheMemory: a statement that needs ten times its memory gives the right answer with the help of the disk,
// or ends with 53200. The heap of one that fails does not hold its input, no file remains, and other sessions are served meanwhile.
func TestTenTimesTheMemory(t *testing.T) {
	dir := t.TempDir()
	temp := &countedFS{FS: vfs.OS()}
	srv := openServer(t, engine.Options{FS: vfs.OS(), Dir: t.TempDir(), MemtableBytes: 2 << 20, CacheBytes: 1 << 20, SpillBytes: 1 << 20},
		Options{TempFS: temp, TempDir: dir})
	other, point := testSession(t, srv)
	d := &digest{seed: maphash.MakeSeed()}
	x, err := srv.Connect(ConnectOptions{User: "omendb", Database: "postgres", Client: d})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	d.env = x.Env()
	for _, text := range []string{
		"CREATE TABLE t (id int, k int, s text); CREATE TABLE u (LIKE t); CREATE TABLE few (LIKE t); CREATE TABLE sink (LIKE t)",
		fmt.Sprintf("INSERT INTO t SELECT g, g %% 100, md5(g::text) || repeat(md5((g %% 7)::text), 7) FROM generate_series(1, %d) g", memoryRows),
		"INSERT INTO u SELECT * FROM t; INSERT INTO few SELECT * FROM t WHERE id <= 100",
		"CREATE TABLE p (id int PRIMARY KEY, v int); INSERT INTO p SELECT g, g * 2 FROM generate_series(1, 1000) g",
		"ANALYZE",
	} {
		if _, err := d.ask(x, text); err != nil {
			t.Fatal(text, err)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	all := hungry
	if *testflag.MemoryAll {
		all = append(all, hungrier...)
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			var want string
			if c.want != fails {
				run(x, &d.record, "SET work_mem = '1GB'; SET omen.query_memory = '2GB'")
				if want, _ = d.ask(x, c.sql); want == "" {
					t.Fatal("fails with much memory")
				}
			}
			run(x, &d.record, fmt.Sprintf("SET work_mem = '256kB'; SET omen.query_memory = '%dkB'", memoryLimit>>10))
			before := temp.made.Load()
			var got string
			var failed *pgerr.Error
			var served atomic.Int64
			peak := sampled(func() {
				stop, done := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(done)
					for {
						if got := run(other, point, "SELECT v FROM p WHERE id = 7"); got != "14\n-- SELECT 1\n" {
							t.Errorf("another session got %q", got)
						}
						served.Add(1)
						select {
						case <-stop:
							return
						case <-time.After(2 * time.Millisecond):
						}
					}
				}()
				got, failed = d.ask(x, c.sql)
				close(stop)
				<-done
			})
			made := temp.made.Load() - before
			t.Logf("heap +%d kB, %d files, %d point queries beside it", peak>>10, made, served.Load())
			switch {
			case failed != nil && (c.want != fails || failed.Code != pgerr.OutOfMemory):
				t.Errorf("want %s, got %s: %s (%s)", c.want, failed.Code, failed.Message, failed.Detail)
			case failed == nil && c.want == fails:
				t.Errorf("it has an answer: %s", got)
			case failed == nil && got != want:
				t.Errorf("with little memory %s, with much %s", got, want)
			case c.want == spills && made == 0:
				t.Error("no temporary file was made")
			}
			if c.want == fails && peak > heapLimit {
				t.Errorf("the heap grew by %d kB, the limit is %d kB", peak>>10, memoryLimit>>10)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%d temporary files remain, %v", len(left), err)
			}
		})
	}
}
