package sqllogic_test

import (
	"context"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/sqllogic"
)

// memory opens an OmenDB in memory for every script and talks to it through the wire protocol.
type memory struct{}

func (memory) Create(ctx context.Context, name string) (sqllogic.Connect, func(), error) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		return nil, nil, err
	}
	connect := func(ctx context.Context) (*pgconn.PgConn, error) {
		cfg, err := pgconn.ParseConfig("host=inside user=omendb database=postgres sslmode=disable")
		if err != nil {
			return nil, err
		}
		cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
		cfg.DialFunc = func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }
		return pgconn.ConnectConfig(ctx, cfg)
	}
	return connect, func() { _ = db.Close() }, nil
}
