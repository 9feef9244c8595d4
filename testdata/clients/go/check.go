// Command go runs the sessions of the Go clients: "go run . CLIENT URI".
//
// Each check prints "PASS name = value" or "FAIL name: error". A check passes
// on OmenDB when its line is the one that PostgreSQL gives.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
)

// kinds are the columns of the table of that name.
var kinds = strings.Fields("b i2 i4 i8 f4 f8 n nu t vc c by d tm tmz ts tsz iv u j jb ia ta na m p mn bt vb o nm")

// faults are statements that fail, by what is wrong with them.
var faults = [][2]string{
	{"syntax", "SELEC 1"}, {"undefined table", "SELECT * FROM nowhere"}, {"undefined column", "SELECT nme FROM customer"},
	{"unique", "INSERT INTO customer (name, email) VALUES ('x', 'ada@example.com')"}, {"not null", "INSERT INTO customer (id, name) VALUES (99, NULL)"},
	{"check", "INSERT INTO customer (id, name, balance) VALUES (99, 'x', -1)"}, {"foreign key", "INSERT INTO purchase (customer_id) VALUES (999)"},
	{"domain", "SELECT 0::positive"}, {"enum", "SELECT 'angry'::mood"}, {"division", "SELECT 1/0"}, {"cast", "SELECT 'x'::int"},
	{"too long", "INSERT INTO customer (name) VALUES (repeat('x', 60))"}, {"two statements", "SELECT 1; SELECT 2"}, {"drop", "DROP TABLE customer"},
}

// sessions are the clients, each of them called with the server's address.
var sessions = map[string]func(uri string) error{
	"pgx": pgxSession, "libpq": pqSession, "stdlib": stdlibSession, "gorm": gormSession, "bun": bunSession, "migrate": migrateSession, "goose": gooseSession, "badinput": badInputSession, "messages": messagesSession,
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == "load" {
		if err := load(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) != 3 || sessions[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: go run . pgx|libpq|stdlib|gorm|bun|migrate|goose|badinput|messages URI")
		os.Exit(2)
	}
	if err := sessions[os.Args[1]](os.Args[2]); err != nil {
		fmt.Println("FAIL connect:", err)
		os.Exit(1)
	}
}

// version prints the version of a module.
func version(module string) {
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		if d.Path == module {
			fmt.Println("VERSION", strings.TrimPrefix(d.Version, "v"))
		}
	}
}

// check runs a named check; a panic is its failure.
func check(name string, fn func() (any, error)) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Printf("FAIL %s: panic: %v\n", name, p)
		}
	}()
	v, err := fn()
	if err != nil {
		fmt.Printf("FAIL %s: %s\n", line(name), line(err.Error()))
		return
	}
	fmt.Printf("PASS %s = %s\n", line(name), line(fmt.Sprintf("%+v", v)))
}

// line makes one line of text of anything.
func line(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\n", "\\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '?'
		}
		return r
	}, s)
}

// fields returns what an error of either driver tells.
func fields(err error) any {
	var x *pgconn.PgError
	var q *pq.Error
	switch {
	case errors.As(err, &x):
		return []any{x.Severity, x.Code, x.Message, x.Detail, x.Hint, x.Position, x.SchemaName, x.TableName, x.ColumnName, x.DataTypeName, x.ConstraintName}
	case errors.As(err, &q):
		return []any{q.Severity, q.Code, q.Message, q.Detail, q.Hint, q.Position, q.Schema, q.Table, q.Column, q.DataTypeName, q.Constraint}
	}
	return err
}
