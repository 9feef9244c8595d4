package types

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// JSONB is a jsonb value or part of one, in its stored form:
//
//	scalar   tag 1 | nothing (null, true, false), UTF-8 text (string), a numeric (number)
//	array    tag 1 | count 4 | count × end offset 4 | values
//	object   tag 1 | count 4 | count × end of key 4 | count × end of value 4 | keys | values
//
// Offsets are relative to the first value (or key). Keys are unique and sorted by length,
// then bytes, so that a key is found by binary search. Every part is a JSONB itself.
type JSONB []byte

// JSONKind is what a jsonb value is; the order is that of comparison between kinds.
type JSONKind uint8

// The kinds.
const (
	JSONNull JSONKind = iota
	JSONString
	JSONNumber
	JSONFalse
	JSONTrue
	JSONArray
	JSONObject
)

// Kind returns what j is.
func (j JSONB) Kind() JSONKind { return JSONKind(j[0]) }

// IsScalar reports whether j is neither an array nor an object.
func (j JSONB) IsScalar() bool { return j.Kind() < JSONArray }

// Len returns the number of elements or pairs of a container.
func (j JSONB) Len() int { return int(binary.BigEndian.Uint32(j[1:])) }

// Text returns the text of a string.
func (j JSONB) Text() string { return string(j[1:]) }

// Number returns the value of a number.
func (j JSONB) Number() Numeric { return NumericFrom(bytesDatum(j[1:])) }

// part returns the i-th of n parts whose end offsets start at offsets.
func (j JSONB) part(offsets, base, i int) []byte {
	start := 0
	if i > 0 {
		start = int(binary.BigEndian.Uint32(j[offsets+4*(i-1):]))
	}
	end := int(binary.BigEndian.Uint32(j[offsets+4*i:]))
	return j[base+start : base+end : base+end]
}

// Index returns element i of an array.
func (j JSONB) Index(i int) JSONB { return j.part(5, 5+4*j.Len(), i) }

// Key returns key i of an object.
func (j JSONB) Key(i int) []byte { return j.part(5, 5+8*j.Len(), i) }

// Value returns the value of pair i of an object.
func (j JSONB) Value(i int) JSONB {
	n := j.Len()
	keysEnd := 0
	if n > 0 {
		keysEnd = int(binary.BigEndian.Uint32(j[5+4*(n-1):]))
	}
	return j.part(5+4*n, 5+8*n+keysEnd, i)
}

// Find returns the place of a key in an object, or where it would be.
func (j JSONB) Find(key []byte) (int, bool) {
	return sort.Find(j.Len(), func(i int) int { return compareJSONKeys(key, j.Key(i)) })
}

// Get returns the value of a key; false when j is no object or has no such key.
func (j JSONB) Get(key []byte) (JSONB, bool) {
	if j.Kind() != JSONObject {
		return nil, false
	}
	i, ok := j.Find(key)
	if !ok {
		return nil, false
	}
	return j.Value(i), true
}

func compareJSONKeys(a, b []byte) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return bytes.Compare(a, b)
}

// JSONBConst returns null, true or false.
func JSONBConst(k JSONKind) JSONB { return JSONB{byte(k)} }

// JSONBString returns a string.
func JSONBString(s string) JSONB { return append(JSONB{byte(JSONString)}, s...) }

// JSONBNumber returns a number.
func JSONBNumber(n Numeric) JSONB { return n.AppendTo(JSONB{byte(JSONNumber)}) }

// JSONBArray returns an array.
func JSONBArray(elems []JSONB) JSONB {
	b := binary.BigEndian.AppendUint32(JSONB{byte(JSONArray)}, uint32(len(elems)))
	end := 0
	for _, v := range elems {
		end += len(v)
		b = binary.BigEndian.AppendUint32(b, uint32(end))
	}
	for _, v := range elems {
		b = append(b, v...)
	}
	return b
}

// JSONBPair is one pair of an object.
type JSONBPair struct {
	Key   string
	Value JSONB
}

// JSONBObject returns an object. The pairs may come in any order, and are sorted in place; of
// equal keys the last wins.
func JSONBObject(pairs []JSONBPair) JSONB {
	slices.SortStableFunc(pairs, func(a, b JSONBPair) int {
		return compareJSONKeys([]byte(a.Key), []byte(b.Key))
	})
	unique := pairs[:0]
	for i, p := range pairs {
		if i+1 < len(pairs) && pairs[i+1].Key == p.Key {
			continue
		}
		unique = append(unique, p)
	}
	b := binary.BigEndian.AppendUint32(JSONB{byte(JSONObject)}, uint32(len(unique)))
	end := 0
	for _, p := range unique {
		end += len(p.Key)
		b = binary.BigEndian.AppendUint32(b, uint32(end))
	}
	end = 0
	for _, p := range unique {
		end += len(p.Value)
		b = binary.BigEndian.AppendUint32(b, uint32(end))
	}
	for _, p := range unique {
		b = append(b, p.Key...)
	}
	for _, p := range unique {
		b = append(b, p.Value...)
	}
	return b
}

// rank orders kinds; both booleans are one kind.
func (j JSONB) rank() int {
	if j.Kind() == JSONTrue {
		return int(JSONFalse)
	}
	return int(j.Kind())
}

// Compare orders values as the btree operators of jsonb do. A scalar at the top counts as
// an array of one element that sorts below true arrays of one.
func (j JSONB) Compare(k JSONB) int {
	if j.IsScalar() == k.IsScalar() {
		return j.compare(k)
	}
	scalar, other, flip := j, k, 1
	if k.IsScalar() {
		scalar, other, flip = k, j, -1
	}
	if other.Kind() == JSONArray && other.Len() < 1 && scalar.IsScalar() {
		return flip
	}
	return -flip
}

// ByteDifference compares as C's memcmp does, by the difference of the first two bytes that differ, then by length. What a
// comparison function returns is visible to whoever calls it by name, and PostgreSQL hands that out.
func ByteDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

func (j JSONB) compare(k JSONB) int {
	if c := cmp.Compare(j.rank(), k.rank()); c != 0 {
		return c
	}
	switch j.Kind() {
	case JSONString:
		return ByteDifference(j[1:], k[1:])
	case JSONNumber:
		return compareNumeric(bytesDatum(j[1:]), bytesDatum(k[1:]))
	case JSONFalse, JSONTrue:
		return cmp.Compare(j.Kind(), k.Kind())
	case JSONArray, JSONObject:
		return j.compareParts(k)
	}
	return 0
}

func (j JSONB) compareParts(k JSONB) int {
	n := j.Len()
	if c := cmp.Compare(n, k.Len()); c != 0 {
		return c
	}
	for i := range n {
		if j.Kind() == JSONArray {
			if c := j.Index(i).compare(k.Index(i)); c != 0 {
				return c
			}
			continue
		}
		if c := ByteDifference(j.Key(i), k.Key(i)); c != 0 {
			return c
		}
		if c := j.Value(i).compare(k.Value(i)); c != 0 {
			return c
		}
	}
	return 0
}

func (j JSONB) hash() uint64 {
	h := HashUint64(uint64(j.Kind()))
	switch j.Kind() {
	case JSONString:
		return CombineHash(h, HashBytes(j[1:]))
	case JSONNumber:
		return CombineHash(h, hashNumeric(bytesDatum(j[1:])))
	case JSONArray:
		for i := range j.Len() {
			h = CombineHash(h, j.Index(i).hash())
		}
	case JSONObject:
		for i := range j.Len() {
			h = CombineHash(CombineHash(h, HashBytes(j.Key(i))), j.Value(i).hash())
		}
	}
	return h
}

// appendKey appends the order-preserving key. Containers start with their size; a byte
// tells the scalar at the top from an array of one.
func (j JSONB) appendKey(dst []byte, top bool) []byte {
	if top && j.IsScalar() {
		dst = append(dst, byte(JSONArray), 0, 0, 0, 1, 0)
		return j.appendKey(dst, false)
	}
	dst = append(dst, byte(j.rank()))
	switch j.Kind() {
	case JSONString:
		return keys.AppendBytes(dst, j[1:], keys.NotNull)
	case JSONNumber:
		return keys.AppendBytes(dst, appendNumericKey(nil, j.Number()), keys.NotNull)
	case JSONFalse, JSONTrue:
		return append(dst, byte(j.Kind()))
	case JSONArray:
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(j.Len())), 1)
		for i := range j.Len() {
			dst = j.Index(i).appendKey(dst, false)
		}
	case JSONObject:
		dst = binary.BigEndian.AppendUint32(dst, uint32(j.Len()))
		for i := range j.Len() {
			dst = keys.AppendBytes(dst, j.Key(i), keys.NotNull)
			dst = j.Value(i).appendKey(dst, false)
		}
	}
	return dst
}

var jsonbOrder = &order{
	compare: func(a, b Datum) int { return JSONB(a.B).Compare(JSONB(b.B)) },
	hash:    func(d Datum) uint64 { return JSONB(d.B).hash() },
	keyKind: column.Bytes,
	key:     func(d Datum) Datum { return bytesDatum(JSONB(d.B).appendKey(nil, true)) },
}
