package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// expr binds an expression.
func (s *scope) expr(n *pg.Node) plan.Expr {
	b := s.b
	b.enter()
	defer b.leave()
	switch x := n.GetNode().(type) {
	case *pg.Node_ColumnRef:
		return s.columnRef(x.ColumnRef)
	case *pg.Node_AConst:
		return b.literal(x.AConst)
	case *pg.Node_ParamRef:
		return b.param(int(x.ParamRef.Number), int(x.ParamRef.Location))
	case *pg.Node_AIndirection:
		return s.indirection(x.AIndirection)
	case *pg.Node_AArrayExpr:
		return s.array(x.AArrayExpr, 0, -1)
	case *pg.Node_TypeCast:
		return s.typeCast(x.TypeCast)
	case *pg.Node_CollateClause:
		return s.collate(x.CollateClause)
	case *pg.Node_AExpr:
		return s.aExpr(x.AExpr)
	case *pg.Node_BoolExpr:
		return s.boolExpr(x.BoolExpr)
	case *pg.Node_FuncCall:
		return s.funcCall(x.FuncCall)
	case *pg.Node_GroupingFunc:
		return s.groupingFunc(x.GroupingFunc)
	case *pg.Node_SubLink:
		return s.subLink(x.SubLink)
	case *pg.Node_CaseExpr:
		return s.caseExpr(x.CaseExpr)
	case *pg.Node_RowExpr:
		return s.rowExpr(x.RowExpr)
	case *pg.Node_CoalesceExpr:
		return s.coalesce(x.CoalesceExpr)
	case *pg.Node_MinMaxExpr:
		return s.minMax(x.MinMaxExpr)
	case *pg.Node_SqlvalueFunction:
		return s.valueFunc(x.SqlvalueFunction)
	case *pg.Node_NullTest:
		arg := s.expr(x.NullTest.Arg)
		t := arg.ResultType().OID
		return &plan.NullTest{Base: boolBase(int(x.NullTest.Location)), Arg: arg, Not: x.NullTest.Nulltesttype == pg.NullTestType_IS_NOT_NULL,
			RowWise: t == types.RecordOID || b.isComposite(t)}
	case *pg.Node_BooleanTest:
		return s.booleanTest(x.BooleanTest)
	case *pg.Node_SetToDefault:
		return &plan.Default{Base: plan.Base{Typ: plan.Type{OID: types.UnknownOID, Typmod: -1}, Pos: int(x.SetToDefault.Location)}}
	case *pg.Node_NamedArgExpr:
		return s.expr(x.NamedArgExpr.Arg)
	case *pg.Node_CurrentOfExpr:
		return s.currentOf(x.CurrentOfExpr)
	case *pg.Node_List:
		row := &pg.RowExpr{Args: x.List.Items, Location: -1}
		return s.rowExpr(row)
	}
	return s.unsupportedExpr(n)
}

func (s *scope) unsupportedExpr(n *pg.Node) plan.Expr {
	what, pos := "this kind of expression", -1
	switch x := n.GetNode().(type) {
	case *pg.Node_XmlExpr:
		what, pos = "XML", int(x.XmlExpr.Location)
	case *pg.Node_XmlSerialize:
		what, pos = "XML", int(x.XmlSerialize.Location)
	case *pg.Node_JsonFuncExpr:
		what, pos = "SQL/JSON", int(x.JsonFuncExpr.Location)
	case *pg.Node_JsonObjectConstructor:
		what, pos = "SQL/JSON", int(x.JsonObjectConstructor.Location)
	case *pg.Node_JsonIsPredicate:
		what, pos = "SQL/JSON", int(x.JsonIsPredicate.Location)
	}
	s.b.fail(pos, pgerr.Unsupported("%s is not supported", what))
	return nil
}

// exprs binds a list of expressions, expanding stars as ROW() and VALUES do.
func (s *scope) exprs(list []*pg.Node) []plan.Expr {
	out := make([]plan.Expr, 0, len(list))
	for _, n := range list {
		if cols, ok := s.starColumns(n); ok {
			for _, c := range cols {
				out = append(out, c.expr)
			}
			continue
		}
		out = append(out, s.expr(n))
	}
	return out
}

func boolBase(pos int) plan.Base {
	return plan.Base{Typ: plan.Type{OID: types.BoolOID, Typmod: -1}, Pos: pos}
}

// location returns where an expression starts in the text: its leftmost part.
func location(e plan.Expr) int {
	pos := e.Position()
	least := func(es ...plan.Expr) {
		for _, x := range es {
			if x == nil {
				continue
			}
			if p := location(x); p >= 0 && (pos < 0 || p < pos) {
				pos = p
			}
		}
	}
	switch x := e.(type) {
	case *plan.Call:
		if x.Op != 0 || x.Cast != plan.CastNone {
			least(x.Args...)
		}
	case *plan.BoolOp:
		least(x.Args...)
	case *plan.NullTest:
		least(x.Arg)
	case *plan.BoolTest:
		least(x.Arg)
	case *plan.Distinct:
		least(x.Left, x.Right)
	case *plan.NullIf:
		least(x.Left, x.Right)
	case *plan.ArrayOp:
		least(x.Left, x.Right)
	case *plan.Relabel:
		least(x.Arg)
	case *plan.IOCast:
		least(x.Arg)
	case *plan.ArrayCast:
		least(x.Arg)
	case *plan.DomainCast:
		least(x.Arg)
	case *plan.RowCast:
		least(x.Arg)
	case *plan.Collate:
		least(x.Arg)
	case *plan.Field:
		least(x.Arg)
	case *plan.Subscript:
		least(x.Arg)
	case *plan.RowCompare:
		least(x.Left...)
	case *plan.SubLink:
		if x.Test != nil {
			least(x.Test)
		}
	}
	return pos
}

func (s *scope) boolExpr(x *pg.BoolExpr) plan.Expr {
	kind, name := plan.And, "AND"
	switch x.Boolop {
	case pg.BoolExprType_OR_EXPR:
		kind, name = plan.Or, "OR"
	case pg.BoolExprType_NOT_EXPR:
		kind, name = plan.Not, "NOT"
	}
	out := &plan.BoolOp{Base: boolBase(int(x.Location)), Op: kind}
	for _, a := range x.Args {
		out.Args = append(out.Args, s.b.coerceBool(s, s.expr(a), name))
	}
	return out
}

var boolTests = map[pg.BoolTestType]struct {
	kind plan.BoolTestKind
	name string
}{
	pg.BoolTestType_IS_TRUE:        {plan.IsTrue, "IS TRUE"},
	pg.BoolTestType_IS_NOT_TRUE:    {plan.IsNotTrue, "IS NOT TRUE"},
	pg.BoolTestType_IS_FALSE:       {plan.IsFalse, "IS FALSE"},
	pg.BoolTestType_IS_NOT_FALSE:   {plan.IsNotFalse, "IS NOT FALSE"},
	pg.BoolTestType_IS_UNKNOWN:     {plan.IsUnknown, "IS UNKNOWN"},
	pg.BoolTestType_IS_NOT_UNKNOWN: {plan.IsNotUnknown, "IS NOT UNKNOWN"},
}

func (s *scope) booleanTest(x *pg.BooleanTest) plan.Expr {
	t := boolTests[x.Booltesttype]
	arg := s.b.coerceBool(s, s.expr(x.Arg), t.name)
	return &plan.BoolTest{Base: boolBase(int(x.Location)), Arg: arg, Kind: t.kind}
}

func (s *scope) typeCast(x *pg.TypeCast) plan.Expr {
	b := s.b
	t := b.resolveTypeName(x.TypeName)
	var arg plan.Expr
	if a := x.Arg.GetAArrayExpr(); a != nil {
		base, typmod := b.env.Types.BaseType(t.OID, t.Typmod)
		if elem := b.elementType(base); elem != 0 {
			arg = s.array(a, base, typmod)
		}
	}
	if arg == nil {
		arg = s.expr(x.Arg)
	}
	if t.OID == types.UnknownOID && arg.ResultType().OID == types.UnknownOID {
		return arg
	}
	pos := int(x.Location)
	if pos < 0 {
		pos = int(x.TypeName.Location)
	}
	out := b.coerceTo(s, arg, t, functions.Explicit, plan.CastExplicit, pos)
	if out == nil {
		b.failf(pos, pgerr.CannotCoerce, "cannot cast type %s to %s", b.typeName(arg.ResultType().OID), b.typeName(t.OID))
	}
	return out
}

func (s *scope) collate(x *pg.CollateClause) plan.Expr {
	b := s.b
	arg := s.expr(x.Arg)
	t := arg.ResultType()
	if xt := b.env.Types.Type(t.OID); t.OID != types.UnknownOID && (xt == nil || xt.Collation == 0) {
		b.failf(int(x.Location), pgerr.DatatypeMismatch, "collations are not supported by type %s", b.typeName(t.OID))
	}
	t.Collation = b.collation(names(x.Collname), int(x.Location))
	return &plan.Collate{Base: plan.Base{Typ: t, Pos: int(x.Location)}, Arg: arg}
}

func (s *scope) rowExpr(x *pg.RowExpr) plan.Expr {
	row := &plan.RowOf{Base: plan.Base{Typ: plan.Type{OID: types.RecordOID, Typmod: -1}, Pos: int(x.Location)}}
	row.Args = s.exprs(x.Args)
	if len(row.Args) > maxColumns {
		s.b.failf(int(x.Location), pgerr.TooManyColumns, "ROW expressions can have at most %d entries", maxColumns)
	}
	return row
}

// maxColumns is PostgreSQL's MaxTupleAttributeNumber.
const maxColumns = 1664

func (s *scope) coalesce(x *pg.CoalesceExpr) plan.Expr {
	srf := s.lastSRF
	out := &plan.Coalesce{Base: plan.Base{Pos: int(x.Location)}}
	args := make([]plan.Expr, 0, len(x.Args))
	for _, a := range x.Args {
		args = append(args, s.expr(a))
	}
	out.Typ, out.Args = s.common(args, "COALESCE")
	s.noSRFWithin(srf, "COALESCE")
	return out
}

func (s *scope) minMax(x *pg.MinMaxExpr) plan.Expr {
	name := "GREATEST"
	out := &plan.MinMax{Base: plan.Base{Pos: int(x.Location)}, Least: x.Op == pg.MinMaxOp_IS_LEAST}
	if out.Least {
		name = "LEAST"
	}
	args := make([]plan.Expr, 0, len(x.Args))
	for _, a := range x.Args {
		args = append(args, s.expr(a))
	}
	out.Typ, out.Args = s.common(args, name)
	return out
}

// common gives several expressions one type.
func (s *scope) common(args []plan.Expr, context string) (plan.Type, []plan.Expr) {
	t, _ := s.b.commonType(args, context)
	out := make([]plan.Expr, len(args))
	for i, a := range args {
		out[i] = s.b.coerceCommon(s, a, t, context)
	}
	return s.b.typeOf(t, commonTypmod(out, t)), out
}

// noSRFWithin refuses a set-returning function that was bound since last.
func (s *scope) noSRFWithin(last plan.Expr, context string) {
	if s.lastSRF != last {
		s.b.fail(location(s.lastSRF), pgerr.New(pgerr.FeatureNotSupported, "set-returning functions are not allowed in %s", context).
			WithHint("You might be able to move the set-returning function into a LATERAL FROM item."))
	}
}

func (s *scope) caseExpr(x *pg.CaseExpr) plan.Expr {
	b := s.b
	srf := s.lastSRF
	out := &plan.Case{Base: plan.Base{Pos: int(x.Location)}}
	var test *plan.CaseTest
	if x.Arg != nil {
		out.Arg = s.expr(x.Arg)
		if out.Arg.ResultType().OID == types.UnknownOID {
			out.Arg = b.coerceType(s, out.Arg, b.plainType(types.TextOID), functions.Implicit, plan.CastImplicit, -1)
		}
		test = &plan.CaseTest{Base: plan.Base{Typ: out.Arg.ResultType(), Pos: -1}}
	}
	var results []plan.Expr
	for _, n := range x.Args {
		w := n.GetCaseWhen()
		var cond plan.Expr
		if test != nil {
			cond = s.makeOp([]string{"="}, test, s.expr(w.Expr), int(w.Location))
		} else {
			cond = s.expr(w.Expr)
		}
		out.When = append(out.When, plan.When{Cond: b.coerceBool(s, cond, "CASE/WHEN")})
		results = append(results, s.expr(w.Result))
	}
	var dflt plan.Expr
	if x.Defresult != nil {
		dflt = s.expr(x.Defresult)
	} else {
		dflt = b.nullConst(plan.Type{OID: types.UnknownOID, Typmod: -1})
	}
	t, _ := b.commonType(append([]plan.Expr{dflt}, results...), "CASE")
	dflt = b.coerceCommon(s, dflt, t, "CASE/ELSE")
	all := []plan.Expr{}
	for i := range results {
		out.When[i].Result = b.coerceCommon(s, results[i], t, "CASE/WHEN")
		all = append(all, out.When[i].Result)
	}
	if x.Defresult != nil {
		out.Else = dflt
		all = append(all, dflt)
	} else {
		all = append(all, dflt)
	}
	out.Typ = b.typeOf(t, commonTypmod(all, t))
	s.noSRFWithin(srf, "CASE")
	return out
}

var valueFuncs = map[pg.SQLValueFunctionOp]struct {
	name string
	typ  OID
}{
	pg.SQLValueFunctionOp_SVFOP_CURRENT_DATE:        {"current_date", types.DateOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME:        {"current_time", types.TimetzOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:      {"current_time", types.TimetzOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:   {"current_timestamp", types.TimestamptzOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N: {"current_timestamp", types.TimestamptzOID},
	pg.SQLValueFunctionOp_SVFOP_LOCALTIME:           {"localtime", types.TimeOID},
	pg.SQLValueFunctionOp_SVFOP_LOCALTIME_N:         {"localtime", types.TimeOID},
	pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP:      {"localtimestamp", types.TimestampOID},
	pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:    {"localtimestamp", types.TimestampOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:        {"current_role", types.NameOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_USER:        {"current_user", types.NameOID},
	pg.SQLValueFunctionOp_SVFOP_USER:                {"user", types.NameOID},
	pg.SQLValueFunctionOp_SVFOP_SESSION_USER:        {"session_user", types.NameOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:     {"current_catalog", types.NameOID},
	pg.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:      {"current_schema", types.NameOID},
}

func (s *scope) valueFunc(x *pg.SQLValueFunction) plan.Expr {
	f := valueFuncs[x.Op]
	typmod := x.Typmod
	switch x.Op {
	case pg.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N, pg.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N,
		pg.SQLValueFunctionOp_SVFOP_LOCALTIME_N, pg.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		typmod = min(typmod, maxTimeDigits)
	default:
		typmod = -1
	}
	return &plan.ValueFunc{Base: plan.Base{Typ: s.b.typeOf(f.typ, typmod), Pos: int(x.Location)}, Name: f.name}
}

// array binds ARRAY[…]; want is the array type that a cast asks for, or 0.
func (s *scope) array(x *pg.A_ArrayExpr, want OID, typmod int32) plan.Expr {
	b := s.b
	pos := int(x.Location)
	out := &plan.ArrayOf{Base: plan.Base{Pos: pos}}
	var elems []plan.Expr
	for _, n := range x.Elements {
		if inner := n.GetAArrayExpr(); inner != nil {
			elems = append(elems, s.array(inner, want, typmod))
			out.Multi = true
			continue
		}
		e := s.expr(n)
		if t := e.ResultType().OID; b.elementType(t) != 0 && t != types.OIDVectorOID && t != types.Int2VectorOID {
			if base, _ := b.env.Types.BaseType(t, -1); base == t {
				out.Multi = true
			}
		}
		elems = append(elems, e)
	}
	var coerce OID
	switch {
	case want != 0:
		out.Typ.OID, out.Elem = want, b.elementType(want)
		coerce = out.Elem
		if out.Multi {
			coerce = want
		}
	case len(elems) == 0:
		b.fail(pos, pgerr.New(pgerr.IndeterminateDatatype, "cannot determine type of empty array").
			WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."))
	default:
		coerce, _ = b.commonType(elems, "ARRAY")
		if out.Multi {
			out.Typ.OID, out.Elem = coerce, b.elementType(coerce)
			if out.Elem == 0 {
				b.failf(pos, pgerr.UndefinedObject, "could not find element type for data type %s", b.typeName(coerce))
			}
		} else {
			out.Elem = coerce
			if t := b.env.Types.Type(coerce); t != nil {
				out.Typ.OID = t.Array
			}
			if out.Typ.OID == 0 {
				b.failf(pos, pgerr.UndefinedObject, "could not find array type for data type %s", b.typeName(coerce))
			}
		}
	}
	for _, e := range elems {
		if want != 0 {
			c := b.coerceTo(s, e, b.typeOf(coerce, typmod), functions.Explicit, plan.CastExplicit, -1)
			if c == nil {
				b.failf(location(e), pgerr.CannotCoerce, "cannot cast type %s to %s", b.typeName(e.ResultType().OID), b.typeName(coerce))
			}
			e = c
		} else {
			e = b.coerceCommon(s, e, coerce, "ARRAY")
		}
		out.Args = append(out.Args, e)
	}
	out.Typ = b.typeOf(out.Typ.OID, commonElementTypmod(out.Args))
	return out
}

func commonElementTypmod(args []plan.Expr) int32 {
	if len(args) == 0 {
		return -1
	}
	return commonTypmod(args, args[0].ResultType().OID)
}
