package exec

import (
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// indexJoinOp looks up right rows for batches of left rows: by storage key in
// one read per batch; by index with one short scan per distinct key and then
// one read of all rows found.
type indexJoinOp struct {
	st      *state
	node    *plan.IndexJoin
	left    operator
	keys    []expr
	parts   []keyPart
	unique  bool // the whole storage key or unique index key is given
	fetch   *fetch
	filter  predicate
	pairs   *pairJoin
	figures *NodeStats
	access  *Access
	find    func(*column.Batch) error // fills rows and match for a left batch

	in     column.Batch
	found  []bool
	batch  *column.Batch
	rows   *rowBuf   // the right rows found for the batch
	match  [][]int32 // by left row: right rows
	at     int
	sub    int
	vecs   []*column.Vec
	filtSl []int32
}

func (st *state) newIndexJoin(n *plan.IndexJoin) (operator, error) {
	switch n.Kind {
	case plan.InnerJoin, plan.LeftJoin, plan.SemiJoin, plan.FirstJoin, plan.AntiJoin:
	default:
		return nil, pgerr.Unsupported("this kind of join by index is not supported")
	}
	if n.Lookup != nil {
		return st.newVirtualJoin(n)
	}
	o := &indexJoinOp{st: st, node: n, figures: st.figures(n)}
	o.find = o.lookup
	var err error
	if o.left, err = st.operator(n.Left); err != nil {
		return nil, err
	}
	if o.keys, err = st.compileAll(n.Keys); err != nil {
		return nil, err
	}
	if n.Index == nil || n.Index.Store == 0 {
		o.parts, o.access = st.storageKey(n.Table), st.rt.keyAccess(n.Table)
		o.unique = len(o.keys) == len(o.parts)
	} else {
		o.parts, o.access = st.indexKey(n.Index), st.rt.access(n.Index.OID)
	}
	if o.fetch, err = st.fetch(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	if o.filter, err = st.predicate(n.Filter); err != nil {
		return nil, err
	}
	o.vecs = make([]*column.Vec, len(o.keys))
	o.pairs, err = st.newPairJoin(n.Kind, n.Cond, st.kinds(n.Left), o.fetch.kinds)
	return o, err
}

func (o *indexJoinOp) open() error {
	o.batch = nil
	o.pairs.clearPairs()
	return o.left.open()
}

func (o *indexJoinOp) close() { o.left.close() }

func (o *indexJoinOp) next() (*column.Batch, error) {
	for {
		if o.batch == nil {
			b, err := o.left.next()
			if err != nil || b == nil {
				return nil, err
			}
			if err := o.find(b); err != nil {
				return nil, err
			}
			o.batch, o.at, o.sub = b, 0, 0
			o.pairs.startBatch(b.N)
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

// step turns the next matches into pairs.
func (o *indexJoinOp) step() (*column.Batch, error) {
	rows, limit := selected(o.batch, o.batch.Sel), o.st.rt.batchSize()
	for o.at < len(rows) && len(o.pairs.left) < limit {
		l := rows[o.at]
		m := o.match[o.at]
		for o.sub < len(m) && len(o.pairs.left) < limit {
			o.pairs.add(l, m[o.sub])
			o.sub++
		}
		if o.sub < len(m) {
			break
		}
		if o.pairs.wantsEnd() {
			o.pairs.addEnd(l)
		}
		o.at, o.sub = o.at+1, 0
	}
	b, err := o.pairs.flush(o.batch, o.rows.gather)
	if o.at >= len(rows) {
		o.batch = nil
	}
	return b, err
}

// lookup finds the right rows for all rows of b.
func (o *indexJoinOp) lookup(b *column.Batch) error {
	var err error
	if o.vecs, err = evalKeys(o.keys, b, o.vecs); err != nil {
		return err
	}
	rows := selected(b, b.Sel)
	wanted := map[string]int32{} // key → its number
	var list [][]byte
	number := make([]int32, len(rows))
	for i, r := range rows {
		number[i] = -1
		if anyNull(o.vecs, int(r)) {
			continue
		}
		var key []byte
		for k, v := range o.vecs {
			key = o.parts[k].encode(key, at(v, int(r)))
		}
		n, ok := wanted[string(key)]
		if !ok {
			n = int32(len(list))
			wanted[string(key)] = n
			list = append(list, key)
		}
		number[i] = n
	}
	o.access.Scans += int64(len(list))
	o.rows = newRowBuf(o.fetch.kinds, o.st.rt.batchSize())
	found := make([][]int32, len(list))
	if o.unique {
		err = o.byKey(list, found)
	} else {
		err = o.byScan(list, found)
	}
	if err != nil {
		return err
	}
	o.match = o.match[:0]
	for _, n := range number {
		if n < 0 {
			o.match = append(o.match, nil)
		} else {
			o.match = append(o.match, found[n])
		}
	}
	return nil
}

// byKey reads rows whose storage keys are known. Keys are read in order, which
// storage likes.
func (o *indexJoinOp) byKey(list [][]byte, found [][]int32) error {
	owner := make([]int32, len(list))
	for i := range owner {
		owner[i] = int32(i)
	}
	return o.read(list, owner, found)
}

// read fetches the rows of storage keys; owner says to which look-up each belongs.
func (o *indexJoinOp) read(list [][]byte, owner []int32, found [][]int32) error {
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return compareKeys(list[a], list[b]) })
	for len(order) > 0 {
		n := min(len(order), o.st.rt.batchSize())
		part := make([][]byte, n)
		for i, k := range order[:n] {
			part[i] = list[k]
		}
		b, err := o.st.getBatch(o.figures, engine.StoreID(o.node.Table.Store), part, o.fetch, &o.in, &o.found)
		if err != nil {
			return err
		}
		o.access.fetched(b, true)
		if b != nil {
			if err := o.keep(b, order[:n], owner, found); err != nil {
				return err
			}
		}
		order = order[n:]
	}
	return nil
}

func (o *indexJoinOp) keep(b *column.Batch, order, owner []int32, found [][]int32) error {
	sel := selected(b, b.Sel)
	if o.filter != nil {
		var err error
		if sel, err = o.filter.filter(b, sel, o.filtSl[:0]); err != nil {
			return err
		}
		o.filtSl = sel
	}
	for _, r := range sel {
		look := owner[order[r]]
		found[look] = append(found[look], int32(o.rows.n))
		o.rows.add(&column.Batch{Cols: b.Cols, N: b.N, Sel: []int32{r}})
	}
	return nil
}

// byScan reads the entries under each key prefix, then the rows of all of them.
func (o *indexJoinOp) byScan(list [][]byte, found [][]int32) error {
	var storage [][]byte
	var owner []int32
	var a arena
	table := o.node.Index == nil || o.node.Index.Store == 0
	var b column.Batch
	for i, prefix := range list {
		end, ok := keys.PrefixEnd(nil, prefix)
		if !ok {
			end = nil
		}
		opts := engine.ScanOptions{Lower: prefix, Upper: end, Cols: []int{0}, Stats: &o.figures.Read}
		store := o.node.Table.Store
		if table {
			opts.Cols, opts.Keys = []int{}, true
		} else {
			store = o.node.Index.Store
		}
		it := o.st.rt.Snapshot.Scan(engine.StoreID(store), opts)
		for {
			ok, err := it.Next(&b)
			if err != nil {
				it.Close()
				return err
			}
			if !ok {
				break
			}
			found := it.Keys()
			if !table {
				found = b.Cols[0].B
			}
			for _, k := range found {
				storage = append(storage, a.copy(k))
				owner = append(owner, int32(i))
			}
		}
		it.Close()
	}
	return o.read(storage, owner, found)
}
