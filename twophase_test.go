package omendb_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
)

// inside connects to a database of this process.
func inside(t testing.TB, db *omendb.DB, user string) *pgx.Conn {
	t.Helper()
	return connectInside(t, db, "postgres", user)
}

// insideDatabase is inside for the superuser and any database.
func insideDatabase(t testing.TB, db *omendb.DB, name string) *pgx.Conn {
	t.Helper()
	return connectInside(t, db, name, "omendb")
}

func connectInside(t testing.TB, db *omendb.DB, database, user string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig("host=inside database=" + database + " sslmode=disable user=" + user)
	if err != nil {
		t.Fatal(err)
	}
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
	c, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// code returns the SQLSTATE of a statement, "" when it succeeds.
func code(c *pgx.Conn, statement string) string {
	_, err := c.Exec(context.Background(), statement, pgx.QueryExecModeSimpleProtocol)
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestTwoPhaseCommitSurvives prepares transactions with rows, tables, roles and
// locks, and ends them after restarts.
func TestTwoPhaseCommitSurvives(t *testing.T) {
	dir := t.TempDir()
	db, err := omendb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	reopen := func() *pgx.Conn {
		t.Helper()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = omendb.Open(dir); err != nil {
			t.Fatal(err)
		}
		return inside(t, db, "omendb")
	}
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE a(x int)", "CREATE TABLE u(id int PRIMARY KEY, v int)", "INSERT INTO u VALUES (1, 1), (2, 2)",
		"BEGIN", "INSERT INTO a VALUES (1)", "CREATE TABLE b(id int PRIMARY KEY)", "INSERT INTO b VALUES (7)", "CREATE ROLE later",
		"ALTER TABLE u ADD COLUMN w int DEFAULT 9", "DELETE FROM u WHERE id = 2", "PREPARE TRANSACTION 'one'",
		"BEGIN", "INSERT INTO a VALUES (2)", "SELECT pg_advisory_xact_lock(5)", "PREPARE TRANSACTION 'two'")
	c = reopen()
	exec(t, c, "SET lock_timeout = '50ms'")
	for statement, want := range map[string]string{
		"SELECT * FROM b":                            "42P01",
		"SELECT * FROM u":                            "55P03", // ALTER TABLE holds it
		"CREATE TABLE b(x int)":                      "55P03",
		"CREATE ROLE later":                          "55P03",
		"DROP TABLE a":                               "55P03",
		"INSERT INTO a VALUES (3)":                   "", // above the row ids of what is prepared
		"SELECT pg_advisory_lock(5)":                 "55P03",
		"BEGIN; COMMIT PREPARED 'one'":               "25001",
		"COMMIT PREPARED 'none'":                     "42704",
		"BEGIN; SELECT 1; PREPARE TRANSACTION 'one'": "42710",
	} {
		if got := code(c, statement); got != want {
			t.Errorf("%s: %q, want %q", statement, got, want)
		}
		exec(t, c, "ROLLBACK")
	}
	exec(t, c, "COMMIT PREPARED 'one'")
	c = reopen()
	exec(t, c, "ROLLBACK PREPARED 'two'")
	var x, id, w, left, roles int
	if err := c.QueryRow(context.Background(), `SELECT (SELECT sum(x) FROM a), (SELECT id FROM b), (SELECT sum(w) FROM u),
		(SELECT count(*) FROM pg_prepared_xacts), (SELECT count(*) FROM pg_roles WHERE rolname = 'later')`).Scan(&x, &id, &w, &left, &roles); err != nil {
		t.Fatal(err)
	}
	if x != 4 || id != 7 || w != 9 || left != 0 || roles != 1 {
		t.Error(x, id, w, left, roles)
	}
	exec(t, c, "SELECT pg_advisory_lock(5)", "DROP TABLE a")
}

func TestTwoPhaseCommitRefusals(t *testing.T) {
	db, err := omendb.Open(omendb.Memory, omendb.WithSettings(map[string]string{"max_prepared_transactions": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE ROLE somebody LOGIN", "CREATE DATABASE other", "CREATE TABLE a(x int)", "CREATE TEMP TABLE own(x int)")
	for statement, want := range map[string]string{
		"BEGIN; LISTEN l; PREPARE TRANSACTION 'p'":                                             "0A000",
		"BEGIN; NOTIFY l; PREPARE TRANSACTION 'p'":                                             "0A000",
		"BEGIN; SELECT * FROM own; PREPARE TRANSACTION 'p'":                                    "0A000",
		"BEGIN; CREATE TEMP TABLE more(x int); PREPARE TRANSACTION 'p'":                        "0A000",
		"BEGIN; DROP TABLE own; PREPARE TRANSACTION 'p'":                                       "0A000",
		"BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; PREPARE TRANSACTION 'p'":              "0A000",
		"BEGIN; SELECT pg_advisory_lock(1), pg_advisory_xact_lock(1); PREPARE TRANSACTION 'p'": "0A000",
		"BEGIN; PREPARE TRANSACTION '" + strings.Repeat("x", 200) + "'":                        "22023",
	} {
		if got := code(c, statement); got != want {
			t.Errorf("%s: %q, want %q", statement, got, want)
		}
	}
	exec(t, c, "BEGIN", "INSERT INTO a VALUES (1)", "PREPARE TRANSACTION 'p'")
	if got := code(c, "BEGIN; PREPARE TRANSACTION 'q'"); got != "53200" {
		t.Errorf("one more than the limit: %q", got)
	}
	exec(t, c, "SET ROLE somebody")
	if got := code(c, "COMMIT PREPARED 'p'"); got != "42501" {
		t.Errorf("somebody else's: %q", got)
	}
	exec(t, c, "RESET ROLE", "COMMIT PREPARED 'p'")
	off, err := omendb.Open(omendb.Memory, omendb.WithSettings(map[string]string{"max_prepared_transactions": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	defer off.Close()
	if got := code(inside(t, off, "omendb"), "BEGIN; PREPARE TRANSACTION 'p'"); got != "55000" {
		t.Errorf("disabled: %q", got)
	}
}
