package exec_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/types"
)

var oracle = flag.String("ddl.oracle", "", "rewrite the expected output of testdata/ddl from the PostgreSQL at this URL")

// TestDDLScripts runs testdata/ddl/*.sql. A script is statements, each ending in a semicolon
// at the end of a line, and each followed by the output, commented out by "-- ". The
// output was recorded from PostgreSQL.
func TestDDLScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/ddl/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if *oracle != "" {
				rewrite(t, file, string(text))
				return
			}
			s := newSession(t)
			for _, step := range steps(string(text)) {
				if got := s.run(step.sql); got != step.want {
					t.Errorf("line %d: %s\nwant:\n%sgot:\n%s", step.line, step.sql, step.want, got)
				}
			}
		})
	}
}

type step struct {
	sql, want, head string
	line            int
}

func steps(text string) []step {
	var list []step
	var cur step
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "-- "):
			if len(list) > 0 && cur.sql == "" {
				list[len(list)-1].want += strings.TrimPrefix(line, "-- ") + "\n"
			}
		case strings.HasPrefix(line, "#"), line == "":
			cur.head += line + "\n"
		default:
			if cur.sql == "" {
				cur.line = n + 1
			}
			cur.sql += line + "\n"
			if strings.HasSuffix(line, ";") {
				cur.sql = strings.TrimRight(cur.sql, "\n")
				list = append(list, cur)
				cur = step{}
			}
		}
	}
	return list
}

// rewrite records PostgreSQL's output. It empties the schema public of the database first.
func rewrite(t *testing.T, file, text string) {
	cfg, err := pgconn.ParseConfig(*oracle)
	if err != nil {
		t.Fatal(err)
	}
	var notices strings.Builder
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		printError(&notices, n.Severity, n.Code, n.Message, n.Detail, n.Hint)
	}
	conn, err := pgconn.ConnectConfig(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	// The database is the test's own.
	if _, err := conn.Exec(context.Background(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public").ReadAll(); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, s := range steps(text) {
		notices.Reset()
		out.WriteString(s.head + s.sql + "\n")
		var body strings.Builder
		results, err := conn.Exec(context.Background(), s.sql).ReadAll()
		for _, r := range results {
			if r.Err != nil {
				continue
			}
			for _, row := range r.Rows {
				var cells []string
				for _, v := range row {
					if v == nil {
						cells = append(cells, "∅")
						continue
					}
					cells = append(cells, string(v))
				}
				body.WriteString(strings.Join(cells, "|") + "\n")
			}
			body.WriteString(r.CommandTag.String() + "\n")
		}
		var e *pgconn.PgError
		if errors.As(err, &e) {
			printError(&body, e.Severity, e.Code, e.Message, e.Detail, e.Hint)
		}
		for _, line := range strings.Split(strings.TrimRight(notices.String()+body.String(), "\n"), "\n") {
			out.WriteString("-- " + line + "\n")
		}
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func printError(w *strings.Builder, severity, code, message, detail, hint string) {
	fmt.Fprintf(w, "%s %s: %s\n", severity, code, message)
	for _, l := range strings.Split(detail, "\n") {
		if l != "" {
			fmt.Fprintf(w, "DETAIL: %s\n", l)
		}
	}
	if hint != "" {
		fmt.Fprintf(w, "HINT: %s\n", hint)
	}
}

// session is just enough of one to run statements: a transaction each, or BEGIN to COMMIT.
type session struct {
	t       *testing.T
	db      *engine.DB
	cat     *catalog.Catalog
	catalog *catalog.Session
	txn     *engine.Txn
	view    *catalog.View
	marks   []mark
	out     strings.Builder
}

type mark struct {
	name     string
	txn, cat int
}

func newSession(t *testing.T) *session {
	tasks := task.NewGoroutines(func(p *task.Panic) { panic(p) })
	db, err := engine.Open(engine.Options{FS: vfs.NewMem(1), Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(), DeadlockTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(); tasks.Close() })
	cat, err := catalog.Open(db, catalog.Options{Superuser: "postgres"})
	if err != nil {
		t.Fatal(err)
	}
	return &session{t: t, db: db, cat: cat, catalog: cat.NewSession(catalog.PostgresDatabase)}
}

func (s *session) run(sql string) string {
	s.out.Reset()
	own := s.txn == nil
	if own {
		s.begin()
	}
	tag, err := s.statement(sql)
	if err != nil {
		e := pgerr.From(err)
		printError(&s.out, e.Severity, e.Code, e.Message, e.Detail, e.Hint)
	} else {
		s.out.WriteString(tag + "\n")
	}
	if own && s.txn != nil && tag != "BEGIN" {
		if err != nil {
			s.txn.Rollback()
		} else if _, err := s.txn.Commit(context.Background()); err != nil {
			s.t.Fatal(err)
		}
		s.txn = nil
	}
	return s.out.String()
}

func (s *session) begin() {
	s.txn = s.db.Begin(engine.TxnOptions{})
	s.view = s.catalog.View(s.txn)
	s.marks = nil
}

func (s *session) statement(sql string) (string, error) {
	parsed, err := parser.Parse(sql)
	if err != nil {
		return "", err
	}
	s.view.Refresh()
	env := types.NewEnv()
	env.Types, env.Names = s.view, names{s.view}
	path := []catalog.OID{catalog.PgCatalog, catalog.Public}
	if temp := s.view.TempSchema(); temp != 0 {
		path = append([]catalog.OID{temp}, path...)
	}
	penv := &planner.Env{Catalog: s.view, SearchPath: path, Types: env, User: catalog.BootstrapSuperuser, Database: "postgres",
		Functions: &functions.Ctx{Env: env}}
	b, err := planner.Bind(penv, parsed[0])
	if err != nil {
		return "", err
	}
	if u, ok := b.Utility.(*plan.Transaction); ok {
		return u.Tag(), s.transaction(u)
	}
	rt := &exec.Runtime{
		Context: context.Background(), DB: s.db, Txn: s.txn, Snapshot: s.txn.Snapshot(), Catalog: s.view,
		Functions: &functions.Ctx{Env: env}, Binder: planner.Stored{Env: penv},
		Notice: func(n *pgerr.Error) { printError(&s.out, n.Severity, code(n.Code), n.Message, n.Detail, n.Hint) },
	}
	defer func() { s.txn.NextCommand(); rt.Snapshot.Close() }()
	if b.Utility != nil {
		r, err := exec.RunUtility(rt, b.Utility)
		if err != nil {
			return "", err
		}
		return r.Tag, nil
	}
	return s.query(rt, penv, env, b.Query)
}

func code(c string) string {
	if c == "" {
		return "00000"
	}
	return c
}

func (s *session) transaction(u *plan.Transaction) error {
	switch u.Kind {
	case "commit":
		_, err := s.txn.Commit(context.Background())
		s.txn = nil
		return err
	case "rollback":
		s.txn.Rollback()
		s.txn = nil
	case "savepoint":
		s.marks = append(s.marks, mark{u.Name, s.txn.Savepoint(), s.view.Savepoint()})
	case "rollback to":
		for i, m := range s.marks {
			if m.name == u.Name {
				s.txn.RollbackTo(m.txn)
				s.view.RollbackTo(m.cat)
				s.marks = s.marks[:i+1]
				return nil
			}
		}
	}
	return nil
}

func (s *session) query(rt *exec.Runtime, penv *planner.Env, env *types.Env, q *plan.Query) (string, error) {
	st, err := planner.Plan(penv, q)
	if err != nil {
		return "", err
	}
	rows, err := exec.Run(rt, st)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var batch column.Batch
	n := 0
	for {
		more, err := rows.Next(&batch)
		if err != nil {
			return "", err
		}
		if !more {
			break
		}
		for i := range batch.Len() {
			n++
			var cells []string
			for c, t := range st.Output {
				v := batch.Cols[c].Datum(batch.Row(i))
				if v.Null {
					cells = append(cells, "∅")
					continue
				}
				cells = append(cells, string(env.Out(nil, t.Expr.ResultType().OID, v)))
			}
			s.out.WriteString(strings.Join(cells, "|") + "\n")
		}
	}
	switch q.Command {
	case plan.Insert:
		return fmt.Sprintf("INSERT 0 %d", rows.Affected()), nil
	case plan.Update:
		return fmt.Sprintf("UPDATE %d", rows.Affected()), nil
	case plan.Delete:
		return fmt.Sprintf("DELETE %d", rows.Affected()), nil
	}
	return fmt.Sprintf("SELECT %d", n), nil
}

// names finds sequences and tables for regclass.
type names struct{ view *catalog.View }

func (n names) ObjectByName(_ catalog.OID, s string) (catalog.OID, error) {
	if o := n.view.ByName(catalog.ClassRelation, catalog.Public, s); o != nil {
		return o.Head().OID, nil
	}
	return 0, pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", s)
}

func (n names) ObjectName(t, oid catalog.OID) (string, bool) {
	class := catalog.ClassRelation
	if t == types.RegtypeOID {
		class = catalog.ClassType
	}
	o := n.view.Get(class, oid)
	if o == nil {
		return "", false
	}
	if schema := o.Head().Schema; schema != catalog.Public {
		return n.view.SchemaName(schema) + "." + o.Head().Name, true
	}
	return o.Head().Name, true
}
