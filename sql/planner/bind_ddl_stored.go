package planner

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// Stored binds and reads the expressions that descriptors keep, while a statement runs. It is
// what the executor knows of the planner.
type Stored struct{ Env *Env }

func (s Stored) binder() *binder {
	return &binder{env: s.Env, seen: map[plan.ObjectVersion]bool{}, fixed: true}
}

// User returns the role that new objects belong to.
func (s Stored) User() OID { return s.Env.User }

// SearchPath returns the schemas that unqualified names are looked up in.
func (s Stored) SearchPath() []OID { return s.Env.SearchPath }

// DecodeExpr reads a stored expression.
func (s Stored) DecodeExpr(encoded []byte) (e plan.Expr, err error) {
	b := s.binder()
	err = b.catch(func() { e = b.decodeExpr(encoded) })
	return e, err
}

// Deparse writes an expression over a table's columns as SQL.
func (s Stored) Deparse(e plan.Expr, table *catalog.Relation) string {
	columns := make([]string, len(table.Columns))
	for i := range table.Columns {
		columns[i] = table.Columns[i].Name
	}
	return DeparseExpr(s.Env, e, columns, false)
}

// DecodeQuery reads a stored query.
func (s Stored) DecodeQuery(encoded []byte) (q *plan.Query, err error) {
	b := s.binder()
	err = b.catch(func() { q = b.decodeQuery(encoded, 0) })
	return q, err
}

// ViewQuery reads the query of a view, also of one of the system's.
func (s Stored) ViewQuery(v *catalog.Relation) (q *plan.Query, err error) {
	b := s.binder()
	err = b.catch(func() { q = b.decodeQuery(b.viewQuery(v), 0) })
	return q, err
}

// Plan plans a bound query.
func (s Stored) Plan(q *plan.Query) (*plan.Statement, error) { return Plan(s.Env, q) }

// Prepared returns the query that EXECUTE runs. Only those without parameters can be part of
// another statement.
func (s Stored) Prepared(e *plan.Execute) (*plan.Query, error) {
	if s.Env.Prepared == nil {
		return nil, pgerr.New(pgerr.InvalidSQLStatementName, "prepared statement \"%s\" does not exist", e.Name)
	}
	params, q, err := s.Env.Prepared(e.Name)
	if err != nil {
		return nil, err
	}
	if q.Command != plan.Select {
		return nil, pgerr.New(pgerr.WrongObjectType, "prepared statement is not a SELECT")
	}
	if len(params) != len(e.Args) {
		return nil, pgerr.New(pgerr.SyntaxError, "wrong number of parameters for prepared statement \"%s\"", e.Name).
			WithDetail("Expected %d parameters but got %d.", len(params), len(e.Args))
	}
	if len(params) == 0 {
		return q, nil
	}
	args, err := BindArguments(s.Env, e.Args, params, e.Name)
	if err != nil {
		return nil, err
	}
	q = plan.CloneQuery(q)
	replaceParams(q, args)
	return q, nil
}

// replaceParams puts the arguments of EXECUTE into a query.
func replaceParams(q *plan.Query, args []plan.Expr) {
	plan.MapQuery(q, func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			switch v := x.(type) {
			case *plan.Param:
				if v.N >= 1 && v.N <= len(args) {
					return args[v.N-1]
				}
			case *plan.SubLink:
				replaceParams(v.Query, args)
			}
			return x
		})
	})
	for _, r := range q.Rels {
		if r.Query != nil {
			replaceParams(r.Query, args)
		}
	}
	for _, c := range q.CTEs {
		replaceParams(c.Query, args)
	}
}

// Element binds a statement inside CREATE SCHEMA, with the new schema in front of the path.
func (s Stored) Element(raw plan.RawExpr, schema OID) (u plan.Utility, err error) {
	env := *s.Env
	env.SearchPath = append([]OID{schema}, env.SearchPath...)
	x := raw.(*rawExpr)
	b := &binder{env: &env, source: x.source, text: x.source, seen: map[plan.ObjectVersion]bool{}, fixed: true}
	err = b.catch(func() {
		var e error
		u, e = bindUtility(b, x.node)
		b.check(-1, e)
	})
	if err != nil {
		return nil, err
	}
	inSchema(u, s.Env.Catalog.Schema(schema).Name)
	return u, nil
}

// inSchema puts the object that a statement makes into a schema.
func inSchema(u plan.Utility, schema string) {
	var name *plan.QName
	switch u := u.(type) {
	case *plan.CreateTable:
		name = &u.Name
	case *plan.CreateView:
		name = &u.Name
	case *plan.CreateSequence:
		name = &u.Name
	case *plan.CreateIndex:
		name = &u.Table
	}
	if name != nil && name.Schema == "" {
		name.Schema = schema
	}
}

// Store binds an expression for a descriptor.
func (s Stored) Store(r plan.StoredRequest) (out *plan.Stored, err error) {
	b := s.binder()
	var n *pg.Node
	if r.Raw != nil {
		x := r.Raw.(*rawExpr)
		n, b.source, b.text, b.unplaced = x.node, x.source, x.source, x.unplaced
	}
	err = b.catch(func() {
		e := b.storedExpr(r, n)
		out = b.stored(r, e)
	})
	return out, err
}

// storedExpr binds and coerces the expression of a request.
func (b *binder) storedExpr(r plan.StoredRequest, n *pg.Node) plan.Expr {
	s := b.newScope(nil)
	if r.Table != nil {
		rel := b.tableRel(r.Table, 0)
		s.addItem(s.relItem(s.addRel(rel)))
	}
	bind := func(c clause) plan.Expr { return within(s, c, func() plan.Expr { return s.expr(n) }) }
	var e plan.Expr
	switch r.Kind {
	case plan.StoredDefault:
		e = b.coerceDefault(s, r, bind(inDefault), "default expression")
	case plan.StoredArgument:
		e = bind(inArgument)
		if !functions.IsPolymorphic(r.Type.OID) { // the call decides what that becomes
			e = b.coerceSpecific(s, e, r.Type.OID, "DEFAULT")
		}
	case plan.StoredGenerated:
		e = b.coerceDefault(s, r, bind(inGenerated), "generation expression")
	case plan.StoredCheck:
		e = b.coerceBool(s, bind(inCheck), "CHECK")
	case plan.StoredDomainCheck:
		value := &plan.CaseTest{Base: plan.Base{Typ: r.Type, Pos: -1}}
		s.addItem(&nsItem{rel: -1, cols: []nsColumn{{name: "value", expr: value}}, colsVisible: true, lateralOK: true})
		e = b.coerceBool(s, bind(inCheck), "CHECK")
	case plan.StoredIndexKey, plan.StoredStatistics:
		c := inIndexExpr
		if r.Kind == plan.StoredStatistics {
			c = inStatistic
		}
		e = bind(c)
		if e.ResultType().OID == types.UnknownOID {
			e = b.coerceTo(s, e, b.plainType(types.TextOID), functions.Implicit, plan.CastImplicit, -1)
		}
	case plan.StoredPredicate:
		e = b.coerceBool(s, bind(inIndexPred), "WHERE")
	case plan.StoredUsing:
		return b.using(s, r, n)
	}
	b.collate(e)
	return e
}

// coerceDefault makes a default fit its column.
func (b *binder) coerceDefault(s *scope, r plan.StoredRequest, e plan.Expr, what string) plan.Expr {
	out := b.coerceTo(s, e, r.Type, functions.Assignment, plan.CastImplicit, -1)
	if out == nil {
		b.fail(-1, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" is of type %s but %s is of type %s",
			r.Column, b.typeName(r.Type.OID), what, b.typeName(e.ResultType().OID)).
			WithHint("You will need to rewrite or cast the expression."))
	}
	return out
}

// using binds what a column's values become when its type changes.
func (b *binder) using(s *scope, r plan.StoredRequest, n *pg.Node) plan.Expr {
	var e plan.Expr
	if n != nil {
		e = within(s, inAlterType, func() plan.Expr { return s.expr(n) })
	} else {
		at := slices.IndexFunc(r.Table.Columns, func(c catalog.Column) bool { return !c.Dropped && c.Name == r.Column })
		e = s.relVar(0, at)
	}
	out := b.coerceTo(s, e, r.Type, functions.Assignment, plan.CastImplicit, -1)
	if out == nil {
		if n != nil {
			b.fail(-1, pgerr.New(pgerr.DatatypeMismatch, "result of USING clause for column \"%s\" cannot be cast automatically to type %s",
				r.Column, b.typeName(r.Type.OID)).WithHint("You might need to add an explicit cast."))
		}
		err := pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" cannot be cast automatically to type %s", r.Column, b.typeName(r.Type.OID))
		if v, ok := e.(*plan.Var); !ok || r.Table.Columns[v.Attr].Generated == 0 {
			target := b.env.Types.FormatType(r.Type.OID, r.Type.Typmod)
			err.WithHint("You might need to specify \"USING %s::%s\".", types.QuoteIdent(r.Column), target)
		}
		b.fail(-1, err)
	}
	b.collate(out)
	return out
}

// stored finishes an expression: what it uses and needs, and whether that is allowed.
func (b *binder) stored(r plan.StoredRequest, e plan.Expr) *plan.Stored {
	if len(b.params) > 0 {
		b.failf(-1, pgerr.UndefinedParameter, "there is no parameter $1")
	}
	table := OID(0)
	if r.Table != nil {
		table = r.Table.OID
	}
	switch r.Kind {
	case plan.StoredGenerated:
		b.checkGenerated(r.Table, e)
	case plan.StoredIndexKey, plan.StoredPredicate, plan.StoredStatistics:
		what := "index"
		if r.Kind == plan.StoredStatistics {
			what = "statistics"
		}
		plan.Walk(e, func(x plan.Expr) bool {
			if v, ok := x.(*plan.Var); ok && v.Level == 0 && v.Attr < 0 && v.Attr != plan.AttrWholeRow {
				b.failf(-1, pgerr.FeatureNotSupported, "%s creation on system columns is not supported", what)
			}
			return true
		})
	}
	out := &plan.Stored{
		Expr: e, Encoded: plan.EncodeExpr(e), Type: e.ResultType(), Mutable: b.mutability(e), Depends: plan.Dependencies(e, table),
	}
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 && v.Attr >= 0 && !slices.Contains(out.Columns, int16(v.Attr+1)) {
			out.Columns = append(out.Columns, int16(v.Attr+1)) // in the order in which they appear, as pg_constraint has them
		}
		return true
	})
	if out.Mutable == 'i' {
		return out
	}
	switch r.Kind {
	case plan.StoredGenerated:
		b.failf(-1, pgerr.InvalidObjectDefinition, "generation expression is not immutable")
	case plan.StoredIndexKey:
		b.failf(-1, pgerr.InvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE")
	case plan.StoredPredicate:
		b.failf(-1, pgerr.InvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE")
	}
	return out
}

// checkGenerated refuses what a generated column cannot be computed from: other generated columns, and the
// row that it is itself a part of.
func (b *binder) checkGenerated(table *catalog.Relation, e plan.Expr) {
	plan.Walk(e, func(x plan.Expr) bool {
		v, ok := x.(*plan.Var)
		switch {
		case !ok || v.Level != 0:
		case v.Attr == plan.AttrWholeRow:
			b.fail(v.Pos, pgerr.New(pgerr.InvalidObjectDefinition, "cannot use whole-row variable in column generation expression").
				WithDetail("This would cause the generated column to depend on its own value."))
		case v.Attr >= 0 && table.Columns[v.Attr].Generated != 0:
			b.fail(v.Pos, pgerr.New(pgerr.InvalidObjectDefinition, "cannot use generated column \"%s\" in column generation expression", table.Columns[v.Attr].Name).
				WithDetail("A generated column cannot reference another generated column."))
		}
		return true
	})
}

// mutability returns the worst volatility of the functions in an expression, as it is computed: without what
// folds to a constant.
func (b *binder) mutability(e plan.Expr) byte {
	l := &level{o: &optimizer{env: b.env}}
	f := &folder{l: l}
	if simple := f.simplify(e); f.err == nil {
		e = simple
	}
	worst := byte('i')
	note := func(v byte) {
		if v == 'v' || v == 's' && worst == 'i' {
			worst = v
		}
	}
	io := func(from, to OID) {
		if !l.immutableIO(from, to) {
			note('s')
		}
	}
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Call:
			// Putting a value of any type behind a text is as good as its text form is.
			if at := slices.Index([]string{"anytextcat", "textanycat"}, x.Func.Name); at >= 0 && len(x.Args) == 2 {
				io(x.Args[at].ResultType().OID, types.TextOID)
				break
			}
			note(x.Func.Volatile)
		case *plan.ValueFunc:
			note('s')
		case *plan.NextValue:
			note('v')
		case *plan.IOCast:
			io(x.Arg.ResultType().OID, x.Typ.OID)
		}
		return true
	})
	return worst
}

// FunctionBody binds the body of an SQL function. The body is kept as text and bound where the
// function is called; binding it here finds its errors early, unless the session switched that off, as dumps
// do, whose functions come before the tables that they read.
func (s Stored) FunctionBody(f *catalog.Function, raw plan.RawExpr) ([]byte, []catalog.Dependency, error) {
	if raw != nil {
		return nil, nil, pgerr.Unsupported("SQL-standard function bodies are not supported")
	}
	if s.Env.Settings.NoBodyCheck {
		return nil, nil, nil
	}
	return nil, nil, checkRoutine(s.Env, f)
}

// bindCopyTable finds the table of COPY and binds its condition.
func (b *binder) bindCopyTable(u *plan.Copy, c *pg.CopyStmt) {
	mode := uint8(lockAccessShare)
	if c.IsFrom {
		mode = lockRowExclusive
	}
	c.Relation.Location = -1 // errors about the table of COPY have no position
	u.Table = b.findRelation(c.Relation, mode)
	if c.WhereClause == nil {
		return
	}
	s := b.newScope(nil)
	s.addItem(s.relItem(s.addRel(b.tableRel(u.Table, mode))))
	u.Bound = within(s, inCopyWhere, func() plan.Expr { return b.coerceBool(s, s.expr(c.WhereClause), "WHERE") })
	b.collate(u.Bound)
	plan.Walk(u.Bound, func(x plan.Expr) bool {
		v, ok := x.(*plan.Var)
		if !ok || v.Level != 0 {
			return true
		}
		for i := range u.Table.Columns {
			if col := &u.Table.Columns[i]; col.Generated != 0 && (v.Attr == i || v.Attr == plan.AttrWholeRow) {
				b.fail(-1, pgerr.New(pgerr.InvalidColumnReference, "generated columns are not supported in COPY FROM WHERE conditions").
					WithDetail("Column \"%s\" is a generated column.", col.Name))
			}
		}
		return true
	})
}

// Parse parses the text of one expression.
func (Stored) Parse(text string) (plan.RawExpr, error) {
	source := "SELECT (" + text + ")"
	list, err := parser.Parse(source)
	if err != nil {
		return nil, err
	}
	targets := list[0].Tree.GetSelectStmt().GetTargetList()
	return &rawExpr{node: targets[0].GetResTarget().GetVal(), source: source}, nil
}
