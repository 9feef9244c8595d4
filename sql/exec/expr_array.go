package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// arrayReader reads the elements of arrays that index and key scans look up.
type arrayReader struct{}

func (st *state) arrayReader(OID) (*arrayReader, error) { return &arrayReader{}, nil }

func (*arrayReader) read(d column.Datum) ([]column.Datum, error) {
	if d.Null {
		return nil, nil
	}
	return types.ArrayFrom(d).Elems, nil
}

// makeArray builds a one-dimensional array, or one with a dimension more when
// the elements are arrays themselves.
func (st *state) makeArray(array, elem OID, vals []column.Datum) (column.Datum, error) {
	if t := st.env.Type(elem); t != nil && t.IsArray() && elem == array {
		return st.nestArrays(t.Elem, vals)
	}
	return st.env.MakeArray(types.NewArray(elem, vals)), nil
}

func (c *compiler) arrayOf(e *plan.ArrayOf) (expr, error) {
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	st := c.st
	return &rowLoop{st: c.st, kind: column.Bytes, eval: func(r *row) (column.Datum, error) {
		vals := make([]column.Datum, len(args))
		for i, a := range args {
			d, err := a.row(r)
			if err != nil {
				return d, err
			}
			vals[i] = d
		}
		if e.Multi {
			return st.nestArrays(e.Elem, vals)
		}
		return st.env.MakeArray(types.NewArray(e.Elem, vals)), nil
	}}, nil
}

// nestArrays stacks arrays of equal shape into one with a dimension more.
func (st *state) nestArrays(elem OID, vals []column.Datum) (column.Datum, error) {
	out := types.Array{Elem: elem}
	var inner []types.Dim
	for i, v := range vals {
		if v.Null {
			continue
		}
		a := types.ArrayFrom(v)
		if i == 0 || inner == nil {
			inner = a.Dims
		}
		if !sameShape(inner, a.Dims) {
			return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "multidimensional arrays must have array expressions with matching dimensions")
		}
		out.Elems = append(out.Elems, a.Elems...)
	}
	if len(inner)+1 > types.MaxArrayDims {
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(inner)+1, types.MaxArrayDims)
	}
	if len(out.Elems) > 0 {
		out.Dims = append([]types.Dim{{Len: int32(len(vals)), Lower: 1}}, inner...)
	}
	return st.env.MakeArray(out), nil
}

func sameShape(a, b []types.Dim) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Len != b[i].Len {
			return false
		}
	}
	return true
}

func (c *compiler) arrayCast(e *plan.ArrayCast) (expr, error) {
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	st := c.st
	from, to := elemOf(st, e.Arg.ResultType().OID), elemOf(st, e.Typ.OID)
	value := &cell{kind: st.env.Kind(from)}
	c.cases = append(c.cases, value)
	elem, err := c.expr(e.Elem)
	c.cases = c.cases[:len(c.cases)-1]
	if err != nil {
		return nil, err
	}
	same := elem == expr(value)
	var a types.Array
	var answers *memo
	if !same && !isVolatile(e.Elem) {
		answers = &memo{}
	}
	return &rowLoop{st: c.st, kind: column.Bytes, eval: func(r *row) (column.Datum, error) {
		d, err := arg.row(r)
		if err != nil || d.Null {
			return d, err
		}
		if same { // as oid[] to regtype[]
			return types.RetypeArray(d, to), nil
		}
		if answers != nil {
			if out, ok := answers.find(d); ok {
				return out, nil
			}
		}
		types.ArrayInto(d, &a)
		for i, v := range a.Elems {
			value.setRow(v)
			if a.Elems[i], err = elem.row(r); err != nil {
				return d, err
			}
		}
		a.Elem = to
		out := st.env.MakeArray(a)
		if answers != nil {
			answers.put(out)
		}
		return out, nil
	}}, nil
}

func elemOf(st *state, array OID) OID {
	if t := st.env.Type(st.baseType(array)); t != nil {
		return t.Elem
	}
	return 0
}

// arrayOp is left op ANY|ALL (array), element by element.
type arrayOp struct {
	node        *plan.ArrayOp
	left, right expr
	ctx         *functions.Ctx
	vals        [2]column.Datum
	array       types.Array
	loop        rowLoop
}

func (c *compiler) arrayOp(e *plan.ArrayOp) (expr, error) {
	if e.Func.Eval == nil {
		return nil, unsupportedFunc(e.Func)
	}
	args, err := c.list([]plan.Expr{e.Left, e.Right})
	if err != nil {
		return nil, err
	}
	if s := c.memberOf(e, args); s != nil {
		return s, nil
	}
	x := &arrayOp{node: e, left: args[0], right: args[1], ctx: c.site(e.InputColl, e.Typ.OID, e.Left, e.Right)}
	if el := elemOf(c.st, e.Right.ResultType().OID); el != 0 {
		x.ctx.ArgTypes[1] = el
	}
	x.loop = rowLoop{st: c.st, kind: boolKind, eval: x.row}
	return x, nil
}

func (x *arrayOp) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	if s, ok := x.right.(*slot); ok && b.Cols[s.index].AllNull(b.N) {
		x.loop.out.SetAllNull(boolKind, b.N)
		return &x.loop.out, nil
	}
	return x.loop.vec(b, sel)
}

func (x *arrayOp) row(r *row) (column.Datum, error) {
	arr, err := x.right.row(r)
	if err != nil {
		return arr, err
	}
	left, err := x.left.row(r)
	if err != nil || arr.Null {
		return column.Null(), err
	}
	null := false
	types.ArrayInto(arr, &x.array)
	for i, v := range x.array.Elems {
		if i&1023 == 1023 {
			if err := x.ctx.Canceled(); err != nil {
				return column.Datum{}, err
			}
		}
		if x.node.Func.Strict && (left.Null || v.Null) {
			null = true
			continue
		}
		x.vals = [2]column.Datum{left, v}
		d, err := x.node.Func.Call(x.ctx, x.vals[:])
		switch {
		case err != nil:
			return d, err
		case d.Null:
			null = true
		case d.Bool() != x.node.All:
			return d, nil
		}
	}
	if null {
		return column.Null(), nil
	}
	return column.BoolDatum(x.node.All), nil
}
