package exec

import (
	"errors"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// bulkThreshold is the number of rows from which an INSERT or COPY hands its
// rows to the engine's bulk writers instead of writing them one by one: before
// it, errors come with the row at hand; behind it, memory and log stay small.
const bulkThreshold = 10_000

// bulkTable is a table and its indexes while rows are loaded in bulk. The rows
// become part of the transaction with finish.
type bulkTable struct {
	table   *engine.BulkWriter
	indexes []*engine.BulkWriter
}

// canBulk reports whether a taken key of every index is known at once and can be
// named from the key alone.
func (w *tableWriter) canBulk() bool {
	for _, ix := range w.indexes {
		if ix.ix.Deferrable() {
			return false
		}
		if !ix.ix.Unique {
			continue
		}
		for _, p := range ix.parts {
			if _, exact := w.st.env.KeyKind(w.st.baseType(p.typ), p.coll); !exact {
				return false
			}
		}
	}
	return true
}

// startBulk makes further inserts go to bulk writers.
func (w *tableWriter) startBulk() error {
	if w.bulk != nil || !w.canBulk() {
		return nil
	}
	b := &bulkTable{}
	var err error
	if b.table, err = w.st.rt.Txn.Bulk(w.store); err != nil {
		return err
	}
	for _, ix := range w.indexes {
		iw, err := w.st.rt.Txn.Bulk(ix.store)
		if err != nil {
			b.abort()
			return err
		}
		b.indexes = append(b.indexes, iw)
	}
	w.bulk = b
	return nil
}

// insertBulk appends a complete row to the bulk writers.
func (w *tableWriter) insertBulk(vals []column.Datum) error {
	if err := w.bulk.table.Append(w.buf, vals); err != nil {
		return w.takenInBulk(err, nil)
	}
	for i, ix := range w.indexes {
		if ix.idle() {
			continue
		}
		if ix.items != nil {
			list, err := ix.itemKeys(w.buf, vals)
			if err != nil {
				return err
			}
			for _, key := range list {
				if err := w.bulk.indexes[i].Append(key, ix.content(w.buf, vals)); err != nil {
					return w.takenInBulk(err, ix)
				}
			}
			continue
		}
		key, ok, _, err := ix.encode(ix.key[:0], w.buf, vals)
		ix.key = key
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := w.bulk.indexes[i].Append(key, ix.content(w.buf, vals)); err != nil {
			return w.takenInBulk(err, ix)
		}
	}
	return nil
}

// finishBulk makes the loaded rows part of the transaction.
func (w *tableWriter) finishBulk() error {
	if w.bulk == nil {
		return nil
	}
	b := w.bulk
	defer b.abort()
	w.bulk = nil
	if err := b.table.Finish(w.st.rt.Context); err != nil {
		return w.takenInBulk(err, nil)
	}
	for i, ix := range w.indexes {
		if err := b.indexes[i].Finish(w.st.rt.Context); err != nil {
			return w.takenInBulk(err, ix)
		}
	}
	return nil
}

// abortBulk gives up what was loaded and not finished.
func (w *tableWriter) abortBulk() {
	if w.bulk != nil {
		w.bulk.abort()
		w.bulk = nil
	}
}

func (b *bulkTable) abort() {
	b.table.Abort()
	for _, ix := range b.indexes {
		ix.Abort()
	}
}

// takenInBulk names a taken key by the row in the way (table) or by the key itself (index).
func (w *tableWriter) takenInBulk(err error, ix *indexWriter) error {
	var exists *engine.KeyExistsError
	if !errors.As(err, &exists) {
		return err
	}
	if ix == nil {
		return w.taken(err, w.keyIndex, w.key, exists.Row)
	}
	names, values := make([]string, len(ix.parts)), make([]string, len(ix.parts))
	key := exists.Key
	for i, p := range ix.parts {
		kind, _ := w.st.env.KeyKind(w.st.baseType(p.typ), p.coll)
		var o keys.Order
		if ix.ix.Keys[i].Desc {
			o |= keys.Desc
		}
		if ix.ix.Keys[i].NullsFirst {
			o |= keys.NullsFirst
		}
		d, rest, _, derr := keys.Decode(key, kind, o, nil)
		if derr != nil {
			return derr
		}
		key = rest
		names[i], values[i] = ix.ix.Keys[i].Name, w.st.text(p.typ, d)
	}
	return w.uniqueViolation(ix.ix.Name, names, values)
}
