package syscat_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/textsession"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/syscat"
	"github.com/omendb/omendb/sql/types"
)

var oracleDSN = flag.String("syscat.oracle", "", "PostgreSQL 15 server, empty database: answers are taken from it again")

// unorderedArrays finds aggregates whose arrays have no order of their own: they are compared as sets.
var unorderedArrays = regexp.MustCompile(`array_agg\([a-z.]+\)`)

// maxKept bounds the rows that an expectation keeps; longer answers are kept as a digest.
const maxKept = 60

// question is one captured query. OIDs of the capturing server were replaced by that of
// the table emp, so that they mean something.
type question struct {
	columns string // "name type; name type"
	text    string
}

// capturedOID finds the OIDs of user objects.
var capturedOID = regexp.MustCompile(`'?\b(1[6-9][0-9]{3}|[2-9][0-9]{4})\b'?`)

// readQuestions reads a file of captured queries, up to the statements that ask nothing.
func readQuestions(t testing.TB, path string) []question {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []question
	for _, part := range strings.Split(string(raw), "\n-- columns: ")[1:] {
		columns, text, _ := strings.Cut(part, "\n")
		text, _, _ = strings.Cut(text, "\n-- session statements")
		text = strings.TrimSuffix(strings.TrimSpace(text), ";")
		out = append(out, question{columns, text})
	}
	return out
}

// parameters tells queries whose parameters were not captured.
var parameters = regexp.MustCompile(`\$[0-9]`)

// capturedNames are the tables of the applications that were running.
var capturedNames = regexp.MustCompile(`'(shop|auth|django|ar|gorm|sa|typeorm|tr|sq|kn|drz|jd|pgl)_[a-z_]+'`)

func (q question) bound(oid string) string {
	q.text = capturedNames.ReplaceAllString(q.text, "'emp'")
	return capturedOID.ReplaceAllStringFunc(q.text, func(s string) string {
		if strings.HasPrefix(s, "'") {
			return "'" + oid + "'"
		}
		return oid
	})
}

// elsewhere matches questions whose answers depend on the server and its other databases.
var elsewhere = regexp.MustCompile(`pg_database\b|txid_current|pg_export_snapshot|pg_relation_size|pg_table_size|;\s*\S`)

// asker runs queries: on OmenDB, or on PostgreSQL.
type asker interface {
	ask(query string) (columns []string, rows [][]string, err error)
}

// bigNumber finds what depends on OIDs, transaction ids and sizes.
var bigNumber = regexp.MustCompile(`(\b|_)[0-9]{5,}(\b|_)`)

// answer runs a query and prints its columns and rows without what differs between servers.
func answer(a asker, query string) string {
	for _, fresh := range []string{"ROLLBACK", "RESET ALL"} { // some of the questions change the session
		if _, _, err := a.ask(fresh); err != nil {
			return err.Error()
		}
	}
	columns, rows, err := a.ask(query)
	unordered := unorderedArrays.MatchString(query)
	for _, r := range rows {
		for i := range r {
			switch {
			case strings.HasSuffix(columns[i], " pg_node_tree") && r[i] != "NULL":
				r[i] = "(tree)" // its text is each server's own; clients hand it to pg_get_expr
			case unordered && strings.HasSuffix(columns[i], "[]"):
				list := strings.Split(strings.Trim(r[i], "{}"), ",")
				slices.Sort(list)
				r[i] = strings.Join(list, ",")
			}
		}
	}
	if err != nil {
		var e *pgconn.PgError
		if errors.As(err, &e) {
			return "ERROR " + e.Code + " " + e.Message
		}
		return "ERROR " + pgerr.From(err).Code + " " + pgerr.From(err).Message
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.ReplaceAll(strings.ReplaceAll(bigNumber.ReplaceAllString(strings.Join(r, "|"), "#"), "\n", `\n`), "syscat_intro", "postgres")
	}
	slices.Sort(lines)
	head := strings.Join(columns, "; ")
	if len(lines) > maxKept {
		sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		return fmt.Sprintf("%s\n%d rows %s", head, len(lines), hex.EncodeToString(sum[:8]))
	}
	return strings.TrimSpace(head + "\n" + strings.Join(lines, "\n"))
}

// omen is a server in memory.
type omen struct {
	*textsession.Session
	db      *engine.DB
	cat     *catalog.Catalog
	changes int // tables made between questions
}

func newOmen(t testing.TB) *omen {
	fs := vfs.NewVolatile()
	tasks := task.NewGoroutines(nil)
	db, err := engine.Open(engine.Options{FS: fs, Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(),
		Fatal: func(err error) { t.Errorf("fatal: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := catalog.Open(db, catalog.Options{Superuser: "postgres", System: syscat.Relations()})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sql.Open(sql.Options{DB: db, Catalog: cat, Clock: clock.System(), Log: zerolog.Nop(), TempFS: fs, TempDir: "temp",
		Seed: func() int64 { return 1 }, HashPassword: func(string) (string, error) { return "SCRAM-SHA-256$1:a$b:c", nil }})
	if err != nil {
		t.Fatal(err)
	}
	x, err := textsession.Connect(srv, "postgres", "NULL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		x.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		tasks.Close()
	})
	return &omen{Session: x, db: db, cat: cat}
}

func (o *omen) ask(query string) ([]string, [][]string, error) {
	rows, err := o.Run(context.Background(), query)
	var columns []string
	for _, c := range o.Columns {
		columns = append(columns, c.Name+" "+o.Env().TypeName(c.Type))
	}
	return columns, rows, err
}

// oracle is PostgreSQL.
type oracle struct{ conn *pgconn.PgConn }

func (o oracle) ask(query string) ([]string, [][]string, error) {
	results, err := o.conn.Exec(context.Background(), query).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, nil, err
	}
	last := results[len(results)-1]
	if last.FieldDescriptions == nil { // no rows: pgconn keeps no description of them
		d, err := o.conn.Prepare(context.Background(), "", query, nil)
		if err != nil {
			return nil, nil, nil // several statements: whatever they say is not compared
		}
		last.FieldDescriptions = d.Fields
	}
	var columns []string
	for _, f := range last.FieldDescriptions {
		columns = append(columns, f.Name+" "+types.NewEnv().TypeName(f.DataTypeOID))
	}
	var rows [][]string
	for _, r := range last.Rows {
		row := make([]string, len(r))
		for i, v := range r {
			row[i] = "NULL"
			if v != nil {
				row[i] = string(v)
			}
		}
		rows = append(rows, row)
	}
	return columns, rows, nil
}

// fixture makes the objects that the questions are about and returns the OID of emp.
func fixture(t testing.TB, a asker) string {
	raw, err := os.ReadFile("testdata/fixture.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split(string(raw), ";\n") {
		if strings.TrimSpace(s) == "" {
			continue
		}
		if _, _, err := a.ask(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	_, rows, err := a.ask("SELECT 'emp'::regclass::oid")
	if err != nil {
		t.Fatal(err)
	}
	return rows[0][0]
}

// slow is what no question may take, however busy the machine is.
const slow = 10 * time.Second

// knownDifferences bounds how many answers differ from PostgreSQL's; it only goes down.
const knownDifferences = 3

// TestIntrospection asks what public clients ask and compares with PostgreSQL's answers.
func TestIntrospection(t *testing.T) {
	files, err := filepath.Glob("testdata/introspection/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no questions", err)
	}
	if *oracleDSN != "" {
		conn, err := pgconn.Connect(context.Background(), *oracleDSN)
		if err != nil {
			t.Fatal(err)
		}
		o := oracle{conn}
		oid := fixture(t, o)
		for _, f := range files {
			var b strings.Builder
			for i, q := range readQuestions(t, f) {
				if parameters.MatchString(q.text) || elsewhere.MatchString(q.text) {
					continue
				}
				fmt.Fprintf(&b, "== %d\n%s\n", i, answer(o, q.bound(oid)))
			}
			if err := os.WriteFile(strings.TrimSuffix(f, ".sql")+".want", []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	o := newOmen(t)
	oid := fixture(t, o)
	total, failed := 0, 0
	for _, f := range files {
		raw, err := os.ReadFile(strings.TrimSuffix(f, ".sql") + ".want")
		if err != nil {
			t.Fatal(err)
		}
		questions := readQuestions(t, f)
		for _, block := range strings.Split("\n"+string(raw), "\n== ")[1:] {
			number, want, _ := strings.Cut(block, "\n")
			var i int
			if _, err := fmt.Sscan(number, &i); err != nil {
				t.Fatal(err)
			}
			want = strings.TrimSpace(want)
			start := time.Now()
			got := answer(o, questions[i].bound(oid))
			if d := time.Since(start); d > slow {
				t.Errorf("%s %d took %v", filepath.Base(f), i, d)
			}
			total++
			if got != want {
				failed++
				t.Logf("%s %d\n%s\ngot  %s\nwant %s", filepath.Base(f), i, questions[i].bound(oid), got, want)
			}
		}
	}
	t.Logf("%d of %d answers are PostgreSQL's", total-failed, total)
	if failed > knownDifferences {
		t.Errorf("%d answers differ, %d are known to", failed, knownDifferences)
	}
}
