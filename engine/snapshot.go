package engine

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
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
	quiet   bool    // reads are not noted
	forked  bool    // the view is another snapshot's
	lastID  StoreID // of the store resolved last,
	last    *storeState

	read     segment.ReadOptions // memory of point reads
	results  []segment.Result
	one      []column.Datum
	segStats *segment.Stats
	tally    segment.Tally // of point reads

	spare column.Batch // memory of a scan that has ended
}

// Timestamp returns the commit timestamp up to which transactions are visible.
func (s *Snapshot) Timestamp() uint64 { return s.ts }

// Command returns the number of the command that the snapshot was made for.
func (s *Snapshot) Command() uint32 { return s.command }

// SetStats makes Get, GetBatch and Count add to st what they do in segments; nil ends that.
func (s *Snapshot) SetStats(st *segment.Stats) { s.segStats = st }

// SetNoModel makes reads search without the learned models. Results are the same.
func (s *Snapshot) SetNoModel(off bool) { s.noModel = off }

// Close ends the snapshot. Iterators must be closed before. Closing twice is harmless.
func (s *Snapshot) Close() {
	if s.view == nil {
		return
	}
	s.tally.Flush()
	if s.forked {
		s.view = nil
		return
	}
	s.db.releaseView(s.view)
	s.view = nil
	s.reg.unregister()
	if t := s.txn; t != nil && !t.done && !s.quiet {
		t.spare = s
	}
}

// resolve returns the store's runs (nil when only this transaction knows it) and definition.
func (s *Snapshot) resolve(id StoreID) (*storeState, *storeDef, error) {
	if id == s.lastID && s.last != nil && (s.txn == nil || s.txn.pending == nil) {
		return s.last, s.last.def, nil
	}
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
	s.lastID, s.last = id, st
	return st, st.def, nil
}

// own returns the transaction's private writes to a store, nil if there are none.
func (s *Snapshot) own(id StoreID) *memtable.Table {
	if s.txn == nil {
		return nil
	}
	if l := s.list(id); l != nil {
		s.txn.spread(l)
	}
	return s.txn.tables[id]
}

// list returns the transaction's list of writes to a store if the snapshot sees any of it.
func (s *Snapshot) list(id StoreID) *writeList {
	if s.txn == nil {
		return nil
	}
	if l := s.txn.list(id); l != nil && len(l.rows) > 0 && l.rows[0].seq <= s.ownSeq {
		return l
	}
	return nil
}

// Get reads one row. It stores the wanted columns (nil: all) in dst, which has
// room for them, and reports whether there is a row.
func (s *Snapshot) Get(id StoreID, key []byte, cols []int, dst []column.Datum) (bool, error) {
	st, def, err := s.resolve(id)
	if err != nil {
		return false, err
	}
	if err := s.noteGet(id, def, key); err != nil {
		return false, err
	}
	cols = def.columns(cols)
	if v, ok := s.getOwn(id, key); ok {
		if v.Deleted() {
			return false, nil
		}
		def.read(v.Data, cols, dst)
		if s.segStats != nil {
			s.segStats.MemoryHits++
		}
		return true, nil
	}
	s.readOptions(def, cols)
	if s.txn != nil && len(s.txn.bulk) > 0 {
		res, err := s.txn.getOwn(id, key, s.ownSeq, dst[:len(cols)], &s.read)
		if res.Status != segment.Absent || err != nil {
			return err == nil && res.Status == segment.Found, err
		}
	}
	if st == nil {
		return false, nil
	}
	if hs := st.horizons.seen(s.ts); len(hs) > 0 {
		return st.getUnexpired(def, hs, key, dst[:len(cols)], &s.read)
	}
	return st.get(def, key, dst[:len(cols)], &s.read)
}

// getOwn returns the transaction's private write of a key that is in memory,
// as the snapshot sees it.
func (s *Snapshot) getOwn(id StoreID, key []byte) (v memtable.Version, ok bool) {
	if l := s.list(id); l != nil {
		w := l.find(key, rowTag(id, key).B)
		if w == nil || w.seq > s.ownSeq {
			return v, false
		}
		l.shared = true
		return l.version(w), true
	}
	if s.txn != nil && s.txn.tables[id] != nil {
		return s.txn.tables[id].Get(key, s.ownSeq)
	}
	return v, false
}

// readOptions prepares the options for reads of segments.
func (s *Snapshot) readOptions(def *storeDef, cols []int) {
	s.read.Snapshot, s.read.Cols, s.read.Defaults = s.ts, cols, def.defaults
	s.read.NoModel, s.read.Plain, s.read.Stats = s.noModel, s.db.opts.PlainReads, s.segStats
	s.read.Tally = &s.tally
}

// SwapBuffer gives the snapshot memory for the byte strings that Get and
// GetBatch return, and takes back what it had: callers that hold rows of one
// call during another bring their own.
func (s *Snapshot) SwapBuffer(buf []byte) []byte {
	old := s.read.Buf
	s.read.Buf = buf
	return old
}

// GetBatch reads many rows: row i of dst and found[i] belong to keys[i]. Rows
// that do not exist are NULL in every column. Keys may come in any order.
func (s *Snapshot) GetBatch(id StoreID, keys [][]byte, cols []int, dst *column.Batch, found []bool) error {
	st, def, err := s.resolve(id)
	if err != nil {
		return err
	}
	if len(keys) == 1 {
		return s.getOne(id, def, keys[0], cols, dst, found)
	}
	if s.noting(def) {
		for _, key := range keys {
			if err := s.noteGet(id, def, key); err != nil {
				return err
			}
		}
	}
	cols = def.columns(cols)
	var hs horizons
	var place map[int]int
	wanted := len(cols)
	if st != nil && len(st.horizons) > 0 {
		hs = st.horizons.seen(s.ts)
		cols, place = hs.columns(cols)
	}
	resetBatch(dst, def, cols)
	for i, c := range cols {
		dst.Cols[i].Resize(def.kinds[c], len(keys))
	}
	dst.N = len(keys)
	results := s.results
	if cap(results) < len(keys) {
		results = make([]segment.Result, len(keys))
		s.results = results
	}
	results = results[:len(keys)]
	s.readOptions(def, cols)
	s.read.Buf = s.read.Buf[:0]
	own, row := s.own(id), s.txn != nil && len(s.txn.bulk[id]) > 0
	if own == nil && !row && (st == nil || st.onlyBase()) && !s.read.Plain {
		clear(results)
	} else if err := s.batchFromMemory(st, def, id, own, row, keys, cols, dst, results); err != nil {
		return err
	}
	if st != nil {
		if err := st.batchFromRuns(keys, results, dst, &s.read); err != nil {
			return err
		}
	}
	if len(hs) > 0 {
		hs.hideExpired(dst, place, results)
		dst.Cols = dst.Cols[:wanted]
	}
	for i := range results {
		if found[i] = results[i].Status == segment.Found; !found[i] {
			for c := range dst.Cols {
				dst.Cols[c].Nulls.Set(i)
			}
		}
	}
	return nil
}

// getOne is GetBatch of one key.
func (s *Snapshot) getOne(id StoreID, def *storeDef, key []byte, cols []int, dst *column.Batch, found []bool) (err error) {
	cols = def.columns(cols)
	resetBatch(dst, def, cols)
	dst.N = 1
	if cap(s.one) < len(cols) {
		s.one = make([]column.Datum, len(cols))
	}
	row := s.one[:len(cols)]
	if found[0], err = s.Get(id, key, cols, row); err != nil {
		return err
	}
	for i := range cols {
		d := row[i]
		if !found[0] {
			d = column.Null()
		}
		dst.Cols[i].Append(d)
	}
	return nil
}

// batchFromMemory looks the keys up in what lies in front of the segments.
func (s *Snapshot) batchFromMemory(st *storeState, def *storeDef, id StoreID, own *memtable.Table, bulk bool, keys [][]byte, cols []int, dst *column.Batch, results []segment.Result) error {
	for i, key := range keys {
		if bulk {
			if err := s.batchFromBulk(id, own, key, dst, &results[i], i); err != nil {
				return err
			}
			if results[i].Status != segment.Absent {
				continue
			}
		}
		results[i] = s.batchFromTables(st, def, own, key, cols, dst, i)
	}
	return nil
}

// batchFromBulk looks a key up in the transaction's private runs, unless it has
// changed it since.
func (s *Snapshot) batchFromBulk(id StoreID, own *memtable.Table, key []byte, dst *column.Batch, res *segment.Result, i int) error {
	*res = segment.Result{}
	if own != nil {
		if _, ok := own.Get(key, s.ownSeq); ok {
			return nil
		}
	}
	row := make([]column.Datum, len(dst.Cols))
	buf := s.read.Buf
	s.read.Buf = nil
	found, err := s.txn.getOwn(id, key, s.ownSeq, row, &s.read)
	s.read.Buf = buf
	if found.Status == segment.Absent || err != nil {
		return err
	}
	if found.Status == segment.Found {
		for c := range row {
			dst.Cols[c].Set(i, row[c])
		}
	}
	*res = segment.Result{Status: found.Status, Version: math.MaxUint64} // nothing is newer
	return nil
}

// batchFromTables looks a key up in private writes and memtables.
func (s *Snapshot) batchFromTables(st *storeState, def *storeDef, own *memtable.Table, key []byte, cols []int, dst *column.Batch, i int) segment.Result {
	v, ok := memtable.Version{}, false
	if own != nil {
		if v, ok = own.Get(key, s.ownSeq); ok {
			v.TS = math.MaxUint64 // nothing is newer
		}
	}
	if !ok && st != nil {
		v, ok = st.newestInTables(key, s.ts)
	}
	switch {
	case !ok:
		return segment.Result{}
	case v.Deleted():
		return segment.Result{Status: segment.Deleted, Version: v.TS}
	}
	for c := range cols {
		dst.Cols[c].Set(i, def.cell(v.Data, cols[c]))
	}
	if s.segStats != nil {
		s.segStats.MemoryHits++
	}
	return segment.Result{Status: segment.Found, Version: v.TS}
}

// batchFromRuns looks up the keys that are still absent, run by run.
func (s *storeState) batchFromRuns(keys [][]byte, results []segment.Result, dst *column.Batch, o *segment.ReadOptions) error {
	for _, r := range s.level0 {
		for i, key := range keys {
			if err := r.newer(i, key, &results[i], dst, o); err != nil {
				return err
			}
		}
		if err := r.reader.GetBatch(keys, results, dst, o); err != nil {
			return err
		}
	}
	if len(s.base) == 0 {
		return nil
	}
	var mem [64]*segment.Reader
	readers := mem[:0]
	if len(keys) > len(mem) {
		readers = make([]*segment.Reader, 0, len(keys))
	}
	readers = readers[:len(keys)]
	for i, key := range keys {
		r := s.baseFor(key)
		if r == nil {
			continue
		}
		if results[i].Status != segment.Absent {
			if err := r.newer(i, key, &results[i], dst, o); err != nil {
				return err
			}
			continue
		}
		readers[i] = r.reader
	}
	return segment.GetEach(readers, keys, results, dst, o)
}

// newer replaces the result of key i by a newer one of this run, which only a
// bulk load can have put behind a run with older versions.
func (r *run) newer(i int, key []byte, result *segment.Result, dst *column.Batch, o *segment.ReadOptions) error {
	if result.Status == segment.Absent || result.Version >= r.info.MaxTS {
		return nil
	}
	row, own := make([]column.Datum, len(o.Cols)), *o
	own.Buf = nil
	res, err := r.reader.Get(key, row, &own)
	if err != nil || res.Status == segment.Absent || res.Version <= result.Version {
		return err
	}
	*result = res
	if res.Status == segment.Found {
		for c := range row {
			dst.Cols[c].Set(i, row[c])
		}
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
	st, def, err := s.resolve(id)
	if err != nil {
		return 0, err
	}
	if err := s.noteRead(id, def, lower, upper); err != nil {
		return 0, err
	}
	if n, ok, err := s.countByRank(st, def, lower, upper); ok || err != nil {
		return n, err
	}
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
	if s.txn != nil {
		n += s.txn.estimateRuns(id, lower, upper)
	}
	return n
}
