// Package itemkey takes values apart for indexes of the method gin, which have an entry for each item of a value: the
// elements of an array, the keys and values of a jsonb document, or its values by the path to them. The key of an
// entry is
//
//	column (1 byte) | class (1 byte) | length (2 bytes) | item | storage key of the row
//
// so that the rows of one item stand together in the order of the table. What an index finds may be too much, never
// too little: conditions are checked on the rows again.
package itemkey

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// The classes of items.
const (
	itemNull  = 0 // the value is NULL
	itemEmpty = 1 // the value has no items
	itemPlain = 2
)

// maxItem is the length in bytes up to which an item stands in the key as it is. The rest of a longer one is its hash.
const maxItem = 250

// Coder takes the values of one index column apart.
type Coder struct {
	column  byte
	class   string
	element func(dst []byte, d column.Datum) []byte // of array_ops
	number  func(dst []byte, d column.Datum) []byte // of jsonb
}

// Coders returns the coders of an index's columns, nil for an ordered index.
func Coders(env *types.Env, ix *catalog.Index) ([]*Coder, error) {
	if ix.Method != "gin" {
		return nil, nil
	}
	var out []*Coder
	for i, k := range ix.Keys {
		class := functions.OpclassByOID(k.OpClass)
		if class == nil || i > 255 {
			return nil, pgerr.New(pgerr.InternalError, "index \"%s\" has no operator class", ix.Name)
		}
		c := &Coder{column: byte(i), class: class.Name, number: env.KeyEncoder(types.NumericOID, 0, false, false)}
		if class.Name == "array_ops" {
			base, _ := env.BaseType(k.Type, -1)
			t := env.Type(base)
			if t == nil || !t.IsArray() {
				return nil, pgerr.New(pgerr.InternalError, "index \"%s\" is not over arrays", ix.Name)
			}
			c.element = env.KeyEncoder(t.Elem, k.Collation, false, false)
		}
		out = append(out, c)
	}
	return out, nil
}

// key makes the key of an item, without a storage key.
func (c *Coder) key(class byte, item []byte) []byte {
	if len(item) > maxItem {
		h := fnv.New64a()
		h.Write(item)
		item = h.Sum(slices.Clone(item[:maxItem-8]))
	}
	k := append(make([]byte, 0, 4+len(item)), c.column, class, byte(len(item)>>8), byte(len(item)))
	return append(k, item...)
}

// KeysOf returns the item keys of a value in order, each once.
func (c *Coder) KeysOf(d column.Datum) [][]byte {
	if d.Null {
		return [][]byte{c.key(itemNull, nil)}
	}
	list := c.items(d)
	if len(list) == 0 {
		return [][]byte{c.key(itemEmpty, nil)}
	}
	return list
}

func (c *Coder) items(d column.Datum) [][]byte {
	var out [][]byte
	switch c.class {
	case "array_ops":
		for _, e := range types.ArrayFrom(d).Elems {
			if !e.Null {
				out = append(out, c.key(itemPlain, c.element(nil, e)))
			}
		}
	case "jsonb_path_ops":
		c.paths(types.JSONB(d.B), fnvStart, &out)
	default:
		c.parts(types.JSONB(d.B), true, &out)
	}
	return Sort(out)
}

// Sort orders keys and leaves each once.
func Sort(list [][]byte) [][]byte {
	slices.SortFunc(list, bytes.Compare)
	return slices.CompactFunc(list, bytes.Equal)
}

// parts lists what jsonb_ops has of a document: keys, scalars, and strings in arrays as if they were keys, because the
// operator ? takes both.
func (c *Coder) parts(j types.JSONB, element bool, out *[][]byte) {
	switch j.Kind() {
	case types.JSONObject:
		for i := range j.Len() {
			*out = append(*out, c.name(j.Key(i)))
			c.parts(j.Value(i), false, out)
		}
	case types.JSONArray:
		for i := range j.Len() {
			c.parts(j.Index(i), true, out)
		}
	default:
		if element && j.Kind() == types.JSONString {
			*out = append(*out, c.name(j[1:]))
			return
		}
		*out = append(*out, c.key(itemPlain, c.scalar([]byte{'v'}, j)))
	}
}

func (c *Coder) name(s []byte) []byte { return c.key(itemPlain, append([]byte{'k'}, s...)) }

// scalar appends a scalar such that equal ones give equal bytes.
func (c *Coder) scalar(dst []byte, j types.JSONB) []byte {
	dst = append(dst, byte(j.Kind()))
	if j.Kind() == types.JSONNumber {
		return c.number(dst, column.BytesDatum(j[1:]))
	}
	return append(dst, j[1:]...)
}

const fnvStart = uint64(14695981039346656037) // the offset basis of FNV-1a

// paths lists what jsonb_path_ops has of a document: a hash of each scalar with the keys that lead to it.
func (c *Coder) paths(j types.JSONB, above uint64, out *[][]byte) {
	mix := func(b []byte) uint64 {
		h := fnv.New64a()
		h.Write(binary.BigEndian.AppendUint64(nil, above))
		h.Write(b)
		return h.Sum64()
	}
	switch j.Kind() {
	case types.JSONObject:
		for i := range j.Len() {
			c.paths(j.Value(i), mix(j.Key(i)), out)
		}
	case types.JSONArray:
		for i := range j.Len() {
			c.paths(j.Index(i), above, out)
		}
	default:
		*out = append(*out, c.key(itemPlain, binary.BigEndian.AppendUint64(nil, mix(c.scalar([]byte{0}, j)))))
	}
}

// The strategies of the operator classes of gin, as pg_amop numbers them.
const (
	arrayOverlap   = 1
	arrayContains  = 2
	arrayContained = 3
	arrayEqual     = 4
	jsonbContains  = 7
	jsonbExists    = 9
	jsonbExistsAny = 10
	jsonbExistsAll = 11
)

// Search says which entries a condition asks for: of all the keys, of any of them, or all entries of the column.
type Search struct {
	Keys  [][]byte
	Any   bool
	Whole bool
}

// Search translates column operator value.
func (c *Coder) Search(strategy int, value column.Datum) Search {
	if value.Null {
		return Search{Any: true}
	}
	switch strategy {
	case arrayOverlap:
		return Search{Keys: c.items(value), Any: true}
	case arrayContained:
		return Search{Keys: append([][]byte{c.key(itemEmpty, nil)}, c.items(value)...), Any: true}
	case arrayEqual:
		return Search{Keys: c.KeysOf(value)}
	case jsonbExists:
		return Search{Keys: [][]byte{c.name(value.B)}}
	case jsonbExistsAny, jsonbExistsAll:
		var list [][]byte
		for _, e := range types.ArrayFrom(value).Elems {
			if !e.Null {
				list = append(list, c.name(e.B))
			}
		}
		return Search{Keys: Sort(list), Any: strategy == jsonbExistsAny, Whole: strategy == jsonbExistsAll && len(list) == 0}
	}
	list := c.items(value)
	return Search{Keys: list, Whole: len(list) == 0}
}

// Ranges returns the half-open ranges of entries that a search reads, in the order of its keys.
func (c *Coder) Ranges(s Search) [][2][]byte {
	if s.Whole {
		return [][2][]byte{{{c.column, itemEmpty}, {c.column, itemPlain + 1}}}
	}
	out := make([][2][]byte, len(s.Keys))
	for i, k := range s.Keys {
		end, _ := keys.PrefixEnd(nil, k)
		out[i] = [2][]byte{k, end}
	}
	return out
}
