package exec

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// keyLookupOp reads rows by complete storage keys.
type keyLookupOp struct {
	selection
	st    *state
	store engine.StoreID
	parts []keyPart
	lists [][]expr
	array expr
	elems *arrayReader
	fetch *fetch
	keys  [][]byte
	at    int
	in    column.Batch
	found []bool

	access *Access
}

func (st *state) newKeyLookup(n *plan.KeyLookup) (operator, error) {
	o := &keyLookupOp{selection: selection{figures: st.figures(n)}, st: st, store: engine.StoreID(n.Table.Store), parts: st.storageKey(n.Table), access: st.rt.keyAccess(n.Table)}
	for _, k := range n.Keys {
		es, err := st.compileAll(k)
		if err != nil {
			return nil, err
		}
		o.lists = append(o.lists, es)
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
	if o.fetch, err = st.fetch(n.Table, n.Attrs); err != nil {
		return nil, err
	}
	o.cond, err = st.predicate(n.Filter)
	return o, err
}

func (o *keyLookupOp) open() error {
	o.keys, o.at = o.keys[:0], 0
	for _, list := range o.lists {
		var key []byte
		null := false
		for i, e := range list {
			d, err := e.row(&row{})
			if err != nil {
				return err
			}
			null = null || d.Null
			key = o.parts[i].encode(key, d)
		}
		if !null {
			o.keys = append(o.keys, key)
		}
	}
	if o.array != nil {
		d, err := o.array.row(&row{})
		if err != nil {
			return err
		}
		vals, err := o.elems.read(d)
		if err != nil {
			return err
		}
		for i, v := range vals {
			if i%manyKeys == manyKeys-1 {
				if err := o.st.rt.canceled(); err != nil {
					return err
				}
			}
			if !v.Null {
				o.keys = append(o.keys, o.parts[0].encode(nil, v))
			}
		}
	}
	if len(o.keys) > 1 {
		if err := sortUntil(o.st.rt, o.keys, false, compareKeys); err != nil {
			return err
		}
		o.keys = slices.CompactFunc(o.keys, equalKeys)
	}
	return nil
}

// manyKeys is how many keys are made between two looks at whether the statement was cancelled.
const manyKeys = 1 << 14

func compareKeys(a, b []byte) int { return bytes.Compare(a, b) }
func equalKeys(a, b []byte) bool  { return string(a) == string(b) }
func (o *keyLookupOp) close()     {}

func (o *keyLookupOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for o.at < len(o.keys) {
		n := min(len(o.keys)-o.at, o.st.rt.batchSize())
		keys := o.keys[o.at : o.at+n]
		o.access.Scans += int64(n)
		o.at += n
		b, err := o.st.getBatch(o.figures, o.store, keys, o.fetch, &o.in, &o.found)
		if err != nil {
			return nil, err
		}
		o.access.fetched(b, true)
		if b == nil {
			continue
		}
		if out, err := o.apply(b); err != nil || out != nil {
			return out, err
		}
		if err := o.st.rt.canceled(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// getBatch reads rows by key, for a node with these figures, and selects those
// that exist; nil when none does.
func (st *state) getBatch(figures *NodeStats, store engine.StoreID, keys [][]byte, f *fetch, in *column.Batch, found *[]bool) (*column.Batch, error) {
	n := len(keys)
	if cap(*found) < n {
		*found = make([]bool, n)
	}
	*found = (*found)[:n]
	if st.stats != nil {
		st.rt.Snapshot.SetStats(&figures.Read.Stats)
		defer st.rt.Snapshot.SetStats(nil)
	}
	other := st.rt.Snapshot.SwapBuffer(f.mem)
	err := st.rt.Snapshot.GetBatch(store, keys, f.cols, in, *found)
	f.mem = st.rt.Snapshot.SwapBuffer(other)
	if err != nil {
		return nil, err
	}
	in.N, in.Sel = n, nil
	var sel []int32
	for i, ok := range *found {
		if !ok {
			sel = make([]int32, 0, n)
			for j := range i {
				sel = append(sel, int32(j))
			}
			for j := i; j < n; j++ {
				if (*found)[j] {
					sel = append(sel, int32(j))
				}
			}
			if len(sel) == 0 {
				return nil, nil
			}
			break
		}
	}
	in.Sel = sel
	return f.arrange(in, keys)
}
