package planner

import (
	"math"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// literal makes the constant that a literal means: the smallest of int4, int8 and
// numeric for numbers; strings have no type until their context gives one.
func (b *binder) literal(c *pg.A_Const) plan.Expr {
	pos := int(c.Location)
	k := &plan.Const{Base: plan.Base{Pos: pos}}
	if c.Isnull {
		k.Typ = plan.Type{OID: types.UnknownOID, Typmod: -1}
		k.Value = column.Null()
		return k
	}
	if n, ok := b.literals[pos]; ok {
		k.Free, k.Literal = true, n
		k.Negated = b.source[pos] == '-'
	}
	switch v := c.Val.(type) {
	case *pg.A_Const_Ival:
		k.Typ = plan.Type{OID: types.Int4OID, Typmod: -1}
		k.Value = column.IntDatum(int64(v.Ival.GetIval()))
	case *pg.A_Const_Fval:
		k.Typ, k.Value = b.number(v.Fval.GetFval(), pos)
		if k.Negated && k.Typ.OID == types.Int4OID { // -2147483648 alone is not of its literal's type
			k.Free = false
		}
	case *pg.A_Const_Boolval:
		k.Typ = plan.Type{OID: types.BoolOID, Typmod: -1}
		k.Value = column.BoolDatum(v.Boolval.GetBoolval())
	case *pg.A_Const_Sval:
		k.Typ = plan.Type{OID: types.UnknownOID, Typmod: -1}
		k.Value = column.StringDatum(v.Sval.GetSval())
	case *pg.A_Const_Bsval:
		d, err := b.env.Types.In(types.BitOID, -1, v.Bsval.GetBsval())
		b.check(pos, err)
		k.Typ = plan.Type{OID: types.BitOID, Typmod: -1}
		k.Value = d
	default:
		// protobuf leaves a zero integer out
		k.Typ = plan.Type{OID: types.Int4OID, Typmod: -1}
		k.Value = column.IntDatum(0)
	}
	return k
}

// number reads a numeric literal that does not fit int4.
func (b *binder) number(s string, pos int) (plan.Type, column.Datum) {
	text := strings.ReplaceAll(s, "_", "")
	if v, err := strconv.ParseInt(text, 0, 64); err == nil && !oldOctal(text) {
		if v >= math.MinInt32 && v <= math.MaxInt32 {
			return plan.Type{OID: types.Int4OID, Typmod: -1}, column.IntDatum(v)
		}
		return plan.Type{OID: types.Int8OID, Typmod: -1}, column.IntDatum(v)
	} else if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return plan.Type{OID: types.Int8OID, Typmod: -1}, column.IntDatum(v)
	}
	d, err := b.env.Types.In(types.NumericOID, -1, text)
	if err != nil {
		b.fail(pos, pgerr.From(err))
	}
	return plan.Type{OID: types.NumericOID, Typmod: -1}, d
}

// oldOctal tells 0123, which is decimal in SQL, from 0x, 0o and 0b numbers.
func oldOctal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9'
}
