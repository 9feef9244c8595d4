package exec

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// sequenceTable is the row that a sequence shows when it is read as a table.
type sequenceTable struct{ sequence *catalog.Sequence }

// Rows implements VirtualTable. No values are logged ahead of their use, so log_cnt is 0.
func (t sequenceTable) Rows(rt *Runtime, read VirtualRead, yield func(row []column.Datum) bool) error {
	state, err := rt.DB.SequenceState(engine.StoreID(t.sequence.Store))
	if err != nil {
		return MapError(err)
	}
	if r := []column.Datum{column.IntDatum(state.Last), column.IntDatum(0), column.BoolDatum(state.Called)}; read.Passes(r) {
		yield(r)
	}
	return nil
}

// virtualReader finds the rows of a system catalog that queries ask for.
type virtualReader struct {
	st    *state
	rel   *catalog.Relation
	table VirtualTable
	attrs []int
	need  []bool
	vals  []column.Datum
}

func (st *state) virtualReader(rel *catalog.Relation, attrs []int) (*virtualReader, error) {
	t, ok := rel.Virtual.(VirtualTable)
	if q, sequence := rel.Virtual.(*catalog.Sequence); sequence {
		t, ok = sequenceTable{q}, true
	}
	if !ok {
		return nil, fmt.Errorf("exec: %s has no computed rows", rel.Name)
	}
	r := &virtualReader{st: st, rel: rel, table: t, attrs: attrs, need: make([]bool, len(rel.Columns)), vals: make([]column.Datum, len(attrs))}
	for _, a := range attrs {
		if a >= 0 {
			r.need[a] = true
		} else if a != plan.AttrTableOID {
			return nil, unsupportedSystemColumn(a)
		}
	}
	return r, nil
}

// find adds the rows that satisfy the restrictions to a buffer.
func (r *virtualReader) find(equal []VirtualEqual, into *rowBuf, full func() error) error {
	var failed error
	err := r.table.Rows(r.st.rt, VirtualRead{Need: r.need, Equal: equal}, func(row []column.Datum) bool {
		for i, a := range r.attrs {
			if a >= 0 {
				r.vals[i] = row[a]
			} else {
				r.vals[i] = column.IntDatum(int64(r.rel.OID))
			}
		}
		into.addRow(r.vals)
		if into.n%column.BatchSize == 0 {
			failed = full()
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// virtualOp reads a system catalog: columns that are there already, or rows computed at
// open where a restriction leaves few of them.
type virtualOp struct {
	selection
	st     *state
	node   *plan.VirtualScan
	reader *virtualReader
	equal  []expr
	lists  []*arrayReader // by equal: not nil where it is an array of values
	rows   *rowBuf
	ready  []column.Batch
	held   int64
	at     int
}

func (st *state) newVirtualScan(n *plan.VirtualScan) (operator, error) {
	reader, err := st.virtualReader(n.Table, n.Attrs)
	if err != nil {
		return nil, err
	}
	o := &virtualOp{st: st, node: n, reader: reader}
	for _, q := range n.Equal {
		e, err := st.compile(q.Value)
		if err != nil {
			return nil, err
		}
		var list *arrayReader
		if q.Array {
			if list, err = st.arrayReader(q.Value.ResultType().OID); err != nil {
				return nil, err
			}
		}
		o.equal, o.lists = append(o.equal, e), append(o.lists, list)
	}
	o.cond, err = st.predicate(n.Filter)
	return o, err
}

func (o *virtualOp) open() error {
	o.close()
	o.at = 0
	if t, ok := o.reader.table.(VirtualColumns); ok && len(o.equal) == 0 {
		if o.ready, ok = t.Columns(o.st.rt, o.node.Attrs); ok {
			return nil
		}
	}
	o.rows = newRowBuf(o.st.kinds(o.node), o.st.rt.batchSize())
	return o.search(0, nil)
}

// search evaluates the restrictions from the i-th on; arrays of values are tried one by one.
func (o *virtualOp) search(i int, equal []VirtualEqual) error {
	if i == len(o.equal) {
		return o.reader.find(equal, o.rows, o.account)
	}
	d, err := o.equal[i].row(&row{})
	if err != nil || d.Null {
		return err
	}
	values := []column.Datum{d}
	if list := o.lists[i]; list != nil {
		if values, err = list.read(d); err != nil {
			return err
		}
	}
	for n, v := range values {
		if v.Null || slices.ContainsFunc(values[:n], func(x column.Datum) bool { return sameDatum(x, v) }) {
			continue
		}
		if err := o.search(i+1, append(equal, VirtualEqual{Attr: o.node.Equal[i].Attr, Value: v})); err != nil {
			return err
		}
	}
	return nil
}

func (o *virtualOp) account() error {
	held := o.rows.memory()
	err := o.st.grow(held - o.held)
	o.held = held
	if err != nil {
		return err
	}
	return o.st.rt.canceled()
}

func (o *virtualOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for o.at < len(o.ready) {
		b := o.ready[o.at] // shared: a copy, whose selection is its own
		o.at++
		if out, err := o.apply(&b); err != nil || out != nil {
			return out, err
		}
	}
	for o.rows != nil && o.at < len(o.rows.batches) {
		b := o.rows.batches[o.at]
		o.at++
		if out, err := o.apply(b); err != nil || out != nil {
			return out, err
		}
	}
	return nil, nil
}

func (o *virtualOp) close() {
	o.st.shrink(o.held)
	o.held, o.rows, o.ready = 0, nil, nil
}
