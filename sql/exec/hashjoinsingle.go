package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// Where no left row can have two partners, a join hands the left batch on:
// rows without a partner are left out of its selection, and the right columns
// stand beside it.

// single reports whether the join can be done that way.
func (o *hashJoinOp) single() bool {
	if o.st.rt.Knobs.NoPacking {
		return false
	}
	switch o.node.Kind {
	case plan.InnerJoin:
		return o.table.alone
	case plan.LeftJoin:
		return o.table.alone && o.pairs.cond == nil
	case plan.SemiJoin, plan.AntiJoin:
		return o.pairs.cond == nil
	}
	return false
}

// stepSingle joins a batch whose rows were looked up.
func (o *hashJoinOp) stepSingle(b *column.Batch) (*column.Batch, error) {
	p, rows := o.pairs, selected(b, b.Sel)
	sel, from := p.keep[:0], p.right[:0]
	switch o.node.Kind {
	case plan.LeftJoin:
		sel, from = append(sel, rows...), append(from, o.found...)
	case plan.AntiJoin:
		for i, r := range rows {
			if o.found[i] < 0 {
				sel = append(sel, r)
			}
		}
	default:
		for i, r := range rows {
			if f := o.found[i]; f >= 0 {
				sel, from = append(sel, r), append(from, f)
			}
		}
	}
	p.keep, p.right = sel, from
	defer p.clearPairs()
	if len(sel) == 0 {
		return nil, nil
	}
	p.out = column.Batch{Cols: b.Cols, N: b.N, Sel: sel}
	if !p.leftOnly {
		p.both.Reset(p.kinds...)
		p.shared.Cols = append(p.shared.Cols[:0], b.Cols...)
		for c := len(p.leftKinds); c < len(p.kinds); c++ {
			o.table.rows.scatter(c-len(p.leftKinds), from, sel, b.N, &p.both.Cols[c])
			p.shared.Cols = append(p.shared.Cols, p.both.Cols[c])
		}
		p.out.Cols = p.shared.Cols
	}
	if p.cond != nil {
		pass, err := p.cond.filter(&p.out, sel, p.sel[:0])
		if err != nil {
			return nil, err
		}
		if p.sel = pass; len(pass) == 0 {
			return nil, nil
		}
		p.out.Sel = pass
	}
	if len(p.out.Sel) == b.N {
		p.out.Sel = nil
	}
	return &p.out, nil
}
