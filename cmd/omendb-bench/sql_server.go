package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb/internal/serverproc"
)

// database is one of the two servers that answer the same queries.
type database struct {
	name string
	dsn  string
	conn *pgconn.PgConn
	stop func()
}

// servers are PostgreSQL, at a URI, and OmenDB, a process of ours.
type servers struct {
	pg, omen *database
}

// serverFlags say where the servers are.
type serverFlags struct {
	pg, binary, database string
	cacheMB              int
}

func (s *servers) each() []*database { return []*database{s.pg, s.omen} }

// openServers starts OmenDB on a directory, which may hold data of an earlier
// run, and makes the benchmark's database on PostgreSQL if it is not there.
func openServers(ctx context.Context, f serverFlags, dir string) (_ *servers, err error) {
	if f.pg == "" {
		return nil, errors.New("--pg: the URI of a PostgreSQL 15 is missing; `make bench-sql` starts one")
	}
	s := &servers{pg: &database{name: "PostgreSQL", dsn: f.pg, stop: func() {}}, omen: &database{name: "OmenDB"}}
	data := filepath.Join(dir, "omendb")
	if _, err := os.Stat(data); err != nil {
		if err := serverproc.Init(ctx, f.binary, data); err != nil {
			return nil, err
		}
	}
	p, err := serverproc.Start(ctx, f.binary, data, "--cache-mb", fmt.Sprint(f.cacheMB))
	if err != nil {
		return nil, err
	}
	s.omen.dsn, s.omen.stop = p.DSN(), p.Kill
	if err := s.connect(ctx, f.database); err != nil {
		s.close(ctx)
		return nil, err
	}
	return s, nil
}

// workMem is what both servers may use for a sort or a hash table: PostgreSQL's
// default of 4 MB is not how somebody tunes a server for such queries.
const workMem = "64MB"

// connect connects to the benchmark's database on both servers.
func (s *servers) connect(ctx context.Context, name string) error {
	for _, db := range s.each() {
		first, err := pgconn.Connect(ctx, db.dsn)
		if err != nil {
			return fmt.Errorf("%s: %w", db.name, err)
		}
		_, err = first.Exec(ctx, "CREATE DATABASE "+name).ReadAll()
		var pe *pgconn.PgError
		if errors.As(err, &pe) && pe.Code == "42P04" { // it is there
			err = nil
		}
		_ = first.Close(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", db.name, err)
		}
		if db.conn, err = db.open(ctx, name); err != nil {
			return err
		}
		if err := db.exec(ctx, "SET work_mem = '"+workMem+"'"); err != nil {
			return err
		}
	}
	return nil
}

// open makes another connection to a database of the server.
func (d *database) open(ctx context.Context, name string) (*pgconn.PgConn, error) {
	cfg, err := pgconn.ParseConfig(d.dsn)
	if err != nil {
		return nil, err
	}
	cfg.Database = name
	c, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	return c, nil
}

func (s *servers) close(ctx context.Context) {
	for _, db := range s.each() {
		if db.conn != nil {
			_ = db.conn.Close(ctx)
		}
		db.stop()
	}
}

// exec runs statements and drops what they return.
func (d *database) exec(ctx context.Context, sql string) error {
	if _, err := d.conn.Exec(ctx, sql).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w\n%s", d.name, err, sql)
	}
	return nil
}

// copyIn fills a table from text lines.
func (d *database) copyIn(ctx context.Context, table string, lines func(w io.Writer) error) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(lines(w)) }()
	if _, err := d.conn.CopyFrom(ctx, r, "COPY "+table+" FROM STDIN"); err != nil {
		_ = r.CloseWithError(err)
		return fmt.Errorf("%s: copy into %s: %w", d.name, table, err)
	}
	return nil
}

// value returns the first column of the first row.
func (d *database) value(ctx context.Context, sql string) (string, error) {
	res, err := d.conn.Exec(ctx, sql).ReadAll()
	if err != nil || len(res) == 0 || len(res[0].Rows) == 0 {
		return "", err
	}
	return string(res[0].Rows[0][0]), nil
}

// settings are what figures depend on, for the report.
func (d *database) settings(ctx context.Context) string {
	var out []string
	for _, name := range []string{"shared_buffers", "work_mem", "effective_cache_size", "max_parallel_workers_per_gather", "jit", "random_page_cost"} {
		if v, err := d.value(ctx, "SHOW "+name); err == nil {
			out = append(out, name+" = "+v)
		}
	}
	return strings.Join(out, ", ")
}
