// Package column holds the physical form of values: what segments store and
// what the executor computes on. It knows three physical kinds and nothing of
// SQL types; sql/types maps every SQL type onto one of the kinds.
//
// The types:
//
//	Kind   the physical kind of a column: Int, Float or Bytes
//	Datum  one value, or NULL
//	Vec    one column of a batch
//	Batch  up to BatchSize rows, column by column, with an optional selection
//
// Go compiles no SIMD loops, so narrow lanes would cost code and win nothing:
// every integer-like type travels as int64, and segments bit-pack it on disk.
//
// Ownership: the bytes that a Datum, a Vec or a Batch points to belong to
// whoever produced them and stay valid until its next call (Next, Get, Close).
// Whoever keeps a value longer copies it (Datum.Clone, Vec.AppendCopy).
package column

import (
	"bytes"
	"math"
	"slices"
	"unsafe"
)

// BatchSize is the number of rows that operators aim to put into one batch:
// a column of it is 8 kB, so that a handful of columns stay in the L1 and L2 caches.
const BatchSize = 1024

// Kind is the physical kind of a column.
type Kind uint8

// The physical kinds.
const (
	Int   Kind = 1 // int64: bool, int2/4/8, oid, "char", date, time, timestamp[tz], money, enum
	Float Kind = 2 // float64: float4, float8
	Bytes Kind = 3 // variable length: text, bytea, numeric, interval, uuid, json, arrays, rows
)

// String returns the kind's name for messages.
func (k Kind) String() string {
	switch k {
	case Int:
		return "int"
	case Float:
		return "float"
	case Bytes:
		return "bytes"
	}
	return "invalid"
}

// Datum is one value of some kind, or NULL. The kind is not stored: it comes
// from the column or expression that the datum belongs to.
type Datum struct {
	B    []byte // the value of a Bytes column
	I    int64  // the value of an Int column; the IEEE bits of a Float column
	Null bool
}

// Null returns the NULL datum.
func Null() Datum { return Datum{Null: true} }

// IntDatum returns an Int value.
func IntDatum(v int64) Datum { return Datum{I: v} }

// FloatDatum returns a Float value.
func FloatDatum(v float64) Datum { return Datum{I: int64(math.Float64bits(v))} }

// BytesDatum returns a Bytes value that shares b.
func BytesDatum(b []byte) Datum { return Datum{B: b} }

// StringDatum returns a Bytes value holding a copy of s.
func StringDatum(s string) Datum { return Datum{B: []byte(s)} }

// BoolDatum returns an Int value, 1 for true and 0 for false.
func BoolDatum(v bool) Datum {
	if v {
		return Datum{I: 1}
	}
	return Datum{}
}

// Float returns the value of a Float datum.
func (d Datum) Float() float64 { return math.Float64frombits(uint64(d.I)) }

// Bool returns the value of a boolean datum; NULL is false.
func (d Datum) Bool() bool { return !d.Null && d.I != 0 }

// String returns the value of a Bytes datum as a string.
func (d Datum) String() string { return string(d.B) }

// Clone returns a datum that owns its bytes.
func (d Datum) Clone() Datum {
	if d.B != nil {
		d.B = bytes.Clone(d.B)
	}
	return d
}

// Bitmap is a set of row numbers, 64 to a word. A nil bitmap is empty.
type Bitmap []uint64

// Get reports whether bit i is set; bits beyond the end are not.
func (b Bitmap) Get(i int) bool {
	w := i >> 6
	return w < len(b) && b[w]&(1<<(uint(i)&63)) != 0
}

// Set sets bit i, growing the bitmap as needed.
func (b *Bitmap) Set(i int) {
	w := i >> 6
	for len(*b) <= w {
		*b = append(*b, 0)
	}
	(*b)[w] |= 1 << (uint(i) & 63)
}

// Clear unsets bit i.
func (b Bitmap) Clear(i int) {
	if w := i >> 6; w < len(b) {
		b[w] &^= 1 << (uint(i) & 63)
	}
}

// Any reports whether any bit is set.
func (b Bitmap) Any() bool {
	for _, w := range b {
		if w != 0 {
			return true
		}
	}
	return false
}

// First reports whether the first n bits are all set.
func (b Bitmap) First(n int) bool {
	if len(b) < (n+63)>>6 {
		return false
	}
	for _, w := range b[:n>>6] {
		if w != ^uint64(0) {
			return false
		}
	}
	last := uint64(1)<<(uint(n)&63) - 1
	return last == 0 || b[n>>6]&last == last
}

// Vec is one column of values. Exactly one of I, F and B is in use, by Kind.
// The lane holds an unspecified value where the row is NULL.
type Vec struct {
	Kind  Kind
	Nulls Bitmap // set bits are NULL; nil when no row is
	I     []int64
	F     []float64
	B     [][]byte
}

// Len returns the number of rows.
func (v *Vec) Len() int {
	switch v.Kind {
	case Int:
		return len(v.I)
	case Float:
		return len(v.F)
	}
	return len(v.B)
}

// numbers makes the vector, of kind Int or Float, longer by n unspecified
// values and returns them, as bits if they are floats. Their capacity is that
// of the vector.
func (v *Vec) numbers(n int) []int64 {
	at := v.Len()
	if v.Kind == Int {
		v.I = extend(v.I, n)
		return v.I[at:]
	}
	v.F = extend(v.F, n)
	f := v.F[at:]
	return unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(f))), cap(f))[:n]
}

// Reset empties the vector and gives it a kind, keeping its memory.
func (v *Vec) Reset(k Kind) {
	v.Kind = k
	v.Nulls = v.Nulls[:0]
	v.I, v.F, v.B = v.I[:0], v.F[:0], v.B[:0]
}

// Resize makes the vector n rows long, none of them NULL, with unspecified values.
func (v *Vec) Resize(k Kind, n int) {
	v.Kind = k
	v.Nulls = v.Nulls[:0]
	switch k {
	case Int:
		v.I = grow(v.I, n)
	case Float:
		v.F = grow(v.F, n)
	default:
		v.B = grow(v.B, n)
	}
}

// smallVec is the room of vectors that hold a few rows: single-key reads make
// many of them.
const smallVec = 8

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		if n <= smallVec {
			return make([]T, n, smallVec)
		}
		return make([]T, n, max(n, BatchSize))
	}
	return s[:n]
}

// Grow makes room for n rows more.
func (v *Vec) Grow(n int) {
	switch v.Kind {
	case Int:
		v.I = slices.Grow(v.I, n)
	case Float:
		v.F = slices.Grow(v.F, n)
	default:
		v.B = slices.Grow(v.B, n)
	}
}

// Null reports whether row i is NULL.
func (v *Vec) Null(i int) bool { return v.Nulls.Get(i) }

// AllNull reports whether the first n rows are all NULL.
func (v *Vec) AllNull(n int) bool { return len(v.Nulls) > 0 && v.Nulls.First(n) }

// SetAllNull makes the vector n rows of NULL.
func (v *Vec) SetAllNull(k Kind, n int) {
	v.Resize(k, n)
	for range (n + 63) >> 6 {
		v.Nulls = append(v.Nulls, ^uint64(0))
	}
	if rest := uint(n) & 63; rest != 0 {
		v.Nulls[len(v.Nulls)-1] = 1<<rest - 1
	}
}

// Datum returns row i, sharing its bytes.
func (v *Vec) Datum(i int) Datum {
	if v.Nulls.Get(i) {
		return Datum{Null: true}
	}
	switch v.Kind {
	case Int:
		return Datum{I: v.I[i]}
	case Float:
		return Datum{I: int64(math.Float64bits(v.F[i]))}
	}
	return Datum{B: v.B[i]}
}

// Set stores d at row i, which must exist, sharing its bytes.
func (v *Vec) Set(i int, d Datum) {
	if d.Null {
		v.Nulls.Set(i)
		return
	}
	v.Nulls.Clear(i)
	switch v.Kind {
	case Int:
		v.I[i] = d.I
	case Float:
		v.F[i] = d.Float()
	default:
		v.B[i] = d.B
	}
}

// Append adds a row, sharing the bytes of d.
func (v *Vec) Append(d Datum) {
	if d.Null {
		v.Nulls.Set(v.Len())
	}
	switch v.Kind {
	case Int:
		v.I = append(v.I, d.I)
	case Float:
		v.F = append(v.F, d.Float())
	default:
		v.B = append(v.B, d.B)
	}
}

// AppendCopy adds a row that owns its bytes.
func (v *Vec) AppendCopy(d Datum) { v.Append(d.Clone()) }

// Batch is a run of rows, column by column. Every column has N physical rows.
// When Sel is not nil it lists, in order, the physical rows that are present.
type Batch struct {
	Cols []Vec
	Sel  []int32
	N    int
}

// Len returns the number of rows present.
func (b *Batch) Len() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Row returns the physical row number of the i-th row present.
func (b *Batch) Row(i int) int {
	if b.Sel != nil {
		return int(b.Sel[i])
	}
	return i
}

// Reset empties the batch and gives it one column per kind, keeping memory.
func (b *Batch) Reset(kinds ...Kind) {
	for len(b.Cols) < len(kinds) {
		b.Cols = append(b.Cols, Vec{})
	}
	b.Cols = b.Cols[:len(kinds)]
	for i, k := range kinds {
		b.Cols[i].Reset(k)
	}
	b.Sel, b.N = nil, 0
}

// AppendRow adds a row of one datum per column, sharing bytes. Sel must be nil.
func (b *Batch) AppendRow(row []Datum) {
	for i := range b.Cols {
		b.Cols[i].Append(row[i])
	}
	b.N++
}
