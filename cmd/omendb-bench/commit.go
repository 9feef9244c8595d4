//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runCommit measures short durable transactions at growing numbers of
// connections, beside PostgreSQL 15, as runWire measures statements. Within a
// round the numbers of connections follow each other and the servers alternate,
// so that what else the machine does meets all of them.
func runCommit(args []string) error {
	var o wireOptions
	var connections string
	f := flag.NewFlagSet("commit", flag.ExitOnError)
	o.register(f)
	f.StringVar(&o.omendb, "omendb", "./omendb", "the server's binary")
	f.StringVar(&o.pgBin, "pg-bin", "/usr/lib/postgresql/15/bin", "directory of PostgreSQL's programs; empty measures OmenDB alone")
	f.StringVar(&o.only, "only", "", "only work whose name has one of these parts, with semicolons between")
	f.StringVar(&connections, "connections", "1,2,4,8,16,32,64", "numbers of connections")
	f.IntVar(&o.rows, "rows", 6_400_000, "rows of pgbench's accounts: a hundred thousand times its scale; updates are of a tenth of them")
	f.Float64Var(&o.seconds, "seconds", 1, "length of one figure's part of a round")
	f.StringVar(&o.profile, "profile", "", "shell command to start with each of OmenDB's rounds, for a profiler; OMENDB_PID is the server")
	if err := f.Parse(args); err != nil {
		return err
	}
	var counts []int
	for _, text := range strings.Split(connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("-connections: %q is not a number of connections", text)
		}
		counts = append(counts, n)
	}
	servers, stop, err := startServers(&o)
	if err != nil {
		return err
	}
	defer stop()
	return commitBench(&o, servers, counts)
}

// commitWorks are the short durable transactions.
func commitWorks(o *wireOptions) []*wireWork {
	n := int64(o.rows / 10)
	text := []string{"INSERT INTO inserts VALUES ($1, $2, $3)", "BEGIN", "UPDATE changes SET a = a + $2 WHERE id = $1", "COMMIT"}
	durable := []string{"SET synchronous_commit = on"}
	works := []*wireWork{
		{name: "INSERT", steps: []request{func(b []byte, r *rand.Rand, c *wireConn) []byte {
			c.seq++
			return appendSync(bindExecute(b, 0, c.seq, int32(r.IntN(1000)), "a note of some thirty characters"))
		}}},
		{name: "UPDATE", steps: []request{func(b []byte, r *rand.Rand, _ *wireConn) []byte {
			return appendSync(bindExecute(b, 2, 1+r.Int64N(n), int32(r.IntN(1000))))
		}}},
		{name: "BEGIN, UPDATE, COMMIT", steps: []request{
			func(b []byte, _ *rand.Rand, _ *wireConn) []byte { return appendSync(bindExecute(b, 1)) },
			func(b []byte, r *rand.Rand, _ *wireConn) []byte {
				return appendSync(bindExecute(b, 2, 1+r.Int64N(n), int32(r.IntN(1000))))
			},
			func(b []byte, _ *rand.Rand, _ *wireConn) []byte { return appendSync(bindExecute(b, 3)) },
		}},
	}
	for _, w := range works {
		w.prepare = text
	}
	for _, w := range pgbenchWorks(o) {
		if len(w.steps) > 1 && slices.Equal(w.setup, durable) {
			w.name = "pgbench tpcb-like"
			works = append(works, w)
		}
	}
	for i, w := range works {
		w.number, w.depth, w.setup, w.profile = i, 1, durable, o.profile
	}
	return works
}

// commitSample is what one work reached at one number of connections.
type commitSample struct {
	Work        string  `json:"work"`
	Connections int     `json:"connections"`
	OmenDB      float64 `json:"omendb_tps"` // medians
	Postgres    float64 `json:"postgres_tps,omitempty"`
	Ratio       float64 `json:"ratio,omitempty"` // of the rounds' ratios: median, least, greatest
	RatioMin    float64 `json:"ratio_min,omitempty"`
	RatioMax    float64 `json:"ratio_max,omitempty"`
	OmenDBCPU   float64 `json:"omendb_cpu_us"` // the server's processor time per transaction
	PGCPU       float64 `json:"postgres_cpu_us,omitempty"`
}

func commitBench(o *wireOptions, servers []*wireServer, counts []int) error {
	if !o.json {
		fmt.Println(machine())
		fmt.Println("| durable transactions | connections | OmenDB tps | PostgreSQL tps | ratio | least to greatest | server µs: OmenDB | PostgreSQL |")
		fmt.Println("|---|---|---|---|---|---|---|---|")
	}
	for _, w := range commitWorks(o) {
		if !o.wants(w.name) {
			continue
		}
		if err := checkWork(servers, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		list, err := measureCommits(o, servers, w, counts)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		for i := range list {
			printCommit(o, &list[i])
		}
	}
	return nil
}

// measureCommits runs the rounds of one work.
func measureCommits(o *wireOptions, servers []*wireServer, w *wireWork, counts []int) ([]commitSample, error) {
	rates, costs := make([][][]float64, len(counts)), make([][][]float64, len(counts))
	for at := range counts {
		rates[at], costs[at] = make([][]float64, len(servers)), make([][]float64, len(servers))
	}
	for round := range o.rounds {
		for at, n := range counts {
			w.conns = n
			for k := range servers {
				i := k
				if (round+at)%2 == 1 {
					i = len(servers) - 1 - k
				}
				progress("%s: round %d of %d, %d connections, %s", w.name, round+1, o.rounds, n, servers[i].name)
				cpu := servers[i].processorTime()
				rate, ops, err := w.round(servers[i], round*len(counts)+at, time.Duration(o.seconds*float64(time.Second)))
				if err != nil {
					return nil, fmt.Errorf("%s: %w", servers[i].name, err)
				}
				rates[at][i] = append(rates[at][i], rate)
				costs[at][i] = append(costs[at][i], float64((servers[i].processorTime()-cpu).Microseconds())/ops)
			}
		}
	}
	progress("")
	list := make([]commitSample, len(counts))
	for at, n := range counts {
		s := summarize(w, rates[at], costs[at])
		list[at] = commitSample{Work: w.name, Connections: n, OmenDB: s.OmenDB, Postgres: s.Postgres, Ratio: s.Ratio,
			RatioMin: s.RatioMin, RatioMax: s.RatioMax, OmenDBCPU: s.OmenDBCPU, PGCPU: s.PGCPU}
	}
	return list, nil
}

func printCommit(o *wireOptions, s *commitSample) {
	if o.json {
		_ = json.NewEncoder(os.Stdout).Encode(s)
		return
	}
	fmt.Printf("| %s | %d | %.0f | %.0f | %.2fx | %.2f–%.2f | %.1f | %.1f |\n", s.Work, s.Connections, s.OmenDB, s.Postgres,
		s.Ratio, s.RatioMin, s.RatioMax, s.OmenDBCPU, s.PGCPU)
}
