// Command expect fills in the expected results of the expression tables under
// testdata from a PostgreSQL 15 server: every line "expression" or
// "expression ==> old result" is evaluated there and written back with its result,
// rows joined by " ; ", errors as "ERROR code: message".
//
//	go run ./sql/functions/internal/expect -dsn postgres://… sql/functions/testdata/*.txt
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// settings are what the tests run under.
const settings = "SET timezone = 'Europe/Berlin'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'"

func main() {
	dsn := flag.String("dsn", "", "PostgreSQL 15 server to ask")
	flag.Parse()
	if err := run(*dsn, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "expect:", err)
		os.Exit(1)
	}
}

func run(dsn string, files []string) error {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, settings).ReadAll(); err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var out strings.Builder
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSuffix(line, "\n")
			if line != "" && line[0] != '#' {
				expr, _, _ := strings.Cut(line, " ==> ")
				line = expr + " ==> " + ask(ctx, conn, expr)
			}
			out.WriteString(line + "\n")
		}
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ask returns the result of one expression in one line.
func ask(ctx context.Context, conn *pgconn.PgConn, expr string) string {
	res, err := conn.Exec(ctx, "SELECT "+expr).ReadAll()
	if err != nil {
		pe, ok := err.(*pgconn.PgError)
		if !ok {
			return "BROKEN " + err.Error()
		}
		return "ERROR " + pe.Code + ": " + oneLine(pe.Message)
	}
	var rows []string
	for _, row := range res[0].Rows {
		if row[0] == nil {
			rows = append(rows, "NULL")
			continue
		}
		rows = append(rows, oneLine(string(row[0])))
	}
	return strings.Join(rows, " ; ")
}

func oneLine(s string) string {
	return strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(s)
}
