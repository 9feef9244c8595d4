package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
)

// omenStore is OmenDB's engine with a table of a key and two byte strings.
type omenStore struct {
	store[uint64]
	shared bool
	stats  segment.Stats // of single gets
}

func openOmen(dir string, cache int64) (disk, error) {
	db, err := openEngine(dir, cache)
	if err != nil {
		return nil, err
	}
	s := &omenStore{store: store[uint64]{db: db, id: db.NewStoreID()}}
	if b, err := os.ReadFile(filepath.Join(dir, storeIDName)); err == nil { // it was loaded by another process
		id, err := strconv.ParseUint(string(b), 10, 64)
		if err != nil {
			return nil, err
		}
		s.id = engine.StoreID(id)
		s.begin()
		return s, nil
	}
	return s, os.WriteFile(filepath.Join(dir, storeIDName), []byte(strconv.FormatUint(uint64(s.id), 10)), 0o600)
}

// storeIDName is a file beside the engine's, which a server would have a catalog for.
const storeIDName = "bench-store"

// batched is the same store with look-ups in batches.
func (s *omenStore) batched() *omenStore {
	b := &omenStore{store: store[uint64]{db: s.db, id: s.id, batch: true}, shared: true}
	b.begin()
	return b
}

func cellsOf(cells []column.Datum, value []byte, key uint64) {
	fillRow(value, key)
	cells[0], cells[1], cells[2] = column.IntDatum(int64(key)), column.BytesDatum(value[:valueBytes]), column.BytesDatum(value[valueBytes:])
}

func (s *omenStore) load(n int) error {
	ctx := context.Background()
	t := s.db.Begin(engine.TxnOptions{})
	err := t.CreateStore(engine.StoreDef{ID: s.id, Name: "bench", Columns: []engine.ColumnDef{{Kind: column.Int}, {Kind: column.Bytes}, {Kind: column.Bytes}}, KeyColumns: []int{0}})
	if err != nil {
		return err
	}
	w, err := t.Bulk(s.id)
	if err != nil {
		return err
	}
	cells, value := make([]column.Datum, 3), make([]byte, 2*valueBytes)
	for row := range n {
		cellsOf(cells, value, keyOf(row))
		s.key = encode(s.key[:0], keyOf(row))
		if err := w.Append(s.key, cells); err != nil {
			return err
		}
	}
	if err := w.Finish(ctx); err != nil {
		return err
	}
	_, err = t.Commit(ctx)
	if err == nil {
		s.begin()
	}
	return err
}

var errMissing = errors.New("a row is missing")

func (s *omenStore) get(list []uint64) (sum uint64, err error) {
	for len(list) > 0 && s.batch {
		n := min(len(list), batchKeys)
		for i, k := range list[:n] {
			s.keys[i] = encode(s.keys[i][:0], k)
		}
		if err := s.snap.GetBatch(s.id, s.keys[:n], payload, &s.out, s.found); err != nil {
			return 0, err
		}
		for i := range n {
			if !s.found[i] {
				return 0, errMissing
			}
			sum += sumOf(s.out.Cols[0].B[i], s.out.Cols[1].B[i])
		}
		list = list[n:]
	}
	s.snap.SetStats(&s.stats)
	defer s.snap.SetStats(nil)
	for _, k := range list {
		s.key = encode(s.key[:0], k)
		ok, err := s.snap.Get(s.id, s.key, payload, s.dst[:])
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, errMissing
		}
		sum += sumOf(s.dst[0].B, s.dst[1].B)
	}
	return sum, nil
}

func (s *omenStore) scan(from []uint64, n int) (sum uint64, err error) {
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
			for i := range min(left, s.out.N) {
				sum += sumOf(s.out.Cols[0].B[i], s.out.Cols[1].B[i])
			}
			left -= min(left, s.out.N)
		}
		it.Close()
	}
	return sum, nil
}

func (s *omenStore) put(list []uint64) error { return s.commit(list, s.putRow, false) }

func (s *omenStore) putVolatile(list []uint64) error { return s.commit(list, s.putRow, true) }

func (s *omenStore) insert(list []uint64) error { return s.commit(list, s.insertRow, false) }

// putRow locks a key and writes its row, whether or not there is one.
func (s *omenStore) putRow(ctx context.Context, t *engine.Txn, row []column.Datum) error {
	return t.Upsert(ctx, s.id, s.key, row)
}

// insertRow looks for a row with the key, too, and leaves it as it is.
func (s *omenStore) insertRow(ctx context.Context, t *engine.Txn, row []column.Datum) error {
	err := t.Insert(ctx, s.id, s.key, row)
	var exists *engine.KeyExistsError
	if errors.As(err, &exists) { // drawn twice
		return nil
	}
	return err
}

func (s *omenStore) commit(list []uint64, write func(context.Context, *engine.Txn, []column.Datum) error, volatile bool) error {
	t := s.db.Begin(engine.TxnOptions{AsyncCommit: volatile})
	ctx := context.Background()
	cells, value := make([]column.Datum, 3), make([]byte, 2*valueBytes)
	for _, k := range list {
		cellsOf(cells, value, k)
		s.key = encode(s.key[:0], k)
		if err := write(ctx, t, cells); err != nil {
			_ = t.Rollback() // the first error counts
			return err
		}
	}
	_, err := t.Commit(ctx)
	return err
}

// renew takes a snapshot of now.
func (s *omenStore) renew() {
	s.store.close()
	s.txn = s.db.Begin(engine.TxnOptions{ReadOnly: true})
	s.snap = s.txn.Snapshot()
}

func (s *omenStore) close() error {
	if s.snap != nil { // it was loaded
		s.store.close()
	}
	if s.shared {
		return nil
	}
	return s.db.Close()
}
