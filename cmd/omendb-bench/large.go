//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What a table of 50 M rows of 100 bytes may take with a cache of 1 GB.
const (
	largeMemory = 1500 << 20 // RssAnon and RssShmem together, at any time
	largeDisk   = 1.1        // of raw data, log included
)

// runLarge loads a table that is larger than the cache through COPY into a
// server, asks for its rows through psql, and watches the server's memory
// from the first row to the last answer. The rows are those of the stores on
// disk: raw is 100 bytes a row, 8 of the key, 46 that nothing can compress
// and 46 of words.
func runLarge(args []string) error {
	var o largeOptions
	f := flag.NewFlagSet("large", flag.ExitOnError)
	o.register(f)
	f.StringVar(&o.omendb, "omendb", "./omendb", "the server's binary")
	f.StringVar(&o.psql, "psql", "psql", "the client")
	f.IntVar(&o.rows, "rows", 50_000_000, "rows of 100 bytes")
	f.IntVar(&o.probes, "probes", 10_000, "rows that are read by their key")
	f.IntVar(&o.cacheMB, "cache", 1000, "cache limit of the server in MB")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir, remove, err := o.workDir()
	if err != nil {
		return err
	}
	defer remove()
	s, stop, err := startBinary(o.omendb, dir, "--cache-mb", strconv.Itoa(o.cacheMB))
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println(machine())
	fmt.Printf("%d rows of %d bytes, cache limit %d MB\n", o.rows, rowBytes, o.cacheMB)
	fmt.Println("| what | seconds | greatest RssAnon + RssShmem, MB | answer |")
	fmt.Println("|---|---|---|---|")
	return o.measure(s, dir)
}

type largeOptions struct {
	common
	omendb, psql          string
	rows, probes, cacheMB int
	peak                  int64
}

// question is asked through psql; the rows' generator knows the answer.
type question struct{ name, sql, answer string }

func (o *largeOptions) measure(s *wireServer, dir string) error {
	if _, err := o.ask(s, "create", "CREATE TABLE large (id bigint PRIMARY KEY, noise bytea NOT NULL, words text NOT NULL)", nil); err != nil {
		return err
	}
	var sums largeSums
	rows, w := io.Pipe()
	go func() { w.CloseWithError(o.writeRows(w, &sums)) }()
	if _, err := o.ask(s, "COPY large FROM STDIN", "COPY large FROM STDIN", rows); err != nil {
		return err
	}
	for _, q := range o.questions(&sums) {
		var script io.Reader
		sql := q.sql
		if strings.Contains(sql, "\n") {
			script, sql = strings.NewReader(sql), ""
		}
		got, err := o.ask(s, q.name, sql, script)
		if err != nil {
			return err
		}
		if got != q.answer {
			return fmt.Errorf("%s: %q instead of %q", q.name, got, q.answer)
		}
	}
	if _, err := o.ask(s, "CHECKPOINT", "CHECKPOINT", nil); err != nil {
		return err
	}
	disk := float64(diskBytes(filepath.Join(dir, "omendb"))) / float64(o.rows*rowBytes)
	fmt.Printf("disk, log included: %.3f of raw; greatest memory: %d MB\n", disk, o.peak>>20)
	if disk > largeDisk || o.peak > largeMemory {
		return fmt.Errorf("more than %.1f of raw on disk, or more than %d MB in memory", largeDisk, largeMemory>>20)
	}
	return nil
}

// largeSums are what queries over all rows return.
type largeSums struct{ first, last, length int64 }

// writeRows writes the rows in COPY's text format.
func (o *largeOptions) writeRows(to io.Writer, sums *largeSums) error {
	b := bufio.NewWriterSize(to, 1<<20)
	value := make([]byte, 2*valueBytes)
	var line []byte
	for row := range o.rows {
		fillRow(value, keyOf(row))
		line = strconv.AppendUint(line[:0], keyOf(row), 10)
		line = append(line, "\t\\\\x"...)
		line = hex.AppendEncode(line, value[:valueBytes])
		line = append(line, '\t')
		line = append(append(line, value[valueBytes:]...), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
		sums.first += int64(value[0])
		sums.last += int64(value[valueBytes-1])
		sums.length += valueBytes
	}
	return b.Flush()
}

func (o *largeOptions) questions(sums *largeSums) []question {
	n := o.rows
	last := keyOf(n - 1)
	list := []question{
		{"count of all", "SELECT count(*) FROM large", strconv.Itoa(n)},
		{"sums over all rows", "SELECT sum(get_byte(noise, 0)), sum(get_byte(noise, 45)), sum(length(words)) FROM large",
			fmt.Sprintf("%d|%d|%d", sums.first, sums.last, sums.length)},
		{"groups over all rows", "SELECT count(*), min(c), max(c) FROM (SELECT id / 1000 % 10 AS g, count(*) AS c FROM large GROUP BY 1) t",
			fmt.Sprintf("10|%d|%d", n/10, (n+9)/10)},
		{"last ten", "SELECT min(id), max(id) FROM (SELECT id FROM large ORDER BY id DESC LIMIT 10) t", fmt.Sprintf("%d|%d", keyOf(n-10), last)},
		{"a tenth by a range of keys", fmt.Sprintf("SELECT count(words), min(id) FROM large WHERE id >= %d AND id < %d", keyOf(n/2), keyOf(n/2+n/10)),
			fmt.Sprintf("%d|%d", n/10, keyOf(n/2))},
	}
	var script, answer strings.Builder
	rng := rand.New(rand.NewPCG(o.seed, 3))
	value := make([]byte, 2*valueBytes)
	for range o.probes {
		key := keyOf(rng.IntN(n))
		fillRow(value, key)
		fmt.Fprintf(&script, "SELECT encode(noise, 'hex') FROM large WHERE id = %d;\n", key)
		fmt.Fprintf(&answer, "%x\n", value[:valueBytes])
	}
	return append(list, question{fmt.Sprintf("%d rows by key, one statement each", o.probes), script.String(), strings.TrimSpace(answer.String())})
}

// ask runs psql with a statement, or what it reads from a script, and prints a line of the table.
func (o *largeOptions) ask(s *wireServer, name, sql string, in io.Reader) (string, error) {
	progress("%s", name)
	args := []string{"-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", s.uri}
	if sql != "" {
		args = append(args, "-c", sql)
	}
	c := exec.Command(o.psql, args...)
	var out, problem bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = in, &out, &problem
	stop := watchMemory(s.pid)
	start := time.Now()
	err := c.Run()
	took, peak := time.Since(start), stop()
	if o.peak = max(o.peak, peak); peak == 0 {
		err = errors.Join(err, errors.New("the server has no /proc entry: has it ended?"))
	}
	progress("")
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, problem.Bytes())
	}
	answer := strings.TrimSpace(out.String())
	shown := answer
	if len(shown) > 60 {
		shown = fmt.Sprintf("%d bytes", len(shown))
	}
	fmt.Printf("| %s | %.1f | %d | %s |\n", name, took.Seconds(), peak>>20, strings.ReplaceAll(shown, "|", ", "))
	_ = os.Stdout.Sync() // a pipe cannot be
	return answer, nil
}
