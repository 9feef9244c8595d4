package omendb_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/testflag"
)

// catalogDigest lists what a database is made of by names, so that two can be compared.
const catalogDigest = `
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
  c AS (SELECT c.*, s.nspname FROM pg_class c JOIN s ON s.oid = c.relnamespace)
SELECT line FROM (
  SELECT concat_ws(' ', 'schema', nspname, nspacl::text, obj_description(n.oid, 'pg_namespace')) AS line FROM pg_namespace n WHERE oid IN (SELECT oid FROM s)
  UNION ALL SELECT concat_ws(' ', 'relation', nspname, relname, relkind, relpersistence, relreplident, relispopulated, relacl::text, reloptions::text, obj_description(oid, 'pg_class')) FROM c
  UNION ALL SELECT concat_ws(' ', 'column', nspname, relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attislocal, attinhcount, attstattarget, attacl::text,
    pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, attnum)) FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE relkind IN ('r', 'v', 'm', 'c')
  UNION ALL SELECT concat_ws(' ', 'constraint', nspname, relname, conname, convalidated, coninhcount, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')) FROM c JOIN pg_constraint k ON k.conrelid = c.oid
  UNION ALL SELECT concat_ws(' ', 'index', nspname, relname, pg_get_indexdef(c.oid), indisvalid, indisclustered, indisprimary) FROM c JOIN pg_index i ON i.indexrelid = c.oid
  UNION ALL SELECT concat_ws(' ', 'view', nspname, relname, pg_get_viewdef(c.oid)) FROM c WHERE relkind IN ('v', 'm')
  UNION ALL SELECT concat_ws(' ', 'inherits', i.inhrelid::regclass, i.inhparent::regclass, i.inhseqno) FROM pg_inherits i
  UNION ALL SELECT concat_ws(' ', 'sequence', schemaname, sequencename, data_type, start_value, min_value, max_value, increment_by, cycle, last_value) FROM pg_sequences
  UNION ALL SELECT concat_ws(' ', 'owned', d.objid::regclass, d.refobjid::regclass, d.refobjsubid, d.deptype) FROM pg_depend d JOIN c ON c.oid = d.objid AND relkind = 'S' WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  UNION ALL SELECT concat_ws(' ', 'type', nspname, typname, typtype, typnotnull, typdefault, obj_description(t.oid, 'pg_type')) FROM pg_type t JOIN s ON s.oid = t.typnamespace
  UNION ALL SELECT concat_ws(' ', 'label', t.typname, enumlabel, row_number() OVER (PARTITION BY t.oid ORDER BY enumsortorder)) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
  UNION ALL SELECT concat_ws(' ', 'domain', t.typname, conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN s ON s.oid = t.typnamespace
  UNION ALL SELECT concat_ws(' ', 'function', nspname, proname, pg_get_function_arguments(p.oid), prosrc, proacl::text, obj_description(p.oid, 'pg_proc')) FROM pg_proc p JOIN s ON s.oid = p.pronamespace
  UNION ALL SELECT concat_ws(' ', 'defaults', defaclobjtype, (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(defaclacl) x)) FROM pg_default_acl
) x ORDER BY line COLLATE "C"`

// digest describes a database: its catalog and the rows of every table.
func digest(t *testing.T, c *pgx.Conn) string {
	t.Helper()
	read := func(sql string) (lines []string) {
		rows, err := c.Query(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
		if err == nil {
			lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return lines
	}
	lines := read(catalogDigest)
	for _, table := range read(`SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1`) {
		for _, row := range read("SELECT t::text FROM " + table + " t ORDER BY 1") {
			lines = append(lines, "row "+table+" "+row)
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), one[string](t, c, "SELECT current_user::text"), "me")
}

// difference shows the lines that only one of two digests has.
func difference(want, got string) string {
	has := func(s, line string) bool { return strings.Contains("\n"+s+"\n", "\n"+line+"\n") }
	var out []string
	for _, l := range strings.Split(want, "\n") {
		if !has(got, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range strings.Split(got, "\n") {
		if !has(want, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

func readLines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/ddl/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// ddlBed runs every statement in a database of its own.
type ddlBed struct {
	t    *testing.T
	open func(database string) *pgx.Conn
	home *pgx.Conn
	base string
}

func (b *ddlBed) database(name string) *pgx.Conn {
	exec(b.t, b.home, "CREATE DATABASE "+name)
	c := b.open(name)
	for _, s := range readLines(b.t, "setup.sql") {
		exec(b.t, c, s)
	}
	return c
}

func (b *ddlBed) simple(c *pgx.Conn, statements ...string) {
	b.t.Helper()
	for _, s := range statements {
		if got := code(c, s); got != "" {
			b.t.Fatalf("%s: %s", s, got)
		}
	}
}

// TestTransactionalDDL runs every kind of statement in a transaction that is rolled back, rolled back to a savepoint,
// committed, and prepared, which a restart follows: only the last and the third change anything, and both the same.
// Given -isolation.dsn, PostgreSQL has to end up with the same after COMMIT.
func TestTransactionalDDL(t *testing.T) {
	dir, statements := t.TempDir(), readLines(t, "statements.sql")
	if *testflag.IsolationDSN == "" { // all of them take half a minute
		for i := range statements[:len(statements)/3] {
			statements[i] = statements[3*i]
		}
		statements = statements[:len(statements)/3]
	}
	settings := omendb.WithSettings(map[string]string{"max_prepared_transactions": "1000", "fsync": "off"})
	db, err := omendb.Open(dir, settings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	b := &ddlBed{t: t, open: func(name string) *pgx.Conn { return insideDatabase(t, db, name) }}
	b.home = b.open("postgres")
	b.base = digest(t, b.database("base"))
	done := make([]string, len(statements))
	for i, s := range statements {
		c := b.database(fmt.Sprintf("d%d", i))
		b.simple(c, "BEGIN")
		if got := code(c, s); got != "" {
			done[i] = "refused: " + got
		}
		b.simple(c, "ROLLBACK")
		if done[i] != "" {
			continue
		}
		if d := difference(b.base, digest(t, c)); d != "" {
			t.Errorf("%s; ROLLBACK leaves\n%s", s, d)
		}
		b.simple(c, "BEGIN", "SAVEPOINT a", s, "ROLLBACK TO a", "SAVEPOINT b", "SAVEPOINT c", s, "RELEASE c", "ROLLBACK TO b", "COMMIT")
		if d := difference(b.base, digest(t, c)); d != "" {
			t.Errorf("%s; ROLLBACK TO leaves\n%s", s, d)
		}
		b.simple(c, "BEGIN", s, fmt.Sprintf("PREPARE TRANSACTION 'undo%d'", i))
		e := b.database(fmt.Sprintf("e%d", i))
		b.simple(e, "BEGIN", s, fmt.Sprintf("PREPARE TRANSACTION 'keep%d'", i))
		_, _ = c.Close(context.Background()), e.Close(context.Background())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = omendb.Open(dir, settings); err != nil {
		t.Fatal(err)
	}
	for i, s := range statements {
		if done[i] != "" {
			continue
		}
		c, e := b.open(fmt.Sprintf("d%d", i)), b.open(fmt.Sprintf("e%d", i))
		b.simple(c, fmt.Sprintf("ROLLBACK PREPARED 'undo%d'", i))
		if d := difference(b.base, digest(t, c)); d != "" {
			t.Errorf("%s; PREPARE, restart, ROLLBACK PREPARED leaves\n%s", s, d)
		}
		b.simple(c, "BEGIN", s, "COMMIT")
		b.simple(e, fmt.Sprintf("COMMIT PREPARED 'keep%d'", i))
		done[i] = digest(t, c)
		if d := difference(done[i], digest(t, e)); d != "" {
			t.Errorf("%s; COMMIT and COMMIT PREPARED after a restart differ\n%s", s, d)
		}
		_, _ = c.Close(context.Background()), e.Close(context.Background())
	}
	if *testflag.IsolationDSN != "" {
		b.onPostgreSQL(*testflag.IsolationDSN, statements, done)
	}
}

// onPostgreSQL compares with what the statements do there.
func (b *ddlBed) onPostgreSQL(dsn string, statements, done []string) {
	connect := func(database string) *pgx.Conn {
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			b.t.Fatal(err)
		}
		if database != "" {
			config.Database = database
		}
		c, err := pgx.ConnectConfig(context.Background(), config)
		if err != nil {
			b.t.Fatal(err)
		}
		return c
	}
	home := connect("")
	defer home.Close(context.Background())
	for i, s := range statements {
		exec(b.t, home, "DROP DATABASE IF EXISTS ddl_audit WITH (FORCE)", "CREATE DATABASE ddl_audit TEMPLATE template0")
		c := connect("ddl_audit")
		for _, s := range readLines(b.t, "setup.sql") {
			exec(b.t, c, s)
		}
		there := ""
		if got := code(c, s); got != "" {
			there = "refused: " + got
		} else {
			there = digest(b.t, c)
		}
		if d := difference(there, done[i]); d != "" {
			b.t.Errorf("%s: not as PostgreSQL\n%s", s, d)
		}
		_ = c.Close(context.Background())
	}
	exec(b.t, home, "DROP DATABASE ddl_audit")
}

// TestNotInTransaction runs what cannot be part of a transaction in one, and in a query string of several statements.
func TestNotInTransaction(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := inside(t, db, "omendb")
	exec(t, c, "CREATE TABLE t(x int)", "CREATE INDEX i ON t(x)", "CREATE DATABASE d")
	for _, s := range []string{"CREATE DATABASE e", "DROP DATABASE d", "VACUUM", "VACUUM t", "VACUUM (ANALYZE) t", "CREATE INDEX CONCURRENTLY ON t (x)", "DROP INDEX CONCURRENTLY i",
		"REINDEX INDEX CONCURRENTLY i", "REINDEX TABLE CONCURRENTLY t", "REINDEX DATABASE postgres", "REINDEX SCHEMA public", "CLUSTER"} {
		for _, how := range []string{"BEGIN; SELECT 1; " + s, "SELECT 1; " + s} {
			if got := code(c, how); got != "25001" {
				t.Errorf("%s: %q", how, got)
			}
			exec(t, c, "ROLLBACK")
		}
	}
}
