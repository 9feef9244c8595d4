package functions

import (
	"bytes"
	"cmp"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// prepare makes out n rows long with the union of the arguments' NULLs. It reports
// false when a constant argument is NULL, which makes every row NULL.
func prepare(args []*column.Vec, n int, kind column.Kind, out *column.Vec) bool {
	out.Resize(kind, n)
	for _, a := range args {
		if a.Len() == 1 && n != 1 {
			if a.Null(0) {
				for i := range n {
					out.Nulls.Set(i)
				}
				return false
			}
			continue
		}
		for w, word := range a.Nulls {
			if word == 0 || w > (n-1)>>6 {
				continue
			}
			for len(out.Nulls) <= w {
				out.Nulls = append(out.Nulls, 0)
			}
			out.Nulls[w] |= word
		}
	}
	return true
}

// at returns row i of a lane, a lane of one row being a constant.
func at[T any](lane []T, i int) T {
	if len(lane) == 1 {
		return lane[0]
	}
	return lane[i]
}

// laneCompareVec compares int64 lanes. Rows outside sel are compared, too: that costs less
// than skipping them.
func laneCompareVec(op cmpOp) VecFunc {
	return func(_ *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Int, out) {
			return nil
		}
		x, y := args[0].I, args[1].I
		switch {
		case sel != nil && len(sel) < n/8:
			for _, r := range sel {
				out.I[r] = b2i(op.holds(cmp.Compare(at(x, int(r)), at(y, int(r)))))
			}
		case len(y) == 1 && n > 0:
			compareConst(op, x, y[0], out.I)
		case len(x) == 1 && n > 0:
			compareConst(op.flip(), y, x[0], out.I)
		default:
			compareLanes(op, x, y, out.I)
		}
		return nil
	}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func compareConst(op cmpOp, x []int64, c int64, out []int64) {
	if len(x) == 1 { // both sides constant, or one row
		v := b2i(op.holds(cmp.Compare(x[0], c)))
		for i := range out {
			out[i] = v
		}
		return
	}
	x = x[:len(out)]
	switch op {
	case opEQ:
		for i, v := range x {
			out[i] = b2i(v == c)
		}
	case opNE:
		for i, v := range x {
			out[i] = b2i(v != c)
		}
	case opLT:
		for i, v := range x {
			out[i] = b2i(v < c)
		}
	case opLE:
		for i, v := range x {
			out[i] = b2i(v <= c)
		}
	case opGT:
		for i, v := range x {
			out[i] = b2i(v > c)
		}
	case opGE:
		for i, v := range x {
			out[i] = b2i(v >= c)
		}
	}
}

func compareLanes(op cmpOp, x, y, out []int64) {
	x, y = x[:len(out)], y[:len(out)]
	switch op {
	case opEQ:
		for i, v := range x {
			out[i] = b2i(v == y[i])
		}
	case opNE:
		for i, v := range x {
			out[i] = b2i(v != y[i])
		}
	case opLT:
		for i, v := range x {
			out[i] = b2i(v < y[i])
		}
	case opLE:
		for i, v := range x {
			out[i] = b2i(v <= y[i])
		}
	case opGT:
		for i, v := range x {
			out[i] = b2i(v > y[i])
		}
	case opGE:
		for i, v := range x {
			out[i] = b2i(v >= y[i])
		}
	}
}

// floatCompareVec compares float lanes, NaN being equal to itself and above all else.
func floatCompareVec(op cmpOp) VecFunc {
	return func(_ *Ctx, args []*column.Vec, _ []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Int, out) {
			return nil
		}
		x, y := args[0].F, args[1].F
		for i := range out.I {
			a, b := at(x, i), at(y, i)
			less, more := a < b, a > b
			if a != a || b != b {
				less, more = a == a && b != b, a != a && b == b
			}
			out.I[i] = b2i(op == opEQ && !less && !more || op == opNE && (less || more) || op == opLT && less ||
				op == opLE && !more || op == opGT && more || op == opGE && !less)
		}
		return nil
	}
}

// typeCompareVec compares values kept as bytes (and enums) by their type's order.
func typeCompareVec(oid OID, op cmpOp) VecFunc {
	if op <= opNE && (oid == types.TextOID || oid == types.ByteaOID || oid == types.NameOID || oid == types.UUIDOID) {
		equal := bytesEqualVec(op == opEQ)
		return func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
			if c.Env.EqualsBytes(c.Collation) {
				return equal(c, args, sel, n, out)
			}
			return compareVec(oid, op, c, args, sel, n, out)
		}
	}
	return func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		return compareVec(oid, op, c, args, sel, n, out)
	}
}

// compareVec compares by the order of a type.
func compareVec(oid OID, op cmpOp, c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
	if !prepare(args, n, column.Int, out) {
		return nil
	}
	cmp := comparator(c, oid)
	eachRow(sel, n, func(i int) {
		if !out.Nulls.Get(i) {
			out.I[i] = b2i(op.holds(cmp(constDatum(args[0], i), constDatum(args[1], i))))
		}
	})
	return nil
}

func constDatum(v *column.Vec, i int) column.Datum {
	if v.Len() == 1 {
		i = 0
	}
	return v.Datum(i)
}

// eachRow calls f for every row present.
func eachRow(sel []int32, n int, f func(i int)) {
	if sel != nil {
		for _, r := range sel {
			f(int(r))
		}
		return
	}
	for i := range n {
		f(i)
	}
}

func bytesEqualVec(want bool) VecFunc {
	return func(_ *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Int, out) {
			return nil
		}
		x, y := args[0].B, args[1].B
		eachRow(sel, n, func(i int) {
			if !out.Nulls.Get(i) {
				out.I[i] = b2i(bytes.Equal(at(x, i), at(y, i)) == want)
			}
		})
		return nil
	}
}
