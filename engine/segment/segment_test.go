package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

const testDir = "data"

// version is a row as the test's own model of a segment holds it.
type version struct {
	key       []byte
	ts        uint64
	deleted   bool
	successor []byte
	row       []column.Datum
}

// shape draws keys and rows of one kind of table.
type shape struct {
	name  string
	kinds []column.Kind
	key   func(r *rand.Rand, i int) []byte
	cell  func(r *rand.Rand, c, i int) column.Datum
	// maxVersions per key; deletes is one in so many versions, 0 for never
	maxVersions, deletes int
}

func intKey(i int) []byte { return keys.AppendInt(nil, int64(i), 0) }

func simpleCell(kinds []column.Kind) func(r *rand.Rand, c, i int) column.Datum {
	return func(r *rand.Rand, c, i int) column.Datum {
		if r.IntN(10) == 0 {
			return column.Null()
		}
		switch kinds[c] {
		case column.Int:
			return column.IntDatum(int64(i*10 + c))
		case column.Float:
			return column.FloatDatum(r.NormFloat64())
		}
		return column.StringDatum(fmt.Sprintf("value %d of %d", c, r.IntN(1000)))
	}
}

var mixedKinds = []column.Kind{column.Int, column.Float, column.Bytes}

var shapes = []shape{
	{name: "dense ids", kinds: mixedKinds, key: func(_ *rand.Rand, i int) []byte { return intKey(i) }, cell: simpleCell(mixedKinds), maxVersions: 1},
	{name: "gaps and tombstones", kinds: mixedKinds, key: func(r *rand.Rand, i int) []byte { return intKey(int(r.Int64())) }, cell: simpleCell(mixedKinds), maxVersions: 1, deletes: 5},
	{name: "versions", kinds: mixedKinds, key: func(_ *rand.Rand, i int) []byte { return intKey(i * 3) }, cell: simpleCell(mixedKinds), maxVersions: 6, deletes: 4},
	{name: "hot keys", kinds: mixedKinds[:1], key: func(_ *rand.Rand, i int) []byte { return intKey(i % 3) }, cell: simpleCell(mixedKinds), maxVersions: 9000, deletes: 50},
	{name: "strings", kinds: mixedKinds, key: func(r *rand.Rand, i int) []byte {
		return keys.AppendBytes(nil, fmt.Appendf(nil, "https://%s.example/%d", []string{"shop", "www", "img"}[r.IntN(3)], r.IntN(100000)), 0)
	}, cell: simpleCell(mixedKinds), maxVersions: 2, deletes: 9},
	{name: "nasty bytes", kinds: mixedKinds[2:], key: func(r *rand.Rand, _ int) []byte {
		b := make([]byte, r.IntN(14))
		for i := range b {
			b[i] = byte(r.IntN(2)) * 0xFF * byte(r.IntN(2))
		}
		return b
	}, cell: func(r *rand.Rand, _, _ int) column.Datum { return column.BytesDatum([]byte{}) }, maxVersions: 2, deletes: 7},
	{name: "wide", kinds: []column.Kind{column.Bytes, column.Int, column.Bytes}, key: func(_ *rand.Rand, i int) []byte { return intKey(i * 7) },
		cell: func(r *rand.Rand, c, i int) column.Datum {
			switch {
			case c == 1:
				return column.IntDatum(int64(r.Uint64()))
			case r.IntN(3) == 0:
				return column.BytesDatum(bytes.Repeat([]byte{byte(i)}, r.IntN(20000))) // compresses
			case r.IntN(3) == 0:
				b := make([]byte, r.IntN(5000))
				for k := range b {
					b[k] = byte(r.Uint32())
				}
				return column.BytesDatum(b)
			}
			return column.StringDatum("short")
		}, maxVersions: 2, deletes: 10},
	{name: "no columns", kinds: nil, key: func(r *rand.Rand, i int) []byte { return intKey(r.IntN(1e6)) }, cell: nil, maxVersions: 1},
}

// make draws n versions in order.
func (s shape) make(r *rand.Rand, n int) []version {
	byKey := map[string]bool{}
	var names [][]byte
	for i := 0; i < n && len(names)*(1+s.maxVersions)/2 < n+s.maxVersions; i++ {
		k := s.key(r, i)
		if !byKey[string(k)] {
			byKey[string(k)] = true
			names = append(names, k)
		}
	}
	slices.SortFunc(names, bytes.Compare)
	var vs []version
	for i, k := range names {
		ts := uint64(100000)
		for range 1 + r.IntN(s.maxVersions) {
			v := version{key: k, ts: ts}
			if s.deletes > 0 && r.IntN(s.deletes) == 0 {
				v.deleted = true
				if r.IntN(2) == 0 {
					v.successor = intKey(r.IntN(1000))
				}
			}
			for c := range s.kinds {
				d := column.Null()
				if !v.deleted {
					d = s.cell(r, c, i)
				}
				v.row = append(v.row, d)
			}
			vs = append(vs, v)
			ts -= 1 + r.Uint64N(5)
		}
	}
	return vs
}

type world struct {
	t     testing.TB
	fs    *vfs.Mem
	cache *cache.Cache
}

func newWorld(t testing.TB, cacheBytes int64) *world {
	w := &world{t: t, fs: vfs.NewMem(1), cache: cache.New(cacheBytes)}
	t.Cleanup(w.cache.Close)
	if err := w.fs.MkdirAll(testDir); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) write(kinds []column.Kind, vs []version, o WriterOptions) Info {
	w.t.Helper()
	sw := NewWriter(w.fs, testDir, Schema{Columns: kinds}, o)
	for _, v := range vs {
		if err := sw.Add(v.key, v.ts, v.deleted, v.successor, v.row); err != nil {
			w.t.Fatal(err)
		}
	}
	info, err := sw.Finish()
	if err != nil {
		w.t.Fatal(err)
	}
	return info
}

func (w *world) open(name string, o OpenOptions) *Reader {
	w.t.Helper()
	r, err := Open(w.fs, testDir, name, w.cache, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = r.Close() })
	return r
}

func sameDatum(k column.Kind, a, b column.Datum) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if k == column.Bytes {
		return bytes.Equal(a.B, b.B)
	}
	return a.I == b.I
}

// visible returns the newest version of each key that a snapshot sees.
func visible(vs []version, snapshot uint64) []version {
	var out []version
	for i, v := range vs {
		if v.ts > snapshot {
			continue
		}
		if i > 0 && bytes.Equal(vs[i-1].key, v.key) && vs[i-1].ts <= snapshot {
			continue
		}
		out = append(out, v)
	}
	return out
}

// checkGet compares a look-up with what the model says.
func checkGet(t testing.TB, r *Reader, kinds []column.Kind, key []byte, want *version, o *ReadOptions, dst []column.Datum) {
	t.Helper()
	res, err := r.Get(key, dst, o)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, kinds, key, res, want, func(c int) column.Datum { return dst[c] })
}

func checkResult(t testing.TB, kinds []column.Kind, key []byte, res Result, want *version, cell func(int) column.Datum) {
	t.Helper()
	switch {
	case want == nil:
		if res.Status != Absent {
			t.Fatalf("key %x: found %+v, want nothing", key, res)
		}
	case want.deleted:
		if res.Status != Deleted || res.Version != want.ts || !bytes.Equal(res.Successor, want.successor) {
			t.Fatalf("key %x: %+v, want tombstone %+v", key, res, want)
		}
	default:
		if res.Status != Found || res.Version != want.ts {
			t.Fatalf("key %x: %+v, want version %d", key, res, want.ts)
		}
		for c, k := range kinds {
			if !sameDatum(k, cell(c), want.row[c]) {
				t.Fatalf("key %x column %d: %v, want %v", key, c, cell(c), want.row[c])
			}
		}
	}
}

func allColumns(n int) []int {
	cols := make([]int, n)
	for i := range cols {
		cols[i] = i
	}
	return cols
}

func find(vs []version, key []byte) *version {
	i, ok := slices.BinarySearchFunc(vs, key, func(v version, k []byte) int { return bytes.Compare(v.key, k) })
	if !ok {
		return nil
	}
	return &vs[i]
}

// forEachSegment runs fn for every shape with small and default blocks.
func forEachSegment(t *testing.T, n int, fn func(t *testing.T, s shape, vs []version, r *Reader)) {
	for _, s := range shapes {
		n := n
		if s.name == "wide" {
			n /= 4 // its rows are long
		}
		for _, blockBytes := range []int{200, 0} {
			t.Run(fmt.Sprintf("%s/%d", s.name, blockBytes), func(t *testing.T) {
				vs := s.make(rand.New(rand.NewPCG(21, uint64(blockBytes))), n)
				w := newWorld(t, 256<<10)
				info := w.write(s.kinds, vs, WriterOptions{Store: 1, Nonce: 2, BlockBytes: blockBytes})
				fn(t, s, vs, w.open(info.Name, OpenOptions{}))
			})
		}
	}
}

var snapshots = []uint64{0, 99990, 99997, 99999, 100000, math.MaxUint64}

func TestGetFindsWhatWasWritten(t *testing.T) {
	forEachSegment(t, 4000, func(t *testing.T, s shape, vs []version, r *Reader) {
		rnd := rand.New(rand.NewPCG(1, 1))
		dst := make([]column.Datum, len(s.kinds))
		for _, snap := range snapshots {
			seen := visible(vs, snap)
			o := &ReadOptions{Snapshot: snap, Cols: allColumns(len(s.kinds)), Stats: &Stats{}}
			for range 600 {
				key := vs[rnd.IntN(len(vs))].key
				if rnd.IntN(3) == 0 { // a neighbour
					key = append(slices.Clone(key), byte(rnd.IntN(2)))
					if n := len(key); rnd.IntN(2) == 0 && n > 2 {
						key = key[:n-2]
					}
				}
				o.NoModel = rnd.IntN(2) == 0
				checkGet(t, r, s.kinds, key, find(seen, key), o, dst)
			}
			if snap == math.MaxUint64 && o.Stats.Segments == 0 {
				t.Error("no look-up was counted")
			}
		}
	})
}

func TestGetBatchIsGetOfEach(t *testing.T) {
	forEachSegment(t, 3000, func(t *testing.T, s shape, vs []version, r *Reader) {
		rnd := rand.New(rand.NewPCG(2, 1))
		for _, snap := range snapshots {
			seen := visible(vs, snap)
			var ks [][]byte
			for range 200 {
				k := vs[rnd.IntN(len(vs))].key
				if rnd.IntN(4) == 0 {
					k = append(slices.Clone(k), 0)
				}
				ks = append(ks, k)
			}
			results := make([]Result, len(ks))
			results[7] = Result{Status: Found, Version: 1} // answered by a newer run
			var b column.Batch
			b.Reset(s.kinds...)
			for c, k := range s.kinds {
				b.Cols[c].Resize(k, len(ks))
			}
			b.N = len(ks)
			if err := r.GetBatch(ks, results, &b, &ReadOptions{Snapshot: snap, Cols: allColumns(len(s.kinds)), Stats: &Stats{}}); err != nil {
				t.Fatal(err)
			}
			for i, k := range ks {
				if i == 7 {
					if results[i].Version != 1 {
						t.Error("an answered key was looked up again")
					}
					continue
				}
				checkResult(t, s.kinds, k, results[i], find(seen, k), func(c int) column.Datum { return b.Cols[c].Datum(i) })
			}
		}
	})
}

// scan collects what an iterator yields and checks its accessors on the way.
func scan(t testing.TB, r *Reader, o IterOptions) []version {
	t.Helper()
	it := r.Iter(o)
	defer it.Close()
	var out []version
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		if b.Len() == 0 || o.Keys && len(it.Keys()) != b.N {
			t.Fatalf("a batch of %d rows, %d present, %d keys", b.N, b.Len(), len(it.Keys()))
		}
		for i := range b.Len() {
			p := b.Row(i)
			v := version{key: it.AppendKey(nil, p), ts: it.Version(p), deleted: it.Deleted(p), successor: bytes.Clone(it.Successor(p))}
			if o.Keys && !bytes.Equal(it.Keys()[p], v.key) {
				t.Fatalf("row %d: key %x, AppendKey %x", p, it.Keys()[p], v.key)
			}
			if at, exact := it.Find(v.key); !exact || at > p || !bytes.Equal(it.AppendKey(nil, at), v.key) {
				t.Fatalf("Find(%x) = %d, %v; it is row %d", v.key, at, exact, p)
			}
			for c := range o.Cols {
				v.row = append(v.row, b.Cols[c].Datum(p).Clone())
			}
			out = append(out, v)
		}
	}
}

func checkSame(t testing.TB, kinds []column.Kind, got, want []version) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if !bytes.Equal(g.key, w.key) || g.ts != w.ts || g.deleted != w.deleted || !bytes.Equal(g.successor, w.successor) {
			t.Fatalf("row %d: %+v, want %+v", i, g, w)
		}
		for c, k := range kinds {
			if !sameDatum(k, g.row[c], w.row[c]) {
				t.Fatalf("row %d (%x) column %d: %v, want %v", i, w.key, c, g.row[c], w.row[c])
			}
		}
	}
}

func between(vs []version, lower, upper []byte) []version {
	var out []version
	for _, v := range vs {
		if (lower == nil || bytes.Compare(v.key, lower) >= 0) && (upper == nil || bytes.Compare(v.key, upper) < 0) {
			out = append(out, v)
		}
	}
	return out
}

func TestIterYieldsTheVisibleRows(t *testing.T) {
	forEachSegment(t, 4000, func(t *testing.T, s shape, vs []version, r *Reader) {
		rnd := rand.New(rand.NewPCG(3, 1))
		for _, snap := range snapshots {
			seen := visible(vs, snap)
			for range 8 {
				o := IterOptions{Snapshot: snap, Cols: allColumns(len(s.kinds)), Keys: rnd.IntN(2) == 0, NoModel: rnd.IntN(2) == 0, Stats: &Stats{}}
				if rnd.IntN(4) > 0 {
					o.Lower = vs[rnd.IntN(len(vs))].key
				}
				if rnd.IntN(4) > 0 {
					o.Upper = append(slices.Clone(vs[rnd.IntN(len(vs))].key), make([]byte, rnd.IntN(2))...)
				}
				want := between(seen, o.Lower, o.Upper)
				checkSame(t, s.kinds, scan(t, r, o), want)
				o.Reverse = true
				want = slices.Clone(want)
				slices.Reverse(want)
				checkSame(t, s.kinds, scan(t, r, o), want)
			}
		}
	})
}

func TestVersionsYieldEverything(t *testing.T) {
	forEachSegment(t, 3000, func(t *testing.T, s shape, vs []version, r *Reader) {
		lower, upper := vs[len(vs)/4].key, vs[len(vs)*3/4].key
		for _, b := range [][2][]byte{{nil, nil}, {lower, nil}, {nil, upper}, {lower, upper}, {upper, lower}} {
			it := r.Versions(b[0], b[1])
			var got []version
			for it.Next() {
				v := version{key: bytes.Clone(it.Key()), ts: it.Version(), deleted: it.Deleted(), successor: bytes.Clone(it.Successor())}
				row, err := it.Row()
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range row {
					v.row = append(v.row, d.Clone())
				}
				got = append(got, v)
			}
			if it.Err() != nil || it.Next() {
				t.Fatal("after the end:", it.Err())
			}
			checkSame(t, s.kinds, got, between(vs, b[0], b[1]))
		}
	})
}

func TestInfoAndVerify(t *testing.T) {
	forEachSegment(t, 3000, func(t *testing.T, s shape, vs []version, r *Reader) {
		info := r.Info()
		live, tombs := map[string]bool{}, 0
		for _, v := range vs {
			live[string(v.key)] = true
			if v.deleted {
				tombs++
			}
		}
		if info.Rows != uint64(len(vs)) || info.Keys != uint64(len(live)) || info.Tombstones != uint64(tombs) ||
			!bytes.Equal(info.MinKey, vs[0].key) || !bytes.Equal(info.MaxKey, vs[len(vs)-1].key) || info.Store != 1 || info.Nonce != 2 || info.MaxTS != 100000 {
			t.Errorf("info %+v", info)
		}
		if info.FenceBytes == 0 || info.ModelKind == "" {
			t.Errorf("no fences or model: %+v", info)
		}
		for c := range s.kinds {
			var z Zone
			for _, v := range vs {
				z.add(s.kinds[c], v.row[c])
			}
			if got := info.Columns[c].Zone; got != z {
				t.Errorf("column %d: zone %+v, want %+v", c, got, z)
			}
		}
		calls := 0
		if err := r.Verify(context.Background(), func(done, total int64) {
			calls++
			if done > total {
				t.Errorf("progress %d of %d", done, total)
			}
		}); err != nil || calls == 0 {
			t.Errorf("verify: %v after %d calls", err, calls)
		}
		for range 50 {
			k := vs[len(vs)*calls/(calls+50)].key
			rank, err := r.Rank(k, nil)
			if want := len(between(vs, nil, k)); err != nil || rank != uint64(want) {
				t.Fatalf("rank %d, %v; want %d", rank, err, want)
			}
			if e := r.EstimateRange(nil, k); e < 0 || e > float64(len(vs)) || info.Rows == info.Keys && math.Abs(e-float64(rank)) > float64(batchRows) {
				t.Fatalf("estimated rank %v, it is %d", e, rank)
			}
			calls++
		}
	})
}

// A writer whose writes are done elsewhere makes the same file, and tells of
// their failures.
func TestWritesBeside(t *testing.T) {
	w := newWorld(t, 1<<20)
	kinds := []column.Kind{column.Int, column.Bytes}
	cell := simpleCell(kinds)
	rng := rand.New(rand.NewPCG(1, 2))
	var vs []version
	for i := range 40_000 {
		row := []column.Datum{cell(rng, 0, i), cell(rng, 1, i)}
		vs = append(vs, version{key: intKey(i), ts: 5, row: row})
	}
	want := w.write(kinds, vs, WriterOptions{Store: 1, Nonce: 1})
	writes := 0
	beside := func(fn func()) func() {
		writes++
		done := make(chan struct{})
		go func() { defer close(done); fn() }()
		return func() { <-done }
	}
	if got := w.write(kinds, vs, WriterOptions{Store: 1, Nonce: 1, Beside: beside}); got.Name != want.Name || writes < 2 {
		t.Fatalf("%s in %d writes, without them %s", got.Name, writes, want.Name)
	}
	disk := vfs.NewFault(vfs.NewMem(1), vfs.Rule{Kind: vfs.OpWrite, Nth: 1, Err: syscall.ENOSPC})
	sw := NewWriter(disk, ".", Schema{Columns: kinds}, WriterOptions{Store: 1, Nonce: 1, Beside: beside})
	for _, v := range vs {
		_ = sw.Add(v.key, v.ts, false, nil, v.row) // Finish says it again
	}
	if _, err := sw.Finish(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a failed write: %v", err)
	}
}
