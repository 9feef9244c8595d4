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

	index   VirtualIndex // not nil: rows are found in place
	lookups int          // since an index was last asked for
	askAt   int          // look-ups from which one is asked for again
	refs    []int32      // what was found in place
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
		} else if _, ok := st.rt.SystemValue(rel, a); !ok {
			return nil, unsupportedSystemColumn(a)
		}
	}
	return r, nil
}

// SystemValue returns what all rows of a system catalog have in a system column. Clients ask for xmin to learn
// what changed since they last looked: that everything may have is the answer that is never wrong.
func (rt *Runtime) SystemValue(rel *catalog.Relation, attr int) (int64, bool) {
	switch attr {
	case plan.AttrTableOID:
		return int64(rel.OID), true
	case plan.AttrXmin:
		if rt.DB == nil {
			return 0, true
		}
		xmin, _, _ := rt.DB.XIDRange()
		return int64(uint32(xmin)), true
	case plan.AttrXmax, plan.AttrCmin, plan.AttrCmax:
		return 0, true
	}
	return 0, false
}

// askOften is after how many look-ups an index is asked for at the latest.
const askOften = 64

// indexed returns the index by some attributes if it is there, or worth making now that a number of look-ups
// more are to come.
func (r *virtualReader) indexed(by []int, coming int) VirtualIndex {
	if r.index != nil && r.index.Current(r.st.rt) {
		return r.index
	}
	r.index = nil
	r.lookups += coming
	f, ok := r.table.(VirtualFinder)
	if !ok || r.lookups < r.askAt {
		return nil
	}
	if x, ok := f.Finder(r.st.rt, r.attrs, by, r.lookups); ok {
		r.index = x
	}
	r.lookups, r.askAt = 0, min(2*r.askAt+1, askOften)
	return r.index
}

// gather appends the rows that were found in place to vectors, sharing bytes.
func (r *virtualReader) gather(dst *column.Batch, refs []int32) {
	batches := r.index.Batches()
	for i := range dst.Cols {
		v := &dst.Cols[i]
		v.Grow(len(refs))
		for _, k := range refs {
			v.Append(batches[int(k)/column.BatchSize].Cols[i].Datum(int(k) % column.BatchSize))
		}
	}
	dst.N += len(refs)
}

// find adds the rows that satisfy the restrictions to a buffer.
func (r *virtualReader) find(equal []VirtualEqual, into *rowBuf, full func() error) error {
	var failed error
	err := r.table.Rows(r.st.rt, VirtualRead{Need: r.need, Equal: equal}, func(row []column.Datum) bool {
		for i, a := range r.attrs {
			if a >= 0 {
				r.vals[i] = row[a]
			} else {
				v, _ := r.st.rt.SystemValue(r.rel, a)
				r.vals[i] = column.IntDatum(v)
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
	by     []int          // the attributes that equal restricts
	lists  []*arrayReader // by equal: not nil where it is an array of values
	kinds  []column.Kind
	fixed  []VirtualEqual
	rows   *rowBuf
	spare  *rowBuf      // the last one, to use again
	small  column.Batch // few rows that were found in place
	ready  []column.Batch
	one    [1]column.Batch
	none   row
	held   int64
	at     int
}

func (st *state) newVirtualScan(n *plan.VirtualScan) (operator, error) {
	reader, err := st.virtualReader(n.Table, n.Attrs)
	if err != nil {
		return nil, err
	}
	o := &virtualOp{selection: selection{figures: st.figures(n)}, st: st, node: n, reader: reader, kinds: st.kinds(n)}
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
		o.equal, o.lists, o.by = append(o.equal, e), append(o.lists, list), append(o.by, q.Attr)
	}
	o.fixed = make([]VirtualEqual, 0, len(o.equal))
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
	if len(o.equal) > 0 && o.reader.indexed(o.by, 1) != nil {
		o.reader.refs = o.reader.refs[:0]
		err := o.search(0, o.fixed[:0])
		o.place(o.reader.refs)
		return err
	}
	if o.rows = o.spare; o.rows != nil {
		o.rows.restart()
	} else {
		o.rows = newRowBuf(o.kinds, o.st.rt.batchSize())
		o.spare = o.rows
	}
	return o.search(0, o.fixed[:0])
}

// fewFound is up to how many rows that were found in place are put together into one batch; more are
// selections from the batches that they are in.
const fewFound = 64

// place makes batches of rows that were found in place.
func (o *virtualOp) place(refs []int32) {
	if len(refs) == 0 {
		return
	}
	if len(refs) <= min(fewFound, o.st.rt.batchSize()) {
		o.small.Reset(o.kinds...)
		o.reader.gather(&o.small, refs)
		o.ready = append(o.one[:0], o.small)
		return
	}
	batches := o.reader.index.Batches()
	for len(refs) > 0 {
		k := int(refs[0]) / column.BatchSize
		b := batches[k]
		for len(refs) > 0 && int(refs[0])/column.BatchSize == k && (len(b.Sel) == 0 || int32(int(refs[0])%column.BatchSize) > b.Sel[len(b.Sel)-1]) {
			b.Sel = append(b.Sel, int32(int(refs[0])%column.BatchSize))
			refs = refs[1:]
		}
		o.ready = append(o.ready, b)
	}
}

// search evaluates the restrictions from the i-th on; arrays of values are tried one by one.
func (o *virtualOp) search(i int, equal []VirtualEqual) error {
	if i == len(o.equal) {
		if x := o.reader.index; x != nil {
			o.reader.refs = x.Find(equal, o.reader.refs)
			return nil
		}
		return o.reader.find(equal, o.rows, o.account)
	}
	d, err := o.equal[i].row(&o.none)
	if err != nil || d.Null {
		return err
	}
	if o.lists[i] == nil {
		return o.search(i+1, append(equal, VirtualEqual{Attr: o.by[i], Value: d}))
	}
	values, err := o.lists[i].read(d)
	if err != nil {
		return err
	}
	for n, v := range values {
		if v.Null || slices.ContainsFunc(values[:n], func(x column.Datum) bool { return sameDatum(x, v) }) {
			continue
		}
		if err := o.search(i+1, append(equal, VirtualEqual{Attr: o.by[i], Value: v})); err != nil {
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
