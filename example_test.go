package omendb_test

import (
	"context"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb"
)

// A program with its database inside: pgx talks to it without a network.
func Example() {
	ctx := context.Background()
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	config, err := pgx.ParseConfig("host=inside user=omendb database=postgres sslmode=disable")
	if err != nil {
		fmt.Println(err)
		return
	}
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close(ctx)

	for _, statement := range []string{
		"CREATE TABLE city (name text PRIMARY KEY, people bigint)",
		"INSERT INTO city VALUES ('Oslo', 709037), ('Bergen', 291940)",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			fmt.Println(err)
			return
		}
	}
	var people int64
	if err := conn.QueryRow(ctx, "SELECT people FROM city WHERE name = $1", "Oslo").Scan(&people); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(people)
	// Output: 709037
}
