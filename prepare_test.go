package omendb

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb/sql/catalog"
)

// TestPreparation changes the catalog of a database that serves clients, whose rows are made ahead soon.
func TestPreparation(t *testing.T) {
	db, err := Open(Memory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p := &db.preparation
	seen := func() *catalog.Snapshot {
		p.busy.Lock()
		defer p.busy.Unlock()
		return p.seen
	}
	config, err := pgconn.ParseConfig("host=x user=omendb database=postgres sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"x"}, nil }
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
	c, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS t (id int); DROP TABLE t").ReadAll(); err != nil {
			t.Fatal(err)
		}
		for limit := time.Now().Add(10 * time.Second); seen() != db.srv.Catalog().Version(); time.Sleep(time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatal("the catalog changed and nothing was prepared")
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db.prepare() // a timer that fires late
}
