package exec

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// windowOp computes window calls over partitions of its sorted input. Whole
// partitions are kept in memory, several small ones together.
type windowOp struct {
	st        *state
	node      *plan.WindowAgg
	input     operator
	partition *rowKey
	order     *rowKey
	calls     []*windowCall
	args      []expr // of all calls, and their filters: further columns of the kept rows
	wide      []column.Vec
	frame     *windowFrame
	inKinds   []column.Kind
	kinds     []column.Kind // of the kept rows

	rows     *rowBuf
	starts   []int  // first rows of the partitions in rows
	peers    []bool // by row: starts a new peer group
	lastPart []byte
	lastPeer []byte
	any      bool
	held     int64
	ended    bool
	results  []column.Vec // of the complete partitions
	partCols []int        // the columns of the partition's key, and of the order, where all are integers
	peerCols []int
	plain    bool
	fresh    []bool // by row of a batch: starts a partition
	begins   []bool // by row of rows: starts a partition
	spare    *rowBuf
	complete int // rows of complete partitions
	at       int // batch of rows that is yielded next
	out      column.Batch
}

// windowCall is one window call: its arguments are columns arg… of the kept rows.
type windowCall struct {
	node     *plan.WindowCall
	ctx      *functions.Ctx
	newState func(*functions.Ctx) functions.AggState
	arg      int
	nargs    int
	filter   int // column, -1 without FILTER
	kind     column.Kind
	runs     runKind // not 0: computed for all rows in one go
}

func (st *state) newWindowAgg(n *plan.WindowAgg) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	o := &windowOp{st: st, node: n, input: input, inKinds: st.kinds(n.Input)}
	if o.partition, err = st.sortKey(n.Window.PartitionBy); err != nil {
		return nil, err
	}
	if o.order, err = st.sortKey(n.Window.OrderBy); err != nil {
		return nil, err
	}
	o.kinds = append(o.kinds, o.inKinds...)
	for _, c := range n.Calls {
		if err := o.prepareCall(c); err != nil {
			return nil, err
		}
	}
	o.plainKeys()
	for _, c := range o.calls {
		c.runs = o.runOf(c)
	}
	o.frame, err = o.prepareFrame()
	o.wide = make([]column.Vec, len(o.args))
	return o, err
}

// keep adds an expression to the columns of the kept rows.
func (o *windowOp) keep(e plan.Expr) (int, error) {
	x, err := o.st.compile(e)
	if err != nil {
		return 0, err
	}
	o.args = append(o.args, x)
	o.kinds = append(o.kinds, o.st.env.Kind(e.ResultType().OID))
	return len(o.kinds) - 1, nil
}

func (o *windowOp) prepareCall(n *plan.WindowCall) error {
	agg := n.Func.Kind == 'a'
	switch {
	case n.IgnoreNul:
		return pgerr.Unsupported("IGNORE NULLS is not supported")
	case n.Distinct:
		return pgerr.New(pgerr.FeatureNotSupported, "DISTINCT is not implemented for window functions")
	case !agg && n.Func.Win == nil:
		return pgerr.Unsupported("window function %s is not supported", n.Func.Signature())
	}
	c := &windowCall{node: n, arg: len(o.kinds), nargs: len(n.Args), filter: -1, kind: o.st.env.Kind(n.Typ.OID)}
	if agg {
		var err error
		if c.newState, err = o.st.aggregateState(n.Func, n.Args, 0, n.Typ, n.InputColl); err != nil {
			return err
		}
	}
	comp := &compiler{st: o.st}
	c.ctx = comp.site(n.InputColl, n.Typ.OID, n.Args...)
	for _, a := range n.Args {
		if _, err := o.keep(a); err != nil {
			return err
		}
	}
	if n.Filter != nil {
		var err error
		if c.filter, err = o.keep(n.Filter); err != nil {
			return err
		}
	}
	o.calls = append(o.calls, c)
	return nil
}

func (o *windowOp) open() error {
	o.drop()
	o.rows, o.any, o.ended, o.at, o.complete = newRowBuf(o.kinds, o.st.rt.batchSize()), false, false, 0, 0
	o.starts, o.peers, o.begins = o.starts[:0], o.peers[:0], o.begins[:0]
	if err := o.frame.start(); err != nil {
		return err
	}
	return o.input.open()
}

func (o *windowOp) drop() {
	o.st.shrink(o.held)
	o.held, o.rows, o.spare, o.results = 0, nil, nil, nil
}

func (o *windowOp) close() {
	o.drop()
	o.input.close()
}

func (o *windowOp) next() (*column.Batch, error) {
	for {
		if b := o.emit(); b != nil {
			return b, nil
		}
		if o.ended {
			return nil, nil
		}
		if err := o.carry(); err != nil {
			return nil, err
		}
		if err := o.read(); err != nil {
			return nil, err
		}
		if err := o.compute(); err != nil {
			return nil, err
		}
	}
}

// read takes in rows until enough partitions are complete.
func (o *windowOp) read() error {
	for {
		b, err := o.input.next()
		if err != nil {
			return err
		}
		if b == nil {
			o.ended = true
			o.complete = o.rows.n
			return nil
		}
		if err := o.add(b); err != nil {
			return err
		}
		if n := len(o.starts); n > 1 && o.starts[n-1] >= o.enough() {
			o.complete = o.starts[n-1]
			return nil
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

func (o *windowOp) add(b *column.Batch) error {
	kept := column.Batch{Cols: append([]column.Vec(nil), b.Cols...), N: b.N, Sel: b.Sel}
	for i, e := range o.args {
		v, err := e.vec(b, b.Sel)
		if err != nil {
			return err
		}
		kept.Cols = append(kept.Cols, *spread(v, b.N, &o.wide[i]))
	}
	if err := o.divide(b); err != nil {
		return err
	}
	o.rows.add(&kept)
	held := o.rows.memory() + int64(cap(o.peers))
	err := o.st.grow(held - o.held)
	o.held = held
	return err
}

// divide notes where partitions and groups of peers begin.
func (o *windowOp) divide(b *column.Batch) error {
	if o.plain {
		o.divideLanes(b)
		return nil
	}
	if err := o.partition.prepare(b); err != nil {
		return err
	}
	if err := o.order.prepare(b); err != nil {
		return err
	}
	var key []byte
	for i, r := range selected(b, b.Sel) {
		key = o.partition.at(r, key[:0])
		fresh := !o.any || !bytes.Equal(key, o.lastPart)
		if fresh {
			o.starts = append(o.starts, o.rows.n+i)
			o.lastPart = append(o.lastPart[:0], key...)
		}
		key = o.order.at(r, key[:0])
		peer := fresh || !bytes.Equal(key, o.lastPeer)
		if peer {
			o.lastPeer = append(o.lastPeer[:0], key...)
		}
		o.peers, o.begins = append(o.peers, peer), append(o.begins, fresh)
		o.any = true
	}
	return nil
}

// carry moves the rows of the partition that is not complete to a new buffer.
func (o *windowOp) carry() error {
	if o.complete == 0 {
		return nil
	}
	rest := o.spare
	if rest == nil {
		rest = newRowBuf(o.kinds, o.st.rt.batchSize())
	}
	for i := o.complete / o.rows.size; i < len(o.rows.batches); i++ {
		b := o.rows.batches[i]
		part := column.Batch{Cols: b.Cols, N: b.N}
		if from := o.complete - i*o.rows.size; from > 0 {
			part.Sel = allRows(b.N)[from:]
		}
		rest.add(&part)
	}
	o.peers, o.begins = append(o.peers[:0], o.peers[o.complete:]...), append(o.begins[:0], o.begins[o.complete:]...)
	o.starts = o.starts[:0]
	if rest.n > 0 {
		o.starts = append(o.starts, 0)
	}
	o.rows.restart()
	o.rows, o.spare, o.complete, o.at = rest, o.rows, 0, 0
	return nil
}

// compute fills the results of all complete partitions.
func (o *windowOp) compute() error {
	if o.results == nil {
		o.results = make([]column.Vec, len(o.calls))
	}
	left := 0
	for i, c := range o.calls {
		o.results[i].Resize(c.kind, o.complete)
		if c.runs == 0 {
			left++
			continue
		}
		if err := o.run(c, &o.results[i]); err != nil {
			return err
		}
	}
	if left == 0 {
		return nil
	}
	for i, start := range o.starts {
		end := o.complete
		if i+1 < len(o.starts) {
			end = o.starts[i+1]
		}
		if start >= end {
			break
		}
		p := o.newPartition(start, end)
		for k, c := range o.calls {
			if c.runs != 0 {
				continue
			}
			if err := p.run(c, &o.results[k]); err != nil {
				return err
			}
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
	return nil
}

// emit yields the next batch of computed rows, nil when there is none.
func (o *windowOp) emit() *column.Batch {
	first := o.at * o.rows.size
	if first >= o.complete {
		return nil
	}
	b := o.rows.batches[o.at]
	n := min(b.N, o.complete-first)
	o.at++
	o.out.Cols = append(o.out.Cols[:0], b.Cols[:len(o.inKinds)]...)
	for i := range o.results {
		o.out.Cols = append(o.out.Cols, part(&o.results[i], first, n))
	}
	o.out.N, o.out.Sel = n, nil
	return &o.out
}
