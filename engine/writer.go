package engine

import (
	"encoding/binary"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// A version of a row carries the position of its commit record in the log. Which
// transaction that was is told by a store of the engine's own, which every
// database has: one row for each commit, made when the record is applied, so
// that it is flushed, merged, replayed and backed up as all others are. Its key
// is the commit's timestamp, its only column the transaction's number.
const writerStore StoreID = 15

var writerKinds = []column.Kind{column.Int}

// unknownWriter is the number of a transaction that committed before the store of
// writers was there: PostgreSQL's FrozenTransactionId.
const unknownWriter = 2

// writerRow is the memory in which the row of a commit is put together; guarded by applyMu.
type writerRow struct {
	key, row []byte
	cells    [1]column.Datum
}

func writerState() *storeState {
	def := StoreDef{ID: writerStore, Name: "transactions", Columns: []ColumnDef{{Kind: column.Int, Missing: column.Null()}}}
	return &storeState{def: newStoreDef(def), active: memtable.NewIn(nil)}
}

// noteWriter adds the row of a commit. In recovery rp takes it, as all rows.
func (db *DB) noteWriter(c *changes, xid, ts uint64, rp *replayer) {
	w := &db.writerRow
	w.key = binary.BigEndian.AppendUint64(w.key[:0], ts)
	w.cells[0] = column.IntDatum(int64(xid))
	w.row = memtable.AppendRow(w.row[:0], writerKinds, w.cells[:])
	if rp != nil {
		var e encoder
		e.uvarint(uint64(writerStore))
		e.uvarint(1)
		e.byte(byte(memtable.Inserted))
		e.bytes(w.key)
		e.bytes(w.row)
		rp.writes(&decoder{b: e.b}, c, ts)
		rp.jobs[rp.turn].changes-- // nobody has asked for it
		return
	}
	table, _ := c.lookup(writerStore)
	before := table.Bytes()
	table.Put(w.key, ts, memtable.Inserted, w.row)
	db.activeBytes += table.Bytes() - before
}

// writer returns the number of the transaction that committed at a timestamp.
func (v *view) writer(ts uint64, o *segment.ReadOptions) (uint64, error) {
	st := v.stores[writerStore]
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], ts)
	var row [1]column.Datum
	o.Snapshot, o.Cols, o.Defaults = math.MaxUint64, st.def.all, st.def.defaults
	found, err := st.get(st.def, key[:], row[:], o)
	if err != nil || !found {
		return unknownWriter, err
	}
	return uint64(row[0].I), nil
}

// version returns the timestamp of the newest version of a key at or below ts, 0 for none.
func (s *storeState) version(key []byte, ts uint64, o *segment.ReadOptions) (newest uint64, err error) {
	if v, ok := s.newestInTables(key, ts); ok {
		newest = v.TS
	}
	o.Snapshot, o.Cols, o.Defaults = ts, nil, nil
	err = s.candidates(key, func() uint64 { return newest }, func(r *run) error {
		res, err := r.reader.Get(key, nil, o)
		if err == nil && res.Status != segment.Absent && res.Version > newest {
			newest = res.Version
		}
		return err
	})
	return newest, err
}

// Writers tells which transactions have to do with a row: the one that wrote the
// version that the snapshot sees (xmin), and the one that has replaced or deleted it,
// or that holds a lock on it (xmax), 0 for none. Of several that hold a lock it is
// one. A lock is forgotten when its transaction ends, and so is a change that
// was rolled back.
func (s *Snapshot) Writers(id StoreID, key []byte) (xmin, xmax uint64, err error) {
	st, _, err := s.resolve(id)
	if err != nil {
		return 0, 0, err
	}
	o := segment.ReadOptions{NoModel: s.noModel, Plain: s.db.opts.PlainReads, Cols: []int{}}
	if _, ok := s.getOwn(id, key); ok {
		return s.txn.XID(), 0, nil
	}
	if s.txn != nil && len(s.txn.bulk) > 0 {
		res, err := s.txn.getOwn(id, key, s.ownSeq, nil, &o)
		if err != nil || res.Status != segment.Absent {
			return s.txn.XID(), 0, err
		}
	}
	if st == nil {
		return 0, 0, nil
	}
	v := s.view
	now := s.db.acquireView()
	defer s.db.releaseView(now)
	seen, err := st.version(key, s.ts, &o)
	if err != nil {
		return 0, 0, err
	}
	if now.stores[writerStore] != nil {
		v = now // it has all commits that the older one has
	}
	if xmin, err = v.writer(seen, &o); err != nil {
		return 0, 0, err
	}
	if o := s.db.locks.RowHolder(rowTag(id, key)); o != nil {
		return xmin, o.XID(), nil
	}
	cur := now.stores[id]
	if cur == nil {
		return xmin, 0, nil
	}
	if newest, err := cur.version(key, math.MaxUint64, &o); err != nil || newest <= seen {
		return xmin, 0, err
	} else if xmax, err = v.writer(newest, &o); err != nil {
		return 0, 0, err
	}
	return xmin, xmax, nil
}

// NewestWriter returns the number of the transaction that wrote the newest committed version of a row.
func (db *DB) NewestWriter(id StoreID, key []byte) (uint64, error) {
	v := db.acquireView()
	defer db.releaseView(v)
	st := v.stores[id]
	if st == nil {
		return unknownWriter, nil
	}
	o := segment.ReadOptions{Plain: db.opts.PlainReads}
	ts, err := st.version(key, math.MaxUint64, &o)
	if err != nil {
		return 0, err
	}
	return v.writer(ts, &o)
}
