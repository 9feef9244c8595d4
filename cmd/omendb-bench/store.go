package main

import (
	"encoding/binary"
	"flag"
	"fmt"
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

func runStore(args []string) error {
	var o storeOptions
	f := flag.NewFlagSet("store", flag.ExitOnError)
	o.register(f)
	f.IntVar(&o.rows, "rows", 1_000_000, "rows of 100 bytes")
	f.IntVar(&o.probes, "probes", 100_000, "look-ups per store and round")
	f.IntVar(&o.batch, "batch", 100, "rows of a committed batch")
	f.IntVar(&o.batches, "batches", 300, "batches of a round")
	f.Int64Var(&o.cacheMB, "cache", 0, "cache of each store in MB; 0 holds all rows twice")
	f.StringVar(&o.stores, "stores", "", "only these stores, with commas between (Pebble, bbolt, SQLite, OmenDB); what the memory of the process says is right with one")
	f.StringVar(&o.work, "work", "", "only this work: read, write or load; load does it in rounds, each into a fresh directory")
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
	r := report{json: o.json, w: os.Stdout}
	if !o.json {
		fmt.Println(machine())
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
	cache := o.cacheMB << 20
	if cache == 0 {
		cache = int64(o.rows)*rowBytes*2 + 64<<20
	}
	makers := o.makers()
	stores := make([]disk, len(makers))
	loads := make([]sample, 0, len(makers))
	for i, m := range makers {
		if m.open == nil {
			stores[i] = stores[i-1].(*omenStore).batched()
			continue
		}
		progress("%s: loading %d rows", m.name, o.rows)
		dir := filepath.Join(top, m.name)
		if stores[i], err = m.open(dir, cache); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		peak := watchMemory(os.Getpid())
		start, cpu := time.Now(), processorTime()
		if err := stores[i].load(o.rows); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		wall, used := time.Since(start), processorTime()-cpu
		ns := float64(used.Nanoseconds()) / float64(o.rows)
		memory := peak() >> 20
		s := sample{Data: "rows of 100 bytes", Work: "bulk load (processor time)", Structure: m.name, Keys: o.rows, Median: ns, Min: ns, Max: ns,
			Note: fmt.Sprintf("wall %.0f ns, disk %.3f of raw, memory of the process %d MB", float64(wall.Nanoseconds())/float64(o.rows), float64(diskBytes(dir))/float64(o.rows*rowBytes), memory)}
		if len(makers) <= 2 { // else others' memory is marked, too
			s.Note += fmt.Sprintf(", collector's mark %.2f ms", markTime().Seconds()*1000)
		}
		loads = append(loads, s)
	}
	for i := range loads {
		loads[i].Ratio = loads[0].Median / loads[i].Median
	}
	if err := r.add(loads); err != nil {
		return err
	}
	if o.work != "write" {
		if err := storeReads(o, r, makers, stores); err != nil {
			return err
		}
	}
	if o.work != "read" {
		if err := storeWrites(o, r, makers, stores); err != nil {
			return err
		}
	}
	for i, s := range stores {
		if err := s.close(); err != nil {
			return fmt.Errorf("%s: %w", makers[i].name, err)
		}
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

func storeReads(o *storeOptions, r report, makers []maker, stores []disk) error {
	rng := rand.New(rand.NewPCG(o.seed, 2))
	if o.cacheMB == 0 { // warm means that every row was read before
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
		if o.cacheMB != 0 {
			clock = wallTime
		}
		var before segment.Stats
		omen := slices.IndexFunc(makers, func(m maker) bool { return m.name == "OmenDB" })
		if omen >= 0 {
			before = stores[omen].(*omenStore).stats
		}
		peak := watchMemory(os.Getpid())
		samples, err := compare("rows of 100 bytes", work, o.rows, o.rounds, clock, run)
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
