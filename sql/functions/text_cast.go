package functions

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// castEvals convert between the string types and apply type modifiers.
var castEvals = map[string]EvalFunc{
	"varchar":           lengthCoercion(types.VarcharOID),
	"bpchar":            lengthCoercion(types.BPCharOID),
	"bit":               lengthCoercion(types.BitOID),
	"varbit":            lengthCoercion(types.VarbitOID),
	"numeric":           lengthCoercion(types.NumericOID),
	"time_scale":        lengthCoercion(types.TimeOID),
	"timetz_scale":      lengthCoercion(types.TimetzOID),
	"timestamp_scale":   lengthCoercion(types.TimestampOID),
	"timestamptz_scale": lengthCoercion(types.TimestamptzOID),
	"interval_scale":    lengthCoercion(types.IntervalOID),
	"name_text":         unchanged,
	"name_bpchar":       unchanged,
	"text_name": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(types.TruncateName(a[0].String()))
	},
	"bpchar_name": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return textResult(string(bytes.TrimRight([]byte(types.TruncateName(a[0].String())), " ")))
	},
	"char_bpchar": charText,
	"char_text":   charText,
	"text_char": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		b := a[0].B
		switch {
		case len(b) == 4 && b[0] == '\\' && octal(b[1]) && octal(b[2]) && octal(b[3]):
			return intResult(int64(b[1]-'0')<<6&0xff | int64(b[2]-'0')<<3 | int64(b[3]-'0'))
		case len(b) == 0:
			return intResult(0)
		}
		return intResult(int64(b[0]))
	},
	"text_regclass": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return c.Env.In(types.RegclassOID, -1, a[0].String())
	},
}

func unchanged(_ *Ctx, a []column.Datum) (column.Datum, error) { return a[0], nil }

func octal(b byte) bool { return b >= '0' && b <= '7' }

func charText(c *Ctx, a []column.Datum) (column.Datum, error) {
	return bytesResult(c.Env.Out(nil, types.CharOID, a[0]))
}

// lengthCoercion fits a value to the type modifier in the second argument; the third, where
// there is one, says whether the cast is explicit.
func lengthCoercion(typ OID) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if a[1].I < 0 {
			return a[0], nil
		}
		return c.Env.ApplyTypmod(typ, int32(a[1].I), a[0], len(a) < 3 || a[2].I != 0)
	}
}
