package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// pullUpSubqueries merges simple subqueries in FROM (views among them) into the
// query: their tables join freely with the others, and conditions reach them.
func pullUpSubqueries(l *level) (bool, error) {
	changed := false
	for i, it := range l.q.From {
		l.q.From[i] = pullUpItem(l.q, it, false, &changed)
	}
	return changed, nil
}

// pullUpItem handles one item; nullable tells that an outer join above may
// replace its columns by NULLs, so that only plain columns may be substituted.
func pullUpItem(q *plan.Query, it plan.FromItem, nullable bool, changed *bool) plan.FromItem {
	switch x := it.(type) {
	case *plan.Join:
		leftNull := nullable || x.Kind == plan.RightJoin || x.Kind == plan.FullJoin
		rightNull := nullable || x.Kind == plan.LeftJoin || x.Kind == plan.FullJoin
		x.Left = pullUpItem(q, x.Left, leftNull, changed)
		x.Right = pullUpItem(q, x.Right, rightNull, changed)
	case *plan.RelRef:
		r := q.Rels[x.Rel]
		if r.Kind != plan.RelSubquery || !canPullUp(q, x.Rel, nullable) {
			return it
		}
		*changed = true
		return pullUp(q, x.Rel)
	}
	return it
}

func canPullUp(q *plan.Query, rel int, nullable bool) bool {
	r := q.Rels[rel]
	sub := r.Query
	if !isSimple(sub) || len(q.Rels)+len(sub.Rels) > maxRels || q.SetOp != nil || sub.HasModifyingCTE {
		return false
	}
	for _, l := range q.Locks {
		if l.Rel == rel { // FOR UPDATE of a subquery locks what it is made of
			return false
		}
	}
	for _, t := range visibleTargets(sub.Targets) {
		if nullable {
			if v, ok := t.Expr.(*plan.Var); !ok || v.Level != 0 {
				return false
			}
		}
		if volatility(t.Expr) == 'v' || hasSubLink(t.Expr) && referencesMoreThanOnce(q, rel) {
			return false
		}
	}
	return true
}

// referencesMoreThanOnce reports whether a relation's columns are used often
// enough that a costly definition would be computed again and again.
func referencesMoreThanOnce(q *plan.Query, rel int) bool {
	n := 0
	plan.WalkQuery(q, func(e plan.Expr) bool {
		if v, ok := e.(*plan.Var); ok && v.Rel == rel {
			n++
		}
		return true
	}, func(*plan.Query) { n++ })
	return n > 1
}

// pullUp merges Rels[rel] and returns the item that takes its place.
func pullUp(q *plan.Query, rel int) plan.FromItem {
	sub := q.Rels[rel].Query
	security := q.Rels[rel].Security
	mergeRels(q, sub)
	if security != 0 {
		for _, r := range sub.Rels {
			if r.Security == 0 {
				r.Security = security
			}
		}
	}
	var defs []plan.Expr
	for _, t := range visibleTargets(sub.Targets) {
		defs = append(defs, t.Expr)
	}
	var names []string
	for _, c := range q.Rels[rel].Columns {
		names = append(names, c.Name)
	}
	q.Rels[rel] = &plan.Rel{Kind: plan.RelResult, Alias: q.Rels[rel].Alias, FromView: q.Rels[rel].FromView}
	substitute(q, rel, defs, names)
	item := sub.From[0]
	for _, it := range sub.From[1:] {
		item = &plan.Join{Kind: plan.InnerJoin, Left: item, Right: it}
	}
	if sub.Where != nil {
		item = addCondition(q, item, sub.Where)
	}
	return item
}

// addCondition attaches a WHERE condition to a join-tree item.
func addCondition(q *plan.Query, item plan.FromItem, cond plan.Expr) plan.FromItem {
	if j, ok := item.(*plan.Join); ok && j.Kind == plan.InnerJoin {
		j.On = conjunction(append(conjuncts(j.On), conjuncts(cond)...))
		return j
	}
	q.Rels = append(q.Rels, &plan.Rel{Kind: plan.RelResult})
	return &plan.Join{Kind: plan.InnerJoin, Left: item, Right: &plan.RelRef{Rel: len(q.Rels) - 1}, On: cond}
}
