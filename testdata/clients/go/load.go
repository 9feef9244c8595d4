package main

import (
	"context"
	"os"
	"regexp"

	"github.com/jackc/pgx/v5"
)

// load makes a database anew on the server at uri and runs a script in it, where there is no psql to do so.
func load(uri, database, script string) error {
	ctx := context.Background()
	run := func(uri string, statements ...string) error {
		c, err := pgx.Connect(ctx, uri)
		if err != nil {
			return err
		}
		defer c.Close(ctx)
		for _, s := range statements {
			if _, err := c.PgConn().Exec(ctx, s).ReadAll(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := run(uri, "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)", "CREATE DATABASE "+database); err != nil {
		return err
	}
	text, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	return run(regexp.MustCompile(`^(postgres(?:ql)?://[^/]*/)[^?]*`).ReplaceAllString(uri, "${1}"+database), string(text))
}
