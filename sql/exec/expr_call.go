package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// call is a function or operator call.
type call struct {
	fn   *functions.Func
	ctx  *functions.Ctx
	args []expr
	kind column.Kind
	out  column.Vec
	vecs []*column.Vec
	vals []column.Datum
	memo *memo // of functions that look into the catalog

	st   *state
	held int64 // bytes of out that the statement accounts for
	work int   // since somebody looked whether the statement was cancelled
}

func (c *compiler) call(e *plan.Call) (expr, error) {
	if e.ReturnSet {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "set-valued function called in context that cannot accept a set")
	}
	fn := e.Func
	if isRoutine(fn) {
		fn = c.st.routineEval(e)
	}
	if fn.Eval == nil && fn.Vec == nil { // refused where it is called: pg_dump asks with no row to call it for
		return &rowLoop{st: c.st, kind: c.kind(e), eval: func(*row) (column.Datum, error) { return column.Null(), unsupportedFunc(fn) }}, nil
	}
	args, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	ctx := c.site(e.InputColl, e.Typ.OID, e.Args...)
	ctx.Variadic = e.Variadic
	x := &call{
		fn: fn, ctx: ctx, args: args, kind: c.kind(e), st: c.st,
		vecs: make([]*column.Vec, len(args)), vals: make([]column.Datum, len(args)),
	}
	if functions.AsksCatalog(fn) && fn.Volatile != 'v' && len(args) > 0 {
		x.memo = &memo{}
	}
	return x, nil
}

// withLane lets a compiled call of an operator on numerics compute whole lanes.
func (c *compiler) withLane(e *plan.Call, x expr) (expr, error) {
	k, ok := x.(*call)
	if !ok {
		return x, nil
	}
	form, err := c.laneOf(e)
	if form == nil || err != nil {
		return x, err
	}
	return &laneCall{call: k, form: form}, nil
}

func (e *call) row(r *row) (column.Datum, error) {
	// A call inside its own arguments has other vals: every node has its own.
	for i, a := range e.args {
		d, err := a.row(r)
		if err != nil {
			return d, err
		}
		e.vals[i] = d
	}
	return e.apply()
}

// apply calls the function with vals.
func (e *call) apply() (column.Datum, error) {
	if e.fn.Strict {
		for i := range e.vals {
			if e.vals[i].Null {
				return column.Null(), nil
			}
		}
	}
	if e.fn.Eval == nil {
		return e.fn.CallVec(e.ctx, e.vals)
	}
	if e.memo != nil {
		return e.remembered()
	}
	return e.fn.Call(e.ctx, e.vals)
}

// remembered is apply with a look at the memo.
func (e *call) remembered() (column.Datum, error) {
	if d, ok := e.memo.find(e.vals...); ok {
		return d, nil
	}
	d, err := e.fn.Call(e.ctx, e.vals)
	if err == nil {
		e.memo.put(d)
	}
	return d, err
}

func (e *call) vec(b *column.Batch, sel []int32) (*column.Vec, error) {
	for i, a := range e.args {
		v, err := a.vec(b, sel)
		if err != nil {
			return nil, err
		}
		e.vecs[i] = v
	}
	if e.fn.Vec != nil && !e.heavy(b, sel) {
		return &e.out, e.fn.Vec(e.ctx, e.vecs, sel, b.N, &e.out)
	}
	if e.fn.Strict && e.hasNullColumn(b.N) {
		e.out.SetAllNull(e.kind, b.N)
		return &e.out, nil
	}
	e.out.Resize(e.kind, b.N)
	e.st.shrink(e.held)
	e.held = 0
	made := int64(0)
	for _, r := range selected(b, sel) {
		for i, v := range e.vecs {
			e.vals[i] = at(v, int(r))
			e.work += byteWork * len(e.vals[i].B)
		}
		d, err := e.apply()
		if err != nil {
			return nil, err
		}
		e.out.Set(int(r), d)
		made += int64(len(d.B))
		if e.work += rowWork + byteWork*len(d.B); e.work >= workBetweenLooks {
			if err := e.look(made); err != nil {
				return nil, err
			}
		}
	}
	e.st.made += made
	return &e.out, nil
}

// heavyBatch is from how many bytes of arguments on a kernel for vectors gets them row by row.
const heavyBatch = 4 << 20

// heavy reports whether a batch of arguments takes so long that somebody has to look between two rows.
func (e *call) heavy(b *column.Batch, sel []int32) bool {
	size := 0
	for _, v := range e.vecs {
		if v.Kind != column.Bytes {
			continue
		}
		if len(v.B) < b.N { // no texts, or one for all rows
			if len(v.B) > 0 {
				size += b.N * len(v.B[0])
			}
			continue
		}
		if sel == nil {
			for _, s := range v.B[:b.N] {
				size += len(s)
			}
			continue
		}
		for _, i := range sel {
			size += len(v.B[i])
		}
	}
	return size >= heavyBatch
}

// hasNullColumn reports whether an argument is NULL in all rows of a batch.
func (e *call) hasNullColumn(n int) bool {
	for _, v := range e.vecs {
		if v.AllNull(min(n, v.Len())) && n > 0 {
			return true
		}
	}
	return false
}

// A call looks whether the statement was cancelled, and accounts for the values it has made, after some work: 32 rows, or
// fewer whose values are long and so took longer.
const (
	rowWork          = 64
	byteWork         = 4
	workBetweenLooks = 32 * rowWork
	freeValues       = 256 << 10 // bytes of values that a batch has anyway
)

// look ends a call whose statement was cancelled, or whose values are too large together: made bytes so far.
func (e *call) look(made int64) error {
	e.work = 0
	if over := made - freeValues; over > e.held {
		grown := over - e.held
		e.held = over
		if err := e.st.grow(grown); err != nil {
			return err
		}
	}
	return e.ctx.Canceled()
}
