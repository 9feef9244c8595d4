package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// aExpr binds an operator expression of any kind.
func (s *scope) aExpr(x *pg.A_Expr) plan.Expr {
	name, pos := names(x.Name), int(x.Location)
	switch x.Kind {
	case pg.A_Expr_Kind_AEXPR_OP:
		return s.opExpr(name, x, pos)
	case pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP_ALL:
		l, r := s.expr(x.Lexpr), s.expr(x.Rexpr)
		return s.makeArrayOp(name, x.Kind == pg.A_Expr_Kind_AEXPR_OP_ALL, l, r, pos)
	case pg.A_Expr_Kind_AEXPR_DISTINCT, pg.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return s.distinct(x, name, pos)
	case pg.A_Expr_Kind_AEXPR_NULLIF:
		return s.nullIf(x, name, pos)
	case pg.A_Expr_Kind_AEXPR_IN:
		return s.inList(x, name, pos)
	case pg.A_Expr_Kind_AEXPR_LIKE, pg.A_Expr_Kind_AEXPR_ILIKE, pg.A_Expr_Kind_AEXPR_SIMILAR:
		return s.makeOp(name, s.expr(x.Lexpr), s.expr(x.Rexpr), pos)
	case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN,
		pg.A_Expr_Kind_AEXPR_BETWEEN_SYM, pg.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return s.between(x, pos)
	}
	s.b.fail(pos, pgerr.Unsupported("this kind of operator expression is not supported"))
	return nil
}

func (s *scope) opExpr(name []string, x *pg.A_Expr, pos int) plan.Expr {
	lrow, rrow := x.Lexpr.GetRowExpr(), x.Rexpr.GetRowExpr()
	if lrow != nil {
		if sub := x.Rexpr.GetSubLink(); sub != nil && sub.SubLinkType == pg.SubLinkType_EXPR_SUBLINK {
			return s.subLink(&pg.SubLink{SubLinkType: pg.SubLinkType_ROWCOMPARE_SUBLINK, Testexpr: x.Lexpr, OperName: x.Name,
				Subselect: sub.Subselect, Location: x.Location})
		}
		if rrow != nil {
			return s.rowComparison(name, s.exprs(lrow.Args), s.exprs(rrow.Args), pos)
		}
	}
	last := s.lastSRF
	var l plan.Expr
	if x.Lexpr != nil {
		l = s.expr(x.Lexpr)
	}
	r := s.expr(x.Rexpr)
	_ = last
	return s.makeOp(name, l, r, pos)
}

// operators returns the operators that a name can mean, in search path order.
func (b *binder) operators(name []string, pos int) []*functions.Operator {
	schema, op := b.splitName(name, pos)
	if schema != "" && schema != "pg_catalog" {
		if b.env.Catalog.SchemaByName(schema) == nil {
			b.failf(pos, pgerr.InvalidSchemaName, "schema \"%s\" does not exist", schema)
		}
		return nil
	}
	if op == "!=" {
		op = "<>"
	}
	return append(b.extensionOperators(op), functions.OperatorsByName(op)...)
}

// extensionOperators finds the operators of extensions whose functions are searched.
func (b *binder) extensionOperators(op string) []*functions.Operator {
	name := functions.ExtensionOperator(op)
	if name == "" {
		return nil
	}
	var list []*functions.Operator
	for _, f := range b.functionsNamed("", name) {
		if f.Lang == functions.LangC && len(f.Args) == 2 {
			list = append(list, &functions.Operator{Name: op, Namespace: f.Namespace, Kind: 'b', Left: f.Args[0], Right: f.Args[1], Result: f.Ret, Code: f})
		}
	}
	return list
}

// makeOp binds an operator; l is nil for a prefix operator.
func (s *scope) makeOp(name []string, l, r plan.Expr, pos int) plan.Expr {
	c := s.resolveOp(name, l, r, pos)
	return c
}

func (s *scope) resolveOp(name []string, l, r plan.Expr, pos int) *plan.Call {
	b := s.b
	var lt OID
	if l != nil {
		lt = l.ResultType().OID
	}
	rt := r.ResultType().OID
	cands := b.operators(name, pos)
	res := functions.ResolveOp(b.env.Types, nil, cands, lt, rt)
	switch {
	case res.Status == functions.NotFound:
		b.opNotFound(name, lt, rt, l != nil, pos)
	case res.Status == functions.Ambiguous:
		b.fail(pos, pgerr.New(pgerr.AmbiguousFunction, "operator is not unique: %s", b.opSignature(name, lt, rt, l != nil)).
			WithHint("Could not choose a best candidate operator. You might need to add explicit type casts."))
	case res.Err != nil:
		b.check(-1, res.Err)
	}
	c := &plan.Call{Base: plan.Base{Typ: b.plainType(res.Result), Pos: pos}, Func: res.Op.Code, Op: res.Op.OID}
	if l != nil {
		c.Args = append(c.Args, b.coerceType(s, l, b.plainType(res.Left), functions.Implicit, plan.CastImplicit, -1))
	}
	c.Args = append(c.Args, b.coerceType(s, r, b.plainType(res.Right), functions.Implicit, plan.CastImplicit, -1))
	if c.Func.RetSet {
		c.ReturnSet = true
		s.noteSRF(c, pos)
	}
	return c
}

func (b *binder) opSignature(name []string, lt, rt OID, binary bool) string {
	sig := dotted(name) + " " + b.typeName(rt)
	if binary {
		sig = b.typeName(lt) + " " + sig
	}
	return sig
}

func (b *binder) opNotFound(name []string, lt, rt OID, binary bool, pos int) {
	e := pgerr.New(pgerr.UndefinedFunction, "operator does not exist: %s", b.opSignature(name, lt, rt, binary))
	if binary {
		e.WithHint("No operator matches the given name and argument types. You might need to add explicit type casts.")
	} else {
		e.WithHint("No operator matches the given name and argument type. You might need to add an explicit type cast.")
	}
	b.fail(pos, e)
}

// makeArrayOp binds left op ANY|ALL (array).
func (s *scope) makeArrayOp(name []string, all bool, l, r plan.Expr, pos int) plan.Expr {
	b := s.b
	lt, at := l.ResultType().OID, r.ResultType().OID
	rt := OID(types.UnknownOID)
	if at != types.UnknownOID {
		if rt = b.elementType(at); rt == 0 {
			b.failf(pos, pgerr.WrongObjectType, "op ANY/ALL (array) requires array on right side")
		}
	}
	res := functions.ResolveOp(b.env.Types, nil, b.operators(name, pos), lt, rt)
	switch {
	case res.Status == functions.NotFound:
		b.opNotFound(name, lt, rt, true, pos)
	case res.Status == functions.Ambiguous:
		b.fail(pos, pgerr.New(pgerr.AmbiguousFunction, "operator is not unique: %s", b.opSignature(name, lt, rt, true)).
			WithHint("Could not choose a best candidate operator. You might need to add explicit type casts."))
	case res.Err != nil:
		b.check(-1, res.Err)
	}
	if res.Result != types.BoolOID {
		b.failf(pos, pgerr.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
	}
	if res.Op.Code.RetSet {
		b.failf(pos, pgerr.WrongObjectType, "op ANY/ALL (array) requires operator not to return a set")
	}
	array := at
	if !functions.IsPolymorphic(res.Right) {
		t := b.env.Types.Type(res.Right)
		if t == nil || t.Array == 0 {
			b.failf(pos, pgerr.UndefinedObject, "could not find array type for data type %s", b.typeName(res.Right))
		}
		array = t.Array
	}
	return &plan.ArrayOp{Base: boolBase(pos), Func: res.Op.Code, Op: res.Op.OID, All: all,
		Left:  b.coerceType(s, l, b.plainType(res.Left), functions.Implicit, plan.CastImplicit, -1),
		Right: b.coerceType(s, r, b.plainType(array), functions.Implicit, plan.CastImplicit, -1)}
}

func isNullLiteral(n *pg.Node) bool { c := n.GetAConst(); return c != nil && c.Isnull }

func (s *scope) distinct(x *pg.A_Expr, name []string, pos int) plan.Expr {
	not := x.Kind == pg.A_Expr_Kind_AEXPR_NOT_DISTINCT
	for _, side := range [][2]*pg.Node{{x.Rexpr, x.Lexpr}, {x.Lexpr, x.Rexpr}} {
		if isNullLiteral(side[0]) {
			// x IS DISTINCT FROM NULL; unlike IS NOT NULL it never looks into rows
			return &plan.NullTest{Base: boolBase(pos), Arg: s.expr(side[1]), Not: !not}
		}
	}
	l, r := s.expr(x.Lexpr), s.expr(x.Rexpr)
	lr, ok1 := l.(*plan.RowOf)
	rr, ok2 := r.(*plan.RowOf)
	if !ok1 || !ok2 {
		return s.makeDistinct(name, l, r, not, pos)
	}
	if len(lr.Args) != len(rr.Args) {
		s.b.failf(pos, pgerr.SyntaxError, "unequal number of entries in row expressions")
	}
	var parts []plan.Expr
	for i := range lr.Args {
		parts = append(parts, s.makeDistinct(name, lr.Args[i], rr.Args[i], false, pos))
	}
	var out plan.Expr = s.b.boolConst(false)
	if len(parts) == 1 {
		out = parts[0]
	} else if len(parts) > 1 {
		out = &plan.BoolOp{Base: boolBase(pos), Op: plan.Or, Args: parts}
	}
	if not {
		out = &plan.BoolOp{Base: boolBase(pos), Op: plan.Not, Args: []plan.Expr{out}}
	}
	return out
}

func (s *scope) makeDistinct(name []string, l, r plan.Expr, not bool, pos int) plan.Expr {
	c := s.resolveOp(name, l, r, pos)
	if c.Typ.OID != types.BoolOID {
		s.b.failf(pos, pgerr.DatatypeMismatch, "IS DISTINCT FROM requires = operator to yield boolean")
	}
	if c.ReturnSet {
		s.b.failf(pos, pgerr.DatatypeMismatch, "IS DISTINCT FROM must not return a set")
	}
	return &plan.Distinct{Base: boolBase(pos), Equal: c.Func, Op: c.Op, Left: c.Args[0], Right: c.Args[1], Not: not}
}

func (s *scope) nullIf(x *pg.A_Expr, name []string, pos int) plan.Expr {
	c := s.resolveOp(name, s.expr(x.Lexpr), s.expr(x.Rexpr), pos)
	if c.Typ.OID != types.BoolOID {
		s.b.failf(pos, pgerr.DatatypeMismatch, "NULLIF requires = operator to yield boolean")
	}
	if c.ReturnSet {
		s.b.failf(pos, pgerr.DatatypeMismatch, "NULLIF must not return a set")
	}
	return &plan.NullIf{Base: plan.Base{Typ: c.Args[0].ResultType(), Pos: pos}, Equal: c.Func, Op: c.Op, Left: c.Args[0], Right: c.Args[1]}
}

// inList binds x [NOT] IN (list): as an array comparison where the elements allow it.
func (s *scope) inList(x *pg.A_Expr, name []string, pos int) plan.Expr {
	b := s.b
	useOr := name[len(name)-1] != "<>"
	l := s.expr(x.Lexpr)
	var vars, rest []plan.Expr
	for _, n := range x.Rexpr.GetList().GetItems() {
		e := s.expr(n)
		if hasVars(e) {
			vars = append(vars, e)
		} else {
			rest = append(rest, e)
		}
	}
	var out plan.Expr
	if len(rest) > 1 {
		all := append([]plan.Expr{l}, rest...)
		typ, _ := b.commonType(all, "")
		ok := typ != 0 && typ != types.RecordOID && typ != types.RecordArrayOID && b.env.Types.Type(typ) != nil && b.env.Types.Type(typ).Array != 0
		for _, e := range all {
			ok = ok && b.canCoerce(e.ResultType().OID, typ, functions.Implicit)
		}
		if ok {
			array := &plan.ArrayOf{Base: plan.Base{Typ: b.plainType(b.env.Types.Type(typ).Array), Pos: -1}, Elem: typ}
			for _, e := range rest {
				array.Args = append(array.Args, b.coerceCommon(s, e, typ, "IN"))
			}
			out = s.makeArrayOp(name, !useOr, l, array, pos)
			rest = nil
		}
	}
	parts := []plan.Expr{}
	if out != nil {
		parts = append(parts, out)
	}
	lrow := x.Lexpr.GetRowExpr()
	for i, e := range append(rest, vars...) {
		if i > 0 || out != nil {
			l = s.expr(x.Lexpr) // each comparison has its own copy
		}
		var cmp plan.Expr
		if rr, ok := e.(*plan.RowOf); ok && lrow != nil {
			cmp = s.rowComparison(name, l.(*plan.RowOf).Args, rr.Args, pos)
		} else {
			cmp = s.makeOp(name, l, e, pos)
		}
		parts = append(parts, b.coerceBool(s, cmp, "IN"))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	kind := plan.And
	if useOr {
		kind = plan.Or
	}
	return &plan.BoolOp{Base: boolBase(pos), Op: kind, Args: parts}
}

// hasVars reports whether an expression uses a column of its own query level.
func hasVars(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		if v, ok := x.(*plan.Var); ok && v.Level == 0 {
			found = true
		}
		return !found
	})
	return found
}

func (s *scope) between(x *pg.A_Expr, pos int) plan.Expr {
	items := x.Rexpr.GetList().GetItems()
	cmp := func(op string, right *pg.Node) plan.Expr {
		return s.b.coerceBool(s, s.makeOp([]string{op}, s.expr(x.Lexpr), s.expr(right), pos), "BETWEEN")
	}
	join := func(kind plan.BoolKind, a, c plan.Expr) plan.Expr {
		return &plan.BoolOp{Base: boolBase(pos), Op: kind, Args: []plan.Expr{a, c}}
	}
	lo, hi := items[0], items[1]
	switch x.Kind {
	case pg.A_Expr_Kind_AEXPR_BETWEEN:
		return join(plan.And, cmp(">=", lo), cmp("<=", hi))
	case pg.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		return join(plan.Or, cmp("<", lo), cmp(">", hi))
	case pg.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		return join(plan.Or, join(plan.And, cmp(">=", lo), cmp("<=", hi)), join(plan.And, cmp(">=", hi), cmp("<=", lo)))
	}
	return join(plan.And, join(plan.Or, cmp("<", lo), cmp(">", hi)), join(plan.Or, cmp("<", hi), cmp(">", lo)))
}

// rowComparison binds ROW(…) op ROW(…).
func (s *scope) rowComparison(name []string, l, r []plan.Expr, pos int) plan.Expr {
	b := s.b
	if len(l) != len(r) {
		b.failf(pos, pgerr.SyntaxError, "unequal number of entries in row expressions")
	}
	if len(l) == 0 {
		b.failf(pos, pgerr.FeatureNotSupported, "cannot compare rows of zero length")
	}
	calls := make([]*plan.Call, len(l))
	for i := range l {
		c := s.resolveOp(name, l[i], r[i], pos)
		if c.Typ.OID != types.BoolOID {
			b.failf(pos, pgerr.DatatypeMismatch, "row comparison operator must yield type boolean, not type %s", b.typeName(c.Typ.OID))
		}
		if c.ReturnSet {
			b.failf(pos, pgerr.DatatypeMismatch, "row comparison operator must not return a set")
		}
		calls[i] = c
	}
	if len(calls) == 1 {
		return calls[0]
	}
	strategy := 0
	cmp := &plan.RowCompare{Base: boolBase(pos)}
	for i, c := range calls {
		st, eq := b.comparison(c.Op)
		if st == 0 || i > 0 && st != strategy {
			b.fail(pos, pgerr.New(pgerr.FeatureNotSupported, "could not determine interpretation of row comparison operator %s", dotted(name)).
				WithHint("Row comparison operators must be associated with btree operator families."))
		}
		strategy = st
		cmp.Ops, cmp.OpOIDs = append(cmp.Ops, c.Func), append(cmp.OpOIDs, c.Op)
		cmp.Equal = append(cmp.Equal, eq)
		cmp.Left, cmp.Right = append(cmp.Left, c.Args[0]), append(cmp.Right, c.Args[1])
	}
	cmp.Kind = plan.CompareKind(strategy)
	if cmp.Kind != plan.Equal && cmp.Kind != plan.NotEqual {
		cmp.Colls = make([]OID, len(calls))
		return cmp
	}
	parts := make([]plan.Expr, len(calls))
	for i, c := range calls {
		parts[i] = c
	}
	kind := plan.And
	if cmp.Kind == plan.NotEqual {
		kind = plan.Or
	}
	return &plan.BoolOp{Base: boolBase(pos), Op: kind, Args: parts}
}

// comparison tells which btree comparison an operator is (plan.CompareKind, 0 for
// none), and the equality of its family.
func (b *binder) comparison(op OID) (int, *functions.Func) {
	if m, ok := functions.BtreeStrategy(op, 0); ok {
		if eq := functions.FamilyOperator(m.Family, m.Left, m.Right, functions.StrategyEqual); eq != nil {
			return m.Strategy, eq.Code
		}
		return m.Strategy, nil
	}
	o := functions.OperatorByOID(op)
	if o == nil || o.Negator == 0 {
		return 0, nil
	}
	if m, ok := functions.BtreeStrategy(o.Negator, 0); ok && m.Strategy == functions.StrategyEqual {
		return int(plan.NotEqual), functions.OperatorByOID(o.Negator).Code
	}
	return 0, nil
}
