package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// Bank moves money between accounts. At every level the sum at the end is that
// of the beginning; from REPEATABLE READ on every reader sees that sum. At
// SERIALIZABLE a pair of accounts may be overdrawn singly, but never together:
// each withdrawal checks the sum of both and changes one, which is a write skew
// where it goes wrong.
type Bank struct {
	Connect      Connect
	Level        Level
	Transactions int
	Workers      int
	Accounts     int // an even number
	Seed         uint64
	Yield        bool

	started   atomic.Int64
	committed atomic.Int64
	mu        sync.Mutex
	bad       []string
}

const opening = 100 // in every account

// Setup makes the tables.
func (b *Bank) Setup(ctx context.Context) error {
	return with(ctx, b.Connect,
		"DROP TABLE IF EXISTS account",
		"CREATE TABLE account (id int PRIMARY KEY, pair int, balance int)",
		"CREATE INDEX ON account (pair)",
		fmt.Sprintf("INSERT INTO account SELECT i, i / 2, %d FROM generate_series(0, %d) i", opening, b.Accounts-1))
}

// Run plays and returns the violations of invariants, and how many transactions committed.
func (b *Bank) Run(ctx context.Context) (bad []string, committed int64, err error) {
	var wait sync.WaitGroup
	errs := make([]error, b.Workers)
	for w := range b.Workers {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[w] = b.worker(ctx, rand.New(rand.NewPCG(b.Seed, uint64(w))))
		}()
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, 0, err
		}
	}
	c, err := b.Connect(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	sum, err := number(c.Query(ctx, "SELECT sum(balance) FROM account"))
	if err == nil && sum%opening != 0 { // withdrawals take out a whole opening balance
		b.violated("the sum at the end is %d", sum)
	}
	return b.bad, b.committed.Load(), err
}

func number(rows [][]string, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	if len(rows) != 1 {
		return 0, fmt.Errorf("%d rows where one is expected", len(rows))
	}
	if rows[0][0] == "" {
		return 0, nil
	}
	return strconv.Atoi(rows[0][0])
}

func (b *Bank) violated(format string, args ...any) {
	b.mu.Lock()
	if len(b.bad) < maxFaults {
		b.bad = append(b.bad, fmt.Sprintf(format, args...))
	}
	b.mu.Unlock()
}

func (b *Bank) worker(ctx context.Context, rnd *rand.Rand) error {
	c, err := b.Connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Query(ctx, "SET deadlock_timeout = '5ms'"); err != nil {
		return err
	}
	query := func(format string, args ...any) ([][]string, error) {
		if b.Yield {
			runtime.Gosched()
		}
		return c.Query(ctx, fmt.Sprintf(format, args...))
	}
	for b.started.Add(1) <= int64(b.Transactions) {
		var check func() // runs when the transaction has committed
		_, err := query("BEGIN ISOLATION LEVEL %s", b.Level)
		if err == nil {
			switch rnd.IntN(6) {
			case 0:
				check, err = b.audit(rnd, query)
			case 1, 2, 3:
				check, err = b.withdraw(rnd, query)
			default:
				err = b.transfer(rnd, query)
			}
		}
		if err == nil {
			_, err = query("COMMIT")
		}
		switch {
		case err == nil:
			b.committed.Add(1)
			if check != nil {
				check()
			}
		case retryable[SQLState(err)]:
			if _, err := query("ROLLBACK"); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

type queryFunc func(string, ...any) ([][]string, error)

func (b *Bank) transfer(rnd *rand.Rand, query queryFunc) error {
	from, to, amount := rnd.IntN(b.Accounts), rnd.IntN(b.Accounts), 1+rnd.IntN(20)
	if _, err := query("UPDATE account SET balance = balance - %d WHERE id = %d", amount, from); err != nil {
		return err
	}
	_, err := query("UPDATE account SET balance = balance + %d WHERE id = %d", amount, to)
	if b.Level == Serializable && err == nil {
		// Only moves inside a pair leave its sum alone: this one has to look.
		return b.solvent(from/2, query)
	}
	return err
}

// errPoor rolls a transaction back on purpose.
type errPoor struct{}

func (errPoor) Error() string    { return "not enough money" }
func (errPoor) SQLState() string { return "40001" }

func (b *Bank) solvent(pair int, query queryFunc) error {
	sum, err := number(query("SELECT sum(balance) FROM account WHERE pair = %d", pair))
	if err == nil && sum < 0 {
		return errPoor{}
	}
	return err
}

// withdraw takes the opening balance from one account of a pair, or pays it in, if
// the pair has enough together.
func (b *Bank) withdraw(rnd *rand.Rand, query queryFunc) (check func(), err error) {
	id := rnd.IntN(b.Accounts)
	if rnd.IntN(5) < 2 {
		_, err := query("UPDATE account SET balance = balance + %d WHERE id = %d", opening, id)
		return nil, err
	}
	sum, err := number(query("SELECT sum(balance) FROM account WHERE pair = %d", id/2))
	if err != nil {
		return nil, err
	}
	if sum >= opening {
		_, err = query("UPDATE account SET balance = balance - %d WHERE id = %d", opening, id)
	}
	return func() { b.pairSum(sum) }, err
}

// pairSum checks what a pair of accounts was seen to have.
func (b *Bank) pairSum(sum int) {
	if b.Level == Serializable && sum < 0 {
		b.violated("a pair of accounts has %d together", sum)
	}
}

// audit reads everything, in two parts.
func (b *Bank) audit(rnd *rand.Rand, query queryFunc) (check func(), err error) {
	half := rnd.IntN(b.Accounts)
	low, err := number(query("SELECT sum(balance) FROM account WHERE id < %d", half))
	if err != nil {
		return nil, err
	}
	high, err := number(query("SELECT sum(balance) FROM account WHERE id >= %d", half))
	if err != nil {
		return nil, err
	}
	worst, err := number(query("SELECT min(s) FROM (SELECT sum(balance) s FROM account GROUP BY pair) p"))
	return func() {
		if b.Level != ReadCommitted && (low+high)%opening != 0 {
			b.violated("an audit saw %d", low+high)
		}
		b.pairSum(worst)
	}, err
}
