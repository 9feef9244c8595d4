package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// measured runs the program with --json and returns its samples by data, work and structure.
func measured(t *testing.T, args ...string) map[[3]string][]sample {
	t.Helper()
	var out bytes.Buffer
	if err := run(append(args, "-json", "-dir", t.TempDir()), &out); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&out)
	var h heading
	if err := d.Decode(&h); err != nil || h.Machine == "" || len(h.Command) == 0 {
		t.Fatalf("heading %+v: %v", h, err)
	}
	all := map[[3]string][]sample{}
	for {
		var s sample
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if s.Median <= 0 || s.Min > s.Median || s.Max < s.Median || s.Ratio <= 0 {
			t.Errorf("%+v", s)
		}
		at := [3]string{s.Data, s.Work, s.Structure}
		all[at] = append(all[at], s)
	}
}

// TestIndex: every data set is measured in both sizes with every structure that can do the work.
func TestIndex(t *testing.T) {
	all := measured(t, "index", "-keys", "3000,200", "-rounds", "2", "-probes", "2500", "-inserts", "2000")
	trees := []string{"tidwall/btree", "google/btree"}
	look := append(slices.Clone(trees), "Go map", "binary search", "static 16-ary tree", "learned", "learned, batches", "memtable", "engine.Get", "engine.GetBatch, batches")
	scan := append(slices.Clone(trees), "binary search", "static 16-ary tree", "learned", "memtable", "engine.Get")
	insert := append(slices.Clone(trees), "Go map", "memtable")
	count := 0
	for _, data := range []string{"dense", "timeseries", "uniform", "lognormal", "zipfgaps", "osm", "uuid", "url"} {
		for work, structures := range map[string][]string{"hit": look, "miss": look, "zipf": look, "scan": scan, "insert in order": insert, "insert at random": insert, "mixed 95:5": insert} {
			for _, s := range structures {
				list := all[[3]string{data, work, s}]
				if len(list) != 2 || list[0].Keys <= list[1].Keys {
					t.Errorf("%s, %s, %s: %d samples", data, work, s, len(list))
					continue
				}
				count++
				if work == "hit" && s != "binary search" && list[0].Bytes <= 0 {
					t.Errorf("%s, %s: nothing is known of the bytes of the index", data, s)
				}
				if work == "hit" && !strings.Contains(s, "batches") && list[0].Build <= 0 {
					t.Errorf("%s, %s: nothing is known of the time to build it", data, s)
				}
			}
		}
	}
	if count != len(all) {
		t.Errorf("%d kinds of samples, %d expected", len(all), count)
	}
	if s := all[[3]string{"dense", "hit", "learned"}][0]; s.Model <= 0 || s.Model > 0.25 || s.Bytes != s.Model {
		t.Errorf("a model of dense keys: %+v", s)
	}
}

// TestStore: loads, look-ups, scans, mixes and batches, with caches that hold all rows and with limited ones.
func TestStore(t *testing.T) {
	all := measured(t, "store", "-rows", "3000", "-rounds", "2", "-probes", "600", "-batch", "10", "-batches", "3")
	stores := []string{"Pebble", "bbolt", "SQLite", "OmenDB"}
	fast := []string{"Pebble", "OmenDB"}
	want := map[string][]string{"bulk load (processor time)": stores, "durable batches of 10, random keys": append(stores, "OmenDB, looking for duplicates"),
		"durable batches of 10, sorted keys": append(stores, "OmenDB, looking for duplicates"), "not synced batches of 10, random keys": fast, "not synced batches of 10, sorted keys": fast}
	reads := map[string][]string{"get": append(stores, "OmenDB, batches"), "get, zipf": append(stores, "OmenDB, batches"), "scan of 1000": stores,
		mixedWork: append(stores, "OmenDB, batches"), mixedWork + ", not synced": append(fast, "OmenDB, batches")}
	count := 0
	look := func(data string, want map[string][]string) {
		for work, list := range want {
			for _, s := range list {
				if count++; len(all[[3]string{data, work, s}]) != 1 {
					t.Errorf("%s, %s: %s is missing", data, work, s)
				}
			}
		}
	}
	look("rows of 100 bytes", want)
	look("rows of 100 bytes", reads)
	look("rows of 100 bytes, caches of 1 MB", reads)
	if count != len(all) {
		t.Errorf("%d samples, %d expected", len(all), count)
	}
	if list := measured(t, "store", "-rows", "2000", "-rounds", "2", "-work", "load", "-stores", "Pebble,OmenDB"); len(list) != 2 {
		t.Errorf("loads in rounds: %v", list)
	}
}

// TestTable: a table has the columns of which something is known.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	r := report{w: &out}
	if err := r.add([]sample{{Data: "d", Work: "w", Structure: "a", Median: 2, Min: 1, Max: 3, Ratio: 1, Bytes: 0.25}, {Structure: "b", Note: "a note"}}); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, "index B/key") || strings.Contains(s, "model B/key") || !strings.Contains(s, "0.250") || !strings.Contains(s, "a note") {
		t.Error(s)
	}
	if err := r.begin(); err != nil || !strings.Contains(out.String(), "commit ") {
		t.Error(out.String(), err)
	}
}

// TestCompare: medians with least and greatest, in alternating order, and the end of a run in which answers differ.
func TestCompare(t *testing.T) {
	var now time.Duration
	var order []string
	step := func(name string, took ...time.Duration) contender {
		return contender{name: name, run: func(round int) (int, uint64, error) {
			order = append(order, name)
			now += took[round]
			return 10, 7, nil
		}}
	}
	list, err := compare("d", "w", 5, 3, func() time.Duration { return now }, []contender{step("a", 100, 300, 200), step("b", 10, 20, 60)})
	if err != nil || strings.Join(order, "") != "abbaab" {
		t.Fatalf("%v in the order %v", err, order)
	}
	if a, b := list[0], list[1]; a.Median != 20 || a.Min != 10 || a.Max != 30 || b.Median != 2 || b.Ratio != 10 {
		t.Errorf("%+v", list)
	}
	wrong := contender{name: "wrong", run: func(int) (int, uint64, error) { return 10, 8, nil }}
	if _, err := compare("d", "w", 5, 1, wallTime, []contender{step("a", 1), wrong}); err == nil || !strings.Contains(err.Error(), "wrong returns the sum 8") {
		t.Errorf("a wrong answer: %v", err)
	}
}

// TestSearches: what is measured finds every key and every miss.
func TestSearches(t *testing.T) {
	for _, d := range datasets {
		list := d.make(rand.New(rand.NewPCG(1, 2)), 5000)
		misses := make([]uint64, 0, 2*len(list))
		for _, k := range list {
			misses = append(misses, k-1, k+1)
		}
		one, many := learnedNumbers(list, nil)
		checkSearches(t, d.name, list, append(misses, 0, 1<<63, 1<<64-1), one.search, many.searchBatch)
	}
	for _, d := range texts {
		for _, n := range []int{5000, 100000} {
			list := d.make(rand.New(rand.NewPCG(1, 2)), n)
			misses := []string{"", "\xff", "a", "https://", "https://www.shop", "zzz"}
			for _, k := range list {
				misses = append(misses, k+"~", k[:len(k)-1], k[:len(k)/2])
			}
			one, many := learnedTexts(list, nil)
			checkSearches(t, d.name, list, misses, one.search, many.searchBatch)
			if parts := len(newChunked(list, 0).parts); parts == 0 && d.name == "url" && n == 100000 {
				t.Error("no chunk has an index of its own")
			}
		}
	}
}

func checkSearches[K cmp.Ordered](t *testing.T, name string, list, misses []K, learned func(K) int, batch func([]K, []int)) {
	t.Helper()
	tree, _ := staticTree(list)
	plain := binarySearch(list)
	all := append(slices.Clone(list), misses...)
	for len(all) > 0 {
		part := all[:min(batchKeys, len(all))]
		all = all[len(part):]
		places := make([]int, len(part))
		batch(part, places)
		for i, k := range part {
			want, _ := slices.BinarySearch(list, k)
			if a, b, c := plain(k), tree(k), learned(k); a != want || b != want || c != want || places[i] != want {
				t.Fatalf("%s: %v stands at %d, found at %d, %d, %d and %d", name, k, want, a, b, c, places[i])
			}
		}
	}
}
