package omendb_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/event"
)

// killedWith returns a copy of the directory of a database into which rows were
// inserted by SQL, per rows to a commit, as a killed process leaves it: nothing
// is in data files, all is in the log. The table has a primary key and two more
// indexes, one on scattered numbers and one on texts.
func killedWith(t testing.TB, rows, per int) string {
	t.Helper()
	ctx := context.Background()
	dir := t.TempDir()
	db, err := omendb.Open(dir, omendb.WithMemtableBytes(8<<30), omendb.WithSettings(map[string]string{"synchronous_commit": "off", "max_wal_size": "64GB"}))
	if err != nil {
		t.Fatal(err)
	}
	conn := inside(t, db, "omendb")
	exec := func(sql string, args ...any) {
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE account (id bigint PRIMARY KEY, number bigint, name text, balance numeric)")
	exec("CREATE INDEX ON account (number)")
	exec("CREATE INDEX ON account (name)")
	for from := 0; from < rows; from += per * 1000 {
		pipe := conn.PgConn().StartPipeline(ctx)
		statements := 0
		for at := from; at < min(rows, from+per*1000); at += per {
			pipe.SendQueryParams(fmt.Sprintf("INSERT INTO account SELECT i, i * 2654435761 %% 1000000007, 'customer ' || i * 40503 %% 1000003, i FROM generate_series(%d, %d::bigint) i",
				at, min(rows, at+per)-1), nil, nil, nil, nil)
			if err := pipe.Sync(); err != nil {
				t.Fatal(err)
			}
			statements += 2
		}
		for range statements {
			res, err := pipe.GetResults()
			if err == nil {
				if reader, ok := res.(interface{ Close() error }); ok {
					err = reader.Close()
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := pipe.Close(); err != nil {
			t.Fatal(err)
		}
	}
	exec("SET synchronous_commit = on")
	exec("CREATE TABLE last ()") // everything before it is on disk, too
	killed := t.TempDir()
	if err := os.CopyFS(killed, without{os.DirFS(dir), "LOCK"}); err != nil {
		t.Fatal(err)
	}
	conn.Close(ctx)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return killed
}

// without is a file system that lacks one name.
type without struct {
	fs.FS
	name string
}

func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(w.FS, name)
	var rest []fs.DirEntry
	for _, e := range all {
		if e.Name() != w.name {
			rest = append(rest, e)
		}
	}
	return rest, err
}

// recovery opens a directory and returns what recovery tells when it is done.
func recovery(t testing.TB, dir string, opts ...omendb.Option) (*omendb.DB, event.Event) {
	t.Helper()
	var done event.Event
	db, err := omendb.Open(dir, append(opts, omendb.WithEvents(func(e event.Event) {
		if e.Name == event.RecoveryDone {
			done = e
		}
	}, nil))...)
	if err != nil {
		t.Fatal(err)
	}
	return db, done
}

// TestRecoveryTellsItsRate counts what recovery reports.
func TestRecoveryTellsItsRate(t *testing.T) {
	const rows = 3000
	for _, per := range []int{1, 500} {
		db, done := recovery(t, killedWith(t, rows, per))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		// The catalog's rows of the tables, indexes and types are changes, too.
		if commits := int64(rows / per); done.Changes < 3*rows || done.Changes > 3*rows+300 || done.Count < commits || done.Count > commits+50 || done.Bytes < 100*rows || done.Detail == "" {
			t.Errorf("%d rows, %d to a commit: recovery reports %+v", rows, per, done)
		}
	}
}

// BenchmarkRecovery measures what the server reports at a start after a kill.
//
//	go test . -run xxx -bench Recovery -benchtime 3x
func BenchmarkRecovery(b *testing.B) {
	const rows = 200_000
	for _, per := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d rows to a commit", per), func(b *testing.B) {
			killed := killedWith(b, rows, per)
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				dir := b.TempDir()
				if err := os.CopyFS(dir, os.DirFS(killed)); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				db, done := recovery(b, dir)
				b.StopTimer()
				seconds := done.Duration.Seconds()
				b.ReportMetric(float64(done.Changes)/seconds, "changes/s")
				b.ReportMetric(float64(done.Count)/seconds, "records/s")
				b.ReportMetric(rows/seconds, "rows/s")
				b.ReportMetric(float64(done.Bytes)/seconds/1e6, "MB/s")
				b.Log(done.Detail)
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
				if err := os.RemoveAll(filepath.Clean(dir)); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// TestLogSettings shows the settings of the log, and refuses those that make no sense.
func TestLogSettings(t *testing.T) {
	db, err := omendb.Open(omendb.Memory, omendb.WithSettings(map[string]string{"max_wal_size": "2GB"}),
		omendb.WithSettings(map[string]string{"checkpoint_timeout": "90s", "max_wal_size": "32MB"}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn := inside(t, db, "omendb")
	for name, want := range map[string]string{"max_wal_size": "32MB", "checkpoint_timeout": "90s", "min_wal_size": "80MB"} {
		var got string
		if err := conn.QueryRow(context.Background(), "SHOW "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := conn.Exec(context.Background(), "SET max_wal_size = '1GB'"); err == nil {
		t.Error("max_wal_size can be set in a session, where it has no effect")
	}
	for _, bad := range []string{"1MB", "much", "-1", "1s"} {
		if db, err := omendb.Open(omendb.Memory, omendb.WithSettings(map[string]string{"max_wal_size": bad})); err == nil {
			db.Close()
			t.Errorf("max_wal_size %q is taken", bad)
		}
	}
}
