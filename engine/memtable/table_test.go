package memtable

import (
	"bytes"
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
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			table, model := New(), map[string]uint64{}
			for i := range 6000 {
				k := fmt.Sprintf("common/%08d", order(rng, i))
				table.Put([]byte(k), uint64(i+1), 0, []byte(k))
				model[k] = uint64(i + 1)
			}
			compare(t, rng, table, model)
		})
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
		if n := table.EstimateRange(lower, upper); n != int64(len(want)) {
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
	rng := rand.New(rand.NewPCG(3, 4))
	for i, k := range rng.Perm(4000) {
		table.Put(fmt.Appendf(nil, "%06d", k), uint64(i+1), 0, []byte("row"))
		mu.Lock()
		put = i + 1
		mu.Unlock()
	}
	wg.Wait()
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
