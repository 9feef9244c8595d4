package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// keyConversion takes values of one type to the key of a foreign key's other
// side, which may be of another type: the referencing integer to the referenced
// numeric, or back.
type keyConversion struct {
	cast  *functions.Func // nil: the value as it is
	equal *functions.Func // of the source and what became of it; nil: nothing can be lost
	dense bool            // different sources may become one value
}

// conversion finds the way from one type to another, nil when values stay as they are.
func conversion(env *types.Env, source, target OID) *keyConversion {
	source, _ = env.BaseType(source, -1)
	target, _ = env.BaseType(target, -1)
	if source == target || integers[source] && integers[target] || floats[source] && floats[target] {
		return nil
	}
	c, ok := functions.Cast(source, target)
	if !ok || c.Func == nil {
		return nil
	}
	k := &keyConversion{cast: c.Func, dense: floats[target] && !floats[source] && source != types.Int2OID && !(source == types.Int4OID && target == types.Float8OID)}
	if op := functions.FindOperator("=", source, target); op != nil && c.Context != 'i' {
		k.equal = op.Code
	}
	return k
}

var (
	integers = map[OID]bool{types.Int2OID: true, types.Int4OID: true, types.Int8OID: true}
	floats   = map[OID]bool{types.Float4OID: true, types.Float8OID: true}
)

// to converts a value. ok is false when no value of the other type equals it.
func (k *keyConversion) to(ctx *functions.Ctx, v column.Datum) (out column.Datum, ok bool) {
	if k == nil || v.Null {
		return v, true
	}
	out, err := k.cast.Eval(ctx, []column.Datum{v})
	if err != nil || out.Null {
		return out, false // out of the other type's range
	}
	if k.equal == nil {
		return out, true
	}
	same, err := k.equal.Eval(ctx, []column.Datum{v, out})
	return out, err == nil && same.Bool()
}

// conversions are those from columns of one table to columns of another.
func conversions(env *types.Env, source *catalog.Relation, from []int, target *catalog.Relation, to []int) []*keyConversion {
	list := make([]*keyConversion, len(from))
	for i := range from {
		list[i] = conversion(env, source.Columns[from[i]].Type, target.Columns[to[i]].Type)
	}
	return list
}

// convertKey converts the values of a key.
func convertKey(ctx *functions.Ctx, list []*keyConversion, vals []column.Datum) ([]column.Datum, bool) {
	var out []column.Datum
	for i, k := range list {
		if k == nil {
			continue
		}
		if out == nil {
			out = append(out, vals...)
		}
		var ok bool
		if out[i], ok = k.to(ctx, vals[i]); !ok {
			return nil, false
		}
	}
	if out == nil {
		return vals, true
	}
	return out, true
}

// assignKey gives a referenced value to a referencing column of another type, as an assignment does.
func (st *state) assignKey(v column.Datum, source *catalog.Column, target *catalog.Column) (column.Datum, error) {
	from, _ := st.env.BaseType(source.Type, -1)
	to, typmod := st.env.BaseType(target.Type, target.Typmod)
	if v.Null {
		return v, nil
	}
	if from != to {
		if c, ok := functions.Cast(from, to); ok && c.Func != nil {
			var err error
			if v, err = c.Func.Eval(st.rt.Functions, []column.Datum{v}); err != nil {
				return v, err
			}
		}
	}
	if typmod < 0 || from == to && source.Typmod == target.Typmod {
		return v, nil
	}
	return st.env.ApplyTypmod(to, typmod, v, false)
}
