package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// reduceOuterJoins turns outer joins whose NULL-extended rows a condition above
// rejects into inner (or one-sided) joins.
func reduceOuterJoins(l *level) (bool, error) {
	changed := false
	conds := conjuncts(l.q.Where)
	for _, it := range l.q.From {
		reduceItem(it, conds, &changed)
	}
	return changed, nil
}

// reduceItem looks at one item under conditions that every surviving row fulfils.
func reduceItem(it plan.FromItem, conds []plan.Expr, changed *bool) {
	j, ok := it.(*plan.Join)
	if !ok {
		return
	}
	left, right := itemRels(j.Left), itemRels(j.Right)
	if j.Kind == plan.FullJoin && rejects(conds, left) {
		j.Kind, *changed = plan.LeftJoin, true
	} else if j.Kind == plan.FullJoin && rejects(conds, right) {
		j.Kind, *changed = plan.RightJoin, true
	}
	if j.Kind == plan.LeftJoin && rejects(conds, right) || j.Kind == plan.RightJoin && rejects(conds, left) {
		j.Kind, *changed = plan.InnerJoin, true
	}
	on := conjuncts(j.On)
	both := append(append([]plan.Expr(nil), conds...), on...)
	switch j.Kind {
	case plan.InnerJoin, plan.SemiJoin:
		reduceItem(j.Left, both, changed)
		reduceItem(j.Right, both, changed)
	case plan.LeftJoin, plan.AntiJoin, plan.AntiNullJoin:
		reduceItem(j.Left, conds, changed)
		reduceItem(j.Right, on, changed)
	case plan.RightJoin:
		reduceItem(j.Left, on, changed)
		reduceItem(j.Right, conds, changed)
	case plan.FullJoin:
		reduceItem(j.Left, nil, changed)
		reduceItem(j.Right, nil, changed)
	}
}

func rejects(conds []plan.Expr, rels relSet) bool {
	for _, c := range conds {
		if isStrictOn(c, rels) {
			return true
		}
	}
	return false
}

// itemRels returns the range-table entries below a join-tree item.
func itemRels(it plan.FromItem) relSet {
	switch x := it.(type) {
	case *plan.RelRef:
		return relOf(x.Rel)
	case *plan.Join:
		return itemRels(x.Left).union(itemRels(x.Right))
	}
	return relSet{}
}
