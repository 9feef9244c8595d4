package planner

import (
	"math"
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// maxUsefulShare is the share of a table's rows above which a derived restriction is not worth its evaluation.
const maxUsefulShare = 0.9

// orRestrictions derives from an OR over several tables what each of its alternatives demands of one table: from
// (a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4) follow a.x = 1 OR a.x = 3 and b.y = 2 OR b.y = 4, by which both tables
// can be filtered before they are joined. The OR itself stays. It runs once, when the other rules have come to rest.
func orRestrictions(l *level) bool {
	changed := false
	l.q.Where = l.withRestrictions(l.q.Where, &changed)
	var visit func(it plan.FromItem)
	visit = func(it plan.FromItem) {
		if j, ok := it.(*plan.Join); ok && j.Kind == plan.InnerJoin {
			j.On = l.withRestrictions(j.On, &changed)
			visit(j.Left)
			visit(j.Right)
		}
	}
	for _, it := range l.q.From {
		visit(it)
	}
	return changed
}

func (l *level) withRestrictions(e plan.Expr, changed *bool) plan.Expr {
	conds := conjuncts(e)
	n := len(conds)
	for _, c := range conds[:n:n] {
		or, ok := c.(*plan.BoolOp)
		if !ok || or.Op != plan.Or {
			continue
		}
		whole := l.selectivity(or)
		for _, r := range l.demands(or) {
			s := l.selectivity(r)
			if s > maxUsefulShare {
				continue
			}
			whole /= math.Max(s, 1e-6)
			conds = append(conds, r)
		}
		l.fractions[or] = math.Min(1, whole) // what is left for it to decide
	}
	if len(conds) == n {
		return e
	}
	*changed = true
	return conjunction(conds)
}

// demands returns the restrictions that follow from an OR for single tables.
func (l *level) demands(or *plan.BoolOp) []plan.Expr {
	var rels []int
	for r := range l.q.Rels {
		if relsOf(or).has(r) {
			rels = append(rels, r)
		}
	}
	if len(rels) < 2 {
		return nil
	}
	var out []plan.Expr
	for _, r := range rels {
		arms := make([]plan.Expr, 0, len(or.Args))
		for _, arm := range or.Args {
			of := slices.DeleteFunc(slices.Clone(conjuncts(arm)), func(c plan.Expr) bool {
				return relsOf(c) != relOf(r) || hasVolatile(c) || hasSubLink(c)
			})
			if len(of) == 0 {
				break
			}
			arms = append(arms, conjunction(of))
		}
		if len(arms) == len(or.Args) {
			out = append(out, &plan.BoolOp{Base: or.Base, Op: plan.Or, Args: arms})
		}
	}
	return out
}
