package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// schemaCalls are the functions with which information_schema's views describe types.
// They are written in SQL in PostgreSQL.
var schemaCalls = map[string]call{
	"_pg_char_max_length(oid,int4)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		return charMaxLength(oidArg(a[0]), a[1].I), nil
	},
	"_pg_char_octet_length(oid,int4)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		const maxOctets = 1 << 30
		switch t := oidArg(a[0]); t {
		case types.TextOID, types.BPCharOID, types.VarcharOID:
			if a[1].I == -1 {
				return num(maxOctets), nil
			}
			return num(charMaxLength(t, a[1].I).I * 4), nil
		}
		return null, nil
	},
	"_pg_numeric_precision(oid,int4)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if bits, ok := numberBits[oidArg(a[0])]; ok {
			return num(bits), nil
		}
		if oidArg(a[0]) == types.NumericOID && a[1].I != -1 {
			return num((a[1].I - 4) >> 16 & 0xFFFF), nil
		}
		return null, nil
	},
	"_pg_numeric_precision_radix(oid,int4)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if _, ok := numberBits[oidArg(a[0])]; ok {
			return num(2), nil
		}
		if oidArg(a[0]) == types.NumericOID {
			return num(10), nil
		}
		return null, nil
	},
	"_pg_numeric_scale(oid,int4)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		switch oidArg(a[0]) {
		case types.Int2OID, types.Int4OID, types.Int8OID:
			return num(0), nil
		case types.NumericOID:
			if a[1].I != -1 {
				return num((a[1].I - 4) & 0xFFFF), nil
			}
		}
		return null, nil
	},
	"_pg_datetime_precision(oid,int4)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		switch oidArg(a[0]) {
		case types.DateOID:
			return num(0), nil
		case types.TimeOID, types.TimetzOID, types.TimestampOID, types.TimestamptzOID:
			if a[1].I < 0 {
				return num(6), nil
			}
			return a[1], nil
		case types.IntervalOID:
			if a[1].I < 0 || a[1].I&0xFFFF == 0xFFFF {
				return num(6), nil
			}
			return num(a[1].I & 0xFFFF), nil
		}
		return null, nil
	},
	"_pg_interval_type(oid,int4)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if oidArg(a[0]) != types.IntervalOID {
			return null, nil
		}
		fields, ok := strings.CutPrefix(f.World.Types().FormatType(types.IntervalOID, int32(a[1].I)), "interval ")
		if !ok {
			return null, nil
		}
		return orNull(upper(fields)), nil
	},
	"_pg_truetypid(pg_attribute,pg_type)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if t := types.RecordField(a[1], 6); byte(t.I) == 'd' {
			return types.RecordField(a[1], 25), nil
		}
		return types.RecordField(a[0], 2), nil
	},
	"_pg_truetypmod(pg_attribute,pg_type)": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if t := types.RecordField(a[1], 6); byte(t.I) == 'd' {
			return types.RecordField(a[1], 26), nil
		}
		return types.RecordField(a[0], 8), nil
	},
	"_pg_index_position(oid,int2)": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		x := f.World.View().Index(oidArg(a[0]))
		if x == nil {
			return null, nil
		}
		for i := range x.Keys {
			if int64(x.Keys[i].Column) == a[1].I {
				return num(i + 1), nil
			}
		}
		return null, nil
	},
}

// numberBits are the precisions of binary number types.
var numberBits = map[OID]int{types.Int2OID: 16, types.Int4OID: 32, types.Int8OID: 64, types.Float4OID: 24, types.Float8OID: 53}

func charMaxLength(t OID, typmod int64) datum {
	if typmod == -1 {
		return null
	}
	switch t {
	case types.BPCharOID, types.VarcharOID:
		return num(typmod - 4)
	case types.BitOID, types.VarbitOID:
		return num(typmod)
	}
	return null
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
