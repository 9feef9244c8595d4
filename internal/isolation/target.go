package isolation

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// Connect opens a connection to a scenario's database.
type Connect func(ctx context.Context, onNotice func(severity, message string)) (*pgconn.PgConn, error)

// Target is a server that gives every scenario a database of its own.
type Target interface {
	// Create makes an empty database; drop removes it again.
	Create(ctx context.Context, name string) (connect Connect, drop func(), err error)
}

// Postgres is the server at a DSN.
func Postgres(dsn string) Target { return postgres{dsn} }

type postgres struct{ dsn string }

// Create implements Target.
func (p postgres) Create(ctx context.Context, name string) (Connect, func(), error) {
	name = `"isolation_` + name + `"`
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name + " TEMPLATE template0"} {
		if err := p.admin(ctx, sql); err != nil {
			return nil, nil, err
		}
	}
	connect := func(ctx context.Context, onNotice func(string, string)) (*pgconn.PgConn, error) {
		cfg, err := pgconn.ParseConfig(p.dsn)
		if err != nil {
			return nil, err
		}
		cfg.Database = name[1 : len(name)-1]
		return Dial(ctx, cfg, onNotice)
	}
	return connect, func() { _ = p.admin(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") }, nil
}

// Dial connects with a configuration and passes notices on.
func Dial(ctx context.Context, cfg *pgconn.Config, onNotice func(severity, message string)) (*pgconn.PgConn, error) {
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { onNotice(n.Severity, n.Message) }
	return pgconn.ConnectConfig(ctx, cfg)
}

// admin runs one statement in the database that the DSN names.
func (p postgres) admin(ctx context.Context, sql string) error {
	conn, err := pgconn.Connect(ctx, p.dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
