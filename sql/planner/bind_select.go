package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// bindSelect binds SELECT, VALUES or a tree of set operations. recursive is the WITH
// query that this is the definition of when it refers to itself, else nil.
func (b *binder) bindSelect(parent *scope, x *pg.SelectStmt, recursive *cteEntry) *plan.Query {
	s := b.newScope(parent)
	return s.selectStmt(x, recursive)
}

func (s *scope) selectStmt(x *pg.SelectStmt, recursive *cteEntry) *plan.Query {
	b := s.b
	switch {
	case x.IntoClause != nil:
		b.failf(int(x.IntoClause.GetRel().GetLocation()), pgerr.SyntaxError, "SELECT ... INTO is not allowed here")
	case len(x.ValuesLists) > 0:
		s.withClause(x.WithClause)
		s.values(x)
	case x.Op == pg.SetOperation_SETOP_UNION || x.Op == pg.SetOperation_SETOP_INTERSECT || x.Op == pg.SetOperation_SETOP_EXCEPT:
		s.withClause(x.WithClause)
		s.setOperation(x, recursive)
	default:
		s.withClause(x.WithClause)
		s.plainSelect(x)
	}
	b.assignCollations(s)
	return s.q
}

func (s *scope) plainSelect(x *pg.SelectStmt) {
	b, q := s.b, s.q
	for _, n := range x.WindowClause {
		s.windows = append(s.windows, windowDef{raw: n.GetWindowDef()})
	}
	s.locking = x.LockingClause
	s.from(x.FromClause)
	q.Targets = within(s, inTarget, func() []*plan.Target { return s.targets(x.TargetList) })
	s.where(x.WhereClause)
	if x.HavingClause != nil {
		q.Having = within(s, inHaving, func() plan.Expr { return b.coerceBool(s, s.expr(x.HavingClause), "HAVING") })
	}
	q.OrderBy = within(s, inOrderBy, func() []plan.SortKey { return s.sortList(x.SortClause, false) })
	s.group(x)
	s.distinctClause(x)
	s.limit(x)
	s.bindWindows()
	if s.resolve {
		s.resolveTargets()
	}
	if q.HasAggs && slices.ContainsFunc(q.Rels, func(r *plan.Rel) bool { return r.WorkTable }) {
		b.failf(s.firstAggregate(), pgerr.InvalidRecursion, "aggregate functions are not allowed in a recursive query's recursive term")
	}
	if len(q.GroupBy) > 0 || q.Sets != nil || q.HasAggs || q.Having != nil {
		q.GroupAll = len(q.GroupBy) == 0 && q.Sets == nil
		s.checkGrouping()
	}
	s.locks(x.LockingClause)
}

// firstAggregate is the place of an aggregate of this level in the query.
func (s *scope) firstAggregate() int {
	pos := -1
	plan.MapQuery(s.q, func(e plan.Expr) plan.Expr {
		plan.Walk(e, func(x plan.Expr) bool {
			if a, ok := x.(*plan.Agg); ok && pos < 0 {
				pos = a.Pos
			}
			return pos < 0
		})
		return e
	})
	return pos
}

func (s *scope) where(n *pg.Node) {
	if n != nil {
		s.q.Where = within(s, inWhere, func() plan.Expr { return s.b.coerceBool(s, s.expr(n), "WHERE") })
	}
}

// targets binds a target list.
func (s *scope) targets(list []*pg.Node) []*plan.Target {
	var out []*plan.Target
	for _, n := range list {
		rt := n.GetResTarget()
		if cols, ok := s.starColumns(rt.Val); ok {
			for _, c := range cols {
				out = append(out, s.origin(&plan.Target{Expr: c.expr, Name: c.name}))
			}
			continue
		}
		t := &plan.Target{Expr: s.expr(rt.Val), Name: rt.Name}
		if t.Name == "" {
			t.Name = figureName(rt.Val)
		}
		out = append(out, s.origin(t))
	}
	if len(out) > maxColumns {
		s.b.failf(-1, pgerr.TooManyColumns, "target lists can have at most %d entries", maxColumns)
	}
	return out
}

// origin notes the table column that a target comes from, for RowDescription.
func (s *scope) origin(t *plan.Target) *plan.Target {
	v, ok := t.Expr.(*plan.Var)
	if !ok || v.Attr < 0 {
		return t
	}
	r := s.varRel(v)
	switch {
	case r == nil:
	case r.Kind == plan.RelTable:
		t.SourceTable, t.SourceAttr = r.Table.OID, r.Table.Columns[v.Attr].Num
	case r.FromView != 0:
		t.SourceTable, t.SourceAttr = r.FromView, int16(v.Attr+1)
	case r.Kind == plan.RelSubquery:
		if out := outputOf(r.Query); v.Attr < len(out) {
			t.SourceTable, t.SourceAttr = out[v.Attr].SourceTable, out[v.Attr].SourceAttr
		}
	case r.Kind == plan.RelCTE && !r.WorkTable:
		sc := s
		for i := 0; i < v.Level+r.CTELevel && sc != nil; i++ {
			sc = sc.parent
		}
		if sc != nil && r.CTEIndex < len(sc.q.CTEs) && sc.q.CTEs[r.CTEIndex].Query != nil {
			if out := outputOf(sc.q.CTEs[r.CTEIndex].Query); v.Attr < len(out) {
				t.SourceTable, t.SourceAttr = out[v.Attr].SourceTable, out[v.Attr].SourceAttr
			}
		}
	}
	return t
}

// resolveUnknown makes a literal without type text.
func (b *binder) resolveUnknown(s *scope, e plan.Expr) plan.Expr {
	if !unknownType(e) {
		return e
	}
	return b.coerceType(s, e, b.plainType(types.TextOID), functions.Implicit, plan.CastImplicit, -1)
}

func (s *scope) resolveTargets() {
	for _, t := range s.q.Targets {
		t.Expr = s.b.resolveUnknown(s, t.Expr)
	}
}

// values binds VALUES as a query of its own.
func (s *scope) values(x *pg.SelectStmt) {
	b, q := s.b, s.q
	s.clause = inValues
	var rows [][]plan.Expr
	for _, l := range x.ValuesLists {
		row := s.exprs(l.GetList().GetItems())
		if len(rows) > 0 && len(row) != len(rows[0]) {
			b.failf(location(row[0]), pgerr.SyntaxError, "VALUES lists must all be the same length")
		}
		for _, e := range row {
			if d, ok := e.(*plan.Default); ok {
				b.failf(d.Pos, pgerr.SyntaxError, "DEFAULT is not allowed in this context")
			}
		}
		rows = append(rows, row)
	}
	r := &plan.Rel{Kind: plan.RelValues, Alias: "*VALUES*", Values: rows}
	for i := range rows[0] {
		col := make([]plan.Expr, len(rows))
		for k := range rows {
			col[k] = rows[k][i]
		}
		t, conv := s.common(col, "VALUES")
		for k := range rows {
			rows[k][i] = conv[k]
		}
		r.Columns = append(r.Columns, plan.RelColumn{Name: columnName("", i), Type: t})
	}
	s.clause = clause{}
	for i := range r.Columns {
		r.Columns[i].Type.Collation = b.commonCollation(rows, i)
	}
	rel := s.addRel(r)
	ref, items := s.single(rel)
	q.From = []plan.FromItem{ref}
	s.items = items
	for i, c := range r.Columns {
		q.Targets = append(q.Targets, &plan.Target{Name: c.Name, Expr: s.relVar(rel, i)})
	}
	q.OrderBy = within(s, inOrderBy, func() []plan.SortKey { return s.sortList(x.SortClause, false) })
	s.limit(x)
	if len(x.LockingClause) > 0 {
		b.failf(-1, pgerr.FeatureNotSupported, "%s cannot be applied to VALUES", lockName(x.LockingClause[0].GetLockingClause().Strength))
	}
}

func (s *scope) limit(x *pg.SelectStmt) {
	b, q := s.b, s.q
	bind := func(n *pg.Node, c clause) plan.Expr {
		if n == nil || isNullLiteral(n) && x.LimitOption != pg.LimitOption_LIMIT_OPTION_WITH_TIES {
			return nil
		}
		return within(s, c, func() plan.Expr {
			e := b.coerceSpecific(s, s.expr(n), types.Int8OID, c.name)
			s.noOwnVars(e, c.name)
			return e
		})
	}
	q.Offset = bind(x.LimitOffset, inOffset)
	q.Limit = bind(x.LimitCount, inLimit)
	q.LimitAll = x.LimitCount != nil && q.Limit == nil
	if x.LimitOption == pg.LimitOption_LIMIT_OPTION_WITH_TIES {
		q.WithTies = true
		if isNullLiteral(x.LimitCount) {
			b.failf(-1, pgerr.InvalidRowCountInLimitClause, "row count cannot be null in FETCH FIRST ... WITH TIES clause")
		}
	}
}

// distinctClause binds DISTINCT and DISTINCT ON.
func (s *scope) distinctClause(x *pg.SelectStmt) {
	b, q := s.b, s.q
	if len(x.DistinctClause) == 0 {
		return
	}
	q.Distinct = true
	if x.DistinctClause[0].GetNode() == nil || len(x.DistinctClause) == 1 && x.DistinctClause[0].Node == nil {
		s.resolveTargets()
		for _, k := range q.OrderBy {
			if q.Targets[k.Target].Junk {
				b.failf(location(k.Expr), pgerr.InvalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
			}
		}
		for _, t := range visible(q.Targets) {
			typ := t.Expr.ResultType().OID
			if functions.EqualityOp(b.env.Types, typ) == nil {
				b.failf(location(t.Expr), pgerr.UndefinedFunction, "could not identify an equality operator for type %s", b.typeName(typ))
			}
		}
		return
	}
	var on []int
	for _, n := range x.DistinctClause {
		i := within(s, inDistinct, func() int { return s.findTarget92(n, "DISTINCT ON", inDistinct) })
		dup := false
		for _, have := range on {
			dup = dup || have == i
		}
		if !dup {
			on = append(on, i)
		}
	}
	// The leading ORDER BY expressions must be the DISTINCT ON ones, in any order.
	in := func(list []int, i int) bool {
		for _, x := range list {
			if x == i {
				return true
			}
		}
		return false
	}
	skipped := false
	for _, k := range q.OrderBy {
		if in(on, k.Target) {
			if skipped {
				b.failf(location(q.Targets[on[0]].Expr), pgerr.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
			}
			q.DistinctOn = append(q.DistinctOn, k)
		} else {
			skipped = true
		}
	}
	for _, i := range on {
		have := false
		for _, k := range q.DistinctOn {
			have = have || k.Target == i
		}
		if have {
			continue
		}
		if skipped {
			b.failf(location(q.Targets[i].Expr), pgerr.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
		}
		q.DistinctOn = append(q.DistinctOn, s.defaultKey(i))
	}
}

func lockName(l pg.LockClauseStrength) string {
	switch l {
	case pg.LockClauseStrength_LCS_FORKEYSHARE:
		return "FOR KEY SHARE"
	case pg.LockClauseStrength_LCS_FORSHARE:
		return "FOR SHARE"
	case pg.LockClauseStrength_LCS_FORNOKEYUPDATE:
		return "FOR NO KEY UPDATE"
	}
	return "FOR UPDATE"
}

// locks binds FOR UPDATE and its kin.
func (s *scope) locks(list []*pg.Node) {
	for _, n := range list {
		c := n.GetLockingClause()
		s.b.checkLocking(s.q, c.Strength)
		l := plan.RowLock{Strength: plan.LockStrength(c.Strength - pg.LockClauseStrength_LCS_FORKEYSHARE)}
		switch c.WaitPolicy {
		case pg.LockWaitPolicy_LockWaitSkip:
			l.Wait = plan.LockSkip
		case pg.LockWaitPolicy_LockWaitError:
			l.Wait = plan.LockNoWait
		}
		if len(c.LockedRels) == 0 {
			for i := range s.q.Rels {
				s.b.lockRel(s.q, i, l)
			}
			continue
		}
		for _, rn := range c.LockedRels {
			s.lockNamed(rn.GetRangeVar(), c.Strength, l)
		}
	}
}

// checkLocking refuses to lock the rows behind a query whose rows are not those of tables.
func (b *binder) checkLocking(q *plan.Query, st pg.LockClauseStrength) {
	bad := ""
	switch {
	case q.SetOp != nil:
		bad = "UNION/INTERSECT/EXCEPT"
	case q.Distinct:
		bad = "DISTINCT clause"
	case len(q.GroupBy) > 0 || q.Sets != nil:
		bad = "GROUP BY clause"
	case q.Having != nil:
		bad = "HAVING clause"
	case q.HasAggs:
		bad = "aggregate functions"
	case q.HasWindows:
		bad = "window functions"
	case q.HasSRF:
		bad = "set-returning functions in the target list"
	}
	if bad != "" {
		b.failf(-1, pgerr.FeatureNotSupported, "%s is not allowed with %s", lockName(st), bad)
	}
}

func (s *scope) lockNamed(rv *pg.RangeVar, st pg.LockClauseStrength, l plan.RowLock) {
	b, pos := s.b, int(rv.Location)
	if rv.Schemaname != "" {
		b.failf(pos, pgerr.SyntaxError, "%s must specify unqualified relation names", lockName(st))
	}
	for i, r := range s.q.Rels {
		if r.Alias != rv.Relname {
			continue
		}
		switch r.Kind {
		case plan.RelFunction:
			b.failf(pos, pgerr.FeatureNotSupported, "%s cannot be applied to a function", lockName(st))
		case plan.RelValues:
			b.failf(pos, pgerr.FeatureNotSupported, "%s cannot be applied to VALUES", lockName(st))
		case plan.RelCTE:
			b.failf(pos, pgerr.FeatureNotSupported, "%s cannot be applied to a WITH query", lockName(st))
		}
		b.lockRel(s.q, i, l)
		return
	}
	for _, it := range s.items {
		if it.rel < 0 && it.name == rv.Relname {
			b.failf(pos, pgerr.FeatureNotSupported, "%s cannot be applied to a join", lockName(st))
		}
	}
	b.failf(pos, pgerr.UndefinedTable, "relation \"%s\" in %s clause not found in FROM clause", rv.Relname, lockName(st))
}

// lockRel locks the rows of a table, or of all tables inside a subquery.
func (b *binder) lockRel(q *plan.Query, i int, l plan.RowLock) {
	r := q.Rels[i]
	switch r.Kind {
	case plan.RelTable:
		b.checkLockable(r.Table)
		if r.LockMode < lockRowShare && b.env.LockRelation != nil { // of a view or subquery; nobody changes it under our lock
			_, err := b.env.LockRelation(r.Table.OID, lockRowShare)
			b.check(-1, err)
		}
		r.LockMode = max(r.LockMode, lockRowShare)
		r.Required |= aclUpdate
		l.Rel = i
		for k := range q.Locks {
			if q.Locks[k].Rel == i {
				q.Locks[k].Strength = max(q.Locks[k].Strength, l.Strength)
				q.Locks[k].Wait = max(q.Locks[k].Wait, l.Wait)
				return
			}
		}
		q.Locks = append(q.Locks, l)
	case plan.RelSubquery:
		b.checkLocking(r.Query, pg.LockClauseStrength(l.Strength)+pg.LockClauseStrength_LCS_FORKEYSHARE)
		l.Pushed = true
		for k := range r.Query.Rels {
			b.lockRel(r.Query, k, l)
		}
	}
}

// checkLockable refuses to lock rows of what has none to lock.
func (b *binder) checkLockable(r *catalog.Relation) {
	if r.Kind == catalog.KindMatView {
		b.failf(-1, pgerr.WrongObjectType, "cannot lock rows in materialized view \"%s\"", r.Name)
	}
	if _, sequence := r.Virtual.(*catalog.Sequence); sequence {
		b.failf(-1, pgerr.WrongObjectType, "cannot lock rows in sequence \"%s\"", r.Name)
	}
}

// figureName chooses the name of an output column, as PostgreSQL's FigureColname.
func figureName(n *pg.Node) string {
	if name, _ := guessName(n); name != "" {
		return name
	}
	return "?column?"
}

func guessName(n *pg.Node) (string, int) {
	switch x := n.GetNode().(type) {
	case *pg.Node_ColumnRef:
		for i := len(x.ColumnRef.Fields) - 1; i >= 0; i-- {
			if f := x.ColumnRef.Fields[i].GetString_(); f != nil {
				return f.Sval, 2
			}
		}
	case *pg.Node_AIndirection:
		for i := len(x.AIndirection.Indirection) - 1; i >= 0; i-- {
			if f := x.AIndirection.Indirection[i].GetString_(); f != nil {
				return f.Sval, 2
			}
		}
		return guessName(x.AIndirection.Arg)
	case *pg.Node_FuncCall:
		f := names(x.FuncCall.Funcname)
		return f[len(f)-1], 2
	case *pg.Node_AExpr:
		if x.AExpr.Kind == pg.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", 2
		}
	case *pg.Node_TypeCast:
		if name, strength := guessName(x.TypeCast.Arg); strength > 1 {
			return name, strength
		}
		if t := names(x.TypeCast.TypeName.Names); len(t) > 0 {
			return t[len(t)-1], 1
		}
	case *pg.Node_CollateClause:
		return guessName(x.CollateClause.Arg)
	case *pg.Node_GroupingFunc:
		return "grouping", 2
	case *pg.Node_SubLink:
		return subLinkName(x.SubLink)
	case *pg.Node_CaseExpr:
		name, strength := guessName(x.CaseExpr.Defresult)
		if strength <= 1 {
			return "case", 1
		}
		return name, strength
	case *pg.Node_AArrayExpr:
		return "array", 2
	case *pg.Node_RowExpr:
		return "row", 2
	case *pg.Node_CoalesceExpr:
		return "coalesce", 2
	case *pg.Node_MinMaxExpr:
		if x.MinMaxExpr.Op == pg.MinMaxOp_IS_LEAST {
			return "least", 2
		}
		return "greatest", 2
	case *pg.Node_SqlvalueFunction:
		return valueFuncs[x.SqlvalueFunction.Op].name, 2
	}
	return "", 0
}

func subLinkName(x *pg.SubLink) (string, int) {
	switch x.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		return "exists", 2
	case pg.SubLinkType_ARRAY_SUBLINK:
		return "array", 2
	case pg.SubLinkType_EXPR_SUBLINK:
		if sel := x.Subselect.GetSelectStmt(); sel != nil {
			for sel.Larg != nil {
				sel = sel.Larg
			}
			if len(sel.TargetList) > 0 {
				rt := sel.TargetList[0].GetResTarget()
				if rt.Name != "" {
					return rt.Name, 2
				}
				return guessName(rt.Val)
			}
			if len(sel.ValuesLists) > 0 {
				return "column1", 2
			}
		}
	}
	return "", 0
}
