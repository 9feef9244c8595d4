package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

func (c *compiler) rowOf(e *plan.RowOf) (expr, error) {
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	st := c.st
	var names []byte
	if e.Typ.OID == types.RecordOID && len(e.Names) == len(args) {
		names = types.EncodeNames(e.Names)
	}
	return &rowLoop{st: c.st, kind: column.Bytes, eval: func(r *row) (column.Datum, error) {
		fields := make([]types.Field, len(args))
		for i, a := range args {
			d, err := a.row(r)
			if err != nil {
				return d, err
			}
			fields[i] = types.Field{Type: e.Args[i].ResultType().OID, Value: d}
		}
		return st.env.MakeNamedRecord(fields, names), nil
	}}, nil
}

func (c *compiler) field(e *plan.Field) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	return &rowLoop{st: c.st, kind: c.kind(e), eval: func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil || d.Null {
			return column.Null(), err
		}
		return types.RecordField(d, e.Index), nil
	}}, nil
}

func (c *compiler) fieldStore(e *plan.FieldStore) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	vals, err := c.list(e.Values)
	if err != nil {
		return nil, err
	}
	st := c.st
	attrs := st.env.Types.Attributes(st.baseType(e.Typ.OID))
	return &rowLoop{st: c.st, kind: column.Bytes, eval: func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil {
			return d, err
		}
		fields := make([]types.Field, len(attrs))
		for i, a := range attrs {
			fields[i] = types.Field{Type: a.Type, Value: column.Null()}
			if !d.Null {
				fields[i].Value = types.RecordField(d, i)
			}
		}
		for i, k := range e.Index {
			if fields[k].Value, err = vals[i].row(r); err != nil {
				return d, err
			}
		}
		return st.env.MakeRecord(fields), nil
	}}, nil
}

// rowCast gives each field the type of the target's field, through text where
// the types differ.
func (c *compiler) rowCast(e *plan.RowCast) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	st := c.st
	var attrs []types.Attribute
	if st.env.Types != nil {
		attrs = st.env.Types.Attributes(st.baseType(e.Typ.OID))
	}
	return &rowLoop{st: c.st, kind: column.Bytes, eval: func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil || d.Null || attrs == nil {
			return d, err
		}
		in, next := types.RecordFrom(d), 0
		out := make([]types.Field, len(attrs))
		for i, a := range attrs {
			out[i] = types.Field{Type: a.Type, Value: column.Null()}
			if a.Dropped || next >= len(in) {
				continue
			}
			f := in[next]
			next++
			if f.Type != a.Type && !f.Value.Null {
				text := st.env.Out(nil, f.Type, f.Value)
				if f.Value, err = st.env.In(a.Type, a.Typmod, string(text)); err != nil {
					return d, err
				}
			}
			out[i].Value = f.Value
		}
		return st.env.MakeRecord(out), nil
	}}, nil
}

// rowNullTest is IS [NOT] NULL of a row: true when all fields are (not) NULL.
func (c *compiler) rowNullTest(e *plan.NullTest, arg expr) (expr, error) {
	return &rowLoop{st: c.st, kind: boolKind, eval: func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil {
			return d, err
		}
		if d.Null {
			return column.BoolDatum(!e.Not), nil
		}
		for _, f := range types.RecordFrom(d) {
			if f.Value.Null == e.Not {
				return column.BoolDatum(false), nil
			}
		}
		return column.BoolDatum(true), nil
	}}, nil
}

// rowCompare is (a, b) < (c, d): the first fields that differ decide.
func (c *compiler) rowCompare(e *plan.RowCompare) (expr, error) {
	left, err := c.list(e.Left)
	if err != nil {
		return nil, err
	}
	right, err := c.list(e.Right)
	if err != nil {
		return nil, err
	}
	same, ops := make([]*equality, len(left)), make([]*equality, len(left))
	for i := range left {
		var coll OID
		if i < len(e.Colls) {
			coll = e.Colls[i]
		}
		if same[i], err = c.equality(e.Equal[i], coll, e.Left[i], e.Right[i]); err != nil {
			return nil, err
		}
		if ops[i], err = c.equality(e.Ops[i], coll, e.Left[i], e.Right[i]); err != nil {
			return nil, err
		}
	}
	orEqual := e.Kind == plan.LessEqual || e.Kind == plan.GreaterEqual
	return &rowLoop{st: c.st, kind: boolKind, eval: func(r *row) (column.Datum, error) {
		for i := range left {
			a, err := left[i].row(r)
			if err != nil {
				return a, err
			}
			b, err := right[i].row(r)
			if err != nil || a.Null || b.Null {
				return column.Null(), err
			}
			equal, err := same[i].equal(a, b)
			if err != nil {
				return a, err
			}
			if !equal {
				ok, err := ops[i].equal(a, b)
				return column.BoolDatum(ok), err
			}
		}
		return column.BoolDatum(orEqual), nil
	}}, nil
}
