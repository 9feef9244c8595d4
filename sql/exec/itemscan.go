package exec

import (
	"cmp"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/itemkey"
	"github.com/omendb/omendb/sql/plan"
)

// itemScanOp finds the rows that hold given items through an index of the method gin, and reads them in the order of
// the table.
type itemScanOp struct {
	selection
	st       *state
	node     *plan.ItemScan
	searches []itemSearcher
	fetch    *fetch
	rows     [][]byte // storage keys, in order
	held     int64
	at       int
	in       column.Batch
	found    []bool
	access   *Access
}

type itemSearcher struct {
	coder    *itemkey.Coder
	strategy int
	value    expr
}

func (st *state) newItemScan(n *plan.ItemScan) (operator, error) {
	o := &itemScanOp{selection: selection{figures: st.figures(n)}, st: st, node: n, access: st.rt.access(n.Index.OID)}
	coders, err := itemkey.Coders(st.env, n.Index)
	if err != nil {
		return nil, err
	}
	for _, s := range n.Searches {
		value, err := st.compile(s.Value)
		if err != nil {
			return nil, err
		}
		o.searches = append(o.searches, itemSearcher{coders[s.Column], s.Strategy, value})
	}
	if o.fetch, err = st.fetch(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	o.cond, err = st.predicate(n.Filter)
	return o, err
}

func (o *itemScanOp) open() error {
	o.close()
	for i, s := range o.searches {
		d, err := s.value.row(&row{})
		if err != nil {
			return err
		}
		rows, err := o.find(s.coder, s.coder.Search(s.strategy, d))
		if err != nil {
			return err
		}
		if i > 0 {
			rows = intersect(o.rows, rows)
		}
		if o.rows = rows; len(rows) == 0 {
			return nil
		}
	}
	return nil
}

// find returns the storage keys of the rows that a search asks for, in order, and perhaps others.
func (o *itemScanOp) find(c *itemkey.Coder, s itemkey.Search) ([][]byte, error) {
	ranges := c.Ranges(s)
	if s.Any || s.Whole {
		var out [][]byte
		for _, r := range ranges {
			rows, err := o.entries(r[0], r[1])
			if err != nil {
				return nil, err
			}
			out = append(out, rows...)
		}
		if s.Whole || len(ranges) > 1 {
			out = itemkey.Sort(out)
		}
		return out, nil
	}
	return o.findAll(ranges)
}

// findAll intersects the rows of all items, the rarest first. An item that is much more frequent than what is left is
// not looked up: the rows are checked anyway.
func (o *itemScanOp) findAll(ranges [][2][]byte) ([][]byte, error) {
	counts := make([]float64, len(ranges))
	order := make([]int, len(ranges))
	for i, r := range ranges {
		order[i] = i
		if t := o.st.rt.Txn; len(ranges) > 1 && t != nil && t.Options().Isolation != engine.Serializable {
			counts[i] = o.st.rt.Snapshot.EstimateRange(engine.StoreID(o.node.Index.Store), r[0], r[1])
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[a], counts[b]) })
	var out [][]byte
	for n, i := range order {
		if n > 0 && counts[i] > worthwhile*float64(len(out)) {
			break
		}
		rows, err := o.entries(ranges[i][0], ranges[i][1])
		if err != nil {
			return nil, err
		}
		if n > 0 {
			rows = intersect(out, rows)
		}
		if out = rows; len(out) == 0 {
			break
		}
	}
	return out, nil
}

// worthwhile is how many entries may be read for each row that is left: reading and checking a row costs as much.
const worthwhile = 10

// entries returns the storage keys of the index entries between two keys.
func (o *itemScanOp) entries(lower, upper []byte) ([][]byte, error) {
	o.access.Scans++
	it := o.st.rt.Snapshot.Scan(engine.StoreID(o.node.Index.Store), engine.ScanOptions{Lower: lower, Upper: upper, Stats: &o.figures.Read, Cols: []int{0}})
	defer it.Close()
	var batch column.Batch
	var out [][]byte
	for {
		ok, err := it.Next(&batch)
		if err != nil || !ok {
			return out, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
		n, size := batch.Len(), 0
		for i := range n {
			size += len(batch.Cols[0].B[batch.Row(i)])
		}
		arena := make([]byte, 0, size)
		for i := range n {
			from := len(arena)
			arena = append(arena, batch.Cols[0].B[batch.Row(i)]...)
			out = append(out, arena[from:len(arena):len(arena)])
		}
		held := int64(size + 24*n)
		o.held += held
		o.access.Read += int64(n)
		if err := o.st.grow(held); err != nil {
			return nil, err
		}
	}
}

// intersect keeps what both ordered lists have, in the memory of a.
func intersect(a, b [][]byte) [][]byte {
	out, j := a[:0], 0
	for _, k := range a {
		for j < len(b) && compareKeys(b[j], k) < 0 {
			j++
		}
		if j < len(b) && equalKeys(b[j], k) {
			out = append(out, k)
		}
	}
	return out
}

func (o *itemScanOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for o.at < len(o.rows) {
		n := min(len(o.rows)-o.at, o.st.rt.batchSize())
		b, err := o.st.getBatch(o.figures, engine.StoreID(o.node.Table.Store), o.rows[o.at:o.at+n], o.fetch, &o.in, &o.found)
		if err != nil {
			return nil, err
		}
		o.at += n
		o.access.fetched(b, false)
		if b != nil {
			if out, err := o.apply(b); err != nil || out != nil {
				return out, err
			}
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (o *itemScanOp) close() {
	o.st.shrink(o.held)
	o.rows, o.held, o.at = nil, 0, 0
}

// itemKeys returns the keys of a row's entries in order; none when a partial index does not have the row.
func (w *indexWriter) itemKeys(storage []byte, vals []column.Datum) ([][]byte, error) {
	if w.pred != nil {
		w.r = row{vals: vals}
		if d, err := w.pred.row(&w.r); err != nil || !d.Bool() {
			return nil, err
		}
	}
	var out [][]byte
	for i, c := range w.items {
		d, err := w.value(i, vals)
		if err != nil {
			return nil, err
		}
		for _, k := range c.KeysOf(d) {
			out = append(out, append(k, storage...))
		}
	}
	return out, nil
}

// updateItems moves the entries of a row that changed: those that stay are left alone.
func (w *indexWriter) updateItems(t *tableWriter, oldStorage, storage []byte, old, vals []column.Datum) error {
	var before, after [][]byte
	var err error
	if old != nil {
		if before, err = w.itemKeys(oldStorage, old); err != nil {
			return err
		}
	}
	if vals != nil {
		if after, err = w.itemKeys(storage, vals); err != nil {
			return err
		}
	}
	txn := t.st.rt.Txn
	for _, k := range before {
		if _, stays := slices.BinarySearchFunc(after, k, compareKeys); !stays {
			if err := txn.Delete(w.store, k, nil); err != nil {
				return err
			}
		}
	}
	for _, k := range after {
		if _, was := slices.BinarySearchFunc(before, k, compareKeys); !was || w.includeChanged(old, vals) {
			if err := txn.Put(w.store, k, w.content(storage, vals)); err != nil {
				return err
			}
		}
	}
	return nil
}
