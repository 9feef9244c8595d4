package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb"
)

// roundsPerServer is after how many rounds OmenDB is opened anew: everything is in memory.
const roundsPerServer = 20

func main() {
	n := flag.Int("n", 10_000, "statements to run")
	seed := flag.Uint64("seed", 1, "seed of the run")
	dsn := flag.String("dsn", "host=127.0.0.1 user=postgres dbname=postgres", "PostgreSQL 15, whose schema pgdiff is overwritten")
	omen := flag.String("omen", "", "an OmenDB server instead of one in this process")
	knobs := flag.Bool("knobs", false, "run every round of OmenDB under settings drawn at random")
	single := flag.Uint64("round", 0, "play this round only")
	show := flag.Int("show", 2, "failures to make smaller and print, per kind")
	out := flag.String("out", "", "folder for a script per failure")
	flag.Parse()
	if err := run(*n, *seed, *single, *show, *dsn, *omen, *out, *knobs); err != nil {
		fmt.Fprintln(os.Stderr, "pgdiff:", err)
		os.Exit(1)
	}
}

func run(n int, seed, single uint64, show int, dsn, omen, out string, knobs bool) error {
	pg, err := postgres(dsn)
	if err != nil {
		return err
	}
	defer pg.close()
	rep := newReport(show)
	var log bytes.Buffer // what the server says about its panics
	var db *omendb.DB
	var side *target
	started := time.Now()
	for i := uint64(0); rep.total() < n; i++ {
		if i%roundsPerServer == 0 {
			if side, db, err = server(omen, db, &log); err != nil {
				return err
			}
		}
		r := &round{seed: seed*1_000_003 + i, pg: pg, omen: side, report: rep, turn: knobs}
		if single != 0 {
			r.seed = single
		}
		before := rep.counts[wrong]
		if _, err := r.play(n - rep.total()); err != nil {
			return err
		}
		if rep.counts[wrong] > before {
			fmt.Fprintf(os.Stderr, "\nwrong in -round %d: %s\n", r.seed, rep.lastWrong)
		}
		side.close()
		if i%10 == 9 {
			fmt.Fprintf(os.Stderr, "\r%d statements, %d wrong, %d skipped, %.0f/s ", rep.total(), rep.counts[wrong], rep.counts[skipped], float64(rep.total())/time.Since(started).Seconds())
		}
		if single != 0 {
			break
		}
	}
	fmt.Fprintln(os.Stderr)
	if db != nil {
		if err := db.Close(); err != nil {
			return err
		}
	}
	rep.write(os.Stdout)
	if out != "" {
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, "server.log"), log.Bytes(), 0o644); err != nil {
			return err
		}
		return scripts(rep, out)
	}
	return nil
}

// server opens an OmenDB, or connects to one that runs already.
func server(dsn string, old *omendb.DB, log *bytes.Buffer) (*target, *omendb.DB, error) {
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
