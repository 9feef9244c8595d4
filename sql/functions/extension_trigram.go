package functions

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// trigramExtension is pg_trgm without its classes for indexes of kinds that are not here.
var trigramExtension = &Extension{Name: "pg_trgm", Version: "1.6", Comment: "text similarity measurement and index searching based on trigrams",
	Functions: append([]ExtensionFunc{
		{Name: "similarity", Symbol: "similarity", Args: []OID{typeText, typeText}, Ret: types.Float4OID, Volatile: 'i', Eval: similarity},
		{Name: "show_trgm", Symbol: "show_trgm", Args: []OID{typeText}, Ret: types.TextArrayOID, Volatile: 'i', Eval: showTrigrams},
		{Name: "show_limit", Symbol: "show_limit", Ret: types.Float4OID, Volatile: 's', Eval: func(c *Ctx, _ []column.Datum) (column.Datum, error) {
			limit, err := trigramLimit(c, "similarity")
			return column.FloatDatum(limit), err
		}},
		{Name: "set_limit", Symbol: "set_limit", Args: []OID{types.Float4OID}, Ret: types.Float4OID, Volatile: 'v', Eval: func(c *Ctx, a []column.Datum) (column.Datum, error) {
			_, err := c.Session.SetSetting("pg_trgm.similarity_threshold", strconv.FormatFloat(a[0].Float(), 'g', -1, 32), false)
			return a[0], err
		}},
	}, trigramMeasures()...)}

// trigramOperators are the operators of pg_trgm and the functions behind them.
var trigramOperators = map[string]string{"%": "similarity_op", "<->": "similarity_dist", "<%": "word_similarity_op", "%>": "word_similarity_commutator_op",
	"<<->": "word_similarity_dist_op", "<->>": "word_similarity_dist_commutator_op", "<<%": "strict_word_similarity_op",
	"%>>": "strict_word_similarity_commutator_op", "<<<->": "strict_word_similarity_dist_op", "<->>>": "strict_word_similarity_dist_commutator_op"}

// ExtensionOperator returns the function behind an operator of an extension, "" where none has it.
func ExtensionOperator(name string) string { return trigramOperators[name] }

// trigramMeasures are the measures and the tests and distances made of them.
func trigramMeasures() []ExtensionFunc {
	var list []ExtensionFunc
	add := func(name string, ret OID, volatile byte, eval EvalFunc) {
		list = append(list, ExtensionFunc{Name: name, Symbol: name, Args: []OID{typeText, typeText}, Ret: ret, Volatile: volatile, Eval: eval})
	}
	for kind, measure := range map[string]func(x, y string) float32{
		"similarity":             func(x, y string) float32 { return similar(x, y) },
		"word_similarity":        func(x, y string) float32 { return wordSimilarity(x, y, false) },
		"strict_word_similarity": func(x, y string) float32 { return wordSimilarity(x, y, true) },
	} {
		for _, commuted := range []bool{false, true} {
			of := func(a []column.Datum) float32 {
				if commuted {
					return measure(a[1].String(), a[0].String())
				}
				return measure(a[0].String(), a[1].String())
			}
			over := func(c *Ctx, a []column.Datum) (column.Datum, error) {
				limit, err := trigramLimit(c, kind)
				return column.BoolDatum(float64(of(a)) >= limit), err
			}
			distance := func(_ *Ctx, a []column.Datum) (column.Datum, error) {
				return column.FloatDatum(float64(1 - of(a))), nil
			}
			switch {
			case kind == "similarity" && !commuted:
				add("similarity_op", types.BoolOID, 's', over)
				add("similarity_dist", types.Float4OID, 'i', distance)
			case kind == "similarity":
			case commuted:
				add(kind+"_commutator_op", types.BoolOID, 's', over)
				add(kind+"_dist_commutator_op", types.Float4OID, 'i', distance)
			default:
				add(kind, types.Float4OID, 'i', func(_ *Ctx, a []column.Datum) (column.Datum, error) { return column.FloatDatum(float64(of(a))), nil })
				add(kind+"_op", types.BoolOID, 's', over)
				add(kind+"_dist_op", types.Float4OID, 'i', distance)
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// trigramLimit reads the parameter that a test of similarity compares with.
func trigramLimit(c *Ctx, kind string) (float64, error) {
	text, _ := c.Session.Setting("pg_trgm." + kind + "_threshold")
	limit, err := strconv.ParseFloat(text, 32)
	return limit, err
}

// trigramsOf returns the groups of three characters of the words of a text in their order,
// lower case, each word with two blanks before and one after it; and where words begin and end.
func trigramsOf(text string) (list []string, first, last []bool) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range words {
		r := []rune("  " + w + " ")
		for i := range len(r) - 2 {
			list = append(list, string(r[i:i+3]))
			first, last = append(first, i == 0), append(last, i == len(r)-3)
		}
	}
	return list, first, last
}

// trigrams returns the distinct trigrams of a text, sorted.
func trigrams(text string) []string {
	list, _, _ := trigramsOf(text)
	slices.Sort(list)
	return slices.Compact(list)
}

// shareOf is how much two sets have in common, of the sizes given.
func shareOf(common, x, y int) float32 { return float32(common) / float32(x+y-common) }

func similar(a, b string) float32 {
	x, y := trigrams(a), trigrams(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	common := 0
	for _, t := range x {
		if _, ok := slices.BinarySearch(y, t); ok {
			common++
		}
	}
	return shareOf(common, len(x), len(y))
}

// wordSimilarity is the greatest similarity of a text with a continuous extent of another's
// trigrams; strict: with an extent of whole words. It walks over the upper bounds of
// extents and moves the lower one up as long as that helps, as PostgreSQL does.
func wordSimilarity(word, text string, strict bool) float32 {
	wanted := trigrams(word)
	list, first, last := trigramsOf(text)
	if len(wanted) == 0 || len(list) == 0 {
		return 0
	}
	seen := map[string]int{} // where a trigram of the extent stands last
	var best float32
	distinct, common, lower := 0, 0, -1
	if strict {
		lower = 0
	}
	found := make([]bool, len(list))
	for i, t := range list {
		_, found[i] = slices.BinarySearch(wanted, t)
	}
	for i, t := range list {
		if lower >= 0 || found[i] {
			if _, ok := seen[t]; !ok {
				distinct++
				if found[i] {
					common++
				}
			}
			seen[t] = i
		}
		if strict && !last[i] || !strict && !found[i] {
			continue
		}
		if lower == -1 {
			lower, distinct = i, 1
		}
		current := shareOf(common, len(wanted), distinct)
		d, c, before := distinct, common, lower
		for at := lower; at <= i; at++ {
			if !strict || first[at] {
				if s := shareOf(c, len(wanted), d); s > current {
					current, distinct, lower, common = s, d, at, c
				}
			}
			if seen[list[at]] == at {
				d--
				if found[at] {
					c--
				}
			}
		}
		best = max(best, current)
		for at := before; at < lower; at++ {
			if k, ok := seen[list[at]]; ok && k == at {
				delete(seen, list[at])
			}
		}
	}
	return best
}

func similarity(_ *Ctx, a []column.Datum) (column.Datum, error) {
	return column.FloatDatum(float64(similar(a[0].String(), a[1].String()))), nil
}

func showTrigrams(c *Ctx, a []column.Datum) (column.Datum, error) {
	var elems []column.Datum
	for _, t := range trigrams(a[0].String()) {
		elems = append(elems, column.StringDatum(t))
	}
	return c.Env.MakeArray(types.NewArray(types.TextOID, elems)), nil
}
