package types

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// The form of an array, of which oidvector and int2vector are the one-dimensional kind:
//
//	+--------+---------+----------+-------------------------+------------+----------+
//	| ndim 1 | flags 1 | elem oid | ndim × (length, lower)  | null bits  | elements |
//	+--------+---------+----------+-------------------------+------------+----------+
//	flags     1: some element is NULL, the null bits are there (n bits, lowest first)
//	          2: elements are 8 bytes each (Int and Float kinds), NULLs included
//	elements  otherwise n end offsets of 4 bytes, relative to the first value, then the values
//
// An empty array has no dimensions.
const (
	arrayHasNulls = 1
	arrayFixed    = 2
	arrayHead     = 6
)

// The limits of arrays, as PostgreSQL has them.
const (
	MaxArrayDims  = 6
	MaxArrayItems = 134217727 // what fits the largest value PostgreSQL can hold
)

// Dim is one dimension of an array: its length and lower bound.
type Dim struct {
	Len, Lower int32
}

// Array is a decoded array; the elements are in row-major order.
type Array struct {
	Elem  OID
	Dims  []Dim
	Elems []Datum
}

// NewArray returns a one-dimensional array with lower bound 1.
func NewArray(elem OID, elems []Datum) Array {
	a := Array{Elem: elem, Elems: elems}
	if len(elems) > 0 {
		a.Dims = []Dim{{int32(len(elems)), 1}}
	}
	return a
}

// ArrayFrom decodes an array; the elements share its bytes.
func ArrayFrom(d Datum) Array {
	var a Array
	ArrayInto(d, &a)
	return a
}

// arrayBody is an encoded array behind its dimensions.
type arrayBody struct {
	n     int
	fixed bool
	nulls []byte
	ends  []byte // fixed: the values
	data  []byte
}

func bodyOf(b []byte, flags byte, n int) arrayBody {
	x := arrayBody{n: n, fixed: flags&arrayFixed != 0}
	if flags&arrayHasNulls != 0 {
		x.nulls, b = b[:(n+7)/8], b[(n+7)/8:]
	}
	x.ends = b
	if !x.fixed {
		x.data = b[4*n:]
	}
	return x
}

func (x *arrayBody) at(i int) Datum {
	switch {
	case x.nulls != nil && x.nulls[i>>3]&(1<<(i&7)) != 0:
		return column.Null()
	case x.fixed:
		return Datum{I: int64(binary.BigEndian.Uint64(x.ends[8*i:]))}
	}
	start, end := 0, int(binary.BigEndian.Uint32(x.ends[4*i:]))
	if i > 0 {
		start = int(binary.BigEndian.Uint32(x.ends[4*(i-1):]))
	}
	return Datum{B: x.data[start:end:end]}
}

// ArrayInto is ArrayFrom with the memory of an array that nobody needs any more.
func ArrayInto(d Datum, a *Array) {
	x := arrayHeader(d, a)
	a.Elems = slices.Grow(a.Elems[:0], x.n)
	for i := range x.n {
		a.Elems = append(a.Elems, x.at(i))
	}
}

// arrayHeader decodes all of an array but its elements.
func arrayHeader(d Datum, a *Array) arrayBody {
	b := d.B
	ndim, flags := int(b[0]), b[1]
	a.Elem, a.Dims = binary.BigEndian.Uint32(b[2:]), a.Dims[:0]
	b = b[arrayHead:]
	if ndim == 0 {
		return arrayBody{}
	}
	n := 1
	for range ndim {
		dim := Dim{int32(binary.BigEndian.Uint32(b)), int32(binary.BigEndian.Uint32(b[4:]))}
		a.Dims = append(a.Dims, dim)
		n *= int(dim.Len)
		b = b[8:]
	}
	return bodyOf(b, flags, n)
}

// ArrayAt returns the element with a subscript, NULL beyond the ends and for arrays of several dimensions.
func ArrayAt(d Datum, i int64) Datum {
	b := d.B
	if b[0] != 1 {
		return column.Null()
	}
	n, lower := int(binary.BigEndian.Uint32(b[arrayHead:])), int32(binary.BigEndian.Uint32(b[arrayHead+4:]))
	i -= int64(lower)
	if i < 0 || i >= int64(n) {
		return column.Null()
	}
	x := bodyOf(b[arrayHead+8:], b[1], n)
	return x.at(int(i))
}

// ArrayLen returns the number of elements without decoding them.
func ArrayLen(d Datum) int {
	if d.B[0] == 0 {
		return 0
	}
	n := 1
	for i := range int(d.B[0]) {
		n *= int(binary.BigEndian.Uint32(d.B[arrayHead+8*i:]))
	}
	return n
}

// RetypeArray returns an array with elements of another type whose values look the same.
func RetypeArray(d Datum, elem OID) Datum {
	b := bytes.Clone(d.B)
	binary.BigEndian.PutUint32(b[2:], elem)
	return Datum{B: b}
}

// ArrayElem returns the type of an array's elements.
func ArrayElem(d Datum) OID { return binary.BigEndian.Uint32(d.B[2:]) }

// Encode encodes the array; kind is that of its elements.
func (a Array) Encode(kind column.Kind) Datum {
	n := len(a.Elems)
	if n == 0 {
		a.Dims = nil
	}
	flags, size := byte(0), arrayHead+8*len(a.Dims)+(n+7)/8+8*n
	for _, d := range a.Elems {
		if d.Null {
			flags |= arrayHasNulls
		}
		size += len(d.B)
	}
	if kind != column.Bytes {
		flags |= arrayFixed
	}
	b := append(make([]byte, 0, size), byte(len(a.Dims)), flags)
	b = binary.BigEndian.AppendUint32(b, a.Elem)
	for _, dim := range a.Dims {
		b = binary.BigEndian.AppendUint32(b, uint32(dim.Len))
		b = binary.BigEndian.AppendUint32(b, uint32(dim.Lower))
	}
	if flags&arrayHasNulls != 0 {
		at := len(b)
		b = b[:at+(n+7)/8]
		for i, d := range a.Elems {
			if d.Null {
				b[at+i>>3] |= 1 << (i & 7)
			}
		}
	}
	if kind != column.Bytes {
		for _, d := range a.Elems {
			b = binary.BigEndian.AppendUint64(b, uint64(d.I))
		}
		return bytesDatum(b)
	}
	end := 0
	for _, d := range a.Elems {
		end += len(d.B)
		b = binary.BigEndian.AppendUint32(b, uint32(end))
	}
	for _, d := range a.Elems {
		b = append(b, d.B...)
	}
	return bytesDatum(b)
}

// MakeArray encodes an array of any element type.
func (e *Env) MakeArray(a Array) Datum { return a.Encode(e.Kind(a.Elem)) }

// arrayOrder compares arrays: element by element, then by size and shape.
func (e *Env) arrayOrder(elem, coll OID) *order {
	o := e.findOrder(elem, coll)
	if o == nil {
		return nil
	}
	return &order{
		compare: func(x, y Datum) int { return compareArrays(o, ArrayFrom(x), ArrayFrom(y)) },
		hash: func(d Datum) uint64 {
			h := uint64(1)
			for _, v := range ArrayFrom(d).Elems {
				part := uint64(0)
				if !v.Null {
					part = o.hash(v)
				}
				h = CombineHash(h, part)
			}
			return h
		},
		keyKind: column.Bytes,
		key:     func(d Datum) Datum { return bytesDatum(arrayKey(o, ArrayFrom(d))) },
	}
}

func compareArrays(o *order, a, b Array) int {
	for i := 0; i < len(a.Elems) && i < len(b.Elems); i++ {
		if c := compareNullable(o, a.Elems[i], b.Elems[i]); c != 0 {
			return c
		}
	}
	if c := len(a.Elems) - len(b.Elems); c != 0 {
		return sign(c)
	}
	if c := len(a.Dims) - len(b.Dims); c != 0 {
		return sign(c)
	}
	for i := range a.Dims {
		if c := int(a.Dims[i].Len) - int(b.Dims[i].Len); c != 0 {
			return sign(c)
		}
	}
	for i := range a.Dims {
		if c := int(a.Dims[i].Lower) - int(b.Dims[i].Lower); c != 0 {
			return sign(c)
		}
	}
	return 0
}

// compareNullable compares parts of a value: NULLs are equal and above everything.
func compareNullable(o *order, a, b Datum) int {
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return 1
	case b.Null:
		return -1
	}
	return o.compare(a, b)
}

// arrayKey is the elements' keys, NULLs last, a zero byte below any of them, and the shape.
func arrayKey(o *order, a Array) []byte {
	var b []byte
	for _, d := range a.Elems {
		b = o.appendKey(b, d)
	}
	b = append(b, 0, byte(len(a.Dims)))
	for _, dim := range a.Dims {
		b = binary.BigEndian.AppendUint32(b, uint32(dim.Len))
	}
	for _, dim := range a.Dims {
		b = binary.BigEndian.AppendUint32(b, uint32(dim.Lower)^1<<31)
	}
	return b
}

// appendKey appends the ascending key of a part of a value.
func (o *order) appendKey(dst []byte, d Datum) []byte {
	if o.key != nil && !d.Null {
		d = o.key(d)
	}
	return keys.AppendDatum(dst, o.keyKind, d, 0)
}
