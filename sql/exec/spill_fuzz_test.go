package exec

import (
	"bytes"
	"errors"
	"testing"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// spilled is a spill file with rows on a disk in memory.
func spilled(t testing.TB) (*spillFile, vfs.FS) {
	t.Helper()
	fs := vfs.NewVolatile()
	st := &state{rt: &Runtime{TempFS: fs, TempDir: "temp", Context: t.Context()}}
	f, err := st.newSpill([]column.Kind{column.Int, column.Bytes})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		row := []column.Datum{column.IntDatum(int64(i)), column.BytesDatum(bytes.Repeat([]byte{'x'}, i))}
		if i%7 == 0 {
			row[1] = column.Null()
		}
		if err := f.add(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.flush(); err != nil {
		t.Fatal(err)
	}
	return f, fs
}

// readSpilled reads to the end or to an error.
func readSpilled(f *spillFile) (rows int, err error) {
	r, err := f.reader()
	for err == nil {
		var row []column.Datum
		if row, err = r.next(); row == nil {
			break
		}
		rows++
	}
	return rows, err
}

// FuzzSpill damages a spill file: reading it gives an error that tells of damage, or all rows.
func FuzzSpill(f *testing.F) {
	f.Add(uint16(0), []byte{1})
	f.Add(uint16(300), []byte{255, 255, 255, 255, 255})
	f.Add(uint16(157), bytes.Repeat([]byte{255}, 8)) // the sum of a row and the row's first bytes
	f.Fuzz(func(t *testing.T, at uint16, damage []byte) {
		s, fs := spilled(t)
		defer s.close()
		whole, err := vfs.ReadFile(fs, s.name)
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Clone(whole)
		copy(bad[int(at)%len(bad):], damage)
		if _, err := s.file.WriteAt(bad, 0); err != nil {
			t.Fatal(err)
		}
		rows, err := readSpilled(s)
		var c *engine.CorruptionError
		if err != nil && !errors.As(err, &c) || err == nil && (rows != 50 || !bytes.Equal(whole, bad)) {
			t.Fatalf("%d rows: %v", rows, err)
		}
	})
}

// FuzzSpilledRow takes any bytes for a row with a right checksum.
func FuzzSpilledRow(f *testing.F) {
	f.Add([]byte{1, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 'a', 'b', 'c'})
	f.Add([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(_ *testing.T, b []byte) {
		decodeSpilled(b, []column.Kind{column.Int, column.Bytes}, make([]column.Datum, 2))
	})
}
