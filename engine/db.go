package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
)

// DB is an open database.
type DB struct {
	opts    Options
	locks   *txn.Manager
	owners  sync.Map // process id → *txn.Owner
	serial  *txn.Serial
	visible atomic.Uint64 // LSN of the newest applied record: what new snapshots see
	view    atomic.Pointer[view]
	viewMu  sync.Mutex // held while a view is replaced
	live    registry
	ids     ids
	active  activeSet

	sequences  sequences
	recovering bool
	closed     atomic.Bool

	logMu sync.Mutex
}

// LSN is a position in the log, and the commit timestamp of the transaction whose record stands there.
type LSN = uint64

type recordKind uint8

const (
	kindCommit   recordKind = 1
	kindSequence recordKind = 2
	kindReserve  recordKind = 3
)

type record struct {
	LSN     LSN
	Kind    recordKind
	Body    []byte
	Decoded any
}

// Open opens a database, creating it if there is none.
func Open(o Options) (*DB, error) {
	o.setDefaults()
	db := &DB{opts: o}
	db.locks = txn.NewManager(o.Tasks, o.Clock)
	db.serial = txn.NewSerial()
	db.live.init()
	db.active.xids = make(map[uint64]struct{})
	db.sequences.byID = make(map[StoreID]*sequence)
	v := &view{stores: make(map[StoreID]*storeState)}
	v.refs.Store(1)
	db.view.Store(v)
	db.ids.recover(firstXID, firstStore)
	return db, nil
}

// propose logs a record and applies it.
func (db *DB) propose(_ context.Context, kind recordKind, body []byte, decoded any, _ bool) (LSN, error) {
	db.logMu.Lock()
	defer db.logMu.Unlock()
	r := record{LSN: db.visible.Load() + 1, Kind: kind, Body: body, Decoded: decoded}
	if err := db.apply(&r); err != nil {
		return 0, err
	}
	return r.LSN, nil
}

// Close ends the database. Transactions must have ended.
func (db *DB) Close() error {
	db.closed.Store(true)
	return nil
}

// Stats describes a store, for the planner and for people.
type Stats struct {
	Rows     float64 // estimated live rows
	Bytes    int64   // memory and disk
	Segments []SegmentStats
}

// SegmentStats describes one segment and its model.
type SegmentStats struct {
	Name       string
	Level      int
	Keys       int64
	Bytes      int64
	Kind       string // of the model
	Error      int    // the model's verified error bound
	ModelBytes int64
	FenceBytes int64
}

// StoreStats describes a committed store; an unknown one is all zero.
func (db *DB) StoreStats(id StoreID) Stats {
	v := db.acquireView()
	defer v.release()
	var s Stats
	st := v.stores[id]
	if st == nil {
		return s
	}
	st.tables(func(t *memtable.Table) bool {
		s.Bytes += t.Bytes()
		all, dead := t.Versions()
		s.Rows += float64(max(0, min(t.Keys(), all-dead)))
		return true
	})
	return s
}
