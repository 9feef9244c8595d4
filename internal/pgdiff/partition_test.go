package main

import (
	"bytes"
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/pgdiff/gen"
)

var partitions = flag.Int("pgdiff.partitions", 150, "random conditions that are taken apart; each is five to seven statements")

var partitionSeed = flag.Uint64("pgdiff.seed", 1, "the seed of the first schema with its conditions; each further one has the next")

// partitionSettings are in force for every condition. A join of large tables may take minutes and shows no more than a small one.
var partitionSettings = []string{"SET search_path = pgdiff", "SET statement_timeout = '1s'"}

// conditionsPerServer is after how many conditions OmenDB is opened anew: everything is in memory.
const conditionsPerServer = 3000

// conditionsPerRound is how many conditions share one schema.
const conditionsPerRound = 15

// TestConditionsTakenApart runs random conditions over random joins and checks
// that the rows for which a condition is true, false and unknown are together
// all rows (ternary logic partitioning), that counting by WHERE agrees with
// computing the condition for every row (NoREC), and that other settings of
// planner and executor give the same rows. Statements that fail are no evidence
// and are counted apart.
func TestConditionsTakenApart(t *testing.T) {
	db, err := omendb.Open(omendb.Memory)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { db.Close() }()
	srv, err := inside(db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { srv.close() }()
	checked, failed := 0, 0
	for seed := *partitionSeed; checked+failed < *partitions; seed++ {
		if (checked+failed)%conditionsPerServer == conditionsPerServer-conditionsPerRound {
			srv.close()
			var log bytes.Buffer
			if srv, db, err = server("", db, &log); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d conditions checked, %d failed to run, seed %d next", checked, failed, seed)
		}
		g := gen.New(seed)
		s := g.NewSchema()
		srv.run("DROP SCHEMA IF EXISTS pgdiff CASCADE")
		if out := srv.run("CREATE SCHEMA pgdiff"); out.code != "" {
			t.Fatal(out.message)
		}
		if err := srv.configure(partitionSettings); err != nil {
			t.Fatal(err)
		}
		for i, stmt := range s.Setup {
			if srv.run(stmt); uint64(i) == seed%uint64(len(s.Setup)) {
				srv.run("CHECKPOINT") // rows so far are in segments, later ones in memory
			}
		}
		for range conditionsPerRound {
			p := g.Partition(s)
			switch takeApart(t, srv, g, seed, p) {
			case true:
				checked++
			default:
				failed++
			}
		}
	}
	t.Logf("%d conditions checked, %d failed to run", checked, failed)
	if checked < *partitions/3 {
		t.Errorf("only %d of %d conditions could be checked", checked, checked+failed)
	}
}

// takeApart checks one condition; false when a statement about it fails.
func takeApart(t *testing.T, srv *target, g *gen.Generator, seed uint64, p gen.Partition) bool {
	t.Helper()
	from := "SELECT " + p.Columns + " FROM " + p.From
	all := srv.run(from)
	var parts []string
	for _, c := range []string{"", "NOT ", "UNKNOWN "} {
		where := " WHERE " + c + "(" + p.Condition + ")"
		if c == "UNKNOWN " {
			where = " WHERE (" + p.Condition + ") IS NULL"
		}
		out := srv.run(from + where)
		if out.code != "" {
			return false
		}
		parts = append(parts, out.rows...)
	}
	counted := srv.run("SELECT count(*) FROM " + p.From + " WHERE " + p.Condition)
	computed := srv.run("SELECT coalesce(sum(CASE WHEN " + p.Condition + " THEN 1 ELSE 0 END), 0) FROM " + p.From)
	if all.code != "" || counted.code != "" || computed.code != "" {
		return false
	}
	slices.Sort(all.rows)
	slices.Sort(parts)
	if !slices.Equal(all.rows, parts) {
		t.Errorf("seed %d: %d rows, but %d in the three parts of\n%s WHERE %s", seed, len(all.rows), len(parts), from, p.Condition)
	}
	if !slices.Equal(counted.rows, computed.rows) {
		t.Errorf("seed %d: WHERE counts %v, the condition itself %v:\n%s WHERE %s", seed, counted.rows, computed.rows, from, p.Condition)
	}
	return sameUnderKnobs(t, srv, g, seed, from+" WHERE "+p.Condition)
}

// sameUnderKnobs runs a query again under other settings.
func sameUnderKnobs(t *testing.T, srv *target, g *gen.Generator, seed uint64, query string) bool {
	t.Helper()
	before := srv.run(query)
	knobs := randomKnobs(g)
	for _, k := range knobs {
		if out := srv.run(k); out.code != "" {
			t.Fatalf("%s: %s", k, out.message)
		}
	}
	after := srv.run(query)
	srv.run("RESET ALL; " + strings.Join(partitionSettings, "; "))
	if before.code != "" || after.code != "" {
		return false
	}
	slices.Sort(before.rows)
	slices.Sort(after.rows)
	if !slices.Equal(before.rows, after.rows) {
		t.Errorf("seed %d: %d rows become %d under %v:\n%s", seed, len(before.rows), len(after.rows), knobs, query)
	}
	return true
}
