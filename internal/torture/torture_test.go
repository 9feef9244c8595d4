package torture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb"
)

// memory runs workers on a database in memory for a moment.
func memory(t *testing.T) (dsn string, workers []*worker) {
	t.Helper()
	db, err := omendb.Open(omendb.Memory, omendb.WithPassword("x"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	addr, err := db.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dsn = fmt.Sprintf("postgres://%s:x@%s/postgres?sslmode=disable", omendb.DefaultSuperuser, addr)
	for i := range 3 {
		workers = append(workers, newWorker(i, 7))
	}
	ctx := context.Background()
	if err := setUp(ctx, dsn, workers); err != nil {
		t.Fatal(err)
	}
	working, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() {
			if err := w.work(working, dsn); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	gone(t, dsn)
	return dsn, workers
}

// gone waits until the workers' sessions have ended: what was under way when time ran out may still be committed.
func gone(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		others := 0
		if err := conn.QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()").Scan(&others); err != nil {
			t.Fatal(err)
		}
		if others == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions have not ended", others)
		}
	}
}

// TestDamageIsNoticed changes what the workers have written, in every way that a report has a line for.
func TestDamageIsNoticed(t *testing.T) {
	ctx := context.Background()
	dsn, workers := memory(t)
	if _, rows, err := check(ctx, dsn, workers, marks(workers)); err != nil || rows == 0 {
		t.Fatalf("%d rows: %v", rows, err)
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var n int64 // one more than was acknowledged, when time ran out during a commit
	if err := conn.QueryRow(ctx, "SELECT n FROM worker WHERE id = 1").Scan(&n); err != nil || n < 20 {
		t.Fatalf("%d transactions in the time given: %v", n, err)
	}
	for _, c := range []struct {
		damage, repair string
		want           class
	}{
		{"UPDATE worker SET n = n - 3 WHERE id = 1", fmt.Sprintf("UPDATE worker SET n = %d WHERE id = 1", n), lost},
		{"UPDATE worker SET n = n + 3 WHERE id = 1", fmt.Sprintf("UPDATE worker SET n = %d WHERE id = 1", n), phantom},
		{fmt.Sprintf("UPDATE event SET n = -n WHERE worker = 1 AND n = %d", n), fmt.Sprintf("UPDATE event SET n = -n WHERE worker = 1 AND n = -%d", n), phantom},
		{"INSERT INTO item VALUES (9, 9, -9, 'made up')", "DELETE FROM item WHERE worker = 9", phantom},
		{"INSERT INTO parent VALUES (9, 9, 9)", "DELETE FROM parent WHERE worker = 9", phantom},
		{"UPDATE account SET balance = balance + 1 WHERE id = 5", "UPDATE account SET balance = balance - 1 WHERE id = 5", torn},
		{"SELECT setval('ticket', 1)", "SELECT setval('ticket', 100000000)", regress},
	} {
		if _, err := conn.Exec(ctx, c.damage); err != nil {
			t.Fatal(err)
		}
		var v *violation
		if _, _, err := check(ctx, dsn, workers, marks(workers)); !errors.As(err, &v) || v.class != c.want {
			t.Errorf("%s: %v, want class %q", c.damage, err, c.want)
		}
		if _, err := conn.Exec(ctx, c.repair); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := check(ctx, dsn, workers, marks(workers)); err != nil {
		t.Error(err)
	}
}

// TestDifference compares sets of rows by table and by index.
func TestDifference(t *testing.T) {
	want := map[string]int{"a": 1, "b": 2}
	for _, c := range []struct {
		got  map[string]int
		path path
		want class
	}{
		{map[string]int{"a": 1, "b": 2}, path{}, ""},
		{map[string]int{"a": 1, "b": 1}, path{}, torn},
		{map[string]int{"a": 2, "b": 2}, path{}, phantom},
		{map[string]int{"b": 2}, path{index: "i"}, mismatch},
		{map[string]int{"a": 1, "b": 2, "c": 1}, path{index: "i"}, mismatch},
	} {
		var v *violation
		err := difference(want, c.got, "t", c.path)
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &v) || v.class != c.want) {
			t.Errorf("%v: %v, want %q", c.got, err, c.want)
		}
	}
}

// TestReport draws the table of a run that went wrong.
func TestReport(t *testing.T) {
	r := &Report{Seed: 5, Kills: 2, Violations: map[string]int64{string(lost): 1}, Detail: "transaction 7", Work: Counts{Kinds: map[string]int64{}}}
	r.start(10 * time.Millisecond)
	r.start(20 * time.Millisecond)
	var b strings.Builder
	if err := r.Table(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"seed 5", "2; 15 ms on average, 20 ms at most", "VIOLATED. transaction 7"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if r.OK() {
		t.Error("a lost transaction is fine")
	}
}
