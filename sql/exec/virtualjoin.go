package exec

import (
	"encoding/binary"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// virtualLookup finds the rows of a system catalog for the left rows of an index join:
// one look-up per distinct key.
type virtualLookup struct {
	join   *indexJoinOp
	reader *virtualReader
	pass   column.Bitmap
}

func (st *state) newVirtualJoin(n *plan.IndexJoin) (operator, error) {
	o := &indexJoinOp{st: st, node: n}
	x := &virtualLookup{join: o}
	o.find = x.lookup
	var err error
	if o.left, err = st.operator(n.Left); err != nil {
		return nil, err
	}
	if o.keys, err = st.compileAll(n.Keys); err != nil {
		return nil, err
	}
	if x.reader, err = st.virtualReader(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	if o.filter, err = st.predicate(n.Filter); err != nil {
		return nil, err
	}
	o.vecs = make([]*column.Vec, len(o.keys))
	if o.fetch, err = st.fetch(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	o.pairs, err = st.newPairJoin(n.Kind, n.Cond, st.kinds(n.Left), o.fetch.kinds)
	return o, err
}

func (x *virtualLookup) lookup(b *column.Batch) error {
	o := x.join
	var err error
	if o.vecs, err = evalKeys(o.keys, b, o.vecs); err != nil {
		return err
	}
	o.rows = newRowBuf(o.fetch.kinds, o.st.rt.batchSize())
	x.reader.indexed(o.node.Lookup, b.Len())
	found := map[string][]int32{}
	equal := make([]VirtualEqual, len(o.keys))
	o.match = o.match[:0]
	var key []byte
	for _, r := range selected(b, b.Sel) {
		if anyNull(o.vecs, int(r)) {
			o.match = append(o.match, nil)
			continue
		}
		key = key[:0]
		for k, v := range o.vecs {
			d := at(v, int(r))
			equal[k] = VirtualEqual{Attr: o.node.Lookup[k], Value: d}
			key = binary.AppendVarint(key, d.I)
			key = append(binary.AppendUvarint(key, uint64(len(d.B))), d.B...)
		}
		list, ok := found[string(key)]
		if !ok {
			first := o.rows.n
			if index := x.reader.index; index != nil {
				x.reader.refs = index.Find(equal, x.reader.refs[:0])
				o.rows.share(index.Batches(), x.reader.refs)
			} else if err := x.reader.find(equal, o.rows, o.st.rt.canceled); err != nil {
				return err
			}
			for i := first; i < o.rows.n; i++ {
				list = append(list, int32(i))
			}
			found[string(key)] = list
		}
		o.match = append(o.match, list)
	}
	return x.filter()
}

// filter takes the rows that fail the join's own filter out of the matches.
func (x *virtualLookup) filter() error {
	o := x.join
	if o.filter == nil || o.rows.n == 0 {
		return nil
	}
	x.pass = x.pass[:0]
	for k, b := range o.rows.batches {
		sel, err := o.filter.filter(b, nil, o.filtSl[:0])
		if err != nil {
			return err
		}
		o.filtSl = sel
		for _, r := range sel {
			x.pass.Set(k*o.rows.size + int(r))
		}
	}
	for i, list := range o.match {
		var keep []int32 // lists are shared between left rows
		for _, r := range list {
			if x.pass.Get(int(r)) {
				keep = append(keep, r)
			}
		}
		o.match[i] = keep
	}
	return nil
}
