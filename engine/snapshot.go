package engine

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
)

// Snapshot is what a statement sees: the committed state at a timestamp, and
// the transaction's own writes of earlier commands. It is used by one goroutine at a time.
type Snapshot struct {
	db      *DB
	txn     *Txn
	view    *view
	reg     registration
	ts      uint64
	ownSeq  uint64
	command uint32
	noModel bool
}

// Timestamp returns the commit timestamp up to which transactions are visible.
func (s *Snapshot) Timestamp() uint64 { return s.ts }

// Command returns the number of the command that the snapshot was made for.
func (s *Snapshot) Command() uint32 { return s.command }

// SetNoModel makes reads search without the learned models. Results are the same.
func (s *Snapshot) SetNoModel(off bool) { s.noModel = off }

// Close ends the snapshot. Iterators must be closed before. Closing twice is harmless.
func (s *Snapshot) Close() {
	if s.view == nil {
		return
	}
	s.view.release()
	s.view = nil
	s.reg.unregister()
	if t := s.txn; t != nil && !t.done {
		t.spare = s
	}
}

// resolve returns the store's runs (nil when only this transaction knows it) and definition.
func (s *Snapshot) resolve(id StoreID) (*storeState, *storeDef, error) {
	st := s.view.stores[id]
	if s.txn != nil && s.txn.pending != nil {
		if p := s.txn.pending[id]; p != nil {
			if p.def == nil {
				return nil, nil, &StoreNotFoundError{id}
			}
			return st, p.def, nil
		}
	}
	if st == nil {
		return nil, nil, &StoreNotFoundError{id}
	}
	return st, st.def, nil
}

// own returns the transaction's private writes to a store, nil if there are none.
func (s *Snapshot) own(id StoreID) *memtable.Table {
	if s.txn == nil || s.txn.tables == nil {
		return nil
	}
	return s.txn.tables[id]
}

// noteRead is the one hook that every read of a serializable transaction
// passes: it has seen whatever lies in [lower, upper); nil bounds are open.
func (s *Snapshot) noteRead(id StoreID, lower, upper []byte) {
	if s.txn != nil && s.txn.reads != nil {
		s.txn.reads.Add(uint64(id), lower, upper)
	}
}

// noteGet is noteRead for one key.
func (s *Snapshot) noteGet(id StoreID, key []byte) {
	if s.txn != nil && s.txn.reads != nil {
		s.txn.reads.AddKey(uint64(id), key)
	}
}

// Get reads one row. It stores the wanted columns (nil: all) in dst, which has
// room for them, and reports whether there is a row.
func (s *Snapshot) Get(id StoreID, key []byte, cols []int, dst []column.Datum) (bool, error) {
	st, def, err := s.resolve(id)
	if err != nil {
		return false, err
	}
	s.noteGet(id, key)
	return s.get(st, def, id, key, def.columns(cols), dst)
}

func (s *Snapshot) get(st *storeState, def *storeDef, id StoreID, key []byte, cols []int, dst []column.Datum) (bool, error) {
	if own := s.own(id); own != nil {
		if v, ok := own.Get(key, s.ownSeq); ok {
			if v.Deleted() {
				return false, nil
			}
			def.read(v.Data, cols, dst)
			return true, nil
		}
	}
	if st == nil {
		return false, nil
	}
	return st.get(def, key, s.ts, cols, dst)
}

// GetBatch reads many rows: row i of dst and found[i] belong to keys[i]. Rows
// that do not exist are NULL in every column.
func (s *Snapshot) GetBatch(id StoreID, keys [][]byte, cols []int, dst *column.Batch, found []bool) error {
	st, def, err := s.resolve(id)
	if err != nil {
		return err
	}
	cols = def.columns(cols)
	resetBatch(dst, def, cols)
	row := make([]column.Datum, len(cols))
	for i, key := range keys {
		s.noteGet(id, key)
		if found[i], err = s.get(st, def, id, key, cols, row); err != nil {
			return err
		}
		if !found[i] {
			for j := range row {
				row[j] = column.Null()
			}
		}
		dst.AppendRow(row)
	}
	return nil
}

func resetBatch(dst *column.Batch, def *storeDef, cols []int) {
	for len(dst.Cols) < len(cols) {
		dst.Cols = append(dst.Cols, column.Vec{})
	}
	dst.Cols = dst.Cols[:len(cols)]
	for i, c := range cols {
		dst.Cols[i].Reset(def.kinds[c])
	}
	dst.Sel, dst.N = nil, 0
}

// Count returns the number of rows in [lower, upper).
func (s *Snapshot) Count(id StoreID, lower, upper []byte) (int64, error) {
	it := s.Scan(id, ScanOptions{Lower: lower, Upper: upper, Cols: []int{}})
	defer it.Close()
	var b column.Batch
	var n int64
	for {
		ok, err := it.Next(&b)
		if err != nil || !ok {
			return n, err
		}
		n += int64(b.Len())
	}
}

// EstimateRange returns about how many rows lie in [lower, upper). It reads no rows.
func (s *Snapshot) EstimateRange(id StoreID, lower, upper []byte) float64 {
	st, _, err := s.resolve(id)
	if err != nil {
		return 0
	}
	var n float64
	if st != nil {
		n = st.estimate(lower, upper)
	}
	if own := s.own(id); own != nil {
		n += float64(own.EstimateRange(lower, upper))
	}
	return n
}
