package killtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb/internal/serverproc"
	"github.com/omendb/omendb/internal/testflag"
)

// The load: enough clients that commits share a sync, enough accounts that most transfers do not meet.
const (
	clients  = 6
	accounts = 100
	opening  = 1000 // balance of every account at the start
)

// client moves money and writes down what the server acknowledged. Its ledger lives in this process, which is not killed.
type client struct {
	id    int
	rng   *rand.Rand
	next  int          // number of the next transfer
	acked map[int]bool // numbers of transfers whose COMMIT was acknowledged
	doubt map[int]bool // sent, but the connection broke before an answer
}

// transfer moves an amount between two accounts and notes it in the history, in one transaction.
func (c *client) transfer(ctx context.Context, conn *pgx.Conn) error {
	n := c.next
	c.next++
	from, to, amount := c.rng.IntN(accounts), c.rng.IntN(accounts), c.rng.IntN(50)
	c.doubt[n] = true
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	steps := []struct {
		sql  string
		args []any
	}{
		{"UPDATE account SET balance = balance - $1 WHERE id = $2", []any{amount, min(from, to)}},
		{"UPDATE account SET balance = balance + $1 WHERE id = $2", []any{amount, max(from, to)}},
		{"INSERT INTO history (client, n, source, target, amount) VALUES ($1, $2, $3, $4, $5)", []any{c.id, n, min(from, to), max(from, to), amount}},
	}
	for _, s := range steps {
		if _, err := tx.Exec(ctx, s.sql, s.args...); err != nil {
			_ = tx.Rollback(ctx)
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	delete(c.doubt, n)
	c.acked[n] = true
	return nil
}

// work transfers until the context ends; it gives up the connection at the first error, for the caller to reconnect.
func (c *client) work(ctx context.Context, dsn string, done *atomic.Int64) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	for ctx.Err() == nil {
		if c.transfer(ctx, conn) != nil {
			return
		}
		done.Add(1)
	}
}

// TestKill loads a server, kills it at random moments, starts it again and looks for everything that was acknowledged.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIP: no go command to build the server with")
	}
	ctx := context.Background()
	binary, err := serverproc.Build(ctx, "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/data"
	if err := serverproc.Init(ctx, binary, dir); err != nil {
		t.Fatal(err)
	}
	seed := uint64(*testflag.KillSeed)
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	workers := make([]*client, clients)
	for i := range workers {
		workers[i] = &client{id: i, rng: rand.New(rand.NewPCG(seed, uint64(i+1))), acked: map[int]bool{}, doubt: map[int]bool{}}
	}

	server := start(t, binary, dir)
	setUp(t, server.DSN())
	deadline := time.Now().Add(time.Duration(*testflag.KillSeconds) * time.Second)
	kills := 0
	var done atomic.Int64
	for time.Now().Before(deadline) {
		round(ctx, server, workers, &done, time.Duration(50+rng.IntN(1200))*time.Millisecond)
		kills++
		server = start(t, binary, dir)
		check(t, server.DSN(), workers)
		if t.Failed() {
			t.Fatalf("after kill %d, seed %d\n%s", kills, seed, server.Output())
		}
	}
	if err := server.Stop(20 * time.Second); err != nil {
		t.Error(err)
	}
	server = start(t, binary, dir)
	check(t, server.DSN(), workers)
	server.Kill()
	if done.Load() == 0 {
		t.Error("not one transfer was acknowledged: the test shows nothing")
	}
	t.Logf("%d kills, %d acknowledged transfers, all found", kills, done.Load())
}

// round lets all clients work and kills the server after a while.
func round(ctx context.Context, server *serverproc.Server, workers []*client, done *atomic.Int64, life time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, c := range workers {
		all.Go(func() { c.work(ctx, server.DSN(), done) })
	}
	time.Sleep(life)
	server.Kill()
	cancel()
	all.Wait()
}

func start(t *testing.T, binary, dir string) *serverproc.Server {
	t.Helper()
	server, err := serverproc.Start(context.Background(), binary, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !server.Ended() {
			server.Kill()
		}
	})
	return server
}

func setUp(t *testing.T, dsn string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, sql := range []string{
		"CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL)",
		"CREATE TABLE history (client int, n int, source int, target int, amount int, PRIMARY KEY (client, n))",
		"CREATE INDEX history_source ON history (source)",
		fmt.Sprintf("INSERT INTO account SELECT g, %d FROM generate_series(0, %d) g", opening, accounts-1),
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// check compares the server's tables with the ledgers: every acknowledged transfer is there, no transfer is there that was
// never sent, and balances, history and index tell the same story.
func check(t *testing.T, dsn string, workers []*client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	found := make([]map[int]bool, clients)
	for i := range found {
		found[i] = map[int]bool{}
	}
	rows, err := conn.Query(ctx, "SELECT client, n FROM history")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var c, n int
		if err := rows.Scan(&c, &n); err != nil {
			t.Fatal(err)
		}
		if found[c][n] {
			t.Errorf("transfer %d of client %d is there twice", n, c)
		}
		found[c][n] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range workers {
		for n := range c.acked {
			if !found[c.id][n] {
				t.Errorf("lost: transfer %d of client %d was acknowledged", n, c.id)
			}
		}
		for n := range found[c.id] {
			if !c.acked[n] && !c.doubt[n] {
				t.Errorf("made up: transfer %d of client %d was never sent", n, c.id)
			}
		}
	}
	agree(ctx, t, conn)
}

// agree checks the sums.
func agree(ctx context.Context, t *testing.T, conn *pgx.Conn) {
	t.Helper()
	var total int64
	if err := conn.QueryRow(ctx, "SELECT sum(balance)::bigint FROM account").Scan(&total); err != nil {
		t.Fatal(err)
	}
	if total != accounts*opening {
		t.Errorf("the balances sum to %d, not to %d", total, accounts*opening)
	}
	var wrong int
	err := conn.QueryRow(ctx, `SELECT count(*) FROM account a WHERE balance <> $1
		+ coalesce((SELECT sum(amount) FROM history h WHERE h.target = a.id), 0)
		- coalesce((SELECT sum(amount) FROM history h WHERE h.source = a.id), 0)`, opening).Scan(&wrong)
	if err != nil {
		t.Fatal(err)
	}
	if wrong != 0 {
		t.Errorf("%d accounts disagree with their history", wrong)
	}
}
