// Command pgregress measures how much of PostgreSQL's regression suite a server answers as PostgreSQL does.
//
//	go run ./internal/pgregress -dir ../shared/pgregress            builds and starts an OmenDB of its own
//	go run ./internal/pgregress -dir D -dsn postgres://...          measures the server at a DSN
//
// Scripts go through the real psql, in the order of parallel_schedule, all in one database with C collation. They are
// scored statement by statement, never by whole file:
//
//	exact     what psql prints is byte for byte what is expected
//	semantic  LINE and caret, DETAIL, HINT, CONTEXT and NOTICE lines do not count, nor does the order of rows where the
//	          statement has no ORDER BY
//	kind      as semantic, and any error will do where an error is expected
//
// Statements that must print rows are counted apart as well, since nearly half of all statements print nothing when they
// succeed; and so are core statements: those without EXPLAIN, backslash commands, catalog queries, C and PL/pgSQL
// functions and what belongs to PostgreSQL's own storage.
//
// COPY from and to a file of the server is sent as \copy, and so is inline COPY data, from a file: a COPY that fails does
// not turn its data into statements; one that is expected to fail before them has none. A marker is echoed after every statement, so that a crash in one costs no other.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb/internal/serverproc"
)

func main() {
	var r runner
	flag.StringVar(&r.dir, "dir", "../shared/pgregress", "folder with sql/, expected/, data/ and parallel_schedule")
	flag.StringVar(&r.dsn, "dsn", "", "measure the server at this DSN instead of an OmenDB of our own")
	flag.StringVar(&r.binary, "binary", "", "start this server program instead of building one")
	flag.StringVar(&r.details, "details", "", "write every statement that differs into this file")
	flag.StringVar(&r.trend, "trend", "", "add the figures to this file, docs/pgregress.md")
	flag.StringVar(&r.compat, "compat", "", "write the page of features into this file, docs/compatibility.md")
	flag.DurationVar(&r.timeout, "timeout", 2*time.Minute, "time limit for one script")
	only := flag.String("only", "", "comma-separated scripts to report (the fixtures before them run as well)")
	flag.Parse()
	if *only != "" {
		r.only = strings.Split(*only, ",")
	}
	if err := r.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fixtures are the scripts that most others stand on.
var fixtures = []string{"test_setup", "create_index"}

// runner measures one server.
type runner struct {
	dir, dsn, details string
	trend, compat     string
	only              []string
	timeout           time.Duration

	broken int // scripts that ended the connection or were not done in time

	psql    string
	scratch string
	binary  string // of our own server, "" when a DSN was given
	server  *serverproc.Server
	log     *os.File // details, or nil
}

func (r *runner) run(ctx context.Context) error {
	var err error
	if r.psql, err = exec.LookPath("psql"); err != nil {
		fmt.Println("SKIP: there is no psql on this machine")
		return nil
	}
	if r.dir, err = filepath.Abs(r.dir); err != nil {
		return err
	}
	scripts, err := schedule(filepath.Join(r.dir, "parallel_schedule"))
	if err != nil {
		return err
	}
	if r.scratch, err = os.MkdirTemp("", "pgregress"); err != nil {
		return err
	}
	defer os.RemoveAll(r.scratch)
	if err := os.Mkdir(filepath.Join(r.scratch, "results"), 0o755); err != nil {
		return err
	}
	if r.details != "" {
		if r.log, err = os.Create(r.details); err != nil {
			return err
		}
		defer r.log.Close()
	}
	if r.dsn == "" {
		if err := r.startOwn(ctx); err != nil {
			return err
		}
		defer func() { r.server.Kill() }()
	}
	if err := r.createDatabase(ctx); err != nil {
		return err
	}
	return r.scripts(ctx, scripts)
}

// scripts runs all scripts and prints a line for each.
func (r *runner) scripts(ctx context.Context, names []string) error {
	res := result{scores: map[string]score{}}
	printHeader(os.Stdout)
	for _, name := range names {
		reported := len(r.only) == 0 || contains(r.only, name)
		if !reported && !contains(fixtures, name) {
			continue
		}
		s, err := r.script(ctx, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if reported {
			s.print(os.Stdout, name)
			res.names, res.scores[name] = append(res.names, name), s
		}
		if r.server != nil && r.server.Ended() {
			fmt.Printf("%s: the server ended\n%s\n", name, r.server.Output())
			if err := r.restart(ctx); err != nil {
				return err
			}
		}
	}
	res.sum(true).print(os.Stdout, "in scope")
	res.sum(false).print(os.Stdout, "all")
	fmt.Printf("scripts that ended the connection or ran out of time: %d\n", r.broken)
	if len(r.only) > 0 {
		return nil
	}
	if r.trend != "" {
		if err := res.writeTrend(r.trend); err != nil {
			return err
		}
	}
	if r.compat != "" {
		return res.writeCompat(r.compat, "testdata/sqllogic")
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// schedule reads the order of the scripts: lines "test: a b c".
func schedule(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, line := range strings.Split(string(text), "\n") {
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "test:"); ok {
			names = append(names, strings.Fields(list)...)
		}
	}
	return names, nil
}

func (r *runner) dataDir() string { return filepath.Join(r.scratch, "data") }

// startOwn builds the server of this module and starts it.
func (r *runner) startOwn(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	if r.binary == "" {
		if r.binary, err = serverproc.Build(ctx, strings.TrimSpace(string(root)), r.scratch); err != nil {
			return err
		}
	}
	if err := serverproc.Init(ctx, r.binary, r.dataDir()); err != nil {
		return err
	}
	return r.restart(ctx)
}

func (r *runner) restart(ctx context.Context) error {
	server, err := serverproc.Start(ctx, r.binary, r.dataDir())
	if err != nil {
		return err
	}
	database := ""
	if r.server != nil {
		database = r.database()
	}
	r.server, r.dsn = server, server.DSN()
	if database != "" {
		r.dsn = withDatabase(r.dsn, database)
	}
	return nil
}

// createDatabase makes the suite's database; where the server cannot, the suite runs in the database of the DSN.
func (r *runner) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, r.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS regression")
	if err == nil {
		_, err = conn.Exec(ctx, "CREATE DATABASE regression TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
	}
	if err != nil {
		fmt.Printf("no database of its own (%v)\n", err)
		return nil
	}
	r.dsn = withDatabase(r.dsn, "regression")
	return nil
}

// withDatabase replaces the database of a URL-form DSN.
func withDatabase(dsn, database string) string {
	head, query, hasQuery := strings.Cut(dsn, "?")
	i := strings.Index(head, "://")
	if i < 0 {
		return dsn + " dbname=" + database
	}
	if j := strings.IndexByte(head[i+3:], '/'); j >= 0 {
		head = head[:i+3+j]
	}
	head += "/" + database
	if hasQuery {
		head += "?" + query
	}
	return head
}

// database is the name that the current DSN ends in.
func (r *runner) database() string {
	head, _, _ := strings.Cut(r.dsn, "?")
	return head[strings.LastIndexByte(head, '/')+1:]
}
