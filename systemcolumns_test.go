package omendb_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb"
)

// xminOf reads a row's token.
func xminOf(t *testing.T, c *pgx.Conn, id int) (xmin, xmax string) {
	t.Helper()
	if err := c.QueryRow(context.Background(), "SELECT xmin::text, xmax::text FROM t WHERE id = $1", id).Scan(&xmin, &xmax); err != nil {
		t.Fatal(err)
	}
	return xmin, xmax
}

// TestXminIsToken uses xmin as object mappers do, to notice that a row was changed:
// it is that of RETURNING, differs after each update, and outlives flushes, merges and restarts.
func TestXminIsToken(t *testing.T) {
	dir := t.TempDir()
	open := func() (*omendb.DB, *pgx.Conn) {
		db, err := omendb.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return db, inside(t, db, "omendb")
	}
	db, c := open()
	exec(t, c, "CREATE TABLE t(id int PRIMARY KEY, v int)", "INSERT INTO t SELECT i, 0 FROM generate_series(1, 5000) i")
	bulk, _ := xminOf(t, c, 1)
	tokens := map[int]string{}
	for id := 1; id <= 20; id++ {
		var token string
		if err := c.QueryRow(context.Background(), "UPDATE t SET v = v + 1 WHERE id = $1 AND xmin = $2::xid RETURNING xmin::text", id, bulk).Scan(&token); err != nil {
			t.Fatal(err)
		}
		tokens[id] = token
	}
	tokens[21] = bulk
	check := func(when string) {
		t.Helper()
		for id, want := range tokens {
			if xmin, xmax := xminOf(t, c, id); xmin != want || xmax != "0" || id <= 20 && want == bulk {
				t.Errorf("%s: row %d has xmin %s and xmax %s, want %s and 0", when, id, xmin, xmax, want)
			}
		}
		if tag, err := c.Exec(context.Background(), "UPDATE t SET v = v + 1 WHERE id = 1 AND xmin = $1::xid", bulk); err != nil || tag.RowsAffected() != 0 {
			t.Errorf("%s: a change with an old token: %v, %v", when, tag, err)
		}
	}
	check("at once")
	exec(t, c, "CHECKPOINT")
	check("after a flush")
	exec(t, c, "UPDATE t SET v = v + 1 WHERE id = 20", "VACUUM t")
	tokens[20], _ = xminOf(t, c, 20)
	check("after a merge")
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db, c = open()
		check("after a restart")
	}
	db.Close()
}

// TestXminOfChangedRow waits for another transaction that changes the row: its new version has another token.
func TestXminOfChangedRow(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, other := inside(t, db, "omendb"), inside(t, db, "omendb")
	ctx := context.Background()
	exec(t, c, "CREATE TABLE t(id int PRIMARY KEY, v int)", "INSERT INTO t VALUES (1, 0), (2, 0)")
	token, _ := xminOf(t, c, 1)
	exec(t, c, "BEGIN", "UPDATE t SET v = 1 WHERE id = 1")
	var own string
	if err := c.QueryRow(ctx, "SELECT txid_current()::text").Scan(&own); err != nil {
		t.Fatal(err)
	}
	if xmin, xmax := xminOf(t, c, 1); xmin != own || xmax != "0" {
		t.Errorf("the own change: %s, %s, want %s, 0", xmin, xmax, own)
	}
	if xmin, xmax := xminOf(t, other, 1); xmin != token || xmax != own {
		t.Errorf("another's change: %s, %s, want %s, %s", xmin, xmax, token, own)
	}
	done := make(chan string, 1)
	go func() {
		tag, err := other.Exec(ctx, "UPDATE t SET v = 2 WHERE id = 1 AND xmin = $1::xid", token)
		done <- fmt.Sprint(tag, err)
	}()
	for waits := 0; waits == 0; {
		if err := c.QueryRow(ctx, "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, c, "COMMIT")
	if got := <-done; got != "UPDATE 0 <nil>" {
		t.Errorf("a change with a token that was overtaken: %s", got)
	}
	exec(t, c, "BEGIN", "SELECT FROM t WHERE id = 2 FOR UPDATE")
	if _, xmax := xminOf(t, other, 2); xmax == "0" {
		t.Error("the one who locks a row does not show")
	}
	exec(t, c, "ROLLBACK")
	exec(t, c, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT FROM t")
	exec(t, other, "DELETE FROM t WHERE id = 2")
	if _, xmax := xminOf(t, c, 2); xmax == "0" {
		t.Error("the one who deleted a row does not show in an older snapshot")
	}
}
