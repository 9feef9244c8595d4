package history_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/textsession"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/syscat"
)

// server is a server in this process; clients call its sessions, without a wire.
type server struct {
	db  *engine.DB
	sql *sql.Server
}

func open(t testing.TB, fs vfs.FS, change ...func(*engine.Options)) *server {
	t.Helper()
	tasks := task.NewGoroutines(nil)
	o := engine.Options{FS: fs, Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(),
		Fatal: func(err error) { t.Errorf("fatal: %v", err) }}
	for _, fn := range change {
		fn(&o)
	}
	db, err := engine.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Open(db, catalog.Options{Superuser: "omendb", System: syscat.Relations()})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sql.Open(sql.Options{DB: db, Catalog: cat, Clock: clock.System(), Log: zerolog.Nop(), TempFS: fs, TempDir: "temp",
		Seed: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		tasks.Close()
	})
	return &server{db, srv}
}

func (s *server) connect(context.Context) (history.Conn, error) {
	x, err := textsession.Connect(s.sql, "omendb", "")
	return session{x}, err
}

// session is a Conn without the protocol.
type session struct{ *textsession.Session }

// Query implements history.Conn.
func (c session) Query(ctx context.Context, statement string) ([][]string, error) {
	rows, err := c.Run(ctx, statement)
	if err != nil {
		return nil, coded{pgerr.From(err)}
	}
	return rows, nil
}

// coded is an error with its SQLSTATE.
type coded struct{ e *pgerr.Error }

// SQLState returns the code.
func (c coded) SQLState() string { return c.e.Code }

// Error implements error.
func (c coded) Error() string { return c.e.Message }

// wire is a Conn over the protocol.
type wire struct{ conn *pgconn.PgConn }

func dial(dsn string) history.Connect {
	return func(ctx context.Context) (history.Conn, error) {
		conn, err := pgconn.Connect(ctx, dsn)
		if err != nil {
			return nil, err
		}
		return wire{conn}, nil
	}
}

// Query implements history.Conn.
func (w wire) Query(ctx context.Context, statement string) ([][]string, error) {
	results, err := w.conn.Exec(ctx, statement).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, r := range results {
		for _, values := range r.Rows {
			row := make([]string, len(values))
			for i, v := range values {
				row[i] = string(v)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// Close implements history.Conn.
func (w wire) Close() { _ = w.conn.Close(context.Background()) }
