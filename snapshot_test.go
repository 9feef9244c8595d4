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
