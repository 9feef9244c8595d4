package planner

import (
	"fmt"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// setOperation binds a tree of UNION, INTERSECT and EXCEPT.
func (s *scope) setOperation(x *pg.SelectStmt, recursive *cteEntry) {
	b, q := s.b, s.q
	if len(x.LockingClause) > 0 {
		b.failf(-1, pgerr.FeatureNotSupported, "%s is not allowed with UNION/INTERSECT/EXCEPT", lockName(x.LockingClause[0].GetLockingClause().Strength))
	}
	q.SetOp = s.setNode(x, recursive, true)
	first := q.SetOp
	for first.Left != nil {
		first = first.Left
	}
	cols := q.Rels[first.Rel].Columns
	item := &nsItem{rel: -1, colsVisible: true, lateralOK: true}
	for i, t := range q.SetOp.Types {
		v := &plan.Var{Base: plan.Base{Typ: t, Pos: location(s.leafTarget(first, i).Expr)}, Rel: first.Rel, Attr: i}
		q.Targets = append(q.Targets, &plan.Target{Name: cols[i].Name, Expr: v})
		item.cols = append(item.cols, nsColumn{name: cols[i].Name, expr: v})
	}
	s.items = []*nsItem{item}
	n := len(q.Targets)
	q.OrderBy = within(s, inOrderBy, func() []plan.SortKey { return s.sortList(x.SortClause, false) })
	if len(q.Targets) > n {
		b.fail(location(q.Targets[n].Expr), pgerr.New(pgerr.FeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause").
			WithDetail("Only result column names can be used, not expressions or functions.").
			WithHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."))
	}
	s.limit(x)
}

func setOpName(k pg.SetOperation) (plan.SetOpKind, string) {
	switch k {
	case pg.SetOperation_SETOP_INTERSECT:
		return plan.Intersect, "INTERSECT"
	case pg.SetOperation_SETOP_EXCEPT:
		return plan.Except, "EXCEPT"
	}
	return plan.Union, "UNION"
}

// setNode binds a node of the tree. A side with clauses of its own is a subquery.
func (s *scope) setNode(x *pg.SelectStmt, recursive *cteEntry, top bool) *plan.SetOp {
	b := s.b
	b.enter()
	defer b.leave()
	isOp := x.Op == pg.SetOperation_SETOP_UNION || x.Op == pg.SetOperation_SETOP_INTERSECT || x.Op == pg.SetOperation_SETOP_EXCEPT
	if !isOp || !top && (len(x.SortClause) > 0 || x.LimitCount != nil || x.LimitOffset != nil || len(x.LockingClause) > 0 || x.WithClause != nil) {
		return s.setLeaf(x)
	}
	kind, name := setOpName(x.Op)
	n := &plan.SetOp{Rel: -1, Kind: kind, All: x.All}
	if recursive != nil && top {
		name = "recursive " + name
	}
	rels := len(s.q.Rels)
	n.Left = s.setNode(x.Larg, nil, false)
	if recursive != nil && top {
		s.recursiveColumns(recursive, n.Left)
	}
	middle := len(s.q.Rels)
	n.Right = s.setNode(x.Rarg, nil, false)
	if len(n.Left.Types) != len(n.Right.Types) {
		b.failf(s.sidePos(n.Right), pgerr.SyntaxError, "each %s query must have the same number of columns", name)
	}
	s.setTypes(n, name, recursive, top)
	// A side that is a set operation of other types becomes a subquery, whose result is converted.
	if !sameTypes(n.Left, n.Types) {
		n.Left = s.convertSide(n.Left, x.Larg, n.Types, rels, middle)
	}
	if !sameTypes(n.Right, n.Types) {
		n.Right = s.convertSide(n.Right, x.Rarg, n.Types, middle, len(s.q.Rels))
	}
	return n
}

func sameTypes(n *plan.SetOp, want []plan.Type) bool {
	for i := range want {
		if n.Types[i].OID != want[i].OID {
			return false
		}
	}
	return true
}

// setLeaf binds one SELECT of a set operation as a subquery.
func (s *scope) setLeaf(x *pg.SelectStmt) *plan.SetOp {
	b := s.b
	child := b.newScope(s)
	child.resolve = false
	q := child.selectStmt(x, nil)
	r := &plan.Rel{Kind: plan.RelSubquery, Alias: fmt.Sprintf("*SELECT* %d", len(s.q.Rels)+1), Query: q, Columns: queryColumns(q)}
	rel := s.addRel(r)
	in := newLevelScan()
	in.query(q, 1)
	if in.vars == 0 {
		b.failf(-1, pgerr.InvalidColumnReference, "UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same query level")
	}
	return &plan.SetOp{Rel: rel, Types: relTypes(r)}
}

func relTypes(r *plan.Rel) []plan.Type {
	out := make([]plan.Type, len(r.Columns))
	for i, c := range r.Columns {
		out[i] = c.Type
	}
	return out
}

// leafTarget returns the target behind a column of a leaf, nil for inner nodes.
func (s *scope) leafTarget(n *plan.SetOp, i int) *plan.Target {
	if n.Rel < 0 {
		return nil
	}
	return visible(s.q.Rels[n.Rel].Query.Targets)[i]
}

func (s *scope) sidePos(n *plan.SetOp) int {
	for n.Left != nil {
		n = n.Left
	}
	if ts := s.q.Rels[n.Rel].Query.Targets; len(ts) > 0 {
		return location(ts[0].Expr)
	}
	return -1
}

// setTypes chooses the types of a set operation's columns.
func (s *scope) setTypes(n *plan.SetOp, name string, recursive *cteEntry, top bool) {
	b := s.b
	for i := range n.Left.Types {
		lt, rt := s.leafTarget(n.Left, i), s.leafTarget(n.Right, i)
		le, re := sideExpr(lt, n.Left.Types[i]), sideExpr(rt, n.Right.Types[i])
		t, _ := b.commonType([]plan.Expr{le, re}, name)
		for _, side := range []struct {
			t *plan.Target
			n *plan.SetOp
		}{{lt, n.Left}, {rt, n.Right}} {
			e := sideExpr(side.t, side.n.Types[i])
			if !unknownType(e) {
				if !b.canCoerce(e.ResultType().OID, t, functions.Implicit) {
					b.failf(location(e), pgerr.CannotCoerce, "%s could not convert type %s to %s", name, b.typeName(e.ResultType().OID), b.typeName(t))
				}
				continue
			}
			if side.t != nil {
				side.t.Expr = b.coerceType(s, e, b.plainType(t), functions.Implicit, plan.CastImplicit, -1)
				side.n.Types[i] = side.t.Expr.ResultType()
				s.q.Rels[side.n.Rel].Columns[i].Type = side.n.Types[i]
			}
		}
		l, r := n.Left.Types[i], n.Right.Types[i]
		out := b.typeOf(t, -1)
		if l.OID == t && r.OID == t && l.Typmod == r.Typmod {
			out.Typmod = l.Typmod
		}
		out.Collation = mergeCollations(l.Collation, r.Collation, out.Collation)
		if recursive != nil && top && (out.OID != l.OID || out.Typmod != l.Typmod) {
			e := pgerr.New(pgerr.DatatypeMismatch, "recursive query \"%s\" column %d has type %s in non-recursive term but type %s overall", recursive.name, i+1, b.env.Types.FormatType(l.OID, l.Typmod), b.env.Types.FormatType(out.OID, out.Typmod)).
				WithHint("Cast the output of the non-recursive term to the correct type.")
			b.fail(s.sidePos(n.Left), e)
		}
		n.Types = append(n.Types, out)
		s.setOperators(n, name, t, le)
	}
}

func sideExpr(t *plan.Target, typ plan.Type) plan.Expr {
	if t != nil {
		return t.Expr
	}
	return &plan.SubColumn{Base: plan.Base{Typ: typ, Pos: -1}}
}

// setOperators finds how the rows of a set operation are compared.
func (s *scope) setOperators(n *plan.SetOp, name string, t OID, e plan.Expr) {
	b := s.b
	var eq, less *functions.Func
	if o := functions.EqualityOp(b.env.Types, t); o != nil {
		eq = o.Code
	}
	if o := functions.LessOp(b.env.Types, t); o != nil {
		less = o.Code
	}
	if eq == nil && !(n.Kind == plan.Union && n.All) {
		b.failf(location(e), pgerr.UndefinedFunction, "could not identify an equality operator for type %s", b.typeName(t))
	}
	n.Equal, n.Less = append(n.Equal, eq), append(n.Less, less)
}

func mergeCollations(a, b, dflt OID) OID {
	switch {
	case dflt == 0:
		return 0
	case a == b:
		return a
	case a == types.DefaultCollation || a == 0:
		return b
	case b == types.DefaultCollation || b == 0:
		return a
	}
	return 0
}

// convertSide converts the columns of one side to the operation's types.
func (s *scope) convertSide(n *plan.SetOp, x *pg.SelectStmt, want []plan.Type, from, to int) *plan.SetOp {
	b := s.b
	if n.Rel < 0 {
		for i := from; i < to; i++ {
			s.q.Rels[i] = &plan.Rel{Kind: plan.RelResult} // the other entries keep their numbers
		}
		n = s.setLeaf(x)
	}
	r := s.q.Rels[n.Rel]
	q := r.Query
	if simpleOutput(q) {
		for i, t := range visible(q.Targets) {
			if t.Expr.ResultType().OID != want[i].OID {
				t.Expr = b.coerceType(s, t.Expr, want[i], functions.Implicit, plan.CastImplicit, -1)
			}
			n.Types[i] = t.Expr.ResultType()
		}
	} else {
		outer := &plan.Query{Rels: []*plan.Rel{{Kind: plan.RelSubquery, Alias: "*SELECT*", Query: inner(q), Columns: r.Columns}}, From: []plan.FromItem{&plan.RelRef{}}}
		for i, c := range r.Columns {
			var e plan.Expr = &plan.Var{Base: plan.Base{Typ: c.Type, Pos: -1}, Attr: i}
			if c.Type.OID != want[i].OID {
				e = b.coerceType(s, e, want[i], functions.Implicit, plan.CastImplicit, -1)
			}
			outer.Targets = append(outer.Targets, &plan.Target{Name: c.Name, Expr: e})
			n.Types[i] = e.ResultType()
		}
		r.Query = outer
	}
	r.Columns = queryColumns(r.Query)
	return n
}

// simpleOutput reports whether nothing but the result depends on the targets of a query.
func simpleOutput(q *plan.Query) bool {
	return q.Command == plan.Select && !q.Distinct && q.SetOp == nil && len(q.OrderBy) == 0 && len(q.GroupBy) == 0 && !q.HasSRF
}

// inner moves a query one level further inside: its references to outer levels grow by one.
func inner(q *plan.Query) *plan.Query {
	growQuery(q, 0, 1)
	return q
}

// growQuery adds by to the level of every reference in q that leaves the depth levels around it.
func growQuery(q *plan.Query, depth, by int) {
	plan.MapQuery(q, func(e plan.Expr) plan.Expr { return growExpr(e, depth, by) })
	for _, r := range q.Rels {
		if r.Kind == plan.RelCTE && r.CTELevel > depth {
			r.CTELevel += by
		}
		if r.Query != nil {
			growQuery(r.Query, depth+1, by)
		}
	}
	for _, c := range q.CTEs {
		growQuery(c.Query, depth+1, by)
	}
}

func growExpr(e plan.Expr, depth, by int) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			if v.Level > depth {
				w := *v
				w.Level += by
				return &w
			}
		case *plan.Agg:
			if v.Level > depth {
				w := *v
				w.Level += by
				return &w
			}
		case *plan.Grouping:
			if v.Level > depth {
				w := *v
				w.Level += by
				return &w
			}
		case *plan.SubLink:
			growQuery(v.Query, depth+1, by)
		}
		return x
	})
}

// recursiveColumns gives a WITH query the columns of its non-recursive term, which its
// recursive term refers to.
func (s *scope) recursiveColumns(e *cteEntry, left *plan.SetOp) {
	first := left
	for first.Left != nil {
		first = first.Left
	}
	r := s.q.Rels[first.Rel]
	for i, t := range left.Types {
		if t.OID == types.UnknownOID {
			if lt := s.leafTarget(left, i); lt != nil {
				lt.Expr = s.b.resolveUnknown(s, lt.Expr)
				left.Types[i] = lt.Expr.ResultType()
				r.Columns[i].Type = left.Types[i]
			}
			t = left.Types[i]
		}
		e.cte.Columns = append(e.cte.Columns, plan.RelColumn{Name: r.Columns[i].Name, Type: t})
	}
	e.scope.nameCTE(e, -1)
}
