package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// archived is a server with an archive, as a test uses it.
type archived struct {
	t                  *testing.T
	dir, archive, repo string
	s                  *server
	c                  *pgx.Conn
}

func (a *archived) start() {
	a.t.Helper()
	a.s = startServer(a.t, a.dir, "--archive-dir", a.archive, "--archive-interval", "20ms")
	a.c = a.s.mustConnect("sslmode=disable passfile=%s", filepath.Join(a.dir, passFile))
}

func (a *archived) insert(from, to int) {
	a.t.Helper()
	must(a.t, a.c, fmt.Sprintf("INSERT INTO n SELECT g, repeat('x', 500) FROM generate_series(%d, %d) g", from, to))
}

func (a *archived) text(query string) (s string) {
	a.t.Helper()
	if err := a.c.QueryRow(context.Background(), query).Scan(&s); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return s
}

// restored restores to a target and returns how many rows there are.
func (a *archived) restored(target ...string) int {
	a.t.Helper()
	dir := filepath.Join(a.t.TempDir(), "restored")
	code, out, errs := finish(a.t, append([]string{"restore", "--from", a.repo, "--data-dir", dir, "--archive", a.archive}, target...)...)
	if code != 0 {
		a.t.Fatalf("restore %v: exit code %d\n%s%s", target, code, out, errs)
	}
	s := startServer(a.t, dir)
	defer s.kill()
	c := s.mustConnect("sslmode=disable passfile=%s", filepath.Join(a.dir, passFile))
	if n := count(a.t, c, "SELECT count(*) FROM n WHERE t = repeat('x', 500)"); n != count(a.t, c, "SELECT max(id) FROM n") {
		a.t.Errorf("restore %v: %d rows with gaps", target, n)
	}
	return count(a.t, c, "SELECT count(*) FROM n")
}

// TestPointInTime backs a server up, goes on writing, kills it, and restores to points between, with the log from the archive.
func TestPointInTime(t *testing.T) {
	base := t.TempDir()
	a := &archived{t: t, dir: filepath.Join(base, "data"), archive: filepath.Join(base, "archive"), repo: filepath.Join(base, "repo")}
	a.start()
	must(t, a.c, "CREATE TABLE n (id int PRIMARY KEY, t text)")
	a.insert(1, 1000)
	url := fmt.Sprintf("postgres://omendb@%s/postgres?sslmode=disable&passfile=%s", a.s.addr, filepath.Join(a.dir, passFile))
	if code, out, errs := finish(t, "backup", "--url", url, "--to", a.repo); code != 0 {
		t.Fatalf("backup: %d\n%s%s", code, out, errs)
	}
	a.insert(1001, 2000)
	lsn := a.text("SELECT pg_current_wal_lsn()::text")
	must(t, a.c, "SELECT pg_create_restore_point('before the mistake')")
	time.Sleep(20 * time.Millisecond)
	at, err := time.Parse(time.RFC3339Nano, a.text("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	a.insert(2001, 3000)
	must(t, a.c, "SELECT pg_switch_wal()")
	a.awaitArchive()
	a.s.kill()
	a.start()
	a.insert(3001, 4000)
	must(t, a.c, "CHECKPOINT")
	if code := a.s.stop(os.Interrupt); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	number, err := parseLSN(lsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want   int
		target []string
	}{
		{2000, []string{"--to-lsn", lsn}}, {2000, []string{"--to-lsn", strconv.FormatUint(number, 10)}},
		{2000, []string{"--to-label", "before the mistake"}}, {2000, []string{"--to-time", at.Format(time.RFC3339Nano)}}, {4000, nil},
	} {
		if n := a.restored(c.target...); n != c.want {
			t.Errorf("restore %v: %d rows, want %d", c.target, n, c.want)
		}
	}
	a.refused()
}

// awaitArchive waits until a whole log file is in the archive and the view says so.
func (a *archived) awaitArchive() {
	a.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if count(a.t, a.c, "SELECT count(*) FROM pg_stat_archiver WHERE archived_count > 0 AND last_archived_time >= stats_reset AND failed_count = 0") == 1 {
			break
		}
		if time.Now().After(end) {
			a.t.Fatal("nothing is archived: ", a.text("SELECT row_to_json(a)::text FROM pg_stat_archiver AS a"))
		}
	}
	name := a.text("SELECT last_archived_wal FROM pg_stat_archiver")
	if _, err := os.Stat(filepath.Join(a.archive, "wal", name)); err != nil {
		a.t.Error(err)
	}
	if mode := a.text("SHOW archive_mode"); mode != "on" {
		a.t.Errorf("archive_mode is %s", mode)
	}
}

// refused tries archives and targets that do not fit.
func (a *archived) refused() {
	t, base := a.t, a.t.TempDir()
	fails := func(why string, args ...string) {
		t.Helper()
		code, out, errs := finish(t, args...)
		if code == 0 || !strings.Contains(errs, why) {
			t.Errorf("%v: exit code %d, want a reason with %q\n%s%s", args, code, why, out, errs)
		}
	}
	other := &archived{t: t, dir: filepath.Join(base, "other"), archive: filepath.Join(base, "other-archive")}
	other.start()
	other.s.stop(os.Interrupt)
	to := filepath.Join(base, "out")
	fails("belongs to another database", "restore", "--from", a.repo, "--data-dir", to, "--archive", other.archive)
	fails("belongs to another database", "start", "--data-dir", other.dir, "--archive-dir", a.archive, "--listen", "127.0.0.1:0", "--socket-dir", "")
	to += "2"
	if code, _, errs := finish(t, "restore", "--from", a.repo, "--data-dir", to); code != 0 {
		t.Fatal(errs)
	}
	fails("another history", "start", "--data-dir", to, "--archive-dir", a.archive, "--listen", "127.0.0.1:0", "--socket-dir", "")
	to += "3"
	fails("no restore point", "restore", "--from", a.repo, "--data-dir", to, "--archive", a.archive, "--to-label", "never set")
	fails("no position of the log", "restore", "--from", a.repo, "--data-dir", to+"4", "--to-lsn", "here")
	if code, out, errs := finish(t, "backup", "verify", "--from", a.repo); code != 0 || !strings.Contains(out, "is good") {
		t.Errorf("backup verify: %d\n%s%s", code, out, errs)
	}
	name, size := largestSegment(t, a.repo)
	damage(t, name, size/2)
	fails("is damaged", "backup", "verify", "--from", a.repo)
	fails("is damaged", "restore", "--from", a.repo, "--data-dir", to+"5")
	if err := os.Truncate(name, size/2); err != nil {
		t.Fatal(err)
	}
	fails("the backup had", "restore", "--from", a.repo, "--data-dir", to+"6")
}
