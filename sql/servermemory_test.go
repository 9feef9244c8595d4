package sql

import (
	"context"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/pgerr"
)

// TestServerMemory: many sessions that each may take more than the server has end with 53200 or give the answer with the help
// of the disk; what they hold together stays below the limit; others are served; afterwards nothing is held.
func TestServerMemory(t *testing.T) {
	const limit = 8 << 20
	dir := t.TempDir()
	srv := openServer(t, engine.Options{FS: vfs.OS(), Dir: t.TempDir()}, Options{TempFS: vfs.OS(), TempDir: dir, Defaults: map[string]string{serverMemory: "8MB"}})
	other, point := testSession(t, srv)
	if got := run(other, point, "SHOW omen.server_memory"); got != "8MB\n-- SHOW\n" {
		t.Errorf("the setting is %q", got)
	}
	run(other, point, "CREATE TABLE t AS SELECT g id, g % 100 k, md5(g::text) || repeat(md5((g % 7)::text), 7) s FROM generate_series(1, 30000) g")
	statements := []struct {
		sql  string
		must bool // it has an answer: it can go to disk
	}{
		{"SELECT s, id FROM t ORDER BY s", true},
		{"SELECT count(*), sum(n) FROM (SELECT s, count(*) n FROM t GROUP BY s) q", true},
		{"SELECT count(*) FROM t a JOIN t b ON a.s = b.s", true},
		{"SELECT count(*) FROM (SELECT s FROM t INTERSECT SELECT s FROM t) q", true},
		{"SELECT cardinality(array_agg(s)) FROM t", false},
		{"SELECT length(string_agg(s, ',')) FROM t", false},
		{"SELECT count(DISTINCT s || id) FROM t", false},
	}
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			if used := srv.Memory().Used(); used > limit {
				t.Errorf("%d bytes are held", used)
			}
			if got := run(other, point, "SELECT count(*) FROM t WHERE k = 7"); got != "300\n-- SELECT 1\n" {
				t.Errorf("another session got %q", got)
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	session := func() (*Session, *digest) {
		d := &digest{seed: maphash.MakeSeed()}
		x, err := srv.Connect(ConnectOptions{User: "omendb", Database: "postgres", Client: d})
		if err != nil {
			t.Fatal(err)
		}
		d.env = x.Env()
		run(x, &d.record, "SET work_mem = '64MB'")
		return x, d
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	answers, refused := map[string]string{}, 0
	answered := func(sql string, d *digest) {
		rows := fmt.Sprintf("%d rows, %s", d.rows, d.out.String())
		if before, ok := answers[sql]; ok && before != rows {
			t.Errorf("%s: %s and %s", sql, before, rows)
		}
		answers[sql] = rows
	}
	for i := range 3 * len(statements) {
		x, d := session()
		wait.Go(func() {
			defer x.Close()
			c := statements[i%len(statements)]
			_, failed := d.ask(x, c.sql) // its sum has another seed in each session
			mu.Lock()
			defer mu.Unlock()
			switch {
			case failed == nil:
				answered(c.sql, d)
			case failed.Code == pgerr.OutOfMemory:
				refused++
			default:
				t.Errorf("%s: %s %s", c.sql, failed.Code, failed.Message)
			}
		})
	}
	wait.Wait()
	close(stop)
	<-watched
	t.Logf("%d of %d were refused", refused, 3*len(statements))
	if refused == 0 || srv.Memory().Refused() == 0 {
		t.Error("the limit was never reached")
	}
	for _, c := range statements { // alone, with the help of the disk
		if !c.must {
			continue
		}
		x, d := session()
		if _, failed := d.ask(x, c.sql); failed != nil {
			t.Errorf("%s: %s %s", c.sql, failed.Code, failed.Message)
		} else {
			answered(c.sql, d)
		}
		x.Close()
	}
	runtime.GC()
	if used := srv.Memory().Used(); used != 0 {
		t.Errorf("%d bytes are held by nobody", used)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d temporary files remain, %v", len(left), err)
	}
	if err := other.Simple(context.Background(), "SELECT count(*) FROM (SELECT s, id FROM t ORDER BY s OFFSET 0) q", point); err != nil {
		t.Errorf("after all: %v", err)
	}
}
