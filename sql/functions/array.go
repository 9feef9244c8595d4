package functions

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// arrayEvals measure, search and change arrays.
var arrayEvals = map[string]EvalFunc{
	"array_ndims": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		n := len(types.ArrayFrom(a[0]).Dims)
		return column.Datum{I: int64(n), Null: n == 0}, nil
	},
	"array_dims": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		var b strings.Builder
		for _, d := range types.ArrayFrom(a[0]).Dims {
			b.WriteString("[" + strconv.Itoa(int(d.Lower)) + ":" + strconv.Itoa(int(d.Lower+d.Len-1)) + "]")
		}
		return column.Datum{B: []byte(b.String()), Null: b.Len() == 0}, nil
	},
	"array_length": overDim(func(d types.Dim) int64 { return int64(d.Len) }),
	"array_lower":  overDim(func(d types.Dim) int64 { return int64(d.Lower) }),
	"array_upper":  overDim(func(d types.Dim) int64 { return int64(d.Lower) + int64(d.Len) - 1 }),
	"array_cardinality": func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(int64(types.ArrayLen(a[0])))
	},
	"array_append": func(c *Ctx, a []column.Datum) (column.Datum, error) { return appendElement(c, a[0], a[1], 0, false) },
	"array_prepend": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return appendElement(c, a[1], a[0], 1, true)
	},
	"array_cat":                    arrayCat,
	"array_position":               arrayPosition,
	"array_position_start":         arrayPosition,
	"array_positions":              arrayPositions,
	"array_remove":                 arrayRemove,
	"array_replace":                arrayReplace,
	"array_fill":                   arrayFill,
	"array_fill_with_lower_bounds": arrayFill,
	"arraycontains":                func(c *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(containsAll(c, a[0], a[1])) },
	"arraycontained":               func(c *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(containsAll(c, a[1], a[0])) },
	"arrayoverlap":                 func(c *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(overlap(c, a[0], a[1])) },
	"trim_array": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		arr := types.ArrayFrom(a[0])
		n := 0
		if len(arr.Dims) > 0 {
			n = int(arr.Dims[0].Len)
		}
		if a[1].I < 0 || a[1].I > int64(n) {
			return column.Datum{}, pgerr.New(pgerr.ArrayElementError, "number of elements to trim must be between 0 and %d", n)
		}
		if n == 0 {
			return a[0], nil
		}
		arr.Elems = arr.Elems[:len(arr.Elems)/n*(n-int(a[1].I))]
		for i := range arr.Dims {
			arr.Dims[i].Lower = 1
		}
		arr.Dims[0].Len -= int32(a[1].I)
		return c.Env.MakeArray(arr), nil
	},
	"array_to_text":      arrayToText,
	"array_to_text_null": arrayToText,
	"text_to_array":      func(c *Ctx, a []column.Datum) (column.Datum, error) { return stringToArray(c, a) },
	"text_to_array_null": func(c *Ctx, a []column.Datum) (column.Datum, error) { return stringToArray(c, a) },
	"width_bucket_array": widthBucketArray,
}

// arraySets take arrays apart.
var arraySets = map[string]SetFunc{
	"array_unnest": func(_ *Ctx, a []column.Datum) (SetIter, error) {
		return oneColumn(types.ArrayFrom(a[0].Clone()).Elems), nil
	},
	"generate_subscripts":       subscripts,
	"generate_subscripts_nodir": subscripts,
	"text_to_table":             splitTable,
	"text_to_table_null":        splitTable,
}

func overDim(f func(d types.Dim) int64) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		dims := types.ArrayFrom(a[0]).Dims
		if a[1].I < 1 || a[1].I > int64(len(dims)) {
			return nullResult()
		}
		return intResult(f(dims[a[1].I-1]))
	}
}

// arrayArg decodes argument i; NULL is an empty array of its type.
func arrayArg(c *Ctx, d column.Datum, i int) types.Array {
	if d.Null {
		return types.Array{Elem: elementType(c.Env, c.argType(i))}
	}
	return types.ArrayFrom(d)
}

func appendElement(c *Ctx, array, elem column.Datum, arrayArgument int, front bool) (column.Datum, error) {
	a := arrayArg(c, array, arrayArgument)
	switch {
	case len(a.Dims) > 1:
		return column.Datum{}, pgerr.New(pgerr.DataException, "argument must be empty or one-dimensional array")
	case len(a.Dims) == 0:
		return c.Env.MakeArray(types.NewArray(a.Elem, []column.Datum{elem})), nil
	case !front && int64(a.Dims[0].Lower)+int64(a.Dims[0].Len) > 1<<31-1, front && a.Dims[0].Lower == -1<<31:
		return column.Datum{}, width(4).outOfRange()
	}
	if front {
		a.Elems = append([]column.Datum{elem}, a.Elems...)
	} else {
		a.Elems = append(a.Elems, elem)
	}
	a.Dims[0].Len++
	return c.Env.MakeArray(a), nil
}

func arrayCat(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null {
		return args[1], nil
	}
	if args[1].Null {
		return args[0], nil
	}
	a, b := types.ArrayFrom(args[0]), types.ArrayFrom(args[1])
	n, m := len(a.Dims), len(b.Dims)
	if n == 0 {
		return args[1], nil
	}
	if m == 0 {
		return args[0], nil
	}
	bad := func(detail string, v ...any) (column.Datum, error) {
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "cannot concatenate incompatible arrays").WithDetail(detail, v...)
	}
	sameInner := func(x, y []types.Dim) bool {
		for i := range x {
			if x[i].Len != y[i].Len || x[i].Lower != y[i].Lower {
				return false
			}
		}
		return true
	}
	const inner = "Arrays with differing element dimensions are not compatible for concatenation."
	var dims []types.Dim
	switch {
	case n == m:
		if !sameInner(a.Dims[1:], b.Dims[1:]) {
			return bad(inner)
		}
		dims = a.Dims
		dims[0].Len += b.Dims[0].Len
	case n == m+1:
		if !sameInner(a.Dims[1:], b.Dims) {
			return bad("Arrays with differing dimensions are not compatible for concatenation.")
		}
		dims = a.Dims
		dims[0].Len++
	case m == n+1:
		if !sameInner(a.Dims, b.Dims[1:]) {
			return bad("Arrays with differing dimensions are not compatible for concatenation.")
		}
		dims = b.Dims
		dims[0].Len++
	default:
		return bad("Arrays of %d and %d dimensions are not compatible for concatenation.", n, m)
	}
	return c.Env.MakeArray(types.Array{Elem: a.Elem, Dims: dims, Elems: append(a.Elems, b.Elems...)}), nil
}

// sameElement returns IS NOT DISTINCT FROM over an array's elements.
func sameElement(c *Ctx, elem OID) func(a, b column.Datum) bool {
	if !c.Env.Orderable(elem) {
		return func(a, b column.Datum) bool { return a.Null == b.Null && a.I == b.I && bytes.Equal(a.B, b.B) }
	}
	cmp := c.Env.Comparator(elem, c.Collation)
	return func(a, b column.Datum) bool {
		return a.Null && b.Null || !a.Null && !b.Null && cmp(a, b) == 0
	}
}

func flatArray(d column.Datum, doing string) (types.Array, error) {
	a := types.ArrayFrom(d)
	if len(a.Dims) > 1 {
		return a, pgerr.New(pgerr.FeatureNotSupported, "%s elements %s multidimensional arrays is not supported", doing,
			map[string]string{"searching for": "in", "removing": "from"}[doing])
	}
	return a, nil
}

func arrayPosition(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null {
		return nullResult()
	}
	a, err := flatArray(args[0], "searching for")
	if err != nil {
		return column.Datum{}, err
	}
	if len(a.Dims) == 0 {
		return nullResult()
	}
	from := int64(a.Dims[0].Lower)
	if len(args) > 2 {
		if args[2].Null {
			return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "initial position must not be null")
		}
		from = args[2].I
	}
	same := sameElement(c, a.Elem)
	for i, e := range a.Elems {
		if at := int64(a.Dims[0].Lower) + int64(i); at >= from && same(e, args[1]) {
			return intResult(at)
		}
	}
	return nullResult()
}

func arrayPositions(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null {
		return nullResult()
	}
	a, err := flatArray(args[0], "searching for")
	if err != nil {
		return column.Datum{}, err
	}
	var found []column.Datum
	same := sameElement(c, a.Elem)
	for i, e := range a.Elems {
		if same(e, args[1]) {
			found = append(found, column.IntDatum(int64(a.Dims[0].Lower)+int64(i)))
		}
	}
	return c.Env.MakeArray(types.NewArray(types.Int4OID, found)), nil
}

func arrayRemove(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null {
		return nullResult()
	}
	a, err := flatArray(args[0], "removing")
	if err != nil {
		return column.Datum{}, err
	}
	same := sameElement(c, a.Elem)
	var kept []column.Datum
	for _, e := range a.Elems {
		if !same(e, args[1]) {
			kept = append(kept, e)
		}
	}
	if len(kept) == len(a.Elems) {
		return args[0], nil
	}
	a.Elems = kept
	a.Dims[0].Len = int32(len(kept))
	return c.Env.MakeArray(a), nil
}

func arrayReplace(c *Ctx, args []column.Datum) (column.Datum, error) {
	if args[0].Null {
		return nullResult()
	}
	a := types.ArrayFrom(args[0])
	same := sameElement(c, a.Elem)
	for i, e := range a.Elems {
		if same(e, args[1]) {
			a.Elems[i] = args[2]
		}
	}
	return c.Env.MakeArray(a), nil
}

// arrayFill is array_fill(value, lengths [, lower bounds]).
func arrayFill(c *Ctx, args []column.Datum) (column.Datum, error) {
	for _, d := range args[1:] {
		if d.Null {
			return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "dimension array or low bound array cannot be null")
		}
	}
	out := types.Array{Elem: elementType(c.Env, c.RetType)}
	var lists [2]types.Array
	for i, d := range args[1:] {
		lists[i] = types.ArrayFrom(d)
		if len(lists[i].Dims) > 1 {
			what := []string{"Dimension array must be one dimensional.", "Low bound array must be one dimensional."}[i]
			return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts").WithDetail("%s", what)
		}
		for _, e := range lists[i].Elems {
			if e.Null {
				return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "dimension values cannot be null")
			}
		}
	}
	sizes := lists[0].Elems
	if len(sizes) > types.MaxArrayDims {
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)",
			len(sizes), types.MaxArrayDims)
	}
	if len(args) > 2 && len(lists[1].Elems) != len(sizes) {
		return column.Datum{}, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts").
			WithDetail("Low bound array has different size than dimensions array.")
	}
	n := int64(1)
	for i, s := range sizes {
		lower := int32(1)
		if len(args) > 2 {
			lower = int32(lists[1].Elems[i].I)
		}
		if n *= s.I; s.I < 0 || n > types.MaxArrayItems {
			return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", types.MaxArrayItems)
		}
		out.Dims = append(out.Dims, types.Dim{Len: int32(s.I), Lower: lower})
	}
	if len(sizes) == 0 || n == 0 {
		return c.Env.MakeArray(types.Array{Elem: out.Elem}), nil
	}
	if err := c.Room(n * (2*elementBytes + int64(len(args[0].B)))); err != nil {
		return column.Datum{}, err
	}
	out.Elems = make([]column.Datum, n)
	p := pace{c: c}
	for i := range out.Elems {
		out.Elems[i] = args[0]
		if err := p.step(1); err != nil {
			return column.Datum{}, err
		}
	}
	return c.Env.MakeArray(out), c.Canceled()
}

// containsAll reports whether every element of b is one of a; NULLs never are.
func containsAll(c *Ctx, a, b column.Datum) bool {
	x, y := types.ArrayFrom(a), types.ArrayFrom(b)
	same := sameElement(c, x.Elem)
	for _, e := range y.Elems {
		if e.Null || !member(same, x.Elems, e) {
			return false
		}
	}
	return true
}

func overlap(c *Ctx, a, b column.Datum) bool {
	x, y := types.ArrayFrom(a), types.ArrayFrom(b)
	same := sameElement(c, x.Elem)
	for _, e := range y.Elems {
		if !e.Null && member(same, x.Elems, e) {
			return true
		}
	}
	return false
}

func member(same func(a, b column.Datum) bool, list []column.Datum, e column.Datum) bool {
	for _, x := range list {
		if same(x, e) {
			return true
		}
	}
	return false
}
