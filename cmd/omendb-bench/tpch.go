package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

//go:embed tpch.sql
var tpchSQL string

// tpchQueries are the 22 queries with the parameters of TPC-H's validation run;
// ORDER BY is made unambiguous where it is not, so that answers can be compared.
func tpchQueries(scale float64) (out []sqlQuery) {
	text := strings.ReplaceAll(tpchSQL, "$FRACTION", strconv.FormatFloat(0.0001/scale, 'f', 10, 64))
	for _, part := range strings.Split(text, "-- ")[1:] {
		name, sql, _ := strings.Cut(part, "\n")
		out = append(out, sqlQuery{name: strings.TrimSpace(name), sql: strings.TrimSpace(sql)})
	}
	return out
}

// tpchTimeout ends a query whose plan is hopeless; failed is its ratio.
const (
	tpchTimeout = "2min"
	failed      = 0.001
)

// runTPCH measures the queries of TPC-H beside PostgreSQL. What must be reached
// is the geometric mean of the ratios.
func runTPCH(args []string) error {
	var c sqlFlags
	f := flag.NewFlagSet("tpch", flag.ContinueOnError)
	c.register(f, "omendb_tpch")
	f.Lookup("rounds").DefValue = "3"
	c.rounds = 3
	scale := f.Float64("scale", 0.1, "scale factor: 1 is 8.7 M rows; least 0.01")
	if err := f.Parse(args); err != nil {
		return err
	}
	list, err := choose(tpchQueries(*scale), c.only)
	if err != nil {
		return err
	}
	return c.with(func(ctx context.Context, s *servers) error {
		schema := strings.ReplaceAll(fmt.Sprintf("tpch_%g_%d", *scale, c.seed), ".", "_")
		if err := s.ensure(ctx, schema, func(d *database) error { return loadTPCH(ctx, d, schema, newTPCH(*scale, c.seed)) }); err != nil {
			return err
		}
		for _, d := range s.each() {
			if err := d.exec(ctx, "SET statement_timeout = '"+tpchTimeout+"'"); err != nil {
				return err
			}
		}
		var out []*figure
		for _, q := range list {
			fig, err := s.measure(ctx, q, "", c.rounds)
			if err != nil { // the others are of interest all the same
				fig = &figure{Query: q.name, Ratio: failed, Differs: err.Error()}
			}
			out = append(out, fig)
		}
		wrong, err := printFigures(os.Stdout, c.json, fmt.Sprintf("TPC-H %g", *scale), out)
		if err != nil {
			return err
		}
		mean := geometricMean(out)
		fmt.Printf("geometric mean of the ratios: %.2f (must 1, aim 3)\n", mean)
		if wrong > 0 || mean < 1 {
			return fmt.Errorf("%d answers differ, the mean is %.2f", wrong, mean)
		}
		return nil
	})
}

func loadTPCH(ctx context.Context, d *database, schema string, t *tpch) error {
	if err := d.exec(ctx, "CREATE SCHEMA "+schema+"; SET search_path = "+schema+";"+tpchSchema); err != nil {
		return err
	}
	for _, table := range tpchTables {
		progress("%s: load %s", d.name, table)
		if err := d.copyIn(ctx, table, func(w io.Writer) error { return t.write(table, w) }); err != nil {
			return err
		}
	}
	progress("%s: indexes and statistics", d.name)
	for _, sql := range []string{tpchIndexes, "VACUUM FULL", "VACUUM ANALYZE"} {
		if err := d.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
