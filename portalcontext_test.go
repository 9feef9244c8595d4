package omendb_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb"
)

// TestLaterExecutes reads portals and cursors bit by bit: the functions in them ask whether the message that runs them was
// cancelled, and not the one that began, which has long ended.
func TestLaterExecutes(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE t AS SELECT g, repeat('x', 100) s FROM generate_series(0, 9999) g", "ALTER TABLE t ADD PRIMARY KEY (g)")
	for _, query := range []string{
		"SELECT replace(s, 'x', 'yy'), s LIKE '%z%' FROM t ORDER BY g",
		"SELECT regexp_replace(s, 'x+', 'y') FROM t WHERE s !~ 'q'",
		"SELECT s, row_number() OVER (ORDER BY s, g DESC) FROM t",
		"SELECT s || g, count(*) FROM t GROUP BY 1",
	} {
		exec(t, c, "BEGIN", "DECLARE c CURSOR FOR "+query)
		rows := 0
		for {
			tag, err := c.Exec(context.Background(), "FETCH 3000 FROM c")
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			if tag.RowsAffected() == 0 {
				break
			}
			rows += int(tag.RowsAffected())
		}
		exec(t, c, "ROLLBACK")
		if rows != 10_000 {
			t.Errorf("%s: a cursor yields %d rows", query, rows)
		}
		if rows := executed(t, c.PgConn().Frontend(), query); rows != 10_000 {
			t.Errorf("%s: a portal yields %d rows", query, rows)
		}
	}
	one[int](t, c, "SELECT 1")
}

// executed runs a portal 3,000 rows at a time, each Execute a message that the server has waited for.
func executed(t *testing.T, f *pgproto3.Frontend, query string) (rows int) {
	t.Helper()
	f.Send(&pgproto3.Parse{Query: query})
	f.Send(&pgproto3.Bind{})
	for {
		f.Send(&pgproto3.Execute{MaxRows: 3000})
		f.Send(&pgproto3.Flush{})
		if err := f.Flush(); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			m, err := f.Receive()
			if err != nil {
				t.Fatal(err)
			}
			switch m := m.(type) {
			case *pgproto3.DataRow:
				rows++
			case *pgproto3.PortalSuspended:
				done = true
			case *pgproto3.CommandComplete, *pgproto3.ErrorResponse:
				if e, failed := m.(*pgproto3.ErrorResponse); failed {
					t.Errorf("%s: %s", query, e.Message)
				}
				f.Send(&pgproto3.Sync{})
				if err := f.Flush(); err != nil {
					t.Fatal(err)
				}
			case *pgproto3.ReadyForQuery:
				return rows
			}
		}
	}
}
