package memtable

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// deferredKey is a key as an index on a bigint has it.
func deferredKey(k int) []byte { return binary.BigEndian.AppendUint64([]byte{7}, uint64(k)) }

// A key that is in the hash and in the inbox has all its versions, wherever
// they are, and at any time; also once most keys that come are known.
func TestDeferredVersions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	table, model := NewIn(nil), map[int][]uint64{}
	asked := 0
	for ts := uint64(1); ts <= 30_000; ts++ {
		k := rng.IntN(4000)
		if ts/5000%2 == 1 {
			k = rng.IntN(1 << 20)
		}
		flags := Flags(0)
		if rng.IntN(10) == 0 {
			flags = Tombstone
		}
		table.Put(deferredKey(k), ts, flags, deferredKey(int(ts)))
		model[k] = append(model[k], ts)
		if table.random.asks {
			asked++
		}
		for k, all := range model { // any one
			at := all[rng.IntN(len(all))] + uint64(rng.IntN(2))
			i, _ := slices.BinarySearch(all, at+1)
			if v, ok := table.Get(deferredKey(k), at); !ok || v.TS != all[i-1] || string(v.Data) != string(deferredKey(int(v.TS))) {
				t.Fatalf("key %d at %d: %d %v, want %d", k, at, v.TS, ok, all[i-1])
			}
			if v, ok := table.Get(deferredKey(k), all[0]-1); ok {
				t.Fatalf("key %d has a version of %d before its first of %d", k, v.TS, all[0])
			}
			break
		}
		if ts%1000 == 17 {
			compareVersions(t, table, model)
		}
	}
	if asked == 0 || asked > 25_000 {
		t.Errorf("%d of 30,000 keys were looked for when they came", asked)
	}
}

func compareVersions(t *testing.T, table *Table, model map[int][]uint64) {
	t.Helper()
	for _, reverse := range []bool{false, true} {
		keys, versions := 0, 0
		var c Cursor
		for c.Init(table, nil, nil, reverse); c.Next(); keys++ {
			want := slices.Clone(model[int(binary.BigEndian.Uint64(c.Key()[1:]))])
			for _, at := range want {
				if v, ok := c.Version(at); !ok || v.TS != at {
					t.Fatalf("key %x at %d: %d %v", c.Key(), at, v.TS, ok)
				}
			}
			var got []uint64
			if err := c.Versions(func(v Version) error { got = append(got, v.TS); return nil }); err != nil {
				t.Fatal(err)
			}
			if slices.Reverse(want); !slices.Equal(got, want) {
				t.Fatalf("key %x has the versions %d, want %d", c.Key(), got, want)
			}
			versions += len(got)
		}
		if all, _ := table.Versions(); keys != len(model) || all != int64(versions) || table.Keys() < int64(keys) || table.Keys() > int64(keys+inboxFull) {
			t.Fatalf("%d keys with %d versions are seen, the table counts %d and %d, put were %d", keys, versions, table.Keys(), all, len(model))
		}
	}
}

// Readers find what was put before they looked while leaves are split and used
// again, the inbox is emptied, and versions join others.
func TestReadersOfSplitLeaves(t *testing.T) {
	const keys = 1 << 16
	rounds := 150_000
	if !recycles {
		rounds /= 10
	}
	table := NewIn(nil)
	var newest [keys]atomic.Uint64 // version of each key that has been put
	var done atomic.Bool
	var readers sync.WaitGroup
	for r := range uint64(4) {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(r, 77))
			for !done.Load() && !t.Failed() {
				readSplitLeaves(t, rng, table, &newest)
			}
		})
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for ts := uint64(1); ts <= uint64(rounds); ts++ {
		k := rng.IntN(keys)
		table.Put(deferredKey(k), ts, 0, deferredKey(k))
		newest[k].Store(ts)
		if ts%1000 == 0 {
			runtime.Gosched()
		}
	}
	done.Store(true)
	readers.Wait()
	if n := table.random.length(); n < 1000 {
		t.Errorf("only %d keys are in the random lane", n)
	}
}

// readSplitLeaves scans one range and looks one key up.
func readSplitLeaves(t *testing.T, rng *rand.Rand, table *Table, newest *[1 << 16]atomic.Uint64) {
	lo := rng.IntN(len(newest))
	hi := min(len(newest), lo+1+rng.IntN(3000))
	var least []uint64
	put := int64(0)
	for k := range newest[lo:hi] {
		ts := newest[lo+k].Load()
		if least = append(least, ts); ts > 0 {
			put++
		}
	}
	if n := table.EstimateRange(deferredKey(lo), deferredKey(hi)); n < put {
		t.Errorf("%d keys in a range of %d are estimated, %d were put", n, hi-lo, put)
	}
	var c Cursor
	c.Init(table, deferredKey(lo), deferredKey(hi), rng.IntN(2) == 0)
	last := -1
	for c.Next() {
		k := int(binary.BigEndian.Uint64(c.Key()[1:]))
		if k < lo || k >= hi || last >= 0 && (k > last) == c.reverse || k == last {
			t.Errorf("key %d after %d in a range from %d to %d, reverse %v", k, last, lo, hi, c.reverse)
			return
		}
		last = k
		v, ok := c.Version(1 << 50)
		if !ok || v.TS < least[k-lo] || string(v.Data) != string(c.Key()) {
			t.Errorf("key %d has version %d, %d was put", k, v.TS, least[k-lo])
			return
		}
		least[k-lo] = 0
	}
	for i, ts := range least {
		if ts != 0 {
			t.Errorf("key %d of version %d is not in the range from %d to %d, reverse %v", lo+i, ts, lo, hi, c.reverse)
			return
		}
	}
	k := rng.IntN(len(newest))
	ts := newest[k].Load()
	if v, ok := table.Get(deferredKey(k), 1<<50); ts > 0 && (!ok || v.TS < ts) {
		t.Errorf("key %d has version %d, %d was put", k, v.TS, ts)
	}
}
