package segment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

func TestColumnsYoungerThanTheSegmentReadTheirDefault(t *testing.T) {
	s := shapes[0]
	vs := s.make(rand.New(rand.NewPCG(5, 5)), 50)
	w := newWorld(t, 1<<20)
	r := w.open(w.write(s.kinds, vs, WriterOptions{}).Name, OpenOptions{})
	defaults := []Default{{}, {}, {}, {Kind: column.Int, Value: column.IntDatum(42)}}
	cols := []int{3, 0, 4}
	dst := make([]column.Datum, 3)
	if _, err := r.Get(vs[3].key, dst, &ReadOptions{Snapshot: math.MaxUint64, Cols: cols, Defaults: defaults}); err != nil {
		t.Fatal(err)
	}
	if dst[0].I != 42 || !sameDatum(column.Int, dst[1], vs[3].row[0]) || !dst[2].Null {
		t.Errorf("row %v", dst)
	}
	got := scan(t, r, IterOptions{Snapshot: math.MaxUint64, Cols: cols, Defaults: defaults})
	for i, v := range got {
		if v.row[0].I != 42 || !sameDatum(column.Int, v.row[1], vs[i].row[0]) || !v.row[2].Null {
			t.Fatalf("row %d: %v", i, v.row)
		}
	}
}

func TestShortRowsAreFilledUp(t *testing.T) {
	w := newWorld(t, 1<<20)
	kinds := []column.Kind{column.Int, column.Int, column.Bytes}
	vs := []version{{key: intKey(1), ts: 5, row: []column.Datum{column.IntDatum(1)}}}
	r := w.open(w.write(kinds, vs, WriterOptions{Missing: []column.Datum{column.Null(), column.IntDatum(9)}}).Name, OpenOptions{})
	dst := make([]column.Datum, 3)
	if _, err := r.Get(intKey(1), dst, &ReadOptions{Snapshot: 5, Cols: []int{0, 1, 2}}); err != nil || dst[0].I != 1 || dst[1].I != 9 || !dst[2].Null {
		t.Errorf("row %v, %v", dst, err)
	}
}

func TestTimestampOfABulkLoadComesFromTheOpener(t *testing.T) {
	s := shapes[0]
	vs := s.make(rand.New(rand.NewPCG(5, 5)), 500)
	for i := range vs {
		vs[i].ts = 0
	}
	w := newWorld(t, 1<<20)
	name := w.write(s.kinds, vs, WriterOptions{}).Name
	r := w.open(name, OpenOptions{Timestamp: 77})
	for i := range vs {
		vs[i].ts = 77
	}
	if got := scan(t, r, IterOptions{Snapshot: 76}); len(got) != 0 {
		t.Errorf("%d rows are visible before their commit", len(got))
	}
	checkSame(t, s.kinds, scan(t, r, IterOptions{Snapshot: 77, Cols: allColumns(3)}), vs)
	if i := r.Info(); i.MinTS != 77 || i.MaxTS != 77 {
		t.Errorf("timestamps %d to %d", i.MinTS, i.MaxTS)
	}
	if err := r.Verify(context.Background(), nil); err != nil {
		t.Error(err)
	}
}

func TestColdGetReadsOneBlock(t *testing.T) {
	s := shapes[0]
	vs := s.make(rand.New(rand.NewPCG(5, 5)), 50000)
	w := newWorld(t, 0)
	r := w.open(w.write(s.kinds, vs, WriterOptions{BlockBytes: 1000}).Name, OpenOptions{})
	if r.Info().ModelKind != "spline" {
		t.Errorf("%d fences, no model", r.fences.count())
	}
	st := &Stats{}
	dst := make([]column.Datum, 3)
	for i := range 500 {
		o := &ReadOptions{Snapshot: math.MaxUint64, Cols: []int{0, 1, 2}, Stats: st}
		if res, err := r.Get(vs[i*97].key, dst, o); err != nil || res.Status != Found {
			t.Fatal(res, err)
		}
	}
	if st.BlocksRead != 500 || st.Segments != 500 || st.Predictions != 500 || st.CacheHits != 0 || st.BytesRead == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestBatchesStartSmallAndFitTheExecutor(t *testing.T) {
	w := newWorld(t, 1<<20)
	var vs []version
	for i := range 3*batchRows + 1 { // constant cells: only the limit on rows ends a block
		vs = append(vs, version{key: intKey(i), ts: 1, row: []column.Datum{column.IntDatum(7)}})
	}
	r := w.open(w.write([]column.Kind{column.Int}, vs, WriterOptions{BlockBytes: 1 << 20}).Name, OpenOptions{})
	if got := r.Info().Blocks; got != 4 {
		t.Errorf("%d blocks", got)
	}
	r = w.open(w.write([]column.Kind{column.Int}, vs, WriterOptions{BlockBytes: 300}).Name, OpenOptions{})
	for _, reverse := range []bool{false, true} {
		st := &Stats{}
		it := r.Iter(IterOptions{Snapshot: 1, Cols: []int{0}, Reverse: reverse, Stats: st})
		var b column.Batch
		batches := 0
		for {
			ok, err := it.Next(&b)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if b.N > column.BatchSize || batches == 0 && b.N > firstBatchRows {
				t.Errorf("batch %d has %d rows, %d blocks read so far", batches, b.N, st.BlocksRead)
			}
			batches++
		}
		it.Close()
		if batches < 4 {
			t.Errorf("%d batches", batches)
		}
	}
}

func TestPruneSkipsExtentsAndNoVisibleVersion(t *testing.T) {
	kinds := []column.Kind{column.Int}
	w := newWorld(t, 1<<20)
	var vs []version
	for i := range 20000 {
		for ts := uint64(3); ts > 2-uint64(i%2); ts-- { // old versions have value -1
			v := version{key: intKey(i), ts: ts, row: []column.Datum{column.IntDatum(int64(i))}}
			if ts < 3 {
				v.row[0].I = -1
			}
			vs = append(vs, v)
		}
	}
	for ts := uint64(20000); ts > 0; ts-- { // a key whose versions fill blocks
		vs = append(vs, version{key: intKey(30000), ts: ts, row: []column.Datum{column.IntDatum(-int64(20000 - ts))}})
	}
	r := w.open(w.write(kinds, vs, WriterOptions{BlockBytes: 256}).Name, OpenOptions{})
	for _, reverse := range []bool{false, true} {
		for _, limit := range []int64{0, 5000, 19990} {
			st := &Stats{}
			o := IterOptions{Snapshot: math.MaxUint64, Cols: []int{0}, Reverse: reverse, Stats: st,
				Prune: func(z []Zone) bool { return z[0].Max < uint64(limit)^1<<63 }}
			found := 0
			for _, v := range scan(t, r, o) {
				if v.row[0].I == -1 || v.row[0].I < 0 {
					t.Fatalf("an old version came to light: %v", v)
				}
				if v.row[0].I >= limit {
					found++
				}
			}
			want := 20000 - int(limit)
			if limit == 0 {
				want++ // the last key's newest value is 0
			}
			if found != want || limit > 0 && st.ExtentsPruned == 0 {
				t.Errorf("reverse %v, limit %d: %d rows, want %d; %+v", reverse, limit, found, want, st)
			}
		}
	}
}

func TestConcurrentReadersAgree(t *testing.T) {
	s := shapes[2]
	vs := s.make(rand.New(rand.NewPCG(6, 6)), 2000)
	w := newWorld(t, 32<<10) // far less than the segment: blocks come and go
	r := w.open(w.write(s.kinds, vs, WriterOptions{BlockBytes: 1000}).Name, OpenOptions{})
	seen := visible(vs, 99998)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(7, uint64(g)))
			o := &ReadOptions{Snapshot: 99998, Cols: []int{0, 1, 2}}
			dst := make([]column.Datum, 3)
			for range 500 {
				want := seen[rnd.IntN(len(seen))]
				res, err := r.Get(want.key, dst, o)
				if err != nil || res.Version != want.ts || !want.deleted && !sameDatum(column.Bytes, dst[2], want.row[2]) {
					t.Errorf("key %x: %+v, %v", want.key, res, err)
					return
				}
			}
			it := r.Iter(IterOptions{Snapshot: 99998, Cols: []int{2}, Reverse: g%2 == 0})
			defer it.Close()
			var b column.Batch
			rows := 0
			for ok := true; ok; rows += b.Len() {
				var err error
				if ok, err = it.Next(&b); err != nil {
					t.Error(err)
				}
				if !ok {
					break
				}
			}
			if rows != len(seen) {
				t.Errorf("%d rows, want %d", rows, len(seen))
			}
		})
	}
	wg.Wait()
}

func TestEmptySegment(t *testing.T) {
	w := newWorld(t, 0)
	r := w.open(w.write(mixedKinds, nil, WriterOptions{}).Name, OpenOptions{})
	o := &ReadOptions{Snapshot: math.MaxUint64}
	if res, err := r.Get(intKey(1), nil, o); err != nil || res.Status != Absent {
		t.Error(res, err)
	}
	if n := len(scan(t, r, IterOptions{Snapshot: math.MaxUint64})); n != 0 {
		t.Error(n, "rows")
	}
	if rank, err := r.Rank(intKey(1), nil); rank != 0 || err != nil || r.EstimateRange(nil, nil) != 0 || r.EstimateRange(intKey(1), intKey(2)) != 0 {
		t.Error("rank", rank, err)
	}
	if r.Versions(intKey(0), nil).Next() {
		t.Error("a version")
	}
	if err := r.Verify(context.Background(), nil); err != nil {
		t.Error(err)
	}
}

func TestAddOutOfOrderIsABug(t *testing.T) {
	for _, second := range []version{{key: intKey(4), ts: 9}, {key: intKey(5), ts: 5}, {key: intKey(5), ts: 6}} {
		func() {
			w := newWorld(t, 0)
			sw := NewWriter(w.fs, testDir, Schema{}, WriterOptions{})
			defer sw.Abort()
			defer func() {
				if recover() == nil {
					t.Errorf("%v was accepted", second)
				}
			}()
			_ = sw.Add(intKey(5), 5, false, nil, nil)
			_ = sw.Add(second.key, second.ts, false, nil, nil)
		}()
	}
}

func TestVerifyStopsWhenCancelled(t *testing.T) {
	w := newWorld(t, 0)
	r := w.open(w.write(nil, []version{{key: intKey(1), ts: 1}}, WriterOptions{}).Name, OpenOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Verify(ctx, nil); err != context.Canceled {
		t.Error(err)
	}
}

func TestSketchEstimatesAndMerges(t *testing.T) {
	for _, n := range []int{0, 1, 64, 65, 1000, 100000} {
		var a, b Sketch
		for i := range n {
			for range 2 {
				a.Add(column.HashUint64(uint64(i)))
				b.Add(column.HashBytes(fmt.Appendf(nil, "%d", i)))
			}
		}
		for _, s := range []*Sketch{&a, &b} {
			if e := s.Estimate(); math.Abs(e-float64(n)) > 0.12*float64(n) || n <= sketchHashes && e != float64(n) {
				t.Errorf("%d values are estimated as %v", n, e)
			}
			c, rest, err := parseSketch(append(s.append(nil), 1, 2))
			if err != nil || len(rest) != 2 || c.Estimate() != s.Estimate() {
				t.Errorf("%d: parsed %v, %v", n, c.Estimate(), err)
			}
		}
		a.Merge(&b)
		if e := a.Estimate(); math.Abs(e-2*float64(n)) > 0.24*float64(n) {
			t.Errorf("merged estimate of %d values: %v", 2*n, e)
		}
	}
	for _, b := range [][]byte{{}, {1}, {1, 0, 0}, {65, 0}, {255, 255, 1}, append([]byte{255, 255}, make([]byte, 1023)...),
		append([]byte{255, 255}, append(make([]byte, 1023), 99)...), append([]byte{2, 0}, make([]byte, 16)...)} {
		if _, _, err := parseSketch(b); err == nil {
			t.Errorf("sketch %v was accepted", b[:min(len(b), 8)])
		}
	}
}
