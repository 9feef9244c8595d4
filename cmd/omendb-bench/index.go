package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

type indexOptions struct {
	common
	sizes           string
	probes, inserts int
	data, work      string
	structures      string
}

// scanRows is the length of a range scan.
const scanRows = 10000

func runIndex(args []string, w io.Writer) error {
	var o indexOptions
	f := flag.NewFlagSet("index", flag.ExitOnError)
	o.register(f)
	f.StringVar(&o.sizes, "keys", "10000000", "keys per data set; several sizes with commas between")
	f.IntVar(&o.probes, "probes", 200_000, "look-ups per structure and round")
	f.IntVar(&o.inserts, "inserts", 1_000_000, "rows of the insert benchmarks")
	f.StringVar(&o.data, "data", "", "only these data sets, with commas between (dense, timeseries, uniform, lognormal, zipfgaps, osm, uuid, url)")
	f.StringVar(&o.work, "work", "", "only this work: read (or one of hit, miss, zipf, scan) or insert (or one of insert in order, insert at random, mixed 95:5)")
	f.StringVar(&o.structures, "structures", "", "only these structures beside tidwall/btree, with commas between (google/btree, Go map, binary search, static 16-ary tree, learned, engine, memtable)")
	if err := f.Parse(args); err != nil {
		return err
	}
	r := report{json: o.json, w: w}
	if err := r.begin(); err != nil {
		return err
	}
	for size := range strings.SplitSeq(o.sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of keys", size)
		}
		if err := o.bench(r, n); err != nil {
			return err
		}
	}
	return nil
}

// bench measures all data sets of one size.
func (o *indexOptions) bench(r report, n int) error {
	for _, d := range datasets {
		if !o.wants(d.name) {
			continue
		}
		progress("%s: making %d keys", d.name, n)
		list := d.make(rand.New(rand.NewPCG(o.seed, 1)), n)
		misses := func(at int) uint64 { return list[at] + 1 }
		if err := indexBench(o, r, d.name, list, numberReaders, misses); err != nil {
			return err
		}
	}
	for _, d := range texts {
		if !o.wants(d.name) {
			continue
		}
		progress("%s: making %d keys", d.name, n)
		list := d.make(rand.New(rand.NewPCG(o.seed, 1)), n)
		misses := func(at int) string { return list[at] + "~" }
		if err := indexBench(o, r, d.name, list, textReaders, misses); err != nil {
			return err
		}
	}
	return nil
}

func (o *indexOptions) wants(data string) bool { return listed(o.data, data) }

// builds reports whether a structure takes part; tidwall/btree always does.
func (o *indexOptions) builds(structure string) bool { return listed(o.structures, structure) }

// insertWork is what is measured with inserts.
var insertWork = []string{"insert in order", "insert at random", "mixed 95:5"}

// onlyInserts reports whether no work but inserts is measured.
func (o *indexOptions) onlyInserts() bool {
	return o.work == "insert" || slices.ContainsFunc(insertWork, func(w string) bool { return listed(o.work, w) }) && o.work != ""
}

// reads reports whether look-ups of some work are measured.
func (o *indexOptions) reads(work string) bool {
	return listed(o.work, work) || o.work == "read"
}

// listed reports whether a comma-separated list is empty or has an entry.
func listed(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// named is a structure under look-ups.
type named[K cmp.Ordered] struct {
	name   string
	reader reader[K]
	build  time.Duration // 0 of one that shares another's
	heap   uint64        // what building it has added
}

// bytesPerKey is the memory of the model, and of everything that a look-up
// needs besides keys and values.
func (n *named[K]) bytesPerKey(keys int) (model, index float64) {
	if s, ok := n.reader.(sized); ok {
		return s.bytesPerKey()
	}
	return 0, float64(n.heap)/float64(keys) - float64(unsafe.Sizeof(row[K]{}))
}

// rowsOf yields the rows of a data set.
func rowsOf[K cmp.Ordered](list []K) iter.Seq[row[K]] {
	return func(yield func(row[K]) bool) {
		for i, k := range list {
			if !yield(row[K]{key: k, a: int64(i), b: int64(i % 1000)}) {
				return
			}
		}
	}
}

type building[K cmp.Ordered] func(o *indexOptions, list []K) ([]named[K], func(), error)

func indexBench[K cmp.Ordered](o *indexOptions, r report, data string, list []K, build building[K], miss func(int) K) error {
	if !o.onlyInserts() { // else nothing of what readBench builds is wanted
		if err := readBench(o, r, data, list, build, miss); err != nil {
			return err
		}
		runtime.GC()
	}
	if o.work == "" || o.onlyInserts() {
		return insertBench(o, r, data, list[:min(len(list), o.inserts)])
	}
	return nil
}

func readBench[K cmp.Ordered](o *indexOptions, r report, data string, list []K, build building[K], miss func(int) K) error {
	all, done, err := build(o, list)
	if err != nil {
		return err
	}
	defer done()
	runtime.GC()
	rng := rand.New(rand.NewPCG(o.seed, 2))
	for _, work := range []string{"hit", "miss", "zipf", "scan"} {
		if !o.reads(work) {
			continue
		}
		count := o.probes
		if work == "scan" {
			count = max(o.probes/200, 1)
		}
		rounds := make([][]K, o.rounds)
		for i := range rounds {
			for _, at := range probes(rng, len(list), count, work == "zipf") {
				k := list[at]
				if work == "miss" {
					if k = miss(at); at+1 < len(list) && k == list[at+1] {
						k = list[at]
					}
				}
				rounds[i] = append(rounds[i], k)
			}
		}
		var run []contender
		for _, n := range all {
			if _, isMap := n.reader.(*goMap[K]); work == "scan" && (isMap || strings.Contains(n.name, "batches")) {
				continue // a map has no order, and a scan no batches of keys
			}
			run = append(run, contender{name: n.name, run: func(round int) (int, uint64, error) {
				if work == "scan" {
					sum, err := n.reader.scan(rounds[round], scanRows)
					return count, sum, err
				}
				sum, err := n.reader.find(rounds[round])
				return count, sum, err
			}})
		}
		samples, err := compare(data, work, len(list), o.rounds, processorTime, run)
		if err != nil {
			return err
		}
		for i := range samples {
			k := slices.IndexFunc(all, func(n named[K]) bool { return n.name == samples[i].Structure })
			samples[i].Model, samples[i].Bytes = all[k].bytesPerKey(len(list))
			samples[i].Build = float64(all[k].build.Nanoseconds()) / float64(len(list))
		}
		if err := r.add(samples); err != nil {
			return err
		}
	}
	return nil
}

// timed adds a structure that takes part, and how long it took to build.
func timed[K cmp.Ordered](o *indexOptions, list *[]named[K], name string, make func() reader[K]) {
	if len(*list) > 0 && !o.builds(name) {
		return
	}
	progress("building %s", name)
	before := heapBytes()
	start := time.Now()
	r := make()
	took := time.Since(start)
	*list = append(*list, named[K]{name, r, took, max(heapBytes(), before) - before})
}

// heapBytes is what is in use of the heap.
func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func numberReaders(o *indexOptions, list []uint64) ([]named[uint64], func(), error) {
	keys, release := hugeSlice[uint64](len(list))
	copy(keys, list)
	all, done, err := readers(o, keys, learnedNumbers)
	if err != nil {
		release()
		return nil, nil, err
	}
	return all, func() { done(); release() }, nil
}

func textReaders(o *indexOptions, list []string) ([]named[string], func(), error) {
	return readers(o, list, learnedTexts)
}

func readers[K cmp.Ordered](o *indexOptions, list []K, learn func([]K, [][2]int64) (array[K], *batched[K])) (all []named[K], done func(), err error) {
	values, release := hugeSlice[[2]int64](len(list))
	i := 0
	for r := range rowsOf(list) {
		values[i] = [2]int64{r.a, r.b}
		i++
	}
	timed(o, &all, "tidwall/btree", func() reader[K] { return newTidwall(rowsOf(list)) })
	timed(o, &all, "google/btree", func() reader[K] { return newGoogle(rowsOf(list)) })
	timed(o, &all, "Go map", func() reader[K] { return newGoMap(rowsOf(list)) })
	timed(o, &all, "binary search", func() reader[K] {
		return &array[K]{keys: list, values: values, search: binarySearch(list)}
	})
	timed(o, &all, "static 16-ary tree", func() reader[K] {
		search, size := staticTree(list)
		return &array[K]{keys: list, values: values, search: search, index: size}
	})
	var batches *batched[K]
	timed(o, &all, "learned", func() reader[K] {
		var one array[K]
		one, batches = learn(list, values)
		return &one
	})
	if batches != nil {
		all = append(all, named[K]{name: "learned, batches", reader: batches})
	}
	all, stop, err := withEngine(o, list, all)
	if err != nil {
		release()
		return nil, nil, err
	}
	return all, func() { stop(); release() }, nil
}

// withEngine adds the engine and the memtable.
func withEngine[K cmp.Ordered](o *indexOptions, list []K, all []named[K]) ([]named[K], func(), error) {
	timed(o, &all, "memtable", func() reader[K] { return newMemory(rowsOf(list)) })
	if !o.builds("engine") {
		return all, func() {}, nil
	}
	dir, remove, err := o.workDir()
	if err != nil {
		return nil, nil, err
	}
	db, err := openEngine(dir, int64(len(list))*100+64<<20)
	if err != nil {
		remove()
		return nil, nil, err
	}
	progress("building engine")
	start := time.Now()
	s, err := newStore(db, rowsOf(list))
	if err != nil {
		return nil, nil, err
	}
	b := s.batched()
	all = append(all, named[K]{name: "engine.Get", reader: s, build: time.Since(start)}, named[K]{name: "engine.GetBatch, batches", reader: b})
	if _, err := s.scan(list[:1], len(list)); err != nil { // warms the cache
		return nil, nil, err
	}
	return all, func() {
		s.close()
		b.close()
		_ = db.Close() // the directory goes anyway
		remove()
	}, nil
}

// insertBench inserts in order, at random, and 5 rows in 100 among look-ups.
func insertBench[K cmp.Ordered](o *indexOptions, r report, data string, list []K) error {
	shuffled := slices.Clone(list)
	rand.New(rand.NewPCG(o.seed, 3)).Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	structures := []struct {
		name string
		make func() writer[K]
	}{
		{"tidwall/btree", func() writer[K] { return newTidwall(func(func(row[K]) bool) {}) }},
		{"google/btree", func() writer[K] { return newGoogle(func(func(row[K]) bool) {}) }},
		{"Go map", func() writer[K] { return newGoMap(func(func(row[K]) bool) {}) }},
		{"memtable", func() writer[K] { return newMemory[K](nil) }},
	}
	for _, work := range insertWork {
		if o.work != "insert" && !listed(o.work, work) {
			continue
		}
		keys := shuffled
		if work == "insert in order" {
			keys = list
		}
		keys = arriving(keys)
		var run []contender
		for i, s := range structures {
			if i > 0 && !o.builds(s.name) {
				continue
			}
			run = append(run, contender{name: s.name, run: func(int) (int, uint64, error) {
				w := s.make()
				if work == "mixed 95:5" {
					return mixed(w, keys)
				}
				for _, k := range keys {
					w.insert(k)
				}
				return len(keys), 0, nil
			}})
		}
		samples, err := compare(data, work, len(list), o.rounds, processorTime, run)
		if err != nil {
			return err
		}
		if err := r.add(samples); err != nil {
			return err
		}
	}
	return nil
}

// arriving returns keys that lie in memory in the order in which they come, as
// they do when a client has just sent them: else what is measured of every
// structure is the fetch of a cold key.
func arriving[K cmp.Ordered](keys []K) []K {
	keys = slices.Clone(keys)
	for i := range keys {
		if s, ok := any(&keys[i]).(*string); ok {
			*s = strings.Clone(*s)
		}
	}
	return keys
}

// mixed does 19 look-ups for every insert in a structure that holds half of
// the keys. The load of that half is part of the time; it is the smaller part.
func mixed[K cmp.Ordered](w writer[K], keys []K) (ops int, sum uint64, err error) {
	half := len(keys) / 2
	for _, k := range keys[:half] {
		w.insert(k)
	}
	for i, k := range keys[half:] {
		w.insert(k)
		at := (i * 7919) % max(half-19, 1)
		s, err := w.find(keys[at:min(at+19, half)])
		if err != nil {
			return 0, 0, err
		}
		sum += s
	}
	return half + 20*(len(keys)-half), sum, nil
}
