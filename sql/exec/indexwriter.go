package exec

import (
	"errors"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/itemkey"
)

// indexWriter maintains the entries of one index.
type indexWriter struct {
	ix      *catalog.Index
	store   engine.StoreID
	parts   []keyPart
	exprs   []expr // by part; nil for plain columns
	pred    expr
	include []int
	key     []byte
	oldKey  []byte
	entry   []column.Datum
	r       row
	build   *catalog.Build   // of an index that is not ready yet
	items   []*itemkey.Coder // of an index with an entry for each item of a value; nil for an ordered one
	prefix  int              // length of the deferrable unique key in the entry encoded last; 0 when there is none
}

func (st *state) indexWriter(ix *catalog.Index) (*indexWriter, error) {
	w := &indexWriter{ix: ix, store: engine.StoreID(ix.Store), parts: st.indexKey(ix), exprs: make([]expr, len(ix.Keys))}
	for i := range ix.Keys {
		if ix.Keys[i].Column != 0 {
			continue
		}
		var err error
		if w.exprs[i], err = st.stored(ix.Keys[i].Expr, st.rt.Catalog.Relation(ix.Table)); err != nil {
			return nil, err
		}
	}
	if ix.Predicate != nil {
		var err error
		if w.pred, err = st.stored(ix.Predicate, st.rt.Catalog.Relation(ix.Table)); err != nil {
			return nil, err
		}
	}
	for _, num := range ix.Stored() {
		w.include = append(w.include, int(num)-1)
	}
	var err error
	w.items, err = itemkey.Coders(st.env, ix)
	return w, err
}

// value returns key part i of a row.
func (w *indexWriter) value(i int, vals []column.Datum) (column.Datum, error) {
	if w.exprs[i] == nil {
		return vals[w.parts[i].attr], nil
	}
	w.r = row{vals: vals}
	return w.exprs[i].row(&w.r)
}

// encode appends the entry's key for a row. ok is false when a partial index
// does not have the row; unique tells that the key must not exist yet.
func (w *indexWriter) encode(dst []byte, storage []byte, vals []column.Datum) (key []byte, ok, unique bool, err error) {
	if w.pred != nil {
		w.r = row{vals: vals}
		d, err := w.pred.row(&w.r)
		if err != nil || !d.Bool() {
			return dst, false, false, err
		}
	}
	unique = w.ix.Unique
	for i := range w.parts {
		d, err := w.value(i, vals)
		if err != nil {
			return dst, false, false, err
		}
		if d.Null && !w.ix.NullsNotDistinct {
			unique = false
		}
		dst = w.parts[i].encode(dst, d)
	}
	if w.ix.Deferrable() && unique {
		w.prefix = len(dst)
		return append(dst, storage...), true, false, nil
	}
	w.prefix = 0
	if !unique {
		dst = append(dst, storage...)
	}
	return dst, true, unique, nil
}

// content returns what an entry holds: the storage key and the included columns.
func (w *indexWriter) content(storage []byte, vals []column.Datum) []column.Datum {
	w.entry = append(w.entry[:0], column.BytesDatum(storage))
	for _, a := range w.include {
		w.entry = append(w.entry, vals[a])
	}
	return w.entry
}

// idle reports that entries need not be written yet. Who asks holds the row's lock.
func (w *indexWriter) idle() bool { return w.build != nil && !w.build.Maintained() }

func (w *indexWriter) insert(t *tableWriter, storage []byte, vals []column.Datum) error {
	if w.idle() {
		return nil
	}
	if w.items != nil {
		return w.updateItems(t, nil, storage, nil, vals)
	}
	key, ok, unique, err := w.encode(w.key[:0], storage, vals)
	w.key = key
	if err != nil || !ok {
		return err
	}
	return w.add(t, key, unique, storage, vals)
}

func (w *indexWriter) add(t *tableWriter, key []byte, unique bool, storage []byte, vals []column.Datum) error {
	txn := t.st.rt.Txn
	if !unique {
		if w.prefix > 0 {
			if err := w.claim(t, key[:w.prefix], vals); err != nil {
				return err
			}
		}
		return txn.Put(w.store, key, w.content(storage, vals))
	}
	for {
		err := txn.Insert(t.st.rt.Context, w.store, key, w.content(storage, vals))
		if err == nil {
			return nil
		}
		var exists *engine.KeyExistsError
		if !errors.As(err, &exists) || exists.Own {
			return t.takenBy(err, w, vals)
		}
		// Someone may be changing the row in the way without touching this entry, or
		// deleting it and not have got here yet: what becomes of it decides.
		waited, stopped := txn.WaitForWriter(t.st.rt.Context, t.store, exists.Row[0].B)
		if stopped != nil {
			return stopped
		}
		if !waited {
			return t.takenBy(err, w, vals)
		}
	}
}

func (w *indexWriter) remove(t *tableWriter, storage []byte, vals []column.Datum) error {
	if w.idle() {
		return nil
	}
	if w.items != nil {
		return w.updateItems(t, storage, nil, vals, nil)
	}
	key, ok, _, err := w.encode(w.oldKey[:0], storage, vals)
	w.oldKey = key
	if err != nil || !ok {
		return err
	}
	return t.st.rt.Txn.Delete(w.store, key, nil)
}

// update moves or rewrites the entry of a row that changed.
func (w *indexWriter) update(t *tableWriter, oldStorage, storage []byte, old, vals []column.Datum) error {
	if w.idle() {
		return nil
	}
	if w.items != nil {
		return w.updateItems(t, oldStorage, storage, old, vals)
	}
	oldKey, had, _, err := w.encode(w.oldKey[:0], oldStorage, old)
	w.oldKey = oldKey
	if err != nil {
		return err
	}
	key, has, unique, err := w.encode(w.key[:0], storage, vals)
	w.key = key
	if err != nil {
		return err
	}
	if had && has && string(oldKey) == string(key) {
		if string(oldStorage) == string(storage) && !w.includeChanged(old, vals) {
			return nil
		}
		return t.st.rt.Txn.Put(w.store, key, w.content(storage, vals))
	}
	if had {
		if err := t.st.rt.Txn.Delete(w.store, oldKey, nil); err != nil {
			return err
		}
	}
	if !has {
		return nil
	}
	return w.add(t, key, unique, storage, vals)
}

func (w *indexWriter) includeChanged(old, vals []column.Datum) bool {
	for _, a := range w.include {
		if !sameDatum(old[a], vals[a]) {
			return true
		}
	}
	return false
}

// sameDatum reports whether two values are identical, not only equal.
func sameDatum(a, b column.Datum) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	return a.I == b.I && string(a.B) == string(b.B)
}
