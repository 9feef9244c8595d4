package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// rowSet is the rows that one function of a FROM item, or of a target list, yields.
type rowSet struct {
	columns int
	scalar  bool
	rows    bool // the rows of a set come as composite values
	call    *setCall
	value   expr // not set-returning: one row
}

// setCall starts a set-returning function.
type setCall struct {
	out  []OID // see outTypes
	fn   *functions.Func
	ctx  *functions.Ctx
	args []expr
	body *routineCall // not nil: a function in language SQL
}

func (c *compiler) setCall(e *plan.Call) (*setCall, error) {
	if e.Func.Set == nil && !isRoutine(e.Func) {
		return nil, unsupportedFunc(e.Func)
	}
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	ctx := c.site(e.InputColl, e.Typ.OID, e.Args...)
	ctx.Variadic = e.Variadic
	s := &setCall{fn: e.Func, ctx: ctx, args: args}
	if isRoutine(e.Func) {
		s.body = &routineCall{st: c.st, fn: e.Func, args: ctx.ArgTypes, ret: e.Typ.OID}
	}
	return s, nil
}

// noIter is the empty set: what a strict function gives for NULL.
type noIter struct{}

func (noIter) Next() ([]column.Datum, bool, error) { return nil, false, nil }

// oneIter yields a single row.
type oneIter struct {
	row  []column.Datum
	done bool
}

func (o *oneIter) Next() ([]column.Datum, bool, error) {
	if o.done {
		return nil, false, nil
	}
	o.done = true
	return o.row, true, nil
}

func (s *setCall) start(r *row) (functions.SetIter, error) {
	vals := make([]column.Datum, len(s.args))
	for i, a := range s.args {
		d, err := a.row(r)
		if err != nil {
			return nil, err
		}
		if d.Null && s.fn.Strict {
			return noIter{}, nil
		}
		vals[i] = d
	}
	if s.body != nil {
		return s.body.set(vals)
	}
	return s.fn.Start(s.ctx, vals)
}

func (c *compiler) rowSet(f *plan.FuncRef) (*rowSet, error) {
	s := &rowSet{columns: f.Columns, scalar: f.Scalar}
	if k, ok := f.Expr.(*plan.Call); ok && k.ReturnSet {
		var err error
		if s.call, err = c.setCall(k); err != nil {
			return nil, err
		}
		s.call.ctx.OutCols = outCols(f)
		names, _ := k.Func.OutColumns()
		s.rows = !f.Scalar && len(names) == 0
		if s.call.body != nil && k.Typ.OID == types.RecordOID {
			s.call.body.cols = s.call.ctx.OutCols
		}
		return s, nil
	}
	x, err := c.expr(f.Expr)
	if k, ok := x.(*once); ok {
		x = k.arg // it is computed once for every start anyway
	}
	if k, ok := x.(*call); ok && f.Expr.ResultType().OID == types.RecordOID {
		k.ctx.OutCols = outCols(f)
	}
	s.value = x
	return s, err
}

// outCols are the columns that a function in FROM is expected to yield.
func outCols(f *plan.FuncRef) []functions.OutCol {
	out := make([]functions.OutCol, len(f.Types))
	for i, t := range f.Types {
		out[i] = functions.OutCol{Type: t.OID, Typmod: t.Typmod}
		if i < len(f.Names) {
			out[i].Name = f.Names[i]
		}
	}
	return out
}

// start begins the set anew.
func (s *rowSet) start() (functions.SetIter, error) {
	if s.call != nil {
		return s.call.start(&row{})
	}
	d, err := s.value.row(&row{})
	if err != nil {
		return nil, err
	}
	return &oneIter{row: []column.Datum{d}}, nil
}

// spread stores one row of the set into dst. A composite value of a function
// whose columns are wanted is taken apart.
func (s *rowSet) spread(vals, dst []column.Datum) {
	if s.call != nil && s.call.body != nil {
		copy(dst, vals)
		return
	}
	if len(vals) == 1 && (s.columns > 1 || s.rows) || (len(vals) == 1 && !s.scalar && s.call == nil) {
		for i := range dst {
			dst[i] = column.Null()
			if !vals[0].Null {
				dst[i] = types.RecordField(vals[0], i)
			}
		}
		return
	}
	copy(dst, vals)
}

// functionScanOp yields the rows of functions side by side; a shorter set is
// filled with NULLs.
type functionScanOp struct {
	selection
	st    *state
	sets  []*rowSet
	ord   bool
	kinds []column.Kind
	iters []functions.SetIter
	n     int64
	vals  []column.Datum
	rows  *rowBuf
	done  bool
}

func (st *state) newFunctionScan(n *plan.FunctionScan) (operator, error) {
	o := &functionScanOp{selection: selection{figures: st.figures(n)}, st: st, ord: n.Ordinality, kinds: st.kinds(n)}
	c := &compiler{st: st}
	for _, f := range n.Funcs {
		s, err := c.rowSet(f)
		if err != nil {
			return nil, err
		}
		o.sets = append(o.sets, s)
	}
	o.vals = make([]column.Datum, len(o.kinds))
	var err error
	o.cond, err = st.predicate(n.Filter)
	return o, err
}

func (o *functionScanOp) open() error {
	o.iters, o.n, o.done = o.iters[:0], 0, false
	for _, s := range o.sets {
		it, err := s.start()
		if err != nil {
			return err
		}
		o.iters = append(o.iters, it)
	}
	return nil
}

func (o *functionScanOp) close() {}

func (o *functionScanOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for !o.done {
		o.rows = newRowBuf(o.kinds, o.st.rt.batchSize())
		for o.rows.n < o.st.rt.batchSize() {
			ok, err := o.step()
			if err != nil {
				return nil, err
			}
			if !ok {
				o.done = true
				break
			}
			o.rows.addRow(o.vals)
		}
		if o.rows.n == 0 {
			return nil, nil
		}
		if out, err := o.apply(o.rows.batches[0]); err != nil || out != nil {
			return out, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// step reads the next row of every set.
func (o *functionScanOp) step() (bool, error) {
	for i := range o.vals {
		o.vals[i] = column.Null()
	}
	at, more := 0, false
	for i, s := range o.sets {
		dst := o.vals[at : at+s.columns]
		at += s.columns
		if o.iters[i] == nil {
			continue
		}
		vals, ok, err := o.iters[i].Next()
		if err != nil {
			return false, err
		}
		if !ok {
			o.iters[i] = nil
			continue
		}
		more = true
		s.spread(vals, dst)
	}
	if o.ord {
		o.n++
		o.vals[at] = column.IntDatum(o.n)
	}
	return more, nil
}
