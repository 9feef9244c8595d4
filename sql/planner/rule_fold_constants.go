package planner

import (
	"errors"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// foldConstants computes calls of immutable functions on constants and
// simplifies what constants decide. A computation that fails is the statement's
// error, as in PostgreSQL, unless a constant condition before it (CASE, AND, OR,
// COALESCE) shows that it is never reached.
func foldConstants(l *level) (bool, error) {
	f := &folder{l: l}
	changed := false
	plan.MapQuery(l.q, func(e plan.Expr) plan.Expr {
		r := f.simplify(e)
		changed = changed || r != e
		return r
	})
	if f.err != nil && l.o.env.Late != nil {
		l.o.env.Late(f.err)
		return changed, nil
	}
	return changed, f.err
}

// folder folds the expressions of one level; err is the first failure.
type folder struct {
	l   *level
	err error
}

// simplify folds an expression, conditions before what they guard.
func (f *folder) simplify(e plan.Expr) plan.Expr {
	f.l.o.step()
	if f.err != nil {
		return e
	}
	switch x := e.(type) {
	case nil:
		return nil
	case *plan.Case:
		return f.foldCase(x)
	case *plan.Coalesce:
		return f.foldCoalesce(x)
	case *plan.BoolOp:
		return f.foldBool(x)
	}
	return f.fold(plan.MapChildren(e, f.simplify))
}

// fold folds one node whose children are folded.
func (f *folder) fold(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Call:
		return f.foldCall(x)
	case *plan.Relabel:
		if c, ok := x.Arg.(*plan.Const); ok {
			n := *c
			n.Base = x.Base
			if x.Wraps() && !n.Value.Null {
				n.Value.I = x.Wrap(n.Value.I)
			}
			return &n
		}
	case *plan.DomainCast:
		if f.l.o.env.Catalog.Type(x.Typ.OID) == nil { // information_schema's: they are never tested
			return f.fold(&plan.Relabel{Base: x.Base, Arg: x.Arg, Cast: x.Cast})
		}
	case *plan.NullTest:
		if c, ok := x.Arg.(*plan.Const); ok && !x.RowWise {
			return boolConst(c.Value.Null != x.Not, x.Pos)
		}
	case *plan.IOCast:
		if f.l.immutableIO(x.Arg.ResultType().OID, x.Typ.OID) {
			return f.evaluate(e)
		}
	case *plan.BoolTest, *plan.MinMax, *plan.ArrayOf:
		return f.evaluate(e)
	case *plan.Distinct:
		if x.Equal.Volatile == 'i' {
			return f.evaluate(e)
		}
	case *plan.NullIf:
		if x.Equal.Volatile == 'i' {
			return f.evaluate(e)
		}
	case *plan.ArrayOp:
		if x.Func.Volatile == 'i' {
			return f.evaluate(e)
		}
	}
	return e
}

// evaluate computes a node whose operands are all constants.
func (f *folder) evaluate(e plan.Expr) plan.Expr {
	if f.l.o.env.Evaluate == nil {
		return e
	}
	for _, c := range plan.Children(e) {
		if _, ok := c.(*plan.Const); !ok {
			return e
		}
	}
	v, err := f.l.o.env.Evaluate(e)
	if err != nil {
		f.err = err
		return e
	}
	if len(v.B) > maxFoldedBytes {
		return e
	}
	return &plan.Const{Base: plan.Base{Typ: e.ResultType(), Pos: e.Position()}, Value: v}
}

// immutableIO reports whether the text form of one type and the reading of
// another depend on nothing but the value.
func (l *level) immutableIO(from, to plan.OID) bool {
	source, target := l.o.env.Types.Type(from), l.o.env.Types.Type(to)
	if source == nil || target == nil {
		return false
	}
	for _, name := range []string{source.Output, target.Input} {
		fns := functions.ByName(name)
		if len(fns) == 0 || fns[0].Volatile != 'i' {
			return false
		}
	}
	return true
}

func (f *folder) foldCall(x *plan.Call) plan.Expr {
	fn := x.Func
	if fn.Strict && !x.ReturnSet {
		for _, a := range x.Args {
			if c, ok := a.(*plan.Const); ok && c.Value.Null {
				return &plan.Const{Base: x.Base, Value: column.Null()}
			}
		}
	}
	if n := compareInKind(x); n != x {
		return n
	}
	if fn.Volatile != 'i' || x.ReturnSet || fn.Eval == nil || f.l.o.env.Functions == nil {
		return x
	}
	args := make([]column.Datum, len(x.Args))
	argTypes := make([]plan.OID, len(x.Args))
	for i, a := range x.Args {
		c, ok := a.(*plan.Const)
		if !ok {
			return x
		}
		args[i], argTypes[i] = c.Value, c.Typ.OID
	}
	ctx := functions.Ctx{Context: f.l.o.env.Functions.Context, Env: f.l.o.env.Types, Session: f.l.o.env.Functions.Session,
		Catalog: f.l.o.env.Functions.Catalog, Collation: x.InputColl, ArgTypes: argTypes, RetType: x.Typ.OID, Variadic: x.Variadic, Limit: maxFoldedBytes, Left: f.l.o.env.Functions.Left}
	v, err := fn.Call(&ctx, args)
	if e := (*pgerr.Error)(nil); errors.As(err, &e) && e.Code == pgerr.OutOfMemory {
		return x
	}
	if err != nil {
		f.err = err
		return x
	}
	if len(v.B) > maxFoldedBytes {
		return x
	}
	return &plan.Const{Base: x.Base, Value: v.Clone()}
}

// maxFoldedBytes keeps repeat('x', 1000000) out of plans.
const maxFoldedBytes = 64 << 10

func boolConst(v bool, pos int) *plan.Const {
	return &plan.Const{Base: plan.Base{Typ: boolType, Pos: pos}, Value: column.BoolDatum(v)}
}

// foldBool drops neutral constants and lets deciding ones win; what comes after
// a deciding one is not looked at.
func (f *folder) foldBool(x *plan.BoolOp) plan.Expr {
	if x.Op == plan.Not {
		n := plan.MapChildren(x, f.simplify).(*plan.BoolOp)
		if c, ok := n.Args[0].(*plan.Const); ok {
			if c.Value.Null {
				return c
			}
			return boolConst(c.Value.I == 0, x.Pos)
		}
		return n
	}
	decides := x.Op == plan.Or
	var rest []plan.Expr
	changed := false
	for _, a := range x.Args {
		s := f.simplify(a)
		changed = changed || s != a
		c, ok := s.(*plan.Const)
		switch {
		case !ok || c.Value.Null:
			rest = append(rest, s)
		case c.Value.Bool() == decides:
			return boolConst(decides, x.Pos)
		}
	}
	switch {
	case len(rest) == len(x.Args) && !changed:
		return x
	case len(rest) == 0:
		return boolConst(!decides, x.Pos)
	case len(rest) == 1:
		return rest[0]
	}
	return &plan.BoolOp{Base: x.Base, Op: x.Op, Args: rest}
}

// foldCase drops branches whose conditions are known. The value under test, if
// known, is put in its place first.
func (f *folder) foldCase(x *plan.Case) plan.Expr {
	n := *x
	n.When = nil
	if n.Arg != nil {
		n.Arg = f.simplify(x.Arg)
	}
	changed := n.Arg != x.Arg
	known, _ := n.Arg.(*plan.Const)
	reached := true // whether the end of the list can be reached
	for _, w := range x.When {
		cond := w.Cond
		if known != nil {
			cond = withCaseTest(cond, known)
		}
		cond = f.simplify(cond)
		c, ok := cond.(*plan.Const)
		if ok && !c.Value.Bool() {
			changed = true
			continue
		}
		result := f.simplify(w.Result)
		if ok {
			n.Else, reached, changed = result, false, true
			break
		}
		changed = changed || cond != w.Cond || result != w.Result
		n.When = append(n.When, plan.When{Cond: cond, Result: result})
	}
	if reached {
		n.Else = f.simplify(x.Else)
		changed = changed || n.Else != x.Else
	}
	switch {
	case len(n.When) == 0 && n.Else == nil:
		return &plan.Const{Base: x.Base, Value: column.Null()}
	case len(n.When) == 0:
		return n.Else
	case !changed && known == nil:
		return x
	case known != nil:
		n.Arg = nil
	}
	return &n
}

// withCaseTest puts a constant where a condition speaks of the value under
// test; nested constructs have values of their own.
func withCaseTest(e plan.Expr, v *plan.Const) plan.Expr {
	return plan.Replace(e, func(x plan.Expr) plan.Expr {
		switch n := x.(type) {
		case *plan.CaseTest:
			c := *v
			c.Typ = n.Typ
			return &c
		case *plan.Case:
			if n.Arg != nil {
				m := *n
				m.Arg = withCaseTest(n.Arg, v)
				return &m
			}
		case *plan.ArrayCast, *plan.DomainCast:
			return x
		}
		return nil
	})
}

// foldCoalesce drops NULLs and whatever follows a constant.
func (f *folder) foldCoalesce(x *plan.Coalesce) plan.Expr {
	var rest []plan.Expr
	changed := false
	for _, a := range x.Args {
		s := f.simplify(a)
		changed = changed || s != a
		c, ok := s.(*plan.Const)
		if ok && c.Value.Null {
			continue
		}
		rest = append(rest, s)
		if ok {
			break
		}
	}
	switch {
	case len(rest) == 0:
		return &plan.Const{Base: x.Base, Value: column.Null()}
	case len(rest) == 1:
		return rest[0]
	case len(rest) == len(x.Args) && !changed:
		return x
	}
	return &plan.Coalesce{Base: x.Base, Args: rest}
}
