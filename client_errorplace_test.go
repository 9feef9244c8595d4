package omendb_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
)

// TestErrorPlace looks at where errors are said to be: "here" in a statement marks the place, and is "nope" in what is sent. Errors
// without a mark have none; those of a function that runs belong to its body. All are PostgreSQL 15's.
func TestErrorPlace(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE at (a int, b text)", "CREATE TABLE gone (x int)",
		"CREATE FUNCTION late() RETURNS int AS 'INSERT INTO gone VALUES (1); SELECT count(x)::int FROM gone' LANGUAGE sql", "DROP TABLE gone")
	for _, statement := range []string{
		"SELECT here FROM at",
		"ALTER TABLE at ALTER a TYPE int USING here",
		"ALTER TABLE at ADD c here",
		"ALTER TABLE at ALTER a TYPE nope",
		"ALTER TABLE at ALTER a SET DEFAULT nope",
		"ALTER TABLE at ADD c int DEFAULT nope",
		"ALTER TABLE at ADD c int CHECK (nope > 1)",
		"ALTER TABLE at ADD CHECK (nope > 1)",
		"ALTER TABLE at ADD UNIQUE (nope)",
		"ALTER TABLE at ADD PRIMARY KEY (nope)",
		"CREATE TABLE c (a int CHECK (here > 1))",
		"CREATE TABLE c (a int DEFAULT here)",
		"CREATE DOMAIN d AS nope",
		"CREATE DOMAIN d AS int CHECK (nope)",
		"CREATE TYPE y AS (a nope)",
		"CREATE FUNCTION f(a nope) RETURNS int AS 'SELECT 1' LANGUAGE sql",
		"CREATE FUNCTION f(a int DEFAULT here) RETURNS int AS 'SELECT 1' LANGUAGE sql",
		"CREATE FUNCTION f() RETURNS int AS 'SELECT here' LANGUAGE sql",
		"SELECT 1; CREATE FUNCTION f() RETURNS int AS $$ SELECT 'é', here $$ LANGUAGE sql",
		"CREATE FUNCTION f() RETURNS int AS 'SELECT ''é'', here' LANGUAGE sql",
		"CREATE SEQUENCE nope INCREMENT 0",
	} {
		before, _, marked := strings.Cut(statement, "here")
		want := 0
		if marked {
			want = utf8.RuneCountInString(before) + 1
		}
		e := new(pgconn.PgError)
		_, err := c.PgConn().Exec(t.Context(), strings.Replace(statement, "here", "nope", 1)).ReadAll()
		if !errors.As(err, &e) || int(e.Position) != want || e.InternalQuery != "" {
			t.Errorf("%s: at %d, want %d: %v", statement, e.Position, want, err)
		}
	}
	for statement, at := range map[string]int32{
		"SELECT late()": 13,
		`CREATE FUNCTION f() RETURNS int AS e'SELECT \x6eope' LANGUAGE sql`: 8,
	} {
		e := new(pgconn.PgError)
		_, err := c.Exec(t.Context(), statement)
		if !errors.As(err, &e) || e.Position != 0 || e.InternalPosition != at || !strings.Contains(e.InternalQuery, "SELECT") {
			t.Errorf("%s: %+v", statement, e)
		}
	}
}
