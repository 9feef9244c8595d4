package segment

import (
	"encoding/binary"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/engine/learned"
)

// Zone bounds the values of one column in a run of rows. Min and Max are in
// ordered form: keys.IntBits of an Int, keys.FloatBits of a Float, and of a
// byte string its first eight bytes as a big-endian number, zeros appended, so
// that a greater byte string may start with Max but none exceeds its eight bytes.
type Zone struct {
	Rows  uint64
	Nulls uint64 // tombstones count as rows and, in every column, as NULL
	Min   uint64 // meaningless when Nulls == Rows
	Max   uint64
}

// AllNull reports whether no row has a value.
func (z Zone) AllNull() bool { return z.Nulls == z.Rows }

// zoneBits returns the ordered form of d, which is not NULL.
func zoneBits(k column.Kind, d column.Datum) uint64 {
	switch k {
	case column.Int:
		return keys.IntBits(d.I)
	case column.Float:
		return keys.FloatBits(d.Float())
	}
	return learned.Chunk(d.B)
}

// ZoneOf is the zone of rows that all hold d, which is not NULL, but for some of them.
func ZoneOf(k column.Kind, d column.Datum, rows, nulls uint64) Zone {
	x := zoneBits(k, d)
	return Zone{Rows: rows, Nulls: nulls, Min: x, Max: x}
}

// MayHold reports whether a row may have the value d, which is not NULL.
func (z Zone) MayHold(k column.Kind, d column.Datum) bool {
	x := zoneBits(k, d)
	return !z.AllNull() && z.Min <= x && x <= z.Max
}

func (z *Zone) add(k column.Kind, d column.Datum) {
	z.Rows++
	if d.Null {
		z.Nulls++
		return
	}
	x := zoneBits(k, d)
	if z.Rows == z.Nulls+1 {
		z.Min, z.Max = x, x
		return
	}
	z.Min, z.Max = min(z.Min, x), max(z.Max, x)
}

// merge widens z by another run of rows.
func (z *Zone) merge(o Zone) {
	switch {
	case o.AllNull():
	case z.AllNull():
		z.Min, z.Max = o.Min, o.Max
	default:
		z.Min, z.Max = min(z.Min, o.Min), max(z.Max, o.Max)
	}
	z.Rows += o.Rows
	z.Nulls += o.Nulls
}

// zoneSize is the length of an encoded zone.
const zoneSize = 32

func (z Zone) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, z.Rows)
	dst = binary.LittleEndian.AppendUint64(dst, z.Nulls)
	dst = binary.LittleEndian.AppendUint64(dst, z.Min)
	return binary.LittleEndian.AppendUint64(dst, z.Max)
}

// readZone decodes a zone from the first zoneSize bytes of b.
func readZone(b []byte) Zone {
	return Zone{
		Rows:  binary.LittleEndian.Uint64(b),
		Nulls: binary.LittleEndian.Uint64(b[8:]),
		Min:   binary.LittleEndian.Uint64(b[16:]),
		Max:   binary.LittleEndian.Uint64(b[24:]),
	}
}
