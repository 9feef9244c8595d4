package killtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb/internal/serverproc"
	"github.com/omendb/omendb/internal/testflag"
)

// largeBudget bounds the memory of the server while one transaction changes ten million rows: what it has
// changed moves to files, and its row locks are packed.
const largeBudget = 1 << 30

// TestLargeTransaction changes -large.rows rows in one transaction of a server process, rolls them back to a savepoint,
// changes them again and commits, and tells how much memory the process had at most.
func TestLargeTransaction(t *testing.T) {
	n := *testflag.LargeRows
	if n == 0 {
		t.Skip("SKIP: -large.rows is not given")
	}
	ctx, dir := context.Background(), t.TempDir()
	binary, err := serverproc.Build(ctx, "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := serverproc.Init(ctx, binary, dir); err != nil {
		t.Fatal(err)
	}
	server, err := serverproc.Start(ctx, binary, dir, "--cache-mb", "128")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	conn, err := pgx.Connect(ctx, server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	run := func(sql string) {
		t.Helper()
		begun := time.Now()
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		t.Logf("%-60.60s %6.1f s, at most %d MB so far", sql, time.Since(begun).Seconds(), server.PeakMemory()>>20)
	}
	sum := func() (rows, total int64) {
		t.Helper()
		if err := conn.QueryRow(ctx, "SELECT count(*), sum(v) FROM large").Scan(&rows, &total); err != nil {
			t.Fatal(err)
		}
		return rows, total
	}
	check := func(each int64) {
		t.Helper()
		if rows, total := sum(); rows != int64(n) || total != each*int64(n) {
			t.Fatalf("%d rows, sum %d; want %d rows of %d", rows, total, n, each)
		}
	}
	run("CREATE TABLE large (id bigint PRIMARY KEY, v bigint, note text)")
	run(fmt.Sprintf("INSERT INTO large SELECT g, 1, 'note ' || g FROM generate_series(1, %d) g", n))
	run("BEGIN")
	run("SAVEPOINT a")
	run("UPDATE large SET v = v + 1")
	check(2)
	run("ROLLBACK TO a")
	check(1)
	run("UPDATE large SET v = v + 2")
	run("COMMIT")
	check(3)
	if peak := server.PeakMemory(); peak == 0 || peak > largeBudget {
		t.Errorf("the server needed %d MB, more than %d", peak>>20, largeBudget>>20)
	}
}
