package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// largestSegment names the biggest data file of a directory.
func largestSegment(t *testing.T, dir string) (name string, size int64) {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, "segments"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Size() > size {
			name, size = filepath.Join(dir, "segments", e.Name()), info.Size()
		}
	}
	return name, size
}

// damage changes a byte of a file.
func damage(t *testing.T, name string, off int64) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[off] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// bigAndOther makes a table of 20,000 rows, whose file is the largest, and one of two.
func bigAndOther(t *testing.T, c *pgx.Conn) {
	t.Helper()
	must(t, c, "CREATE TABLE big (id int PRIMARY KEY, note text)")
	must(t, c, "INSERT INTO big SELECT g, md5(g::text) FROM generate_series(1, 20000) g")
	must(t, c, "CREATE TABLE other (id int PRIMARY KEY)")
	must(t, c, "INSERT INTO other VALUES (1), (2)")
}

// TestDamageIsNamed damages a byte of a table's data file. Reading the rows there is an error that names the table, other
// tables are readable, the scrub finds it, and so does verify.
func TestDamageIsNamed(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	pass := filepath.Join(dir, passFile)
	s := startServer(t, dir)
	c := s.mustConnect("sslmode=disable passfile=%s", pass)
	bigAndOther(t, c)
	must(t, c, "ALTER TABLE big RENAME TO renamed")
	if code := s.stop(os.Interrupt); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	name, size := largestSegment(t, dir)
	damage(t, name, size/2)
	s = startServer(t, dir, "--scrub-mb", "1000")
	c = s.mustConnect("sslmode=disable passfile=%s", pass)
	_, err := c.Exec(ctx, "SELECT count(note) FROM renamed WHERE note <> ''")
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.Code != "XX001" || answer.TableName != "renamed" || answer.SchemaName != "public" ||
		!strings.Contains(answer.Message, `table "renamed" is damaged`) || !strings.Contains(answer.Message, filepath.Base(name)) {
		t.Errorf("%v: %+v", err, answer)
	}
	if n := count(t, c, "SELECT count(*) FROM other"); n != 2 {
		t.Errorf("the other table has %d rows", n)
	}
	if n := count(t, c, "SELECT count(*) FROM renamed WHERE id IN (1, 20000) AND note <> ''"); n != 2 {
		t.Errorf("of the rows at the ends %d can be read", n)
	}
	for end := time.Now().Add(20 * time.Second); count(t, c, "SELECT rounds FROM omen_scrub") == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the scrub does not end")
		}
	}
	if n := count(t, c, "SELECT count(*) FROM omen_damage WHERE schemaname = 'public' AND relname = 'renamed' AND lower_key < upper_key AND position > 0"); n != 1 {
		t.Errorf("%d findings", n)
	}
	if n := count(t, c, "SELECT damaged FROM omen_scrub WHERE bytes_done = bytes_total AND last_finished >= round_start"); n != 1 {
		t.Errorf("damaged is %d", n)
	}
	if log := s.logged(); !strings.Contains(log, "damage found by scrub") || !strings.Contains(log, filepath.Base(name)) {
		t.Errorf("the log says\n%s", log)
	}
	s.stop(os.Interrupt)
	code, out, errs := finish(t, "verify", "--data-dir", dir)
	if code != exitFailure || !strings.Contains(out, filepath.Base(name)) || !strings.Contains(out, "keys ") || !strings.Contains(errs, "1 files are damaged") {
		t.Errorf("verify: exit code %d\n%s%s", code, out, errs)
	}
}

// TestServerStartsWithADamagedFile damages the footer of a table's data file, without which no row of it is found: the
// server starts, says so, names the table when it is read, and serves everything else.
func TestServerStartsWithADamagedFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	pass := filepath.Join(dir, passFile)
	s := startServer(t, dir)
	c := s.mustConnect("sslmode=disable passfile=%s", pass)
	bigAndOther(t, c)
	if code := s.stop(os.Interrupt); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	name, size := largestSegment(t, dir)
	damage(t, name, size-100) // the footer's end: the model, or fences
	s = startServer(t, dir)
	c = s.mustConnect("sslmode=disable passfile=%s", pass)
	var answer *pgconn.PgError
	_, err := c.Exec(context.Background(), "SELECT note FROM big WHERE id = 7")
	if !errors.As(err, &answer) || answer.Code != "XX001" || answer.TableName != "big" || !strings.Contains(answer.Message, filepath.Base(name)) || !strings.Contains(answer.Message, "offset") {
		t.Errorf("%v: %+v", err, answer)
	}
	must(t, c, "INSERT INTO other VALUES (3)")
	if n := count(t, c, "SELECT count(*) FROM other"); n != 3 {
		t.Errorf("the other table has %d rows", n)
	}
	if n := count(t, c, "SELECT count(*) FROM omen_damage WHERE relname = 'big'"); n != 1 {
		t.Errorf("%d findings", n)
	}
	if log := s.logged(); !strings.Contains(log, "damage found at start") || !strings.Contains(log, filepath.Base(name)) {
		t.Errorf("the log says\n%s", log)
	}
	must(t, c, "DROP TABLE big")
	s.stop(os.Interrupt)
	if code, out, errs := finish(t, "verify", "--data-dir", dir); code != 0 {
		t.Errorf("verify after the table is gone: exit code %d\n%s%s", code, out, errs)
	}
}
