package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/syscat"
)

// retentionServer is a server on a given disk and clock.
func retentionServer(t *testing.T, fs vfs.FS, now clock.Clock, events event.Sink) (*Server, func()) {
	t.Helper()
	tasks := task.NewGoroutines(nil)
	db, err := engine.Open(engine.Options{FS: fs, Dir: "db", Clock: now, Tasks: tasks, Log: zerolog.Nop(), Fatal: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Open(db, catalog.Options{Superuser: "omendb", System: syscat.Relations()})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := Open(Options{DB: db, Catalog: cat, Clock: now, Log: zerolog.Nop(), TempFS: fs, TempDir: "temp", Events: events, Seed: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	return srv, func() { _ = db.Close(); tasks.Close() } // a disk that has crashed may refuse
}

var retentionStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestRetention moves the clock and looks at tables of all three column types
// through scans, indexes and counts, and at a snapshot that is older.
func TestRetention(t *testing.T) {
	now := clock.NewManual(retentionStart)
	var moved int64
	srv, done := retentionServer(t, vfs.NewVolatile(), now, func(e event.Event) {
		if e.Name == event.RetentionSweep {
			moved += e.Count
		}
	})
	defer done()
	x, r := testSession(t, srv)
	for _, typ := range []string{"timestamptz", "timestamp", "date"} {
		run(x, r, fmt.Sprintf(`CREATE TABLE "T %[1]s" (id int PRIMARY KEY, ts %[1]s, u int UNIQUE) WITH (omen.ttl = '30 days', omen.ttl_column = ts);
			CREATE INDEX ON "T %[1]s" (ts);
			INSERT INTO "T %[1]s" SELECT i, ('2026-03-01 12:00+00'::timestamptz AT TIME ZONE 'UTC')::%[1]s - i * interval '1 day', i FROM generate_series(0, 99) i;
			INSERT INTO "T %[1]s" VALUES (1000, NULL, 1000), (1001, 'infinity', 1001)`, typ))
	}
	old, oldR := testSession(t, srv)
	run(old, oldR, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM \"T date\"")
	look := func(x *Session, r *record, typ string) string {
		return strings.ReplaceAll(run(x, r, fmt.Sprintf(`SELECT count(*) FROM "T %[1]s"; SELECT count(*), max(id) FROM "T %[1]s" WHERE ts IS NULL OR ts > '-infinity';
			SELECT count(*) FROM "T %[1]s" WHERE u BETWEEN 0 AND 99; SELECT id FROM "T %[1]s" WHERE u = 60`, typ)), "\n-- SELECT 1\n", ";")
	}
	for _, step := range []struct {
		pass time.Duration
		kept int // of the 100
	}{{0, 31}, {24 * time.Hour, 30}, {time.Hour, 29}, {100 * 24 * time.Hour, 0}} {
		now.Advance(step.pass)
		if err := srv.SweepRetention(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, typ := range []string{"timestamptz", "timestamp", "date"} {
			kept := step.kept
			if typ == "date" && step.pass == time.Hour {
				kept++ // a day ends at midnight
			}
			want := fmt.Sprintf("%d;%d|1001;%d;-- SELECT 0\n", kept+2, kept+2, kept)
			if got := look(x, r, typ); got != want {
				t.Errorf("%s after %v: %q, want %q", typ, step.pass, got, want)
			}
		}
	}
	if got := look(old, oldR, "date"); got != "102;102|1001;100;60;" {
		t.Errorf("the old snapshot sees %q", got)
	}
	if moved == 0 || moved%3 != 0 { // a table and two indexes each
		t.Errorf("events tell of %d stores", moved)
	}
	run(old, oldR, "COMMIT")
	run(x, r, `ALTER TABLE "T date" RESET (omen.ttl, omen.ttl_column); INSERT INTO "T date" VALUES (5, '2000-01-01', 5)`)
	if err := srv.SweepRetention(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := look(x, r, "date"); !strings.HasPrefix(got, "3;") {
		t.Errorf("after RESET: %q", got)
	}
}

// TestRetentionBeforeTheCalendar: a span that no timestamp is so far back keeps every row, and no other table waits for it.
func TestRetentionBeforeTheCalendar(t *testing.T) {
	now := clock.NewManual(retentionStart)
	srv, done := retentionServer(t, vfs.NewVolatile(), now, nil)
	defer done()
	x, r := testSession(t, srv)
	for _, typ := range []string{"timestamptz", "timestamp", "date"} {
		run(x, r, fmt.Sprintf(`CREATE TABLE long_%[1]s (id int, ts %[1]s) WITH (omen.ttl = '100000 years', omen.ttl_column = ts);
			CREATE TABLE short_%[1]s (id int, ts %[1]s) WITH (omen.ttl = '6000 years', omen.ttl_column = ts);
			INSERT INTO long_%[1]s VALUES (1, '-infinity'), (2, '4713-01-01 BC'), (3, now()), (4, NULL), (5, 'infinity');
			INSERT INTO short_%[1]s SELECT * FROM long_%[1]s`, typ))
	}
	for range 2 {
		if err := srv.SweepRetention(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, typ := range []string{"timestamptz", "timestamp", "date"} {
			if got := run(x, r, fmt.Sprintf("SELECT sum(id) FROM long_%[1]s; SELECT sum(id) FROM short_%[1]s", typ)); got != "15\n-- SELECT 1\n12\n-- SELECT 1\n" {
				t.Errorf("%s: %s", typ, got)
			}
		}
		now.Advance(24 * time.Hour)
	}
}

// TestRetentionUnique: a row holds its key until the horizon has passed it,
// whoever has it locked, and in unique indexes too.
func TestRetentionUnique(t *testing.T) {
	now := clock.NewManual(retentionStart)
	srv, done := retentionServer(t, vfs.NewVolatile(), now, nil)
	defer done()
	x, r := testSession(t, srv)
	run(x, r, "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, ts timestamptz) WITH (omen.ttl = '1 day', omen.ttl_column = ts); INSERT INTO t VALUES (1, 1, now())")
	now.Advance(48 * time.Hour)
	if got := run(x, r, "INSERT INTO t VALUES (1, 2, now())"); !strings.Contains(got, "ERROR 23505") {
		t.Error(got)
	}
	other, otherR := testSession(t, srv)
	run(other, otherR, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t FOR UPDATE")
	if err := srv.SweepRetention(context.Background()); err != nil {
		t.Error(err)
	}
	if got := run(x, r, "SELECT count(*) FROM t; SELECT count(u) FROM t WHERE u > 0"); got != "0\n-- SELECT 1\n0\n-- SELECT 1\n" {
		t.Errorf("a locked row: %s", got)
	}
	if got := run(other, otherR, "SELECT id FROM t WHERE u = 1; COMMIT"); !strings.HasPrefix(got, "1\n") {
		t.Errorf("the snapshot that has it locked: %s", got)
	}
	for _, insert := range []string{"INSERT INTO t VALUES (2, 1, now())", "INSERT INTO t VALUES (1, 2, now()) ON CONFLICT DO NOTHING"} {
		if got := run(x, r, insert); got != "-- INSERT 0 1\n" {
			t.Error(insert, got)
		}
	}
	// A row that is written with a time before the horizon is gone when it is committed.
	run(x, r, "INSERT INTO t VALUES (3, 3, '2000-01-01')")
	if got := run(x, r, "SELECT count(*), count(u) FROM t; SELECT count(u) FROM t WHERE u > 0"); !strings.HasSuffix(got, "2|2\n-- SELECT 1\n2\n-- SELECT 1\n") {
		t.Error(got)
	}
}

// TestRetentionAlter: indexes that are there before the retention, or come
// later, follow it; an update of the column moves the end of the row in all of
// them; another span hides nothing that is written from then on.
func TestRetentionAlter(t *testing.T) {
	now := clock.NewManual(retentionStart)
	srv, done := retentionServer(t, vfs.NewVolatile(), now, nil)
	defer done()
	x, r := testSession(t, srv)
	run(x, r, `CREATE TABLE t (id int PRIMARY KEY, u int, ts timestamptz); CREATE INDEX before ON t (u);
		INSERT INTO t SELECT i, i, now() - i * interval '1 day' FROM generate_series(1, 20) i;
		ALTER TABLE t SET (omen.ttl = '10 days', omen.ttl_column = ts); UPDATE t SET ts = now() WHERE id = 20`)
	look := func(want string) {
		t.Helper()
		if err := srv.SweepRetention(context.Background()); err != nil {
			t.Fatal(err)
		}
		run(x, r, "SET enable_seqscan = off")
		got := run(x, r, "SELECT count(*), sum(id) FROM t; SELECT count(u), sum(u) FROM t WHERE u > 0")
		run(x, r, "SET enable_seqscan = on; SET enable_indexonlyscan = off")
		got += run(x, r, "SELECT count(u), sum(u) FROM t WHERE u > 0; SELECT count(*), sum(id) FROM t WHERE id > 0")
		run(x, r, "RESET ALL")
		if want = strings.Repeat(want+"\n-- SELECT 1\n", 4); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	look("11|75")
	run(x, r, "DROP INDEX before; CREATE INDEX later ON t (u) INCLUDE (id); INSERT INTO t VALUES (30, 30, now() - interval '11 days')")
	look("11|75")
	run(x, r, "ALTER TABLE t SET (omen.ttl = '15 days'); INSERT INTO t VALUES (31, 31, now() - interval '12 days'), (32, 32, now() - interval '16 days')")
	look("12|106")
	run(x, r, "ALTER TABLE t ALTER id TYPE bigint")
	look("12|106")
	run(x, r, "REINDEX TABLE t")
	now.Advance(6 * 24 * time.Hour)
	look("10|65")
	run(x, r, "TRUNCATE t; INSERT INTO t VALUES (1, 1, now())")
	look("1|1")
}

// TestRetentionCrash cuts the power before and after a sweep: recovery finds the
// horizon that the log has, whatever the clock says, in the table and its index alike.
func TestRetentionCrash(t *testing.T) {
	for seed := range uint64(4) {
		now := clock.NewManual(retentionStart)
		disk := vfs.NewMem(seed)
		srv, done := retentionServer(t, disk, now, nil)
		x, r := testSession(t, srv)
		run(x, r, `CREATE TABLE t (id int PRIMARY KEY, ts timestamptz) WITH (omen.ttl = '10 days', omen.ttl_column = ts); CREATE INDEX ON t (ts);
			INSERT INTO t SELECT i, now() - i * interval '1 hour' FROM generate_series(1, 500) i`)
		before := disk.CrashClone(nil)
		if err := srv.SweepRetention(context.Background()); err != nil {
			t.Fatal(err)
		}
		after := disk.CrashClone(nil)
		x.Close()
		done()
		now.Advance(time.Duration(seed) * 24 * time.Hour)
		for _, c := range []struct {
			disk *vfs.Mem
			want string
		}{{before, "500|500|500"}, {after, "240|240|240"}} {
			srv, done := retentionServer(t, c.disk, now, nil)
			x, r := testSession(t, srv)
			const look = "SELECT count(*), max(id), (SELECT count(ts) FROM t WHERE ts > '-infinity') FROM t"
			if got := run(x, r, look); got != c.want+"\n-- SELECT 1\n" {
				t.Errorf("seed %d: %s after the crash, want %s", seed, got, c.want)
			}
			if err := srv.SweepRetention(context.Background()); err != nil {
				t.Error(err)
			}
			left := fmt.Sprint(240 - 24*seed)
			if got := run(x, r, look); got != left+"|"+left+"|"+left+"\n-- SELECT 1\n" {
				t.Errorf("seed %d: %s after the next sweep", seed, got)
			}
			x.Close()
			done()
		}
	}
}

// TestRetentionRefused: what a retention cannot be, and what it stands in the way of.
func TestRetentionRefused(t *testing.T) {
	x, r := testSession(t, testServer(t))
	run(x, r, `CREATE TABLE t (id int PRIMARY KEY, ts timestamptz, d date, n int);
		CREATE TABLE child (id int REFERENCES t); CREATE TABLE kept (id int PRIMARY KEY, ts timestamptz) WITH ("omen.ttl"='1 hour', "omen.ttl_column"=ts)`)
	for _, step := range []struct{ sql, want string }{
		{"ALTER TABLE t SET (omen.ttl = '1 day', omen.ttl_column = ts)", "ERROR 42P16: table \"t\" cannot have a retention because a foreign key points to it"},
		{"DROP TABLE child; ALTER TABLE t SET (omen.ttl = '1 day')", "ERROR 22023: options \"omen.ttl\" and \"omen.ttl_column\" must be set together"},
		{"DROP TABLE child; ALTER TABLE t SET (omen.ttl = '1 day', omen.ttl_column = n)", "ERROR 42804: retention column \"n\" is of type integer"},
		{"DROP TABLE child; ALTER TABLE t SET (omen.ttl = '1 day', omen.ttl_column = nothing)", "ERROR 42703: column \"nothing\" of relation \"t\" does not exist"},
		{"DROP TABLE child; ALTER TABLE t SET (omen.ttl = '-1 day', omen.ttl_column = ts)", "ERROR 22023: invalid value for option \"omen.ttl\": -1 day"},
		{"DROP TABLE child; ALTER TABLE t SET (omen.ttl = 'soon', omen.ttl_column = ts)", "ERROR 22007: invalid input syntax for type interval: \"soon\""},
		{"ALTER TABLE t SET (omen.other = 1)", "ERROR 22023: unrecognized parameter namespace \"omen\""},
		{"CREATE TEMP TABLE x (ts date) WITH (omen.ttl = '1 day', omen.ttl_column = ts)", "ERROR 42P16: temporary tables cannot have a retention"},
		{"CREATE TABLE late (id int REFERENCES kept)", "ERROR 42830: foreign keys cannot reference table \"kept\" because it has a retention"},
		{"ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES kept", "ERROR 42830: foreign keys cannot reference table \"kept\" because it has a retention"},
		{"ALTER TABLE kept DROP COLUMN ts", "ERROR 2BP01: cannot drop column \"ts\" because the retention of table \"kept\" depends on it"},
		{"ALTER TABLE kept ALTER COLUMN ts TYPE text", "ERROR 42804: retention column \"ts\" is of type text"},
		{"ALTER TABLE kept RESET (omen.ttl)", "ERROR 22023: options \"omen.ttl\" and \"omen.ttl_column\" must be set together"},
	} {
		if got := run(x, r, "BEGIN; "+step.sql); !strings.Contains(got, step.want+"\n") {
			t.Errorf("%s: %s", step.sql, got)
		}
		run(x, r, "ROLLBACK")
	}
	run(x, r, "ALTER TABLE kept RENAME ts TO at")
	got := run(x, r, "SELECT reloptions FROM pg_class WHERE relname = 'kept'")
	if want := "{\"omen.ttl=1 hour\",omen.ttl_column=at}\n-- SELECT 1\n"; got != want {
		t.Error(got)
	}
	if list := strings.Fields(run(x, r, "ALTER TABLE kept RESET (omen.ttl, omen.ttl_column); ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES kept")); slices.Contains(list, "ERROR") {
		t.Error(list)
	}
}
