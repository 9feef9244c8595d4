package omendb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
)

const password = "correct horse"

// dialer makes connections to one database.
type dialer func(t *testing.T, change func(*pgx.ConnConfig)) *pgx.Conn

// everyWay runs a test over TCP with a password and inside the process.
func everyWay(t *testing.T, test func(t *testing.T, dial dialer)) {
	db, err := omendb.Open(omendb.Memory, omendb.WithPassword(password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	addr, err := db.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr.String())
	tcp := fmt.Sprintf("host=%s port=%s user=omendb password='%s' database=postgres sslmode=disable", host, port, password)
	connect := func(t *testing.T, text string, change func(*pgx.ConnConfig)) *pgx.Conn {
		t.Helper()
		config, err := pgx.ParseConfig(text)
		if err != nil {
			t.Fatal(err)
		}
		change(config)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		return conn
	}
	t.Run("tcp", func(t *testing.T) {
		test(t, func(t *testing.T, change func(*pgx.ConnConfig)) *pgx.Conn {
			t.Helper()
			return connect(t, tcp, change)
		})
	})
	t.Run("library", func(t *testing.T) {
		test(t, func(t *testing.T, change func(*pgx.ConnConfig)) *pgx.Conn {
			t.Helper()
			return connect(t, "host=inside user=omendb database=omendb sslmode=disable", func(c *pgx.ConnConfig) {
				c.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
				c.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
				change(c)
			})
		})
	})
}

func plain(*pgx.ConnConfig) {}

func exec(t *testing.T, c *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := c.Exec(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func one[T any](t *testing.T, c *pgx.Conn, sql string, args ...any) (v T) {
	t.Helper()
	if err := c.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// Values go to the server and come back the same in every mode of pgx: binary
// and text, prepared and not.
func TestClientValues(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
			pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			c := dial(t, func(config *pgx.ConnConfig) { config.DefaultQueryExecMode = mode })
			when := time.Date(2024, 2, 29, 12, 30, 15, 123456000, time.UTC)
			var (
				b  bool
				i2 int16
				i4 int32
				i8 int64
				f  float64
				s  string
				by []byte
				ts time.Time
				n  *string
			)
			err := c.QueryRow(context.Background(),
				"SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::float8, $6::text, $7::bytea, $8::timestamptz, $9::text",
				true, int16(-2), int32(1<<30), int64(-1<<62), 0.1, "zwölf\\'", []byte{0, 1, 255}, when, nil).
				Scan(&b, &i2, &i4, &i8, &f, &s, &by, &ts, &n)
			if err != nil {
				t.Fatalf("%v: %v", mode, err)
			}
			if !b || i2 != -2 || i4 != 1<<30 || i8 != -1<<62 || f != 0.1 || s != "zwölf\\'" || string(by) != "\x00\x01\xff" || !ts.Equal(when) || n != nil {
				t.Errorf("%v: %v %v %v %v %v %q %q %v %v", mode, b, i2, i4, i8, f, s, by, ts, n)
			}
		}
	})
}

func TestClientPrepared(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		exec(t, c, "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2))")
		d, err := c.Prepare(ctx, "add", "INSERT INTO item VALUES ($1, $2, $3) RETURNING id")
		if err != nil {
			t.Fatal(err)
		}
		if got := d.ParamOIDs; !reflect.DeepEqual(got, []uint32{23, 25, 1700}) {
			t.Fatal(got)
		}
		if f := d.Fields[0]; f.Name != "id" || f.DataTypeOID != 23 || f.TableOID == 0 || f.TableAttributeNumber != 1 {
			t.Fatalf("%+v", f)
		}
		for i := range 10 {
			if got := one[int](t, c, "add", i, fmt.Sprint("item ", i), "1.50"); got != i {
				t.Fatal(got)
			}
		}
		rows, err := c.Query(ctx, "SELECT name FROM item WHERE id > $1 ORDER BY id DESC LIMIT $2", 5, 2)
		if err != nil {
			t.Fatal(err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !reflect.DeepEqual(names, []string{"item 9", "item 8"}) {
			t.Fatal(names, err)
		}
		if got := one[string](t, c, "SELECT sum(price)::text FROM item"); got != "15.00" {
			t.Fatal(got)
		}
	})
}

// A batch is one pipeline: its statements are one transaction, and the error of
// one is told at its place.
func TestClientBatch(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		exec(t, c, "CREATE TABLE b (id int PRIMARY KEY)")
		send := func(ids ...int) (failedAt int, err error) {
			batch := &pgx.Batch{}
			for _, id := range ids {
				batch.Queue("INSERT INTO b VALUES ($1)", id)
			}
			r := c.SendBatch(ctx, batch)
			failedAt = -1
			for i := range ids {
				if _, e := r.Exec(); e != nil && failedAt < 0 {
					failedAt, err = i, e
				}
			}
			r.Close()
			return failedAt, err
		}
		if at, err := send(1, 2, 3); err != nil {
			t.Fatal(at, err)
		}
		if at, err := send(4, 5, 1, 6); at != 2 || sqlState(err) != "23505" {
			t.Fatal(at, err)
		}
		if got := one[int](t, c, "SELECT count(*)::int FROM b"); got != 3 {
			t.Fatalf("%d rows: a part of a failed batch stayed", got)
		}
	})
}

func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestClientCopy(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		exec(t, c, "CREATE TABLE c (id bigint PRIMARY KEY, name text, x float8)")
		const n = 5000
		copied, err := c.CopyFrom(ctx, pgx.Identifier{"c"}, []string{"id", "name", "x"}, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			if i%100 == 0 {
				return []any{int64(i), nil, nil}, nil
			}
			return []any{int64(i), fmt.Sprint("row\t", i), float64(i) / 2}, nil
		}))
		if err != nil || copied != n {
			t.Fatal(copied, err)
		}
		for format, want := range map[string]string{"": "1\trow\\t1\t0.5\n", ", FORMAT csv": "1,row\t1,0.5\n"} {
			var out strings.Builder
			tag, err := c.PgConn().CopyTo(ctx, &out, "COPY (SELECT * FROM c WHERE id <= 1 ORDER BY id) TO STDOUT WITH (HEADER false"+format+")")
			if err != nil || tag.RowsAffected() != 2 || !strings.HasSuffix(out.String(), want) {
				t.Errorf("%s: %q %v", format, out.String(), err)
			}
		}
		_, err = c.PgConn().CopyFrom(ctx, strings.NewReader("9999\tx\t1\nten\ty\t2\n"), "COPY c FROM STDIN")
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "22P02" || !strings.Contains(e.Where, "COPY c, line 2, column id") {
			t.Fatal(err)
		}
		if got := one[int](t, c, "SELECT count(*)::int FROM c"); got != n {
			t.Fatalf("%d rows after a COPY that failed", got)
		}
	})
}

func TestClientCancel(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		done := make(chan error, 1)
		go func() {
			_, err := c.Exec(context.Background(), "SELECT pg_sleep(30)")
			done <- err
		}()
		deadline := time.After(10 * time.Second)
		for {
			if err := c.PgConn().CancelRequest(context.Background()); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-done:
				if sqlState(err) != "57014" {
					t.Fatal(err)
				}
				if got := one[int](t, c, "SELECT 1"); got != 1 {
					t.Fatal("the connection is of no use any more")
				}
				return
			case <-deadline:
				t.Fatal("not cancelled")
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

func TestClientErrors(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, plain)
		exec(t, c, "CREATE TABLE e (id int CONSTRAINT e_key PRIMARY KEY, n int NOT NULL CHECK (n > 0))", "INSERT INTO e VALUES (1, 1)")
		for statement, want := range map[string]string{
			"SELECT 1/0": "22012", "SELECT * FROM nowhere": "42P01", "SELECT nothing FROM e": "42703", "SELEC 1": "42601",
			"INSERT INTO e VALUES (1, 2)": "23505", "INSERT INTO e VALUES (2, NULL)": "23502", "INSERT INTO e VALUES (2, -1)": "23514",
			"SELECT 'x'::int": "22P02", "SELECT 2147483647 + 1": "22003", "SET nonsense = 1": "42704", "ROLLBACK TO x": "25P01",
		} {
			if _, err := c.Exec(ctx, statement); sqlState(err) != want {
				t.Errorf("%s: %v, want %s", statement, err, want)
			}
		}
		_, err := c.Exec(ctx, "INSERT INTO e VALUES (1, 2)")
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.SchemaName != "public" || e.TableName != "e" || e.ConstraintName != "e_key" || e.Detail != "Key (id)=(1) already exists." {
			t.Errorf("%+v", e)
		}
		exec(t, c, "BEGIN")
		if _, err := c.Exec(ctx, "SELECT 1/0"); sqlState(err) != "22012" {
			t.Error(err)
		}
		if _, err := c.Exec(ctx, "SELECT 1"); sqlState(err) != "25P02" || c.PgConn().TxStatus() != 'E' {
			t.Error(err)
		}
		exec(t, c, "ROLLBACK", "SELECT 1")
		if _, err := c.Exec(ctx, "SELECT $1::int", "x"); err == nil {
			t.Error("a text passes for an int")
		}
	})
}

func TestClientNotify(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		listener, sender := dial(t, plain), dial(t, plain)
		exec(t, listener, "LISTEN news")
		exec(t, sender, "BEGIN", "NOTIFY news, 'one'", "NOTIFY news, 'one'", "NOTIFY news, 'two'", "NOTIFY other, 'x'")
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if n, err := listener.WaitForNotification(ctx); err == nil {
			t.Fatalf("%q before its commit", n.Payload)
		}
		exec(t, sender, "COMMIT")
		for _, want := range []string{"one", "two"} {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if n, err := listener.WaitForNotification(ctx); err != nil || n.Payload != want || n.PID != sender.PgConn().PID() {
				t.Fatal(n, err)
			}
		}
	})
}

func TestClientRoles(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		role := "ann_" + t.Name()[len(t.Name())-3:]
		exec(t, c, "CREATE ROLE "+role+" LOGIN PASSWORD 'secret'")
		login := func(password string) error {
			config := c.Config().Copy()
			config.User, config.Password = role, password
			x, err := pgx.ConnectConfig(context.Background(), config)
			if err == nil {
				x.Close(context.Background())
			}
			return err
		}
		if err := login("secret"); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(t.Name(), "tcp") {
			return
		}
		if err := login("wrong"); sqlState(err) != "28P01" {
			t.Fatal(err)
		}
		exec(t, c, "ALTER ROLE "+role+" VALID UNTIL '2001-01-01'")
		if err := login("secret"); sqlState(err) != "28P01" {
			t.Fatal("an expired password:", err)
		}
	})
}
