package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
)

// sqlFlags are those of the benchmarks beside PostgreSQL.
type sqlFlags struct {
	common
	serverFlags
	only string
}

func (c *sqlFlags) register(f *flag.FlagSet, database string) {
	c.common.register(f)
	c.database = database
	f.Lookup("rounds").DefValue = "9"
	c.rounds = 9
	f.StringVar(&c.pg, "pg", os.Getenv("PG_DSN"), "URI of a PostgreSQL 15 server")
	f.StringVar(&c.binary, "omendb", "./omendb", "the server's program")
	f.IntVar(&c.cacheMB, "cache-mb", 1024, "OmenDB's block cache, beside PostgreSQL's shared_buffers")
	f.StringVar(&c.only, "only", "", "regular expression: queries to measure")
}

// runSQL measures queries over a million rows, first as they were loaded, then
// with a tenth of them updated while a snapshot from before is open, in memory
// (dirty) or after a checkpoint (flushed). With --dir, what was loaded stays there and in PostgreSQL for the next run.
func runSQL(args []string) error {
	var c sqlFlags
	f := flag.NewFlagSet("sql", flag.ContinueOnError)
	c.register(f, "omendb_bench")
	rows := f.Int("rows", 1_000_000, "rows of the large tables")
	states := f.String("states", "merged,dirty", "what to measure; flushed is dirty with the updated rows out of memory")
	if err := f.Parse(args); err != nil {
		return err
	}
	list, err := choose(sqlQueries, c.only)
	if err != nil {
		return err
	}
	return c.with(func(ctx context.Context, s *servers) error {
		schema := fmt.Sprintf("bench_%d_%d", *rows, c.seed)
		if err := s.ensure(ctx, schema, func(d *database) error { return loadSQL(ctx, d, schema, *rows, c.seed) }); err != nil {
			return err
		}
		var out []*figure
		for _, state := range strings.Split(*states, ",") {
			part, err := s.sqlState(ctx, state, schema, list, c.rounds)
			if err != nil {
				return err
			}
			out = append(out, part...)
		}
		missed, err := printFigures(os.Stdout, c.json, fmt.Sprintf("%d rows", *rows), out)
		if err == nil && missed > 0 {
			err = fmt.Errorf("%d of %d figures differ or are below what they must be", missed, len(out))
		}
		return err
	})
}

// with runs a benchmark between start and end of the servers.
func (c *sqlFlags) with(run func(ctx context.Context, s *servers) error) error {
	ctx := context.Background()
	dir := c.dir
	if dir == "" {
		d, remove, err := c.workDir()
		if err != nil {
			return err
		}
		defer remove()
		dir = d
	}
	s, err := openServers(ctx, c.serverFlags, dir)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	if !c.json {
		fmt.Printf("%s\nPostgreSQL: %s\nOmenDB: cache %d MB, %s\n", machine(), s.pg.settings(ctx), c.cacheMB, s.omen.settings(ctx))
	}
	return run(ctx, s)
}

// loaded marks a schema whose tables are complete.
const loaded = "loaded"

// ensure loads a schema on the servers that do not have it.
func (s *servers) ensure(ctx context.Context, schema string, load func(d *database) error) error {
	for _, d := range s.each() {
		mark, err := d.value(ctx, "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = '"+schema+"'")
		if err != nil {
			return err
		}
		if mark == loaded {
			if err := d.exec(ctx, "SET search_path = "+schema); err != nil {
				return err
			}
			continue
		}
		if err := d.exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE"); err != nil {
			return err
		}
		if err := load(d); err != nil {
			return err
		}
		if err := d.exec(ctx, "COMMENT ON SCHEMA "+schema+" IS '"+loaded+"'; CHECKPOINT"); err != nil {
			return err
		}
	}
	return nil
}

// dirtySchema holds copies of the tables, so that the loaded ones stay as they are.
const dirtySchema = "bench_dirty"

func copySQL(from string) string {
	sql := "DROP SCHEMA IF EXISTS " + dirtySchema + " CASCADE; CREATE SCHEMA " + dirtySchema + "; SET search_path = " + dirtySchema + ";" + sqlSchema
	for _, t := range []string{"device", "fact", "reading"} {
		sql += "INSERT INTO " + t + " SELECT * FROM " + from + "." + t + " ORDER BY id;"
	}
	return sql
}

// updateSQL changes a tenth of the rows of every large table, all over it.
const updateSQL = `
UPDATE fact SET qty = (qty + 1) % 100, price = price / 2 WHERE id % 10 = 3;
UPDATE reading SET value = value + 1 WHERE id % 10 = 7;`

// sqlState brings the tables into a state and measures.
func (s *servers) sqlState(ctx context.Context, state, schema string, list []sqlQuery, rounds int) (out []*figure, err error) {
	dirty := state == "dirty" || state == "flushed"
	if dirty {
		for _, d := range s.each() {
			progress("%s: update", d.name)
			release, err := d.makeDirty(ctx, schema)
			if err != nil {
				return nil, err
			}
			defer release()
			if state == "flushed" {
				if err := d.exec(ctx, "CHECKPOINT"); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, q := range list {
		if dirty && q.dirtyMust > 0 {
			q.must, q.aim = q.dirtyMust, q.aim/2
		}
		f, err := s.measure(ctx, q, state, rounds)
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
	if dirty {
		for _, d := range s.each() {
			if err := d.exec(ctx, "SET search_path = "+schema); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// makeDirty copies the tables, opens a snapshot and updates.
func (d *database) makeDirty(ctx context.Context, from string) (release func(), err error) {
	if err := d.exec(ctx, copySQL(from)); err != nil {
		return nil, err
	}
	if err := d.exec(ctx, "VACUUM ANALYZE"); err != nil {
		return nil, err
	}
	name, err := d.value(ctx, "SELECT current_database()")
	if err != nil {
		return nil, err
	}
	old, err := d.open(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := old.Exec(ctx, "SET search_path = "+dirtySchema+"; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM fact").ReadAll(); err != nil {
		return nil, err
	}
	return func() { _ = old.Close(ctx) }, d.exec(ctx, updateSQL)
}
