package syscat

import (
	"encoding/base64"
	"strings"
	"unsafe"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// OID identifies a catalog object.
type OID = types.OID

type datum = column.Datum

// The constructors of values, named shortly since rows are long.

var null = column.Null()

// num returns an integer, OID or boolean-like value.
func num[T int | int16 | int32 | int64 | uint32 | uint64 | byte](v T) column.Datum {
	return column.Datum{I: int64(v)}
}

func flag(b bool) column.Datum { return column.BoolDatum(b) }

// str returns a text or name that shares the string's bytes, which nobody writes to.
func str(s string) column.Datum {
	if s == "" {
		return column.Datum{B: []byte{}}
	}
	return column.Datum{B: unsafe.Slice(unsafe.StringData(s), len(s))}
}

// text returns a text, NULL for an empty one.
func orNull(s string) column.Datum {
	if s == "" {
		return null
	}
	return str(s)
}

func float(f float64) column.Datum { return column.FloatDatum(f) }

// array makes a one-dimensional array of integer-like elements.
func array[T int16 | uint32 | byte](elem OID, list []T) column.Datum {
	a := types.Array{Elem: elem}
	for _, v := range list {
		a.Elems = append(a.Elems, num(v))
	}
	if len(list) > 0 {
		a.Dims = []types.Dim{{Len: int32(len(list)), Lower: 1}}
	}
	return a.Encode(column.Int)
}

// vector makes an int2vector or oidvector, which counts from 0.
func vector[T int16 | uint32](elem OID, list []T) column.Datum {
	a := types.Array{Elem: elem, Dims: []types.Dim{{Len: int32(len(list)), Lower: 0}}}
	for _, v := range list {
		a.Elems = append(a.Elems, num(v))
	}
	return a.Encode(column.Int)
}

// texts makes a text array, NULL when it would be empty.
func texts(list []string) column.Datum {
	if len(list) == 0 {
		return null
	}
	return stringArray(types.TextOID, list)
}

func stringArray(elem OID, list []string) column.Datum {
	a := types.Array{Elem: elem}
	for _, s := range list {
		a.Elems = append(a.Elems, str(s))
	}
	if len(list) > 0 {
		a.Dims = []types.Dim{{Len: int32(len(list)), Lower: 1}}
	}
	return a.Encode(column.Bytes)
}

// Expression trees (pg_node_tree) travel as text, since clients may select them. What
// PostgreSQL's own form would say is nobody's business but pg_get_expr's.
const (
	treeEncoded = "{STORED " // stored expressions follow, in base64
	treeText    = "{TEXT "   // its SQL text follows
)

// tree returns stored expressions as one pg_node_tree.
func tree(encoded ...[]byte) column.Datum {
	var b strings.Builder
	for _, e := range encoded {
		if len(e) > 0 {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(base64.StdEncoding.EncodeToString(e))
		}
	}
	if b.Len() == 0 {
		return null
	}
	return str(treeEncoded + b.String() + "}")
}

// textTree returns an expression that is kept as text.
func textTree(s string) column.Datum {
	if s == "" {
		return null
	}
	return str(treeText + s + "}")
}
