package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// sqlQuery is one row of the table.
type sqlQuery struct {
	name      string
	sql       string
	must, aim float64 // as multiples of PostgreSQL's speed; 0 is none
	dirtyMust float64 // with a tenth of the rows updated; 0 is must
	unordered bool    // rows may come in any order
}

// figure is what came out.
type figure struct {
	Query    string  `json:"query"`
	State    string  `json:"state"`
	Pg       float64 `json:"postgresql_ms"` // median
	Omen     float64 `json:"omendb_ms"`     // median
	Ratio    float64 `json:"ratio"`         // median of the rounds' ratios: above 1, OmenDB is faster
	Min      float64 `json:"min"`           // the rounds' least ratio
	Max      float64 `json:"max"`
	Must     float64 `json:"must,omitempty"`
	Aim      float64 `json:"aim,omitempty"`
	Rows     int     `json:"rows"`
	Differs  string  `json:"differs,omitempty"`
	rounds   int
	pgTimes  []float64
	ourTimes []float64
}

// ask runs a query and returns its rows as text and the time to their last.
func (d *database) ask(ctx context.Context, sql string) ([][]string, float64, error) {
	start := time.Now()
	res, err := d.conn.Exec(ctx, sql).ReadAll()
	took := float64(time.Since(start).Nanoseconds()) / 1e6
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w\n%s", d.name, err, sql)
	}
	return textRows(res[len(res)-1]), took, nil
}

func textRows(r *pgconn.Result) [][]string {
	out := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		out[i] = make([]string, len(row))
		for k, v := range row {
			if v == nil {
				out[i][k] = "\x00NULL"
			} else {
				out[i][k] = string(v)
			}
		}
	}
	return out
}

// measure asks both servers in alternating rounds after one that warms up and compares.
func (s *servers) measure(ctx context.Context, q sqlQuery, state string, rounds int) (*figure, error) {
	f := &figure{Query: q.name, State: state, Must: q.must, Aim: q.aim, rounds: rounds}
	want, _, err := s.pg.ask(ctx, q.sql)
	if err != nil {
		return nil, err
	}
	got, _, err := s.omen.ask(ctx, q.sql)
	if err != nil {
		return nil, err
	}
	f.Rows, f.Differs = len(want), difference(want, got, q.unordered)
	var ratios []float64
	for round := range rounds {
		progress("%s %s: round %d of %d", state, q.name, round+1, rounds)
		var took [2]float64
		for k := range 2 {
			i := (k + round) % 2
			if _, took[i], err = s.each()[i].ask(ctx, q.sql); err != nil {
				return nil, err
			}
		}
		f.pgTimes, f.ourTimes = append(f.pgTimes, took[0]), append(f.ourTimes, took[1])
		ratios = append(ratios, took[0]/took[1])
	}
	progress("")
	slices.Sort(ratios)
	f.Ratio, f.Min, f.Max = ratios[rounds/2], ratios[0], ratios[rounds-1]
	f.Pg, f.Omen = median(f.pgTimes), median(f.ourTimes)
	return f, nil
}

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}

// closeEnough is how far two floats may be apart: sums of floats depend on the
// order of the rows, which PostgreSQL's parallel plans do not fix either.
const closeEnough = 1e-9

// difference returns "" when both answers are the same, up to the last digits
// of floats, else where they part.
func difference(want, got [][]string, unordered bool) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows, PostgreSQL has %d", len(got), len(want))
	}
	if unordered {
		slices.SortFunc(want, slices.Compare)
		slices.SortFunc(got, slices.Compare)
	}
	for i := range want {
		for k := range want[i] {
			if !sameValue(want[i][k], got[i][k]) {
				return fmt.Sprintf("row %d: %q, PostgreSQL has %q", i+1, got[i], want[i])
			}
		}
	}
	return ""
}

func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a, ".e") {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && math.Abs(x-y) <= closeEnough*math.Max(math.Abs(x), math.Abs(y))
}

// choose keeps the queries whose names match a pattern.
func choose(list []sqlQuery, pattern string) ([]sqlQuery, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(list), func(q sqlQuery) bool { return !re.MatchString(q.name) }), nil
}

// printFigures prints a table or JSON lines and returns how many musts were missed.
func printFigures(w io.Writer, asJSON bool, title string, list []*figure) (missed int, err error) {
	for _, f := range list {
		if f.Ratio < f.Must || f.Differs != "" {
			missed++
		}
	}
	if asJSON {
		e := json.NewEncoder(w)
		for _, f := range list {
			if err := e.Encode(f); err != nil {
				return missed, err
			}
		}
		return missed, nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\n%s\t\tPostgreSQL ms\tOmenDB ms\tratio\tmin\tmax\tmust\taim\trows\t\n", title)
	for _, f := range list {
		note := ""
		switch {
		case f.Differs != "":
			note = "DIFFERS: " + f.Differs
		case f.Ratio < f.Must:
			note = "below"
		case f.Ratio >= f.Aim && f.Aim > 0:
			note = "aim"
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t%g\t%g\t%d\t%s\n", f.Query, f.State, f.Pg, f.Omen, f.Ratio, f.Min, f.Max, f.Must, f.Aim, f.Rows, note)
	}
	return missed, t.Flush()
}

// geometricMean returns that of the ratios.
func geometricMean(list []*figure) float64 {
	sum := 0.0
	for _, f := range list {
		sum += math.Log(f.Ratio)
	}
	return math.Exp(sum / float64(len(list)))
}
