package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// Keys inserts, moves and deletes rows under a unique key and a foreign key,
// at all levels at a time. Whatever happens, no number is there twice and no
// child lacks its parent.
type Keys struct {
	Connect      Connect
	Transactions int
	Workers      int
	Seed         uint64
	Yield        bool
	// Lost is as in Append.
	Lost func(error) error

	started atomic.Int64
}

const keyRange = 30

// Setup makes the tables.
func (k *Keys) Setup(ctx context.Context) error {
	return with(ctx, k.Connect,
		"DROP TABLE IF EXISTS late", "DROP TABLE IF EXISTS child", "DROP TABLE IF EXISTS parent", "DROP TABLE IF EXISTS numbered",
		"CREATE TABLE numbered (id serial PRIMARY KEY, n int UNIQUE)",
		"CREATE TABLE parent (id int PRIMARY KEY, code int UNIQUE)",
		"CREATE TABLE child (id serial PRIMARY KEY, p int REFERENCES parent, c int REFERENCES parent (code) ON DELETE CASCADE ON UPDATE CASCADE)",
		"CREATE INDEX ON child (p)",
		"CREATE TABLE late (id serial PRIMARY KEY, p int REFERENCES parent ON DELETE SET NULL ON UPDATE SET NULL, "+
			"c int REFERENCES parent (code) DEFERRABLE INITIALLY DEFERRED)",
		"CREATE INDEX ON late (c)")
}

// Run plays. Errors that the constraints and concurrency explain are expected.
func (k *Keys) Run(ctx context.Context) error {
	k.started.Store(0)
	var wait sync.WaitGroup
	errs := make([]error, k.Workers)
	for w := range k.Workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[w] = k.worker(ctx, rand.New(rand.NewPCG(k.Seed, uint64(w))))
		}()
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// expected are the failures that constraints and concurrency explain.
var expected = map[string]bool{"40001": true, "40P01": true, "23505": true, "23503": true}

func (k *Keys) worker(ctx context.Context, rnd *rand.Rand) error {
	var c Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	levels := []Level{ReadCommitted, RepeatableRead, Serializable}
	for k.started.Add(1) <= int64(k.Transactions) && ctx.Err() == nil {
		if c == nil {
			var err error
			if c, err = k.Connect(ctx); err != nil {
				return err
			}
		}
		statements := []string{"SET deadlock_timeout = '5ms'", "BEGIN ISOLATION LEVEL " + string(levels[rnd.IntN(3)])}
		for range 1 + rnd.IntN(3) {
			statements = append(statements, k.statement(rnd))
			switch rnd.IntN(10) {
			case 0:
				statements = append(statements, "SAVEPOINT s", k.statement(rnd), "ROLLBACK TO s")
			case 1:
				statements = append(statements, "SAVEPOINT s", k.statement(rnd), "RELEASE s")
			}
		}
		statements = append(statements, "COMMIT")
		var err error
		for _, s := range statements {
			if k.Yield {
				runtime.Gosched()
			}
			if _, err = c.Query(ctx, s); err != nil {
				break
			}
		}
		if code := SQLState(err); err != nil && expected[code] {
			_, err = c.Query(ctx, "ROLLBACK")
		}
		if err == nil {
			continue
		}
		if k.Lost == nil || SQLState(err) != "" && SQLState(err)[:2] != "57" && SQLState(err) != "08007" {
			return err
		}
		if err := k.Lost(err); err != nil {
			return err
		}
		c.Close()
		c = nil
	}
	return nil
}

func (k *Keys) statement(rnd *rand.Rand) string {
	n, m := rnd.IntN(keyRange), rnd.IntN(keyRange)
	switch rnd.IntN(16) {
	case 0:
		return fmt.Sprintf("INSERT INTO numbered (n) VALUES (%d)", n)
	case 1:
		return fmt.Sprintf("INSERT INTO numbered (n) VALUES (%d) ON CONFLICT DO NOTHING", n)
	case 2:
		return fmt.Sprintf("UPDATE numbered SET n = %d WHERE n = %d", m, n)
	case 3:
		return fmt.Sprintf("DELETE FROM numbered WHERE n = %d", n)
	case 4, 5:
		return fmt.Sprintf("INSERT INTO parent VALUES (%d, %d) ON CONFLICT DO NOTHING", n, m)
	case 6:
		return fmt.Sprintf("DELETE FROM parent WHERE id = %d", n)
	case 7:
		return fmt.Sprintf("UPDATE parent SET code = %d WHERE id = %d", m, n)
	case 8:
		return fmt.Sprintf("DELETE FROM child WHERE p = %d", n)
	case 9:
		return fmt.Sprintf("INSERT INTO late (p, c) VALUES (%d, %d)", n, m)
	case 10:
		return fmt.Sprintf("UPDATE late SET c = %d WHERE p = %d", m, n)
	case 11:
		return fmt.Sprintf("DELETE FROM late WHERE c = %d OR p IS NULL", n)
	case 12:
		return fmt.Sprintf("INSERT INTO parent VALUES (%d, %d) ON CONFLICT (id) DO UPDATE SET code = excluded.code", n, m)
	case 13:
		return fmt.Sprintf("UPDATE parent SET id = %d WHERE code = %d", m, n)
	case 14:
		return fmt.Sprintf("UPDATE parent SET code = code + 1 WHERE id BETWEEN %d AND %d", n, n+1)
	}
	return fmt.Sprintf("INSERT INTO child (p, c) VALUES (%d, %d)", n, m)
}

// Check lists violated invariants. Every one is looked for by way of the table
// and by way of the index.
func (k *Keys) Check(ctx context.Context) (bad []string, err error) {
	c, err := k.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, set := range []string{"SET enable_indexscan = on", "SET enable_indexscan = off"} {
		if _, err := c.Query(ctx, set); err != nil {
			return nil, err
		}
		for name, query := range map[string]string{
			"numbers that are there twice":       "SELECT count(*) FROM (SELECT n FROM numbered GROUP BY n HAVING count(*) > 1) d",
			"codes that are there twice":         "SELECT count(*) FROM (SELECT code FROM parent GROUP BY code HAVING count(*) > 1) d",
			"children without a parent":          "SELECT count(*) FROM child WHERE p IS NOT NULL AND NOT EXISTS (SELECT FROM parent WHERE id = p)",
			"children without a code":            "SELECT count(*) FROM child WHERE c IS NOT NULL AND NOT EXISTS (SELECT FROM parent WHERE code = c)",
			"late children without a parent":     "SELECT count(*) FROM late WHERE p IS NOT NULL AND NOT EXISTS (SELECT FROM parent WHERE id = p)",
			"late children without a code":       "SELECT count(*) FROM late WHERE c IS NOT NULL AND NOT EXISTS (SELECT FROM parent WHERE code = c)",
			"late rows that an index differs by": "SELECT (SELECT count(c) FROM late) - (SELECT count(*) FROM late WHERE c >= 0)",
			"rows that an index differs by":      "SELECT (SELECT count(*) FROM numbered) - (SELECT count(n) FROM numbered WHERE n >= 0)",
		} {
			n, err := number(c.Query(ctx, query))
			if err != nil {
				return nil, err
			}
			if n != 0 {
				bad = append(bad, fmt.Sprintf("%d %s (%s)", n, name, set))
			}
		}
	}
	return bad, nil
}
