package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// nestLoopOp runs its right side once for every left row. Right and full joins
// read the right side once, to know which of its rows were never matched.
type nestLoopOp struct {
	st          *state
	left, right operator
	params      []expr
	ids         []int
	pairs       *pairJoin
	rightKinds  []column.Kind

	batch   *column.Batch
	row     int // of the batch: next left row
	running bool
	end     bool // the left side is exhausted
	at      int
	inner   *rowBuf // right and full joins: the right rows, with a fixed numbering
	chunk   int
	buf     *rowBuf // right rows of the pairs that are being gathered
	r       row
}

func (st *state) newNestLoop(n *plan.NestLoop) (operator, error) {
	left, err := st.operator(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := st.operator(n.Right)
	if err != nil {
		return nil, err
	}
	o := &nestLoopOp{st: st, left: left, right: right, rightKinds: st.kinds(n.Right)}
	for _, p := range n.Params {
		e, err := st.compile(p.Expr)
		if err != nil {
			return nil, err
		}
		o.params, o.ids = append(o.params, e), append(o.ids, p.ID)
	}
	o.pairs, err = st.newPairJoin(n.Kind, n.Cond, st.kinds(n.Left), o.rightKinds)
	return o, err
}

func (o *nestLoopOp) open() error {
	o.batch, o.row, o.running, o.end, o.at, o.inner = nil, 0, false, false, 0, nil
	o.pairs.rightOK = o.pairs.rightOK[:0]
	o.pairs.clearPairs()
	if err := o.left.open(); err != nil {
		return err
	}
	if !o.pairs.keepsRight() {
		return nil
	}
	o.inner = newRowBuf(o.rightKinds, o.st.rt.batchSize())
	if err := o.right.open(); err != nil {
		return err
	}
	for {
		b, err := o.right.next()
		if err != nil || b == nil {
			return err
		}
		before := o.inner.memory()
		o.inner.add(b)
		if err := o.st.grow(o.inner.memory() - before); err != nil {
			return err
		}
	}
}

func (o *nestLoopOp) close() {
	o.left.close()
	o.right.close()
	if o.inner != nil {
		o.st.shrink(o.inner.memory())
		o.inner = nil
	}
}

func (o *nestLoopOp) next() (*column.Batch, error) {
	for {
		if o.end {
			if !o.pairs.keepsRight() {
				return nil, nil
			}
			return o.pairs.keptRight(&o.at, o.inner.n, o.inner.gather), nil
		}
		b, err := o.step()
		if err != nil || b != nil {
			return b, err
		}
	}
}

// step gathers about a batch of candidates and tests them.
func (o *nestLoopOp) step() (*column.Batch, error) {
	if err := o.st.rt.canceled(); err != nil {
		return nil, err
	}
	if o.batch == nil {
		b, err := o.left.next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			o.end = true
			return nil, nil
		}
		o.batch, o.row, o.chunk = b, 0, 0
		o.pairs.startBatch(b.N)
	}
	if o.inner != nil {
		return o.stepInner()
	}
	o.buf = newRowBuf(o.rightKinds, o.st.rt.batchSize())
	for o.row < o.batch.Len() && len(o.pairs.left) < o.st.rt.batchSize() {
		if err := o.candidates(); err != nil {
			return nil, err
		}
	}
	b, err := o.pairs.flush(o.batch, o.buf.gather)
	if o.row >= o.batch.Len() {
		o.batch = nil
	}
	return b, err
}

// candidates pairs the current left row with one batch of right rows.
func (o *nestLoopOp) candidates() error {
	l := int32(o.batch.Row(o.row))
	if !o.running {
		o.r.batch, o.r.at = o.batch, int(l)
		for i, p := range o.params {
			d, err := p.row(&o.r)
			if err != nil {
				return err
			}
			o.st.setExec(o.ids[i], d)
		}
		if err := o.right.open(); err != nil {
			return err
		}
		o.running = true
	}
	b, err := o.right.next()
	if err != nil {
		return err
	}
	settled := o.pairs.oneMatch() && o.pairs.matched[l]
	if b == nil || settled {
		if !settled {
			o.pairs.addEnd(l)
		}
		o.running = false
		o.row++
		return nil
	}
	base := int32(o.buf.n)
	o.buf.add(b)
	for i := range b.Len() {
		o.pairs.add(l, base+int32(i))
	}
	return nil
}

// stepInner pairs the current left row with one batch of the kept right rows.
func (o *nestLoopOp) stepInner() (*column.Batch, error) {
	l := int32(o.batch.Row(o.row))
	if o.chunk < len(o.inner.batches) {
		base := int32(o.chunk * o.inner.size)
		for i := range o.inner.batches[o.chunk].N {
			o.pairs.add(l, base+int32(i))
		}
		o.chunk++
	}
	if o.chunk >= len(o.inner.batches) {
		o.pairs.addEnd(l)
		o.chunk = 0
		o.row++
	}
	b, err := o.pairs.flush(o.batch, o.inner.gather)
	if o.row >= o.batch.Len() {
		o.batch = nil
	}
	return b, err
}
