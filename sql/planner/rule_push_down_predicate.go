package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// pushDownPredicates moves conditions on the output of a subquery that could not be
// merged (set operations, grouping, DISTINCT) into it: those of WHERE, and those of a
// join on a side that they decide about.
func pushDownPredicates(l *level) (bool, error) {
	q := l.q
	changed := false
	q.Where = pushConds(q, q.Where, q.From, &changed)
	for _, it := range q.From {
		pushJoinConds(q, it, &changed)
	}
	return changed, nil
}

// pushConds moves what it can of a condition on items into their subqueries and returns the rest.
func pushConds(q *plan.Query, cond plan.Expr, items []plan.FromItem, changed *bool) plan.Expr {
	if cond == nil {
		return nil
	}
	keep := preserved(items)
	var rest []plan.Expr
	for _, c := range conjuncts(cond) {
		rel := soleRel(c)
		if rel < 0 || !keep.has(rel) || q.Rels[rel].Kind != plan.RelSubquery || q.Rels[rel].Barrier && !keepsSecrets(c) || !pushInto(q.Rels[rel].Query, rel, c) {
			rest = append(rest, c)
			continue
		}
		*changed = true
	}
	return conjunction(rest)
}

func pushJoinConds(q *plan.Query, it plan.FromItem, changed *bool) {
	j, ok := it.(*plan.Join)
	if !ok {
		return
	}
	switch j.Kind {
	case plan.InnerJoin:
		j.On = pushConds(q, j.On, []plan.FromItem{j.Left, j.Right}, changed)
	case plan.LeftJoin, plan.SemiJoin, plan.AntiJoin:
		j.On = pushConds(q, j.On, []plan.FromItem{j.Right}, changed)
	case plan.RightJoin:
		j.On = pushConds(q, j.On, []plan.FromItem{j.Left}, changed)
	}
	pushJoinConds(q, j.Left, changed)
	pushJoinConds(q, j.Right, changed)
}

// soleRel returns the only relation of this level that c looks at, or -1; also
// -1 for what must be computed exactly where it stands.
func soleRel(c plan.Expr) int {
	if volatility(c) == 'v' || hasSubLink(c) {
		return -1
	}
	rel, n := -1, 0
	relsOf(c).each(func(i int) { rel, n = i, n+1 })
	outer := has(c, func(e plan.Expr) bool {
		v, ok := e.(*plan.Var)
		return ok && (v.Level > 0 || v.Attr < 0)
	})
	if n != 1 || outer {
		return -1
	}
	return rel
}

// keepsSecrets reports whether computing c shows nothing of its arguments but the result, not even by an error.
func keepsSecrets(c plan.Expr) bool {
	return !has(c, func(e plan.Expr) bool {
		switch x := e.(type) {
		case *plan.Call:
			return !x.Func.LeakProof
		case *plan.Var, *plan.Const, *plan.Param, *plan.BoolOp, *plan.NullTest, *plan.BoolTest, *plan.Relabel:
			return false
		}
		return true
	})
}

// preserved returns the relations whose rows reach WHERE without being
// NULL-extended.
func preserved(items []plan.FromItem) (s relSet) {
	for _, it := range items {
		switch x := it.(type) {
		case *plan.RelRef:
			s = s.union(relOf(x.Rel))
		case *plan.Join:
			switch x.Kind {
			case plan.InnerJoin:
				s = s.union(preserved([]plan.FromItem{x.Left, x.Right}))
			case plan.RightJoin:
				s = s.union(preserved([]plan.FromItem{x.Right}))
			case plan.FullJoin:
			default:
				s = s.union(preserved([]plan.FromItem{x.Left}))
			}
		}
	}
	return s
}

// pushInto adds condition c on relation rel's columns to the subquery sub that
// computes them, if that is right.
func pushInto(sub *plan.Query, rel int, c plan.Expr) bool {
	if !canPushInto(sub, rel, c) {
		return false
	}
	doPush(sub, rel, c)
	return true
}

func canPushInto(sub *plan.Query, rel int, c plan.Expr) bool {
	if sub.Command != plan.Select || sub.Limit != nil || sub.Offset != nil || sub.HasWindows ||
		locksItself(sub) || sub.DistinctOn != nil || sub.Sets != nil || sub.GroupAll {
		return false
	}
	targets := visibleTargets(sub.Targets)
	if sub.SetOp != nil {
		for _, r := range sub.Rels {
			if r.Kind != plan.RelSubquery {
				return false
			}
			leaf := visibleTargets(r.Query.Targets)
			for i, t := range targets { // a leaf that is converted above cannot take the condition as it is
				if !readsAttr(c, rel, i) {
					continue
				}
				if leaf[i].Expr.ResultType() != t.Expr.ResultType() {
					return false
				}
			}
			if !canPushInto(r.Query, rel, c) {
				return false
			}
		}
		return true
	}
	ok := true
	plan.Walk(c, func(e plan.Expr) bool {
		if v, is := e.(*plan.Var); is && v.Level == 0 && v.Rel == rel {
			t := targets[v.Attr].Expr
			if volatility(t) == 'v' || hasSubLink(t) || hasSet(t) || len(sub.GroupBy) > 0 && !isGroupKey(sub, t) || sub.HasAggs && len(sub.GroupBy) == 0 {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// readsAttr reports whether c reads a column of a relation of its level.
func readsAttr(c plan.Expr, rel, attr int) bool {
	return has(c, func(e plan.Expr) bool {
		v, ok := e.(*plan.Var)
		return ok && v.Level == 0 && v.Rel == rel && v.Attr == attr
	})
}

func isGroupKey(q *plan.Query, e plan.Expr) bool {
	for _, k := range q.GroupBy {
		if plan.Same(k.Expr, e) {
			return true
		}
	}
	return false
}

func doPush(sub *plan.Query, rel int, c plan.Expr) {
	if sub.SetOp != nil {
		for _, r := range sub.Rels {
			doPush(r.Query, rel, c)
		}
		return
	}
	targets := visibleTargets(sub.Targets)
	moved := plan.Rewrite(c, func(x plan.Expr) plan.Expr {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 && v.Rel == rel {
			return targets[v.Attr].Expr
		}
		return x
	})
	sub.Where = conjunction(append(conjuncts(sub.Where), moved))
}
