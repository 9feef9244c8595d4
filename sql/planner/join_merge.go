package planner

import (
	"math"

	"github.com/omendb/omendb/sql/plan"
)

// costMerge is passing a row of either input of a merge join: its keys are
// made and compared one row at a time, which hashing does in batches.
const costMerge = 0.02

// mergeJoin sorts those inputs that are not in the order of the keys yet and
// joins them by one pass through both.
func (c *joinCase) mergeJoin(keys []equiKey, rest []plan.Expr, rows float64) *path {
	switch c.nodeKind() {
	case plan.InnerJoin, plan.LeftJoin, plan.FullJoin, plan.SemiJoin, plan.AntiJoin:
	default:
		return nil
	}
	var left, right []plan.SortKey
	for _, k := range keys {
		// The bytes by which rows are sorted and compared are those of one type.
		l, r := k.left.ResultType(), k.right.ResultType()
		if !k.op.CanMerge || l.OID != r.OID || !sameCollation(l.Collation, 0) || !sameCollation(r.Collation, 0) || !isColumn(k.left) || !isColumn(k.right) {
			return nil
		}
		left, right = append(left, sortKeyOf(k.left)), append(right, sortKeyOf(k.right))
	}
	leftCost, leftSorted := sortedCost(c.left, left)
	rightCost, rightSorted := sortedCost(c.right, right)
	p := &path{rels: c.rels, rows: rows, lateral: c.lateral()}
	p.start = leftCost + rightCost
	p.total = p.start + (c.left.rows+c.right.rows)*costMerge + rows*(costRow+c.l.costOf(rest))
	p.build = func() *rel {
		l, r := c.left.build(), c.right.build()
		out := c.joined(l, r)
		n := &plan.MergeJoin{Kind: c.nodeKind(), Orders: left}
		n.Cond = c.l.slotBoth(l, r, conjunction(rest))
		n.NodeInfo = c.info(l, r, p)
		for _, k := range keys {
			n.LeftKeys = append(n.LeftKeys, c.l.slot(l, k.left))
			n.RightKeys = append(n.RightKeys, c.l.slot(r, k.right))
		}
		n.Left, n.Right = c.l.inOrder(l, left, leftSorted), c.l.inOrder(r, right, rightSorted)
		out.node = n
		return out
	}
	return p
}

func isColumn(e plan.Expr) bool {
	_, ok := e.(*plan.Var)
	return ok
}

func sortKeyOf(e plan.Expr) plan.SortKey {
	return plan.SortKey{Expr: e, Target: -1, Collation: e.ResultType().Collation}
}

// sortedCost is the cost of a path's rows in an order, and whether they come in it.
func sortedCost(p *path, keys []plan.SortKey) (cost float64, sorted bool) {
	if matched, reverse := ordered(p, keys); matched && !reverse && len(p.fixed) == 0 {
		return p.total, true
	}
	return p.total + sortCost(math.Max(p.rows, 1)), false
}

// inOrder returns a node whose rows are in the order of keys.
func (l *level) inOrder(r *rel, keys []plan.SortKey, sorted bool) plan.Node {
	if sorted {
		return r.node
	}
	slots := make([]plan.SortKey, len(keys))
	for i, k := range keys {
		k.Expr = l.slot(r, k.Expr)
		slots[i] = k
	}
	info := *r.node.Info()
	info.TotalCost += sortCost(info.Rows)
	info.StartCost, info.SortedBy = info.TotalCost, slots
	return &plan.Sort{NodeInfo: info, Input: r.node, Keys: slots}
}
