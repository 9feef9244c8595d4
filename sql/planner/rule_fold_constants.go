package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// foldConstants computes calls of immutable functions on constants and
// simplifies AND, OR and NOT with constant arguments. What fails to compute
// stays, so that the error comes when (and if) the row that needs it is read.
func foldConstants(l *level) (bool, error) {
	changed := false
	plan.MapQuery(l.q, func(e plan.Expr) plan.Expr {
		r := plan.Rewrite(e, l.fold)
		changed = changed || r != e
		return r
	})
	return changed, nil
}

func (l *level) fold(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Call:
		return l.foldCall(x)
	case *plan.BoolOp:
		return foldBool(x)
	case *plan.Case:
		return l.foldCase(x)
	case *plan.Coalesce:
		return foldCoalesce(x)
	case *plan.Relabel:
		if c, ok := x.Arg.(*plan.Const); ok {
			n := *c
			n.Base = x.Base
			return &n
		}
	case *plan.NullTest:
		if c, ok := x.Arg.(*plan.Const); ok && !x.RowWise {
			return boolConst(c.Value.Null != x.Not, x.Pos)
		}
	}
	return e
}

func (l *level) foldCall(x *plan.Call) plan.Expr {
	fn := x.Func
	if fn.Strict && !x.ReturnSet {
		for _, a := range x.Args {
			if c, ok := a.(*plan.Const); ok && c.Value.Null {
				return &plan.Const{Base: x.Base, Value: column.Null()}
			}
		}
	}
	if fn.Volatile != 'i' || x.ReturnSet || fn.Eval == nil || l.o.env.Functions == nil {
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
	ctx := functions.Ctx{Context: l.o.env.Functions.Context, Env: l.o.env.Types, Session: l.o.env.Functions.Session,
		Catalog: l.o.env.Functions.Catalog, Collation: x.InputColl, ArgTypes: argTypes, RetType: x.Typ.OID, Variadic: x.Variadic}
	v, err := fn.Eval(&ctx, args)
	if err != nil || len(v.B) > maxFoldedBytes {
		return x
	}
	return &plan.Const{Base: x.Base, Value: v.Clone()}
}

// maxFoldedBytes keeps repeat('x', 1000000) out of plans.
const maxFoldedBytes = 64 << 10

func boolConst(v bool, pos int) *plan.Const {
	return &plan.Const{Base: plan.Base{Typ: boolType, Pos: pos}, Value: column.BoolDatum(v)}
}

// foldBool drops neutral constants and lets deciding ones win.
func foldBool(x *plan.BoolOp) plan.Expr {
	if x.Op == plan.Not {
		if c, ok := x.Args[0].(*plan.Const); ok {
			if c.Value.Null {
				return c
			}
			return boolConst(c.Value.I == 0, x.Pos)
		}
		return x
	}
	decides := x.Op == plan.Or
	var rest []plan.Expr
	for _, a := range x.Args {
		c, ok := a.(*plan.Const)
		switch {
		case !ok || c.Value.Null:
			rest = append(rest, a)
		case c.Value.Bool() == decides:
			return boolConst(decides, x.Pos)
		}
	}
	switch {
	case len(rest) == len(x.Args):
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
func (l *level) foldCase(x *plan.Case) plan.Expr {
	n := *x
	n.When = nil
	changed := false
	known, _ := x.Arg.(*plan.Const)
	for _, w := range x.When {
		cond := w.Cond
		if known != nil {
			cond = plan.Rewrite(withCaseTest(cond, known), l.fold)
		}
		c, ok := cond.(*plan.Const)
		switch {
		case !ok:
			n.When = append(n.When, plan.When{Cond: cond, Result: w.Result})
		case c.Value.Bool(): // nothing after it is reached
			n.Else = w.Result
			changed = true
		default:
			changed = true
			continue
		}
		if ok {
			break
		}
	}
	if len(n.When) == 0 {
		if n.Else == nil {
			return &plan.Const{Base: x.Base, Value: column.Null()}
		}
		return n.Else
	}
	if known != nil && len(n.When) > 0 {
		n.Arg, changed = nil, true
	}
	if !changed {
		return x
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

func foldCoalesce(x *plan.Coalesce) plan.Expr {
	var rest []plan.Expr
	for _, a := range x.Args {
		c, ok := a.(*plan.Const)
		if ok && c.Value.Null {
			continue
		}
		rest = append(rest, a)
		if ok {
			break
		}
	}
	switch {
	case len(rest) == 0:
		return &plan.Const{Base: x.Base, Value: column.Null()}
	case len(rest) == 1:
		return rest[0]
	case len(rest) == len(x.Args):
		return x
	}
	return &plan.Coalesce{Base: x.Base, Args: rest}
}
