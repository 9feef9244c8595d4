package functions

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
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

// leastTypmod is the lowest modifier that means something for a type: modifiers of text count four bytes of a header.
var leastTypmod = map[OID]int64{types.VarcharOID: 4, types.BPCharOID: 4, types.BitOID: 1, types.VarbitOID: 1}

// lengthCoercion fits a value to the type modifier in the second argument; the third, where
// there is one, says whether the cast is explicit.
func lengthCoercion(typ OID) EvalFunc {
	least := leastTypmod[typ]
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if a[1].I < least || typ == types.BitOID && a[1].I > types.MaxBitLength {
			return a[0], nil
		}
		if err := checkScale(typ, a); err != nil {
			return column.Datum{}, err
		}
		return c.Env.ApplyTypmod(typ, int32(a[1].I), a[0], len(a) < 3 || a[2].I != 0)
	}
}

// checkScale refuses what a declared type cannot have and a call by name can: digits of seconds beyond microseconds. A time takes them.
func checkScale(typ OID, a []column.Datum) error {
	const digits = 6
	switch {
	case a[1].I <= digits:
		return nil
	case typ == types.TimestampOID && !infinite(a[0].I), typ == types.TimestamptzOID && !infinite(a[0].I):
		return pgerr.New(pgerr.InvalidParameterValue, "timestamp(%d) precision must be between 0 and %d", a[1].I, digits)
	}
	return nil
}
