package functions

import "github.com/omendb/omendb/engine/column"

// The arithmetic kernels compute every lane and gather overflow in one word. Only
// when that says that some lane overflowed, perhaps one that is NULL or not
// selected, is the batch gone through again, row by row.

func intAddVec(w width) VecFunc {
	return arithmeticVec(intAdd(w), func(x, y, out []int64) bool {
		var bad int64
		switch {
		case len(y) == 1:
			c := y[0]
			for i := range out {
				v := at(x, i)
				s := v + c
				out[i] = s
				bad |= (v^s)&(c^s) | w.excess(s)
			}
		default:
			for i := range out {
				v, c := at(x, i), y[i]
				s := v + c
				out[i] = s
				bad |= (v^s)&(c^s) | w.excess(s)
			}
		}
		return bad < 0
	})
}

func intSubVec(w width) VecFunc {
	return arithmeticVec(intSub(w), func(x, y, out []int64) bool {
		var bad int64
		for i := range out {
			v, c := at(x, i), at(y, i)
			d := v - c
			out[i] = d
			bad |= (v^c)&(v^d) | w.excess(d)
		}
		return bad < 0
	})
}

func intMulVec(w width) VecFunc {
	return arithmeticVec(intMul(w), func(x, y, out []int64) bool {
		if w == 8 {
			bad := false
			for i := range out {
				v, c := at(x, i), at(y, i)
				out[i] = v * c
				bad = bad || mulOverflows(v, c)
			}
			return bad
		}
		var bad int64 // narrower factors cannot leave int64
		for i := range out {
			p := at(x, i) * at(y, i)
			out[i] = p
			bad |= w.excess(p)
		}
		return bad < 0
	})
}

// excess is negative when v is not a value of the type.
func (w width) excess(v int64) int64 {
	switch w {
	case 4:
		return -(v ^ int64(int32(v))) | (v ^ int64(int32(v)))
	case 2:
		return -(v ^ int64(int16(v))) | (v ^ int64(int16(v)))
	}
	return 0
}

// arithmeticVec makes a kernel of a loop over lanes, which reports whether any lane may
// have overflowed, and the row form.
func arithmeticVec(eval EvalFunc, loop func(x, y, out []int64) bool) VecFunc {
	return func(c *Ctx, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
		if !prepare(args, n, column.Int, out) {
			return nil
		}
		if loop(args[0].I, args[1].I, out.I) {
			return evalRows(c, eval, args, sel, n, out)
		}
		return nil
	}
}

// evalRows computes a strict function row by row into a prepared vector.
func evalRows(c *Ctx, eval EvalFunc, args []*column.Vec, sel []int32, n int, out *column.Vec) error {
	row := make([]column.Datum, len(args))
	count := n
	if sel != nil {
		count = len(sel)
	}
	for i := range count {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if out.Nulls.Get(r) {
			continue
		}
		for k, a := range args {
			row[k] = constDatum(a, r)
		}
		d, err := eval(c, row)
		if err != nil {
			return err
		}
		out.Set(r, d)
	}
	return nil
}
