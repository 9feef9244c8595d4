//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// wireOptions are the flags of `omendb-bench wire`.
type wireOptions struct {
	common
	omendb, pgBin, only string
	rows, copyRows      int
	seconds             float64
	profile             string
}

// runWire measures statements through the wire, beside PostgreSQL 15: both
// servers and the client share the machine, rounds alternate.
func runWire(args []string) error {
	var o wireOptions
	f := flag.NewFlagSet("wire", flag.ExitOnError)
	o.register(f)
	f.StringVar(&o.omendb, "omendb", "./omendb", "the server's binary")
	f.StringVar(&o.pgBin, "pg-bin", "/usr/lib/postgresql/15/bin", "directory of PostgreSQL's programs; empty measures OmenDB alone")
	f.StringVar(&o.only, "only", "", "only work whose name has one of these parts, with semicolons between")
	f.IntVar(&o.rows, "rows", 1_000_000, "rows of the table that is read")
	f.IntVar(&o.copyRows, "copy-rows", 200_000, "rows of one COPY")
	f.Float64Var(&o.seconds, "seconds", 2, "length of a round")
	f.StringVar(&o.profile, "profile", "", "shell command to start with each of OmenDB's rounds, for a profiler; OMENDB_PID is the server")
	if err := f.Parse(args); err != nil {
		return err
	}
	servers, stop, err := startServers(&o)
	if err != nil {
		return err
	}
	defer stop()
	return wireBench(&o, servers)
}

// wireSample is what the rounds of one work gave.
type wireSample struct {
	Work      string    `json:"work"`
	Must      float64   `json:"must,omitempty"`
	Aim       float64   `json:"aim,omitempty"`
	OmenDB    float64   `json:"omendb_per_s"` // medians
	Postgres  float64   `json:"postgres_per_s,omitempty"`
	Ratio     float64   `json:"ratio,omitempty"` // of the rounds' ratios: median, least, greatest
	RatioMin  float64   `json:"ratio_min,omitempty"`
	RatioMax  float64   `json:"ratio_max,omitempty"`
	OmenDBCPU float64   `json:"omendb_cpu_us"` // the server's processor time per operation
	PGCPU     float64   `json:"postgres_cpu_us,omitempty"`
	ClientCPU float64   `json:"client_cpu_us"`
	Rounds    []float64 `json:"ratios,omitempty"`
}

func wireBench(o *wireOptions, servers []*wireServer) error {
	if !o.json {
		fmt.Println(machine())
		fmt.Println("| through the wire | OmenDB /s | PostgreSQL /s | ratio | least to greatest | must | aim | server µs: OmenDB | PostgreSQL | client |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	}
	var works []*wireWork
	for _, w := range wireWorks(o) {
		if o.wants(w.name) {
			works = append(works, w)
		}
	}
	for _, w := range works { // before the rounds: they leave different tables behind
		if err := checkWork(servers, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	short := 0
	for _, w := range works {
		s, err := measureWork(o, servers, w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if s.Ratio < s.Must {
			short++
		}
		printWire(o, s)
	}
	if short > 0 && len(servers) > 1 {
		return fmt.Errorf("%d figures are below what they must reach", short)
	}
	return nil
}

func (o *wireOptions) wants(name string) bool {
	if o.only == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(o.only, ";"), func(part string) bool { return strings.Contains(name, part) })
}

// checkWork has the servers do the same and compares all that they answer.
func checkWork(servers []*wireServer, w *wireWork) error {
	var answers []uint64
	for _, s := range servers {
		sum, err := w.check(s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		answers = append(answers, sum)
	}
	if slices.Min(answers) != slices.Max(answers) {
		return errors.New("the servers answer differently")
	}
	return nil
}

// measureWork runs the rounds.
func measureWork(o *wireOptions, servers []*wireServer, w *wireWork) (*wireSample, error) {
	rates, costs := make([][]float64, len(servers)), make([][]float64, len(servers))
	var client []float64
	for round := range o.rounds {
		for k := range servers {
			i := k
			if round%2 == 1 {
				i = len(servers) - 1 - k
			}
			mine := processorTime()
			progress("%s: round %d of %d, %s", w.name, round+1, o.rounds, servers[i].name)
			cpu := servers[i].processorTime()
			rate, ops, err := w.round(servers[i], round, time.Duration(o.seconds*float64(time.Second)))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", servers[i].name, err)
			}
			rates[i] = append(rates[i], rate)
			client = append(client, float64((processorTime()-mine).Nanoseconds())/1000/ops)
			costs[i] = append(costs[i], float64((servers[i].processorTime()-cpu).Microseconds())/ops)
		}
	}
	progress("")
	s := summarize(w, rates, costs)
	s.ClientCPU = median(client)
	return s, nil
}

func summarize(w *wireWork, rates, costs [][]float64) *wireSample {
	s := &wireSample{Work: w.name, Must: w.must, Aim: w.aim, OmenDB: median(rates[0]), OmenDBCPU: median(costs[0])}
	if len(rates) == 1 {
		return s
	}
	s.Postgres, s.PGCPU = median(rates[1]), median(costs[1])
	for i := range rates[0] {
		s.Rounds = append(s.Rounds, rates[0][i]/rates[1][i])
	}
	s.Ratio, s.RatioMin, s.RatioMax = median(s.Rounds), slices.Min(s.Rounds), slices.Max(s.Rounds)
	return s
}

func printWire(o *wireOptions, s *wireSample) {
	if o.json {
		_ = json.NewEncoder(os.Stdout).Encode(s)
		return
	}
	bound := func(v float64) string {
		if v == 0 {
			return ""
		}
		return fmt.Sprintf("%.1fx", v)
	}
	fmt.Printf("| %s | %.0f | %.0f | %.2fx | %.2f–%.2f | %s | %s | %.1f | %.1f | %.1f |\n", s.Work, s.OmenDB, s.Postgres, s.Ratio, s.RatioMin, s.RatioMax,
		bound(s.Must), bound(s.Aim), s.OmenDBCPU, s.PGCPU, s.ClientCPU)
}
