package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/sql/types"
)

// target is a server with one connection, which is made anew when it breaks.
type target struct {
	connect  func(context.Context) (*pgconn.PgConn, error)
	conn     *pgconn.PgConn
	settings []string // played on every new connection
}

// patience is how long a server may take for a statement before the connection is given up; statement_timeout is shorter.
const patience = 20 * time.Second

// postgres returns a target by DSN.
func postgres(dsn string) (*target, error) {
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	return &target{connect: func(ctx context.Context) (*pgconn.PgConn, error) { return pgconn.ConnectConfig(ctx, config) }}, nil
}

// inside returns a target on a database in this process.
func inside(db *omendb.DB) (*target, error) {
	config, err := pgconn.ParseConfig("host=inside user=omendb database=postgres sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
	return &target{connect: func(ctx context.Context) (*pgconn.PgConn, error) { return pgconn.ConnectConfig(ctx, config) }}, nil
}

// outcome is what a server answers to one statement.
type outcome struct {
	columns []field
	rows    []string // each row with its cells quoted, so that rows compare as strings
	keys    []string // the rows with intervals as withKeys writes them; nil when no column is of intervals
	tag     string
	code    string // SQLSTATE, "" for success; "broken" when the connection ended
	message string
}

// field is a result column.
type field struct {
	name string
	oid  uint32
}

// isInterval tells columns of intervals, and of arrays of them.
func (f field) isInterval() bool {
	return f.oid == uint32(types.IntervalOID) || f.oid == uint32(types.IntervalArrayOID)
}

// run executes one query string and returns the outcome of its last statement that failed or yielded something.
func (t *target) run(sql string) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if t.conn == nil || t.conn.IsClosed() {
		if err := t.open(ctx); err != nil {
			return outcome{code: "broken", message: err.Error()}
		}
	}
	results, err := t.conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		var e *pgconn.PgError
		if errors.As(err, &e) {
			return outcome{code: e.Code, message: e.Message}
		}
		return outcome{code: "broken", message: err.Error()}
	}
	if len(results) == 0 {
		return outcome{}
	}
	r := results[len(results)-1]
	out := outcome{tag: r.CommandTag.String()}
	for _, f := range r.FieldDescriptions {
		out.columns = append(out.columns, field{f.Name, f.DataTypeOID})
	}
	for _, row := range r.Rows {
		out.rows = append(out.rows, printed(row))
	}
	if slices.ContainsFunc(out.columns, field.isInterval) {
		for _, row := range r.Rows {
			out.keys = append(out.keys, printed(withKeys(out.columns, row)))
		}
	}
	return out
}

func (t *target) open(ctx context.Context) (err error) {
	if t.conn, err = t.connect(ctx); err != nil {
		return err
	}
	for _, s := range t.settings {
		if _, err := t.conn.Exec(ctx, s).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}

// configure changes the settings of this connection and of those that follow it.
func (t *target) configure(settings []string) error {
	t.close()
	t.settings = settings
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return t.open(ctx)
}

func (t *target) close() {
	if t.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = t.conn.Close(ctx) // nothing depends on a goodbye
		t.conn = nil
	}
}

// printed writes a row as one string; NULL differs from every value.
func printed(row [][]byte) string {
	var b []byte
	for i, cell := range row {
		if i > 0 {
			b = append(b, " | "...)
		}
		if cell == nil {
			b = append(b, "NULL"...)
			continue
		}
		b = append(b, '\'')
		for _, c := range cell {
			if c == '\'' {
				b = append(b, c)
			}
			b = append(b, c)
		}
		b = append(b, '\'')
	}
	return string(b)
}
