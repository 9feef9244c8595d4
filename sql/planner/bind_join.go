package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// join binds a join and returns what is visible of it.
func (s *scope) join(x *pg.JoinExpr) (plan.FromItem, []*nsItem) {
	b := s.b
	out := &plan.Join{}
	switch x.Jointype {
	case pg.JoinType_JOIN_LEFT:
		out.Kind = plan.LeftJoin
	case pg.JoinType_JOIN_RIGHT:
		out.Kind = plan.RightJoin
	case pg.JoinType_JOIN_FULL:
		out.Kind = plan.FullJoin
	}
	left, litems := s.fromItem(x.Larg)
	lateralOK := out.Kind == plan.InnerJoin || out.Kind == plan.LeftJoin
	for _, it := range litems {
		it.lateralOnly, it.lateralOK = true, lateralOK
	}
	saved := s.items
	s.items = append(append([]*nsItem(nil), saved...), litems...)
	right, ritems := s.fromItem(x.Rarg)
	s.items = saved
	s.checkNameConflicts(litems, ritems)
	for _, it := range litems {
		it.lateralOnly, it.lateralOK = false, true
	}
	out.Left, out.Right = left, right
	lcols, rcols := visibleColumns(litems), visibleColumns(ritems)
	using := names(x.UsingClause)
	if x.IsNatural {
		for _, l := range lcols {
			for _, r := range rcols {
				if l.name == r.name {
					using = append(using, l.name)
					break
				}
			}
		}
	}
	items := append(append([]*nsItem(nil), litems...), ritems...)
	var merged []nsColumn
	if len(using) > 0 {
		merged, lcols, rcols = s.using(out, using, lcols, rcols)
	} else if x.Quals != nil {
		s.items = append([]*nsItem(nil), s.items...)
		s.items = append(s.items, items...)
		out.On = within(s, inJoin, func() plan.Expr { return b.coerceBool(s, s.expr(x.Quals), "JOIN/ON") })
		s.items = saved
	}
	out.Using = using
	cols := append(append(append([]nsColumn(nil), merged...), lcols...), rcols...)
	item := &nsItem{rel: -1, cols: cols, colsVisible: true, lateralOK: true}
	if x.Alias == nil {
		for _, it := range items {
			it.colsVisible = false
		}
		if x.JoinUsingAlias != nil {
			out.UsingAlias = x.JoinUsingAlias.Aliasname
			u := &nsItem{name: x.JoinUsingAlias.Aliasname, rel: -1, cols: merged, relVisible: true, hasAlias: true, lateralOK: true}
			s.checkNameConflicts([]*nsItem{u}, items)
			items = append(items, u)
		}
		return out, append(items, item)
	}
	out.Alias = x.Alias.Aliasname
	item.name, item.relVisible, item.hasAlias = out.Alias, true, true
	given := names(x.Alias.Colnames)
	if len(given) > len(cols) {
		b.failf(-1, pgerr.InvalidColumnReference, "join expression \"%s\" has %d columns available but %d columns specified", out.Alias, len(cols), len(given))
	}
	out.Given = given
	for i, n := range given {
		item.cols[i].name = n
	}
	return out, []*nsItem{item}
}

func visibleColumns(items []*nsItem) []nsColumn {
	var out []nsColumn
	for _, it := range items {
		if it.colsVisible {
			out = append(out, it.cols...)
		}
	}
	return out
}

// using binds the columns that a join merges, and returns them and what is left of both sides.
func (s *scope) using(j *plan.Join, list []string, left, right []nsColumn) (merged, l, r []nsColumn) {
	b := s.b
	var conds []plan.Expr
	usedL, usedR := map[int]bool{}, map[int]bool{}
	seen := map[string]bool{}
	pick := func(cols []nsColumn, name, side string) int {
		hit := -1
		for i := range cols {
			if cols[i].name == name {
				if hit >= 0 {
					b.failf(-1, pgerr.AmbiguousColumn, "common column name \"%s\" appears more than once in %s table", name, side)
				}
				hit = i
			}
		}
		if hit < 0 {
			b.failf(-1, pgerr.UndefinedColumn, "column \"%s\" specified in USING clause does not exist in %s table", name, side)
		}
		return hit
	}
	for _, name := range list {
		if seen[name] {
			b.failf(-1, pgerr.DuplicateColumn, "column name \"%s\" appears more than once in USING clause", name)
		}
		seen[name] = true
		li, ri := pick(left, name, "left"), pick(right, name, "right")
		usedL[li], usedR[ri] = true, true
		le, re := left[li].expr, right[ri].expr
		conds = append(conds, b.coerceBool(s, s.makeOp([]string{"="}, le, re, -1), "JOIN/USING"))
		merged = append(merged, nsColumn{name: name, expr: s.merge(j.Kind, le, re)})
	}
	j.On = conds[0]
	if len(conds) > 1 {
		j.On = &plan.BoolOp{Base: boolBase(-1), Op: plan.And, Args: conds}
	}
	for i, c := range left {
		if !usedL[i] {
			l = append(l, c)
		}
	}
	for i, c := range right {
		if !usedR[i] {
			r = append(r, c)
		}
	}
	return merged, l, r
}

// merge returns what a merged column stands for.
func (s *scope) merge(kind plan.JoinKind, l, r plan.Expr) plan.Expr {
	b := s.b
	args := []plan.Expr{l, r}
	t, _ := b.commonType(args, "JOIN/USING")
	typmod := commonTypmod(args, t)
	conv := func(e plan.Expr) plan.Expr {
		if e.ResultType().OID == t {
			if e.ResultType().Typmod != typmod {
				return &plan.Relabel{Base: plan.Base{Typ: plan.Type{OID: t, Typmod: typmod, Collation: e.ResultType().Collation}, Pos: -1}, Arg: e, Cast: plan.CastImplicit}
			}
			return e
		}
		return b.coerceType(s, e, b.typeOf(t, typmod), functions.Implicit, plan.CastImplicit, -1)
	}
	l, r = conv(l), conv(r)
	switch kind {
	case plan.InnerJoin:
		if _, ok := l.(*plan.Var); ok {
			return l
		}
		if _, ok := r.(*plan.Var); ok {
			return r
		}
		return l
	case plan.LeftJoin:
		return l
	case plan.RightJoin:
		return r
	}
	return &plan.Coalesce{Base: plan.Base{Typ: l.ResultType(), Pos: -1}, Args: []plan.Expr{l, r}}
}
