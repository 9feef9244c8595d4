package functions

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// extractEvals are extract(), which gives numeric, and date_part(), which gives double
// precision.
var extractEvals = map[string]EvalFunc{}

// extractor returns the part of a value that a word names, or null.
type extractor func(c *Ctx, word string, d column.Datum) (n types.Numeric, null bool, err error)

func init() {
	timestamp := func(_ *Ctx, word string, d column.Datum) (types.Numeric, bool, error) {
		return types.ExtractTimestamp(word, d.I)
	}
	for name, f := range map[string]extractor{
		"date": func(_ *Ctx, word string, d column.Datum) (types.Numeric, bool, error) {
			return types.ExtractDate(word, d.I)
		},
		"timestamp": timestamp,
		"timestamptz": func(c *Ctx, word string, d column.Datum) (types.Numeric, bool, error) {
			return types.ExtractTimestamptz(word, d.I, c.Env.SessionZone())
		},
		"time": func(_ *Ctx, word string, d column.Datum) (types.Numeric, bool, error) {
			n, err := types.ExtractTime(word, d.I)
			return n, false, err
		},
		"timetz": func(_ *Ctx, word string, d column.Datum) (types.Numeric, bool, error) {
			n, err := types.ExtractTimeTZ(word, types.TimeTZFrom(d))
			return n, false, err
		},
		"interval": func(_ *Ctx, word string, d column.Datum) (types.Numeric, bool, error) {
			n, err := types.ExtractInterval(word, types.IntervalFrom(d))
			return n, false, err
		},
	} {
		extractEvals["extract_"+name] = extract(f, false)
		extractEvals[name+"_part"] = extract(f, true)
	}
	intervalPart := extractEvals["interval_part"]
	extractEvals["interval_part"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if string(lower(&Ctx{}, a[0].B)) == "epoch" {
			return floatResult(intervalSeconds(types.IntervalFrom(a[1])))
		}
		return intervalPart(c, a)
	}
	datePart := extract(timestamp, true)
	extractEvals["date_part(text,date)"] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ts, err := types.DateToTimestamp(a[1].I)
		if err != nil {
			return column.Datum{}, err
		}
		return datePart(c, []column.Datum{a[0], column.IntDatum(ts)})
	}
}

func extract(f extractor, asFloat bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		n, null, err := f(c, a[0].String(), a[1])
		switch {
		case err != nil || null:
			return column.Datum{Null: null}, err
		case !asFloat:
			return n.Datum(), nil
		case n.IsInf():
			return floatResult(math.Inf(n.Sign()))
		}
		v, err := n.Float64(64, "double precision")
		return column.FloatDatum(v), err
	}
}
