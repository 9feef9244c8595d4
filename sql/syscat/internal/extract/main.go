// Command extract writes the rows that describe PostgreSQL's own catalogs and
// views: COPY's text format under a line with the column names, one TSV file per
// system table, and one file with the queries of the system views. Only
// what initdb itself creates (oid < 16384) is taken.
//
//	createdb -T template0 fresh
//	go run ./sql/syscat/internal/extract -dsn postgres://…/fresh -dir sql/syscat/data
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// raw lists the tables that are taken with all columns, and which of their rows.
// Registered names become OIDs; expression trees, which only PostgreSQL reads, NULL.
var raw = []struct{ name, where string }{
	{"pg_class", "oid < 16384 ORDER BY oid"},
	{"pg_index", "indexrelid < 16384 ORDER BY indexrelid"},
	{"pg_constraint", "oid < 16384 ORDER BY oid"},
	{"pg_rewrite", "oid < 16384 ORDER BY oid"},
	{"pg_depend", "objid < 16384 AND deptype <> 'e' AND refclassid <> 'pg_extension'::regclass ORDER BY classid, objid, objsubid, refclassid, refobjid, refobjsubid"},
	{"pg_init_privs", "objoid < 16384 ORDER BY classoid, objoid, objsubid"},
	{"pg_shdescription", "objoid < 16384 ORDER BY objoid"},
	{"pg_tablespace", "oid < 16384 ORDER BY oid"},
	{"information_schema.sql_features", "true ORDER BY feature_id, sub_feature_id"},
	{"information_schema.sql_implementation_info", "true ORDER BY implementation_info_id"},
	{"information_schema.sql_parts", "true ORDER BY feature_id"},
	{"information_schema.sql_sizing", "true ORDER BY sizing_id"},
}

// written lists files with a query of their own.
var written = []struct{ name, query string }{
	{"pg_attribute", `SELECT attrelid, attnum, attname, atttypid, atttypmod, attnotnull, attcollation, attndims, attstorage, attacl
		FROM pg_attribute WHERE attrelid < 16384 AND attnum > 0 ORDER BY attrelid, attnum`},
	{"pg_collation_description", `SELECT objoid, classoid::oid, objsubid, description FROM pg_description WHERE objoid < 12000 AND classoid = 'pg_collation'::regclass ORDER BY objoid`},
	{"views", `SELECT c.oid, n.nspname || '.' || c.relname AS name, replace(pg_get_viewdef(c.oid), '''PUBLIC''::name', '''PUBLIC''') AS query
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'v' AND c.oid < 16384 ORDER BY c.oid`},
	{"keywords", `SELECT word, catcode, barelabel, catdesc, baredesc FROM pg_get_keywords()`},
}

func main() {
	dsn := flag.String("dsn", "", "PostgreSQL 15 server to read: a fresh database")
	dir := flag.String("dir", "sql/syscat/data", "folder to write to")
	flag.Parse()
	if err := run(*dsn, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(dsn, dir string) error {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SET search_path = ''").ReadAll(); err != nil {
		return err
	}
	for _, t := range raw {
		query, err := selectAll(ctx, conn, t.name, t.where)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if err := write(ctx, conn, dir, t.name[strings.LastIndex(t.name, ".")+1:], query); err != nil {
			return err
		}
	}
	for _, t := range written {
		if err := write(ctx, conn, dir, t.name, t.query); err != nil {
			return err
		}
	}
	return nil
}

// selectAll returns a query for all columns of a table.
func selectAll(ctx context.Context, conn *pgconn.PgConn, name, where string) (string, error) {
	res := conn.ExecParams(ctx, `SELECT string_agg(CASE
		WHEN atttypid = 'pg_node_tree'::regtype THEN 'NULL AS ' || attname
		WHEN atttypid::regtype::text LIKE 'reg%' THEN attname || '::oid AS ' || attname
		ELSE attname END, ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0`, [][]byte{[]byte(name)}, nil, nil, nil).Read()
	if res.Err != nil {
		return "", res.Err
	}
	return "SELECT " + string(res.Rows[0][0]) + " FROM " + name + " WHERE " + where, nil
}

func write(ctx context.Context, conn *pgconn.PgConn, dir, name, query string) error {
	head, err := conn.Prepare(ctx, "", query, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var out bytes.Buffer
	for i, f := range head.Fields {
		if i > 0 {
			out.WriteByte('\t')
		}
		out.WriteString(f.Name)
	}
	out.WriteByte('\n')
	if _, err := conn.CopyTo(ctx, &out, "COPY ("+query+") TO STDOUT"); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(dir, name+".tsv"), out.Bytes(), 0o644)
}
