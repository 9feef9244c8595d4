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
	f := func(e plan.Expr) plan.Expr {
		r := plan.Rewrite(e, l.fold)
		changed = changed || r != e
		return r
	}
	// Sort and group keys keep their identity with the targets they came from.
	q := l.q
	if q.Where != nil {
		q.Where = f(q.Where)
	}
	for _, it := range q.From {
		foldJoins(it, f)
	}
	if len(q.GroupBy) == 0 && !q.Distinct {
		for _, t := range q.Targets {
			if !sortsBy(q, t) {
				t.Expr = f(t.Expr)
			}
		}
	}
	for _, e := range []*plan.Expr{&q.Limit, &q.Offset} {
		if *e != nil {
			*e = f(*e)
		}
	}
	return changed, nil
}

// sortsBy reports whether an ORDER BY or DISTINCT ON key was matched to target t.
func sortsBy(q *plan.Query, t *plan.Target) bool {
	for _, keys := range [][]plan.SortKey{q.OrderBy, q.DistinctOn} {
		for _, k := range keys {
			if k.Target >= 0 && k.Target < len(q.Targets) && q.Targets[k.Target] == t {
				return true
			}
		}
	}
	return false
}

func foldJoins(it plan.FromItem, f func(plan.Expr) plan.Expr) {
	if j, ok := it.(*plan.Join); ok {
		foldJoins(j.Left, f)
		foldJoins(j.Right, f)
		if j.On != nil {
			j.On = f(j.On)
		}
	}
}

func (l *level) fold(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Call:
		return l.foldCall(x)
	case *plan.BoolOp:
		return foldBool(x)
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
		if c.Value.Null && fn.Strict {
			return &plan.Const{Base: x.Base, Value: column.Null()}
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
