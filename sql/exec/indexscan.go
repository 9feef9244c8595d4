package exec

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// keySpan is a half-open range of index keys.
type keySpan struct{ lower, upper []byte }

// indexScanOp reads an index in key order and the table's rows in batches, or
// everything from the index.
type indexScanOp struct {
	selection
	st      *state
	node    *plan.IndexScan
	ranges  []*keyRange
	array   expr
	elems   *arrayReader
	parts   []keyPart
	fetch   *fetch
	cover   *coverage // index-only
	spans   []keySpan
	it      *engine.Iterator
	entries column.Batch
	in      column.Batch
	found   []bool
	access  *Access
}

func (st *state) newIndexScan(n *plan.IndexScan) (operator, error) {
	if n.Index.Store == 0 {
		return nil, fmt.Errorf("exec: index %s has no store of its own", n.Index.Name)
	}
	o := &indexScanOp{selection: selection{figures: st.figures(n)}, st: st, node: n, parts: st.indexKey(n.Index), access: st.rt.access(n.Index.OID)}
	for i := range n.Ranges {
		r, err := st.keyRange(&n.Ranges[i], o.parts)
		if err != nil {
			return nil, err
		}
		o.ranges = append(o.ranges, r)
	}
	var err error
	if n.Array != nil {
		if o.array, err = st.compile(n.Array); err != nil {
			return nil, err
		}
		if o.elems, err = st.arrayReader(n.Array.ResultType().OID); err != nil {
			return nil, err
		}
	}
	if n.IndexOnly {
		if o.cover, err = st.coverage(n.Table, n.Index, n.Attrs); err != nil {
			return nil, err
		}
	} else if o.fetch, err = st.fetch(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	o.cond, err = st.predicate(n.Filter)
	return o, err
}

func (o *indexScanOp) open() error {
	o.close()
	o.spans = o.spans[:0]
	if o.array != nil {
		if err := o.arraySpans(); err != nil {
			return err
		}
	} else if len(o.ranges) == 0 {
		o.spans = append(o.spans, keySpan{})
	} else {
		for _, r := range o.ranges {
			lower, upper, empty, err := r.bounds()
			if err != nil {
				return err
			}
			if !empty {
				o.spans = append(o.spans, keySpan{lower, upper})
			}
		}
	}
	o.spans = disjoint(o.spans)
	if o.node.Reverse {
		slices.Reverse(o.spans)
	}
	return nil
}

// arraySpans makes one span per element of leading column = ANY(array); further
// columns come from the only range, whose bounds then lack the leading column.
func (o *indexScanOp) arraySpans() error {
	d, err := o.array.row(&row{})
	if err != nil {
		return err
	}
	vals, err := o.elems.read(d)
	if err != nil {
		return err
	}
	for _, v := range vals {
		if v.Null {
			continue
		}
		prefix := o.parts[0].encode(nil, v)
		s, empty, err := o.under(prefix)
		if err != nil {
			return err
		}
		if !empty {
			o.spans = append(o.spans, s)
		}
	}
	return nil
}

// under returns the span of the range's bounds behind a leading prefix.
func (o *indexScanOp) under(prefix []byte) (keySpan, bool, error) {
	end, ok := keys.PrefixEnd(nil, prefix)
	s := keySpan{lower: prefix, upper: end}
	if !ok {
		s.upper = nil
	}
	if len(o.ranges) == 0 {
		return s, false, nil
	}
	rest := &keyRange{parts: o.parts[1:], lower: o.ranges[0].lower, upper: o.ranges[0].upper}
	lower, upper, empty, err := rest.bounds()
	if err != nil || empty {
		return s, true, err
	}
	if lower != nil {
		s.lower = append(slices.Clone(prefix), lower...)
	}
	if upper != nil {
		s.upper = append(slices.Clone(prefix), upper...)
	}
	return s, false, nil
}

// disjoint sorts spans by key and merges those that overlap.
func disjoint(spans []keySpan) []keySpan {
	slices.SortFunc(spans, func(a, b keySpan) int { return compareKeys(a.lower, b.lower) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if last.upper == nil {
				continue
			}
			if compareKeys(s.lower, last.upper) < 0 {
				if s.upper == nil || compareKeys(s.upper, last.upper) > 0 {
					last.upper = s.upper
				}
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

func (o *indexScanOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for {
		if o.it == nil {
			if len(o.spans) == 0 {
				return nil, nil
			}
			o.scan(o.spans[0])
			o.spans = o.spans[1:]
		}
		ok, err := o.it.Next(&o.entries)
		if err != nil {
			return nil, err
		}
		if !ok {
			o.it.Close()
			o.it = nil
			continue
		}
		b, err := o.rows()
		if err != nil {
			return nil, err
		}
		o.access.Read += int64(o.entries.Len())
		if o.cover == nil {
			o.access.fetched(b, false)
		}
		if b != nil {
			if out, err := o.apply(b); err != nil || out != nil {
				return out, err
			}
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
}

func (o *indexScanOp) scan(s keySpan) {
	o.access.Scans++
	opts := engine.ScanOptions{Lower: s.lower, Upper: s.upper, Reverse: o.node.Reverse, Stats: &o.figures.Read, Cols: []int{0}}
	if o.cover != nil {
		opts.Cols, opts.Keys = o.cover.cols, true
	}
	o.it = o.st.rt.Snapshot.Scan(engine.StoreID(o.node.Index.Store), opts)
}

// rows turns the index entries just read into rows of the table.
func (o *indexScanOp) rows() (*column.Batch, error) {
	if o.cover != nil {
		return o.cover.rows(&o.entries, o.it.Keys())
	}
	return o.st.getBatch(o.figures, engine.StoreID(o.node.Table.Store), o.entries.Cols[0].B, o.fetch, &o.in, &o.found)
}

func (o *indexScanOp) close() {
	if o.it != nil {
		o.it.Close()
		o.it = nil
	}
}

// coverage tells where an index-only scan finds each wanted attribute: in the
// index key, among the included columns, or in the row's storage key.
type coverage struct {
	st     *state
	cols   []int // columns of the index store: 0 is the storage key, then the included ones
	from   []source
	keyOf  []keyPart
	orders []keys.Order
	kinds  []column.Kind
	table  []keyPart
	oid    OID // of the table
	out    column.Batch
	arena  []byte
}

// source is one attribute's place. Parts of keys are decoded.
type source struct {
	key      int // part of the index key, or -1
	storage  int // part of the storage key, or -1
	included int // column of the entry, or -1
	whole    bool
	table    bool // tableoid
}

func (st *state) coverage(rel *catalog.Relation, ix *catalog.Index, attrs []int) (*coverage, error) {
	c := &coverage{st: st, oid: rel.OID, cols: []int{0}, keyOf: st.indexKey(ix), table: st.storageKey(rel)}
	for i := range ix.Keys {
		var o keys.Order
		if ix.Keys[i].Desc {
			o |= keys.Desc
		}
		if ix.Keys[i].NullsFirst {
			o |= keys.NullsFirst
		}
		c.orders = append(c.orders, o)
	}
	for i := range ix.Include {
		c.cols = append(c.cols, i+1)
	}
	for _, a := range attrs {
		s, ok := c.find(ix, a)
		if !ok {
			return nil, fmt.Errorf("exec: attribute %d is not in index %s", a, ix.Name)
		}
		c.from = append(c.from, s)
		switch a {
		case plan.AttrKey:
			c.kinds = append(c.kinds, column.Bytes)
		case plan.AttrTableOID:
			c.kinds = append(c.kinds, column.Int)
		default:
			c.kinds = append(c.kinds, st.env.Kind(rel.Columns[a].Type))
		}
	}
	return c, nil
}

func (c *coverage) find(ix *catalog.Index, attr int) (source, bool) {
	s := source{key: -1, storage: -1, included: -1}
	switch attr {
	case plan.AttrKey:
		s.whole = true
		return s, true
	case plan.AttrTableOID:
		s.table = true
		return s, true
	}
	for i, num := range ix.Include {
		if int(num)-1 == attr {
			s.included = i + 1
			return s, true
		}
	}
	for i, p := range c.keyOf {
		if p.attr == attr && c.exact(p) {
			s.key = i
			return s, true
		}
	}
	for i, p := range c.table {
		if p.attr == attr && c.exact(p) {
			s.storage = i
			return s, true
		}
	}
	return s, false
}

func (c *coverage) exact(p keyPart) bool {
	_, exact := c.st.env.KeyKind(c.st.baseType(p.typ), p.coll)
	return exact
}

// CoveredAttrs reports which of a table's attributes an index-only scan could
// yield from an index.
func CoveredAttrs(rt *Runtime, rel *catalog.Relation, ix *catalog.Index, attr int) bool {
	st := &state{rt: rt, env: rt.Functions.Env}
	c := &coverage{st: st, keyOf: st.indexKey(ix), table: st.storageKey(rel)}
	_, ok := c.find(ix, attr)
	return ok
}

func (c *coverage) rows(in *column.Batch, entryKeys [][]byte) (*column.Batch, error) {
	c.out.Reset(c.kinds...)
	c.arena = c.arena[:0]
	index := make([]column.Datum, len(c.keyOf))
	storage := make([]column.Datum, len(c.table))
	for r := range in.N {
		if err := c.decode(entryKeys[r], c.keyOf, c.orders, index); err != nil {
			return nil, err
		}
		if err := c.decode(in.Cols[0].B[r], c.table, nil, storage); err != nil {
			return nil, err
		}
		for i, s := range c.from {
			v := &c.out.Cols[i]
			switch {
			case s.whole:
				v.Append(in.Cols[0].Datum(r))
			case s.table:
				v.Append(column.IntDatum(int64(c.oid)))
			case s.included >= 0:
				v.Append(in.Cols[s.included].Datum(r))
			case s.key >= 0:
				v.Append(index[s.key])
			default:
				v.Append(storage[s.storage])
			}
		}
	}
	c.out.N = in.N
	return &c.out, nil
}

// decode reads the parts of a key. Parts whose key is not the value are read by
// the kind of their key and not used.
func (c *coverage) decode(key []byte, parts []keyPart, orders []keys.Order, dst []column.Datum) error {
	for i, p := range parts {
		kind, _ := c.st.env.KeyKind(c.st.baseType(p.typ), p.coll)
		var o keys.Order
		if orders != nil {
			o = orders[i]
		}
		var err error
		if dst[i], key, c.arena, err = keys.Decode(key, kind, o, c.arena); err != nil {
			return fmt.Errorf("index entry: %w", err)
		}
	}
	return nil
}
