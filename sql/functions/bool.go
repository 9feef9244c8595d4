package functions

import (
	"github.com/omendb/omendb/engine/column"
)

// boolEvals are the functions of booleans beside comparison; AND, OR and NOT are the
// executor's.
var boolEvals = map[string]EvalFunc{
	"bool_int4": overInt(intResult),
	"int4_bool": overInt(func(v int64) (column.Datum, error) { return boolResult(v != 0) }),
	"booltext": overInt(func(v int64) (column.Datum, error) {
		if v != 0 {
			return textResult("true")
		}
		return textResult("false")
	}),
	"booland_statefunc": overInts(func(a, b int64) (column.Datum, error) { return intResult(a & b) }),
	"boolor_statefunc":  overInts(func(a, b int64) (column.Datum, error) { return intResult(a | b) }),
}
