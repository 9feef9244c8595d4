package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// projectOp computes expressions.
type projectOp struct {
	st    *state
	input operator
	picks bool // no expression is more than a column
	projection
}

// projection computes output columns from a batch.
type projection struct {
	late
	repeat bool // the expressions may be computed twice
	exprs  []expr
	out    column.Batch
	wide   []column.Vec // constants spread over a batch
}

func newProjection(exprs []expr) projection {
	return projection{exprs: exprs, wide: make([]column.Vec, len(exprs)), out: column.Batch{Cols: make([]column.Vec, len(exprs))}}
}

func (p *projection) apply(b *column.Batch) (*column.Batch, error) {
	p.out.N, p.out.Sel = b.N, b.Sel
	for i, e := range p.exprs {
		v, err := e.vec(b, b.Sel)
		if err != nil {
			return nil, err
		}
		p.out.Cols[i] = *spread(v, b.N, &p.wide[i])
	}
	return &p.out, nil
}

func (st *state) newProject(n *plan.Project) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	exprs, err := st.compileAll(n.Exprs)
	o := &projectOp{st: st, input: st.narrowed(input, n.Exprs...), projection: newProjection(exprs)}
	o.repeat = !slices.ContainsFunc(n.Exprs, isVolatile)
	o.picks = !slices.ContainsFunc(n.Exprs, func(e plan.Expr) bool { _, column := e.(*plan.Var); return !column })
	return o, err
}

func (o *projectOp) open() error { return o.input.open() }
func (o *projectOp) close()      { o.input.close() }

func (o *projectOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	b, err := o.input.next()
	if err != nil || b == nil {
		return nil, err
	}
	out, err := o.apply(b)
	if err != nil && o.repeat && b.Len() > 1 {
		return o.before(b, err)
	}
	return out, err
}

// before returns what can be computed of a batch that fails with cause.
func (o *projectOp) before(b *column.Batch, cause error) (*column.Batch, error) {
	part := column.Batch{Cols: b.Cols, N: b.N}
	part.Sel = o.rowsBefore(b, func(row []int32) error {
		part.Sel = row
		_, err := o.apply(&part)
		return err
	})
	if len(part.Sel) == 0 {
		o.err = nil
		return nil, cause
	}
	return o.apply(&part)
}
