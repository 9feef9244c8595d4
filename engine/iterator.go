package engine

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
)

// ScanOptions say what to read.
type ScanOptions struct {
	Lower, Upper []byte // half-open; nil is unbounded
	Cols         []int  // wanted columns; nil is all, empty is none: rows are only counted
	Keys         bool   // make Keys available
	Reverse      bool
	Stats        *ReadStats // counts what the scan does, if not nil
}

// ReadStats counts what reads did, for EXPLAIN.
type ReadStats struct {
	Segments       int64 // segments visited
	Blocks         int64 // blocks read
	PredictedRange int64 // blocks in the predicted windows
	Mispredictions int64
	MemtableRows   int64
	Rows           int64
}

// Iterator yields the rows of a scan in key order, in batches.
type Iterator struct {
	snap    *Snapshot
	def     *storeDef
	cols    []int
	opts    ScanOptions
	err     error
	sources []*tableSource // current rows, unordered; exhausted ones are removed
	keys    [][]byte
}

// tableSource walks a memtable at a timestamp.
type tableSource struct {
	cur memtable.Cursor
	ts  uint64
	key []byte
	v   memtable.Version
	own bool // private writes win over committed ones
}

// next moves to the next key that has a version at the timestamp.
func (s *tableSource) next() bool {
	for s.cur.Next() {
		var ok bool
		if s.v, ok = s.cur.Version(s.ts); ok {
			s.key = s.cur.Key()
			return true
		}
	}
	return false
}

// Scan reads a range. The iterator must be closed before the snapshot.
func (s *Snapshot) Scan(id StoreID, o ScanOptions) *Iterator {
	it := &Iterator{snap: s, opts: o}
	st, def, err := s.resolve(id)
	if err != nil {
		it.err = err
		return it
	}
	it.def, it.cols = def, def.columns(o.Cols)
	s.noteRead(id, o.Lower, o.Upper)
	if own := s.own(id); own != nil {
		it.add(own, s.ownSeq, true)
	}
	if st != nil {
		st.tables(func(t *memtable.Table) bool {
			it.add(t, s.ts, false)
			return true
		})
	}
	return it
}

func (it *Iterator) add(t *memtable.Table, ts uint64, own bool) {
	if t.Empty() {
		return
	}
	src := &tableSource{ts: ts, own: own}
	src.cur.Init(t, it.opts.Lower, it.opts.Upper, it.opts.Reverse)
	if src.next() {
		it.sources = append(it.sources, src)
	}
}

// Next fills dst with the next rows and reports whether there are any.
func (it *Iterator) Next(dst *column.Batch) (bool, error) {
	if it.err != nil {
		return false, it.err
	}
	resetBatch(dst, it.def, it.cols)
	it.keys = it.keys[:0]
	for dst.N < column.BatchSize && len(it.sources) > 0 {
		best := it.sources[0]
		for _, src := range it.sources[1:] {
			if it.before(src, best) {
				best = src
			}
		}
		if !best.v.Deleted() {
			for i, c := range it.cols {
				dst.Cols[i].Append(it.def.cell(best.v.Data, c))
			}
			if it.opts.Keys {
				it.keys = append(it.keys, best.key)
			}
			dst.N++
		}
		it.pass(best.key)
	}
	if it.opts.Stats != nil {
		it.opts.Stats.Rows += int64(dst.N)
		it.opts.Stats.MemtableRows += int64(dst.N)
	}
	return dst.N > 0, nil
}

// before reports whether a's row comes first, or hides b's.
func (it *Iterator) before(a, b *tableSource) bool {
	c := bytes.Compare(a.key, b.key)
	if it.opts.Reverse {
		c = -c
	}
	if c != 0 {
		return c < 0
	}
	if a.own != b.own {
		return a.own
	}
	return a.v.TS > b.v.TS
}

// pass moves every source beyond a key.
func (it *Iterator) pass(key []byte) {
	for i := 0; i < len(it.sources); {
		src := it.sources[i]
		if bytes.Equal(src.key, key) && !src.next() {
			it.sources = append(it.sources[:i], it.sources[i+1:]...)
			continue
		}
		i++
	}
}

// Keys returns the keys of the last batch, when the scan asked for them.
func (it *Iterator) Keys() [][]byte { return it.keys }

// Close ends the scan.
func (it *Iterator) Close() { it.sources, it.err = nil, nil }
