package main

import (
	"archive/tar"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// goldenDir holds one data directory of a server for each released set of formats, packed. They are never written again:
// OMENDB_WRITE_GOLDEN=v2 makes the next.
const (
	goldenDir      = "testdata/golden"
	goldenPassword = "golden"
)

// goldenSchema uses what is stored in a form of its own: types, defaults, checks, views, indexes on expressions, functions.
var goldenSchema = []string{
	"CREATE TYPE mood AS ENUM ('low', 'high')",
	"CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
	"CREATE TABLE parent (id serial PRIMARY KEY, name text COLLATE \"C\" NOT NULL DEFAULT 'nobody', at timestamptz, price numeric(10, 2), m mood, tags text[], doc jsonb, p positive, b bytea)",
	"CREATE UNIQUE INDEX parent_name ON parent (lower(name))",
	"CREATE INDEX parent_price ON parent (price DESC) INCLUDE (name)",
	"CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent ON DELETE CASCADE, twice int GENERATED ALWAYS AS (id * 2) STORED, CHECK (id <> 13))",
	"CREATE VIEW both_of_them AS SELECT p.name, c.id FROM parent p JOIN child c ON c.parent = p.id WHERE p.price > 1",
	"CREATE FUNCTION double(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'",
	"CREATE ROLE reader LOGIN PASSWORD 'reader'", "GRANT SELECT ON parent TO reader",
	"INSERT INTO parent (name, at, price, m, tags, doc, p, b) SELECT 'name ' || g, '2026-01-01'::timestamptz + g * interval '1 hour', g * 1.25, 'high', ARRAY['a', 'b' || g], jsonb_build_object('n', g), g, decode(repeat('ab', g), 'hex') FROM generate_series(1, 500) g",
	"CHECKPOINT",
	"INSERT INTO child SELECT g, g FROM generate_series(101, 200) g",
	"UPDATE parent SET name = repeat('long ', 800) WHERE id = 7", "DELETE FROM parent WHERE id = 150",
	"ALTER TABLE child ADD COLUMN added text DEFAULT 'was not there'",
}

// goldenQueries must give these numbers.
var goldenQueries = []struct {
	sql  string
	want int
}{
	{"SELECT count(*) FROM parent", 499}, {"SELECT count(*) FROM child WHERE added = 'was not there' AND twice = id * 2", 99},
	{"SELECT count(*) FROM both_of_them", 99}, {"SELECT id FROM parent WHERE lower(name) = 'name 42'", 42},
	{"SELECT count(*) FROM parent WHERE price > 600", 20}, {"SELECT double(21)", 42}, {"SELECT length(name) FROM parent WHERE id = 7", 4000},
	{"SELECT count(*) FROM parent WHERE m = 'high' AND tags[2] = 'b' || id AND (doc->>'n')::int = id AND length(b) = id", 499},
	{"SELECT count(*) FROM pg_indexes WHERE tablename = 'parent'", 3}, {"SELECT count(*) FROM pg_roles WHERE rolname = 'reader'", 1},
}

// TestGoldenDirectoriesStart starts the server on every released directory, reads and writes.
func TestGoldenDirectoriesStart(t *testing.T) {
	if v := os.Getenv("OMENDB_WRITE_GOLDEN"); v != "" {
		writeGolden(t, filepath.Join(goldenDir, v+tarSuffix))
	}
	list, err := filepath.Glob(filepath.Join(goldenDir, "*"+tarSuffix))
	if err != nil || len(list) == 0 {
		t.Fatalf("no directories (%v)", err)
	}
	for _, name := range list {
		t.Run(strings.TrimSuffix(filepath.Base(name), tarSuffix), func(t *testing.T) {
			dir := unpackGolden(t, name)
			s := startServer(t, dir)
			c := s.mustConnect("sslmode=disable password=%s", goldenPassword)
			for _, q := range goldenQueries {
				if n := count(t, c, q.sql); n != q.want {
					t.Errorf("%s: %d, want %d", q.sql, n, q.want)
				}
			}
			must(t, c, "INSERT INTO parent (name, price) VALUES ('new', 2)")
			if n := count(t, c, "SELECT id FROM parent WHERE name = 'new'"); n <= 500 {
				t.Errorf("the sequence went back to %d", n)
			}
			if _, err := c.Exec(t.Context(), "INSERT INTO child VALUES (13, 1)"); err == nil {
				t.Error("the check is gone")
			}
			if code := s.stop(os.Interrupt); code != 0 {
				t.Errorf("exit code %d\n%s", code, s.logged())
			}
			if code, out, errs := finish(t, "verify", "--data-dir", dir); code != 0 {
				t.Errorf("verify: %d\n%s%s", code, out, errs)
			}
		})
	}
}

// TestNewerFilesAreRefused raises the version of one file after the other, as a newer program would have written it: the server
// does not start, says which file and what to do, and changes nothing.
func TestNewerFilesAreRefused(t *testing.T) {
	sums := crc32.MakeTable(crc32.Castagnoli)
	for _, c := range []struct {
		file  string // a pattern
		raise func(b []byte)
	}{
		{"MANIFEST", func(b []byte) {
			b[8] = 99
			binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], sums))
		}},
		{"SYSTEM", func(b []byte) {
			b[8] = 99
			binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], sums))
		}},
		{"wal/*.wal", func(b []byte) {
			b[8] = 99
			binary.LittleEndian.PutUint32(b[64:], crc32.Checksum(b[:64], sums))
		}},
		{"segments/*.seg", func(b []byte) {
			trailer := b[len(b)-40:]
			trailer[24] = 99
			binary.LittleEndian.PutUint32(trailer[28:], crc32.Checksum(trailer[:28], sums))
		}},
	} {
		dir := unpackGolden(t, filepath.Join(goldenDir, "v1"+tarSuffix))
		names, err := filepath.Glob(filepath.Join(dir, c.file))
		if err != nil || len(names) == 0 {
			t.Fatalf("no %s (%v)", c.file, err)
		}
		name := names[len(names)-1]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c.raise(b)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := finish(t, "start", "--data-dir", dir, "--listen", "127.0.0.1:0", "--socket-dir", "")
		if code != exitFailure || !strings.Contains(errs, filepath.Base(name)) || !strings.Contains(errs, "version 99") || !strings.Contains(errs, "newer") {
			t.Errorf("%s: exit code %d\n%s%s", c.file, code, out, errs)
		}
		if after, err := os.ReadFile(name); err != nil || string(after) != string(b) {
			t.Errorf("%s was changed (%v)", name, err)
		}
	}
}

// writeGolden packs the directory of a server that was killed.
func writeGolden(t *testing.T, name string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if code, _, errs := finish(t, "init", "--data-dir", dir, "--user", "omendb", "--password", goldenPassword); code != 0 {
		t.Fatal(errs)
	}
	s := startServer(t, dir)
	c := s.mustConnect("sslmode=disable password=%s", goldenPassword)
	for _, sql := range goldenSchema {
		must(t, c, sql)
	}
	s.kill()
	if err := os.MkdirAll(goldenDir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	err = filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || filepath.Ext(path) == ".spare" || filepath.Base(path) == "LOCK" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(dir, path)
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: filepath.ToSlash(inside), Mode: 0o600, Size: int64(len(b))})
		}
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	if err := errors.Join(err, w.Close(), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// unpackGolden makes a directory of a packed one.
func unpackGolden(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}
