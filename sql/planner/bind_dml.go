package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// target opens the table that a statement changes, as Rels[Result].
func (s *scope) target(x *pg.RangeVar, cmd plan.Command, acl uint32) *nsItem {
	b := s.b
	for sc := s; sc != nil && x.Schemaname == ""; sc = sc.parent {
		for _, e := range sc.ctes {
			if e.name == x.Relname && b.lookupRelation(x) == nil {
				b.failf(int(x.Location), pgerr.FeatureNotSupported, "relation \"%s\" cannot be the target of a modifying statement", x.Relname)
			}
		}
	}
	r := b.findRelation(x, lockRowExclusive)
	pos := -1
	switch r.Kind {
	case catalog.KindView:
		return s.openView(r, x, cmd, acl)
	case catalog.KindMatView:
		if cmd == plan.Merge {
			b.fail(pos, pgerr.New(pgerr.FeatureNotSupported, "cannot execute MERGE on relation \"%s\"", r.Name).WithDetail("This operation is not supported for materialized views."))
		}
		b.failf(pos, pgerr.WrongObjectType, "cannot change materialized view \"%s\"", r.Name)
	case catalog.KindVirtual:
		if role := b.env.Catalog.Role(b.env.User); role != nil && !role.Superuser {
			b.failf(pos, pgerr.InsufficientPrivilege, "permission denied for table %s", r.Name)
		}
		b.failf(pos, pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", r.Name)
	case catalog.KindComposite:
		b.failf(int(x.Location), pgerr.WrongObjectType, "cannot open relation \"%s\"", r.Name)
	}
	rel := b.tableRel(r, lockRowExclusive)
	if rel.Only = !x.Inh; x.Inh && cmd != plan.Insert {
		b.lockChildren(r, lockRowExclusive)
	}
	rel.Required = acl
	s.q.Command = cmd
	s.q.Result = s.addRel(rel)
	s.applyAlias(rel, x.Alias)
	it := s.relItem(s.q.Result)
	it.hasAlias = x.Alias != nil
	return it
}

// attribute finds the attribute that an assignment names.
func (s *scope) attribute(name string, pos int) int {
	r := s.q.Rels[s.q.Result]
	if s.view != nil {
		return s.viewAttribute(name, pos)
	}
	for i, c := range r.Table.Columns {
		if c.Name == name && !c.Dropped {
			return i
		}
	}
	if _, ok := systemColumns[name]; ok {
		s.b.failf(pos, pgerr.FeatureNotSupported, "cannot assign to system column \"%s\"", name)
	}
	s.b.failf(pos, pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, r.Table.Name)
	return -1
}

// assign converts an expression to the type of the attribute that it is assigned to.
func (s *scope) assign(e plan.Expr, attr int) plan.Expr {
	c := &s.q.Rels[s.q.Result].Table.Columns[attr]
	return s.assignType(e, plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}, c.Name)
}

func (s *scope) assignType(e plan.Expr, t plan.Type, column string) plan.Expr {
	return s.assignTo(e, t, "column \"%s\" is of type %s but expression is of type %s", column, location(e))
}

// assignTo is assignType with the words and the place that an error has.
func (s *scope) assignTo(e plan.Expr, t plan.Type, format, name string, pos int) plan.Expr {
	b := s.b
	out := b.coerceTo(s, e, t, functions.Assignment, plan.CastImplicit, -1)
	if out == nil {
		b.fail(pos, pgerr.New(pgerr.DatatypeMismatch, format, name, b.typeName(t.OID), b.typeName(e.ResultType().OID)).
			WithHint("You will need to rewrite or cast the expression."))
	}
	return out
}

// assignElement converts a value to the type of the element, slice or field that it is assigned to.
func (s *scope) assignElement(e plan.Expr, t plan.Type, path []*pg.Node, column string, pos int) plan.Expr {
	if last := path[len(path)-1]; last.GetString_() != nil {
		return s.assignTo(e, t, "subfield \"%s\" is of type %s but expression is of type %s", last.GetString_().GetSval(), pos)
	}
	return s.assignTo(e, t, "subscripted assignment to \"%s\" requires type %s but expression is of type %s", column, pos)
}

// defaultValue returns what an attribute gets when no value is given.
func (s *scope) defaultValue(attr int) plan.Expr {
	b := s.b
	c := &s.q.Rels[s.q.Result].Table.Columns[attr]
	t := plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}
	var e plan.Expr
	switch {
	case s.view != nil && s.view.defaults[attr] != nil:
		s.checkAssignable(attr, "insert", -1)
		e = b.decodeExpr(s.view.defaults[attr])
	case c.Dropped || c.Generated != 0:
		return b.nullConst(t)
	case c.Identity != 0 && c.Sequence != 0:
		e = &plan.NextValue{Base: plan.Base{Typ: b.plainType(20), Pos: -1}, Sequence: c.Sequence}
	case c.Default != nil:
		e = b.decodeExpr(c.Default)
	default:
		return b.domainDefault(t)
	}
	if out := b.coerceTo(nil, e, t, functions.Assignment, plan.CastImplicit, -1); out != nil {
		return out
	}
	return e
}

// domainDefault returns the default of a domain, or NULL, checked by the domain.
func (b *binder) domainDefault(t plan.Type) plan.Expr {
	base, typmod := b.env.Types.BaseType(t.OID, t.Typmod)
	if base == t.OID {
		return b.nullConst(t)
	}
	if d := b.env.Catalog.Type(t.OID); d != nil && d.Default != nil {
		e := b.decodeExpr(d.Default)
		if out := b.coerceTo(nil, e, t, functions.Assignment, plan.CastImplicit, -1); out != nil {
			return out
		}
	}
	return b.toDomain(b.nullConst(b.typeOf(base, typmod)), t.OID, plan.CastImplicit, -1, false)
}

// checkAssignable refuses a value for a generated column, or for an identity column that
// takes none.
func (s *scope) checkAssignable(attr int, verb string, pos int) {
	c := &s.q.Rels[s.q.Result].Table.Columns[attr]
	format := "cannot insert a non-DEFAULT value into column \"%s\""
	if verb == "update" {
		format = "column \"%s\" can only be updated to DEFAULT"
	}
	switch {
	case c.Generated != 0:
		s.b.fail(-1, pgerr.New(pgerr.GeneratedAlways, format, c.Name).WithDetail("Column \"%s\" is a generated column.", c.Name))
	case c.Identity == 'a' && (verb == "update" || s.q.Overriding == 0):
		e := pgerr.New(pgerr.GeneratedAlways, format, c.Name).WithDetail("Column \"%s\" is an identity column defined as GENERATED ALWAYS.", c.Name)
		if verb != "update" {
			e.WithHint("Use OVERRIDING SYSTEM VALUE to override.")
		}
		s.b.fail(-1, e)
	}
}

// returning binds RETURNING over the items that are visible now.
func (s *scope) returning(list []*pg.Node) {
	if len(list) == 0 {
		return
	}
	q := s.q
	q.Rels[q.Result].Required |= aclSelect
	windows := s.windows
	q.Returning = within(s, inReturning, func() []*plan.Target { return s.targets(list) })
	s.windows = windows
	for _, t := range q.Returning {
		t.Expr = s.b.resolveUnknown(s, t.Expr)
	}
}

func (b *binder) bindUpdate(parent *scope, x *pg.UpdateStmt) *plan.Query {
	s := b.newScope(parent)
	s.withClause(x.WithClause)
	it := s.target(x.Relation, plan.Update, aclUpdate)
	s.q.Rels[s.q.Result].Required |= aclSelect
	it.lateralOnly, it.lateralOK = true, false
	s.items = []*nsItem{it}
	s.from(x.FromClause)
	s.q.From = append([]plan.FromItem{&plan.RelRef{Rel: s.q.Result}}, s.q.From...)
	s.where(x.WhereClause)
	s.returning(x.ReturningList)
	s.q.Targets = s.setList(x.TargetList)
	s.finishView()
	b.assignCollations(s)
	return s.q
}

// setList binds the assignments of UPDATE, ON CONFLICT and MERGE.
func (s *scope) setList(list []*pg.Node) []*plan.Target {
	b := s.b
	var out []*plan.Target
	at := map[int]*plan.Target{}
	partial := map[int]bool{}
	table := s.q.Rels[s.q.Result].Table
	for _, n := range list {
		rt := n.GetResTarget()
		attr := s.attribute(rt.Name, int(rt.Location))
		part := len(rt.Indirection) > 0
		old := at[attr]
		if old != nil && !(part && partial[attr]) {
			b.failf(-1, pgerr.SyntaxError, "multiple assignments to same column \"%s\"", table.Columns[attr].Name)
		}
		e := within(s, inUpdateSet, func() plan.Expr { return s.setSource(rt.Val) })
		if _, ok := e.(*plan.Default); ok {
			b.refusePartDefault(rt.Indirection, int(rt.Location))
			if e = s.defaultValue(attr); s.view != nil && s.view.defaults[attr] == nil {
				s.checkAssignable(attr, "update", int(rt.Location)) // a view's column without default is set to NULL
				c := &table.Columns[attr]
				e = b.nullConst(plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation})
			}
		} else {
			s.checkAssignable(attr, "update", int(rt.Location))
			if part {
				c := &table.Columns[attr]
				var base plan.Expr = s.relVar(s.q.Result, attr)
				if old != nil {
					base = old.Expr
				}
				e = s.assignPart(base, plan.Type{OID: c.Type, Typmod: c.Typmod, Collation: c.Collation}, rt.Indirection, e, c.Name, int(rt.Location))
			} else {
				e = s.assign(e, attr)
			}
		}
		if old != nil {
			old.Expr = e
			continue
		}
		t := &plan.Target{Expr: e, Name: rt.Name, Attr: attr}
		at[attr], partial[attr] = t, part
		out = append(out, t)
	}
	r := s.q.Rels[s.q.Result]
	for attr, t := range at {
		if partial[attr] {
			t.Expr = b.wholeDomain(t.Expr, table.Columns[attr].Type)
		}
		r.SetAttrs = append(r.SetAttrs, attr)
	}
	return out
}

// setSource binds the value of an assignment, which may be one column of a row or subquery.
func (s *scope) setSource(n *pg.Node) plan.Expr {
	m := n.GetMultiAssignRef()
	if m == nil {
		return s.expr(n)
	}
	b := s.b
	if row := m.Source.GetRowExpr(); row != nil {
		if len(row.Args) != int(m.Ncolumns) {
			b.failf(int(row.Location), pgerr.SyntaxError, "number of columns does not match number of values")
		}
		return s.expr(row.Args[m.Colno-1])
	}
	sub := m.Source.GetSubLink()
	if sub == nil || sub.SubLinkType != pg.SubLinkType_EXPR_SUBLINK {
		b.failf(location0(m.Source), pgerr.FeatureNotSupported, "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
	}
	// (a, b) = (SELECT x, y …) reads each column through a subquery of its own.
	outer := b.newScope(s)
	q := b.bindStatement(outer, sub.Subselect)
	cols := queryColumns(q)
	if len(cols) != int(m.Ncolumns) {
		b.failf(int(sub.Location), pgerr.SyntaxError, "number of columns does not match number of values")
	}
	r := &plan.Rel{Kind: plan.RelSubquery, Alias: "*SELECT*", Query: q, Columns: cols}
	rel := outer.addRel(r)
	outer.q.From = []plan.FromItem{&plan.RelRef{Rel: rel}}
	v := outer.relVar(rel, int(m.Colno-1))
	outer.q.Targets = []*plan.Target{{Expr: v, Name: cols[m.Colno-1].Name}}
	s.q.HasSubLinks = true
	return &plan.SubLink{Base: plan.Base{Typ: v.Typ, Pos: int(sub.Location)}, Kind: plan.SubScalar, Query: outer.q}
}

// wholeDomain checks the value of a column of a domain type when all assignments to parts of it are made.
func (b *binder) wholeDomain(e plan.Expr, column OID) plan.Expr {
	if base, _ := b.env.Types.BaseType(column, -1); base == column {
		return e
	}
	return b.toDomain(e, column, plan.CastImplicit, -1, false)
}

// refusePartDefault reports DEFAULT for a part of a column.
func (b *binder) refusePartDefault(path []*pg.Node, pos int) {
	switch {
	case len(path) == 0:
	case path[0].GetAIndices() != nil:
		b.failf(pos, pgerr.FeatureNotSupported, "cannot set an array element to DEFAULT")
	default:
		b.failf(pos, pgerr.FeatureNotSupported, "cannot set a subfield to DEFAULT")
	}
}

// partType returns the type of an element or field of a column.
func (s *scope) partType(base plan.Expr, t plan.Type, path []*pg.Node, column string, pos int) plan.Type {
	if len(path) == 0 {
		return t
	}
	if subs, rest := leadingSubscripts(path); len(subs) > 0 {
		e := s.subscripts(base, subs, nil)
		return s.partType(e, e.ResultType(), rest, column, pos)
	}
	f := s.assignedField(base, t, path[0].GetString_().GetSval(), column, pos)
	return s.partType(f, f.Typ, path[1:], column, pos)
}

// leadingSubscripts splits the subscripts off that a path begins with.
func leadingSubscripts(path []*pg.Node) (subs []*pg.A_Indices, rest []*pg.Node) {
	for len(path) > 0 && path[0].GetAIndices() != nil {
		subs = append(subs, path[0].GetAIndices())
		path = path[1:]
	}
	return subs, path
}

// assignedField finds a field of a composite column that is assigned to.
func (s *scope) assignedField(base plan.Expr, t plan.Type, name, column string, pos int) *plan.Field {
	b := s.b
	if !b.isComposite(t.OID) {
		b.failf(pos, pgerr.DatatypeMismatch, "cannot assign to field \"%s\" of column \"%s\" because its type %s is not a composite type", name, column, b.typeName(t.OID))
	}
	for i, a := range b.attributes(t.OID) {
		if a.Name == name && !a.Dropped {
			return &plan.Field{Base: plan.Base{Typ: plan.Type{OID: a.Type, Typmod: a.Typmod, Collation: a.Collation}, Pos: -1}, Arg: base, Index: i, Name: name}
		}
	}
	b.failf(pos, pgerr.UndefinedColumn, "cannot assign to field \"%s\" of column \"%s\" because there is no such column in data type %s", name, column, b.typeName(t.OID))
	return nil
}

// assignPart binds an assignment to an element or field of a column: c[i].f = value.
func (s *scope) assignPart(base plan.Expr, t plan.Type, path []*pg.Node, value plan.Expr, column string, pos int) plan.Expr {
	whole := path
	subs, path := leadingSubscripts(path)
	if len(subs) > 0 {
		probe := s.subscripts(base, subs, nil)
		et := probe.ResultType()
		if len(path) > 0 {
			value = s.assignPart(probe, et, path, value, column, pos)
		} else {
			value = s.assignElement(value, et, whole, column, pos)
		}
		return s.subscripts(base, subs, value)
	}
	field := s.assignedField(base, t, path[0].GetString_().GetSval(), column, pos)
	var v plan.Expr
	if len(path) > 1 {
		v = s.assignPart(field, field.Typ, path[1:], value, column, pos)
	} else {
		v = s.assignElement(value, field.Typ, path, column, pos)
	}
	return &plan.FieldStore{Base: plan.Base{Typ: t, Pos: -1}, Arg: base, Index: []int{field.Index}, Values: []plan.Expr{v}}
}

func (b *binder) bindDelete(parent *scope, x *pg.DeleteStmt) *plan.Query {
	s := b.newScope(parent)
	s.withClause(x.WithClause)
	it := s.target(x.Relation, plan.Delete, aclDelete)
	it.lateralOnly, it.lateralOK = true, false
	s.items = []*nsItem{it}
	s.from(x.UsingClause)
	s.q.From = append([]plan.FromItem{&plan.RelRef{Rel: s.q.Result}}, s.q.From...)
	if x.WhereClause != nil {
		s.q.Rels[s.q.Result].Required |= aclSelect
	}
	s.where(x.WhereClause)
	s.returning(x.ReturningList)
	s.finishView()
	b.assignCollations(s)
	return s.q
}
