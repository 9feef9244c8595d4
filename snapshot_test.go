package omendb_test

import (
	"context"
	"testing"

	"github.com/omendb/omendb"
)

// TestExportedSnapshot shares what one transaction sees with another session.
func TestExportedSnapshot(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a, b := inside(t, db, "omendb"), inside(t, db, "omendb")
	exec(t, a, "CREATE TABLE t(x int)", "INSERT INTO t VALUES (1)", "CREATE DATABASE other", "BEGIN ISOLATION LEVEL REPEATABLE READ")
	var id string
	if err := a.QueryRow(context.Background(), "SELECT pg_export_snapshot()").Scan(&id); err != nil {
		t.Fatal(err)
	}
	exec(t, b, "INSERT INTO t VALUES (2)", "BEGIN ISOLATION LEVEL REPEATABLE READ", "SET TRANSACTION SNAPSHOT '"+id+"'")
	var n int
	if err := b.QueryRow(context.Background(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 1 {
		t.Error(n, err)
	}
	exec(t, b, "COMMIT")
	for statement, want := range map[string]string{
		"BEGIN; SET TRANSACTION SNAPSHOT '" + id + "'":                                           "0A000", // READ COMMITTED
		"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SET TRANSACTION SNAPSHOT '" + id + "'": "25001",
		"BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT 'x'":                    "22023",
		"BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '00000001-00000001-9'":  "22023",
		"BEGIN ISOLATION LEVEL SERIALIZABLE; SET TRANSACTION SNAPSHOT '" + id + "'":              "0A000",
		"BEGIN; SAVEPOINT a; SELECT pg_export_snapshot()":                                        "25001",
		"BEGIN; SELECT pg_export_snapshot(); PREPARE TRANSACTION 'p'":                            "0A000",
	} {
		if got := code(b, statement); got != want {
			t.Errorf("%s: %q, want %q", statement, got, want)
		}
		exec(t, b, "ROLLBACK")
	}
	exec(t, a, "COMMIT")
	if got := code(b, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '"+id+"'"); got != "22023" {
		t.Errorf("after the exporter's end: %q", got)
	}
}

// TestExportedSnapshotSerializable hands on the snapshot of a SERIALIZABLE transaction: who takes it is refused where
// PostgreSQL refuses, and is watched as if it had begun with the exporter.
func TestExportedSnapshotSerializable(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a, b, c := inside(t, db, "omendb"), inside(t, db, "omendb"), inside(t, db, "omendb")
	exec(t, a, "CREATE TABLE t(id int PRIMARY KEY, x int)", "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)")
	exported := func(begin string) (id string) {
		t.Helper()
		exec(t, a, begin)
		if err := a.QueryRow(context.Background(), "SELECT pg_export_snapshot()").Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	importing := func(begin, id string) string {
		exec(t, b, begin)
		return code(b, "SET TRANSACTION SNAPSHOT '"+id+"'")
	}
	const serializable = "BEGIN ISOLATION LEVEL SERIALIZABLE"
	for _, test := range []struct{ from, to, want string }{
		{"BEGIN", serializable, "0A000"},
		{"BEGIN ISOLATION LEVEL REPEATABLE READ", serializable, "0A000"},
		{serializable, serializable, ""},
		{serializable, serializable + " READ ONLY", ""},
		{serializable, serializable + " READ ONLY DEFERRABLE", "0A000"},
		{serializable + " READ ONLY", serializable, "0A000"},
		{serializable + " READ ONLY", serializable + " READ ONLY", ""},
		{serializable, "BEGIN ISOLATION LEVEL REPEATABLE READ", ""},
		{serializable, "BEGIN", "0A000"},
	} {
		id := exported(test.from)
		if got := importing(test.to, id); got != test.want {
			t.Errorf("%s takes the snapshot of %s: %q, want %q", test.to, test.from, got, test.want)
		}
		exec(t, a, "ROLLBACK")
		exec(t, b, "ROLLBACK")
	}

	// Write skew between an importer and a transaction that committed before the import.
	id := exported(serializable)
	exec(t, c, serializable, "SELECT x FROM t WHERE id = 2", "UPDATE t SET x = 1 WHERE id = 1", "COMMIT")
	if got := importing(serializable, id); got != "" {
		t.Fatal(got)
	}
	var x int
	if err := b.QueryRow(context.Background(), "SELECT x FROM t WHERE id = 1").Scan(&x); err != nil || x != 0 {
		t.Errorf("x is %d, %v", x, err)
	}
	got := code(b, "UPDATE t SET x = 1 WHERE id = 2")
	if got == "" {
		got = code(b, "COMMIT")
	}
	if got != "40001" {
		t.Errorf("write skew across the import: %q", got)
	}
	exec(t, b, "ROLLBACK")
	exec(t, a, "COMMIT")
}
