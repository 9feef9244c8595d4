package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"unsafe"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// encode appends the storage key of k.
func encode[K cmp.Ordered](dst []byte, k K) []byte {
	switch k := any(k).(type) {
	case uint64:
		return keys.AppendInt(dst, int64(k), 0)
	case string:
		return keys.AppendBytes(dst, unsafe.Slice(unsafe.StringData(k), len(k)), 0) // a copy would measure the allocator
	}
	panic("no such kind of key")
}

func datum[K cmp.Ordered](k K) column.Datum {
	switch k := any(k).(type) {
	case uint64:
		return column.IntDatum(int64(k))
	case string:
		return column.StringDatum(k)
	}
	panic("no such kind of key")
}

// store is OmenDB's engine, rows in segments on disk and in its cache.
type store[K cmp.Ordered] struct {
	db   *engine.DB
	id   engine.StoreID
	rows int
	txn  *engine.Txn
	snap *engine.Snapshot
	dst  [2]column.Datum
	key  []byte

	batch bool
	keys  [][]byte
	out   column.Batch
	found []bool
}

// payload are the columns that look-ups and scans read.
var payload = []int{1, 2}

func openEngine(dir string, cacheBytes int64) (*engine.DB, error) {
	return engine.Open(engine.Options{FS: vfs.OS(), Dir: dir, Clock: clock.System(), Tasks: task.NewGoroutines(nil), Log: zerolog.Nop(),
		CacheBytes: cacheBytes, Fatal: func(err error) { panic(err) }})
}

// newStore loads rows in bulk into a store of an open database.
func newStore[K cmp.Ordered](db *engine.DB, rows iter.Seq[row[K]]) (*store[K], error) {
	s := &store[K]{db: db, id: db.NewStoreID()}
	kind := column.Int
	if _, text := any(*new(K)).(string); text {
		kind = column.Bytes
	}
	ctx := context.Background()
	t := db.Begin(engine.TxnOptions{})
	err := t.CreateStore(engine.StoreDef{ID: s.id, Name: "bench", Columns: []engine.ColumnDef{{Kind: kind}, {Kind: column.Int}, {Kind: column.Int}}, KeyColumns: []int{0}})
	if err != nil {
		return nil, err
	}
	w, err := t.Bulk(s.id)
	if err != nil {
		return nil, err
	}
	cells := make([]column.Datum, 3)
	for r := range rows {
		cells[0], cells[1], cells[2] = datum(r.key), column.IntDatum(r.a), column.IntDatum(r.b)
		if err := w.Append(encode(s.key[:0], r.key), cells); err != nil {
			return nil, err
		}
		s.rows++
	}
	if err := w.Finish(ctx); err != nil {
		return nil, err
	}
	if _, err := t.Commit(ctx); err != nil {
		return nil, err
	}
	if err := db.Flush(ctx); err != nil { // few rows are in a memtable
		return nil, err
	}
	s.begin()
	return s, nil
}

func (s *store[K]) begin() {
	s.txn = s.db.Begin(engine.TxnOptions{ReadOnly: true})
	s.snap = s.txn.Snapshot()
	s.keys, s.found = make([][]byte, batchKeys), make([]bool, batchKeys)
}

// batched returns the same store with look-ups in batches.
func (s *store[K]) batched() *store[K] {
	b := &store[K]{db: s.db, id: s.id, rows: s.rows, batch: true}
	b.begin()
	return b
}

func (s *store[K]) close() {
	s.snap.Close()
	_ = s.txn.Rollback() // it only read
}

func (s *store[K]) find(list []K) (sum uint64, err error) {
	if s.batch {
		return s.findBatch(list)
	}
	for _, k := range list {
		s.key = encode(s.key[:0], k)
		ok, err := s.snap.Get(s.id, s.key, payload, s.dst[:])
		if err != nil {
			return 0, err
		}
		if ok {
			sum += uint64(s.dst[0].I + s.dst[1].I)
		}
	}
	return sum, nil
}

func (s *store[K]) findBatch(list []K) (sum uint64, err error) {
	for len(list) > 0 {
		n := min(len(list), batchKeys)
		for i, k := range list[:n] {
			s.keys[i] = encode(s.keys[i][:0], k)
		}
		if err := s.snap.GetBatch(s.id, s.keys[:n], payload, &s.out, s.found); err != nil {
			return 0, err
		}
		for i := range n {
			if s.found[i] {
				sum += uint64(s.out.Cols[0].I[i] + s.out.Cols[1].I[i])
			}
		}
		list = list[n:]
	}
	return sum, nil
}

func (s *store[K]) scan(from []K, n int) (sum uint64, err error) {
	for _, k := range from {
		s.key = encode(s.key[:0], k)
		it := s.snap.Scan(s.id, engine.ScanOptions{Lower: s.key, Cols: payload})
		for left := n; left > 0; {
			ok, err := it.Next(&s.out)
			if err != nil {
				return 0, err
			}
			if !ok {
				break
			}
			take := min(left, s.out.N)
			sum += total(s.out.Cols[0].I[:take]) + total(s.out.Cols[1].I[:take])
			left -= take
		}
		it.Close()
	}
	return sum, nil
}

// total adds numbers as those do who are given whole columns: several at a time.
func total(list []int64) uint64 {
	var a, b, c, d int64
	for ; len(list) >= 8; list = list[8:] {
		x := (*[8]int64)(list)
		a, b, c, d = a+x[0]+x[4], b+x[1]+x[5], c+x[2]+x[6], d+x[3]+x[7]
	}
	for _, x := range list {
		a += x
	}
	return uint64(a + b + c + d)
}

func (s *store[K]) bytesPerKey() (model, index float64) {
	for _, seg := range s.db.StoreStats(s.id).Segments {
		model += float64(seg.ModelBytes)
		index += float64(seg.ModelBytes + seg.FenceBytes)
	}
	return model / float64(s.rows), index / float64(s.rows)
}

// memory is OmenDB's memtable.
type memory[K cmp.Ordered] struct {
	table *memtable.Table
	key   []byte
	row   []byte
	ts    uint64
	held  int64 // bytes of keys and rows
}

var rowKinds = []column.Kind{column.Int, column.Int}

func newMemory[K cmp.Ordered](rows iter.Seq[row[K]]) *memory[K] {
	m := &memory[K]{table: memtable.NewIn(nil)}
	if rows == nil {
		m.row = memtable.AppendRow(nil, rowKinds, []column.Datum{column.IntDatum(1), column.IntDatum(2)})
		return m
	}
	for r := range rows {
		m.row = memtable.AppendRow(m.row[:0], rowKinds, []column.Datum{column.IntDatum(r.a), column.IntDatum(r.b)})
		m.insert(r.key)
	}
	return m
}

func (m *memory[K]) insert(key K) {
	m.key = encode(m.key[:0], key)
	m.ts++
	m.held += int64(len(m.key) + len(m.row))
	m.table.Put(m.key, m.ts, memtable.Inserted, m.row)
}

func (m *memory[K]) find(list []K) (sum uint64, err error) {
	for _, k := range list {
		m.key = encode(m.key[:0], k)
		if v, ok := m.table.Get(m.key, math.MaxUint64); ok {
			r := memtable.Row(v.Data)
			sum += uint64(r.Datum(0, column.Int).I + r.Datum(1, column.Int).I)
		}
	}
	return sum, nil
}

func (m *memory[K]) scan(from []K, n int) (sum uint64, err error) {
	var c memtable.Cursor
	for _, k := range from {
		m.key = encode(m.key[:0], k)
		c.Init(m.table, m.key, nil, false)
		for left := n; left > 0 && c.Next(); left-- {
			v, ok := c.Version(math.MaxUint64)
			if !ok {
				return 0, fmt.Errorf("a key without a version")
			}
			r := memtable.Row(v.Data)
			sum += uint64(r.Datum(0, column.Int).I + r.Datum(1, column.Int).I)
		}
	}
	return sum, nil
}

func (m *memory[K]) bytesPerKey() (model, index float64) {
	return 0, float64(m.table.Bytes()-m.held) / float64(m.table.Keys())
}
