package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// textArray makes a text[] of one dimension.
func textArray(list []column.Datum) column.Datum { return arrayOf(types.TextOID, list) }

// arrayOf makes an array of one dimension of texts or names.
func arrayOf(elem OID, list []column.Datum) column.Datum {
	return types.NewArray(elem, list).Encode(column.Bytes)
}

// variadicArray takes a VARIADIC array apart.
func variadicArray(c *Ctx, d column.Datum, typ OID) (list []typedDatum, null bool, err error) {
	if d.Null {
		return nil, true, nil
	}
	a := types.ArrayFrom(d)
	elem := elementType(c.Env, typ)
	if elem == 0 {
		elem = a.Elem
	}
	for _, e := range a.Elems {
		list = append(list, typedDatum{e, elem})
	}
	return list, false, nil
}

// texts returns the elements of a text[]; NULLs come as NULL datums.
func texts(d column.Datum) []column.Datum { return types.ArrayFrom(d).Elems }
