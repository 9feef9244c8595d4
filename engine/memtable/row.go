package memtable

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/omendb/omendb/engine/column"
)

// Row is the encoded form of a row, in which it lives in memtables and commit
// records. Any cell is found in constant time:
//
//	+--------+-----------------+----------------------+-------------+
//	| u16 n  | null bitmap     | n slots of 8 bytes   | value bytes |
//	| columns| (n+7)/8 bytes   | little-endian        |             |
//	+--------+-----------------+----------------------+-------------+
//
// A slot is the int64, the IEEE bits of a float, or for a Bytes column the
// u32 offset from the start of the row and the u32 length of its value.
type Row []byte

// MaxColumns bounds a row's columns; PostgreSQL allows 1,600 in a table.
const MaxColumns = 1<<16 - 1

// MaxRowBytes bounds an encoded row: a field is at most 1 GB in PostgreSQL and
// offsets have 32 bits.
const MaxRowBytes = 1<<32 - 1

// RowSize returns the encoded size of a row.
func RowSize(kinds []column.Kind, row []column.Datum) int {
	n := 2 + (len(row)+7)/8 + 8*len(row)
	for i := range row {
		if kinds[i] == column.Bytes && !row[i].Null {
			n += len(row[i].B)
		}
	}
	return n
}

// AppendRow appends the encoded row to dst. A row may have fewer columns than kinds.
func AppendRow(dst []byte, kinds []column.Kind, row []column.Datum) []byte {
	size := RowSize(kinds, row)
	if len(row) > MaxColumns || size > MaxRowBytes {
		panic(fmt.Sprintf("memtable: row of %d columns and %d bytes", len(row), size))
	}
	start := len(dst)
	dst = slices.Grow(dst, size)[:start+size]
	encodeRow(dst[start:], kinds, row)
	return dst
}

// encodeRow writes a row to bytes of its size, which hold anything.
func encodeRow(r []byte, kinds []column.Kind, row []column.Datum) {
	binary.LittleEndian.PutUint16(r, uint16(len(row)))
	slots := 2 + (len(row)+7)/8
	clear(r[2:slots])
	heap := slots + 8*len(row)
	for i := range row {
		d := &row[i]
		if d.Null {
			r[2+i/8] |= 1 << (i % 8)
			binary.LittleEndian.PutUint64(r[slots+8*i:], 0)
			continue
		}
		v := uint64(d.I)
		if kinds[i] == column.Bytes {
			v = uint64(heap) | uint64(len(d.B))<<32
			heap += copy(r[heap:], d.B)
		}
		binary.LittleEndian.PutUint64(r[slots+8*i:], v)
	}
}

// Columns returns the number of columns the row was written with.
func (r Row) Columns() int { return int(binary.LittleEndian.Uint16(r)) }

// Datum returns the value of column i, which must exist, sharing the row's bytes.
func (r Row) Datum(i int, k column.Kind) column.Datum {
	if r[2+i/8]&(1<<(i%8)) != 0 {
		return column.Datum{Null: true}
	}
	n := r.Columns()
	v := binary.LittleEndian.Uint64(r[2+(n+7)/8+8*i:])
	if k != column.Bytes {
		return column.Datum{I: int64(v)}
	}
	off, size := uint32(v), uint32(v>>32)
	return column.Datum{B: r[off : off+size : off+size]}
}

// Number returns the slot of column i, which must exist: the value of an Int
// column, or the IEEE bits of a Float column.
func (r Row) Number(i int) (bits uint64, null bool) {
	n := r.Columns()
	return binary.LittleEndian.Uint64(r[2+(n+7)/8+8*i:]), r[2+i/8]&(1<<(i%8)) != 0
}

// Check reports whether what was read from a log is a version of a row of these kinds.
func (v Version) Check(kinds []column.Kind) bool {
	return v.Flags&^(Tombstone|Inserted|Fresh) == 0 && (v.Deleted() || Row(v.Data).Check(kinds))
}

// Check reports whether bytes read from a log are a row of these kinds, so
// that Datum cannot run out of bounds on them.
func (r Row) Check(kinds []column.Kind) bool {
	if len(r) < 2 {
		return false
	}
	n := r.Columns()
	slots := 2 + (n+7)/8
	if n > len(kinds) || len(r) < slots+8*n {
		return false
	}
	for i := range n {
		if kinds[i] != column.Bytes || r[2+i/8]&(1<<(i%8)) != 0 {
			continue
		}
		v := binary.LittleEndian.Uint64(r[slots+8*i:])
		if uint64(uint32(v))+v>>32 > uint64(len(r)) {
			return false
		}
	}
	return true
}
