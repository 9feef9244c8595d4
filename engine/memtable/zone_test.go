package memtable

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

var zoneKinds = []column.Kind{column.Int, column.Float}

func zoneKey(n int) []byte {
	return binary.BigEndian.AppendUint64([]byte{7}, uint64(n))
}

// zoneRow has a number that is NULL in every tenth row, and half of it.
func zoneRow(n int) []byte {
	row := []column.Datum{column.IntDatum(int64(n)), column.FloatDatum(float64(n) / 2)}
	row[0].Null = n%10 == 0
	return AppendRow(nil, zoneKinds, row)
}

// between asks for rows whose number is in [lo, hi], by either column.
func between(lo, hi int) []Range {
	return []Range{
		{Column: 0, Kind: column.Int, Min: keys.IntBits(int64(lo)), Max: keys.IntBits(int64(hi))},
		{Column: 1, Kind: column.Float, Min: keys.FloatBits(float64(lo) / 2), Max: keys.FloatBits(float64(hi) / 2)},
	}
}

// wantedAt returns the numbers in [lo, hi] that a walk at ts finds, in order, with or
// without passing by what zones leave out, and how many keys those were.
func wantedAt(t *Table, lower, upper []byte, lo, hi int, ts uint64, reverse, pass bool, bound []byte) (found []int64, passed int) {
	var c Cursor
	c.Init(t, lower, upper, reverse)
	ranges := between(lo, hi)
	for c.Next() {
		v, ok := c.Version(ts)
		if !ok || v.Deleted() {
			continue
		}
		x, null := Row(v.Data).Number(0)
		if !null && int(int64(x)) >= lo && int(int64(x)) <= hi {
			found = append(found, int64(x))
		} else if pass {
			passed += c.Pass(ranges, bound, ts)
		}
	}
	return found, passed
}

// TestZonesLeaveOutNothing changes rows, also such that zones know already, and asks for
// ranges of them at old and new timestamps.
func TestZonesLeaveOutNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n, steps = 5000, 50
	table, ts := New(), uint64(0)
	for i := range n {
		ts++
		table.Put(zoneKey(2*i), ts, Inserted, zoneRow(i))
	}
	passed := 0
	for range steps {
		ts++
		for range rng.IntN(20) {
			k := rng.IntN(n)
			switch rng.IntN(4) {
			case 0:
				table.Put(zoneKey(2*k), ts, Tombstone, nil)
			case 1: // far from where it was
				table.Put(zoneKey(2*k), ts, 0, zoneRow(rng.IntN(n)))
			case 2: // in the random lane
				table.Put(zoneKey(2*k+1), ts, Inserted, zoneRow(k))
			default:
				table.Put(zoneKey(2*k), ts, 0, zoneRow(k))
			}
		}
		for range 4 {
			at := ts
			if rng.IntN(2) == 0 {
				at = n + rng.Uint64N(ts-n+1)
			}
			var lower, upper []byte
			if rng.IntN(3) == 0 {
				lower, upper = zoneKey(rng.IntN(n)), zoneKey(n+rng.IntN(n))
			}
			lo := rng.IntN(n)
			hi, reverse := lo+rng.IntN(n/10), rng.IntN(2) == 0
			want, _ := wantedAt(table, lower, upper, lo, hi, at, reverse, false, nil)
			got, left := wantedAt(table, lower, upper, lo, hi, at, reverse, true, nil)
			passed += left
			if len(want) != len(got) {
				t.Fatalf("%d to %d at %d: %d rows, want %d", lo, hi, at, len(got), len(want))
			}
			for i := range want {
				if want[i] != got[i] {
					t.Fatalf("%d to %d at %d: row %d is %d, want %d", lo, hi, at, i, got[i], want[i])
				}
			}
		}
	}
	if passed < steps*4*n/10 {
		t.Errorf("only %d keys were passed by", passed)
	}
}

// TestPassKeepsBound passes no key that is not before the bound, and none of a
// stretch that is not full or holds rows older than a column.
func TestPassKeepsBound(t *testing.T) {
	table := New()
	const n = 3 * zoneStretch
	for i := range n {
		row := zoneRow(i)
		if i == n-2 { // written before there was the second column
			row = AppendRow(nil, zoneKinds[:1], []column.Datum{column.IntDatum(1)})
		}
		table.Put(zoneKey(i), 1, Inserted, row)
	}
	for _, reverse := range []bool{false, true} {
		for bound := 0; bound < n; bound += 13 {
			var c Cursor
			c.Init(table, nil, nil, reverse)
			for c.Next() {
				if c.precedes(int(binary.BigEndian.Uint64(c.Key()[1:])), zoneKey(bound)) {
					c.Pass(between(2*n, 3*n)[1:], zoneKey(bound), 1)
					continue
				}
				break
			}
			if got := int(binary.BigEndian.Uint64(c.Key()[1:])); got != bound {
				t.Fatalf("reverse %v: the walk arrives at %d, want %d", reverse, got, bound)
			}
		}
	}
	if u := table.Unzoned(); u >= n {
		t.Errorf("%d of %d rows have no zone", u, n)
	}
	lo, hi, ok := table.lane.stretch(n - 2)
	if ok && hi <= n {
		if table.findZones(nil, lo, hi, between(2*n, 3*n)[1:], 1).unwanted(between(2*n, 3*n)[1:]) {
			t.Error("a row without the column is passed by")
		}
	}
}

// TestZonesBesideTheWriter reads at the newest timestamp while rows move.
func TestZonesBesideTheWriter(t *testing.T) {
	const n, steps = 2000, 300
	table := New()
	for i := range n {
		table.Put(zoneKey(i), 1, Inserted, zoneRow(i))
	}
	visible := make(chan uint64, steps)
	var readers sync.WaitGroup
	for range 2 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for ts := range visible { // at ts row ts has the number n+ts and no other has such
				if got, _ := wantedAt(table, nil, nil, n+int(ts), n+int(ts), ts, false, true, nil); len(got) != 1 && int(ts)%10 != 0 {
					t.Errorf("at %d %d rows are found", ts, len(got))
				}
			}
		}()
	}
	for ts := uint64(2); ts < steps; ts++ {
		table.Put(zoneKey(int(ts)*5), ts, 0, zoneRow(n+int(ts)))
		visible <- ts
	}
	close(visible)
	readers.Wait()
}
