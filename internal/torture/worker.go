package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// schema is made once, before the first kill.
var schema = []string{
	"CREATE TABLE worker (id int PRIMARY KEY, n bigint NOT NULL)",
	"CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL)",
	fmt.Sprintf("INSERT INTO account SELECT g, %d FROM generate_series(0, %d) g", opening, accounts-1),
	"CREATE TABLE event (id bigserial PRIMARY KEY, worker int NOT NULL, n bigint NOT NULL, kind text NOT NULL, UNIQUE (worker, n))",
	"CREATE INDEX event_kind ON event (kind)",
	"CREATE TABLE item (worker int, slot bigint, code bigint NOT NULL UNIQUE, payload text NOT NULL, PRIMARY KEY (worker, slot))",
	"CREATE INDEX item_payload ON item (payload)",
	"CREATE TABLE parent (worker int, id bigint, n bigint NOT NULL, PRIMARY KEY (worker, id))",
	"CREATE TABLE child (worker int, parent bigint, no bigint, PRIMARY KEY (worker, parent, no), FOREIGN KEY (worker, parent) REFERENCES parent ON DELETE CASCADE)",
	"CREATE TABLE loaded (worker int, load bigint, no bigint, payload text, PRIMARY KEY (worker, load, no))",
	"CREATE TABLE page (worker int, no bigint, n bigint NOT NULL, payload text)",
	"CREATE INDEX page_worker ON page (worker, no)",
	"CREATE SEQUENCE ticket",
}

// worker is one connection's work and its ledger. The ledger lives in this process, which is not killed.
type worker struct {
	id  int
	rng *rand.Rand

	mu       sync.Mutex
	base     *Model // what the last check found
	ops      []op   // acknowledged since then
	doubt    *op    // COMMIT sent, no answer
	last     *Model // base with ops
	sequence int64  // highest value of event.id in an acknowledged transaction
	ticket   int64  // highest value of ticket in one
	counts   Counts
}

// Counts is what workers have done.
type Counts struct {
	Acknowledged int64            `json:"acknowledged"`
	RolledBack   int64            `json:"rolled_back"` // on purpose, by transaction or savepoint
	Refused      int64            `json:"refused"`     // duplicates and rows without a parent, as they must be
	Retried      int64            `json:"retried"`     // serialization failures, deadlocks, shutdown
	InDoubt      int64            `json:"in_doubt"`
	Kinds        map[string]int64 `json:"kinds"`
}

func (c *Counts) add(o Counts) {
	c.Acknowledged += o.Acknowledged
	c.RolledBack += o.RolledBack
	c.Refused += o.Refused
	c.Retried += o.Retried
	c.InDoubt += o.InDoubt
	for k, n := range o.Kinds {
		c.Kinds[k] += n
	}
}

func newWorker(id int, seed uint64) *worker {
	return &worker{id: id, rng: rand.New(rand.NewPCG(seed, uint64(id)+1)), base: newModel(), last: newModel(), counts: Counts{Kinds: map[string]int64{}}}
}

// work does transactions until the context or the server ends. It returns an error only for an answer that is wrong.
func (w *worker) work(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	for ctx.Err() == nil && !conn.IsClosed() {
		o := w.last.next(w.rng, w.last.n+1)
		err := w.transaction(ctx, conn, o)
		var answer *pgconn.PgError
		switch {
		case err == nil:
		case errors.As(err, &answer) && retriable(answer.Code):
			w.counts.Retried++
		case errors.As(err, &answer):
			return fmt.Errorf("worker %d, %s: %w", w.id, kindNames[o.kind], err)
		default:
			if wrong := (wrongError{}); errors.As(err, &wrong) {
				return fmt.Errorf("worker %d, %s: %w", w.id, kindNames[o.kind], err)
			}
			return nil // the connection is gone
		}
	}
	return nil
}

// retriable says which errors are no complaint: conflicts, and a server that ends.
func retriable(code string) bool {
	return strings.HasPrefix(code, "40") || strings.HasPrefix(code, "57P") || code == "53100"
}

// wrongError is an answer that a correct server does not give.
type wrongError struct{ what string }

func (e wrongError) Error() string { return e.what }

// transaction runs an operation and notes how it ended.
func (w *worker) transaction(ctx context.Context, conn *pgx.Conn, o op) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	rollback := func(err error) error { _ = tx.Rollback(ctx); return err }
	if w.rng.IntN(25) == 0 { // a whole transaction that must leave nothing
		if err := w.phantom(ctx, tx); err != nil {
			return rollback(err)
		}
		w.counts.RolledBack++
		return tx.Rollback(ctx)
	}
	if w.rng.IntN(10) == 0 {
		if err := w.savepoint(ctx, tx); err != nil {
			return rollback(err)
		}
	}
	if err := w.execute(ctx, tx, o); err != nil {
		return rollback(err)
	}
	var id, ticket int64
	row := tx.QueryRow(ctx, "INSERT INTO event (worker, n, kind) VALUES ($1, $2, $3) RETURNING id, nextval('ticket')", w.id, o.n, kindNames[o.kind])
	if err := row.Scan(&id, &ticket); err != nil {
		return rollback(err)
	}
	if _, err := tx.Exec(ctx, "UPDATE worker SET n = $2 WHERE id = $1", w.id, o.n); err != nil {
		return rollback(err)
	}
	w.mu.Lock()
	w.doubt = &o
	w.mu.Unlock()
	err = tx.Commit(ctx)
	var answer *pgconn.PgError
	if err != nil && (!errors.As(err, &answer) || answer.Severity != "ERROR") {
		w.counts.InDoubt++
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doubt = nil
	if err != nil {
		return err
	}
	if id <= w.sequence || ticket <= w.ticket {
		return wrongError{fmt.Sprintf("sequences gave %d after %d and %d after %d", id, w.sequence, ticket, w.ticket)}
	}
	w.sequence, w.ticket = id, ticket
	w.ops = append(w.ops, o)
	w.last.apply(o)
	w.counts.Acknowledged++
	w.counts.Kinds[kindNames[o.kind]]++
	return nil
}

// phantom writes rows that must never be seen again.
func (w *worker) phantom(ctx context.Context, tx pgx.Tx) error {
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO item SELECT %d, 1000000 + g, -%d - g, 'phantom' FROM generate_series(1, 20) g", w.id, code(w.id, w.last.n+1)*100),
		fmt.Sprintf("DELETE FROM page WHERE worker = %d", w.id),
		fmt.Sprintf("UPDATE account SET balance = balance + 1000000 WHERE id = %d", w.rng.IntN(accounts)),
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// savepoint does what must leave nothing, and what must be refused, inside a transaction that goes on.
func (w *worker) savepoint(ctx context.Context, tx pgx.Tx) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	want := ""
	switch w.rng.IntN(3) {
	case 0:
		if err := w.phantom(ctx, inner); err != nil {
			return err
		}
		w.counts.RolledBack++
	case 1:
		want = "23503"
		_, err = inner.Exec(ctx, "INSERT INTO child VALUES ($1, 1000000, 1)", w.id)
	case 2:
		if len(w.last.items) == 0 {
			break
		}
		want = "23505"
		for _, n := range w.last.items {
			_, err = inner.Exec(ctx, "INSERT INTO item VALUES ($1, 1000001, $2, 'duplicate')", w.id, code(w.id, n))
			break
		}
	}
	if want != "" {
		var answer *pgconn.PgError
		if err == nil {
			return wrongError{"a statement that violates a constraint succeeded, SQLSTATE " + want + " was expected"}
		}
		if !errors.As(err, &answer) || answer.Code != want {
			return err
		}
		w.counts.Refused++
	}
	return inner.Rollback(ctx)
}

// execute sends the statements of an operation.
func (w *worker) execute(ctx context.Context, tx pgx.Tx, o op) error {
	exec := func(sql string, args ...any) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	}
	switch o.kind {
	case transfer:
		if err := exec("UPDATE account SET balance = balance - $1 WHERE id = $2", o.amount, o.a); err != nil {
			return err
		}
		return exec("UPDATE account SET balance = balance + $1 WHERE id = $2", o.amount, o.b)
	case put:
		return exec("INSERT INTO item VALUES ($1, $2, $3, $4) ON CONFLICT (worker, slot) DO UPDATE SET code = excluded.code, payload = excluded.payload",
			w.id, o.a, code(w.id, o.n), payload(w.id, o.n, o.a))
	case remove:
		return exec("DELETE FROM item WHERE worker = $1 AND slot = $2", w.id, o.a)
	case family:
		if err := exec("INSERT INTO parent VALUES ($1, $2, $3)", w.id, o.a, o.n); err != nil {
			return err
		}
		return exec("INSERT INTO child SELECT $1, $2, g FROM generate_series(1, $3) g", w.id, o.a, o.b)
	case orphan:
		return exec("DELETE FROM parent WHERE worker = $1 AND id = $2", w.id, o.a)
	case load:
		var text strings.Builder
		for i := range o.a {
			fmt.Fprintf(&text, "%d\t%d\t%d\t%s\n", w.id, o.n, i, payload(w.id, o.n, i))
		}
		_, err := tx.Conn().PgConn().CopyFrom(ctx, strings.NewReader(text.String()), "COPY loaded FROM STDIN")
		return err
	case unload:
		return exec("DELETE FROM loaded WHERE worker = $1 AND load = $2", w.id, o.a)
	case prune:
		return exec("DELETE FROM event WHERE worker = $1 AND n <= $2", w.id, o.a)
	case page:
		if err := exec("DELETE FROM page WHERE worker = $1", w.id); err != nil {
			return err
		}
		for i := range o.a {
			if err := exec("INSERT INTO page VALUES ($1, $2, $3, $4)", w.id, i, o.n, payload(w.id, o.n, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// at returns the model after transaction n, which must be one of the ledger's: at least lower, and sent.
func (w *worker) at(n, lower int64) (*Model, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case n < lower:
		return nil, fmt.Errorf("lost: worker %d ends with transaction %d, %d was acknowledged", w.id, n, lower)
	case n > w.last.n && (w.doubt == nil || n != w.doubt.n):
		return nil, fmt.Errorf("phantom: worker %d ends with transaction %d, only %d were sent", w.id, n, w.last.n)
	}
	m := w.base.clone()
	for _, o := range w.ops {
		if o.n <= n {
			m.apply(o)
		}
	}
	if w.doubt != nil && w.doubt.n == n {
		m.apply(*w.doubt)
	}
	return m, nil
}

// mark is what a worker has been promised.
type mark struct{ n, sequence, ticket int64 }

// marks returns what workers have been promised by now.
func marks(workers []*worker) []mark {
	list := make([]mark, len(workers))
	for i, w := range workers {
		w.mu.Lock()
		list[i] = mark{w.last.n, w.sequence, w.ticket}
		w.mu.Unlock()
	}
	return list
}

// settle makes what a check has found the beginning of the next round.
func (w *worker) settle(m *Model) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.base, w.last, w.ops, w.doubt = m, m.clone(), nil, nil
}
