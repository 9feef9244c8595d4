package omendb_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// The rows before the one that fails reach the client, and a LIMIT that is
// reached before it keeps the error away.
func TestClientRowsBeforeError(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		exec(t, c, "CREATE TABLE d (n int)", "INSERT INTO d SELECT generate_series(1, 100)")
		for _, sql := range []string{
			"SELECT 10/(10-n) FROM generate_series(1, 100) n", "SELECT 10/(10-n) FROM d",
			"SELECT n FROM generate_series(1, 100) n WHERE 10/(10-n) > 0", "SELECT n FROM d WHERE 10/(10-n) > 0",
			"WITH x AS MATERIALIZED (SELECT n FROM d) SELECT n FROM x WHERE 10/(10-n) > 0",
		} {
			rows, err := c.Query(context.Background(), sql)
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for rows.Next() {
				seen++
			}
			if got := sqlState(rows.Err()); seen != 9 || got != "22012" {
				t.Errorf("%s: %d rows, then %q; want 9, then 22012", sql, seen, got)
			}
			var n int
			if err := c.QueryRow(context.Background(), "SELECT count(*) FROM ("+sql+" LIMIT 9) s").Scan(&n); err != nil || n != 9 {
				t.Errorf("%s LIMIT 9: %d rows, %v", sql, n, err)
			}
		}
	})
}

// FETCH and EXECUTE announce the columns of what they name; constants that
// cannot be computed are an error of Bind, not of Parse.
func TestClientDescribe(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		exec(t, c, "BEGIN", "DECLARE c CURSOR FOR SELECT 1::int2 AS a, 'x'::text AS b", "PREPARE p AS SELECT 1.5 AS n")
		for sql, want := range map[string]int{"FETCH 1 FROM c": 2, "MOVE 1 IN c": 0, "EXECUTE p": 1} {
			d, err := c.Prepare(ctx, sql, sql)
			if err != nil {
				t.Fatal(sql, err)
			}
			if len(d.Fields) != want {
				t.Errorf("%s has %d columns, want %d", sql, len(d.Fields), want)
			}
		}
		var a int16
		var b string
		if err := c.QueryRow(ctx, "FETCH 1 FROM c").Scan(&a, &b); err != nil || a != 1 || b != "x" {
			t.Errorf("FETCH in binary: %d %q %v", a, b, err)
		}
		exec(t, c, "ROLLBACK")
		if _, err := c.Prepare(ctx, "zero", "SELECT 1/0"); err != nil {
			t.Errorf("Parse of SELECT 1/0: %v", err)
		}
		if _, err := c.Exec(ctx, "zero"); sqlState(err) != "22012" {
			t.Errorf("Bind of SELECT 1/0: %v", err)
		}
	})
}

// An error reaches the client at once, without a Sync or Flush after it.
func TestClientErrorWithoutSync(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		p := dial(t, plain).PgConn().StartPipeline(ctx)
		p.SendQueryParams("SELECT 1/(3-n) FROM generate_series(1, 10) n", nil, nil, nil, nil)
		p.SendFlushRequest()
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		r, err := p.GetResults()
		if err != nil {
			t.Fatal(err)
		}
		if got := r.(*pgconn.ResultReader).Read(); sqlState(got.Err) != "22012" || len(got.Rows) != 2 {
			t.Errorf("%d rows, %v", len(got.Rows), got.Err)
		}
		if err := p.Sync(); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// FETCH and MOVE go on in a portal of the extended protocol, as cursors of asyncpg do.
func TestClientFetchFromPortal(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		exec(t, c, "BEGIN")
		f := c.PgConn().Frontend()
		f.SendParse(&pgproto3.Parse{Query: "SELECT generate_series(1, 100)"})
		f.SendBind(&pgproto3.Bind{DestinationPortal: "p"})
		f.SendExecute(&pgproto3.Execute{Portal: "p", MaxRows: 3})
		f.SendSync(&pgproto3.Sync{})
		if err := f.Flush(); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			m, err := f.Receive()
			if err != nil {
				t.Fatal(err)
			}
			_, done = m.(*pgproto3.ReadyForQuery)
		}
		exec(t, c, "MOVE 10 IN p")
		if got := one[int](t, c, "FETCH 1 FROM p"); got != 14 {
			t.Errorf("FETCH after three rows and ten gives %d", got)
		}
		exec(t, c, "MOVE ALL IN p", "COMMIT")
	})
}

var parseOne = pgproto3.Parse{Query: "SELECT 1"}

// The time of statement_timeout runs while the client thinks in the middle of an
// exchange, and for what follows a SET in the same message.
func TestClientStatementTimeout(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		if _, err := c.PgConn().Exec(ctx, "SET statement_timeout = '5ms'; SELECT pg_sleep(10)").ReadAll(); sqlState(err) != "57014" {
			t.Errorf("after SET in the same message: %v", err)
		}
		exec(t, c, "SET statement_timeout = '20ms'")
		f := c.PgConn().Frontend()
		f.SendParse(&parseOne)
		if err := f.Flush(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(60 * time.Millisecond)
		if _, err := c.PgConn().Prepare(ctx, "late", "SELECT 1", nil); sqlState(err) != "57014" {
			t.Errorf("a Parse long after another: %v", err)
		}
		if got := one[int](t, c, "SELECT 1"); got != 1 {
			t.Error(got)
		}
	})
}

func TestClientReadUncommitted(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		tx, err := c.BeginTx(context.Background(), pgx.TxOptions{IsoLevel: pgx.ReadUncommitted})
		if err != nil {
			t.Fatal(err)
		}
		if got := one[string](t, tx.Conn(), "SHOW transaction_isolation"); got != "read uncommitted" {
			t.Errorf("the level is %q", got)
		}
	})
}

// A statement without rows has no description, a SELECT without columns an
// empty one: libpq's clients read the number of changed rows in the first case only.
func TestClientNoData(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		exec(t, c, "CREATE TABLE n (a int)")
		for sql, want := range map[string]bool{
			"INSERT INTO n VALUES (1)": false, "UPDATE n SET a = 2": false, "DELETE FROM n": false, "DELETE FROM n RETURNING a": true,
			"SELECT FROM n": true, "CREATE TABLE m (a int)": false, "SHOW work_mem": true, "BEGIN": false,
		} {
			p := c.PgConn().StartPipeline(ctx)
			p.SendPrepare("", sql, nil)
			if err := p.Sync(); err != nil {
				t.Fatal(err)
			}
			r, err := p.GetResults()
			if err != nil {
				t.Fatal(sql, err)
			}
			if got := r.(*pgconn.StatementDescription).Fields != nil; got != want {
				t.Errorf("%s is described: %v, want %v", sql, got, want)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// A parameter whose type is a domain is tested when it is bound.
func TestClientDomainParameter(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		exec(t, c, "CREATE DOMAIN small AS int CHECK (VALUE < 10)")
		if got := one[int](t, c, "SELECT $1::small", 5); got != 5 {
			t.Error(got)
		}
		if _, err := c.Exec(context.Background(), "SELECT $1::small", 50); sqlState(err) != "23514" {
			t.Errorf("a value outside the domain: %v", err)
		}
	})
}
