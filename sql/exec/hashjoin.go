package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// hashJoinOp builds a table of the right rows and probes it with the left rows.
// When the right side does not fit into memory, both sides are partitioned by
// the hash of their keys into files, and the partitions are joined one after
// the other (grace hash join), again partitioned when still too large.
type hashJoinOp struct {
	st                    *state
	node                  *plan.HashJoin
	left, right           operator
	leftKeys, rightKeys   []expr
	keyTypes              []plan.Type
	leftKinds, rightKinds []column.Kind
	pairs                 *pairJoin
	keeper
	figures *NodeStats

	shared  *hashJoinOp // whose table this worker searches
	prober  groupKeys
	table   *joinTable
	spare   *joinTable // a small one to use again: a join in a subquery is opened for every outer row
	probe   rowSource  // left rows of the current part
	depth   int
	queue   []joinPart
	part    *joinPart
	split   bool // the right side went to partitions
	rows    int64
	hasNull bool // AntiNullJoin: the right side has a row with a NULL key

	batch *column.Batch
	keys  []*column.Vec
	found []int32 // by position in batch: first right row, or -1
	sel   []int32
	at32  []int32
	row   int
	chain int32 // next right row of the current left row, -1 none
	fresh bool  // the current left row was not looked up yet
	tail  bool  // left rows are done; unmatched right rows follow
	at    int
}

// rowSource is where a side's rows come from: an operator or a file.
type rowSource interface {
	next() (*column.Batch, error)
}

type fileSource struct {
	r    *spillReader
	size int
	b    column.Batch
}

func (f *fileSource) next() (*column.Batch, error) {
	ok, err := f.r.batch(&f.b, f.size)
	if err != nil || !ok {
		return nil, err
	}
	return &f.b, nil
}

// joinPart is a pair of files that wait to be joined.
type joinPart struct {
	left, right *spillFile
	depth       int
}

func (p *joinPart) close() {
	for _, f := range []*spillFile{p.left, p.right} {
		if f != nil {
			f.close()
		}
	}
}

// joinTable holds the right rows and finds them by key.
type joinTable struct {
	rows  *rowBuf
	keys  *groupTable
	alone bool    // no key has come twice and each row has one: key and row have the same number, and what follows is empty
	heads []int32 // by key number: first row
	tails []int32
	chain []int32 // by row: next row with the same key, or -1
	held  int64
}

// link fills heads, tails and chain, which were not needed so far.
func (t *joinTable) link(rows int) {
	t.alone = false
	for i := range t.keys.n {
		t.heads, t.tails = append(t.heads, int32(i)), append(t.tails, int32(i))
	}
	for range rows {
		t.chain = append(t.chain, -1)
	}
}

// restart empties the table and keeps its memory.
func (t *joinTable) restart() {
	t.rows.restart()
	t.keys.restart()
	t.heads, t.tails, t.chain, t.held, t.alone = t.heads[:0], t.tails[:0], t.chain[:0], 0, true
}

func (st *state) newHashJoin(n *plan.HashJoin) (operator, error) {
	o := &hashJoinOp{st: st, node: n, leftKinds: st.kinds(n.Left), rightKinds: st.kinds(n.Right), figures: st.figures(n)}
	o.keeper = keeper{st: st, node: n.Right}
	if n.Kind == plan.AntiNullJoin && (n.Cond != nil || len(n.LeftKeys) != 1) {
		return nil, pgerr.Unsupported("NOT IN join with several keys or a further condition is not supported")
	}
	var err error
	if o.left, err = st.operator(n.Left); err != nil {
		return nil, err
	}
	if o.right, err = st.operator(n.Right); err != nil {
		return nil, err
	}
	if o.leftKeys, err = st.compileAll(n.LeftKeys); err != nil {
		return nil, err
	}
	if o.rightKeys, err = st.compileAll(n.RightKeys); err != nil {
		return nil, err
	}
	o.keyTypes = exprTypes(n.RightKeys)
	for i, t := range o.keyTypes {
		if lt := n.LeftKeys[i].ResultType().OID; !sameKeys(st, lt, t.OID) {
			return nil, fmt.Errorf("exec: types %d and %d cannot be joined by hashing", lt, t.OID)
		}
	}
	o.keys = make([]*column.Vec, len(o.leftKeys))
	o.pairs, err = st.newPairJoin(n.Kind, n.Cond, o.leftKinds, o.rightKinds)
	return o, err
}

// openShared builds the table for workers. It reports false where the right
// side went to disk.
func (o *hashJoinOp) openShared() (bool, error) {
	if o.table != nil && !o.split && o.keeper.fresh() {
		return true, nil
	}
	o.drop()
	err := o.openRight()
	return !o.split, err
}

// openRight reads the right side.
func (o *hashJoinOp) openRight() error {
	o.rows, o.hasNull, o.split = 0, false, false
	if err := o.right.open(); err != nil {
		return err
	}
	o.mark()
	err := o.build(o.right, 0)
	if err != nil {
		o.forget()
	}
	return err
}

// openWorker makes the operator search the table that was built for all workers.
func (o *hashJoinOp) openWorker() error {
	o.resetProbe()
	t := *o.shared.table
	t.held = 0
	o.table, o.rows, o.hasNull, o.prober = &t, o.shared.rows, o.shared.hasNull, groupKeys{table: t.keys}
	if o.rows == 0 && !o.pairs.wantsEnd() {
		o.probe = noRows{}
		return nil
	}
	o.probe = o.left
	return o.left.open()
}

func (o *hashJoinOp) open() error {
	if o.shared != nil {
		return o.openWorker()
	}
	keep := o.table != nil && !o.split && o.keeper.fresh()
	if !keep {
		o.drop()
	}
	o.resetProbe()
	var first *column.Batch
	if !keep {
		o.rows = 0
		if o.leftFirst() {
			var err error
			if first, err = o.peek(); err != nil {
				return err
			}
			if first == nil {
				o.probe = noRows{} // nothing to look up: the right side is never run
				return nil
			}
		}
		if err := o.openRight(); err != nil {
			return err
		}
	}
	if o.rows == 0 && !o.pairs.wantsEnd() && (!o.pairs.keepsRight() || o.pairs.rightOnly) {
		o.probe = noRows{} // nothing can match: the left side is never run
		return nil
	}
	if first != nil {
		o.probe = &peekedSource{first: first, rest: o.left}
	} else {
		if err := o.left.open(); err != nil {
			return err
		}
		o.probe = o.left
	}
	if o.split {
		return o.partitionLeft(o.probe)
	}
	return nil
}

// leftFirst reports whether it is worth looking for a left row before the right side is
// read: without one there is no result, and the left side is the cheaper one to ask.
func (o *hashJoinOp) leftFirst() bool {
	return !o.pairs.keepsRight() && o.node.Left.Info().TotalCost < o.node.Right.Info().TotalCost
}

// peek opens the left side and returns its first rows, nil if there are none.
func (o *hashJoinOp) peek() (*column.Batch, error) {
	if err := o.left.open(); err != nil {
		return nil, err
	}
	for {
		b, err := o.left.next()
		if err != nil || b == nil || b.Len() > 0 {
			return b, err
		}
	}
}

// peekedSource yields a batch that was read already before the rest.
type peekedSource struct {
	first *column.Batch
	rest  rowSource
}

func (p *peekedSource) next() (*column.Batch, error) {
	if b := p.first; b != nil {
		p.first = nil
		return b, nil
	}
	return p.rest.next()
}

func (o *hashJoinOp) resetProbe() {
	o.batch, o.row, o.chain, o.fresh, o.tail, o.at = nil, 0, -1, true, false, 0
	o.pairs.rightOK = o.pairs.rightOK[:0]
	o.pairs.clearPairs()
}

// spareBytes is the size up to which a table is kept for the next time.
const spareBytes = 64 << 10

func (o *hashJoinOp) newTable() (*joinTable, error) {
	if t := o.spare; t != nil {
		o.spare, o.prober.table = nil, t.keys
		return t, nil
	}
	keys, err := o.st.newGroupTable(o.keyTypes)
	if err != nil {
		return nil, err
	}
	o.prober = groupKeys{table: keys}
	t := &joinTable{alone: true, rows: newRowBuf(o.rightKinds, o.st.rt.batchSize()), keys: keys}
	if !o.st.rt.Knobs.NoPacking {
		t.rows.intern()
	}
	return t, nil
}

// build reads the right side into a table, or into partitions when it is too large.
func (o *hashJoinOp) build(in rowSource, depth int) error {
	var err error
	if o.table, err = o.newTable(); err != nil {
		return err
	}
	o.depth = depth
	for {
		b, err := in.next()
		if err != nil {
			return err
		}
		if b == nil {
			o.table.rows.seal()
			return nil
		}
		keys, err := evalKeys(o.rightKeys, b, o.keys)
		if err != nil {
			return err
		}
		o.rows += int64(b.Len())
		o.insert(b, keys)
		if err := o.account(); err != nil {
			return err
		}
		if o.table.held > o.st.rt.hashLimit() && o.st.rt.TempFS != nil && depth < maxSpillDepth &&
			o.node.Kind != plan.AntiNullJoin && o.table.rows.n > 16 {
			return o.partitionRight(in, depth)
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

func evalKeys(exprs []expr, b *column.Batch, dst []*column.Vec) ([]*column.Vec, error) {
	for i, e := range exprs {
		v, err := e.vec(b, b.Sel)
		if err != nil {
			return nil, err
		}
		dst[i] = v
	}
	return dst, nil
}

// unmatchable reports whether a key contains a NULL that equals nothing.
func (o *hashJoinOp) unmatchable(keys []*column.Vec, r int32) bool {
	for i, v := range keys {
		if len(v.Nulls) > 0 && at(v, int(r)).Null && (i >= len(o.node.NullSafe) || !o.node.NullSafe[i]) {
			return true
		}
	}
	return false
}

func (o *hashJoinOp) insert(b *column.Batch, keys []*column.Vec) {
	t := o.table
	first, before := int32(t.rows.n), t.keys.n
	t.rows.add(b)
	rows := selected(b, b.Sel)
	o.sel, o.at32 = o.sel[:0], o.at32[:0]
	if nulls := mayBeNull(keys); nulls {
		for i, r := range rows {
			if o.unmatchable(keys, r) {
				o.hasNull = true
				continue
			}
			o.sel, o.at32 = append(o.sel, r), append(o.at32, first+int32(i))
		}
	} else {
		o.sel = append(o.sel, rows...)
		for i := range rows {
			o.at32 = append(o.at32, first+int32(i))
		}
	}
	ids := t.keys.findAll(keys, o.sel, true)
	if t.alone && before == int(first) && t.keys.n == t.rows.n {
		return
	}
	if t.alone {
		n := t.keys.n
		t.keys.n = before
		t.link(int(first))
		t.keys.n = n
	}
	for range rows {
		t.chain = append(t.chain, -1)
	}
	for i, id := range ids {
		row := o.at32[i]
		if int(id) == len(t.heads) {
			t.heads, t.tails = append(t.heads, row), append(t.tails, row)
		} else {
			t.chain[t.tails[id]] = row
			t.tails[id] = row
		}
	}
}

// mayBeNull reports whether some key column has NULLs.
func mayBeNull(keys []*column.Vec) bool {
	for _, v := range keys {
		if len(v.Nulls) > 0 {
			return true
		}
	}
	return false
}

func (o *hashJoinOp) account() error {
	t := o.table
	held := t.rows.memory() + t.keys.memory() + int64(cap(t.chain)+cap(t.heads)+cap(t.tails))*4
	err := o.st.grow(held - t.held)
	t.held = held
	o.figures.Memory = max(o.figures.Memory, held)
	return err
}

func (o *hashJoinOp) next() (*column.Batch, error) {
	for {
		if o.tail {
			if o.pairs.keepsRight() {
				if b := o.pairs.keptRight(&o.at, o.table.rows.n, o.table.rows.gather); b != nil {
					return b, nil
				}
			}
			more, err := o.nextPart()
			if err != nil || !more {
				return nil, err
			}
			continue
		}
		b, err := o.step()
		if err != nil || b != nil {
			return b, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
}

// step probes until about a batch of pairs was found.
func (o *hashJoinOp) step() (*column.Batch, error) {
	if o.batch == nil {
		b, err := o.probe.next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			o.tail = true
			return nil, nil
		}
		if o.node.Kind == plan.AntiNullJoin && o.rows == 0 {
			return b, nil // NOT IN of nothing is true
		}
		if o.keys, err = evalKeys(o.leftKeys, b, o.keys); err != nil {
			return nil, err
		}
		o.batch, o.row, o.fresh = b, 0, true
		o.pairs.startBatch(b.N)
		o.lookup(selected(b, b.Sel))
		if o.single() {
			o.batch = nil
			return o.stepSingle(b)
		}
	}
	rows, limit := selected(o.batch, o.batch.Sel), o.st.rt.batchSize()
	first := o.pairs.oneMatch() && o.pairs.cond == nil
	for o.row < len(rows) && len(o.pairs.left) < limit {
		l := rows[o.row]
		if o.fresh {
			o.chain, o.fresh = o.found[o.row], false
		}
		for o.chain >= 0 && len(o.pairs.left) < limit {
			o.pairs.add(l, o.chain)
			if first || o.table.alone {
				o.chain = -1
			} else {
				o.chain = o.table.chain[o.chain]
			}
		}
		if o.chain >= 0 {
			break
		}
		if o.pairs.wantsEnd() && !o.unknown(l) {
			o.pairs.addEnd(l)
		}
		o.row++
		o.fresh = true
	}
	b, err := o.pairs.flush(o.batch, o.table.rows.gather)
	if o.row >= len(rows) {
		o.batch = nil
	}
	return b, err
}

// lookup finds the first right row for every left row of the batch.
func (o *hashJoinOp) lookup(rows []int32) {
	if cap(o.found) < len(rows) {
		o.found = make([]int32, max(len(rows), column.BatchSize))
	}
	o.found = o.found[:len(rows)]
	ids := o.prober.find(o.keys, rows, false)
	if o.table.alone {
		copy(o.found, ids)
	} else {
		heads := o.table.heads
		for i, id := range ids {
			if id >= 0 {
				id = heads[id]
			}
			o.found[i] = id
		}
	}
	if mayBeNull(o.keys) {
		for i, r := range rows {
			if o.unmatchable(o.keys, r) {
				o.found[i] = -1
			}
		}
	}
}

// unknown reports whether NOT IN is unknown for a left row without a match.
func (o *hashJoinOp) unknown(l int32) bool {
	return o.node.Kind == plan.AntiNullJoin && (o.hasNull || at(o.keys[0], int(l)).Null)
}

func (o *hashJoinOp) drop() {
	if o.table != nil {
		o.st.shrink(o.table.held)
		if o.table.held <= spareBytes {
			o.spare = o.table
			o.spare.restart()
		}
		o.table = nil
	}
	for i := range o.queue {
		o.queue[i].close()
	}
	if o.part != nil {
		o.part.close()
		o.part = nil
	}
	o.queue = nil
	o.forget()
}

func (o *hashJoinOp) close() {
	if o.shared != nil {
		o.table = nil
		o.left.close()
		return
	}
	o.drop()
	o.left.close()
	o.right.close()
}
