package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// insertColumn is a column that INSERT gives values for.
type insertColumn struct {
	attr int
	path []*pg.Node // subscripts and fields
	pos  int
	view *viewColumn // that it was found through when the columns are not named
}

func (b *binder) bindInsert(parent *scope, x *pg.InsertStmt) *plan.Query {
	s := b.newScope(parent)
	s.withClause(x.WithClause)
	it := s.target(x.Relation, plan.Insert, aclInsert)
	switch x.Override {
	case pg.OverridingKind_OVERRIDING_SYSTEM_VALUE:
		s.q.Overriding = 's'
	case pg.OverridingKind_OVERRIDING_USER_VALUE:
		s.q.Overriding = 'u'
	}
	cols := s.insertColumns(x.Cols)
	switch sel := x.SelectStmt.GetSelectStmt(); {
	case x.SelectStmt == nil:
		s.insertRow(cols[:0], nil)
	case len(sel.ValuesLists) == 1 && plainValues(sel):
		row := within(s, inInsValues, func() []plan.Expr { return s.exprs(sel.ValuesLists[0].GetList().GetItems()) })
		s.checkRow(cols, row, len(x.Cols) > 0)
		s.insertRow(cols, row)
	case len(sel.ValuesLists) > 1 && plainValues(sel):
		s.insertRows(cols, sel, len(x.Cols) > 0)
	default:
		s.insertSelect(cols, sel, len(x.Cols) > 0)
	}
	s.items = []*nsItem{it}
	infer := s.onConflict(x.OnConflictClause, it)
	s.items = []*nsItem{it}
	s.returning(x.ReturningList)
	s.finishView()
	b.assignCollations(s)
	infer()
	return s.q
}

// plainValues reports whether VALUES has no clauses of its own.
func plainValues(x *pg.SelectStmt) bool {
	return len(x.SortClause) == 0 && x.LimitCount == nil && x.LimitOffset == nil && x.WithClause == nil && len(x.LockingClause) == 0
}

func (s *scope) insertColumns(list []*pg.Node) []insertColumn {
	b := s.b
	r := s.q.Rels[s.q.Result]
	var out []insertColumn
	if len(list) == 0 && s.view != nil {
		for i, c := range s.view.columns {
			out = append(out, insertColumn{attr: c.attr, pos: -1, view: &s.view.columns[i]})
		}
		return out
	}
	if len(list) == 0 {
		for i, c := range r.Table.Columns {
			if !c.Dropped {
				out = append(out, insertColumn{attr: i, pos: -1})
			}
		}
		return out
	}
	whole := map[int]bool{}
	seen := map[int]bool{}
	for i, n := range list {
		rt := n.GetResTarget()
		attr := s.attribute(rt.Name, int(rt.Location))
		if seen[attr] && s.view != nil && !slices.ContainsFunc(list[:i], func(o *pg.Node) bool { return o.GetResTarget().Name == rt.Name }) {
			b.failf(-1, pgerr.SyntaxError, "multiple assignments to same column \"%s\"", r.Table.Columns[attr].Name)
		}
		if seen[attr] && (len(rt.Indirection) == 0 || whole[attr]) {
			b.failf(int(rt.Location), pgerr.DuplicateColumn, "column \"%s\" specified more than once", rt.Name)
		}
		seen[attr] = true
		whole[attr] = len(rt.Indirection) == 0
		out = append(out, insertColumn{attr: attr, path: rt.Indirection, pos: int(rt.Location)})
		r.SetAttrs = append(r.SetAttrs, attr)
	}
	return out
}

// checkRow compares the number of values with the number of columns.
func (s *scope) checkRow(cols []insertColumn, row []plan.Expr, named bool) {
	b := s.b
	if r := s.q.Rels[s.q.Result]; !named && len(r.SetAttrs) < len(row) && len(row) <= len(cols) {
		r.SetAttrs = nil
		for _, c := range cols[:len(row)] {
			r.SetAttrs = append(r.SetAttrs, c.attr)
		}
	}
	if len(row) > len(cols) {
		b.failf(location(row[len(cols)]), pgerr.SyntaxError, "INSERT has more expressions than target columns")
	}
	if named && len(row) < len(cols) {
		e := pgerr.New(pgerr.SyntaxError, "INSERT has more target columns than expressions")
		if len(row) == 1 {
			if r, ok := row[0].(*plan.RowOf); ok && len(r.Args) == len(cols) {
				e.WithHint("The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?")
			}
		}
		b.fail(cols[len(row)].pos, e)
	}
}

// value prepares one value for a column, or for the part of it that is assigned.
func (s *scope) value(c insertColumn, e plan.Expr) plan.Expr {
	b := s.b
	if c.attr < 0 {
		s.refuseColumn(c.view)
	}
	col := &s.q.Rels[s.q.Result].Table.Columns[c.attr]
	if _, ok := e.(*plan.Default); ok {
		b.refusePartDefault(c.path, c.pos)
		return s.defaultValue(c.attr)
	}
	if s.q.Overriding == 'u' && col.Identity != 0 {
		return s.defaultValue(c.attr)
	}
	s.checkAssignable(c.attr, "insert", c.pos)
	if len(c.path) > 0 {
		t := plan.Type{OID: col.Type, Typmod: col.Typmod, Collation: col.Collation}
		return s.assignElement(e, s.partType(b.nullConst(t), t, c.path, col.Name, c.pos), c.path, col.Name, c.pos)
	}
	return s.assign(e, c.attr)
}

// give sets a column, or a part of it, to a value that has its type.
func (s *scope) give(given map[int]plan.Expr, c insertColumn, e plan.Expr) {
	if len(c.path) == 0 {
		given[c.attr] = e
		return
	}
	col := &s.q.Rels[s.q.Result].Table.Columns[c.attr]
	t := plan.Type{OID: col.Type, Typmod: col.Typmod, Collation: col.Collation}
	base := given[c.attr]
	if base == nil {
		base = s.b.nullConst(t)
	}
	given[c.attr] = s.assignPart(base, t, c.path, e, col.Name, c.pos)
	if s.parts == nil {
		s.parts = map[int]bool{}
	}
	s.parts[c.attr] = true
}

// insertRow sets the targets: the given values, and defaults for everything else.
func (s *scope) insertRow(cols []insertColumn, row []plan.Expr) {
	given := map[int]plan.Expr{}
	for i, e := range row {
		s.give(given, cols[i], s.value(cols[i], e))
	}
	s.fillTargets(given)
}

func (s *scope) fillTargets(given map[int]plan.Expr) {
	table := s.q.Rels[s.q.Result].Table
	for i, c := range table.Columns {
		e := given[i]
		if e == nil {
			e = s.defaultValue(i)
		} else {
			s.q.InsertCols = append(s.q.InsertCols, i)
		}
		if s.parts[i] {
			e = s.b.wholeDomain(e, c.Type)
		}
		s.q.Targets = append(s.q.Targets, &plan.Target{Expr: e, Name: c.Name, Attr: i})
	}
}

// insertRows binds VALUES of several rows as a range-table entry whose columns have the
// types of the attributes already.
func (s *scope) insertRows(cols []insertColumn, sel *pg.SelectStmt, named bool) {
	b := s.b
	r := &plan.Rel{Kind: plan.RelValues, Alias: "*VALUES*"}
	width := -1
	for _, l := range sel.ValuesLists {
		row := within(s, inValues, func() []plan.Expr { return s.exprs(l.GetList().GetItems()) })
		if width >= 0 && len(row) != width {
			b.failf(location(row[0]), pgerr.SyntaxError, "VALUES lists must all be the same length")
		}
		width = len(row)
		s.checkRow(cols, row, named)
		for i, e := range row {
			row[i] = s.value(cols[i], e)
		}
		r.Values = append(r.Values, row)
	}
	table := s.q.Rels[s.q.Result].Table
	for i := range width {
		c := &table.Columns[cols[i].attr]
		t := plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}
		if len(cols[i].path) > 0 {
			t = s.partType(b.nullConst(t), t, cols[i].path, c.Name, cols[i].pos)
		}
		r.Columns = append(r.Columns, plan.RelColumn{Name: columnName("", i), Type: t})
	}
	rel := s.addRel(r)
	s.q.From = []plan.FromItem{&plan.RelRef{Rel: rel}}
	given := map[int]plan.Expr{}
	for i := range width {
		s.give(given, cols[i], s.relVar(rel, i))
	}
	s.fillTargets(given)
}

// insertSelect binds INSERT … SELECT.
func (s *scope) insertSelect(cols []insertColumn, sel *pg.SelectStmt, named bool) {
	b := s.b
	child := b.newScope(s)
	child.resolve = false
	q := child.selectStmt(sel, nil)
	out := outputOf(q)
	exprs := make([]plan.Expr, len(out))
	for i, t := range out {
		exprs[i] = t.Expr
	}
	s.checkRow(cols, exprs, named)
	for i, t := range out {
		if unknownType(t.Expr) {
			t.Expr = s.value(cols[i], t.Expr)
		}
	}
	r := &plan.Rel{Kind: plan.RelSubquery, Alias: "*SELECT*", Query: q, Columns: queryColumns(q)}
	rel := s.addRel(r)
	s.q.From = []plan.FromItem{&plan.RelRef{Rel: rel}}
	given := map[int]plan.Expr{}
	for i := range out {
		v := s.relVar(rel, i)
		v.Pos = location(exprs[i])
		s.give(given, cols[i], s.value(cols[i], v))
	}
	s.fillTargets(given)
}

// onConflict binds ON CONFLICT. What it returns finds the unique indexes, which comes after
// everything else that may be wrong with the statement.
func (s *scope) onConflict(x *pg.OnConflictClause, target *nsItem) (infer func()) {
	infer = func() {}
	if x == nil || x.Action == pg.OnConflictAction_ONCONFLICT_NONE || x.Action == pg.OnConflictAction_ON_CONFLICT_ACTION_UNDEFINED {
		return infer
	}
	b, q := s.b, s.q
	oc := &plan.OnConflict{Update: x.Action == pg.OnConflictAction_ONCONFLICT_UPDATE}
	table := q.Rels[q.Result].Table
	if x.Infer == nil && oc.Update {
		b.fail(int(x.Location), pgerr.New(pgerr.SyntaxError, "ON CONFLICT DO UPDATE requires inference specification or constraint name").
			WithHint("For example, ON CONFLICT (column_name)."))
	}
	if x.Infer != nil {
		find := s.arbiters(x.Infer, table)
		infer = func() { oc.Indexes = find() }
	}
	ex := b.tableRel(table, lockAccessShare)
	ex.Alias, ex.LockMode = "excluded", 0
	oc.Excluded = s.addRel(ex)
	it := s.relItem(oc.Excluded)
	if s.view != nil {
		it = s.view.item(s, oc.Excluded)
		it.name = ex.Alias
	}
	if oc.Update {
		q.Rels[q.Result].Required |= aclUpdate | aclSelect
		it.hasAlias, it.proposed = true, true
		s.items = []*nsItem{target, it}
		oc.Set = s.setList(x.TargetList)
		if x.WhereClause != nil {
			oc.Where = within(s, inWhere, func() plan.Expr { return b.coerceBool(s, s.expr(x.WhereClause), "WHERE") })
		}
	}
	q.OnConflict = oc
	return infer
}
