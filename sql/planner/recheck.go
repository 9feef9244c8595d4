package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// recheck lists what is evaluated again when a newer version of a row has taken
// its place in the input row: the conditions of all joins from the inside out,
// WHERE, and what was computed already. As in PostgreSQL the rows of the other
// tables stay those that were joined, also those that EXISTS or IN has found
// (see FirstJoin), and what NOT EXISTS has not found stays not found.
func (l *level) recheck(r *rel) []plan.RecheckStep {
	c := &rechecker{l: l, r: r, plain: &rel{cols: r.cols}}
	for _, it := range l.q.From {
		c.item(it)
	}
	c.demand(l.q.Where)
	if len(r.exprs) == 0 {
		return c.steps
	}
	for _, x := range r.exprs {
		if l.inRow(r, x.expr) && volatility(x.expr) != 'v' {
			c.steps = append(c.steps, plan.RecheckStep{Value: l.slot(c.plain, x.expr), Slot: x.slot})
		}
	}
	return c.steps
}

type rechecker struct {
	l     *level
	r     *rel
	plain *rel // the row without what was computed from an older version
	steps []plan.RecheckStep
}

// item adds the conditions of a join and of those below it.
func (c *rechecker) item(it plan.FromItem) {
	j, ok := it.(*plan.Join)
	if !ok {
		return
	}
	switch j.Kind {
	case plan.InnerJoin, plan.SemiJoin:
		c.item(j.Left)
		c.item(j.Right)
		c.demand(j.On)
	case plan.AntiJoin, plan.AntiNullJoin:
		c.item(j.Left)
	case plan.LeftJoin:
		c.item(j.Left)
		c.item(j.Right)
		c.outer(j, j.Right)
	case plan.RightJoin:
		c.item(j.Left)
		c.item(j.Right)
		c.outer(j, j.Left)
	}
}

// demand adds conditions without which the row is not meant, as far as their columns are in the row.
func (c *rechecker) demand(e plan.Expr) {
	var conds []plan.Expr
	for _, x := range conjuncts(e) {
		if c.l.inRow(c.r, x) {
			conds = append(conds, x)
		}
	}
	if len(conds) > 0 {
		c.steps = append(c.steps, plan.RecheckStep{Cond: c.l.slot(c.plain, conjunction(conds))})
	}
}

// outer adds the condition of an outer join. MERGE's own join is one: a newer
// version of the target that it does not hold for is not matched any more.
func (c *rechecker) outer(j *plan.Join, nullable plan.FromItem) {
	rels := itemRels(nullable)
	if c.l.q.Command == plan.Merge && itemRels(j).has(c.l.q.Result) {
		c.demand(j.On)
		return
	}
	if j.On == nil || !c.l.inRow(c.r, j.On) {
		return
	}
	s := plan.RecheckStep{Cond: c.l.slot(c.plain, j.On), Outer: true}
	for k, slot := range c.r.cols {
		if rels.has(k.rel) {
			s.Null = append(s.Null, slot)
		}
	}
	slices.Sort(s.Null)
	c.steps = append(c.steps, s)
}
