package omendb_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// inEncoding connects as a client of some encoding.
func inEncoding(name string) func(*pgx.ConnConfig) {
	return func(c *pgx.ConnConfig) {
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
		c.RuntimeParams["client_encoding"] = name
	}
}

// TestClientEncoding talks LATIN1 and SJIS: queries, parameters, results, names, COPY and
// errors are in the client's encoding, and what it does not have is refused.
func TestClientEncoding(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		ctx := context.Background()
		c := dial(t, inEncoding("latin-1")).PgConn()
		if got := c.ParameterStatus("client_encoding"); got != "LATIN1" {
			t.Errorf("the server reports %q", got)
		}
		ask := func(sql string, format int16, params ...[]byte) (*pgconn.Result, string) {
			t.Helper()
			formats := []int16{format}
			r := c.ExecParams(ctx, sql, params, nil, formats, formats).Read()
			code := ""
			var e *pgconn.PgError
			if errors.As(r.Err, &e) {
				code = e.Code + " " + e.Message
			}
			return r, code
		}
		for _, format := range []int16{0, 1} {
			r, failure := ask("SELECT $1::text, length($1::text), 'caf\xe9' AS \"\xe9\", ARRAY[$1::text], to_json($1::text)", format, []byte("\xfc"))
			if failure != "" {
				t.Fatal(failure)
			}
			row := r.Rows[0]
			if string(row[0]) != "\xfc" || string(row[2]) != "caf\xe9" || r.FieldDescriptions[2].Name != "\xe9" ||
				!bytes.Contains(row[3], []byte("\xfc")) || !bytes.Contains(row[4], []byte("\xfc")) {
				t.Errorf("format %d: %q", format, row)
			}
			for _, sql := range []string{"SELECT chr(8364)", "SELECT ARRAY[chr(8364)]", "SELECT to_jsonb(chr(8364))"} {
				if _, failure := ask(sql, format); failure != `22P05 character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"` {
					t.Errorf("%s: %s", sql, failure)
				}
			}
		}
		if _, failure := ask("SELECT nosuch\xe9", 0); failure != "42703 column \"nosuch\xe9\" does not exist" {
			t.Errorf("%q", failure)
		}
		if _, failure := ask("CREATE TABLE \"\xe9\" (a text, b int)", 0); failure != "" {
			t.Error(failure)
		}
		if _, err := c.CopyFrom(ctx, bytes.NewReader([]byte("\xe9\t1\n")), "COPY \"\xe9\" FROM STDIN"); err != nil {
			t.Error(err)
		}
		for options, want := range map[string]string{"": "\xe9\t1\n", "(ENCODING utf8)": "é\t1\n", "(FORMAT binary)": ""} {
			var out bytes.Buffer
			if _, err := c.CopyTo(ctx, &out, "COPY \"\xe9\" TO STDOUT "+options); err != nil || want != "" && out.String() != want ||
				!bytes.Contains(out.Bytes(), []byte("\xe9")) && options != "(ENCODING utf8)" {
				t.Errorf("%s: %q, %v", options, out.String(), err)
			}
		}
		if _, failure := ask("SET client_encoding = 'sjis'", 0); failure != "" || c.ParameterStatus("client_encoding") != "SJIS" {
			t.Error(failure, c.ParameterStatus("client_encoding"))
		}
		r, failure := ask("SELECT $1::text, ascii($1::text)", 0, []byte("\x83\x5c")) // its second byte is a backslash
		if failure != "" || string(r.Rows[0][0]) != "\x83\x5c" || string(r.Rows[0][1]) != "12477" {
			t.Errorf("%q %s", r.Rows, failure)
		}
		if _, failure := ask("SELECT $1::text", 0, []byte("\x81\x20")); failure != `22021 invalid byte sequence for encoding "SJIS": 0x81 0x20` {
			t.Error(failure)
		}
		if _, failure := ask("SET client_encoding = 'mule_internal'", 0); failure != `0A000 invalid value for parameter "client_encoding": "mule_internal"` {
			t.Error(failure)
		}
		if _, failure := ask("RESET client_encoding", 0); failure != "" || c.ParameterStatus("client_encoding") != "LATIN1" {
			t.Error(failure, c.ParameterStatus("client_encoding"))
		}
	})
}
