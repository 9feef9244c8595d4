package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
)

func pqSession(uri string) error {
	version("github.com/lib/pq")
	db, err := sql.Open("postgres", uri+"?sslmode=disable")
	if err != nil {
		return err
	}
	defer db.Close()
	databaseSQL(db)
	check("copy in", func() (any, error) {
		tx, err := db.Begin()
		if err != nil {
			return nil, err
		}
		defer tx.Rollback()
		st, err := tx.Prepare(pq.CopyIn("dbsql", "a", "b"))
		if err != nil {
			return nil, err
		}
		for i := range 100 {
			if _, err := st.Exec(i+1000, fmt.Sprint("tab\t", i)); err != nil {
				return nil, err
			}
		}
		if _, err := st.Exec(); err != nil {
			return nil, err
		}
		if err := st.Close(); err != nil {
			return nil, err
		}
		if err := tx.Commit(); err != nil {
			return nil, err
		}
		return rowsOf(db, "SELECT count(*), max(b) FROM dbsql WHERE a >= 1000")
	})
	check("copy in that fails", func() (any, error) {
		tx, err := db.Begin()
		if err != nil {
			return nil, err
		}
		defer tx.Rollback()
		st, err := tx.Prepare(pq.CopyIn("customer", "name", "email"))
		if err != nil {
			return nil, err
		}
		st.Exec("x", "ada@example.com")
		_, err = st.Exec()
		return fields(err), nil
	})
	check("listener", func() (any, error) {
		l := pq.NewListener(uri+"?sslmode=disable", time.Second, time.Second, nil)
		defer l.Close()
		if err := l.Listen("jobs"); err != nil {
			return nil, err
		}
		if _, err := db.Exec("SELECT pg_notify('jobs', 'p')"); err != nil {
			return nil, err
		}
		select {
		case n := <-l.Notify:
			return n.Channel + n.Extra, nil
		case <-time.After(5 * time.Second):
			return nil, errors.New("no notification")
		}
	})
	check("arrays", func() (any, error) {
		var a []int64
		var s []string
		err := db.QueryRow("SELECT $1::int8[], $2::text[]", pq.Array([]int64{1, 2}), pq.Array([]string{"a", `"q"`})).Scan(pq.Array(&a), pq.Array(&s))
		return []any{a, s}, err
	})
	return nil
}

func stdlibSession(uri string) error {
	version("github.com/jackc/pgx/v5")
	db, err := sql.Open("pgx", uri)
	if err != nil {
		return err
	}
	defer db.Close()
	databaseSQL(db)
	return nil
}

type queryer interface {
	Query(string, ...any) (*sql.Rows, error)
}

// rowsOf returns the rows of a query as text.
func rowsOf(db queryer, query string, args ...any) (any, error) {
	rows, err := db.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	var out [][]sql.NullString
	for rows.Next() {
		row := make([]sql.NullString, len(cols))
		ptrs := make([]any, len(cols))
		for i := range row {
			ptrs[i] = &row[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// databaseSQL is what both drivers of database/sql do.
func databaseSQL(db *sql.DB) {
	ctx := context.Background()
	for _, k := range kinds {
		check("type "+k, func() (any, error) { return rowsOf(db, "SELECT "+k+" FROM kinds WHERE id < 3 ORDER BY id") })
		check("extreme of "+k, func() (any, error) { return rowsOf(db, "SELECT "+k+"::text FROM kinds WHERE id = 3") })
		check("column type of "+k, func() (any, error) {
			rows, err := db.Query("SELECT " + k + " FROM kinds WHERE false")
			if err != nil {
				return nil, err
			}
			defer rows.Close()
			t, err := rows.ColumnTypes()
			if err != nil {
				return nil, err
			}
			length, _ := t[0].Length()
			p, s, _ := t[0].DecimalSize()
			name := t[0].DatabaseTypeName()
			if k == "m" {
				name = ""
			}
			return []any{name, t[0].ScanType(), length, p, s}, nil
		})
	}
	for _, f := range faults {
		check("error "+f[0], func() (any, error) { _, err := db.Exec(f[1]); return fields(err), nil })
		check("error with parameter "+f[0], func() (any, error) { _, err := db.Query(f[1]+" -- $1", 1); return err != nil, nil })
	}
	check("ping", func() (any, error) { return nil, db.Ping() })
	check("exec", func() (any, error) {
		if _, err := db.Exec("CREATE TABLE dbsql (a int, b text)"); err != nil {
			return nil, err
		}
		r, err := db.Exec("INSERT INTO dbsql SELECT g, $1 FROM generate_series(1, 5) g", "x")
		if err != nil {
			return nil, err
		}
		n, err := r.RowsAffected()
		return n, err
	})
	check("prepared and reused", func() (any, error) {
		st, err := db.Prepare("SELECT a, b FROM dbsql WHERE a = $1")
		if err != nil {
			return nil, err
		}
		defer st.Close()
		sum := 0
		for i := 1; i <= 5; i++ {
			var a int
			var b string
			if err := st.QueryRow(i).Scan(&a, &b); err != nil {
				return nil, err
			}
			sum += a
		}
		return sum, nil
	})
	for _, level := range []sql.IsolationLevel{sql.LevelDefault, sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
		check("isolation "+level.String(), func() (any, error) {
			tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: level, ReadOnly: true})
			if err != nil {
				return nil, err
			}
			defer tx.Rollback()
			return rowsOf(tx, "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
		})
	}
	check("rollback and savepoint", func() (any, error) {
		tx, err := db.Begin()
		if err != nil {
			return nil, err
		}
		for _, s := range []string{"INSERT INTO dbsql VALUES (50, 'y')", "SAVEPOINT s", "DELETE FROM dbsql", "ROLLBACK TO s"} {
			if _, err := tx.Exec(s); err != nil {
				return nil, err
			}
		}
		n, err := rowsOf(tx, "SELECT count(*) FROM dbsql")
		if err != nil {
			return nil, err
		}
		if err := tx.Rollback(); err != nil {
			return nil, err
		}
		m, err := rowsOf(db, "SELECT count(*) FROM dbsql")
		return []any{n, m}, err
	})
	check("cancel by context", func() (any, error) {
		c, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := db.ExecContext(c, "SELECT pg_sleep(20)")
		return []any{err != nil, time.Since(start) < 5*time.Second}, nil
	})
	check("usable after cancel", func() (any, error) { return rowsOf(db, "SELECT 1") })
	check("nulls", func() (any, error) {
		return rowsOf(db, "SELECT $1::int, $2::text, $3::timestamptz", nil, sql.NullString{}, sql.NullTime{})
	})
	check("times", func() (any, error) {
		return rowsOf(db, "SELECT $1::timestamptz = '2024-01-02 03:04:05+00', $1::timestamptz", time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC))
	})
	check("multiple result sets", func() (any, error) {
		rows, err := db.Query("SELECT 1; SELECT 2, 3")
		if err != nil {
			return fields(err), nil
		}
		defer rows.Close()
		n := 0
		for ok := true; ok; ok = rows.NextResultSet() {
			for rows.Next() {
				n++
			}
		}
		return n, rows.Err()
	})
	check("rows before an error", func() (any, error) {
		rows, err := db.Query("SELECT 10/(4-n) FROM generate_series(1, 9) n")
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		return []any{n, fields(rows.Err())}, nil
	})
	check("introspection", func() (any, error) {
		return rowsOf(db, "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = $1 ORDER BY 1, ordinal_position", "public")
	})
}
