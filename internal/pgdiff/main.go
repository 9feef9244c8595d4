package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb"
)

// roundsPerServer is after how many rounds OmenDB is opened anew: everything is in memory.
const roundsPerServer = 20

// options are the flags.
type options struct {
	n            int
	seed, single uint64
	show         int
	dsns         []string
	omen, out    string
	knobs        bool
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 10_000, "statements to run")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the run")
	flag.Func("dsn", "PostgreSQL 15, whose schema pgdiff is overwritten; several times for databases that are used at the same time", func(s string) error {
		o.dsns = append(o.dsns, s)
		return nil
	})
	flag.StringVar(&o.omen, "omen", "", "an OmenDB server instead of one in this process")
	flag.BoolVar(&o.knobs, "knobs", false, "run every round of OmenDB under settings drawn at random")
	flag.Uint64Var(&o.single, "round", 0, "play this round only")
	flag.IntVar(&o.show, "show", 2, "failures to make smaller and print, per kind")
	flag.StringVar(&o.out, "out", "", "folder for a script per failure")
	flag.Parse()
	if len(o.dsns) == 0 {
		o.dsns = []string{"host=127.0.0.1 user=postgres dbname=postgres"}
	}
	if o.single != 0 || o.omen != "" {
		o.dsns = o.dsns[:1]
	}
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "pgdiff:", err)
		os.Exit(1)
	}
}

// tour is a run: its workers, one for each database of PostgreSQL, take rounds from it.
type tour struct {
	*options
	report  *report
	log     bytes.Buffer // what the servers say about their panics
	rounds  atomic.Uint64
	started time.Time
}

func run(o *options) error {
	t := &tour{options: o, report: newReport(o.show), started: time.Now()}
	errs := make(chan error)
	for _, dsn := range o.dsns {
		go func() { errs <- t.work(dsn) }()
	}
	var failed error
	for range o.dsns {
		failed = errors.Join(failed, <-errs)
	}
	fmt.Fprintln(os.Stderr)
	if failed != nil {
		return failed
	}
	t.report.write(os.Stdout)
	if o.out == "" {
		return nil
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.out, "server.log"), t.log.Bytes(), 0o644); err != nil {
		return err
	}
	return scripts(t.report, o.out)
}

// work plays rounds until there are enough statements.
func (t *tour) work(dsn string) error {
	pg, err := postgres(dsn)
	if err != nil {
		return err
	}
	defer pg.close()
	var db *omendb.DB
	var side *target
	log := zerolog.SyncWriter(&t.log)
	for played := 0; t.report.total() < t.n; played++ {
		if played%roundsPerServer == 0 {
			if side, db, err = server(t.omen, db, log); err != nil {
				return err
			}
		}
		i := t.rounds.Add(1) - 1
		r := &round{seed: t.seed*1_000_003 + i, pg: pg, omen: side, report: t.report, turn: t.knobs}
		if t.single != 0 {
			r.seed = t.single
		}
		if _, err := r.play(t.n - t.report.total()); err != nil {
			return err
		}
		side.close()
		if i%10 == 9 {
			t.progress()
		}
		if t.single != 0 {
			break
		}
	}
	if db != nil {
		return db.Close()
	}
	return nil
}

// progress says on the terminal how far the run is.
func (t *tour) progress() {
	n, bad, late := t.report.total(), t.report.count(wrong), t.report.count(skipped)
	fmt.Fprintf(os.Stderr, "\r%d statements, %d wrong, %d skipped, %.0f/s ", n, bad, late, float64(n)/time.Since(t.started).Seconds())
}

// server opens an OmenDB, or connects to one that runs already.
func server(dsn string, old *omendb.DB, log io.Writer) (*target, *omendb.DB, error) {
	if dsn != "" {
		t, err := postgres(dsn)
		return t, nil, err
	}
	if old != nil {
		if err := old.Close(); err != nil {
			return nil, nil, err
		}
	}
	db, err := omendb.Open(omendb.Memory, omendb.WithLogger(zerolog.New(log).Level(zerolog.ErrorLevel)))
	if err != nil {
		return nil, nil, err
	}
	t, err := inside(db)
	return t, db, err
}

// scripts writes a file per failure.
func scripts(rep *report, dir string) error {
	i := 0
	for c := range classes {
		for _, k := range byCount(rep.reasons[c]) {
			for _, f := range rep.failures[c][k] {
				i++
				var b bytes.Buffer
				f.script(&b)
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%03d.sql", classNames[c], i)), b.Bytes(), 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
