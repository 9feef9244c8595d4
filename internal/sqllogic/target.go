package sqllogic

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Target is a server that gives every script a database of its own.
type Target interface {
	// Create makes an empty database; drop removes it again.
	Create(ctx context.Context, name string) (connect Connect, drop func(), err error)
}

// Postgres is the server at a DSN. Databases are made from template0 with C collation and UTF-8, as results expect.
func Postgres(dsn string) Target { return postgres{dsn} }

type postgres struct{ dsn string }

func (p postgres) Create(ctx context.Context, name string) (Connect, func(), error) {
	name = "sqllogic_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
	if len(name) > 63 {
		name = name[:40] + name[len(name)-23:]
	}
	if err := p.admin(ctx, `DROP DATABASE IF EXISTS `+name); err != nil {
		return nil, nil, err
	}
	if err := p.admin(ctx, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`); err != nil {
		return nil, nil, err
	}
	connect := func(ctx context.Context) (*pgconn.PgConn, error) {
		cfg, err := pgconn.ParseConfig(p.dsn)
		if err != nil {
			return nil, err
		}
		cfg.Database = name
		return pgconn.ConnectConfig(ctx, cfg)
	}
	drop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = p.admin(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`)
	}
	return connect, drop, nil
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
