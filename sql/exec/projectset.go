package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// projectSetOp computes expressions of which some return sets: every input row
// becomes as many rows as the longest set has, shorter sets giving NULL.
type projectSetOp struct {
	st    *state
	input operator
	exprs []expr
	sets  []*setCall // by expression; nil for plain ones
	kinds []column.Kind

	batch   *column.Batch
	at      int
	iters   []functions.SetIter
	plain   []column.Datum
	running bool
	r       row
	rows    *rowBuf
	vals    []column.Datum
}

func (st *state) newProjectSet(n *plan.ProjectSet) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	o := &projectSetOp{
		st: st, input: input, kinds: st.kinds(n), exprs: make([]expr, len(n.Exprs)), sets: make([]*setCall, len(n.Exprs)),
		iters: make([]functions.SetIter, len(n.Exprs)), plain: make([]column.Datum, len(n.Exprs)), vals: make([]column.Datum, len(n.Exprs)),
	}
	o.rows = newRowBuf(o.kinds, st.rt.batchSize())
	c := &compiler{st: st}
	for i, e := range n.Exprs {
		if k, ok := e.(*plan.Call); ok && k.ReturnSet {
			o.sets[i], err = c.setCall(k)
		} else {
			o.exprs[i], err = c.expr(e)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *projectSetOp) open() error {
	o.batch, o.running = nil, false
	return o.input.open()
}

func (o *projectSetOp) close() { o.input.close() }

func (o *projectSetOp) next() (*column.Batch, error) {
	o.rows.restart()
	for o.rows.n < o.st.rt.batchSize() {
		if err := o.st.rt.canceled(); err != nil { // a row may take long to make
			return nil, err
		}
		if !o.running {
			ok, err := o.start()
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
		}
		more, err := o.step(o.vals)
		if err != nil {
			return nil, err
		}
		if !more {
			o.running = false
			continue
		}
		o.rows.addRow(o.vals)
	}
	if o.rows.n == 0 {
		return nil, nil
	}
	return o.rows.batches[0], nil
}

// start begins the sets of the next input row.
func (o *projectSetOp) start() (bool, error) {
	for o.batch == nil || o.at >= o.batch.Len() {
		b, err := o.input.next()
		if err != nil || b == nil {
			return false, err
		}
		o.batch, o.at = b, 0
	}
	o.r.batch, o.r.at = o.batch, o.batch.Row(o.at)
	o.at++
	for i, s := range o.sets {
		var err error
		if s != nil {
			o.iters[i], err = s.start(&o.r)
		} else {
			o.plain[i], err = o.exprs[i].row(&o.r)
		}
		if err != nil {
			return false, err
		}
	}
	o.running = true
	return true, nil
}

// step computes the next output row of the current input row.
func (o *projectSetOp) step(vals []column.Datum) (bool, error) {
	more := false
	for i, s := range o.sets {
		if s == nil {
			vals[i] = o.plain[i]
			continue
		}
		vals[i] = column.Null()
		if o.iters[i] == nil {
			continue
		}
		row, ok, err := o.iters[i].Next()
		if err != nil {
			return false, err
		}
		if !ok {
			o.iters[i] = nil
			continue
		}
		more = true
		vals[i] = o.value(s, row)
	}
	return more, nil
}

// value makes one value of a set's row: several columns are a composite value.
func (o *projectSetOp) value(s *setCall, row []column.Datum) column.Datum {
	if s.body != nil {
		return s.body.value(row)
	}
	if len(row) == 1 {
		return row[0]
	}
	out := s.outTypes(o.st.env)
	fields := make([]types.Field, len(row))
	for i, d := range row {
		fields[i] = types.Field{Type: types.TextOID, Value: d}
		if i < len(out) {
			fields[i].Type = out[i]
		} else if i < len(s.ctx.OutCols) {
			fields[i].Type = s.ctx.OutCols[i].Type
		}
	}
	return o.st.env.MakeRecord(fields)
}

// outTypes returns the types of the function's columns, polymorphic ones made definite
// by the call's arguments.
func (s *setCall) outTypes(env *types.Env) []OID {
	if s.out == nil {
		_, out := s.fn.OutColumns()
		s.out = slices.Clone(out)
		for i, t := range s.out {
			if !functions.IsPolymorphic(t) || len(s.ctx.ArgTypes) != len(s.fn.Args) {
				continue
			}
			if c, err := functions.ResolvePolymorphic(env, nil, s.ctx.ArgTypes, slices.Clone(s.fn.Args), t); err == nil {
				s.out[i] = c
			}
		}
	}
	return s.out
}
