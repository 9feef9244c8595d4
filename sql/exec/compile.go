package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// compiler compiles expressions for one statement.
type compiler struct {
	st    *state
	cases []*cell // the innermost value that a CaseTest stands for is last
	subs  []*cell // columns of the subquery being tested
	lanes *slotLanes
}

// compile returns the compiled form of e over the given kind of input. A nil
// expression is a constant true.
func (st *state) compile(e plan.Expr) (expr, error) {
	c := &compiler{st: st}
	return c.top(e)
}

func (st *state) compileAll(es []plan.Expr) ([]expr, error) {
	out := make([]expr, len(es))
	for i, e := range es {
		var err error
		if out[i], err = st.compile(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *compiler) top(e plan.Expr) (expr, error) {
	x, err := c.expr(e)
	if err != nil || !c.st.rt.Knobs.RowAtATime {
		return x, err
	}
	if _, ok := x.(*slot); ok {
		return x, nil
	}
	return &rowLoop{st: c.st, kind: c.kind(e), eval: x.row}, nil
}

func (c *compiler) kind(e plan.Expr) column.Kind { return c.st.env.Kind(e.ResultType().OID) }

func (c *compiler) list(es []plan.Expr) ([]expr, error) {
	out := make([]expr, len(es))
	for i, e := range es {
		var err error
		if out[i], err = c.expr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// expr compiles a node and hoists it when it cannot change during the statement.
func (c *compiler) expr(e plan.Expr) (expr, error) {
	x, err := c.node(e)
	if err != nil {
		return nil, err
	}
	switch e.(type) {
	case *plan.Const, *plan.Param, *plan.Slot, *plan.Var, *plan.Exec:
		return x, nil
	}
	if fixed(e) {
		o := &once{arg: x, kind: c.kind(e)}
		if a := c.st.again; a != nil {
			a.once = append(a.once, o)
		}
		return o, nil
	}
	return x, nil
}

func (c *compiler) node(e plan.Expr) (expr, error) {
	switch e := e.(type) {
	case *plan.Const:
		return newConstant(c.kind(e), e.Value), nil
	case *plan.Param:
		if e.N < 1 || e.N > len(c.st.rt.Params) {
			return nil, pgerr.New(pgerr.UndefinedParameter, "there is no parameter $%d", e.N)
		}
		x := newConstant(c.kind(e), c.st.rt.Params[e.N-1])
		if a := c.st.again; a != nil {
			a.params = append(a.params, boundParam{e.N, x})
		}
		return x, nil
	case *plan.Slot:
		return &slot{e.Index}, nil
	case *plan.Var: // stored expressions: the row of their own table
		if e.Level != 0 || e.Attr < 0 {
			return nil, fmt.Errorf("exec: unplanned variable %d.%d", e.Rel, e.Attr)
		}
		return &slot{e.Attr}, nil
	case *plan.Exec:
		return &execParam{st: c.st, id: e.ID, kind: c.kind(e)}, nil
	case *plan.Call:
		x, err := c.call(e)
		if err != nil || laneOperators[e.Func.Src] == 0 {
			return x, err
		}
		return c.withLane(e, x)
	case *plan.Relabel:
		arg, err := c.expr(e.Arg)
		if err != nil || !e.Wraps() {
			return arg, err
		}
		return &wrapped{arg: arg, wrap: e.Wrap}, nil
	case *plan.Collate:
		return c.expr(e.Arg)
	case *plan.BoolOp:
		return c.boolOp(e)
	case *plan.NullTest:
		return c.nullTest(e)
	case *plan.BoolTest:
		return c.boolTest(e)
	case *plan.Distinct:
		return c.distinct(e)
	case *plan.NullIf:
		return c.nullIf(e)
	case *plan.Case:
		return c.caseExpr(e)
	case *plan.CaseTest:
		if len(c.cases) == 0 {
			return nil, fmt.Errorf("exec: CASE test value outside CASE")
		}
		return c.cases[len(c.cases)-1], nil
	case *plan.Coalesce:
		return c.coalesce(e)
	case *plan.MinMax:
		return c.minMax(e)
	}
	return c.structured(e)
}

// structured compiles the nodes that make, take apart or convert composite values.
func (c *compiler) structured(e plan.Expr) (expr, error) {
	switch e := e.(type) {
	case *plan.IOCast:
		return c.ioCast(e)
	case *plan.ArrayCast:
		return c.arrayCast(e)
	case *plan.DomainCast:
		return c.domainCast(e)
	case *plan.RowCast:
		return c.rowCast(e)
	case *plan.ArrayOf:
		return c.arrayOf(e)
	case *plan.RowOf:
		return c.rowOf(e)
	case *plan.RowCompare:
		return c.rowCompare(e)
	case *plan.ArrayOp:
		return c.arrayOp(e)
	case *plan.Subscript:
		return c.subscript(e)
	case *plan.Field:
		return c.field(e)
	case *plan.FieldStore:
		return c.fieldStore(e)
	case *plan.ValueFunc:
		return c.valueFunc(e)
	case *plan.NextValue:
		return c.nextValue(e)
	case *plan.SubPlan:
		return c.subPlan(e)
	case *plan.SubColumn:
		if e.Index >= len(c.subs) {
			return nil, fmt.Errorf("exec: subquery column %d outside its test", e.Index)
		}
		return c.subs[e.Index], nil
	}
	return nil, fmt.Errorf("exec: expression %T reached the executor", e)
}

// site returns the context of one call site.
func (c *compiler) site(coll OID, ret OID, args ...plan.Expr) *functions.Ctx {
	ctx := *c.st.rt.Functions
	ctx.Context, ctx.Env = live{c.st.rt}, c.st.env
	ctx.Collation, ctx.RetType, ctx.Memo = coll, ret, nil
	ctx.Domain = c.st.checkDomain
	ctx.ArgTypes = make([]OID, len(args))
	for i, a := range args {
		ctx.ArgTypes[i] = a.ResultType().OID
	}
	if a := c.st.again; a != nil {
		a.sites = append(a.sites, &ctx)
	}
	return &ctx
}

// fixed reports whether e has one value for the whole statement: it reads no
// column and no executor parameter, and calls nothing volatile.
func fixed(e plan.Expr) bool {
	ok := true
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Slot, *plan.Var, *plan.Exec, *plan.CaseTest, *plan.SubColumn, *plan.SubPlan, *plan.NextValue, *plan.DomainCast:
			ok = false
		case *plan.Call:
			if e.Func.Volatile == 'v' || e.ReturnSet {
				ok = false
			}
		}
		return ok
	})
	return ok
}

// boolKind is the physical kind of booleans.
const boolKind = column.Int

// comparator returns how values of a type are ordered.
func (st *state) comparator(t plan.Type) func(a, b column.Datum) int {
	return st.env.Comparator(st.baseType(t.OID), t.Collation)
}

func (st *state) baseType(oid OID) OID {
	base, _ := st.env.BaseType(oid, -1)
	return base
}

func unsupportedFunc(f *functions.Func) error {
	return pgerr.Unsupported("function %s is not supported", f.Signature())
}

func typeName(env *types.Env, oid OID) string { return env.FormatType(oid, -1) }
