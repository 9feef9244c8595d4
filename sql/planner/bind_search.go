package planner

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// searchExtra is what the SEARCH and CYCLE clauses of a recursive WITH query add to it.
type searchExtra struct {
	search *pg.CTESearchClause
	cycle  *pg.CTECycleClause
	// columns follow those of the query. Inside the query they can be named, but * leaves them out.
	columns []plan.RelColumn
	mark    plan.Type
}

// Aliases of the subqueries that the two terms of such a query become.
const (
	leftTermAlias  = "*TLOCRN*"
	rightTermAlias = "*TROCRN*"
)

// newSearchExtra looks at the clauses before the query is bound; it returns nil if there are none.
func (s *scope) newSearchExtra(c *pg.CommonTableExpr) *searchExtra {
	if c.SearchClause == nil && c.CycleClause == nil {
		return nil
	}
	b := s.b
	x := &searchExtra{search: c.SearchClause, cycle: c.CycleClause}
	records := b.plainType(types.RecordArrayOID)
	if x.search != nil {
		t := records
		if x.search.SearchBreadthFirst {
			t = b.plainType(types.RecordOID)
		}
		x.columns = append(x.columns, plan.RelColumn{Name: x.search.SearchSeqColumn, Type: t})
	}
	if x.cycle != nil {
		value, dflt := s.expr(x.cycle.CycleMarkValue), s.expr(x.cycle.CycleMarkDefault)
		oid, _ := b.commonType([]plan.Expr{value, dflt}, "CYCLE")
		x.mark = b.plainType(oid)
		if functions.EqualityOp(b.env.Types, oid) == nil {
			b.failf(-1, pgerr.UndefinedFunction, "could not identify an equality operator for type %s", b.typeName(oid))
		}
		x.columns = append(x.columns, plan.RelColumn{Name: x.cycle.CycleMarkColumn, Type: x.mark}, plan.RelColumn{Name: x.cycle.CyclePathColumn, Type: records})
	}
	return x
}

// checkSearch refuses clauses that do not fit to the columns of the query.
func (s *scope) checkSearch(e *cteEntry) {
	x, b := e.extra, s.b
	has := func(name string) bool {
		for _, c := range e.cte.Columns {
			if c.Name == name {
				return true
			}
		}
		return false
	}
	columns := func(list []*pg.Node, what string, pos int) {
		seen := map[string]bool{}
		for _, n := range names(list) {
			if !has(n) {
				b.failf(pos, pgerr.SyntaxError, "%s column \"%s\" not in WITH query column list", what, n)
			}
			if seen[n] {
				b.failf(pos, pgerr.DuplicateColumn, "%s column \"%s\" specified more than once", what, n)
			}
			seen[n] = true
		}
	}
	unused := func(name, what string, pos int) {
		if has(name) {
			b.failf(pos, pgerr.SyntaxError, "%s column name \"%s\" already used in WITH query column list", what, name)
		}
	}
	if q := x.search; q != nil {
		columns(q.SearchColList, "search", int(q.Location))
		unused(q.SearchSeqColumn, "search sequence", int(q.Location))
	}
	q := x.cycle
	if q == nil {
		return
	}
	columns(q.CycleColList, "cycle", int(q.Location))
	unused(q.CycleMarkColumn, "cycle mark", int(q.Location))
	unused(q.CyclePathColumn, "cycle path", int(q.Location))
	if q.CycleMarkColumn == q.CyclePathColumn {
		b.failf(int(q.Location), pgerr.SyntaxError, "cycle mark column name and cycle path column name are the same")
	}
	if x.search == nil {
		return
	}
	switch x.search.SearchSeqColumn {
	case q.CycleMarkColumn:
		b.failf(int(x.search.Location), pgerr.SyntaxError, "search sequence column name and cycle mark column name are the same")
	case q.CyclePathColumn:
		b.failf(int(x.search.Location), pgerr.SyntaxError, "search sequence column name and cycle path column name are the same")
	}
}

// expandSearch puts both terms of a bound recursive query into subqueries, around which the
// columns of SEARCH and CYCLE are computed: the left term starts them, the right term goes on
// with those of the row that it came from.
func (s *scope) expandSearch(e *cteEntry) {
	b, q := s.b, e.cte.Query
	for _, side := range []struct {
		n    *plan.SetOp
		name string
	}{{q.SetOp.Left, "left"}, {q.SetOp.Right, "right"}} {
		if side.n.Rel < 0 {
			b.failf(-1, pgerr.FeatureNotSupported, "with a SEARCH or CYCLE clause, the %s side of the UNION must be a SELECT", side.name)
		}
	}
	s.checkSearch(e)
	left, right := q.Rels[q.SetOp.Left.Rel], q.Rels[q.SetOp.Right.Rel]
	s.carryExtra(e, right.Query)
	left.Query = s.searchTerm(e, q, left.Query, leftTermAlias, false)
	right.Query = s.searchTerm(e, q, right.Query, rightTermAlias, true)
	width := len(e.cte.Columns)
	for i, c := range e.extra.columns {
		q.SetOp.Types = append(q.SetOp.Types, c.Type)
		s.setOperators(q.SetOp, "UNION", c.Type.OID, nil)
		q.Targets = append(q.Targets, &plan.Target{Name: c.Name, Expr: &plan.Var{Base: plan.Base{Typ: c.Type, Pos: -1}, Rel: q.SetOp.Left.Rel, Attr: width + i}})
	}
	for _, r := range []*plan.Rel{left, right} {
		r.Columns = queryColumns(r.Query)
	}
	q.SetOp.Left.Types, q.SetOp.Right.Types = relTypes(left), relTypes(right)
	e.cte.Columns = append(e.cte.Columns, e.extra.columns...)
	s.rememberSearch(e)
}

// carryExtra makes the right term yield the extra columns of the row that it starts from.
func (s *scope) carryExtra(e *cteEntry, q *plan.Query) {
	for i, r := range q.Rels {
		if r.Kind != plan.RelCTE || !r.WorkTable || r.CTE != e.name || !inFromList(q, i) {
			continue
		}
		for k, c := range e.extra.columns {
			v := &plan.Var{Base: plan.Base{Typ: c.Type, Pos: -1}, Rel: i, Attr: len(r.Columns) - len(e.extra.columns) + k}
			q.Targets = append(q.Targets, &plan.Target{Name: c.Name, Expr: v})
		}
		return
	}
	s.b.failf(-1, pgerr.FeatureNotSupported, "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"%s\" must be at the top level of its right-hand SELECT", e.name)
}

// inFromList reports whether an entry of the range table is read in FROM.
func inFromList(q *plan.Query, rel int) bool {
	var in func(plan.FromItem) bool
	in = func(it plan.FromItem) bool {
		if j, ok := it.(*plan.Join); ok {
			return in(j.Left) || in(j.Right)
		}
		return it.(*plan.RelRef).Rel == rel
	}
	for _, it := range q.From {
		if in(it) {
			return true
		}
	}
	return false
}

// searchTerm makes the query around one term.
func (s *scope) searchTerm(e *cteEntry, setQuery, term *plan.Query, alias string, right bool) *plan.Query {
	b := s.b
	w := b.newScope(&scope{b: b, parent: s, q: setQuery})
	r := &plan.Rel{Kind: plan.RelSubquery, Alias: alias, Query: inner(term), Columns: queryColumns(term)}
	for i, c := range e.cte.Columns {
		r.Columns[i].Name = c.Name
	}
	rel := w.addRel(r)
	w.q.From = []plan.FromItem{&plan.RelRef{Rel: rel}}
	w.items = []*nsItem{w.relItem(rel)}
	for i, c := range e.cte.Columns {
		w.q.Targets = append(w.q.Targets, &plan.Target{Name: c.Name, Expr: w.relVar(rel, i)})
	}
	add := func(x plan.Expr) {
		c := e.extra.columns[len(w.q.Targets)-len(e.cte.Columns)]
		w.q.Targets = append(w.q.Targets, &plan.Target{Name: c.Name, Expr: x})
	}
	if q := e.extra.search; q != nil {
		add(w.searchColumn(q, len(e.cte.Columns), right))
	}
	if q := e.extra.cycle; q != nil {
		row, path, pathAttr := rowText(q.CycleColList), quoteName(q.CyclePathColumn), len(e.cte.Columns)+len(e.extra.columns)-1
		value := b.coerceType(s, s.expr(q.CycleMarkValue), e.extra.mark, functions.Implicit, plan.CastImplicit, -1)
		dflt := b.coerceType(s, s.expr(q.CycleMarkDefault), e.extra.mark, functions.Implicit, plan.CastImplicit, -1)
		if !right {
			add(dflt)
			add(w.internal("ARRAY[" + row + "]"))
		} else {
			seen := w.internal(row + " OPERATOR(pg_catalog.=) ANY (" + path + ")")
			add(&plan.Case{Base: plan.Base{Typ: e.extra.mark, Pos: -1}, When: []plan.When{{Cond: seen, Result: value}}, Else: dflt})
			add(w.internal("pg_catalog.array_cat(" + path + ", ARRAY[" + row + "])"))
			equal := functions.EqualityOp(b.env.Types, e.extra.mark.OID)
			stop := &plan.Call{Base: plan.Base{Typ: b.plainType(types.BoolOID), Pos: -1}, Func: equal.Code, Op: equal.OID,
				Args: []plan.Expr{w.relVar(rel, pathAttr-1), value}, InputColl: e.extra.mark.Collation}
			w.q.Where = &plan.BoolOp{Base: plan.Base{Typ: b.plainType(types.BoolOID), Pos: -1}, Op: plan.Not, Args: []plan.Expr{stop}}
		}
	}
	b.assignCollations(w)
	return w.q
}

// searchColumn is the sequence column: the rows on the way here, or the depth and the row.
func (s *scope) searchColumn(q *pg.CTESearchClause, attr int, right bool) plan.Expr {
	row := rowText(q.SearchColList)
	switch {
	case !q.SearchBreadthFirst && !right:
		return s.internal("ARRAY[" + row + "]")
	case !q.SearchBreadthFirst:
		return s.internal("pg_catalog.array_cat(" + quoteName(q.SearchSeqColumn) + ", ARRAY[" + row + "])")
	}
	out := s.internal("ROW(pg_catalog.int8inc('0'::pg_catalog.int8), " + strings.TrimPrefix(row, "ROW(")).(*plan.RowOf)
	depth := out.Args[0].(*plan.Call)
	if !right {
		out.Args[0] = depth.Args[0]
		return out
	}
	depth.Args[0] = &plan.Field{Base: plan.Base{Typ: s.b.plainType(types.Int8OID), Pos: -1}, Arg: s.relVar(0, attr), Index: 0, Name: "f1"}
	return out
}

// internal binds an expression that we wrote ourselves.
func (s *scope) internal(text string) plan.Expr {
	stmts, err := parser.Parse("SELECT " + text)
	s.b.check(-1, err)
	n := stmts[0].Tree.GetSelectStmt().TargetList[0].GetResTarget().Val
	e := within(s, inTarget, func() plan.Expr { return s.expr(n) })
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr { return at(x, -1) })
}

func rowText(list []*pg.Node) string {
	var quoted []string
	for _, n := range names(list) {
		quoted = append(quoted, quoteName(n))
	}
	return "ROW(" + strings.Join(quoted, ", ") + ")"
}

// rememberSearch keeps the clauses for the text of stored queries.
func (s *scope) rememberSearch(e *cteEntry) {
	c, x := e.cte, e.extra
	if q := x.search; q != nil {
		c.SearchBy, c.SearchBreadth, c.SearchColumn = names(q.SearchColList), q.SearchBreadthFirst, q.SearchSeqColumn
	}
	if q := x.cycle; q != nil {
		c.CycleBy, c.CycleMark, c.CyclePath = names(q.CycleColList), q.CycleMarkColumn, q.CyclePathColumn
		c.CycleValue = s.b.coerceType(s, s.expr(q.CycleMarkValue), x.mark, functions.Implicit, plan.CastImplicit, -1)
		c.CycleDefault = s.b.coerceType(s, s.expr(q.CycleMarkDefault), x.mark, functions.Implicit, plan.CastImplicit, -1)
	}
}

// searchSource returns a term of a recursive query as it was before expandSearch.
func searchSource(q *plan.Query) *plan.Query {
	if len(q.Rels) != 1 || q.Rels[0].Alias != leftTermAlias && q.Rels[0].Alias != rightTermAlias {
		return q
	}
	term := plan.CloneQuery(q.Rels[0].Query)
	growQuery(term, 0, -1)
	shown := 0
	for _, t := range q.Targets {
		if v, ok := t.Expr.(*plan.Var); ok && v.Attr == shown {
			shown++
		}
	}
	if shown < len(term.Targets) {
		term.Targets = term.Targets[:shown]
	}
	return term
}

// searchClauses writes SEARCH and CYCLE.
func (d *deparser) searchClauses(c *plan.CTE) {
	list := func(columns []string) {
		for i, n := range columns {
			if i > 0 {
				d.w(", ")
			}
			d.w(quoteName(n))
		}
	}
	if len(c.SearchBy) > 0 {
		d.w(" SEARCH ", map[bool]string{true: "BREADTH", false: "DEPTH"}[c.SearchBreadth], " FIRST BY ")
		list(c.SearchBy)
		d.w(" SET ", quoteName(c.SearchColumn))
	}
	if len(c.CycleBy) > 0 {
		d.w(" CYCLE ")
		list(c.CycleBy)
		d.w(" SET ", quoteName(c.CycleMark))
		if v, ok := c.CycleValue.(*plan.Const); !ok || v.Typ.OID != types.BoolOID {
			d.w(" TO ")
			d.bare(c.CycleValue)
			d.w(" DEFAULT ")
			d.bare(c.CycleDefault)
		}
		d.w(" USING ", quoteName(c.CyclePath))
	}
}
