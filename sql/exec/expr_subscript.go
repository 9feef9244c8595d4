package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// subscript reads or assigns elements and slices of arrays.
type subscript struct {
	raw          OID // of rawArrays, else 0
	st           *state
	arg          expr
	assign       expr
	upper, lower []expr // nil entries are the array's own bounds
	slice        bool
	elem         OID
}

func (c *compiler) subscript(e *plan.Subscript) (expr, error) {
	if c.st.baseType(e.Arg.ResultType().OID) == types.JSONBOID {
		return c.jsonSubscript(e)
	}
	x := &subscript{st: c.st, slice: e.Slice, elem: elemOf(c.st, e.Arg.ResultType().OID)}
	if x.elem == 0 {
		return nil, pgerr.Unsupported("subscripting of type %s is not supported", typeName(c.st.env, e.Arg.ResultType().OID))
	}
	if base := c.st.baseType(e.Arg.ResultType().OID); rawArrays[base] {
		x.raw = base
		if e.Assign != nil {
			return nil, pgerr.Unsupported("assigning to parts of type %s is not supported", typeName(c.st.env, base))
		}
	} else if t := c.st.env.Type(base); t != nil && t.Subscript == "raw_array_subscript_handler" && t.OID != types.Int2VectorOID && t.OID != types.OIDVectorOID {
		return nil, pgerr.Unsupported("subscripting of type %s is not supported", typeName(c.st.env, base))
	}
	var err error
	if x.arg, err = c.expr(e.Arg); err != nil {
		return nil, err
	}
	if x.upper, err = c.optional(e.Upper); err != nil {
		return nil, err
	}
	if x.lower, err = c.optional(e.Lower); err != nil {
		return nil, err
	}
	if e.Assign == nil {
		return &rowLoop{st: c.st, kind: c.kind(e), eval: x.read}, nil
	}
	if x.assign, err = c.expr(e.Assign); err != nil {
		return nil, err
	}
	return &rowLoop{st: c.st, kind: column.Bytes, eval: x.write}, nil
}

func (c *compiler) optional(es []plan.Expr) ([]expr, error) {
	out := make([]expr, len(es))
	for i, e := range es {
		if e == nil {
			continue
		}
		var err error
		if out[i], err = c.expr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rawArrays are the types that are no arrays and yet have elements, counted from 0.
var rawArrays = map[OID]bool{types.NameOID: true, types.PointOID: true}

// nameLength is the length of name, whose rest is zero bytes.
const nameLength = 64

// array decodes the value that is subscripted.
func (x *subscript) array(d column.Datum) types.Array {
	out := types.Array{}
	switch x.raw {
	case types.NameOID:
		out.Elem, out.Elems = types.CharOID, make([]column.Datum, nameLength)
		for i, c := range d.B[:min(len(d.B), nameLength)] {
			out.Elems[i].I = int64(c)
		}
	case types.PointOID:
		out.Elem = types.Float8OID
		for _, f := range types.Floats(d) {
			out.Elems = append(out.Elems, column.FloatDatum(f))
		}
	default:
		return types.ArrayFrom(d)
	}
	out.Dims = []types.Dim{{Len: int32(len(out.Elems))}}
	return out
}

// bounds computes subscripts; those left out are missing. ok is false when one is NULL.
func subscripts(es []expr, r *row) (vals []int64, missing []bool, ok bool, err error) {
	vals, missing = make([]int64, len(es)), make([]bool, len(es))
	for i, e := range es {
		if e == nil {
			missing[i] = true
			continue
		}
		d, err := e.row(r)
		if err != nil || d.Null {
			return nil, nil, false, err
		}
		vals[i] = d.I
	}
	return vals, missing, true, nil
}

func (x *subscript) read(r *row) (column.Datum, error) {
	d, err := x.arg.row(r)
	if err != nil || d.Null {
		return column.Null(), err
	}
	if !x.slice && len(x.upper) == 1 {
		i, err := x.upper[0].row(r)
		if err != nil || i.Null {
			return column.Null(), err
		}
		return x.element(d, i.I), nil
	}
	upper, noUpper, ok, err := subscripts(x.upper, r)
	if err != nil || !ok {
		return column.Null(), err
	}
	a := x.array(d)
	if x.slice {
		lower, noLower, ok, err := subscripts(x.lower, r)
		if err != nil || !ok {
			return column.Null(), err
		}
		return x.readSlice(a, lower, upper, noLower, noUpper), nil
	}
	if len(upper) != len(a.Dims) {
		return column.Null(), nil
	}
	at := int64(0)
	for i, dim := range a.Dims {
		k := upper[i] - int64(dim.Lower)
		if k < 0 || k >= int64(dim.Len) {
			return column.Null(), nil
		}
		at = at*int64(dim.Len) + k
	}
	return a.Elems[at], nil
}

// element returns an element of an array of one dimension, NULL beyond its ends.
func (x *subscript) element(d column.Datum, i int64) column.Datum {
	switch x.raw {
	case types.NameOID:
		switch {
		case i < 0 || i >= nameLength:
			return column.Null()
		case i >= int64(len(d.B)):
			return column.IntDatum(0)
		}
		return column.IntDatum(int64(d.B[i]))
	case 0:
		return types.ArrayAt(d, i)
	}
	a := x.array(d)
	if i < 0 || i >= int64(len(a.Elems)) {
		return column.Null()
	}
	return a.Elems[i]
}

func (x *subscript) readSlice(a types.Array, lower, upper []int64, noLower, noUpper []bool) column.Datum {
	out := types.Array{Elem: a.Elem}
	if len(upper) > len(a.Dims) {
		return x.st.env.MakeArray(out)
	}
	from, to := make([]int64, len(a.Dims)), make([]int64, len(a.Dims))
	for i, dim := range a.Dims {
		lo, hi := int64(0), int64(dim.Len)-1
		if i < len(upper) {
			if !noLower[i] {
				lo = max(lower[i]-int64(dim.Lower), 0)
			}
			if !noUpper[i] {
				hi = min(upper[i]-int64(dim.Lower), hi)
			}
		}
		if lo > hi {
			return x.st.env.MakeArray(out)
		}
		from[i], to[i] = lo, hi
		out.Dims = append(out.Dims, types.Dim{Len: int32(hi - lo + 1), Lower: 1})
	}
	var pick func(dim int, base int64)
	pick = func(dim int, base int64) {
		if dim == len(a.Dims) {
			out.Elems = append(out.Elems, a.Elems[base])
			return
		}
		for k := from[dim]; k <= to[dim]; k++ {
			pick(dim+1, base*int64(a.Dims[dim].Len)+k)
		}
	}
	pick(0, 0)
	return x.st.env.MakeArray(out)
}

func outOfRange() error {
	return pgerr.New(pgerr.ArraySubscriptError, "array subscript out of range")
}

func (x *subscript) write(r *row) (column.Datum, error) {
	d, err := x.arg.row(r)
	if err != nil {
		return d, err
	}
	val, err := x.assign.row(r)
	if err != nil {
		return val, err
	}
	upper, noUpper, ok, err := subscripts(x.upper, r)
	if err == nil && !ok {
		err = pgerr.New(pgerr.NullValueNotAllowed, "array subscript in assignment must not be null")
	}
	if err != nil {
		return d, err
	}
	a := types.Array{Elem: x.elem}
	if !d.Null {
		a = types.ArrayFrom(d)
	}
	if !x.slice {
		return x.writeElem(a, upper, val)
	}
	lower, noLower, ok, err := subscripts(x.lower, r)
	if err == nil && !ok {
		err = pgerr.New(pgerr.NullValueNotAllowed, "array subscript in assignment must not be null")
	}
	if err != nil {
		return d, err
	}
	if val.Null {
		return d, nil // assigning NULL to a slice changes nothing
	}
	return x.writeSlice(a, lower, upper, noLower, noUpper, types.ArrayFrom(val))
}

func (x *subscript) writeElem(a types.Array, at []int64, val column.Datum) (column.Datum, error) {
	switch {
	case len(a.Dims) == 0:
		for _, s := range at {
			a.Dims = append(a.Dims, types.Dim{Len: 1, Lower: int32(s)})
		}
		a.Elems = []column.Datum{val}
	case len(at) != len(a.Dims):
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	case len(at) == 1:
		if err := extend(&a, at[0], at[0]); err != nil {
			return column.Datum{}, err
		}
		a.Elems = append([]column.Datum(nil), a.Elems...)
		a.Elems[at[0]-int64(a.Dims[0].Lower)] = val
	default:
		pos := int64(0)
		for i, dim := range a.Dims {
			k := at[i] - int64(dim.Lower)
			if k < 0 || k >= int64(dim.Len) {
				return column.Datum{}, outOfRange()
			}
			pos = pos*int64(dim.Len) + k
		}
		a.Elems = append([]column.Datum(nil), a.Elems...)
		a.Elems[pos] = val
	}
	return x.st.env.MakeArray(a), nil
}

// extend makes a one-dimensional array reach from lower to upper, filling with NULLs.
func extend(a *types.Array, lower, upper int64) error {
	dim := a.Dims[0]
	first, last := int64(dim.Lower), int64(dim.Lower)+int64(dim.Len)-1
	before, after := max(first-lower, 0), max(upper-last, 0)
	if before+after+int64(dim.Len) > types.MaxArrayItems {
		return arrayTooLarge()
	}
	elems := make([]column.Datum, 0, before+after+int64(dim.Len))
	for range before {
		elems = append(elems, column.Null())
	}
	elems = append(elems, a.Elems...)
	for range after {
		elems = append(elems, column.Null())
	}
	a.Dims = []types.Dim{{Len: int32(len(elems)), Lower: int32(first - before)}}
	a.Elems = elems
	return nil
}

// writeSlice puts src into a part of an array, as array_set_slice of PostgreSQL does: an empty array gets the bounds of the
// slice, one of one dimension reaches as far as they do, one of several keeps its size.
func (x *subscript) writeSlice(a types.Array, lower, upper []int64, noLower, noUpper []bool, src types.Array) (column.Datum, error) {
	if len(a.Dims) == 0 {
		return x.newSlice(lower, upper, noLower, noUpper, src)
	}
	if len(a.Dims) < len(upper) {
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	lo, hi, items := make([]int64, len(a.Dims)), make([]int64, len(a.Dims)), int64(1)
	for i, dim := range a.Dims {
		first, last := int64(dim.Lower), int64(dim.Lower)+int64(dim.Len)-1
		lo[i], hi[i] = first, last
		if i < len(upper) && !noLower[i] {
			lo[i] = lower[i]
		}
		if i < len(upper) && !noUpper[i] {
			hi[i] = upper[i]
		}
		if lo[i] > hi[i] {
			return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		if len(a.Dims) > 1 && (lo[i] < first || hi[i] > last) {
			return column.Datum{}, outOfRange()
		}
		items *= hi[i] - lo[i] + 1
		if items > types.MaxArrayItems {
			return column.Datum{}, arrayTooLarge()
		}
	}
	if int64(len(src.Elems)) < items {
		return column.Datum{}, sourceTooSmall()
	}
	if len(a.Dims) == 1 {
		if err := extend(&a, lo[0], hi[0]); err != nil {
			return column.Datum{}, err
		}
		copy(a.Elems[lo[0]-int64(a.Dims[0].Lower):], src.Elems[:items])
		return x.st.env.MakeArray(a), nil
	}
	a.Elems = append([]column.Datum(nil), a.Elems...)
	at := append([]int64(nil), lo...)
	for _, e := range src.Elems[:items] {
		pos := int64(0)
		for i, dim := range a.Dims {
			pos = pos*int64(dim.Len) + at[i] - int64(dim.Lower)
		}
		a.Elems[pos] = e
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] <= hi[i] {
				break
			}
			at[i] = lo[i]
		}
	}
	return x.st.env.MakeArray(a), nil
}

func arrayTooLarge() error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", types.MaxArrayItems)
}

func sourceTooSmall() error {
	return pgerr.New(pgerr.ArraySubscriptError, "source array too small")
}

// newSlice is what an empty array becomes when a slice of it is assigned.
func (x *subscript) newSlice(lower, upper []int64, noLower, noUpper []bool, src types.Array) (column.Datum, error) {
	var a types.Array
	a.Elem = x.elem
	items := int64(1)
	for i := range upper {
		if noLower[i] || noUpper[i] {
			return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "array slice subscript must provide both boundaries").
				WithDetail("When assigning to a slice of an empty array value, slice boundaries must be fully specified.")
		}
		n := upper[i] - lower[i] + 1
		if n < 0 || n > types.MaxArrayItems || items*n > types.MaxArrayItems {
			return column.Datum{}, arrayTooLarge()
		}
		items *= n
		a.Dims = append(a.Dims, types.Dim{Len: int32(n), Lower: int32(lower[i])})
	}
	if int64(len(src.Elems)) < items {
		return column.Datum{}, sourceTooSmall()
	}
	if items == 0 {
		a.Dims = nil
	}
	a.Elems = src.Elems[:items]
	return x.st.env.MakeArray(a), nil
}
