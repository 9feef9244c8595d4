package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

const benchRows = 1_000_000

var benchKinds = []column.Kind{column.Int, column.Int, column.Float, column.Bytes}

// benchSegment holds benchRows rows of about 100 bytes in memory.
func benchSegment(b *testing.B) *Reader {
	w := newWorld(b, 512<<20)
	r := rand.New(rand.NewPCG(1, 1))
	sw := NewWriter(w.fs, testDir, Schema{Columns: benchKinds}, WriterOptions{})
	row := make([]column.Datum, len(benchKinds))
	filler := make([]byte, 60)
	for i := range benchRows {
		for k := range filler {
			filler[k] = byte(r.Uint32())
		}
		row[0], row[1] = column.IntDatum(int64(i)*3), column.IntDatum(r.Int64N(1000000))
		row[2], row[3] = column.FloatDatum(float64(r.IntN(100000))/100), column.BytesDatum(filler)
		if err := sw.Add(intKey(i*3), 1, false, nil, row); err != nil {
			b.Fatal(err)
		}
	}
	info, err := sw.Finish()
	if err != nil {
		b.Fatal(err)
	}
	rd := w.open(info.Name, OpenOptions{})
	b.Logf("%d blocks, %.1f bytes/row, index %.3f bytes/key, %s, error %d", info.Blocks, float64(info.Size)/benchRows, float64(info.FenceBytes+info.ModelBytes)/benchRows, info.ModelKind, info.ModelError)
	it := rd.Iter(IterOptions{Snapshot: math.MaxUint64, Cols: []int{0}})
	defer it.Close()
	var batch column.Batch
	for ok := true; ok; {
		if ok, err = it.Next(&batch); err != nil {
			b.Fatal(err)
		}
	}
	return rd
}

func BenchmarkSegment(b *testing.B) {
	rd := benchSegment(b)
	for _, cols := range [][]int{{}, {1}, {0, 1, 2, 3}} {
		b.Run(fmt.Sprintf("get/%d columns", len(cols)), func(b *testing.B) {
			o := &ReadOptions{Snapshot: math.MaxUint64, Cols: cols}
			dst := make([]column.Datum, 4)
			var key []byte
			r := rand.New(rand.NewPCG(2, 2))
			b.ReportAllocs()
			for b.Loop() {
				key = key[:0]
				key = keys.AppendInt(key, int64(r.IntN(benchRows))*3, 0)
				if res, err := rd.Get(key, dst, o); err != nil || res.Status != Found {
					b.Fatal(res, err)
				}
			}
		})
	}
	b.Run("get batch of 32", func(b *testing.B) {
		o := &ReadOptions{Snapshot: math.MaxUint64, Cols: []int{1}}
		ks, results := make([][]byte, 32), make([]Result, 32)
		var batch column.Batch
		batch.Reset(column.Int)
		batch.Cols[0].Resize(column.Int, 32)
		r := rand.New(rand.NewPCG(2, 2))
		b.ReportAllocs()
		for b.Loop() {
			for i := range ks {
				ks[i] = keys.AppendInt(ks[i][:0], int64(r.IntN(benchRows))*3, 0)
			}
			clear(results)
			if err := rd.GetBatch(ks, results, &batch, o); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/32, "ns/key")
	})
	for _, cols := range [][]int{{1}, {0, 1, 2, 3}} {
		b.Run(fmt.Sprintf("scan/%d columns", len(cols)), func(b *testing.B) {
			var batch column.Batch
			for b.Loop() {
				it := rd.Iter(IterOptions{Snapshot: math.MaxUint64, Cols: cols})
				rows := 0
				for {
					ok, err := it.Next(&batch)
					if err != nil {
						b.Fatal(err)
					}
					if !ok {
						break
					}
					rows += batch.Len()
				}
				it.Close()
				if rows != benchRows {
					b.Fatal(rows)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

// BenchmarkWrite writes rows of about 100 bytes, whose columns have many values, or few.
func BenchmarkWrite(b *testing.B) {
	for _, few := range []bool{false, true} {
		name := "many values"
		if few {
			name = "few values"
		}
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			const rows = 200_000
			fillers := make([]byte, 1<<20)
			for i := range fillers {
				fillers[i] = byte(r.Uint32())
			}
			row := make([]column.Datum, len(benchKinds))
			for b.Loop() {
				w := newWorld(b, 1<<20)
				sw := NewWriter(w.fs, testDir, Schema{Columns: benchKinds}, WriterOptions{})
				for i := range rows {
					at, number := r.IntN(len(fillers)-60), r.Int64N(1000000)
					if few {
						at, number = at%20, number%7
					}
					row[0], row[1] = column.IntDatum(int64(i)*3), column.IntDatum(number)
					row[2], row[3] = column.FloatDatum(float64(number)/100), column.BytesDatum(fillers[at:at+60])
					if err := sw.Add(intKey(i*3), 1, false, nil, row); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := sw.Finish(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
