package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/omendb/omendb/internal/pgdiff/gen"
)

// statementsPerRound is how many statements share one schema: making it takes about as long as twenty.
const statementsPerRound = 100

// shrinkTries bounds how often a failing statement is run to make it smaller.
const shrinkTries = 400

// shrinkPatience bounds the same by time: a slow statement stays slow for most of its way.
const shrinkPatience = 20 * time.Second

// round is one schema with its statements on both servers.
type round struct {
	seed     uint64
	gen      *gen.Generator
	schema   *gen.Schema
	pg, omen *target
	report   *report
	script   []string // what was run so far and changed something
	settings []string
	knobs    []string
	turn     bool // draw knobs
}

// play runs a round of at most n statements and returns how many it ran.
func (r *round) play(n int) (int, error) {
	r.gen = gen.New(r.seed)
	r.settings = []string{"SET statement_timeout = '4s'", "SET search_path = pgdiff", "SET client_min_messages = error",
		"SET TimeZone = '" + r.gen.Pick("UTC", "UTC", "America/New_York", "Asia/Kolkata") + "'",
		"SET DateStyle = '" + r.gen.Pick("ISO, MDY", "ISO, MDY", "ISO, DMY", "SQL, DMY", "German", "Postgres, MDY") + "'",
		"SET IntervalStyle = '" + r.gen.Pick("postgres", "postgres", "iso_8601", "sql_standard", "postgres_verbose") + "'",
		"SET bytea_output = '" + r.gen.Pick("hex", "hex", "escape") + "'"}
	if r.turn {
		r.knobs = randomKnobs(r.gen)
	}
	if err := r.pg.configure(r.settings); err != nil {
		return 0, fmt.Errorf("postgresql: %w", err)
	}
	if err := r.omen.configure(append(append([]string{}, r.settings...), r.knobs...)); err != nil {
		return 0, fmt.Errorf("omendb: %w", err)
	}
	r.schema = r.gen.NewSchema()
	for _, sql := range append([]string{"DROP SCHEMA IF EXISTS pgdiff CASCADE", "CREATE SCHEMA pgdiff"}, r.schema.Setup...) {
		want, got := r.ask(sql)
		v := compare(want, got, false, false)
		if v.class > sameError {
			r.report.add(v, r.failure(v, sql, want, got))
			return 1, nil
		}
		r.script = append(r.script, sql)
	}
	for range min(n, statementsPerRound) {
		if r.gen.Intn(100) < 18 {
			r.change(r.gen.Change(r.schema))
		} else {
			r.query(r.gen.Select(r.schema))
		}
	}
	return min(n, statementsPerRound), nil
}

// query compares one SELECT.
func (r *round) query(st *gen.Stmt) {
	judge := func() (verdict, outcome, outcome) {
		sql := st.String()
		want, got := r.ask(sql)
		return compare(want, got, st.Ordered(), choosing.MatchString(sql)), want, got
	}
	v, want, got := judge()
	if v.class <= sameError && want.message != got.message {
		r.report.message(want.message, got.message)
	}
	if r.report.wants(v) {
		r.shrink(st, v, func() verdict { w, _, _ := judge(); return w })
		_, want, got = judge()
	}
	r.report.add(v, r.failure(v, st.String(), want, got))
}

// change compares one statement that changes a table, then the table.
func (r *round) change(st *gen.Stmt) {
	judge := func(end string) (verdict, outcome, outcome) {
		sql := st.String()
		r.ask("BEGIN")
		want, got := r.ask(sql)
		v := compare(want, got, false, true)
		if v.class == equal {
			want, got = r.ask("SELECT * FROM " + st.Table)
			if v = compare(want, got, false, true); v.class != equal {
				v.why = "table afterwards: " + v.why
			}
		}
		if v.class != equal {
			end = "ROLLBACK"
		}
		r.ask(end)
		return v, want, got
	}
	before := st.String()
	v, want, got := judge("COMMIT")
	if v.class == equal {
		r.script = append(r.script, before)
	}
	if r.report.wants(v) {
		r.shrink(st, v, func() verdict { w, _, _ := judge("ROLLBACK"); return w })
		_, want, got = judge("ROLLBACK")
	}
	r.report.add(v, r.failure(v, st.String(), want, got))
}

// ask runs a statement on both servers at the same time.
func (r *round) ask(sql string) (want, got outcome) {
	done := make(chan outcome)
	go func() { done <- r.pg.run(sql) }()
	got = r.omen.run(sql)
	return <-done, got
}

func (r *round) shrink(st *gen.Stmt, v verdict, judge func() verdict) {
	end := time.Now().Add(shrinkPatience)
	st.Shrink(shrinkTries, func() bool { return time.Now().Before(end) && judge() == v })
}

// failure writes a statement with all that is needed to see it fail again.
func (r *round) failure(v verdict, sql string, want, got outcome) failure {
	if v.class <= sameError || v.class == skipped {
		return failure{}
	}
	var setup []string
	for _, s := range r.script {
		for _, t := range append(r.schema.Tables(), "v1", "SCHEMA") {
			if strings.Contains(sql, t) && strings.Contains(s, t) || strings.Contains(sql, "v1") || strings.HasPrefix(s, "CREATE SCHEMA") {
				setup = append(setup, s)
				break
			}
		}
	}
	return failure{seed: r.seed, why: v.why, sql: sql, want: want, got: got, setup: setup, settings: append(append([]string{}, r.settings[1:]...), r.knobs...)}
}
