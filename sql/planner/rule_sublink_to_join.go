package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// subLinksToJoins turns EXISTS, NOT EXISTS and IN conditions of WHERE into semi
// and anti joins, so that they run once over sets instead of once per row.
func subLinksToJoins(l *level) (bool, error) {
	q := l.q
	if !q.HasSubLinks || len(q.From) == 0 {
		return false, nil
	}
	for _, it := range q.From {
		q.Where = hoistSubLinks(it, q.Where)
	}
	if q.Where == nil {
		return false, nil
	}
	var rest []plan.Expr
	changed := false
	for _, c := range conjuncts(q.Where) {
		kind, s := joinableSubLink(c)
		if s == nil || !mergeSubLink(q, kind, s) {
			rest = append(rest, c)
			continue
		}
		changed = true
	}
	q.Where = conjunction(rest)
	return changed, nil
}

// hoistSubLinks moves the conditions that may become joins from inner joins, where a subquery that was pulled up has
// left them, to WHERE, where they mean the same.
func hoistSubLinks(it plan.FromItem, where plan.Expr) plan.Expr {
	j, ok := it.(*plan.Join)
	if !ok || j.Kind != plan.InnerJoin {
		return where
	}
	var rest []plan.Expr
	moved := conjuncts(where)
	for _, c := range conjuncts(j.On) {
		if _, s := joinableSubLink(c); s != nil {
			moved = append(moved, c)
			continue
		}
		rest = append(rest, c)
	}
	if n := len(conjuncts(j.On)); len(rest) < n {
		j.On, where = conjunction(rest), conjunction(moved)
	}
	return hoistSubLinks(j.Right, hoistSubLinks(j.Left, where))
}

// joinableSubLink recognises [NOT] EXISTS (…) and x IN (…).
func joinableSubLink(c plan.Expr) (plan.JoinKind, *plan.SubLink) {
	switch x := c.(type) {
	case *plan.SubLink:
		if x.Kind == plan.SubExists || x.Kind == plan.SubAny {
			return plan.SemiJoin, x
		}
	case *plan.BoolOp:
		if x.Op == plan.Not {
			if s, ok := x.Args[0].(*plan.SubLink); ok && s.Kind == plan.SubExists {
				return plan.AntiJoin, s
			}
		}
	}
	return 0, nil
}

// mergeSubLink joins the subquery to the query's FROM list. It refuses (false)
// what would change the meaning.
func mergeSubLink(q *plan.Query, kind plan.JoinKind, s *plan.SubLink) bool {
	sub := s.Query
	if s.Kind == plan.SubAny && locksRows(q) && isCorrelated(sub) {
		return false // asked again for a row's new version it may find another match
	}
	if queryIsVolatile(sub) || len(q.Rels)+len(sub.Rels)+2 > maxRels {
		return false
	}
	if s.Kind == plan.SubExists {
		simplifyExists(sub)
	}
	var right plan.FromItem
	var on []plan.Expr
	switch {
	case isSimple(sub) && !usesOuterIn(sub.From):
		var defs []plan.Expr
		mergeRels(q, sub)
		for _, t := range visibleTargets(sub.Targets) {
			defs = append(defs, t.Expr)
		}
		right = sub.From[0]
		for _, it := range sub.From[1:] {
			right = &plan.Join{Kind: plan.InnerJoin, Left: right, Right: it}
		}
		on = conjuncts(sub.Where)
		if s.Kind == plan.SubAny {
			on = append(on, conjuncts(substituteSubColumns(s.Test, defs))...)
		}
	case s.Kind == plan.SubAny && !isCorrelated(sub):
		rel := &plan.Rel{Kind: plan.RelSubquery, Alias: "ANY_subquery", Query: sub}
		var defs []plan.Expr
		for i, t := range visibleTargets(sub.Targets) {
			typ := t.Expr.ResultType()
			rel.Columns = append(rel.Columns, plan.RelColumn{Name: t.Name, Type: typ})
			defs = append(defs, &plan.Var{Base: plan.Base{Typ: typ, Pos: -1}, Rel: len(q.Rels), Attr: i})
		}
		q.Rels = append(q.Rels, rel)
		right = &plan.RelRef{Rel: len(q.Rels) - 1}
		on = conjuncts(substituteSubColumns(s.Test, defs))
	default:
		return false
	}
	left := q.From[0]
	for _, it := range q.From[1:] {
		left = &plan.Join{Kind: plan.InnerJoin, Left: left, Right: it}
	}
	q.From = []plan.FromItem{&plan.Join{Kind: kind, Left: left, Right: right, On: conjunction(on)}}
	return true
}

// simplifyExists drops what cannot change whether any row exists.
func simplifyExists(sub *plan.Query) {
	if sub.Command != plan.Select || sub.SetOp != nil || sub.HasAggs || sub.HasSRF || sub.Having != nil || sub.Sets != nil ||
		sub.Offset != nil || len(sub.Locks) > 0 || len(sub.CTEs) > 0 || sub.GroupAll {
		return
	}
	if sub.Limit != nil {
		c, ok := sub.Limit.(*plan.Const)
		if !ok || !c.Value.Null && c.Value.I <= 0 || c.Free {
			return
		}
		sub.Limit = nil
	}
	sub.Targets, sub.GroupBy, sub.Windows, sub.HasWindows = nil, nil, nil, false
	sub.Distinct, sub.DistinctOn, sub.OrderBy, sub.WithTies = false, nil, nil, false
}

// usesOuterIn reports whether the condition of an outer join inside the items, or of a join below one, refers to
// an enclosing level: such a join cannot be moved there.
func usesOuterIn(items []plan.FromItem) bool {
	var search func(it plan.FromItem, below bool) bool
	search = func(it plan.FromItem, below bool) bool {
		j, ok := it.(*plan.Join)
		if !ok {
			return false
		}
		below = below || j.Kind != plan.InnerJoin
		return below && has(j.On, usesOuter) || search(j.Left, below) || search(j.Right, below)
	}
	return slices.ContainsFunc(items, func(it plan.FromItem) bool { return search(it, false) })
}

// usesOuter reports whether the node e, of a condition at this level, refers to an enclosing one, be it from
// inside a subquery of its own.
func usesOuter(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Var:
		return x.Level > 0
	case *plan.SubLink:
		return correlatedAt(x.Query, 1)
	}
	return false
}

// isCorrelated reports whether q refers to anything outside itself.
func isCorrelated(q *plan.Query) bool { return correlatedAt(q, 0) }

func correlatedAt(q *plan.Query, depth int) bool {
	found := false
	for _, r := range q.Rels {
		found = found || r.Kind == plan.RelCTE && r.CTELevel > depth
	}
	plan.WalkQuery(q, func(e plan.Expr) bool {
		switch v := e.(type) {
		case *plan.Var:
			found = found || v.Level > depth
		case *plan.Agg:
			found = found || v.Level > depth
		case *plan.Grouping:
			found = found || v.Level > depth
		}
		return !found
	}, func(s *plan.Query) { found = found || correlatedAt(s, depth+1) })
	return found
}

// substituteSubColumns puts expressions in the place of a sublink's columns; the tests of sublinks inside have their own.
func substituteSubColumns(test plan.Expr, defs []plan.Expr) plan.Expr {
	return plan.Replace(test, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.SubColumn:
			return defs[v.Index]
		case *plan.SubLink:
			return v
		}
		return nil
	})
}
