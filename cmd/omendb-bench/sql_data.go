package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
)

// The tables of the benchmark: facts with a growing key and a growing time, as
// measurements have them, the devices that they come from, and as many readings.
const sqlSchema = `
CREATE TABLE device (id int PRIMARY KEY, kind text NOT NULL, site int NOT NULL);
CREATE TABLE fact (id bigint PRIMARY KEY, ts timestamp NOT NULL, device int NOT NULL, customer int NOT NULL, region text NOT NULL,
	qty int NOT NULL, price float8 NOT NULL, amount numeric(12,2) NOT NULL, note text);
CREATE TABLE reading (id bigint PRIMARY KEY, fact bigint NOT NULL, value float8 NOT NULL);
CREATE INDEX fact_ts ON fact (ts);`

const (
	devices   = 1000
	customers = 100000
)

var (
	regions   = strings.Fields("north south east west centre coast hills islands")
	noteWords = strings.Fields("slow quick green heavy light broken new old late early round square warm cold loud quiet")
)

// loadSQL makes the tables on one server.
func loadSQL(ctx context.Context, d *database, schema string, rows int, seed uint64) error {
	if err := d.exec(ctx, "CREATE SCHEMA "+schema); err != nil {
		return err
	}
	if err := d.exec(ctx, "SET search_path = "+schema); err != nil {
		return err
	}
	if err := d.exec(ctx, sqlSchema); err != nil {
		return err
	}
	for _, t := range []struct {
		name string
		line func(w *bufio.Writer, r *rand.Rand, i int)
		rows int
	}{{"device", deviceLine, devices}, {"fact", factLine, rows}, {"reading", readingLine(rows), rows}} {
		progress("%s: load %s", d.name, t.name)
		err := d.copyIn(ctx, t.name, func(w io.Writer) error {
			r := rand.New(rand.NewPCG(seed, uint64(len(t.name))))
			b := bufio.NewWriterSize(w, 1<<16)
			for i := range t.rows {
				t.line(b, r, i)
			}
			return b.Flush()
		})
		if err != nil {
			return err
		}
	}
	progress("%s: vacuum", d.name)
	for _, sql := range []string{"VACUUM FULL", "VACUUM ANALYZE"} {
		if err := d.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func deviceLine(w *bufio.Writer, _ *rand.Rand, i int) {
	fmt.Fprintf(w, "%d\tkind%d\t%d\n", i, i%7, i%40)
}

func factLine(w *bufio.Writer, r *rand.Rand, i int) {
	second := i * 7 // a row every seven seconds: 81 days in a million
	day := second / 86400
	fmt.Fprintf(w, "%d\t2024-%02d-%02d %02d:%02d:%02d\t%d\t%d\t%s\t%d\t%.4f\t%d.%02d\t", i, 1+day/28%12, 1+day%28,
		second/3600%24, second/60%60, second%60, r.IntN(devices), r.IntN(customers), regions[r.IntN(len(regions))],
		r.IntN(100), r.Float64()*1000, r.IntN(10000), r.IntN(100))
	if r.IntN(50) == 0 {
		w.WriteString("\\N\n")
		return
	}
	for k := range 3 + r.IntN(4) {
		if k > 0 {
			w.WriteByte(' ')
		}
		w.WriteString(noteWords[r.IntN(len(noteWords))])
	}
	if r.IntN(1000) == 0 {
		w.WriteString(" needle in it")
	}
	w.WriteByte('\n')
}

// readingLine refers to facts in an order of its own.
func readingLine(rows int) func(w *bufio.Writer, r *rand.Rand, i int) {
	return func(w *bufio.Writer, r *rand.Rand, i int) {
		fmt.Fprintf(w, "%d\t%d\t%.3f\n", i, r.IntN(rows), r.Float64()*100)
	}
}

// sqlQueries are the rows of the table in docs/performance.md.
var sqlQueries = []sqlQuery{
	{name: "count", sql: "SELECT count(*) FROM fact", must: 4, aim: 20, dirtyMust: 2},
	{name: "filter, int and float", sql: "SELECT count(*) FROM fact WHERE qty > 90 AND price < 500", must: 4, aim: 20, dirtyMust: 2},
	{name: "filter, text", sql: "SELECT count(*) FROM fact WHERE region = 'coast'", must: 4, aim: 20, dirtyMust: 2},
	{name: "sum avg min max, int", sql: "SELECT sum(qty), avg(qty), min(qty), max(qty) FROM fact", must: 4, aim: 20, dirtyMust: 2},
	{name: "sum avg min max, float", sql: "SELECT sum(price), avg(price), min(price), max(price) FROM fact", must: 4, aim: 20, dirtyMust: 2},
	{name: "sum avg min max, numeric", sql: "SELECT sum(amount), avg(amount), min(amount), max(amount) FROM fact", must: 4, aim: 20, dirtyMust: 2},
	{name: "filtered sum", sql: "SELECT sum(amount), avg(price) FROM fact WHERE qty BETWEEN 10 AND 19 AND region <> 'coast'", must: 4, aim: 20, dirtyMust: 2},
	{name: "group by few, text", sql: "SELECT region, count(*), sum(qty), avg(price), sum(amount) FROM fact GROUP BY region ORDER BY region", must: 3, aim: 12},
	{name: "group by few, int", sql: "SELECT qty, count(*), avg(price) FROM fact GROUP BY qty ORDER BY qty", must: 3, aim: 12},
	{name: "group by many", sql: "SELECT customer, count(*), sum(qty) FROM fact GROUP BY customer ORDER BY 3 DESC, 1 LIMIT 10", must: 3, aim: 12},
	{name: "group by many, two keys", sql: "SELECT customer, region, max(price) FROM fact GROUP BY customer, region ORDER BY 3 DESC, 1, 2 LIMIT 10", must: 3, aim: 12},
	{name: "top-N", sql: "SELECT id, price, note FROM fact ORDER BY price DESC, id LIMIT 20", must: 3, aim: 12},
	{name: "top-N, filtered", sql: "SELECT id, amount FROM fact WHERE region = 'hills' ORDER BY amount DESC, id LIMIT 100", must: 3, aim: 12},
	{name: "small join", sql: "SELECT d.kind, count(*), sum(f.qty) FROM fact f JOIN device d ON d.id = f.device GROUP BY d.kind ORDER BY 1", must: 3, aim: 12},
	{name: "small join, filtered", sql: "SELECT count(*), sum(f.price) FROM fact f JOIN device d ON d.id = f.device WHERE d.site = 7", must: 3, aim: 12},
	{name: "LIKE scan", sql: "SELECT count(*) FROM fact WHERE note LIKE '%needle%'", must: 3, aim: 12},
	{name: "LIKE scan, two parts", sql: "SELECT count(*) FROM fact WHERE note LIKE 'slow%cold%'", must: 3, aim: 12},
	{name: "large join", sql: "SELECT count(*), sum(f.qty), max(r.value) FROM fact f JOIN reading r ON r.fact = f.id", must: 2, aim: 8},
	{name: "large join, filtered", sql: "SELECT f.region, count(*), avg(r.value) FROM fact f JOIN reading r ON r.fact = f.id WHERE f.qty < 50 GROUP BY 1 ORDER BY 1", must: 2, aim: 8},
	{name: "distinct", sql: "SELECT count(*) FROM (SELECT DISTINCT customer, qty FROM fact) x", must: 1.5, aim: 4},
	{name: "count distinct", sql: "SELECT count(DISTINCT customer) FROM fact", must: 1.5, aim: 4},
	{name: "window, row_number", sql: "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY device ORDER BY ts) AS n FROM fact) x WHERE n <= 3", must: 1.5, aim: 4},
	{name: "window, running sum", sql: "SELECT max(s), min(s) FROM (SELECT sum(qty) OVER (PARTITION BY customer ORDER BY id) AS s FROM fact) x", must: 1.5, aim: 4},
	{name: "time buckets, a day", sql: "SELECT date_trunc('hour', ts) AS h, count(*), avg(price), max(qty) FROM fact WHERE ts >= '2024-02-03' AND ts < '2024-02-04' GROUP BY h ORDER BY h", must: 3, aim: 10},
	{name: "time buckets, a month", sql: "SELECT date_trunc('hour', ts) AS h, count(*), avg(price), max(qty) FROM fact WHERE ts >= '2024-02-01' AND ts < '2024-03-01' GROUP BY h ORDER BY h", must: 3, aim: 10},
	{name: "time buckets, all", sql: "SELECT date_bin('15 minutes', ts, '2024-01-01') AS q, count(*), sum(price) FROM fact GROUP BY q ORDER BY q", must: 3, aim: 10},
}
