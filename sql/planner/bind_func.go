package planner

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

func fieldName(i int) string { return "f" + strconv.Itoa(i+1) }

func columnName(name string, i int) string {
	if name == "" {
		return "column" + strconv.Itoa(i+1)
	}
	return name
}

// functionsNamed returns the functions that a name can mean, in search path order.
func (b *binder) functionsNamed(schema, name string) []*functions.Func {
	var out []*functions.Func
	path := b.env.SearchPath
	if schema != "" {
		ns := b.schemaNamed(schema, -1)
		if ns == nil {
			return nil
		}
		path = []OID{ns.OID}
	}
	temp := b.env.Catalog.SchemaByName("pg_temp")
	for _, ns := range path {
		if schema == "" && temp != nil && ns == temp.OID {
			continue // functions in it are found by their full names only
		}
		for _, f := range functions.ByName(name) {
			if f.Namespace == ns {
				out = append(out, f)
			}
		}
		for _, f := range b.env.Catalog.FunctionsByName(ns, name) {
			fn := userFunc(b.env.Catalog, f)
			if slices.ContainsFunc(fn.Args, functions.IsPolymorphic) {
				for _, d := range f.Defaults {
					fn.DefaultTypes = append(fn.DefaultTypes, b.decodeExpr(d).ResultType().OID)
				}
			}
			out = append(out, fn)
		}
	}
	return out
}

// userFunc describes a user-defined function in the form of built-in ones.
func userFunc(view Catalog, f *catalog.Function) *functions.Func {
	out := &functions.Func{OID: f.OID, Name: f.Name, Namespace: f.Schema, Kind: f.Kind, Args: f.ArgTypes, Names: f.ArgNames,
		Variadic: f.Variadic, Ret: f.Returns, RetSet: f.ReturnsSet, Volatile: f.Volatility, Parallel: f.Parallel, Strict: f.Strict,
		LeakProof: f.Leakproof, SecDef: f.SecurityDef, Cost: float64(f.Cost), Rows: float64(f.Rows), Src: f.Source}
	switch f.Language {
	case "sql":
		out.Lang = functions.LangSQL
	case "c": // of an extension
		out.Lang, out.Eval = functions.LangC, functions.ExtensionEval(f.Source)
	case "internal":
		out.Lang = functions.LangInternal
		if same := functions.BySource(f.Source); same != nil && f.Kind != 'a' {
			out.Eval, out.Vec, out.Set = same.Eval, same.Vec, same.Set
		}
	}
	for _, m := range f.ArgModes {
		if m != 'i' {
			out.AllArgs, out.Modes = f.AllArgTypes, f.ArgModes
			break
		}
	}
	for i := range f.Defaults {
		out.Defaults = append(out.Defaults, strconv.Itoa(i))
	}
	if f.Kind == 'a' {
		a := &f.Aggregate
		out.Agg = &functions.Aggregate{Kind: a.Kind, DirectArgs: int(a.DirectArgs), TransFn: a.TransFn, FinalFn: a.FinalFn,
			TransType: a.TransType, InitVal: a.InitVal, HasInit: a.HasInit, FinalExtra: a.FinalExtra, SortOp: a.SortOp}
		out.Agg.Trans, out.Agg.Final = funcByOID(view, a.TransFn), funcByOID(view, a.FinalFn)
	}
	return out
}

// funcByOID finds a built-in or user-defined function, nil when there is none.
func funcByOID(view Catalog, oid OID) *functions.Func {
	if f := functions.ByOID(oid); f != nil {
		return f
	}
	if f := view.Function(oid); f != nil {
		return userFunc(view, f)
	}
	return nil
}

// callParts are the arguments of a call as bound.
type callParts struct {
	args  []plan.Expr
	names []string // nil when all are positional
	types []OID
}

func (s *scope) callArgs(x *pg.FuncCall) callParts {
	var c callParts
	b := s.b
	for i, n := range x.Args {
		name := ""
		if na := n.GetNamedArgExpr(); na != nil {
			name = na.Name
			for k, have := range c.names {
				if have == name && k < i {
					b.failf(int(na.Location), pgerr.SyntaxError, "argument name \"%s\" used more than once", name)
				}
			}
			for len(c.names) < i {
				c.names = append(c.names, "")
			}
			n = na.Arg
		} else if c.names != nil {
			b.failf(location(s.expr(n)), pgerr.SyntaxError, "positional argument cannot follow named argument")
		}
		if c.names != nil || name != "" {
			c.names = append(c.names, name)
		}
		e := s.expr(n)
		if p, ok := e.(*plan.Param); ok && p.ResultType().OID == types.VoidOID && name == "" {
			continue // JDBC passes the place of an OUT parameter so
		}
		c.args, c.types = append(c.args, e), append(c.types, e.ResultType().OID)
	}
	return c
}

// funcCall binds a function, aggregate or window function call.
func (s *scope) funcCall(x *pg.FuncCall) plan.Expr {
	b, pos := s.b, int(x.Location)
	parts := names(x.Funcname)
	schema, name := b.splitName(parts, pos)
	c := s.callArgs(x)
	if x.AggWithinGroup {
		for _, n := range x.AggOrder {
			e := s.expr(n.GetSortBy().Node)
			c.args, c.types = append(c.args, e), append(c.types, e.ResultType().OID)
		}
	}
	var filter plan.Expr
	if x.AggFilter != nil {
		filter = within(s, inFilter, func() plan.Expr { return b.coerceBool(s, s.expr(x.AggFilter), "FILTER") })
	}
	plain := len(c.args) == 1 && len(parts) == 1 && c.names == nil && !x.AggStar && !x.AggDistinct && x.AggOrder == nil &&
		filter == nil && x.Over == nil && !x.FuncVariadic
	call := functions.Call{Cands: b.functionsNamed(schema, name), ArgTypes: c.types, ArgNames: c.names, Variadic: x.FuncVariadic}
	if plain || len(c.args) == 1 && c.names == nil {
		call.NamedType = b.lookupType(schema, name)
	}
	res := functions.ResolveFunc(b.env.Types, nil, call)
	switch res.Status {
	case functions.Coercion:
		return b.coerceType(s, c.args[0], b.plainType(res.Ret), functions.Explicit, plan.CastExplicit, pos)
	case functions.NotFound, functions.Ambiguous:
		if plain && res.Status == functions.NotFound {
			if e := s.project(name, c.args[0], pos); e != nil {
				return e
			}
		}
		b.funcNotFound(parts, c, call, x, res.Status, pos)
	}
	b.check(-1, res.Err)
	switch {
	case res.Func.Kind == 'a':
		return s.aggregate(x, res, c, filter, pos)
	case res.Func.Kind == 'w':
		return s.windowFunc(x, res, c, filter, pos)
	}
	b.checkPlainCall(x, dotted(parts), filter, pos)
	e := s.plainCall(res, c.args, x.FuncVariadic, pos)
	if made, ok := e.(*plan.Call); ok {
		made.Syntax = x.Funcformat == pg.CoercionForm_COERCE_SQL_SYNTAX
		made.Spelled = spelled(res, c)
	}
	return e
}

// spelled returns the arguments of a call as they were written, nil where that is one for each parameter in their order.
func spelled(res functions.Resolution, c callParts) []plan.Argument {
	if res.Elements > 0 || c.names == nil && len(c.args) == len(res.Params) {
		return nil
	}
	out := make([]plan.Argument, len(c.args))
	for i, p := range res.Params {
		if p.Arg < 0 {
			continue
		}
		out[p.Arg].Index = i
		if c.names != nil {
			out[p.Arg].Name = c.names[p.Arg]
		}
	}
	return out
}

// checkPlainCall refuses what only aggregates and window functions take.
func (b *binder) checkPlainCall(x *pg.FuncCall, name string, filter plan.Expr, pos int) {
	what := ""
	switch {
	case x.AggStar:
		b.failf(pos, pgerr.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name)
	case x.AggDistinct:
		what = "DISTINCT"
	case x.AggWithinGroup:
		what = "WITHIN GROUP"
	case x.AggOrder != nil:
		what = "ORDER BY"
	case filter != nil:
		what = "FILTER"
	case x.Over != nil:
		b.failf(pos, pgerr.WrongObjectType, "OVER specified, but %s is not a window function nor an aggregate function", name)
	}
	if what != "" {
		b.failf(pos, pgerr.WrongObjectType, "%s specified, but %s is not an aggregate function", what, name)
	}
}

func (b *binder) funcSignature(parts []string, c callParts) string {
	var sb strings.Builder
	sb.WriteString(dotted(parts) + "(")
	for i, t := range c.types {
		if i > 0 {
			sb.WriteString(", ")
		}
		if c.names != nil && c.names[i] != "" {
			sb.WriteString(c.names[i] + " => ")
		}
		sb.WriteString(b.typeName(t))
	}
	return sb.String() + ")"
}

func (b *binder) funcNotFound(parts []string, c callParts, call functions.Call, x *pg.FuncCall, st functions.Status, pos int) {
	sig := b.funcSignature(parts, c)
	if st == functions.Ambiguous {
		b.fail(pos, pgerr.New(pgerr.AmbiguousFunction, "function %s is not unique", sig).
			WithHint("Could not choose a best candidate function. You might need to add explicit type casts."))
	}
	call.Kinds = "p"
	if r := functions.ResolveFunc(b.env.Types, nil, call); r.Status == functions.Found {
		b.fail(pos, pgerr.New(pgerr.WrongObjectType, "%s is a procedure", sig).WithHint("To call a procedure, use CALL."))
	}
	e := pgerr.New(pgerr.UndefinedFunction, "function %s does not exist", sig)
	if len(x.AggOrder) > 0 && !x.AggWithinGroup && len(c.args) > 1 {
		e.WithHint("No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.")
	} else {
		e.WithHint("No function matches the given name and argument types. You might need to add explicit type casts.")
	}
	b.fail(pos, e)
}

// finishArgs converts the arguments of a resolved call, fills in defaults and collects
// variadic elements.
func (s *scope) finishArgs(res functions.Resolution, args []plan.Expr, pos int) []plan.Expr {
	b := s.b
	var out []plan.Expr
	for _, p := range res.Params {
		var e plan.Expr
		if p.Arg < 0 {
			e = b.defaultArg(res.Func, p)
		} else {
			e = args[p.Arg]
		}
		out = append(out, b.coerceType(s, e, b.plainType(p.Type), functions.Implicit, plan.CastImplicit, -1))
	}
	if n := res.Elements; n > 0 {
		elems := out[len(out)-n:]
		t := b.env.Types.Type(res.ElementType)
		if t == nil || t.Array == 0 {
			b.failf(pos, pgerr.UndefinedObject, "could not find array type for data type %s", b.typeName(res.ElementType))
		}
		array := &plan.ArrayOf{Base: plan.Base{Typ: b.plainType(t.Array), Pos: location(elems[0])}, Elem: res.ElementType, Args: append([]plan.Expr(nil), elems...)}
		out = append(out[:len(out)-n:len(out)-n], array)
	}
	return out
}

// defaultArg binds the default of a parameter that a call leaves out.
func (b *binder) defaultArg(f *functions.Func, p functions.Param) plan.Expr {
	if f.OID >= catalog.FirstUserOID {
		u := b.env.Catalog.Function(f.OID)
		i, err := strconv.Atoi(p.Default)
		if u == nil || err != nil || i >= len(u.Defaults) {
			b.failf(-1, pgerr.InternalError, "default of function %d is missing", f.OID)
		}
		return b.decodeExpr(u.Defaults[i])
	}
	st, err := parser.Parse("SELECT " + p.Default)
	b.check(-1, err)
	inner := &binder{env: b.env, source: st[0].Source, seen: b.seen}
	target := st[0].Tree.GetSelectStmt().TargetList[0].GetResTarget()
	e := inner.newScope(nil).expr(target.Val)
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr { return x })
}

// plainCall makes a call of a function that is neither aggregate nor window function.
func (s *scope) plainCall(res functions.Resolution, args []plan.Expr, variadic bool, pos int) plan.Expr {
	b := s.b
	f := res.Func
	c := &plan.Call{Base: plan.Base{Typ: b.plainType(res.Ret), Pos: pos}, Func: f, Variadic: variadic && f.Variadic != 0}
	c.Args = s.finishArgs(res, args, pos)
	if c.Variadic && f.Variadic == types.AnyOID && len(args) > 0 {
		last := args[len(args)-1]
		if t, _ := b.env.Types.BaseType(last.ResultType().OID, -1); t != types.UnknownOID && b.elementType(t) == 0 {
			b.failf(location(last), pgerr.DatatypeMismatch, "VARIADIC argument must be an array")
		}
	}
	if f.OID >= catalog.FirstUserOID {
		if u := b.env.Catalog.Function(f.OID); u != nil {
			b.depend(catalog.ClassFunction, f.OID, u.Version)
		}
	}
	if f.RetSet {
		c.ReturnSet = true
		s.noteSRF(c, pos)
	}
	return c
}

// noteSRF checks that a set-returning function may stand here.
func (s *scope) noteSRF(c *plan.Call, pos int) {
	b := s.b
	switch {
	case s.clause.noSRF:
		b.failf(pos, pgerr.FeatureNotSupported, "set-returning functions are not allowed in %s", s.clause.name)
	case s.clause.name == inFromFunc.name:
		for _, a := range c.Args {
			if returnsSet(a) {
				b.failf(pos, pgerr.FeatureNotSupported, "set-returning functions must appear at top level of FROM")
			}
		}
	default:
		s.q.HasSRF = true
	}
	s.lastSRF = c
}

// unknownType tells whether an expression is still without type.
func unknownType(e plan.Expr) bool { return e.ResultType().OID == types.UnknownOID }
