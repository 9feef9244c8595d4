package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// equality calls an equality function on two values that are not NULL.
type equality struct {
	fn   *functions.Func
	ctx  *functions.Ctx
	vals [2]column.Datum
}

func (c *compiler) equality(f *functions.Func, coll OID, l, r plan.Expr) (*equality, error) {
	if f.Eval == nil {
		return nil, unsupportedFunc(f)
	}
	return &equality{fn: f, ctx: c.site(coll, f.Ret, l, r)}, nil
}

func (q *equality) equal(l, r column.Datum) (bool, error) {
	q.vals = [2]column.Datum{l, r}
	d, err := q.fn.Call(q.ctx, q.vals[:])
	return d.Bool(), err
}

func (c *compiler) distinct(e *plan.Distinct) (expr, error) {
	args, err := c.list([]plan.Expr{e.Left, e.Right})
	if err != nil {
		return nil, err
	}
	eq, err := c.equality(e.Equal, e.InputColl, e.Left, e.Right)
	if err != nil {
		return nil, err
	}
	return &pair{args: args, kind: boolKind, eval: func(l, r column.Datum) (column.Datum, error) {
		if l.Null || r.Null {
			return column.BoolDatum((l.Null != r.Null) != e.Not), nil
		}
		same, err := eq.equal(l, r)
		return column.BoolDatum(same == e.Not), err
	}}, nil
}

func (c *compiler) nullIf(e *plan.NullIf) (expr, error) {
	args, err := c.list([]plan.Expr{e.Left, e.Right})
	if err != nil {
		return nil, err
	}
	eq, err := c.equality(e.Equal, e.InputColl, e.Left, e.Right)
	if err != nil {
		return nil, err
	}
	return &pair{args: args, kind: c.kind(e), eval: func(l, r column.Datum) (column.Datum, error) {
		if l.Null || r.Null {
			return l, nil
		}
		same, err := eq.equal(l, r)
		if same {
			return column.Null(), err
		}
		return l, err
	}}, nil
}

// pair computes a value from two arguments, row by row.
type pair struct {
	args []expr
	kind column.Kind
	eval func(l, r column.Datum) (column.Datum, error)
	out  column.Vec
}

func (e *pair) row(r *row) (column.Datum, error) {
	a, err := e.args[0].row(r)
	if err != nil {
		return a, err
	}
	b, err := e.args[1].row(r)
	if err != nil {
		return b, err
	}
	return e.eval(a, b)
}

func (e *pair) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	l, err := e.args[0].vec(b, sel)
	if err != nil {
		return nil, err
	}
	r, err := e.args[1].vec(b, sel)
	if err != nil {
		return nil, err
	}
	e.out.Resize(e.kind, b.N)
	for _, i := range selected(b, sel) {
		d, err := e.eval(at(l, int(i)), at(r, int(i)))
		if err != nil {
			return nil, err
		}
		e.out.Set(int(i), d)
	}
	return &e.out, nil
}

// caseExpr is CASE: each row takes the first branch whose condition is true.
type caseExpr struct {
	arg   expr // nil for the searched form
	test  *cell
	conds []expr
	vals  []expr // one more than conds: ELSE
	kind  column.Kind
	out   column.Vec
	rest  []int32
	hits  []int32
}

func (c *compiler) caseExpr(e *plan.Case) (expr, error) {
	x := &caseExpr{kind: c.kind(e)}
	var err error
	if e.Arg != nil {
		if x.arg, err = c.expr(e.Arg); err != nil {
			return nil, err
		}
		x.test = &cell{kind: c.kind(e.Arg)}
	}
	for _, w := range e.When {
		if x.test != nil {
			c.cases = append(c.cases, x.test)
		}
		cond, err := c.expr(w.Cond)
		if x.test != nil {
			c.cases = c.cases[:len(c.cases)-1]
		}
		if err != nil {
			return nil, err
		}
		val, err := c.expr(w.Result)
		if err != nil {
			return nil, err
		}
		x.conds, x.vals = append(x.conds, cond), append(x.vals, val)
	}
	last := expr(newConstant(x.kind, column.Null()))
	if e.Else != nil {
		if last, err = c.expr(e.Else); err != nil {
			return nil, err
		}
	}
	x.vals = append(x.vals, last)
	return x, nil
}

func (e *caseExpr) row(r *row) (column.Datum, error) {
	if e.arg != nil {
		d, err := e.arg.row(r)
		if err != nil {
			return d, err
		}
		e.test.setRow(d)
	}
	for i, c := range e.conds {
		d, err := c.row(r)
		if err != nil {
			return d, err
		}
		if d.Bool() {
			return e.vals[i].row(r)
		}
	}
	return e.vals[len(e.conds)].row(r)
}

func (e *caseExpr) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	rest := append(e.rest[:0], selected(b, sel)...)
	e.rest = rest
	if e.arg != nil {
		v, err := e.arg.vec(b, rest)
		if err != nil {
			return nil, err
		}
		e.test.setVec(v)
	}
	e.out.Resize(e.kind, b.N)
	for i, c := range e.conds {
		if len(rest) == 0 {
			break
		}
		v, err := c.vec(b, rest)
		if err != nil {
			return nil, err
		}
		hits, keep := e.hits[:0], rest[:0]
		for _, r := range rest {
			if at(v, int(r)).Bool() {
				hits = append(hits, r)
			} else {
				keep = append(keep, r)
			}
		}
		e.hits, rest = hits, keep
		if err := e.branch(b, i, hits); err != nil {
			return nil, err
		}
	}
	return &e.out, e.branch(b, len(e.conds), rest)
}

func (e *caseExpr) branch(b *column.Batch, i int, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	v, err := e.vals[i].vec(b, rows)
	if err != nil {
		return err
	}
	copyRows(&e.out, v, rows)
	return nil
}

// coalesce is COALESCE.
type coalesce struct {
	args []expr
	kind column.Kind
	out  column.Vec
	open []int32
}

func (c *compiler) coalesce(e *plan.Coalesce) (expr, error) {
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	return &coalesce{args: args, kind: c.kind(e)}, nil
}

func (e *coalesce) row(r *row) (column.Datum, error) {
	for _, a := range e.args {
		if d, err := a.row(r); err != nil || !d.Null {
			return d, err
		}
	}
	return column.Null(), nil
}

func (e *coalesce) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	open := append(e.open[:0], selected(b, sel)...)
	e.open = open
	e.out.Resize(e.kind, b.N)
	for _, a := range e.args {
		if len(open) == 0 {
			break
		}
		v, err := a.vec(b, open)
		if err != nil {
			return nil, err
		}
		copyRows(&e.out, v, open)
		keep := open[:0]
		for _, r := range open {
			if e.out.Null(int(r)) {
				keep = append(keep, r)
			}
		}
		open = keep
	}
	return &e.out, nil
}

func (c *compiler) minMax(e *plan.MinMax) (expr, error) {
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	cmp := c.st.comparator(e.Typ)
	return &rowLoop{st: c.st, kind: c.kind(e), eval: func(r *row) (column.Datum, error) {
		best := column.Null()
		for _, a := range args {
			d, err := a.row(r)
			if err != nil {
				return d, err
			}
			if d.Null {
				continue
			}
			if best.Null || (e.Least && cmp(d, best) < 0) || (!e.Least && cmp(d, best) > 0) {
				best = d
			}
		}
		return best, nil
	}}, nil
}
