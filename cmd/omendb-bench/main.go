// Command omendb-bench compares OmenDB's learned index and its storage engine
// with other ordered structures and stores, in one process, in interleaved
// rounds, and its SQL with PostgreSQL's. It is a module of its own, so that the peers it measures are no
// dependency of the server; `omendb bench` starts it.
//
//	omendb-bench index --keys 10000000    structures in memory
//	omendb-bench store --rows 1000000     stores on disk
//	omendb-bench sql --pg URI             queries, beside a PostgreSQL server
//	omendb-bench tpch --pg URI --scale 1  the 22 queries of TPC-H, likewise
//	omendb-bench wire                     statements through the wire, beside PostgreSQL 15
//	omendb-bench commit                   short durable transactions, 1 to 64 connections, likewise
//	omendb-bench large                    a table larger than the cache, through COPY and psql
//
// Every figure is the median of the rounds, with the least and the greatest.
// Within a round every structure does the same work, one after the other, so
// that what else the machine does meets all of them. The sums of what look-ups
// return are compared: a structure that answers wrongly ends the run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "omendb-bench: %v\n", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: omendb-bench index|store|sql|tpch|wire|commit|large [flags]; -h after each lists them")

func run(args []string, w io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "index":
		return runIndex(args[1:], w)
	case "store":
		return runStore(args[1:], w)
	case "sql":
		return runSQL(args[1:])
	case "tpch":
		return runTPCH(args[1:])
	case "wire":
		return runWire(args[1:])
	case "commit":
		return runCommit(args[1:])
	case "large":
		return runLarge(args[1:])
	}
	return errUsage
}

// common are the flags that both benchmarks have.
type common struct {
	json   bool
	rounds int
	dir    string
	seed   uint64
}

func (c *common) register(f *flag.FlagSet) {
	f.BoolVar(&c.json, "json", false, "print JSON lines instead of tables")
	f.IntVar(&c.rounds, "rounds", 5, "interleaved rounds per figure")
	f.StringVar(&c.dir, "dir", "", "directory for files (a temporary one)")
	f.Uint64Var(&c.seed, "seed", 1, "of data and look-ups")
}

// workDir returns the directory for files and what removes it.
func (c *common) workDir() (string, func(), error) {
	dir, err := os.MkdirTemp(c.dir, "omendb-bench-")
	if err != nil {
		return "", nil, err
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil // a leftover is in a temporary directory
}
