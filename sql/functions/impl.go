package functions

import "github.com/omendb/omendb/engine/column"

// The implementation tables, one per family (see the files named after them).
// Internal functions are found by prosrc; SQL-language functions and aggregates,
// whose prosrc says nothing, by signature.
var (
	evalTables = []map[string]EvalFunc{
		recordEvals, hashEvals, accumulateEvals, snapshotEvals, compareEvals, boolEvals, intEvals, floatEvals, mathEvals, numericEvals, moneyEvals, textEvals, castEvals, encodeEvals, quoteEvals,
		likeEvals, regexpEvals, sessionEvals, datetimeEvals, intervalEvals, extractEvals, truncEvals, makeEvals,
		arrayEvals, enumEvals, jsonGetEvals, jsonBuildEvals, jsonbEvals,
		jsonpathEvals, populateEvals, sizeEvals, rangeEvals, formatEvals, bitEvals, lsnEvals,
	}
	vecTables = []map[string]VecFunc{compareVecs, arithmeticVecs, likeVecs, bucketVecs}
	setTables = []map[string]SetFunc{seriesSets, regexpSets, arraySets, snapshotSets, jsonSets, jsonpathSets, populateSets}
	aggTables = []map[string]func(c *Ctx) AggState{countAggs, sumAggs, extremeAggs, boolAggs, collectAggs, statAggs, numericAggs, intervalAggs, jsonAggs, orderedAggs, bitAggs}
	winTables = []map[string]WinFunc{windowFuncs}
)

// attach fills in how to compute f, when that is known.
func attach(f *Func) {
	key := f.Src
	if f.Lang == LangSQL || f.Kind == 'a' {
		key = f.Signature()
	}
	switch {
	case f.Kind == 'a':
		f.Agg.New = lookup(aggTables, key)
	case f.Kind == 'w':
		f.Win = lookup(winTables, key)
	case f.RetSet:
		if f.Set = lookup(setTables, key); f.Set == nil && isCatalogKey(key) {
			f.Set = catalogSet(key)
		}
	default:
		if f.Eval = lookup(evalTables, key); f.Eval == nil && isCatalogKey(key) {
			f.Eval = catalogEval(key)
		}
		if f.Eval == nil {
			f.Eval = ioFunction(f)
		}
		f.Vec = lookup(vecTables, key)
	}
}

func lookup[T any](tables []map[string]T, key string) T {
	for _, t := range tables {
		if v, ok := t[key]; ok {
			return v
		}
	}
	var none T
	return none
}

// Shorthands of the implementation tables.

func intResult(v int64) (column.Datum, error)     { return column.Datum{I: v}, nil }
func floatResult(v float64) (column.Datum, error) { return column.FloatDatum(v), nil }
func boolResult(v bool) (column.Datum, error)     { return column.BoolDatum(v), nil }
func textResult(s string) (column.Datum, error)   { return column.Datum{B: []byte(s)}, nil }
func bytesResult(b []byte) (column.Datum, error)  { return column.Datum{B: b}, nil }
func nullResult() (column.Datum, error)           { return column.Datum{Null: true}, nil }
