//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// wireWork is one row of the table.
type wireWork struct {
	name      string
	number    int
	must, aim float64
	conns     int
	depth     int // steps under way per connection
	setup     []string
	prepare   []string
	steps     []request // a transaction: its steps follow each other
	copy      *copyWork
	profile   string
}

const checkSteps = 300

// check runs a fixed part of the work on one connection and returns a sum of
// everything that was answered.
func (w *wireWork) check(s *wireServer) (uint64, error) {
	if w.copy != nil {
		return w.copy.check(s)
	}
	c, err := w.dial(s, 0, 1)
	if err != nil {
		return 0, err
	}
	defer c.close()
	c.keep = true
	alone := *w
	alone.depth = 1
	_, err = alone.drive([]*wireConn{c}, 0, checkSteps*len(w.steps))
	if err == nil && c.ops == 0 {
		err = fmt.Errorf("nothing was answered")
	}
	return c.sum, err
}

// round runs the work for a while; ops is what the server did, rate per second.
func (w *wireWork) round(s *wireServer, round int, d time.Duration) (rate, ops float64, err error) {
	if w.copy != nil {
		return w.copy.round(s)
	}
	conns := make([]*wireConn, w.conns)
	for i := range conns {
		if conns[i], err = w.dial(s, i, uint64(round)+2); err != nil {
			return 0, 0, err
		}
		defer conns[i].close()
	}
	if w.profile != "" && !s.tree {
		p := exec.Command("sh", "-c", w.profile)
		p.Env = append(os.Environ(), "OMENDB_PID="+strconv.Itoa(s.pid))
		if err := p.Start(); err != nil {
			return 0, 0, err
		}
		defer p.Wait()
	}
	took, err := w.drive(conns, d, 0)
	if err != nil {
		return 0, 0, err
	}
	n := 0
	for _, c := range conns {
		n += c.ops
	}
	ops = float64(n) / float64(len(w.steps))
	return ops / took.Seconds(), ops, nil
}

// wireWorks is the table.
func wireWorks(o *wireOptions) []*wireWork {
	n := int64(o.rows)
	key := func(r *rand.Rand) int64 { return 1 + r.Int64N(n) }
	point := []string{"SELECT a, note FROM points WHERE id = $1"}
	pointStep := func(b []byte, r *rand.Rand, _ *wireConn) []byte { return appendSync(bindExecute(b, 0, key(r))) }
	batch := func(b []byte, r *rand.Rand, _ *wireConn) []byte {
		for range 64 {
			b = bindExecute(b, 0, key(r))
		}
		return appendSync(b)
	}
	list := []*wireWork{
		{name: "prepared point SELECT, 8 connections", must: 1.5, aim: 2.2, conns: 8, prepare: point, steps: []request{pointStep}},
		{name: "prepared point SELECT, 64 connections", must: 2, aim: 3, conns: 64, prepare: point, steps: []request{pointStep}},
		{name: "simple protocol point SELECT, 8 connections", must: 2, aim: 3, conns: 8, steps: []request{func(b []byte, r *rand.Rand, _ *wireConn) []byte {
			return appendQuery(b, "SELECT a, note FROM points WHERE id = "+strconv.FormatInt(key(r), 10))
		}}},
		{name: "pipelined 64 deep point SELECT, 8 connections", must: 3, aim: 6, conns: 8, depth: 64, prepare: point, steps: []request{pointStep}},
		{name: "pipelined 64 to a Sync point SELECT, 8 connections", must: 3, aim: 6, conns: 8, prepare: point, steps: []request{batch}},
		{name: "COPY in, text", must: 1.3, aim: 2.5, copy: newCopyWork(o.copyRows, false)},
		{name: "COPY in, binary", must: 1.2, aim: 2.2, copy: newCopyWork(o.copyRows, true)},
	}
	list = append(list, changingWorks(o)...)
	list = append(list, readingWorks(o)...)
	list = append(list, pgbenchWorks(o)...)
	for i, w := range list {
		w.number = i
		w.depth, w.profile = max(w.depth, 1), o.profile
	}
	return list
}

// changingWorks are single-row changes by key, durable and not.
func changingWorks(o *wireOptions) []*wireWork {
	n := int64(o.rows / 10)
	text := []string{"INSERT INTO inserts VALUES ($1, $2, $3)", "UPDATE changes SET a = a + $2 WHERE id = $1", "DELETE FROM inserts WHERE id = $1"}
	insert := func(b []byte, r *rand.Rand, c *wireConn) []byte {
		c.seq++
		return appendSync(bindExecute(b, 0, c.seq, int32(r.IntN(1000)), "a note of some thirty characters"))
	}
	update := func(b []byte, r *rand.Rand, _ *wireConn) []byte {
		return appendSync(bindExecute(b, 1, 1+r.Int64N(n), int32(r.IntN(1000))))
	}
	remove := func(b []byte, _ *rand.Rand, c *wireConn) []byte { return appendSync(bindExecute(b, 2, c.seq)) }
	var list []*wireWork
	for _, commit := range []string{"on", "off"} {
		setup := []string{"SET synchronous_commit = " + commit}
		for _, w := range []struct {
			name  string
			steps []request
		}{{"INSERT", []request{insert}}, {"UPDATE by key", []request{update}}, {"INSERT, then DELETE by key", []request{insert, remove}}} {
			list = append(list, &wireWork{name: fmt.Sprintf("%s, 8 connections, synchronous_commit %s", w.name, commit), conns: 8, setup: setup, prepare: text, steps: w.steps})
		}
		if commit == "off" {
			list = append(list, &wireWork{name: "pipelined 64 deep UPDATE by key, 8 connections, synchronous_commit off", conns: 8, depth: 64, setup: setup, prepare: text, steps: []request{update}})
		}
	}
	return list
}

// readingWorks are short reads of more than one row, or by another key.
func readingWorks(o *wireOptions) []*wireWork {
	n := int64(o.rows)
	return []*wireWork{
		{name: "prepared scan of 100 rows by key, 8 connections", conns: 8, prepare: []string{"SELECT id, a, note FROM points WHERE id BETWEEN $1 AND $2 ORDER BY id"},
			steps: []request{func(b []byte, r *rand.Rand, _ *wireConn) []byte {
				from := 1 + r.Int64N(n-100)
				return appendSync(bindExecute(b, 0, from, from+99))
			}}},
		{name: "prepared IN list of 100 keys, 8 connections", conns: 8, prepare: []string{"SELECT id, a, note FROM points WHERE id = ANY($1::bigint[]) ORDER BY id"},
			steps: []request{func(b []byte, r *rand.Rand, _ *wireConn) []byte {
				return appendSync(bindExecute(b, 0, int8Array(r, n, 100)))
			}}},
		{name: "prepared look-up by a secondary key, 8 connections", conns: 8, prepare: []string{"SELECT id, a, note FROM points WHERE code = $1"},
			steps: []request{func(b []byte, r *rand.Rand, _ *wireConn) []byte {
				return appendSync(bindExecute(b, 0, r.Int64N(n)))
			}}},
	}
}

// int8Array is a bigint[] in binary.
func int8Array(r *rand.Rand, n int64, count int) []byte {
	var b []byte
	for _, v := range []uint32{1, 0, 20, uint32(count), 1} { // dimensions, no NULLs, the type, length, lower bound
		b = binary.BigEndian.AppendUint32(b, v)
	}
	for range count {
		b = binary.BigEndian.AppendUint32(b, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(1+r.Int64N(n)))
	}
	return b
}

// pgbenchWorks are pgbench's transactions, prepared: select-only and tpcb-like.
func pgbenchWorks(o *wireOptions) []*wireWork {
	scale := max(1, o.rows/100_000)
	text := []string{"BEGIN", "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2", "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
		"UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2", "UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2",
		"INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)", "END"}
	aid := func(r *rand.Rand) int32 { return 1 + r.Int32N(int32(100_000*scale)) }
	type values struct{ aid, bid, tid, delta int32 }
	of := func(c *wireConn) values { // of the transaction: kept as its number, so that its steps agree
		r := rand.New(rand.NewPCG(uint64(c.seq), 7))
		return values{aid(r), 1 + r.Int32N(int32(scale)), 1 + r.Int32N(int32(10*scale)), r.Int32N(10001) - 5000}
	}
	steps := []request{
		func(b []byte, _ *rand.Rand, c *wireConn) []byte { c.seq++; return appendSync(bindExecute(b, 0)) },
		func(b []byte, _ *rand.Rand, c *wireConn) []byte {
			v := of(c)
			return appendSync(bindExecute(b, 1, v.delta, v.aid))
		},
		func(b []byte, _ *rand.Rand, c *wireConn) []byte { return appendSync(bindExecute(b, 2, of(c).aid)) },
		func(b []byte, _ *rand.Rand, c *wireConn) []byte {
			v := of(c)
			return appendSync(bindExecute(b, 3, v.delta, v.tid))
		},
		func(b []byte, _ *rand.Rand, c *wireConn) []byte {
			v := of(c)
			return appendSync(bindExecute(b, 4, v.delta, v.bid))
		},
		func(b []byte, _ *rand.Rand, c *wireConn) []byte {
			v := of(c)
			return appendSync(bindExecute(b, 5, v.tid, v.bid, v.aid, v.delta))
		},
		func(b []byte, _ *rand.Rand, _ *wireConn) []byte { return appendSync(bindExecute(b, 6)) },
	}
	list := []*wireWork{{name: "pgbench select-only, 8 connections", conns: 8, prepare: text,
		steps: []request{func(b []byte, r *rand.Rand, _ *wireConn) []byte { return appendSync(bindExecute(b, 2, aid(r))) }}}}
	for _, commit := range []string{"on", "off"} {
		list = append(list, &wireWork{name: "pgbench tpcb-like, 8 connections, synchronous_commit " + commit, conns: 8,
			setup: []string{"SET synchronous_commit = " + commit}, prepare: text, steps: steps})
	}
	return list
}

// copyWork loads the same rows into an empty table.
type copyWork struct {
	rows   int
	binary bool
	data   []byte
}

func newCopyWork(rows int, binary bool) *copyWork { return &copyWork{rows: rows, binary: binary} }

// payload makes the rows once.
func (w *copyWork) payload() []byte {
	if w.data != nil {
		return w.data
	}
	r := rand.New(rand.NewPCG(5, 5))
	var b []byte
	if w.binary {
		b = append(b, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	}
	for i := range w.rows {
		device, value := int32(r.IntN(1000)), float64(r.IntN(1_000_000))/1000
		at := time.Date(2024, 1, 1, 0, 0, i, r.IntN(1000)*1_000_000, time.UTC)
		note := "reading of device " + strconv.Itoa(int(device)) + " in order"
		if w.binary {
			b = appendBinaryRow(b, int64(i), device, at, value, note)
			continue
		}
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, '\t')
		b = strconv.AppendInt(b, int64(device), 10)
		b = append(b, '\t')
		b = at.AppendFormat(b, "2006-01-02 15:04:05.000+00")
		b = append(b, '\t')
		b = strconv.AppendFloat(b, value, 'f', -1, 64)
		b = append(b, '\t')
		b = append(b, note...)
		b = append(b, '\n')
	}
	if w.binary {
		b = append(b, 0xff, 0xff)
	}
	w.data = b
	return b
}

func (w *copyWork) run(s *wireServer) (time.Duration, error) {
	if err := s.exec("TRUNCATE copied"); err != nil {
		return 0, err
	}
	ctx := context.Background()
	c, took, err := copyInto(ctx, s, w)
	if err != nil {
		return 0, err
	}
	return took, c.Close(ctx)
}

func (w *copyWork) round(s *wireServer) (rate, ops float64, err error) {
	took, err := w.run(s)
	return float64(w.rows) / took.Seconds(), float64(w.rows), err
}
