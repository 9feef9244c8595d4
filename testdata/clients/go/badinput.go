package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// badInputSession sends what no driver sends: each check reports the error, and that the connection answers afterwards.
func badInputSession(uri string) error {
	version("github.com/jackc/pgx/v5")
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	parse := func(sql string, oids ...uint32) pgproto3.FrontendMessage {
		return &pgproto3.Parse{Query: sql, ParameterOIDs: oids}
	}
	bind := func(formats []int16, results []int16, values ...[]byte) pgproto3.FrontendMessage {
		return &pgproto3.Bind{ParameterFormatCodes: formats, ResultFormatCodes: results, Parameters: values}
	}
	run := &pgproto3.Execute{}
	b := func(s string) []byte { return []byte(s) }
	for _, c := range []struct {
		name string
		send []pgproto3.FrontendMessage
	}{
		{"too few parameters", []pgproto3.FrontendMessage{parse("SELECT $1::int + $2::int"), bind(nil, nil, b("1")), run}},
		{"too many parameters", []pgproto3.FrontendMessage{parse("SELECT 1"), bind(nil, nil, b("1")), run}},
		{"number of formats", []pgproto3.FrontendMessage{parse("SELECT $1::int"), bind([]int16{0, 0, 1}, nil, b("1")), run}},
		{"unknown format", []pgproto3.FrontendMessage{parse("SELECT $1::int"), bind([]int16{7}, nil, b("1")), run}},
		{"number of result formats", []pgproto3.FrontendMessage{parse("SELECT 1"), bind(nil, []int16{0, 1}), run}},
		{"unknown result format", []pgproto3.FrontendMessage{parse("SELECT 1"), bind(nil, []int16{9}), run}},
		{"binary integer too short", []pgproto3.FrontendMessage{parse("SELECT $1::int"), bind([]int16{1}, nil, []byte{1, 2, 3}), run}},
		{"binary integer too long", []pgproto3.FrontendMessage{parse("SELECT $1::int"), bind([]int16{1}, nil, []byte{1, 2, 3, 4, 5}), run}},
		{"binary boolean of two bytes", []pgproto3.FrontendMessage{parse("SELECT $1::bool"), bind([]int16{1}, nil, []byte{1, 1}), run}},
		{"binary timestamp cut short", []pgproto3.FrontendMessage{parse("SELECT $1::timestamptz"), bind([]int16{1}, nil, []byte{1}), run}},
		{"binary date out of range", []pgproto3.FrontendMessage{parse("SELECT $1::date"), bind([]int16{1}, nil, []byte{0x7f, 0xff, 0, 0}), run}},
		{"binary numeric with a bad digit", []pgproto3.FrontendMessage{parse("SELECT $1::numeric"), bind([]int16{1}, nil, []byte{0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff}), run}},
		{"binary numeric with a bad sign", []pgproto3.FrontendMessage{parse("SELECT $1::numeric"), bind([]int16{1}, nil, []byte{0, 0, 0, 0, 0x12, 0x34, 0, 0}), run}},
		{"binary array of seven dimensions", []pgproto3.FrontendMessage{parse("SELECT $1::int[]"), bind([]int16{1}, nil, []byte{0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 23}), run}},
		{"binary array of another type", []pgproto3.FrontendMessage{parse("SELECT $1::int[]"), bind([]int16{1}, nil, []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 1}), run}},
		{"binary jsonb of another version", []pgproto3.FrontendMessage{parse("SELECT $1::jsonb"), bind([]int16{1}, nil, []byte{9, '1'}), run}},
		{"binary uuid of 15 bytes", []pgproto3.FrontendMessage{parse("SELECT $1::uuid"), bind([]int16{1}, nil, make([]byte, 15)), run}},
		{"binary text with a wrong byte", []pgproto3.FrontendMessage{parse("SELECT $1::text"), bind([]int16{1}, nil, []byte{'a', 0xff}), run}},
		{"binary text with a NUL", []pgproto3.FrontendMessage{parse("SELECT $1::text"), bind([]int16{1}, nil, []byte{'a', 0}), run}},
		{"text with a wrong byte", []pgproto3.FrontendMessage{parse("SELECT $1::text"), bind(nil, nil, []byte{'a', 0xc3, 0x28}), run}},
		{"text with a NUL", []pgproto3.FrontendMessage{parse("SELECT $1::text"), bind(nil, nil, []byte{'a', 0, 'b'}), run}},
		{"integer out of range", []pgproto3.FrontendMessage{parse("SELECT $1::int2"), bind(nil, nil, b("70000")), run}},
		{"no integer", []pgproto3.FrontendMessage{parse("SELECT $1::int"), bind(nil, nil, b("seven")), run}},
		{"no timestamp", []pgproto3.FrontendMessage{parse("SELECT $1::timestamp"), bind(nil, nil, b("2024-13-01")), run}},
		{"no array", []pgproto3.FrontendMessage{parse("SELECT $1::int[]"), bind(nil, nil, b("{1,")), run}},
		{"no enum label", []pgproto3.FrontendMessage{parse("SELECT $1::mood"), bind(nil, nil, b("angry")), run}},
		{"no domain value", []pgproto3.FrontendMessage{parse("SELECT $1::positive"), bind(nil, nil, b("-1")), run}},
		{"type that does not exist", []pgproto3.FrontendMessage{parse("SELECT $1", 999999), bind(nil, nil, b("1")), run}},
		{"type against its use", []pgproto3.FrontendMessage{parse("SELECT $1 + 1", 16), bind(nil, nil, b("t")), run}},
		{"parameter of no type", []pgproto3.FrontendMessage{parse("SELECT $1 IS NULL"), bind(nil, nil, nil), run}},
		{"gap in the parameters", []pgproto3.FrontendMessage{parse("SELECT $3::int"), bind(nil, nil, b("1"), b("2"), b("3")), run}},
		{"parameter number 0", []pgproto3.FrontendMessage{parse("SELECT $0"), run}},
		{"two commands", []pgproto3.FrontendMessage{parse("SELECT 1; SELECT 2"), run}},
		{"syntax", []pgproto3.FrontendMessage{parse("SELEC"), bind(nil, nil), run}},
		{"empty statement", []pgproto3.FrontendMessage{parse(""), bind(nil, nil), run}},
		{"no such statement", []pgproto3.FrontendMessage{&pgproto3.Bind{PreparedStatement: "nope"}, run}},
		{"describe no such statement", []pgproto3.FrontendMessage{&pgproto3.Describe{ObjectType: 'S', Name: "nope"}}},
		{"describe no such portal", []pgproto3.FrontendMessage{&pgproto3.Describe{ObjectType: 'P', Name: "nope"}}},
		{"describe neither", []pgproto3.FrontendMessage{&pgproto3.Describe{ObjectType: 'X', Name: "nope"}}},
		{"close neither", []pgproto3.FrontendMessage{&pgproto3.Close{ObjectType: 'X', Name: "nope"}}},
		{"close what is not there", []pgproto3.FrontendMessage{&pgproto3.Close{ObjectType: 'S', Name: "nope"}, &pgproto3.Close{ObjectType: 'P', Name: "nope"}}},
		{"execute no such portal", []pgproto3.FrontendMessage{&pgproto3.Execute{Portal: "nope"}}},
		{"statement twice", []pgproto3.FrontendMessage{&pgproto3.Parse{Name: "twice", Query: "SELECT 1"}, &pgproto3.Parse{Name: "twice", Query: "SELECT 1"}}},
		{"portal twice", []pgproto3.FrontendMessage{parse("SELECT 1"), &pgproto3.Bind{DestinationPortal: "p"}, &pgproto3.Bind{DestinationPortal: "p"}}},
		{"portal run twice", []pgproto3.FrontendMessage{parse("SHOW work_mem"), bind(nil, nil), run, run}},
		{"error, then more", []pgproto3.FrontendMessage{parse("SELECT 1/0"), bind(nil, nil), run, parse("SELECT 1"), bind(nil, nil), run}},
		{"copy messages outside COPY", []pgproto3.FrontendMessage{&pgproto3.CopyData{Data: b("x")}, &pgproto3.CopyDone{}, &pgproto3.CopyFail{}}},
	} {
		check(c.name, func() (any, error) { return exchange(conn.PgConn(), c.send) })
	}
	for _, sql := range []string{"SET nooption = 1", "SET work_mem = 'much'", "SET work_mem = '1 parsec'", "SET DateStyle = 'Martian'", "SET TimeZone = 'Nowhere/Land'", "SET client_encoding = 'nothing'", "SET default_transaction_isolation = 'none'",
		"SET server_version = '1'", "SET my.option = 1", "RESET nooption", "SHOW nooption", "SELECT current_setting('nooption')", "SET statement_timeout = -5", "SET search_path = ''", "SELECT 1::numeric(2000,1)", "SELECT 'x'::varchar(0)",
		"SELECT '1'::bit(0)", "SELECT repeat('x', 2000000000)", "SELECT 1e400::float8", "SELECT 10::numeric ^ 1000000", "SELECT '1 century'::interval * 1e300", "SELECT lpad('x', 2000000000)", "SELECT '\\xZZ'::bytea", "SELECT E'\\xff'", "SELECT U&'\\D800'",
		"SELECT chr(0)", "SELECT '\\u0000'::jsonb", "SELECT '{\"a\": \"\\u0000\"}'::jsonb", "SELECT convert_from('\\xff', 'UTF8')", "EXECUTE nope", "DEALLOCATE nope", "FETCH 1 FROM nope", "CLOSE nope", "SAVEPOINT s", "ROLLBACK TO s", "COPY customer FROM '/nowhere'", "LISTEN", "NOTIFY \"\"", "DECLARE c CURSOR FOR SELECT 1", "LOCK TABLE customer", "SELECT pg_sleep('x')", "SELECT ARRAY[1,2", "\x00"} {
		check("query "+sql, func() (any, error) {
			return exchange(conn.PgConn(), []pgproto3.FrontendMessage{&pgproto3.Query{String: sql}})
		})
	}
	for name, change := range map[string]func(*pgx.ConnConfig){
		"unknown option":   func(c *pgx.ConnConfig) { c.RuntimeParams["nooption"] = "1" },
		"bad value":        func(c *pgx.ConnConfig) { c.RuntimeParams["work_mem"] = "much" },
		"bad options":      func(c *pgx.ConnConfig) { c.RuntimeParams["options"] = "-c nooption=1" },
		"bad switch":       func(c *pgx.ConnConfig) { c.RuntimeParams["options"] = "--nothing" },
		"no such database": func(c *pgx.ConnConfig) { c.Database = "nodb" },
		"bad encoding":     func(c *pgx.ConnConfig) { c.RuntimeParams["client_encoding"] = "nothing" },
		"good options":     func(c *pgx.ConnConfig) { c.RuntimeParams["options"] = "-c work_mem=5MB --statement-timeout=9" },
	} {
		check("connect with "+name, func() (any, error) {
			cfg, err := pgx.ParseConfig(uri)
			if err != nil {
				return nil, err
			}
			change(cfg)
			c, err := pgx.ConnectConfig(ctx, cfg)
			var e *pgconn.PgError
			if errors.As(err, &e) {
				return []string{e.Severity, e.Code, e.Message}, nil
			}
			if err != nil {
				return nil, err
			}
			defer c.Close(ctx)
			var a, b string
			err = c.QueryRow(ctx, "SELECT current_setting('work_mem'), current_setting('statement_timeout')").Scan(&a, &b)
			return []string{a, b}, err
		})
	}
	return nil
}

// exchange sends messages and a Sync and returns the errors and the kinds of the answers, then asks whether the connection lives.
func exchange(c *pgconn.PgConn, messages []pgproto3.FrontendMessage) (any, error) {
	f := c.Frontend()
	simple := false
	for _, m := range messages {
		f.Send(m)
		_, simple = m.(*pgproto3.Query)
	}
	if !simple {
		f.Send(&pgproto3.Sync{})
	}
	if err := f.Flush(); err != nil {
		return nil, err
	}
	if err := c.Conn().SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	var out []any
	for done := false; !done; {
		m, err := f.Receive()
		if err != nil {
			return out, err
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			out = append(out, []any{m.Severity, m.Code, m.Message, m.Detail, m.Hint, m.Position})
		case *pgproto3.ReadyForQuery:
			out = append(out, string(m.TxStatus))
			done = true
		case *pgproto3.DataRow, *pgproto3.RowDescription:
			out = append(out, fmt.Sprintf("%T", m))
		case *pgproto3.CommandComplete:
			out = append(out, string(m.CommandTag))
		case *pgproto3.NoticeResponse:
			out = append(out, m.Message)
		}
	}
	r := c.ExecParams(context.Background(), "SELECT 1", nil, nil, nil, nil).Read()
	return out, r.Err
}
