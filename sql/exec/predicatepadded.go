package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// padded is column = value, or column <> value, of type character: spaces at
// the end do not count.
type padded struct {
	slot  int
	value expr
	equal bool
}

// paddedKernel returns the comparison of a column of type character with something that is the same for all rows, or nil.
func (c *compiler) paddedKernel(e *plan.Call) (predicate, error) {
	if e.Func.Lang != functions.LangInternal || len(e.Args) != 2 || !c.st.env.EqualsBytes(e.InputColl) ||
		e.Func.Src != "bpchareq" && e.Func.Src != "bpcharne" {
		return nil, nil
	}
	left, right := e.Args[0], e.Args[1]
	s := slotOf(left)
	if s == nil || !rowless(right) {
		if s = slotOf(right); s == nil || !rowless(left) {
			return nil, nil
		}
		right = left
	}
	value, err := c.expr(right)
	if err != nil {
		return nil, err
	}
	return &padded{slot: s.Index, value: value, equal: e.Func.Src == "bpchareq"}, nil
}

func unpad(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

func (p *padded) test(r *row) (bool, error) {
	d := r.slot(p.slot)
	c, err := p.value.row(r)
	if err != nil || d.Null || c.Null {
		return false, err
	}
	return (string(unpad(d.B)) == string(unpad(c.B))) == p.equal, nil
}

func (p *padded) filter(b *column.Batch, sel, dst []int32) ([]int32, error) {
	cv, err := p.value.vec(b, sel)
	if err != nil {
		return nil, err
	}
	d := cv.Datum(0)
	if d.Null {
		return dst, nil
	}
	v, rows, c := &b.Cols[p.slot], selected(b, sel), unpad(d.B)
	nulls, one := v.Nulls.Any(), v.Len() == 1
	for _, r := range rows {
		k := r
		if one {
			k = 0
		}
		if nulls && v.Null(int(k)) {
			continue
		}
		if (string(unpad(v.B[k])) == string(c)) == p.equal {
			dst = append(dst, r)
		}
	}
	return dst, nil
}
