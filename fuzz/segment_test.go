package fuzz

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"path"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

const segmentDir = "data"

var segmentKinds = []column.Kind{column.Int, column.Float, column.Bytes}

type segmentRow struct {
	key     []byte
	ts      uint64
	deleted bool
	row     []column.Datum
}

// segmentRows turns fuzz input into rows in order: each takes a length byte,
// a key that extends or follows the last one, and cells from what follows.
func segmentRows(in []byte) []segmentRow {
	var rows []segmentRow
	key, ts := []byte{}, uint64(1000)
	for len(in) >= 4 {
		op, n := in[0], int(in[1]%16)
		cells := in[2:min(len(in), 2+n)]
		in = in[2+len(cells):]
		switch {
		case op%4 == 0 && len(rows) > 0 && ts > 0:
			ts-- // another version of the same key
		case op%4 == 1 || len(key) == 0 || key[len(key)-1] == 0xFF:
			key, ts = append(bytes.Clone(key), op), 1000
		default:
			key, ts = bytes.Clone(key), 1000
			key[len(key)-1]++
		}
		r := segmentRow{key: key, ts: ts, deleted: op%16 == 15}
		var word [8]byte
		copy(word[:], cells)
		x := int64(binary.LittleEndian.Uint64(word[:]))
		r.row = []column.Datum{column.IntDatum(x), column.FloatDatum(float64(x%1000) / 100), column.BytesDatum(bytes.Repeat(cells, 1+int(op)))}
		if op%8 == 7 {
			r.row[n%3] = column.Null()
		}
		rows = append(rows, r)
	}
	return rows
}

func writeSegment(t testing.TB, fs vfs.FS, rows []segmentRow) string {
	if err := fs.MkdirAll(segmentDir); err != nil {
		t.Fatal(err)
	}
	w := segment.NewWriter(fs, segmentDir, segment.Schema{Columns: segmentKinds}, segment.WriterOptions{BlockBytes: 300, WideBytes: 500})
	for _, r := range rows {
		if err := w.Add(r.key, r.ts, r.deleted, nil, r.row); err != nil {
			t.Fatal(err)
		}
	}
	info, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return info.Name
}

// readSegment compares every version with rows; an error is returned, a wrong
// answer fails the test.
func readSegment(t testing.TB, fs vfs.FS, name string, rows []segmentRow) error {
	c := cache.New(1 << 16)
	defer c.Close()
	r, err := segment.Open(fs, segmentDir, name, c, segment.OpenOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	dst := make([]column.Datum, len(segmentKinds))
	for i, want := range rows {
		o := &segment.ReadOptions{Snapshot: want.ts, Cols: []int{0, 1, 2}, NoModel: i%2 == 0}
		res, err := r.Get(want.key, dst, o)
		if err != nil {
			return err
		}
		if res.Version != want.ts || (res.Status == segment.Deleted) != want.deleted {
			t.Fatalf("row %d: %+v, want %+v", i, res, want)
		}
		for c, k := range segmentKinds {
			d, w := dst[c], want.row[c]
			if !want.deleted && (d.Null != w.Null || !d.Null && (k == column.Bytes && !bytes.Equal(d.B, w.B) || k != column.Bytes && d.I != w.I)) {
				t.Fatalf("row %d column %d: %v, want %v", i, c, d, w)
			}
		}
	}
	it := r.Iter(segment.IterOptions{Snapshot: math.MaxUint64, Cols: []int{2, 0}, Reverse: len(rows)%2 == 0})
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		if err != nil {
			return err
		}
		if !ok {
			return r.Verify(context.Background(), nil)
		}
	}
}

// FuzzSegmentRoundTrip: what was written is read back.
func FuzzSegmentRoundTrip(f *testing.F) {
	f.Add([]byte("\x01\x04abcd\x02\x03xyz\x00\x00\x0f\x01q\x07\x05hello"))
	f.Fuzz(func(t *testing.T, in []byte) {
		rows := segmentRows(in)
		fs := vfs.NewVolatile()
		if err := readSegment(t, fs, writeSegment(t, fs, rows), rows); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzSegmentDamage: a segment in which bytes were replaced is either read
// with the right answers or refused as corrupted.
func FuzzSegmentDamage(f *testing.F) {
	var seed []byte
	for i := range 200 {
		seed = fmt.Appendf(seed, "%c\x06value%c", byte(i), byte(i))
	}
	rows := segmentRows(seed)
	fs := vfs.NewVolatile()
	name := writeSegment(f, fs, rows)
	good := readWhole(f, fs, name)
	f.Add(uint32(len(good)-20), []byte{1})
	f.Add(uint32(30), []byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, at uint32, damage []byte) {
		bad := bytes.Clone(good)
		n := copy(bad[int(at)%len(bad):], damage)
		fs := vfs.NewVolatile()
		if err := fs.MkdirAll(segmentDir); err != nil {
			t.Fatal(err)
		}
		file, err := fs.Create(path.Join(segmentDir, name))
		if err == nil {
			_, err = file.WriteAt(bad, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		err = readSegment(t, fs, name, rows)
		if err != nil && !segment.IsCorruption(err) {
			t.Fatal(err)
		}
		if (err == nil) != bytes.Equal(good, bad) {
			t.Fatalf("%d bytes at %d: %v", n, at, err)
		}
	})
}

func readWhole(t testing.TB, fs vfs.FS, name string) []byte {
	file, err := fs.Open(path.Join(segmentDir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	n, err := file.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := file.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}
