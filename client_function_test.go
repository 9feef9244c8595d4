package omendb_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A function call message calls a function by its OID; its errors leave the connection usable.
func TestClientFunctionCall(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		c := dial(t, plain)
		front := c.PgConn().Frontend()
		call := func(m *pgproto3.FunctionCall) (value, code string) {
			front.Send(m)
			if err := front.Flush(); err != nil {
				t.Fatal(err)
			}
			for {
				got, err := front.Receive()
				if err != nil {
					t.Fatal(err)
				}
				switch got := got.(type) {
				case *pgproto3.FunctionCallResponse:
					value = string(got.Result)
					if got.Result == nil {
						value = "NULL"
					}
				case *pgproto3.ErrorResponse:
					code = got.Code + " " + got.Message
				case *pgproto3.ReadyForQuery:
					if got.TxStatus != 'I' {
						t.Errorf("status %c", got.TxStatus)
					}
					return value, code
				}
			}
		}
		const quoteIdent, int4pl, generateSeries, int4div = 1282, 177, 1067, 154
		for _, x := range []struct {
			call        pgproto3.FunctionCall
			value, code string
		}{
			{pgproto3.FunctionCall{Function: quoteIdent, Arguments: [][]byte{[]byte("A b")}}, `"A b"`, ""},
			{pgproto3.FunctionCall{Function: quoteIdent, Arguments: [][]byte{nil}}, "NULL", ""},
			{pgproto3.FunctionCall{Function: int4pl, ArgFormatCodes: []uint16{1}, Arguments: [][]byte{{0, 0, 0, 2}, {0, 0, 0, 3}}, ResultFormatCode: 1}, "\x00\x00\x00\x05", ""},
			{pgproto3.FunctionCall{Function: int4div, Arguments: [][]byte{[]byte("1"), []byte("0")}}, "", "22012 division by zero"},
			{pgproto3.FunctionCall{Function: int4div, Arguments: [][]byte{[]byte("x"), []byte("0")}}, "", `22P02 invalid input syntax for type integer: "x"`},
			{pgproto3.FunctionCall{Function: int4pl}, "", "08P01 function call message contains 0 arguments but function requires 2"},
			{pgproto3.FunctionCall{Function: 999999}, "", "42883 function with OID 999999 does not exist"},
			{pgproto3.FunctionCall{Function: generateSeries, Arguments: [][]byte{nil, nil}}, "", `0A000 cannot call function "generate_series" via fastpath interface`},
		} {
			if value, code := call(&x.call); value != x.value || code != x.code {
				t.Errorf("function %d: %q, error %q; want %q, error %q", x.call.Function, value, code, x.value, x.code)
			}
		}
	})
}

// Names that are too long are cut, and the client is told each time.
func TestClientLongNames(t *testing.T) {
	everyWay(t, func(t *testing.T, dial dialer) {
		var notices []string
		c := dial(t, func(cfg *pgx.ConnConfig) {
			cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Code+" "+n.Message) }
		})
		long := strings.Repeat("n", 70)
		for range 2 {
			notices = nil
			rows, err := c.Query(context.Background(), `SELECT 1 AS `+strings.ToUpper(long)+`, 2 AS "`+long+`"`, pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				t.Fatal(err)
			}
			rows.Close()
			want := `42622 identifier "` + long + `" will be truncated to "` + long[:63] + `"`
			if len(notices) < 2 || notices[0] != want || notices[1] != want || rows.FieldDescriptions()[0].Name != long[:63] {
				t.Fatal(notices, rows.FieldDescriptions())
			}
		}
	})
}
