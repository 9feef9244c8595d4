package omendb_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/testflag"
)

// TestFailedIndexIsNotMaintained drops, CONCURRENTLY, a unique index whose build
// failed: while that waits for a reader, duplicates are still nobody's business.
func TestFailedIndexIsNotMaintained(t *testing.T) {
	for _, end := range []string{"DROP INDEX CONCURRENTLY u_v", "REINDEX INDEX CONCURRENTLY u_v"} {
		db, err := omendb.Open(omendb.Memory)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c, reader, dropper := inside(t, db, "omendb"), inside(t, db, "omendb"), inside(t, db, "omendb")
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		exec(t, c, "CREATE TABLE u(id int PRIMARY KEY, v int)", "INSERT INTO u VALUES (1, 1), (2, 1)")
		if _, err := c.Exec(ctx, "CREATE UNIQUE INDEX CONCURRENTLY u_v ON u(v)"); err == nil {
			t.Fatal("a unique index over duplicates")
		}
		if end[0] == 'R' {
			exec(t, c, "DELETE FROM u WHERE id = 2")
		}
		exec(t, reader, "BEGIN", "SELECT count(*) FROM u")
		done := make(chan error, 1)
		go func() {
			_, err := dropper.Exec(ctx, end)
			done <- err
		}()
		for waits := 0; waits == 0; time.Sleep(time.Millisecond) {
			if err := c.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waits); err != nil {
				t.Fatal(err)
			}
		}
		if end[0] == 'D' {
			exec(t, c, "INSERT INTO u VALUES (10, 7)", "INSERT INTO u VALUES (11, 7)")
		}
		exec(t, reader, "COMMIT")
		if err := <-done; err != nil {
			t.Fatal(end, err)
		}
	}
}

// keptPlans changes and reads rows of its own by statements that are prepared
// once, and compares every answer with a map.
func keptPlans(ctx context.Context, c *pgx.Conn, worker int) (map[int]int, error) {
	rnd, rows := rand.New(rand.NewPCG(5, uint64(worker))), map[int]int{}
	b := context.Background()
	for n := 0; ctx.Err() == nil; n++ {
		id := worker*1000 + rnd.IntN(200)
		v := worker*1_000_000 + n
		old, have := rows[id]
		var err error
		var changed int64
		switch rnd.IntN(5) {
		case 0:
			if have {
				continue
			}
			_, err = c.Exec(b, "INSERT INTO k VALUES ($1, $2)", id, v)
			rows[id], have, changed = v, true, 1
		case 1:
			tag, failed := c.Exec(b, "DELETE FROM k WHERE id = $1", id)
			err, changed = failed, tag.RowsAffected()
			delete(rows, id)
		case 2:
			tag, failed := c.Exec(b, "UPDATE k SET v = $2 WHERE id = $1", id, v)
			if err, changed = failed, tag.RowsAffected(); have {
				rows[id] = v
			}
		case 3:
			err = c.QueryRow(b, "SELECT count(*) FROM k WHERE v = $1", old).Scan(&changed)
		default:
			var got int
			err = c.QueryRow(b, "SELECT v FROM k WHERE id = $1", id).Scan(&got)
			if errors.Is(err, pgx.ErrNoRows) {
				err = nil
			} else if got == old {
				changed = 1
			}
		}
		if err != nil {
			return nil, err
		}
		if (changed == 1) != have {
			return nil, errors.New("an answer is not the model's")
		}
	}
	return rows, nil
}

// TestKeptPlansAndIndexStates runs kept plans while an index goes through all its states.
func TestKeptPlansAndIndexStates(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE k(id int PRIMARY KEY, v int)")
	ctx, stop := context.WithTimeout(context.Background(), *testflag.IndexStates)
	defer stop()
	var wait sync.WaitGroup
	models := make([]map[int]int, 3)
	for w := range models {
		conn := inside(t, db, "omendb")
		wait.Add(1)
		go func() {
			defer wait.Done()
			var err error
			if models[w], err = keptPlans(ctx, conn, w+1); err != nil {
				t.Error(err)
			}
		}()
	}
	for ctx.Err() == nil {
		exec(t, c, "CREATE UNIQUE INDEX CONCURRENTLY k_v ON k(v)", "REINDEX INDEX k_v", "REINDEX INDEX CONCURRENTLY k_v", "REINDEX TABLE k",
			"ALTER TABLE k ADD CONSTRAINT k_u UNIQUE USING INDEX k_v", "ALTER TABLE k DROP CONSTRAINT k_u",
			"CREATE INDEX k_v ON k(v)", "REINDEX TABLE CONCURRENTLY k", "DROP INDEX CONCURRENTLY k_v", "CREATE INDEX k_v ON k(v)", "DROP INDEX k_v")
	}
	wait.Wait()
	exec(t, c, "CREATE INDEX k_v ON k(v)")
	want := 0
	for _, m := range models {
		want += len(m)
		for id, v := range m {
			var got int
			if err := c.QueryRow(context.Background(), "SELECT id FROM k WHERE v = $1", v).Scan(&got); err != nil || got != id {
				t.Fatalf("v = %d finds row %d, want %d (%v)", v, got, id, err)
			}
		}
	}
	var rows int
	if err := c.QueryRow(context.Background(), "SELECT count(*) FROM k").Scan(&rows); err != nil || rows != want {
		t.Fatalf("%d rows, want %d (%v)", rows, want, err)
	}
}
