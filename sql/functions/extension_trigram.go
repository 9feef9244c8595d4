package functions

import (
	"slices"
	"strings"
	"unicode"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// trigramExtension is the part of pg_trgm that measures similarity. Its operators and
// operator classes need indexes of a kind that is not here.
var trigramExtension = &Extension{Name: "pg_trgm", Version: "1.6", Comment: "text similarity measurement and index searching based on trigrams",
	Functions: []ExtensionFunc{
		{Name: "similarity", Symbol: "similarity", Args: []OID{typeText, typeText}, Ret: types.Float4OID, Volatile: 'i', Eval: similarity},
		{Name: "similarity_op", Symbol: "similarity_op", Args: []OID{typeText, typeText}, Ret: types.BoolOID, Volatile: 's',
			Eval: func(c *Ctx, a []column.Datum) (column.Datum, error) {
				return column.BoolDatum(similar(a) >= trigramThreshold), nil
			}},
		{Name: "show_trgm", Symbol: "show_trgm", Args: []OID{typeText}, Ret: types.TextArrayOID, Volatile: 'i', Eval: showTrigrams},
	}}

// trigramThreshold is pg_trgm.similarity_threshold's default.
const trigramThreshold = 0.3

// trigrams returns the distinct groups of three characters of the words of a text, lower
// case, each word with two blanks before and one after it.
func trigrams(text string) []string {
	var list []string
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range words {
		r := []rune("  " + w + " ")
		for i := range len(r) - 2 {
			list = append(list, string(r[i:i+3]))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func similar(a []column.Datum) float64 {
	x, y := trigrams(a[0].String()), trigrams(a[1].String())
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	shared := 0
	for _, t := range x {
		if _, ok := slices.BinarySearch(y, t); ok {
			shared++
		}
	}
	return float64(float32(shared) / float32(len(x)+len(y)-shared))
}

func similarity(_ *Ctx, a []column.Datum) (column.Datum, error) {
	return column.FloatDatum(similar(a)), nil
}

func showTrigrams(c *Ctx, a []column.Datum) (column.Datum, error) {
	var elems []column.Datum
	for _, t := range trigrams(a[0].String()) {
		elems = append(elems, column.StringDatum(t))
	}
	return c.Env.MakeArray(types.NewArray(types.TextOID, elems)), nil
}
