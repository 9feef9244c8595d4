package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

type pgxClient struct {
	ctx context.Context
	uri string
	*pgx.Conn
}

// all returns the rows of a query as values.
func (c pgxClient) all(sql string, args ...any) (any, error) {
	rows, err := c.Query(c.ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	out, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) ([]any, error) { return r.Values() })
	return []any{out, rows.CommandTag().String()}, err
}

func pgxSession(uri string) error {
	version("github.com/jackc/pgx/v5")
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	c := pgxClient{ctx, uri, conn}
	c.types()
	c.modes()
	c.statements()
	c.transactions()
	c.copies()
	c.asynchronous()
	return nil
}

func (c pgxClient) types() {
	for _, k := range kinds {
		check("type "+k+" binary", func() (any, error) { return c.all("SELECT " + k + " FROM kinds WHERE id < 3 ORDER BY id") })
		check("type "+k+" text", func() (any, error) {
			return c.all("SELECT "+k+" FROM kinds WHERE id < 3 ORDER BY id", pgx.QueryExecModeSimpleProtocol)
		})
		for _, format := range []int16{0, 1} {
			check(fmt.Sprintf("bytes of %s in format %d", k, format), func() (any, error) {
				r := c.PgConn().ExecParams(c.ctx, "SELECT "+k+" FROM kinds ORDER BY id", nil, nil, nil, []int16{format}).Read()
				return r.Rows, r.Err
			})
			check(fmt.Sprintf("%s back in format %d", k, format), func() (any, error) {
				r := c.PgConn().ExecParams(c.ctx, "SELECT "+k+" FROM kinds WHERE id = 1", nil, nil, nil, []int16{format}).Read()
				if r.Err != nil {
					return nil, r.Err
				}
				var typ string
				if err := c.QueryRow(c.ctx, "SELECT pg_typeof("+k+")::text FROM kinds LIMIT 1").Scan(&typ); err != nil {
					return nil, err
				}
				b := c.PgConn().ExecParams(c.ctx, "SELECT $1::"+typ+"::text", [][]byte{r.Rows[0][0]}, nil, []int16{format}, nil).Read()
				return b.Rows, b.Err
			})
		}
		check("description of "+k, func() (any, error) {
			d, err := c.Prepare(c.ctx, "", "SELECT "+k+" FROM kinds WHERE "+k+"::text = $1")
			if err != nil {
				return nil, err
			}
			f := d.Fields[0]
			user := f.DataTypeOID >= 16384
			return []any{d.ParamOIDs, user || f.DataTypeOID > 0, f.DataTypeSize, f.TypeModifier, f.TableAttributeNumber, f.TableOID > 0}, nil
		})
	}
	check("enum, composite and arrays registered", func() (any, error) {
		ts, err := c.LoadTypes(c.ctx, []string{"mood", "_mood", "address", "positive"})
		if err != nil {
			return nil, err
		}
		c.TypeMap().RegisterTypes(ts)
		return c.all("SELECT m, ad, ARRAY[m] FROM kinds WHERE id < 3 ORDER BY id")
	})
	num := pgtype.Numeric{Int: big.NewInt(123456789), Exp: -3, Valid: true}
	for name, v := range map[string]any{"int": 5, "text": "ü'\\", "null": nil, "bytes": []byte{0, 255}, "time": time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC), "bool": true,
		"array": []int32{1, 2}, "strings": []string{"a", `b"c`, ""}, "json": map[string]any{"a": 1}, "numeric": num, "duration": time.Hour, "uuid": [16]byte{1}, "float": 1.25} {
		typ := map[string]string{"int": "int8", "text": "text", "null": "text", "bytes": "bytea", "time": "timestamptz", "bool": "bool", "array": "int4[]", "strings": "text[]",
			"json": "jsonb", "numeric": "numeric", "duration": "interval", "uuid": "uuid", "float": "float8"}[name]
		check("parameter "+name, func() (any, error) { return c.all("SELECT $1::"+typ+"::text", v) })
	}
}

func (c pgxClient) modes() {
	for _, m := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		check("mode "+m.String(), func() (any, error) {
			return c.all("SELECT id, name, balance FROM customer WHERE id = $1 AND name = $2", m, 1, "Ada")
		})
	}
	check("prepared and reused", func() (any, error) {
		if _, err := c.Prepare(c.ctx, "ps", "SELECT $1::int + $2::int"); err != nil {
			return nil, err
		}
		var out []any
		for i := range 5 {
			v, err := c.all("ps", i, i)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, c.Deallocate(c.ctx, "ps")
	})
	check("after ALTER TABLE", func() (any, error) {
		if _, err := c.Exec(c.ctx, "CREATE TABLE alt (a int); INSERT INTO alt VALUES (1)"); err != nil {
			return nil, err
		}
		if _, err := c.all("SELECT * FROM alt WHERE a > $1", 0); err != nil {
			return nil, err
		}
		if _, err := c.Exec(c.ctx, "ALTER TABLE alt ADD b text DEFAULT 'x'"); err != nil {
			return nil, err
		}
		_, err := c.all("SELECT * FROM alt WHERE a > $1", 0)
		again, err2 := c.all("SELECT * FROM alt WHERE a > $1", 0)
		return []any{fields(err), again}, err2
	})
}

func (c pgxClient) statements() {
	for _, f := range faults {
		check("error "+f[0], func() (any, error) { _, err := c.Exec(c.ctx, f[1]); return fields(err), nil })
		check("error prepared "+f[0], func() (any, error) { _, err := c.all(f[1], pgx.QueryExecModeDescribeExec); return fields(err), nil })
	}
	check("command tags", func() (any, error) {
		var out []string
		for _, s := range []string{"CREATE TABLE tags (a int)", "INSERT INTO tags SELECT generate_series(1, 5)", "UPDATE tags SET a = a + 1 WHERE a > 2", "DELETE FROM tags WHERE a = 1", "SELECT * FROM tags",
			"TRUNCATE tags", "BEGIN", "SAVEPOINT s", "RELEASE s", "COMMIT", "SET work_mem = '5MB'", "DISCARD ALL", "CREATE VIEW tv AS SELECT 1", "DROP VIEW tv", "LISTEN x", "ALTER TABLE tags ADD b int", "ANALYZE tags", "EXPLAIN SELECT 1"} {
			tag, err := c.Exec(c.ctx, s)
			if err != nil {
				return out, err
			}
			out = append(out, tag.String())
		}
		return out, nil
	})
	check("batch", func() (any, error) {
		b := &pgx.Batch{}
		var out []any
		for i := range 20 {
			b.Queue("SELECT $1::int * 2", i).QueryRow(func(r pgx.Row) error { var n int; err := r.Scan(&n); out = append(out, n); return err })
		}
		b.Queue("INSERT INTO tags (a) VALUES ($1)", 7)
		return out, c.SendBatch(c.ctx, b).Close()
	})
	check("batch that fails", func() (any, error) {
		b := &pgx.Batch{}
		b.Queue("INSERT INTO tags (a) VALUES (100)")
		b.Queue("SELECT 1/0")
		err := c.SendBatch(c.ctx, b).Close()
		left, err2 := c.all("SELECT count(*) FROM tags WHERE a = 100")
		return []any{fields(err), left}, err2
	})
	check("pipeline", func() (any, error) {
		p := c.PgConn().StartPipeline(c.ctx)
		p.SendPrepare("pp", "SELECT $1::int", nil)
		p.SendQueryParams("SELECT 1/$1::int", [][]byte{[]byte("0")}, nil, nil, nil)
		if err := p.Sync(); err != nil {
			return nil, err
		}
		p.SendQueryParams("SELECT 5", nil, nil, nil, nil)
		if err := p.Sync(); err != nil {
			return nil, err
		}
		var out []string
		for range 5 {
			r, err := p.GetResults()
			switch r := r.(type) {
			case *pgconn.ResultReader:
				res := r.Read()
				out = append(out, fmt.Sprint(res.Rows, fields(res.Err)))
			default:
				out = append(out, fmt.Sprintf("%T %v", r, fields(err)))
			}
		}
		return out, p.Close()
	})
	check("portal with a row limit", func() (any, error) {
		rows, err := c.Query(c.ctx, "SELECT generate_series(1, 3)")
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			n++
		}
		return n, rows.Err()
	})
	check("named arguments", func() (any, error) {
		return c.all("SELECT @a::text || @b::text", pgx.NamedArgs{"a": "x", "b": "y"})
	})
	check("collect structs", func() (any, error) {
		rows, _ := c.Query(c.ctx, "SELECT id, name, email FROM customer ORDER BY id")
		type customer struct {
			ID    int
			Name  string
			Email *string
		}
		v, err := pgx.CollectRows(rows, pgx.RowToStructByName[customer])
		return len(v), err
	})
	check("empty query", func() (any, error) { t, err := c.Exec(c.ctx, ""); return t.String(), err })
	check("parameter statuses", func() (any, error) {
		var out []string
		for _, p := range []string{"server_encoding", "client_encoding", "is_superuser", "session_authorization", "DateStyle", "IntervalStyle", "integer_datetimes", "standard_conforming_strings", "application_name", "default_transaction_read_only", "in_hot_standby"} {
			out = append(out, c.PgConn().ParameterStatus(p))
		}
		return out, nil
	})
	check("parameter status after SET", func() (any, error) {
		_, err := c.Exec(c.ctx, "SET application_name = 'changed'; SET DateStyle = 'German'; SET DateStyle = 'ISO, DMY'")
		return []string{c.PgConn().ParameterStatus("application_name"), c.PgConn().ParameterStatus("DateStyle")}, err
	})
}

func (c pgxClient) transactions() {
	for _, level := range []pgx.TxIsoLevel{pgx.ReadUncommitted, pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		check("isolation "+string(level), func() (any, error) {
			tx, err := c.BeginTx(c.ctx, pgx.TxOptions{IsoLevel: level, AccessMode: pgx.ReadOnly, DeferrableMode: pgx.Deferrable})
			if err != nil {
				return nil, err
			}
			defer tx.Rollback(c.ctx)
			return c.all("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")
		})
	}
	check("savepoints", func() (any, error) {
		err := pgx.BeginFunc(c.ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(c.ctx, "INSERT INTO tags (a) VALUES (200)"); err != nil {
				return err
			}
			inner := pgx.BeginFunc(c.ctx, tx, func(tx pgx.Tx) error { _, err := tx.Exec(c.ctx, "INSERT INTO nowhere VALUES (1)"); return err })
			if inner == nil {
				return errors.New("no error")
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return c.all("SELECT count(*) FROM tags WHERE a = 200")
	})
	check("failed transaction", func() (any, error) {
		tx, err := c.Begin(c.ctx)
		if err != nil {
			return nil, err
		}
		_, e1 := tx.Exec(c.ctx, "SELECT 1/0")
		_, e2 := tx.Exec(c.ctx, "SELECT 1")
		status := c.PgConn().TxStatus()
		return []any{fields(e1), fields(e2), string(status), tx.Commit(c.ctx)}, nil
	})
	check("cursor", func() (any, error) {
		tx, err := c.Begin(c.ctx)
		if err != nil {
			return nil, err
		}
		defer tx.Rollback(c.ctx)
		if _, err := tx.Exec(c.ctx, "DECLARE cu SCROLL CURSOR FOR SELECT generate_series(1, 100)"); err != nil {
			return nil, err
		}
		var out []any
		for _, f := range []string{"FETCH 2 FROM cu", "MOVE 10 FROM cu", "FETCH NEXT FROM cu", "FETCH PRIOR FROM cu", "FETCH LAST FROM cu", "FETCH ABSOLUTE 5 FROM cu", "FETCH RELATIVE -2 FROM cu", "FETCH BACKWARD 2 FROM cu"} {
			v, err := c.all(f)
			if err != nil {
				return out, err
			}
			out = append(out, v)
		}
		return out, nil
	})
}

func (c pgxClient) copies() {
	check("copy from rows", func() (any, error) {
		var rows [][]any
		for i := range 1000 {
			rows = append(rows, []any{1000 + i, nil})
		}
		return c.CopyFrom(c.ctx, pgx.Identifier{"tags"}, []string{"a", "b"}, pgx.CopyFromRows(rows))
	})
	check("copy from rows that violate", func() (any, error) {
		_, err := c.CopyFrom(c.ctx, pgx.Identifier{"customer"}, []string{"name", "email"}, pgx.CopyFromRows([][]any{{"x", "ada@example.com"}}))
		return fields(err), nil
	})
	for _, options := range []string{"", "(FORMAT csv, HEADER, FORCE_QUOTE *)", "(FORMAT binary)", "(DELIMITER ';', NULL 'nil')"} {
		check("copy to and back "+options, func() (any, error) {
			var out bytes.Buffer
			if _, err := c.PgConn().CopyTo(c.ctx, &out, "COPY kinds TO STDOUT "+options); err != nil {
				return nil, err
			}
			if _, err := c.Exec(c.ctx, "DROP TABLE IF EXISTS kinds4; CREATE TABLE kinds4 (LIKE kinds)"); err != nil {
				return nil, err
			}
			bytes := fmt.Sprintf("%x", out.Bytes())
			options := strings.Replace(options, ", FORCE_QUOTE *", "", 1)
			tag, err := c.PgConn().CopyFrom(c.ctx, &out, "COPY kinds4 FROM STDIN "+options)
			if err != nil {
				return nil, err
			}
			same, err := c.all("SELECT count(*) FROM kinds a JOIN kinds4 b ON a.*::text = b.*::text")
			return []any{bytes, tag, same}, err
		})
	}
	for _, bad := range [][2]string{{"columns", "1\t2\t3\n"}, {"type", "x\t1\n"}, {"missing", "1\n"}, {"encoding", "\xff\t1\n"}, {"end", "\\."}} {
		check("copy of bad data: "+bad[0], func() (any, error) {
			tag, err := c.PgConn().CopyFrom(c.ctx, strings.NewReader(bad[1]), "COPY tags FROM STDIN")
			var e *pgconn.PgError
			if errors.As(err, &e) {
				return []any{e.Code, e.Message, e.Where}, nil
			}
			return tag, err
		})
	}
}

func (c pgxClient) asynchronous() {
	check("notifications", func() (any, error) {
		if _, err := c.Exec(c.ctx, "LISTEN ch"); err != nil {
			return nil, err
		}
		other, err := pgx.Connect(c.ctx, c.uri)
		if err != nil {
			return nil, err
		}
		defer other.Close(c.ctx)
		if _, err := other.Exec(c.ctx, "BEGIN; NOTIFY ch, 'a'; NOTIFY ch, 'a'; NOTIFY ch, 'b'; COMMIT"); err != nil {
			return nil, err
		}
		var out []string
		for range 2 {
			ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
			n, err := c.WaitForNotification(ctx)
			cancel()
			if err != nil {
				return out, err
			}
			out = append(out, n.Channel+" "+n.Payload)
		}
		return out, nil
	})
	check("cancel", func() (any, error) {
		time.AfterFunc(200*time.Millisecond, func() { _ = c.PgConn().CancelRequest(c.ctx) })
		start := time.Now()
		_, err := c.Exec(c.ctx, "SELECT pg_sleep(20)")
		return []any{fields(err), time.Since(start) < 5*time.Second}, nil
	})
	check("usable after cancel", func() (any, error) { return c.all("SELECT 1") })
	check("pool", func() (any, error) {
		pool, err := pgxpool.New(c.ctx, c.uri)
		if err != nil {
			return nil, err
		}
		defer pool.Close()
		var wg sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wg.Go(func() { _, errs[i] = pool.Exec(c.ctx, "UPDATE customer SET balance = balance + 1 WHERE id = 3") })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
		return c.all("SELECT balance FROM customer WHERE id = 3")
	})
	check("notices", func() (any, error) {
		cfg, err := pgx.ParseConfig(c.uri)
		if err != nil {
			return nil, err
		}
		var got []string
		cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { got = append(got, n.Severity+" "+n.Code+" "+n.Message) }
		other, err := pgx.ConnectConfig(c.ctx, cfg)
		if err != nil {
			return nil, err
		}
		defer other.Close(c.ctx)
		_, err = other.Exec(c.ctx, "DROP TABLE IF EXISTS nowhere; CREATE TABLE IF NOT EXISTS customer (a int); COMMIT")
		return got, err
	})
	check("large value", func() (any, error) { return c.all("SELECT length($1::text)", strings.Repeat("x", 5_000_000)) })
	check("many parameters", func() (any, error) {
		args := make([]any, 65535)
		marks := make([]string, len(args))
		for i := range args {
			args[i], marks[i] = i, fmt.Sprintf("$%d::int", i+1)
		}
		return c.all("SELECT cardinality(ARRAY["+strings.Join(marks, ",")+"])", args...)
	})
}
