package exec

import (
	"bytes"
	"math"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// sortOp orders its input by normalized keys: byte strings that compare as the
// rows do. Over the memory limit sorted runs go to temporary files and are merged;
// with a known limit only the first rows are kept.
type sortOp struct {
	st    *state
	node  *plan.Sort
	input operator
	kinds []column.Kind
	key   *rowKey
	limit expr
	ties  bool
	keeper
	figures *NodeStats

	edge  int64 // top-N: the first key column of the last row wanted,
	plain bool  // if it is a number
	// and for a numeric its scale; lane are those of a batch
	edgeScale int
	lane      functions.NumericLane
	near      []int32
	divide    bool       // workers may sort parts
	parts     *sortParts // what they have sorted

	packed  []packedColumn // not nil: no keys are written
	order   []uint64       // the rows in order, their numbers below rowMask
	rowMask uint64
	part    bool // of a worker: packed rows are not sorted

	rows  *rowBuf
	items []sortItem
	keys  keyArena
	long  bool   // some keys are longer than the prefix
	top   int64  // rows wanted, MaxInt64 for all
	worst []byte // key of the last row wanted, once known
	held  int64
	runs  []*spillFile
	merge *runMerge
	at    int
	out   column.Batch
	idx   []int32
}

// keyArena holds keys one behind the other.
type keyArena struct {
	bytes []byte
	ends  []int
}

func (a *keyArena) get(i int32) []byte {
	start := 0
	if i > 0 {
		start = a.ends[i-1]
	}
	return a.bytes[start:a.ends[i]]
}

func (st *state) newSort(n *plan.Sort) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	o, err := st.sortOver(n, input)
	if err == nil {
		o.divide = o.divisible()
	}
	return o, err
}

func (o *sortOp) open() error {
	o.at = 0
	if o.limit == nil && o.runs == nil && o.parts == nil && o.rows != nil && o.fresh() {
		return nil
	}
	o.drop()
	o.top = math.MaxInt64
	if o.limit != nil {
		d, err := o.limit.row(&row{})
		if err != nil {
			return err
		}
		if !d.Null && d.I >= 0 {
			o.top = d.I
		}
	}
	o.rows, o.packed = newRowBuf(o.kinds, o.st.rt.batchSize()), o.packable()
	if o.divide {
		if done, err := o.byWorkers(); done || err != nil {
			return err
		}
	}
	if err := o.input.open(); err != nil {
		return err
	}
	o.mark()
	if err := o.read(); err != nil {
		o.forget()
		return err
	}
	return nil
}

func (o *sortOp) read() error {
	for {
		b, err := o.input.next()
		if err != nil {
			return err
		}
		if b == nil {
			return o.finish()
		}
		if err := o.add(b); err != nil {
			return err
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

func (o *sortOp) add(b *column.Batch) error {
	if o.packed != nil {
		return o.addPacked(b)
	}
	return o.addKeyed(b)
}

func (o *sortOp) addKeyed(b *column.Batch) error {
	if err := o.key.prepare(b); err != nil {
		return err
	}
	rows := selected(b, b.Sel)
	keep := o.idx[:0]
	if o.worst != nil {
		rows = o.notBeyond(rows, b.N)
	}
	o.items, o.keys.ends = room(o.items, len(rows)), room(o.keys.ends, len(rows))
	o.keys.bytes = room(o.keys.bytes, prefixBytes*len(rows))
	for _, r := range rows {
		start := len(o.keys.bytes)
		o.keys.bytes = o.key.at(r, o.keys.bytes)
		k := o.keys.bytes[start:]
		if o.worst != nil && bytes.Compare(k, o.worst) > 0 {
			o.keys.bytes = o.keys.bytes[:start]
			continue
		}
		o.noteKey(start, int32(len(o.keys.ends)))
		keep = append(keep, r)
	}
	o.idx = keep
	if len(keep) == 0 {
		return nil
	}
	part := column.Batch{Cols: b.Cols, N: b.N, Sel: keep}
	o.rows.add(&part)
	if o.top < math.MaxInt64/4 && int64(len(o.items)) > 2*o.top+pruneSlack {
		o.prune()
	}
	held := o.rows.memory() + int64(cap(o.keys.bytes)) + int64(len(o.items))*32
	err := o.st.grow(held - o.held)
	o.held = held
	o.figures.Memory = max(o.figures.Memory, held)
	if err != nil || held <= o.st.rt.memoryLimit() || (o.st.rt.TempFS == nil) {
		return err
	}
	return o.spill()
}

// noteKey makes the item of a row whose key was written from start on.
func (o *sortOp) noteKey(start int, row int32) {
	k := o.keys.bytes[start:]
	hi, lo := prefix(k)
	o.long = o.long || len(k) > prefixBytes
	o.keys.ends = append(o.keys.ends, len(o.keys.bytes))
	o.items = append(o.items, sortItem{hi, lo, row})
}

// room makes place for n more elements; what grows again and again is doubled.
func room[T any](list []T, n int) []T {
	if cap(list)-len(list) >= n {
		return list
	}
	return slices.Grow(list, max(n, len(list)))
}

// pruneSlack is how many rows beyond twice those wanted a top-N sort gathers
// before it drops what cannot be among them.
const pruneSlack = 64

// notBeyond drops rows whose first key column alone puts them behind the last
// row that is wanted, where that column is a number without NULLs. The keys of
// the others are compared as a whole.
func (o *sortOp) notBeyond(rows []int32, n int) []int32 {
	v := o.key.vecs[0]
	desc := o.node.Keys[0].Desc
	if len(v.Nulls) > 0 || v.Len() == 1 || !o.plain {
		return rows
	}
	out := o.near[:0]
	switch {
	case v.Kind == column.Bytes:
		if !o.lane.Decode(v, rows, n) || o.lane.Scale != o.edgeScale {
			return rows
		}
		out = compareLane(beyond(desc), o.lane.Coef, o.edge, rows, out)
	case v.Kind == column.Int:
		out = compareLane(beyond(desc), v.I, o.edge, rows, out)
	case v.Kind == column.Float:
		edge := math.Float64frombits(uint64(o.edge))
		if edge != edge {
			return rows
		}
		for _, r := range rows {
			if f := v.F[r]; f != f || desc && f >= edge || !desc && f <= edge {
				out = append(out, r)
			}
		}
	}
	o.near = out
	return out
}

// noteEdge remembers the first key column of the last row that is wanted.
func (o *sortOp) noteEdge(row int) {
	o.plain = false
	k, ok := o.node.Keys[0].Expr.(*plan.Slot)
	if !ok || o.st.rt.Knobs.RowAtATime {
		return
	}
	d := o.rows.datum(row, k.Index)
	switch {
	case d.Null:
	case o.st.keyForm(k.ResultType()) <= keyFloat:
		o.edge, o.plain = d.I, true
	case o.st.baseType(k.ResultType().OID) == types.NumericOID && !o.st.rt.Knobs.NoPacking:
		o.edge, o.edgeScale, o.plain = types.NumericToInt64Scaled(d)
	}
}

func beyond(desc bool) plan.CompareKind {
	if desc {
		return plan.GreaterEqual
	}
	return plan.LessEqual
}

// prune keeps the first rows that are wanted and learns the key beyond which
// nothing is.
func (o *sortOp) prune() {
	o.figures.TopN = true
	if o.sort() != nil { // it was cancelled, as who reads the next rows finds
		return
	}
	n := int(o.top)
	if n == 0 {
		n = 1 // worst must be some key
	}
	o.worst = append(o.worst[:0], o.keys.get(o.items[n-1].row)...)
	o.noteEdge(int(o.items[n-1].row))
	if o.ties {
		for n < len(o.items) && bytes.Equal(o.keys.get(o.items[n].row), o.worst) {
			n++
		}
	}
	rows, keys := newRowBuf(o.kinds, o.st.rt.batchSize()), keyArena{}
	vals := make([]column.Datum, len(o.kinds))
	for i := range o.items[:n] {
		it := &o.items[i]
		o.rows.load(int(it.row), vals)
		rows.addRow(vals)
		keys.bytes = append(keys.bytes, o.keys.get(it.row)...)
		keys.ends = append(keys.ends, len(keys.bytes))
		it.row = int32(i)
	}
	o.items, o.rows, o.keys = o.items[:n], rows, keys
}

func (o *sortOp) finish() error {
	if o.packed != nil {
		if o.part {
			return nil
		}
		if ok, err := o.sortPacked(); ok || err != nil {
			return err
		}
		if err := o.toKeys(); err != nil {
			return err
		}
	}
	if len(o.runs) == 0 {
		return o.sort()
	}
	if err := o.spill(); err != nil {
		return err
	}
	var err error
	o.merge, err = newRunMerge(o.runs)
	return err
}

// spill writes what is held as a sorted run: the rows and their keys.
func (o *sortOp) spill() error {
	if len(o.items) == 0 {
		return nil
	}
	if err := o.sort(); err != nil {
		return err
	}
	f, err := o.st.newSpill(append(slices.Clone(o.kinds), column.Bytes))
	if err != nil {
		return err
	}
	o.runs = append(o.runs, f)
	vals := make([]column.Datum, len(o.kinds)+1)
	for i, it := range o.items {
		if int64(i) >= o.top && !o.ties {
			break
		}
		o.rows.load(int(it.row), vals)
		vals[len(o.kinds)] = column.BytesDatum(o.keys.get(it.row))
		if err := f.add(vals); err != nil {
			return err
		}
	}
	if err := f.flush(); err != nil {
		return err
	}
	o.figures.Spilled += f.size
	o.figures.Parts++
	o.figures.DiskSort = true
	o.rows.reset()
	o.items, o.keys = o.items[:0], keyArena{bytes: o.keys.bytes[:0], ends: o.keys.ends[:0]}
	if len(o.runs) < maxRuns {
		return nil
	}
	return o.mergeRuns()
}

// maxRuns bounds the files that are merged at once: each reader has a buffer.
const maxRuns = 64

// mergeRuns replaces all runs by one.
func (o *sortOp) mergeRuns() error {
	m, err := newRunMerge(o.runs)
	if err != nil {
		return err
	}
	f, err := o.st.newSpill(o.runs[0].kinds)
	if err != nil {
		return err
	}
	for {
		r, err := m.next()
		if err != nil {
			f.close()
			return err
		}
		if r == nil {
			break
		}
		if err := f.add(r); err != nil {
			f.close()
			return err
		}
	}
	for _, r := range o.runs {
		r.close()
	}
	o.runs = append(o.runs[:0], f)
	return f.flush()
}

func (o *sortOp) next() (*column.Batch, error) {
	if o.merge != nil {
		return o.nextMerged()
	}
	if o.parts != nil {
		return o.nextOfParts()
	}
	if o.order != nil {
		return o.nextPacked()
	}
	n := min(len(o.items)-o.at, o.st.rt.batchSize())
	if n <= 0 {
		return nil, nil
	}
	o.idx = o.idx[:0]
	for _, it := range o.items[o.at : o.at+n] {
		o.idx = append(o.idx, it.row)
	}
	o.at += n
	o.out.Reset(o.kinds...)
	for c := range o.kinds {
		o.rows.gather(c, o.idx, &o.out.Cols[c])
	}
	o.out.N = n
	return &o.out, nil
}

func (o *sortOp) nextMerged() (*column.Batch, error) {
	o.out.Reset(o.kinds...)
	for o.out.N < o.st.rt.batchSize() {
		r, err := o.merge.next()
		if err != nil {
			return nil, err
		}
		if r == nil {
			break
		}
		o.out.AppendRow(r[:len(o.kinds)])
	}
	if o.out.N == 0 {
		return nil, nil
	}
	return &o.out, o.st.rt.canceled()
}

func (o *sortOp) drop() {
	o.st.shrink(o.held)
	for _, r := range o.runs {
		r.close()
	}
	if o.parts != nil {
		o.parts.drop()
		o.parts = nil
	}
	o.held, o.runs, o.merge, o.rows, o.worst = 0, nil, nil, nil, nil
	o.items, o.keys, o.order = nil, keyArena{}, nil
	o.forget()
}

func (o *sortOp) close() {
	o.drop()
	o.input.close()
}

// runMerge merges sorted runs whose last column is the key; ties are taken from
// the earlier run, so that the order is stable.
type runMerge struct {
	readers []*spillReader
	heap    []int // readers with a row, least first
	taken   int   // reader whose row was handed out, -1 for none
}

// mergeBuffers is what the readers of runs that are merged have together, of
// which none has less than leastChunk.
const (
	mergeBuffers = 1 << 20
	leastChunk   = 8 << 10
)

func newRunMerge(runs []*spillFile) (*runMerge, error) {
	m := &runMerge{taken: -1}
	for i, f := range runs {
		r, err := f.reader()
		if err != nil {
			return nil, err
		}
		r.chunk = max(leastChunk, min(spillBuffer, mergeBuffers/int64(len(runs))))
		m.readers = append(m.readers, r)
		row, err := r.next()
		if err != nil {
			return nil, err
		}
		if row != nil {
			m.heap = append(m.heap, i)
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

func (m *runMerge) less(a, b int) bool {
	ra, rb := m.readers[a], m.readers[b]
	k := len(ra.row) - 1
	if c := bytes.Compare(ra.row[k].B, rb.row[k].B); c != 0 {
		return c < 0
	}
	return a < b
}

func (m *runMerge) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(m.heap) {
			return
		}
		if c+1 < len(m.heap) && m.less(m.heap[c+1], m.heap[c]) {
			c++
		}
		if !m.less(m.heap[c], m.heap[i]) {
			return
		}
		m.heap[i], m.heap[c] = m.heap[c], m.heap[i]
		i = c
	}
}

// next returns the next row, valid until the next call, or nil at the end.
func (m *runMerge) next() ([]column.Datum, error) {
	if m.taken >= 0 {
		row, err := m.readers[m.taken].next()
		if err != nil {
			return nil, err
		}
		if row == nil {
			m.heap[0] = m.heap[len(m.heap)-1]
			m.heap = m.heap[:len(m.heap)-1]
		}
		m.down(0)
		m.taken = -1
	}
	if len(m.heap) == 0 {
		return nil, nil
	}
	m.taken = m.heap[0]
	return m.readers[m.taken].row, nil
}
