package sql

import (
	"context"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/syscat"
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
	tasks := task.NewGoroutines(nil)
	db, err := engine.Open(engine.Options{FS: vfs.OS(), Dir: t.TempDir(), Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(),
		MemtableBytes: 2 << 20, CacheBytes: 1 << 20, SpillBytes: 1 << 20, Fatal: func(err error) { t.Errorf("fatal: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer tasks.Close()
	defer db.Close()
	cat, err := catalog.Open(db, catalog.Options{Superuser: "omendb", System: syscat.Relations()})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := Open(Options{DB: db, Catalog: cat, Clock: clock.System(), Log: zerolog.Nop(), TempFS: temp, TempDir: dir, Seed: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
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
	for _, c := range hungry {
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
