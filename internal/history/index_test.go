package history_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/vfs"
)

// churn inserts, changes and deletes rows of table item until ctx ends. Errors
// that a unique index or another writer excuses roll its transaction back.
func churn(ctx context.Context, c history.Conn, rnd *rand.Rand) error {
	for ctx.Err() == nil {
		run := []string{"BEGIN"}
		for range 1 + rnd.IntN(4) {
			id, v := rnd.IntN(600), rnd.IntN(1_000_000)
			switch rnd.IntN(5) {
			case 0:
				run = append(run, fmt.Sprintf("DELETE FROM item WHERE id = %d", id))
			case 1:
				run = append(run, fmt.Sprintf("UPDATE item SET id = %d WHERE id = %d AND NOT EXISTS (SELECT FROM item WHERE id = %d)", id+1, id, id+1))
			case 2:
				run = append(run, fmt.Sprintf("UPDATE item SET v = v + 1 WHERE id BETWEEN %d AND %d", id, id+3))
			default:
				run = append(run, fmt.Sprintf("INSERT INTO item VALUES (%d, %d) ON CONFLICT (id) DO UPDATE SET v = excluded.v", id, v))
			}
		}
		run = append(run, []string{"COMMIT", "COMMIT", "ROLLBACK"}[rnd.IntN(3)])
		for _, s := range run {
			runtime.Gosched()
			if _, err := c.Query(context.Background(), s); err != nil {
				switch history.SQLState(err) {
				case "23505", "40P01", "40001":
				default:
					return fmt.Errorf("%s: %w", s, err)
				}
				if _, err := c.Query(context.Background(), "ROLLBACK"); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// compareIndex reads the table in one snapshot with and without its index on v.
func compareIndex(t *testing.T, c history.Conn, index string) {
	t.Helper()
	query := func(s string) string {
		rows, err := c.Query(context.Background(), s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return fmt.Sprint(rows)
	}
	query("BEGIN ISOLATION LEVEL REPEATABLE READ")
	query("SET LOCAL enable_seqscan = off")
	const read = "SELECT v, id FROM item WHERE v >= 0 ORDER BY v, id"
	if plan := query("EXPLAIN " + read); !strings.Contains(plan, index) {
		t.Fatalf("the index is not used: %s", plan)
	}
	through := query(read)
	query("SET LOCAL enable_seqscan = on")
	query("SET LOCAL enable_indexscan = off")
	query("SET LOCAL enable_indexonlyscan = off")
	query("SET LOCAL enable_bitmapscan = off")
	if table := query(read); table != through {
		t.Fatalf("index %s and table differ:\n%.2000s\n%.2000s", index, through, table)
	}
	query("COMMIT")
}

func newItems(t *testing.T, connect history.Connect) history.Conn {
	t.Helper()
	c, err := connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"CREATE TABLE item (id int PRIMARY KEY, v int)",
		"INSERT INTO item SELECT i, i * 1000 FROM generate_series(1, 500) i"} {
		if _, err := c.Query(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestIndexConcurrently makes, rebuilds and drops indexes while others write:
// the index always holds what the table does.
func TestIndexConcurrently(t *testing.T) {
	s := open(t, vfs.NewVolatile())
	c := newItems(t, s.connect)
	defer c.Close()
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for w := range 4 {
		conn, err := s.connect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer conn.Close()
			if err := churn(ctx, conn, rand.New(rand.NewPCG(seed(), uint64(w)))); err != nil {
				t.Error(err)
			}
		}()
	}
	rounds, failed := 25, 0
	if testing.Short() {
		rounds = 6
	}
	for n := range rounds {
		unique, columns := "", "(v, id)"
		if n%3 == 2 { // some succeed, some meet a duplicate
			unique, columns = "UNIQUE", "(v) INCLUDE (id)"
		}
		_, err := c.Query(context.Background(), fmt.Sprintf("CREATE %s INDEX CONCURRENTLY item_v ON item %s", unique, columns))
		switch {
		case err == nil:
			compareIndex(t, c, "item_v")
		case history.SQLState(err) == "23505" && unique != "":
			failed++
			rows, err := c.Query(context.Background(), "SELECT indisvalid FROM pg_index WHERE indexrelid = 'item_v'::regclass")
			if err != nil || len(rows) != 1 || rows[0][0] != "f" {
				t.Fatal("what a failure leaves:", rows, err)
			}
		default:
			t.Fatal(err)
		}
		if err == nil && n%2 == 0 {
			if _, err := c.Query(context.Background(), "REINDEX INDEX CONCURRENTLY item_v"); err != nil {
				if unique == "" {
					t.Fatal(err)
				}
			}
			compareIndex(t, c, "item_v")
		}
		if _, err := c.Query(context.Background(), "DROP INDEX CONCURRENTLY item_v"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Query(context.Background(), "DROP INDEX IF EXISTS item_v_ccnew"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	wait.Wait()
	t.Logf("%d rounds, %d with duplicates", rounds, failed)
}

// TestIndexCrash cuts the power while an index is made CONCURRENTLY: afterwards
// it is valid and complete, or not valid and can be made again.
func TestIndexCrash(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	rnd := rand.New(rand.NewPCG(seed(), 1))
	states := map[string]int{}
	for range rounds {
		d := &doomed{t: t, fs: vfs.NewMem(rnd.Uint64())}
		d.server = open(t, d.fs)
		newItems(t, d.connect).Close()
		ctx, stop := context.WithCancel(context.Background())
		var wait sync.WaitGroup
		for w := range 3 {
			conn, err := d.connect(ctx)
			if err != nil {
				t.Fatal(err)
			}
			wait.Add(1)
			go func() {
				defer wait.Done()
				defer conn.Close()
				if err := d.lost(churn(ctx, plain{conn}, rand.New(rand.NewPCG(seed(), uint64(w))))); err != nil && !d.gone(err) {
					t.Error(err)
				}
			}()
		}
		maker, err := d.connect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			_, _ = maker.Query(context.Background(), "CREATE INDEX CONCURRENTLY item_v ON item (v, id)")
		}()
		time.Sleep(time.Duration(rnd.IntN(6000)) * time.Microsecond)
		d.crash()
		stop()
		wait.Wait()
		states[d.recovered()]++
	}
	t.Log(states)
}

// plain hides that a connection ends with its server behind one error.
type plain struct{ history.Conn }

func (d *doomed) gone(err error) bool { return strings.Contains(err.Error(), errLost.Error()) }

// recovered looks at what became of the index, and makes it if it is not there.
func (d *doomed) recovered() string {
	c, err := d.connect(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	rows, err := c.Query(context.Background(), "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('item_v')")
	if err != nil {
		d.t.Fatal(err)
	}
	state, remedy := "absent", "CREATE INDEX CONCURRENTLY item_v ON item (v, id)"
	switch {
	case len(rows) == 1 && rows[0][0] == "t":
		state, remedy = "valid", "SELECT 1"
	case len(rows) == 1:
		state, remedy = "invalid", "REINDEX INDEX CONCURRENTLY item_v"
	}
	for _, s := range []string{"INSERT INTO item VALUES (5000, 1)", remedy, "DELETE FROM item WHERE id = 5000"} {
		if _, err := c.Query(context.Background(), s); err != nil {
			d.t.Fatalf("%s index, %s: %v", state, s, err)
		}
	}
	compareIndex(d.t, c, "item_v")
	return state
}
