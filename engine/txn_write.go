package engine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
)

// hasWrites reports whether any private write is left.
func (t *Txn) hasWrites() bool {
	if len(t.bulk) > 0 {
		return true
	}
	for _, l := range t.lists {
		if len(l.rows) > 0 {
			return true
		}
	}
	for _, m := range t.tables {
		if n, _ := m.Versions(); n > 0 {
			return true
		}
	}
	return false
}

// own returns the transaction's newest write of a key. Without data the row
// may be left out, but not the successor of a tombstone.
func (t *Txn) own(id StoreID, key []byte, data bool) (memtable.Version, bool, error) {
	if l := t.list(id); l != nil {
		if w := l.find(key, t.rowTag(id, key).B); w != nil {
			return l.version(w), true, nil
		}
	} else if m := t.tables[id]; m != nil {
		if v, ok := m.Get(key, math.MaxUint64); ok {
			return v, true, nil
		}
	}
	if t.bulk[id] == nil {
		return memtable.Version{}, false, nil
	}
	return t.inRuns(id, key, data)
}

// write adds a private version to a store's memtable.
func (t *Txn) write(id StoreID, key []byte, flags memtable.Flags, data []byte) {
	m := t.tables[id]
	if m == nil {
		if t.tables == nil {
			t.tables = make(map[StoreID]*memtable.Table)
		}
		m = memtable.New()
		t.tables[id] = m
	}
	t.XID()
	t.seq++
	before := m.Bytes()
	node := m.Put(key, t.seq, flags, data)
	t.hold(m.Bytes() - before)
	if len(t.saves) > 0 {
		t.undo = append(t.undo, undoEntry{m, node})
	}
}

func (t *Txn) checkWrite() error {
	if t.done {
		return ErrTxnDone
	}
	if t.db.closed.Load() {
		return ErrClosed
	}
	return t.spillIfFull()
}

// Insert adds a row under a key that has none. It waits for another
// transaction's uncommitted write of the key. A live row, committed or the
// transaction's own, is a *KeyExistsError.
func (t *Txn) Insert(ctx context.Context, id StoreID, key []byte, row []column.Datum) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	def, err := t.def(id)
	if err != nil {
		return err
	}
	flags := memtable.Inserted
	v, ok, err := t.own(id, key, true)
	if err != nil {
		return err
	}
	if ok {
		if !v.Deleted() {
			return existing(def, id, key, v, true)
		}
		flags |= v.Flags & memtable.Fresh
		t.table(id) // a list has a key once
	} else {
		if err := t.lockForInsert(ctx, def, id, key); err != nil {
			return err
		}
		flags |= memtable.Fresh
	}
	if err := t.noteWrite(id, def, key); err != nil {
		return err
	}
	t.put(def, id, key, flags, row)
	return nil
}

func checkColumns(def *storeDef, id StoreID, row []column.Datum) {
	if len(row) > len(def.kinds) {
		panic(fmt.Sprintf("engine: row of %d columns for store %d of %d", len(row), id, len(def.kinds)))
	}
}

func existing(def *storeDef, id StoreID, key []byte, v memtable.Version, own bool) error {
	row := make([]column.Datum, len(def.kinds))
	def.read(v.Data, def.all, row)
	for i := range row {
		row[i] = row[i].Clone()
	}
	return &KeyExistsError{Store: id, Key: append([]byte(nil), key...), Row: row, Own: own}
}

// lockForInsert takes the locks of an insert, or finds the row in its way.
func (t *Txn) lockForInsert(ctx context.Context, def *storeDef, id StoreID, key []byte) error {
	tag := t.rowTag(id, key)
	for {
		seen := t.db.visible.Load()
		_, live, err := t.committed(id, key)
		if err != nil {
			return err
		}
		if live {
			// Will the row go? Wait for whoever has written it, but not for
			// those who only locked it.
			fresh, err := t.acquire(ctx, tag, txn.RowProbe, txn.NoWait)
			if err == nil {
				t.releaseLast(tag, txn.RowProbe, fresh)
				// The writer may have ended between look and probe.
				v, live, err := t.committed(id, key)
				if err != nil {
					return err
				}
				if live {
					return existing(def, id, key, v, false)
				}
				continue
			}
			if !errors.Is(err, ErrLockNotAvailable) {
				return err
			}
			if fresh, err = t.acquire(ctx, tag, txn.RowProbe, txn.Wait); err != nil {
				return err
			}
			t.releaseLast(tag, txn.RowProbe, fresh)
			continue
		}
		fresh, err := t.acquire(ctx, tag, txn.RowUpdate, txn.Wait)
		if err != nil {
			return err
		}
		waited, err := t.waitForClaims(ctx, id, key)
		// Whoever wrote the key before has given its lock up, and had become
		// visible by then: when nothing has since the look, it still holds.
		if err == nil && t.db.visible.Load() != seen {
			_, live, err = t.committed(id, key)
		}
		if err != nil || live || waited {
			t.releaseLast(tag, txn.RowUpdate, fresh)
			if err != nil {
				return err
			}
			continue
		}
		_, err = t.acquire(ctx, tag, txn.RowWrite, txn.Wait)
		return err
	}
}

// Put overwrites a row. The caller holds a row lock that allows it.
func (t *Txn) Put(id StoreID, key []byte, row []column.Datum) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	def, err := t.def(id)
	if err != nil {
		return err
	}
	if err := t.markWritten(id, key); err != nil {
		return err
	}
	return t.overwrite(def, id, key, row)
}

// Upsert writes a row whether or not there is one under its key, for those who need not know: it locks
// the key as LockKey does, and puts the row.
func (t *Txn) Upsert(ctx context.Context, id StoreID, key []byte, row []column.Datum) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	def, err := t.def(id)
	if err != nil {
		return err
	}
	t.packIfMany()
	if err := t.db.locks.AcquireWrite(ctx, t.owner, t.rowTag(id, key), t.opts.DeadlockTimeout); err != nil {
		t.nameDatabase(err)
		return err
	}
	return t.overwrite(def, id, key, row)
}

// overwrite writes a row whose locks are held.
func (t *Txn) overwrite(def *storeDef, id StoreID, key []byte, row []column.Datum) error {
	var flags memtable.Flags
	v, ok, err := t.own(id, key, false)
	if err != nil {
		return err
	}
	if ok {
		flags = v.Flags & (memtable.Fresh | memtable.Inserted)
		t.table(id) // a list has a key once
	}
	if err := t.noteWrite(id, def, key); err != nil {
		return err
	}
	t.put(def, id, key, flags, row)
	return nil
}

// Delete removes a row. The caller holds the Update lock of the row. When an update moved the
// row to another key, successor is that key.
func (t *Txn) Delete(id StoreID, key, successor []byte) error {
	if err := t.checkWrite(); err != nil {
		return err
	}
	def, err := t.def(id)
	if err != nil {
		return err
	}
	flags := memtable.Tombstone
	v, ok, err := t.own(id, key, false)
	if err != nil {
		return err
	}
	if ok && t.bulk[id] == nil {
		flags |= v.Flags & memtable.Fresh
	}
	if ok {
		t.table(id) // a list has a key once
	}
	if err := t.markWritten(id, key); err != nil {
		return err
	}
	if err := t.noteWrite(id, def, key); err != nil {
		return err
	}
	t.erase(def, id, key, flags, successor)
	return nil
}

// markWritten tells inserters of the key that its row is about to change.
func (t *Txn) markWritten(id StoreID, key []byte) error {
	_, err := t.acquire(context.Background(), t.rowTag(id, key), txn.RowWrite, txn.NoWait)
	return err
}
