package main

import (
	"cmp"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/omendb/omendb/engine/segment"
)

// A row on disk is 100 bytes: a key of 8, and two values of 46, one of random
// bytes that nothing can compress and one of words.
const (
	valueBytes = 46
	rowBytes   = 8 + 2*valueBytes
)

// disk is a store on disk. Keys are 8 bytes, values both values of a row
// together; what get and scan return are sums over what they read.
type disk interface {
	// load puts rows 0 to n-1 into the empty store, in key order, by the
	// fastest way that it has, and makes them durable.
	load(n int) error
	get(keys []uint64) (uint64, error)
	scan(from []uint64, n int) (uint64, error)
	// put commits a batch of rows, whether or not there are such rows already,
	// durable on return.
	put(keys []uint64) error
	close() error
}

// maker opens a store in a directory with memory for its cache.
type maker struct {
	name string
	open func(dir string, cache int64) (disk, error)
}

var makers = []maker{{"Pebble", openPebble}, {"bbolt", openBolt}, {"SQLite", openSQLite}, {"OmenDB", openOmen}, {"OmenDB, batches", nil}}

type storeOptions struct {
	common
	rows, probes, batch, batches int
	cacheMB                      int64
	stores, work, only           string
	share                        float64
	thread                       bool
	part, group                  string // of a child process
}

func runStore(args []string, w io.Writer) error {
	var o storeOptions
	f := flag.NewFlagSet("store", flag.ExitOnError)
	o.register(f)
	f.IntVar(&o.rows, "rows", 1_000_000, "rows of 100 bytes")
	f.IntVar(&o.probes, "probes", 100_000, "look-ups per store and round")
	f.IntVar(&o.batch, "batch", 100, "rows of a committed batch")
	f.IntVar(&o.batches, "batches", 300, "batches of a round")
	f.Int64Var(&o.cacheMB, "cache", 0, "cache of each store in MB; 0 holds all rows twice, and a tenth of the raw data for limited work")
	f.StringVar(&o.stores, "stores", "", "only these stores, with commas between (Pebble, bbolt, SQLite, OmenDB); what the memory of the process says is right with one")
	f.StringVar(&o.work, "work", "", "only this work, with commas between: read, mixed, limited (both with a small cache) and write; or load alone, which does it in rounds, each into a fresh directory")
	f.StringVar(&o.only, "only", "", "of the batches, only those whose description has this in it, such as \"not synced\" or \"sorted\"")
	f.BoolVar(&o.thread, "thread", false, "tell what the thread that commits batches uses of a processor; it is kept for that, which slows those down who hand over to others")
	f.Float64Var(&o.share, "cgroup", 0, "reads of each store by a process in a memory cgroup of this share of the raw data; as root, on Linux")
	f.StringVar(&o.part, "part", "", "what a child process does")
	f.StringVar(&o.group, "group", "", "the cgroup of a child process")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.part != "" {
		return storePart(&o)
	}
	r := report{json: o.json, w: w}
	if err := r.begin(); err != nil {
		return err
	}
	if o.share > 0 {
		return storeGroups(&o, r)
	}
	if o.work == "load" {
		return storeLoads(&o, r)
	}
	return storeBench(&o, r)
}

func storeBench(o *storeOptions, r report) error {
	top, remove, err := o.workDir()
	if err != nil {
		return err
	}
	defer remove()
	b := &storeRun{storeOptions: o, report: r, top: top, makers: o.makers(), data: "rows of 100 bytes", warm: o.cacheMB == 0}
	b.stores = make([]disk, len(b.makers))
	all := int64(o.rows)*rowBytes*2 + 64<<20
	if err := b.open(cmp.Or(o.cacheMB<<20, all)); err != nil {
		return err
	}
	if err := b.load(); err != nil {
		return err
	}
	if err := b.readAndMix("read", "mixed"); err != nil {
		return err
	}
	if b.warm && o.does("limited") {
		limit := int64(max(o.rows*rowBytes/limitedShare, 1<<20))
		if err := b.reopen(limit); err != nil {
			return err
		}
		b.data, b.warm = fmt.Sprintf("rows of 100 bytes, caches of %d MB", limit>>20), false
		if err := b.readAndMix("limited", "limited"); err != nil {
			return err
		}
		if o.does("write") {
			if err := b.reopen(all); err != nil {
				return err
			}
		}
	}
	if o.does("write") {
		if err := storeWrites(o, r, b.makers, b.stores); err != nil {
			return err
		}
	}
	return b.close()
}

// limitedShare is the part of the raw data that a limited cache holds. The
// kernel's own cache of files is not limited by that; -cgroup does it.
const limitedShare = 10

// does reports whether some work is measured.
func (o *storeOptions) does(work string) bool { return listed(o.work, work) }

// storeRun is a run of the benchmark over the stores that were asked for.
type storeRun struct {
	*storeOptions
	report report
	top    string
	makers []maker
	stores []disk
	data   string // of the headings
	warm   bool   // caches hold all rows
}

func (b *storeRun) dir(i int) string { return filepath.Join(b.top, b.makers[i].name) }

func (b *storeRun) open(cache int64) (err error) {
	for i, m := range b.makers {
		if m.open == nil {
			continue
		}
		if b.stores[i], err = m.open(b.dir(i), cache); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (b *storeRun) close() error {
	for i := range slices.Backward(b.stores) { // a store of batches before the one that it shares
		if err := b.stores[i].close(); err != nil {
			return fmt.Errorf("%s: %w", b.makers[i].name, err)
		}
	}
	return nil
}

// batches makes the stores that others are read through in batches.
func (b *storeRun) batches() {
	for i, m := range b.makers {
		if m.open == nil {
			b.stores[i] = b.stores[i-1].(*omenStore).batched()
		}
	}
}

// reopen has all stores begin with an empty cache of another size.
func (b *storeRun) reopen(cache int64) error {
	if err := b.close(); err != nil {
		return err
	}
	if err := b.open(cache); err != nil {
		return err
	}
	b.batches()
	return nil
}

// load loads each store once. storeLoads does it in rounds.
func (b *storeRun) load() error {
	loads := make([]sample, 0, len(b.makers))
	for i, m := range b.makers {
		if m.open == nil {
			continue
		}
		progress("%s: loading %d rows", m.name, b.rows)
		peak := watchMemory(os.Getpid())
		start, cpu := time.Now(), processorTime()
		if err := b.stores[i].load(b.rows); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		wall, used := time.Since(start), processorTime()-cpu
		ns := float64(used.Nanoseconds()) / float64(b.rows)
		memory := peak() >> 20
		s := sample{Data: b.data, Work: "bulk load (processor time)", Structure: m.name, Keys: b.rows, Median: ns, Min: ns, Max: ns,
			Note: fmt.Sprintf("wall %.0f ns, disk %.3f of raw, memory of the process %d MB", float64(wall.Nanoseconds())/float64(b.rows), float64(diskBytes(b.dir(i)))/float64(b.rows*rowBytes), memory)}
		if len(b.makers) <= 2 { // else others' memory is marked, too
			s.Note += fmt.Sprintf(", collector's mark %.2f ms", markTime().Seconds()*1000)
		}
		loads = append(loads, s)
	}
	for i := range loads {
		loads[i].Ratio = loads[0].Median / loads[i].Median
	}
	b.batches()
	return b.report.add(loads)
}

// readAndMix measures look-ups and scans, and look-ups among puts.
func (b *storeRun) readAndMix(read, mixed string) error {
	if b.does(read) {
		if err := b.reads(); err != nil {
			return err
		}
	}
	if b.does(mixed) {
		return b.mixes()
	}
	return nil
}

// makers are those of the stores that were asked for.
func (o *storeOptions) makers() (list []maker) {
	for _, m := range makers {
		name, _, _ := strings.Cut(m.name, ",")
		if o.stores == "" || slices.Contains(strings.Split(o.stores, ","), name) {
			list = append(list, m)
		}
	}
	return list
}

func (b *storeRun) reads() error {
	o, r, makers, stores := b.storeOptions, b.report, b.makers, b.stores
	rng := rand.New(rand.NewPCG(o.seed, 2))
	if b.warm { // every row was read before
		for i, s := range stores {
			progress("%s: warming up", makers[i].name)
			if _, err := s.scan([]uint64{0}, o.rows); err != nil {
				return fmt.Errorf("%s: %w", makers[i].name, err)
			}
		}
	}
	for _, work := range []string{"get", "get, zipf", "scan of 1000"} {
		count := o.probes
		if work == "scan of 1000" {
			count = max(o.probes/500, 1)
		}
		keys := make([][]uint64, o.rounds)
		for i := range keys {
			for _, at := range probes(rng, o.rows, count, work == "get, zipf") {
				keys[i] = append(keys[i], keyOf(at))
			}
		}
		var run []contender
		for i, s := range stores {
			if makers[i].open == nil && work == "scan of 1000" {
				continue
			}
			run = append(run, contender{name: makers[i].name, run: func(round int) (int, uint64, error) {
				if work == "scan of 1000" {
					sum, err := s.scan(keys[round], 1000)
					return count, sum, err
				}
				sum, err := s.get(keys[round])
				return count, sum, err
			}})
		}
		clock := processorTime // warm reads do not wait
		if !b.warm {
			clock = wallTime
		}
		var before segment.Stats
		omen := slices.IndexFunc(makers, func(m maker) bool { return m.name == "OmenDB" })
		if omen >= 0 {
			before = stores[omen].(*omenStore).stats
		}
		peak := watchMemory(os.Getpid())
		samples, err := compare(b.data, work, o.rows, o.rounds, clock, run)
		memory := peak() >> 20
		if err != nil {
			return err
		}
		if omen >= 0 && work != "scan of 1000" {
			now, gets := stores[omen].(*omenStore).stats, float64(count*o.rounds)
			samples[omen].Note = fmt.Sprintf("%.3f blocks and %.0f bytes read per get, memory of the process %d MB",
				float64(now.BlocksRead-before.BlocksRead)/gets, float64(now.BytesRead-before.BytesRead)/gets, memory)
		}
		if err := r.add(samples); err != nil {
			return err
		}
	}
	return nil
}

const keyStep = 1000

func keyOf(row int) uint64 { return uint64(row) * keyStep }

var words = []byte("the quick brown fox jumps over the lazy dog while seven wizards brew potent juice and pack my box with five dozen jugs of liquor ")

// fillRow writes the two values of the row with a key into b, which is
// 2*valueBytes long: the same for every store.
func fillRow(b []byte, key uint64) {
	r := rand.NewPCG(key, 7)
	for i := 0; i+8 <= valueBytes+2; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	copy(b[valueBytes:], words[key/keyStep%uint64(len(words)-valueBytes):])
}

// sumOf is what a store that read a row adds to its sum.
func sumOf(a, b []byte) uint64 {
	return binary.LittleEndian.Uint64(a) + uint64(b[0]) + uint64(b[len(b)-1])
}

func diskBytes(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error { // what vanishes meanwhile counts nothing
		if err == nil && !e.IsDir() {
			if i, err := e.Info(); err == nil {
				n += i.Size()
			}
		}
		return nil
	})
	return n
}
