package exec

import (
	"bytes"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// A deferrable unique index lets a key stand twice for a while: its entries end
// with the storage key, as those of an index that is not unique. Whoever adds
// an entry locks the key, if nobody else has; who cannot, or finds that there
// is an entry already, looks again at the end of the statement or transaction
// and waits then for whoever holds the lock. So of two transactions that add
// the same key the one that commits last sees both.

// uniqueCheck is a key of a deferrable unique index that may be taken twice.
type uniqueCheck struct {
	index  OID
	key    []byte
	names  []string
	values []string
}

// claim notes a new entry, and that its key has to be looked at again if
// another entry with that key may exist.
func (w *indexWriter) claim(t *tableWriter, key []byte, vals []column.Datum) error {
	txn := t.st.rt.Txn
	first, err := txn.TryLockKey(w.store, key)
	if err != nil {
		return err
	}
	if first {
		snap := txn.LatestSnapshot()
		n, err := entries(snap, w.store, key, nil)
		snap.Close()
		if err != nil || n == 0 {
			return err
		}
	}
	u := &uniqueCheck{index: w.ix.OID, key: bytes.Clone(key)}
	if u.names, u.values, err = w.keyTexts(t, vals); err != nil {
		return err
	}
	if con := constraintOf(t.rel, w.ix.Constraint); con != nil && t.st.rt.Deferred != nil && t.st.rt.Deferred.defers(con) {
		t.st.rt.Deferred.unique(t.rel.OID, con.OID, u)
		return nil
	}
	t.st.uniques = append(t.st.uniques, pendingUnique{t, u})
	return nil
}

type pendingUnique struct {
	writer *tableWriter
	check  *uniqueCheck
}

// checkUniques looks at the keys that the statement may have given twice.
func (st *state) checkUniques() error {
	list := st.uniques
	st.uniques = nil
	for _, p := range list {
		if err := p.check.verify(p.writer); err != nil {
			return err
		}
	}
	return nil
}

// verify fails when more than one row has the key. It waits for transactions
// that may change that.
func (u *uniqueCheck) verify(w *tableWriter) error {
	ix := w.st.rt.Catalog.Index(u.index)
	if ix == nil {
		return nil
	}
	store, txn, ctx := engine.StoreID(ix.Store), w.st.rt.Txn, w.st.rt.Context
	if err := txn.LockKey(ctx, store, u.key); err != nil {
		return err
	}
	for {
		var found [][]byte
		snap := txn.LatestSnapshot()
		_, err := entries(snap, store, u.key, &found)
		snap.Close()
		if err != nil || len(found) <= 1 {
			return err
		}
		waited := false
		for _, key := range found {
			w, err := txn.WaitForWriter(ctx, store, key)
			if err != nil {
				return err
			}
			waited = waited || w
		}
		if !waited {
			return w.uniqueViolation(ix.Name, u.names, u.values)
		}
	}
}

// entries counts the entries of a key, and collects their own keys if asked to.
func entries(snap *engine.Snapshot, store engine.StoreID, key []byte, found *[][]byte) (n int, err error) {
	o := engine.ScanOptions{Lower: key, Keys: true, Cols: []int{}}
	if end, ok := keys.PrefixEnd(nil, key); ok {
		o.Upper = end
	}
	it := snap.Scan(store, o)
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		if err != nil || !ok {
			return n, err
		}
		for _, k := range it.Keys() {
			if n++; found != nil {
				*found = append(*found, bytes.Clone(k))
			}
		}
	}
}
