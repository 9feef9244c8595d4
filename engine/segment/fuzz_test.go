package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

var fuzzSchema = Schema{Columns: []column.Kind{column.Int, column.Bytes}}

// fuzzSegment returns a good segment in memory, whose parts are the seeds.
func fuzzSegment(f *testing.F, rows int, key func(i int) []byte) *Reader {
	f.Helper()
	fs := vfs.NewVolatile()
	if err := fs.MkdirAll("s"); err != nil {
		f.Fatal(err)
	}
	w := NewWriter(fs, "s", fuzzSchema, WriterOptions{BlockBytes: 512})
	for i := range rows {
		row := []column.Datum{column.IntDatum(int64(i * i % 40)), column.BytesDatum(bytes.Repeat([]byte{byte(i)}, i%30))}
		if err := w.Add(key(i), uint64(i+1), i%17 == 3, nil, row); err != nil {
			f.Fatal(err)
		}
	}
	info, err := w.Finish()
	if err != nil {
		f.Fatal(err)
	}
	c := cache.New(1 << 20)
	f.Cleanup(c.Close)
	r, err := Open(fs, "s", info.Name, c, OpenOptions{})
	if err != nil {
		f.Fatal(err)
	}
	if err := r.Verify(context.Background(), nil); err != nil {
		f.Fatal(err)
	}
	return r
}

func fuzzKeys(shape int) func(i int) []byte {
	if shape == 0 {
		return func(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i*1000)) }
	}
	return func(i int) []byte { return fmt.Appendf(nil, "key/%06d/%s", i, bytes.Repeat([]byte("x"), i%9)) }
}

// FuzzBlock takes any bytes, whose checksum was right, for a data block: they are refused, or every cell can be read and every
// key be searched.
func FuzzBlock(f *testing.F) {
	for shape := range 2 {
		r := fuzzSegment(f, 300, fuzzKeys(shape))
		for i := range min(4, r.fences.count()) {
			p := make([]byte, r.fences.lengths[i])
			if err := r.readAt(p, r.fences.offset(i)); err != nil {
				f.Fatal(err)
			}
			f.Add(p[:len(p)-crcSize])
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if checkBlock(data, fuzzSchema.Columns) != nil {
			return
		}
		var h blockHead
		h.set(data, fuzzSchema.Columns, nil)
		h.learn(data)
		var b block
		b.view(data, &h)
		versions := b.versions()
		var key []byte
		for i := range b.rows {
			key = b.appendKey(key[:0], i)
			for _, noModel := range []bool{false, true} {
				if row, exact := b.lowerBound(key, noModel); !exact || row > i || row < i && !b.repeats(i) {
					t.Fatalf("row %d of %d is found at %d", i, b.rows, row)
				}
			}
			_, _, _, _ = b.tombstone(i), b.repeats(i), b.successor(i), versions.Datum(i)
			for c, k := range fuzzSchema.Columns {
				e := b.column(c, k)
				_ = e.Datum(i)
			}
		}
	})
}

func footerOf(f *testing.F, r *Reader) []byte {
	body := make([]byte, r.info.Size-trailerSize-int64(r.end))
	if err := r.readAt(body, int64(r.end)); err != nil {
		f.Fatal(err)
	}
	return body
}

// FuzzFooter takes any bytes, whose checksum was right, for a footer of any version: fences, model, index and statistics are refused or
// usable.
func FuzzFooter(f *testing.F) {
	for shape := range 2 {
		r := fuzzSegment(f, 2000, fuzzKeys(shape))
		f.Add(footerOf(f, r), r.end, []byte("key/000100"))
	}
	f.Fuzz(func(t *testing.T, body []byte, end uint64, key []byte) {
		for version := range uint32(formatVersion) {
			got, err := parseFooter(body, end, version+1)
			if err == nil {
				got.describe()
				searchFences(t, got.fences, key)
			}
		}
	})
}

// searchFences looks a key up with and without the model; the answers agree.
func searchFences(t *testing.T, fe *fences, key []byte) {
	if fe.count() == 0 {
		return
	}
	var with, without window
	fe.predict(&with, key, false, nil)
	fe.predict(&without, key, true, nil)
	a, b := fe.find(&with, nil), fe.find(&without, nil)
	if a != b || a < -1 || a >= fe.count() {
		t.Fatalf("block %d with the model, %d without, of %d", a, b, fe.count())
	}
}

// FuzzFence makes fences of any numbers: refused, or a search by model and one without agree.
func FuzzFence(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte{0, 1}, []byte{5})
	f.Add(bytes.Repeat([]byte{7, 0, 200}, 300), []byte(nil), []byte{7, 9})
	f.Fuzz(func(t *testing.T, steps, prefix, key []byte) {
		fe := &fences{prefix: learned.PrefixOf(prefix)}
		at, row, chunk := uint32(headerSize/blockAlign+1), uint32(0), uint64(0)
		for _, s := range steps {
			fe.chunks = append(fe.chunks, chunk)
			fe.offsets, fe.lengths, fe.rows = append(fe.offsets, at), append(fe.lengths, crcSize+blockHeader+uint32(s)), append(fe.rows, row)
			at, row = at+1000, row+1+uint32(s)
			chunk += uint64(s) << (s % 50)
		}
		fe.rows = append(fe.rows, row)
		if fe.check(1<<40, uint64(row)) != nil {
			return
		}
		fe.train()
		if fe.check(1<<40, uint64(row)) != nil {
			t.Fatal("fences are refused with their own model")
		}
		searchFences(t, fe, append(bytes.Clone(prefix), key...))
	})
}
