package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// sortList binds ORDER BY. In window definitions names and numbers mean what they say
// (SQL99); else they may name output columns (SQL92).
func (s *scope) sortList(list []*pg.Node, sql99 bool) []plan.SortKey {
	var out []plan.SortKey
	for _, n := range list {
		sb := n.GetSortBy()
		var i int
		if sql99 {
			i = s.findTarget99(sb.Node, s.clause)
		} else {
			i = s.findTarget92(sb.Node, "ORDER BY", inOrderBy)
		}
		t := s.q.Targets[i]
		t.Expr = s.b.resolveUnknown(s, t.Expr)
		k := s.sortKey(sb, t.Expr, i)
		dup := false
		for _, have := range out {
			dup = dup || have.Target == i
		}
		if !dup {
			out = append(out, k)
		}
	}
	return out
}

// findTarget92 finds the target that an ORDER BY, GROUP BY or DISTINCT ON item means: an
// output name, a number, or an expression.
func (s *scope) findTarget92(n *pg.Node, where string, c clause) int {
	b, q := s.b, s.q
	if cr := n.GetColumnRef(); cr != nil && len(cr.Fields) == 1 && cr.Fields[0].GetString_() != nil {
		name := cr.Fields[0].GetString_().Sval
		if where == "GROUP BY" && s.findColumn(name, int(cr.Location), true) != nil {
			name = ""
		}
		hit := -1
		for i, t := range q.Targets {
			if name == "" || t.Junk || t.Name != name {
				continue
			}
			if hit >= 0 && !plan.Same(q.Targets[hit].Expr, t.Expr) {
				b.failf(int(cr.Location), pgerr.AmbiguousColumn, "%s \"%s\" is ambiguous", where, name)
			}
			if hit < 0 {
				hit = i
			}
		}
		if hit >= 0 {
			return hit
		}
	}
	if k := n.GetAConst(); k != nil {
		iv, ok := k.Val.(*pg.A_Const_Ival)
		if !ok || k.Isnull {
			b.failf(int(k.Location), pgerr.SyntaxError, "non-integer constant in %s", where)
		}
		want := int(iv.Ival.GetIval())
		pos := 0
		for i, t := range q.Targets {
			if !t.Junk {
				if pos++; pos == want {
					return i
				}
			}
		}
		b.failf(int(k.Location), pgerr.InvalidColumnReference, "%s position %d is not in select list", where, want)
	}
	return s.findTarget99(n, c)
}

// findTarget99 finds the target equal to an expression, or adds one that is not shown.
func (s *scope) findTarget99(n *pg.Node, c clause) int {
	q := s.q
	e := within(s, c, func() plan.Expr { return s.expr(n) })
	for i, t := range q.Targets {
		if plan.Same(bare(t.Expr), bare(e)) {
			unfree(t.Expr)
			return i
		}
	}
	unfree(e)
	q.Targets = append(q.Targets, &plan.Target{Expr: e, Junk: true})
	return len(q.Targets) - 1
}

// bare removes implicit relabels, which do not make expressions different.
func bare(e plan.Expr) plan.Expr {
	for {
		r, ok := e.(*plan.Relabel)
		if !ok || r.Cast != plan.CastImplicit {
			return e
		}
		e = r.Arg
	}
}

// unfree pins the literals of an expression that was compared with another one: other
// values might have compared differently.
func unfree(e plan.Expr) {
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Const); ok {
			c.Free = false
		}
		return true
	})
}

// defaultKey sorts by a target ascending.
func (s *scope) defaultKey(i int) plan.SortKey {
	t := s.q.Targets[i]
	t.Expr = s.b.resolveUnknown(s, t.Expr)
	return s.sortKey(nil, t.Expr, i)
}

// sortKey makes the key for an expression; sb is nil for the default order.
func (s *scope) sortKey(sb *pg.SortBy, e plan.Expr, target int) plan.SortKey {
	b := s.b
	t := e.ResultType().OID
	k := plan.SortKey{Expr: e, Target: target, Collation: e.ResultType().Collation}
	if sb != nil && sb.SortbyDir == pg.SortByDir_SORTBY_USING {
		s.usingOp(sb, t, &k)
	} else {
		less := functions.LessOp(b.env.Types, t)
		if less == nil {
			b.fail(location(e), pgerr.New(pgerr.UndefinedFunction, "could not identify an ordering operator for type %s", b.typeName(t)).
				WithHint("Use an explicit ordering operator or modify the query."))
		}
		k.Less = less.Code
		k.Desc = sb != nil && sb.SortbyDir == pg.SortByDir_SORTBY_DESC
		k.NullsFirst = k.Desc
	}
	if eq := functions.EqualityOp(b.env.Types, t); eq != nil {
		k.Equal = eq.Code
	}
	if sb != nil {
		switch sb.SortbyNulls {
		case pg.SortByNulls_SORTBY_NULLS_FIRST:
			k.NullsFirst = true
		case pg.SortByNulls_SORTBY_NULLS_LAST:
			k.NullsFirst = false
		}
	}
	return k
}

func (s *scope) usingOp(sb *pg.SortBy, t OID, k *plan.SortKey) {
	b, pos := s.b, int(sb.Location)
	name := names(sb.UseOp)
	res := functions.ResolveOp(b.env.Types, nil, b.operators(name, pos), t, t)
	if res.Status != functions.Found {
		b.opNotFound(name, t, t, true, pos)
	}
	m, ok := functions.BtreeStrategy(res.Op.OID, 0)
	if !ok || m.Strategy != functions.StrategyLess && m.Strategy != functions.StrategyGreater {
		b.fail(pos, pgerr.New(pgerr.WrongObjectType, "operator %s is not a valid ordering operator", dotted(name)).
			WithHint("Ordering operators must be \"<\" or \">\" members of btree operator families."))
	}
	k.UsingOp = res.Op.OID
	k.Desc = m.Strategy == functions.StrategyGreater
	k.NullsFirst = k.Desc
	if less := functions.FamilyOperator(m.Family, m.Left, m.Right, functions.StrategyLess); less != nil {
		k.Less = less.Code
	}
}
