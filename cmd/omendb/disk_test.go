package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/vfs"
)

// failingSyncs names a file. As soon as it is there, no sync of the log works any more.
const failingSyncs = "OMENDB_TEST_FAILING_SYNCS"

// failing is a disk on which syncs of log files fail while a file is there.
type failing struct {
	vfs.FS
	trigger string
}

func (f failing) OpenReadWrite(name string) (vfs.File, error) {
	h, err := f.FS.OpenReadWrite(name)
	if err != nil || !strings.HasPrefix(path.Base(path.Dir(name)), "wal") {
		return h, err
	}
	return failingFile{h, f.trigger}, nil
}

type failingFile struct {
	vfs.File
	trigger string
}

func (f failingFile) SyncData() error {
	if _, err := os.Stat(f.trigger); err == nil {
		return &fs.PathError{Op: "fdatasync", Path: "log", Err: syscall.EIO}
	}
	return f.File.SyncData()
}

// startOnFailingDisk is omendb start on such a disk.
func startOnFailingDisk(trigger string) int {
	c := startCommandWith(&startFlags{more: []omendb.Option{omendb.WithFileSystem(failing{vfs.OS(), trigger})}})
	c.SetArgs(os.Args[2:])
	if err := c.Execute(); err != nil {
		return exitFailure
	}
	return 0
}

// inSocket logs in as the owner.
func (s *server) inSocket() *pgx.Conn {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.addr)
	c, err := pgx.Connect(context.Background(), fmt.Sprintf("host=%s port=%s user=omendb database=postgres", s.socket, port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// TestFailedSyncEndsTheServer lets a sync of the log fail while sessions commit:
// the process ends with its own exit code, what it acknowledged is there after
// the next start, and of the rest nothing but whole transactions that were under way.
func TestFailedSyncEndsTheServer(t *testing.T) {
	dir, trigger := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "now")
	t.Setenv(failingSyncs, trigger)
	s := startServer(t, dir)
	must(t, s.inSocket(), "CREATE TABLE t (client int, n int, note text, PRIMARY KEY (client, n))")
	must(t, s.inSocket(), "CREATE INDEX ON t (note)")
	const clients = 4
	var acked [clients]atomic.Int64
	ended := make(chan error, clients)
	for i := range clients {
		c := s.inSocket()
		go func() {
			for n := 1; ; n++ {
				if _, err := c.Exec(context.Background(), "INSERT INTO t VALUES ($1, $2, 'some note'), ($1, -$2, 'another')", i, n); err != nil {
					ended <- err
					return
				}
				acked[i].Store(int64(n))
			}
		}()
	}
	for acked[0].Load() < 20 {
		time.Sleep(time.Millisecond)
	}
	if err := os.WriteFile(trigger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range clients {
		<-ended // nobody was told that a commit had worked from then on
	}
	_ = s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != exitFatal || !strings.Contains(s.logged(), "the log cannot be written") {
		t.Fatalf("exit code %d\n%s", code, s.logged())
	}
	t.Setenv(failingSyncs, "")
	s = startServer(t, dir)
	c := s.inSocket()
	for i := range clients {
		n := int(acked[i].Load())
		there := count(t, c, fmt.Sprintf("SELECT count(*) FROM t WHERE client = %d", i))
		if there != 2*n && there != 2*(n+1) || count(t, c, fmt.Sprintf("SELECT coalesce(max(n), 0) FROM t WHERE client = %d", i)) != there/2 {
			t.Errorf("client %d: %d rows are there, %d transactions of two were acknowledged", i, there, n)
		}
	}
	if a, b := count(t, c, "SELECT count(*) FROM t WHERE n > 0"), count(t, c, "SELECT count(*) FROM t WHERE note = 'some note'"); a != b {
		t.Errorf("the index leads to %d rows, there are %d", b, a)
	}
}

// smallDisk mounts a file system of so many MB, or skips the test.
func smallDisk(t *testing.T, mb int) string {
	t.Helper()
	dir := t.TempDir()
	if err := mountSmall(dir, mb); err != nil {
		t.Skipf("SKIP: no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unmountSmall(dir); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// sqlState returns the SQLSTATE of an error.
func sqlState(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return fmt.Sprint(err)
}

// TestFullDisk fills a real disk under a server: writes get 53100, reads go on,
// a killed server starts on the full disk, and when there is room again work goes
// on without a restart. Nothing acknowledged is lost.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, 160)
	dir := filepath.Join(disk, "data")
	ctx := context.Background()
	s := startServer(t, dir, "--max-wal-size", "64MB")
	c := s.inSocket()
	must(t, c, "CREATE TABLE t (id int PRIMARY KEY, note text)")
	must(t, c, "CREATE INDEX ON t (note)")
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 30<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	next, acked := 0, 0
	insert := func() error {
		_, err := c.Exec(ctx, "INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series($1::int, $2::int) i", next+1, next+500)
		if err == nil {
			next += 500
			acked = next
		}
		return err
	}
	var err error
	for err == nil && acked < 1_000_000 {
		err = insert()
	}
	if state := sqlState(err); state != "53100" {
		t.Fatalf("after %d rows a write on a full disk gets %s: %v", acked, state, err)
	}
	readable := func() {
		t.Helper()
		if n := count(t, c, "SELECT count(*) FROM t"); n != acked {
			t.Fatalf("%d rows are there, %d were acknowledged", n, acked)
		}
		if n := count(t, c, fmt.Sprintf("SELECT id FROM t WHERE note = repeat(md5('%d'), 20)", acked)); n != acked {
			t.Fatalf("row %d of %d is found by its note", n, acked)
		}
	}
	readable()
	// Filled to the last byte, killed, and started.
	if rest, ferr := os.Create(filepath.Join(disk, "rest")); ferr == nil {
		for buf := make([]byte, 4096); ferr == nil; {
			_, ferr = rest.Write(buf)
		}
		rest.Close()
	}
	s.kill()
	s = startServer(t, dir, "--max-wal-size", "64MB")
	c = s.inSocket()
	readable()
	for range 3 {
		if err := insert(); err != nil && sqlState(err) != "53100" {
			t.Fatalf("a write on a full disk: %v", err)
		}
	}
	readable()
	pid := s.cmd.Process.Pid
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if err = insert(); err == nil {
			break
		}
		if sqlState(err) != "53100" || time.Now().After(until) {
			t.Fatalf("with room again a write gets %v\n%s", err, s.logged())
		}
	}
	for range 5 {
		if err := insert(); err != nil {
			t.Fatal(err)
		}
	}
	readable()
	if s.cmd.Process.Pid != pid || s.cmd.ProcessState != nil {
		t.Fatal("it was not the same process")
	}
	s.kill()
	s = startServer(t, dir, "--max-wal-size", "64MB")
	c = s.inSocket()
	readable()
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.logged())
	}
}

// TestRecoverToRecord damages the log of a killed server. It does not start and
// says which command gives up the rest; that command keeps what it takes away, and
// what comes before the damage is there.
func TestRecoverToRecord(t *testing.T) {
	for _, how := range []string{"a byte in the middle", "the newest file is gone"} {
		t.Run(how, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s := startServer(t, dir, "--max-wal-size", "32MB") // with log files of 4 MB
			c := s.inSocket()
			must(t, c, "CREATE TABLE t (id int PRIMARY KEY, note text)")
			must(t, c, "CREATE INDEX ON t (note)")
			must(t, c, "CHECKPOINT")
			for i := range 10 {
				must(t, c, fmt.Sprintf("INSERT INTO t SELECT %d * 1000 + g, repeat('x', 500) || g FROM generate_series(1, 1000) g", i))
			}
			s.kill()
			files, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
			if err != nil || len(files) < 2 {
				t.Fatal(files, err)
			}
			name := files[len(files)-1]
			if how == "a byte in the middle" {
				damage(t, name, 10_000)
			} else if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			code, _, msg := finish(t, "start", "--data-dir", dir, "--listen", "127.0.0.1:0", "--socket-dir", "")
			advice := regexp.MustCompile(`omendb (recover --data-dir \S+ --to-lsn \d+ --accept-loss)`).FindStringSubmatch(msg)
			if code != exitFailure || advice == nil || !strings.Contains(msg, filepath.Base(name)) {
				t.Fatalf("exit code %d: %s", code, msg)
			}
			if code, _, msg := finish(t, "recover", "--data-dir", dir, "--to-lsn", "5"); code != exitUsage || !strings.Contains(msg, "--accept-loss") {
				t.Errorf("without --accept-loss: exit code %d: %s", code, msg)
			}
			if code, _, msg := finish(t, "recover", "--data-dir", dir, "--to-lsn", "1", "--accept-loss"); code != exitFailure {
				t.Errorf("to a record that data files contain: exit code %d: %s", code, msg)
			}
			if code, _, msg := finish(t, "recover", "--data-dir", dir, "--to-lsn", "999999", "--accept-loss"); code != exitFailure {
				t.Errorf("to a record that is not there: exit code %d: %s", code, msg)
			}
			if code, out, msg := finish(t, strings.Fields(advice[1])...); code != 0 {
				t.Fatalf("exit code %d: %s%s", code, out, msg)
			}
			kept, err := filepath.Glob(filepath.Join(dir, "wal.before-recovery-to-*", "*"))
			if err != nil || len(kept) == 0 {
				t.Errorf("nothing was kept: %v", err)
			}
			s = startServer(t, dir)
			c = s.inSocket()
			n := count(t, c, "SELECT count(*) FROM t")
			if n%1000 != 0 || n == 0 || n >= 10_000 || count(t, c, "SELECT max(id) FROM t") != (n/1000-1)*1000+1000 {
				t.Errorf("%d rows are left of whole transactions of 1000", n)
			}
			must(t, c, "INSERT INTO t VALUES (0, 'goes on')")
			if code := s.stop(syscall.SIGTERM); code != 0 {
				t.Fatalf("exit code %d", code)
			}
			if code, _, msg := finish(t, "verify", "--data-dir", dir); code != 0 {
				t.Errorf("verify: %s", msg)
			}
		})
	}
}
