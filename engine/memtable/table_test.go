package memtable

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// TestAgainstSortedMap puts keys in several orders and compares every read with a plain map.
func TestAgainstSortedMap(t *testing.T) {
	orders := map[string]func(rng *rand.Rand, i int) int{
		"ascending":  func(_ *rand.Rand, i int) int { return i },
		"descending": func(_ *rand.Rand, i int) int { return -i + 1<<20 },
		"random":     func(rng *rand.Rand, _ int) int { return rng.IntN(5000) },
		"nearly":     func(rng *rand.Rand, i int) int { return max(0, i-rng.IntN(8)) },
	}
	for name, order := range orders {
		for _, table := range []*Table{New(), NewIn(nil)} {
			t.Run(fmt.Sprint(name, table.random.defers), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				model := map[string]uint64{}
				for i := range 6000 {
					k := fmt.Sprintf("common/%08d", order(rng, i))
					table.Put([]byte(k), uint64(i+1), 0, []byte(k))
					model[k] = uint64(i + 1)
				}
				compare(t, rng, table, model)
			})
		}
	}
}

func compare(t *testing.T, rng *rand.Rand, table *Table, model map[string]uint64) {
	t.Helper()
	keys := make([]string, 0, len(model))
	for k := range model {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if v, ok := table.Get([]byte(k), math.MaxUint64); !ok || v.TS != model[k] || string(v.Data) != k {
			t.Fatalf("get %s: %v %v", k, v, ok)
		}
	}
	if _, ok := table.Get([]byte("absent"), math.MaxUint64); ok {
		t.Fatal("an absent key is found")
	}
	for range 50 {
		lo, hi := rng.IntN(len(keys)), rng.IntN(len(keys))
		var lower, upper []byte
		if lo %= len(keys); rng.IntN(5) > 0 {
			lower = []byte(keys[lo])
		} else {
			lo = 0
		}
		if rng.IntN(5) > 0 {
			upper = []byte(keys[hi])
		} else {
			hi = len(keys)
		}
		want := keys[min(lo, hi):hi]
		for _, reverse := range []bool{false, true} {
			var c Cursor
			c.Init(table, lower, upper, reverse)
			for i := range want {
				w := want[i]
				if reverse {
					w = want[len(want)-1-i]
				}
				if !c.Next() || string(c.Key()) != w {
					t.Fatalf("range [%s, %s) reverse=%v: key %d is not %s", lower, upper, reverse, i, w)
				}
			}
			if c.Next() {
				t.Fatalf("range [%s, %s) reverse=%v: extra key %s", lower, upper, reverse, c.Key())
			}
		}
		most := len(want)
		if table.random.defers {
			most += inboxFull
		}
		if n := table.EstimateRange(lower, upper); n < int64(len(want)) || n > int64(most) {
			t.Fatalf("range [%s, %s): estimate %d instead of %d", lower, upper, n, len(want))
		}
	}
}

func TestVersionsAndUndo(t *testing.T) {
	table := New()
	k := []byte("k")
	table.Put(k, 1, Inserted, []byte("a"))
	table.Put(k, 5, 0, []byte("b"))
	id := table.Put(k, 9, Tombstone, []byte("next"))
	for ts, want := range map[uint64]string{1: "a", 4: "a", 5: "b", 8: "b", 9: "next"} {
		if v, ok := table.Get(k, ts); !ok || string(v.Data) != want {
			t.Errorf("at %d: %q %v", ts, v.Data, ok)
		}
	}
	if _, ok := table.Get(k, 0); ok {
		t.Error("a version is visible before its time")
	}
	if all, dead := table.Versions(); all != 3 || dead != 1 {
		t.Error(all, dead)
	}
	table.Undo(id)
	if v, _ := table.Get(k, 10); string(v.Data) != "b" {
		t.Errorf("after undo: %q", v.Data)
	}
}

// TestReadersBesideTheWriter is for the race detector, and checks that a
// reader finds everything that was put before it looked.
func TestReadersBesideTheWriter(t *testing.T) {
	table := New()
	var mu sync.Mutex
	put := 0
	var wg sync.WaitGroup
	for r := range 2 {
		wg.Go(func() {
			for {
				mu.Lock()
				n := put
				mu.Unlock()
				var c Cursor
				c.Init(table, nil, nil, r == 1)
				seen := 0
				var last []byte
				for c.Next() {
					if last != nil && (bytes.Compare(c.Key(), last) > 0) == (r == 1) {
						t.Errorf("%q after %q", c.Key(), last)
						return
					}
					last = c.Key()
					if v, ok := c.Version(uint64(n)); ok && v.TS <= uint64(n) {
						seen++
					}
				}
				if seen != n {
					t.Errorf("%d keys seen of %d", seen, n)
					return
				}
				if n == 4000 {
					return
				}
			}
		})
	}
	order := rand.New(rand.NewPCG(3, 4)).Perm(4000)
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(5, 6))
		for n := 0; n < 4000; {
			mu.Lock()
			n = put
			mu.Unlock()
			for range min(n, 20) {
				k := fmt.Appendf(nil, "%06d", order[rng.IntN(n)])
				if _, ok := table.Get(k, math.MaxUint64); !ok {
					t.Errorf("%s is not found", k)
					return
				}
			}
		}
	})
	for i, k := range order {
		table.Put(fmt.Appendf(nil, "%06d", k), uint64(i+1), 0, []byte("row"))
		mu.Lock()
		put = i + 1
		mu.Unlock()
	}
	wg.Wait()
}

// TestUndoToNothing takes the only version of a key back, in both lanes.
func TestUndoToNothing(t *testing.T) {
	table := New()
	table.Put([]byte("m"), 1, 0, []byte("first of all"))
	for _, k := range [][]byte{[]byte("z"), []byte("a")} {
		for range 2 {
			table.Undo(table.Put(k, 2, Tombstone, nil))
			if v, ok := table.Get(k, 9); ok {
				t.Fatalf("%s: %v after undo", k, v)
			}
		}
		table.Put(k, 3, 0, []byte("old"))
		id := table.Put(k, 4, Inserted, []byte("new"))
		if v, ok := table.Get(k, 9); !ok || v.TS != 4 || v.Flags != Inserted || string(v.Data) != "new" {
			t.Fatalf("%s: %v %v", k, v, ok)
		}
		table.Undo(id)
		if v, ok := table.Get(k, 9); !ok || v.TS != 3 || v.Flags != 0 || string(v.Data) != "old" {
			t.Fatalf("%s: %v %v", k, v, ok)
		}
		if _, ok := table.Get(k, 2); ok {
			t.Fatalf("%s: the version that was taken back is there", k)
		}
	}
}

// TestWideRecords puts keys and data on both sides of the length that has 16 bits.
func TestWideRecords(t *testing.T) {
	table := New()
	sizes := []int{0, 1, 1<<16 - 1, 1 << 16, 1<<20 + 3}
	ts := uint64(0)
	for _, lead := range []string{"m", "a", "z"} {
		for _, k := range sizes {
			for _, d := range sizes {
				key := append([]byte(lead), bytes.Repeat([]byte{byte(d)}, k)...)
				for range 2 {
					ts++
					data := bytes.Repeat([]byte{byte(ts)}, d)
					record := table.Put(key, ts, Inserted, data)
					if !bytes.Equal(table.key(record), key) {
						t.Fatalf("a key of %d bytes comes back changed", k+1)
					}
					v, ok := table.Get(key, ts)
					if !ok || v.TS != ts || v.Flags != Inserted || !bytes.Equal(v.Data, data) {
						t.Fatalf("a key of %d and data of %d bytes: version %d, %d bytes, %v", k+1, d, v.TS, len(v.Data), ok)
					}
				}
			}
		}
	}
}

// TestTextKeys puts addresses, which begin alike, into many pages.
func TestTextKeys(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	table := New()
	var all []string
	seen := map[string]bool{}
	for i := range 20_000 {
		k := fmt.Sprintf("https://www.%s%d.example/item/%d", []string{"shop", "news", "img"}[rng.IntN(3)], rng.IntN(20), rng.IntN(1<<30))
		switch {
		case i == 15_000:
			k = "ftp://elsewhere"
		case i%1000 == 999:
			k = k[:rng.IntN(len(k))]
		}
		if i%3 == 0 && i > 0 {
			k = all[rng.IntN(len(all))]
		} else if !seen[k] {
			seen[k] = true
			all = append(all, k)
		}
		table.Put([]byte(k), uint64(i+1), 0, []byte(k))
		probe := all[rng.IntN(len(all))]
		if v, ok := table.Get([]byte(probe), math.MaxUint64); !ok || string(v.Data) != probe {
			t.Fatalf("after %d rows: %s is %q %v", i+1, probe, v.Data, ok)
		}
		if probe += "/"; !seen[probe] {
			if _, ok := table.Get([]byte(probe), math.MaxUint64); ok {
				t.Fatalf("%s is found", probe)
			}
		}
	}
	slices.Sort(all)
	var c Cursor
	c.Init(table, nil, nil, false)
	for _, k := range all {
		if !c.Next() || string(c.Key()) != k {
			t.Fatalf("%s is missing or at another place", k)
		}
	}
	for range 200 {
		lo, hi := rng.IntN(len(all)), rng.IntN(len(all))
		if n := table.EstimateRange([]byte(all[lo]), []byte(all[hi])); n != int64(max(hi-lo, 0)) {
			t.Fatalf("%d keys from %s to %s, %d are counted", hi-lo, all[lo], all[hi], n)
		}
	}
}

func TestRows(t *testing.T) {
	kinds := []column.Kind{column.Int, column.Bytes, column.Float, column.Bytes}
	row := []column.Datum{column.IntDatum(-7), column.StringDatum("text"), column.FloatDatum(2.5), column.Null()}
	for n := range len(row) + 1 {
		r := Row(AppendRow([]byte("x"), kinds, row[:n])[1:])
		if r.Columns() != n || !r.Check(kinds) {
			t.Fatalf("%d columns: %x", n, r)
		}
		for i := range n {
			d := r.Datum(i, kinds[i])
			if d.Null != row[i].Null || d.I != row[i].I || !bytes.Equal(d.B, row[i].B) {
				t.Errorf("column %d of %d: %+v", i, n, d)
			}
		}
		for cut := range len(r) {
			if r[:cut].Check(kinds) && cut < len(r) {
				t.Errorf("%d of %d bytes pass for a row", cut, len(r))
			}
		}
	}
}

// TestManyWideRows puts rows that are wider than the first slab, most of them below the greatest key: the rows in order lie far apart
// among them, and all have to stay within the addresses that a group in the append lane can hold.
func TestManyWideRows(t *testing.T) {
	tab := New()
	row := make([]byte, 600)
	key := func(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }
	const n = 20000
	tab.Put(key(n), 1, Inserted, row)
	for i := range n {
		tab.Put(key(i), 1, Inserted, row)
	}
	tab.Put(key(n+1), 1, Inserted, row)
	for i := range n + 2 {
		if _, ok := tab.Get(key(i), 1); !ok {
			t.Fatalf("key %d is lost", i)
		}
	}
}
