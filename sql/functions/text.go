package functions

import (
	"unicode/utf8"

	"github.com/omendb/omendb/engine/column"
)

// textEvals are the functions that build, measure and cut texts; see the files named
// text_* for the others.
var textEvals = map[string]EvalFunc{
	"textcat": func(_ *Ctx, a []column.Datum) (column.Datum, error) { return bytesResult(concat(a[0].B, a[1].B)) },
	"byteacat": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return bytesResult(concat(a[0].B, a[1].B))
	},
	"textlen":      func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(int64(utf8.RuneCount(a[0].B))) },
	"textoctetlen": octetLength,
}

func concat(a, b []byte) []byte {
	return append(append(make([]byte, 0, len(a)+len(b)), a...), b...)
}

func octetLength(_ *Ctx, a []column.Datum) (column.Datum, error) {
	return intResult(int64(len(a[0].B)))
}
