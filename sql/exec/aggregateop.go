package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// aggOp groups its input. Groups are found by hashing, whatever the strategy:
// sorted input only means that groups can be yielded before the input ends, and
// in its order. Over the memory limit, rows of groups that are not known yet go
// to partitions on disk, which are aggregated one after the other.
type aggOp struct {
	st        *state
	node      *plan.Aggregate
	input     operator
	inKinds   []column.Kind
	keyExprs  []expr
	keyKinds  []column.Kind
	specs     []*aggSpec
	sets      [][]int
	keyVecs   []*column.Vec
	wide      []column.Vec
	groupings [][]int
	figures   *NodeStats
	keeper
	lanes slotLanes // of the input batch
	parts bool      // may be run by workers

	current []*groupSet // being filled or yielded, one per grouping set
	spare   *groupSet   // the last one, without keys, to use again: an aggregate in a subquery is opened for every outer row
	queue   []partition // spilled rows that wait
	pending *column.Batch
	yield   int // set being yielded
	at      int // group being yielded
	ended   bool
	out     column.Batch
	kinds   []column.Kind // of out
	idx     []int32
}

// partition is a file of rows that belong to one grouping set.
type partition struct {
	set, depth int
	file       *spillFile
}

// sortedBatch is how many groups a sorted aggregation gathers before it yields them.
const sortedBatch = column.BatchSize

// spillParts is the number of partitions that a spilling operator makes at once.
const spillParts = 16

func (st *state) newAggregate(n *plan.Aggregate) (operator, error) {
	input, err := st.operator(n.Input)
	if err != nil {
		return nil, err
	}
	if o := st.rankCount(n, input); o != nil {
		return o, nil
	}
	for i := range n.Aggs {
		input = st.narrowed(input, n.Aggs[i].Args...)
	}
	o, err := st.aggregateOver(n, input)
	if err != nil {
		return nil, err
	}
	o.parts = o.divisible()
	return o, nil
}

func (o *aggOp) open() error {
	o.drop()
	var err error
	if o.current, err = o.newSets(); err != nil {
		return err
	}
	o.ended, o.yield, o.at, o.pending = false, -1, 0, nil
	if o.parts {
		if done, err := o.byWorkers(); done || err != nil {
			return err
		}
	}
	return o.input.open()
}

func (o *aggOp) newSets() ([]*groupSet, error) {
	var out []*groupSet
	for i := range o.sets {
		s, err := o.newSet(i, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (o *aggOp) next() (*column.Batch, error) {
	for {
		if o.yield >= 0 {
			b, err := o.emit()
			if err != nil || b != nil {
				return b, err
			}
			more, err := o.after()
			if err != nil || !more {
				return nil, err
			}
			continue
		}
		if !o.ended {
			if err := o.fill(); err != nil {
				return nil, err
			}
		}
		o.yield, o.at = 0, 0
	}
}

// fill reads input until groups can be yielded.
func (o *aggOp) fill() error {
	for {
		b := o.pending
		o.pending = nil
		if b == nil {
			var err error
			if b, err = o.input.next(); err != nil {
				return err
			}
		}
		if b == nil {
			o.ended = true
			return o.finish()
		}
		if err := o.keysOf(b); err != nil {
			return err
		}
		if o.streaming() && o.current[0].table.n >= sortedBatch {
			full, err := o.split(b)
			if err != nil {
				return err
			}
			if full {
				return o.finish()
			}
			continue
		}
		for _, s := range o.current {
			if err := s.add(b); err != nil {
				return err
			}
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

func (o *aggOp) streaming() bool {
	return o.node.Strategy == plan.SortedAgg && len(o.current) == 1 && len(o.keyExprs) > 0
}

// split feeds the rows that still belong to the last group; what follows waits.
func (o *aggOp) split(b *column.Batch) (full bool, err error) {
	s := o.current[0]
	rows := selected(b, b.Sel)
	n := 0
	for n < len(rows) {
		id, _ := s.table.find(s.vecs(), rows[n], false)
		if int(id) != s.table.n-1 {
			break
		}
		n++
	}
	if n > 0 {
		if err := s.add(&column.Batch{Cols: b.Cols, N: b.N, Sel: slices.Clone(rows[:n])}); err != nil {
			return false, err
		}
	}
	if n == len(rows) {
		return false, nil
	}
	o.pending = &column.Batch{Cols: b.Cols, N: b.N, Sel: slices.Clone(rows[n:])}
	return true, nil
}

// keysOf computes the group keys of a batch.
func (o *aggOp) keysOf(b *column.Batch) error {
	o.lanes.forget()
	for i, e := range o.keyExprs {
		v, err := e.vec(b, b.Sel)
		if err != nil {
			return err
		}
		o.keyVecs[i] = spread(v, b.N, &o.wide[i])
	}
	return nil
}

func (o *aggOp) finish() error {
	for _, s := range o.current {
		if err := s.finish(); err != nil {
			return err
		}
		o.figures.Groups += int64(s.table.n)
	}
	return nil
}

// after decides what follows when all current groups were yielded.
func (o *aggOp) after() (bool, error) {
	o.release(o.current)
	o.yield = -1
	if !o.ended {
		var err error
		o.current, err = o.newSets()
		return true, err
	}
	if len(o.queue) == 0 {
		o.current = nil
		o.yield = 0
		return false, nil
	}
	p := o.queue[0]
	o.queue = o.queue[1:]
	s, err := o.aggregatePartition(p)
	if err != nil {
		return false, err
	}
	o.current = []*groupSet{s}
	o.yield, o.at = 0, 0
	return true, nil
}

func (o *aggOp) aggregatePartition(p partition) (*groupSet, error) {
	defer p.file.close()
	s, err := o.newSet(p.set, p.depth)
	if err != nil {
		return nil, err
	}
	r, err := p.file.reader()
	if err != nil {
		return nil, err
	}
	var b column.Batch
	for {
		ok, err := r.batch(&b, o.st.rt.batchSize())
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if err := o.keysOf(&b); err != nil {
			return nil, err
		}
		if err := s.add(&b); err != nil {
			return nil, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
	return s, s.finish()
}

// emit yields the next groups of the current sets, nil when there are no more.
func (o *aggOp) emit() (*column.Batch, error) {
	for o.yield < len(o.current) {
		s := o.current[o.yield]
		n := min(s.groups()-o.at, o.st.rt.batchSize())
		if n <= 0 {
			o.yield, o.at = o.yield+1, 0
			continue
		}
		start := o.at
		o.at += n
		return o.groupRows(s, start, n)
	}
	return nil, nil
}

func (o *aggOp) groupRows(s *groupSet, start, n int) (*column.Batch, error) {
	if o.kinds == nil {
		o.kinds = slices.Clone(o.keyKinds)
		for _, a := range o.specs {
			o.kinds = append(o.kinds, o.st.env.Kind(a.node.Typ.OID))
		}
		for range o.groupings {
			o.kinds = append(o.kinds, column.Int)
		}
	}
	o.out.Reset(o.kinds...)
	o.idx = o.idx[:0]
	for i := range n {
		o.idx = append(o.idx, int32(start+i))
	}
	for c := range o.keyKinds {
		s.keyColumn(c, start, o.idx, &o.out.Cols[c])
	}
	c := len(o.keyKinds)
	for _, a := range s.aggs {
		if err := a.results(start, n, &o.out.Cols[c]); err != nil {
			return nil, err
		}
		c++
	}
	for _, g := range o.groupings {
		bits := int64(0)
		for _, k := range g {
			bits <<= 1
			if !slices.Contains(o.sets[s.set], k) {
				bits |= 1
			}
		}
		for range n {
			o.out.Cols[c].Append(column.IntDatum(bits))
		}
		c++
	}
	o.out.N = n
	return &o.out, nil
}

func (o *aggOp) release(sets []*groupSet) {
	for _, s := range sets {
		o.st.shrink(s.held)
		if len(o.sets) == 1 && len(s.keys) == 0 && !o.parts && s.op == o && s.held <= spareBytes {
			o.spare = s
		}
		s.held = 0
	}
}

func (o *aggOp) drop() {
	o.release(o.current)
	for _, s := range o.current {
		for _, p := range s.parts {
			if p != nil {
				p.close()
			}
		}
	}
	for _, p := range o.queue {
		p.file.close()
	}
	o.current, o.queue = nil, nil
}

func (o *aggOp) close() {
	o.drop()
	o.input.close()
}

// groupSet aggregates one grouping set.
type groupSet struct {
	op    *aggOp
	set   int
	keys  []int
	depth int
	table *groupTable
	rows  *rowBuf // the keys of each group; those outside the set are NULL. Empty where the table has them exactly
	exact *tableKeys
	aggs  []*aggRun
	parts []*spillFile // not nil: spilling
	held  int64
	ids   []int32
	sel   []int32
	vals  []column.Datum
	fresh column.Batch // keys of the rows whose groups are new
}

// maxSpillDepth bounds repeated partitioning: groups that hash alike so often
// are not separated by another try.
const maxSpillDepth = 6

func (o *aggOp) newSet(i, depth int) (*groupSet, error) {
	if s := o.spare; s != nil {
		o.spare = nil
		s.restart()
		return s, nil
	}
	s := &groupSet{op: o, set: i, keys: o.sets[i], depth: depth, rows: newRowBuf(o.keyKinds, o.st.rt.batchSize())}
	types := make([]plan.Type, len(s.keys))
	for k, key := range s.keys {
		types[k] = o.node.Keys[key].Expr.ResultType()
	}
	var err error
	if s.table, err = o.st.newGroupTable(types); err != nil {
		return nil, err
	}
	s.table.list()
	for _, a := range o.specs {
		s.aggs = append(s.aggs, o.st.aggRun(a))
	}
	s.vals = make([]column.Datum, len(o.keyKinds))
	s.fresh.Cols = make([]column.Vec, len(o.keyKinds))
	if len(s.keys) == 0 && depth == 0 {
		s.grow()
	}
	return s, nil
}

// restart makes a set without keys be as new, with the memory it has.
func (s *groupSet) restart() {
	s.rows.restart()
	for _, a := range s.aggs {
		a.restart()
	}
	s.grow()
}

// groups returns the number of groups; the empty grouping set always has one.
func (s *groupSet) groups() int {
	if len(s.keys) == 0 {
		return 1
	}
	return s.table.n
}

// grow makes the states have every group.
func (s *groupSet) grow() {
	for _, a := range s.aggs {
		a.state.Grow(s.groups())
	}
	if len(s.keys) == 0 && s.rows.n == 0 {
		for i := range s.vals {
			s.vals[i] = column.Null()
		}
		s.rows.addRow(s.vals)
	}
}

func (s *groupSet) vecs() []*column.Vec {
	out := make([]*column.Vec, len(s.keys))
	for i, k := range s.keys {
		out[i] = s.op.keyVecs[k]
	}
	return out
}

// add aggregates the rows of b, whose keys are in the operator's keyVecs.
func (s *groupSet) add(b *column.Batch) error {
	rows := selected(b, b.Sel)
	var groups []int32
	if len(s.keys) > 0 {
		var err error
		if rows, groups, err = s.number(b, rows); err != nil {
			return err
		}
		s.grow()
		if len(rows) == 0 {
			return s.account()
		}
	}
	for _, a := range s.aggs {
		if err := a.feed(b, rows, groups); err != nil {
			return err
		}
	}
	return s.account()
}

// number finds the group of every row. While spilling, rows of new groups go to disk.
func (s *groupSet) number(b *column.Batch, rows []int32) (sel, groups []int32, err error) {
	vecs := s.vecs()
	if s.parts == nil {
		next := int32(s.table.n)
		ids := s.table.findAll(vecs, rows, true)
		if int(next) < s.table.n && !s.table.exact() {
			s.remember(rows, ids, next, b.N)
		}
		return rows, ids, nil
	}
	s.sel, s.ids = s.sel[:0], s.ids[:0]
	for i, id := range s.table.findAll(vecs, rows, false) {
		r := rows[i]
		if id < 0 {
			if err := s.spill(b, r, vecs); err != nil {
				return nil, nil, err
			}
			continue
		}
		s.ids = append(s.ids, id)
		s.sel = append(s.sel, r)
	}
	return s.sel, s.ids, nil
}

// remember keeps the keys of the rows that were numbered from next on.
func (s *groupSet) remember(rows, ids []int32, next int32, n int) {
	s.sel = s.sel[:0]
	for i, id := range ids {
		if id == next {
			next++
			s.sel = append(s.sel, rows[i])
		}
	}
	for c := range s.fresh.Cols {
		if slices.Contains(s.keys, c) {
			s.fresh.Cols[c] = *s.op.keyVecs[c]
		} else {
			nullColumn(&s.fresh.Cols[c], s.op.keyKinds[c], n)
		}
	}
	s.fresh.N, s.fresh.Sel = n, s.sel
	s.rows.add(&s.fresh)
}

// nullColumn makes a vector of n NULLs.
func nullColumn(v *column.Vec, k column.Kind, n int) {
	v.Resize(k, n)
	for i := range n {
		v.Nulls.Set(i)
	}
}

// keyColumn appends the keys' column c of the groups idx, which start at start.
func (s *groupSet) keyColumn(c, start int, idx []int32, dst *column.Vec) {
	k := slices.Index(s.keys, c)
	switch {
	case len(s.keys) == 0 || !s.table.exact():
		s.rows.gather(c, idx, dst)
	case k < 0:
		nullColumn(dst, s.op.keyKinds[c], len(idx))
	default:
		if s.exact == nil {
			s.exact = s.table.contents()
		}
		s.exact.fill(k, start, len(idx), dst)
	}
}

func (s *groupSet) spill(b *column.Batch, r int32, vecs []*column.Vec) error {
	key := s.table.keys.of(vecs, r, nil)
	p := hashKey(key, s.depth+1) % spillParts
	if s.parts[p] == nil {
		f, err := s.op.st.newSpill(s.op.inKinds)
		if err != nil {
			return err
		}
		s.parts[p] = f
	}
	vals := make([]column.Datum, len(s.op.inKinds))
	for c := range vals {
		vals[c] = b.Cols[c].Datum(int(r))
	}
	return s.parts[p].add(vals)
}

// account notices how much memory is in use and starts to spill when it is too much.
func (s *groupSet) account() error {
	held := s.table.memory() + s.rows.memory()
	for _, a := range s.aggs {
		held += a.memory()
	}
	st := s.op.st
	err := st.grow(held - s.held)
	s.held = held
	s.op.figures.Memory = max(s.op.figures.Memory, held)
	if err != nil {
		return err
	}
	if s.parts == nil && held > st.rt.hashLimit() && st.rt.TempFS != nil && !s.op.streaming() &&
		len(s.keys) > 0 && s.depth < maxSpillDepth && s.table.n >= 16 {
		s.parts = make([]*spillFile, spillParts)
	}
	return nil
}

// finish completes ordered aggregates and queues what was spilled.
func (s *groupSet) finish() error {
	if len(s.keys) == 0 {
		s.grow()
	}
	for _, a := range s.aggs {
		if err := a.flush(); err != nil {
			return err
		}
	}
	for _, p := range s.parts {
		if p == nil {
			continue
		}
		if err := p.seal(); err != nil {
			return err
		}
		s.op.figures.Spilled += p.size
		s.op.figures.Parts++
		s.op.queue = append(s.op.queue, partition{s.set, s.depth + 1, p})
	}
	s.parts = nil
	return nil
}
