package exec

import (
	"bytes"
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// mergeJoinOp joins inputs that are sorted by their keys: the rows of the right
// side with one key are kept while left rows with that key pass by.
type mergeJoinOp struct {
	st          *state
	left, right operator
	leftKey     *rowKey
	rightKey    *rowKey
	pairs       *pairJoin
	rightKinds  []column.Kind

	batch  *column.Batch
	row    int
	group  *rowBuf // right rows with the key groupKey
	key    []byte
	loaded bool
	rbatch *column.Batch
	rrow   int
	rkey   []byte
	rnull  bool
	rdone  bool
	done   bool
	at     int
	sub    int
	start  bool
}

func (st *state) newMergeJoin(n *plan.MergeJoin) (operator, error) {
	o := &mergeJoinOp{st: st, rightKinds: st.kinds(n.Right)}
	if n.Kind == plan.AntiNullJoin {
		return nil, pgerr.Unsupported("NOT IN by merging is not supported")
	}
	var err error
	if o.left, err = st.operator(n.Left); err != nil {
		return nil, err
	}
	if o.right, err = st.operator(n.Right); err != nil {
		return nil, err
	}
	if o.leftKey, err = st.mergeKey(n.LeftKeys, n.Orders); err != nil {
		return nil, err
	}
	if o.rightKey, err = st.mergeKey(n.RightKeys, n.Orders); err != nil {
		return nil, err
	}
	for i := range n.LeftKeys {
		if l, r := n.LeftKeys[i].ResultType().OID, n.RightKeys[i].ResultType().OID; !sameKeys(st, l, r) {
			return nil, fmt.Errorf("exec: types %d and %d cannot be joined by merging", l, r)
		}
	}
	o.pairs, err = st.newPairJoin(n.Kind, n.Cond, st.kinds(n.Left), o.rightKinds)
	return o, err
}

func (st *state) mergeKey(exprs []plan.Expr, orders []plan.SortKey) (*rowKey, error) {
	keys := make([]plan.SortKey, len(exprs))
	for i, e := range exprs {
		keys[i] = plan.SortKey{Expr: e}
		if i < len(orders) {
			keys[i].Desc, keys[i].NullsFirst, keys[i].Collation = orders[i].Desc, orders[i].NullsFirst, orders[i].Collation
		}
	}
	return st.sortKey(keys)
}

func (o *mergeJoinOp) open() error {
	o.batch, o.rbatch, o.group, o.loaded, o.rdone, o.done, o.start = nil, nil, nil, false, false, false, true
	o.pairs.clearPairs()
	if err := o.left.open(); err != nil {
		return err
	}
	return o.right.open()
}

func (o *mergeJoinOp) close() {
	o.left.close()
	o.right.close()
}

// advance moves to the next right row.
func (o *mergeJoinOp) advance() error {
	for {
		if o.rbatch != nil && o.rrow+1 < o.rbatch.Len() {
			o.rrow++
			break
		}
		b, err := o.right.next()
		if err != nil {
			return err
		}
		if b == nil {
			o.rdone = true
			return nil
		}
		if err := o.rightKey.prepare(b); err != nil {
			return err
		}
		o.rbatch, o.rrow = b, -1
	}
	r := int32(o.rbatch.Row(o.rrow))
	o.rkey = o.rightKey.at(r, o.rkey[:0])
	o.rnull = anyNull(o.rightKey.vecs, int(r))
	return nil
}

// load makes the next right rows with one key the group.
func (o *mergeJoinOp) load() error {
	o.group = newRowBuf(o.rightKinds, o.st.rt.batchSize())
	o.pairs.rightOK = o.pairs.rightOK[:0]
	o.loaded = true
	o.key = append(o.key[:0], o.rkey...)
	null := o.rnull
	for !o.rdone && bytes.Equal(o.rkey, o.key) && o.rnull == null {
		before := o.group.memory()
		o.group.add(&column.Batch{Cols: o.rbatch.Cols, N: o.rbatch.N, Sel: []int32{int32(o.rbatch.Row(o.rrow))}})
		if err := o.st.grow(o.group.memory() - before); err != nil {
			return err
		}
		if err := o.advance(); err != nil {
			return err
		}
	}
	if null {
		o.key = nil // equals nothing
	}
	return nil
}

func (o *mergeJoinOp) next() (*column.Batch, error) {
	if o.start {
		o.start = false
		if err := o.advance(); err != nil {
			return nil, err
		}
	}
	for !o.done {
		b, err := o.step()
		if err != nil || b != nil {
			return b, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// step does one thing: reads a left batch, moves on to another right group, or
// pairs left rows with the group.
func (o *mergeJoinOp) step() (*column.Batch, error) {
	if o.batch == nil {
		b, err := o.left.next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			return o.rest()
		}
		if err := o.leftKey.prepare(b); err != nil {
			return nil, err
		}
		o.batch, o.row, o.sub = b, 0, 0
		o.pairs.startBatch(b.N)
	}
	var key []byte
	for o.row < o.batch.Len() && len(o.pairs.left) < o.st.rt.batchSize() {
		l := int32(o.batch.Row(o.row))
		key = o.leftKey.at(l, key[:0])
		null := anyNull(o.leftKey.vecs, int(l))
		if !null && o.behind(key) {
			if len(o.pairs.left) > 0 {
				break // the pairs refer to the group that is to be left
			}
			return o.moveOn()
		}
		if !null && o.loaded && o.key != nil && bytes.Equal(o.key, key) {
			for o.sub < o.group.n && len(o.pairs.left) < o.st.rt.batchSize() {
				o.pairs.add(l, int32(o.sub))
				o.sub++
			}
			if o.sub < o.group.n {
				break
			}
		}
		if o.pairs.wantsEnd() {
			o.pairs.addEnd(l)
		}
		o.row, o.sub = o.row+1, 0
	}
	group := o.group
	if group == nil {
		group = newRowBuf(o.rightKinds, 1)
	}
	b, err := o.pairs.flush(o.batch, group.gather)
	if o.row >= o.batch.Len() {
		o.batch = nil
	}
	return b, err
}

// behind reports whether the right group lies before a left key, and more may follow.
func (o *mergeJoinOp) behind(key []byte) bool {
	if !o.loaded {
		return !o.rdone
	}
	return (o.key == nil || bytes.Compare(o.key, key) < 0) && !(o.rdone && !o.pairs.keepsRight())
}

// moveOn leaves the group, yielding its rows without a match, and loads the next.
func (o *mergeJoinOp) moveOn() (*column.Batch, error) {
	if o.loaded && o.pairs.keepsRight() {
		if b := o.pairs.keptRight(&o.at, o.group.n, o.group.gather); b != nil {
			return b, nil
		}
	}
	if o.group != nil {
		o.st.shrink(o.group.memory())
	}
	o.at = 0
	if o.rdone {
		o.group, o.loaded = nil, false
		return nil, nil
	}
	return nil, o.load()
}

// rest yields what is left of the right side when the left side has ended.
func (o *mergeJoinOp) rest() (*column.Batch, error) {
	if !o.pairs.keepsRight() || (!o.loaded && o.rdone) {
		o.done = true
		return nil, nil
	}
	return o.moveOn()
}
