package engine

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/txn"
	"github.com/omendb/omendb/wal"
)

// LSN is a position in the log, and the commit timestamp of the transaction whose record stands there.
type LSN = wal.LSN

// The kinds of record that the engine logs.
const (
	kindCommit   = wal.KindCommit
	kindSequence = wal.KindSequence
	kindReserve  = wal.Kind(9) // transaction and store numbers may be used up to here
)

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	opts    Options
	dirLock io.Closer
	log     *wal.Log
	locks   *txn.Manager
	owners  sync.Map // process id → *txn.Owner
	serial  *txn.Serial
	visible atomic.Uint64 // LSN of the newest applied record: what new snapshots see
	view    atomic.Pointer[view]
	viewMu  sync.Mutex // held while a view is replaced
	live    registry
	ids     ids
	active  activeSet

	sequences sequences
	closed    atomic.Bool

	applyMu     sync.Mutex // held while a record is applied, and by who needs a cut between records
	recovering  bool       // guarded by applyMu
	catalog     LSN        // in recovery: definitions up to here came from the manifest
	activeBytes int64      // memory of the active memtables; guarded by applyMu

}

// Open opens a database, creating it if there is none, and recovers what was
// committed before a crash. A directory that another process has open is
// vfs.ErrLocked; damage is reported by Corruption.
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
	if err := db.recover(); err != nil {
		if db.log != nil {
			_ = db.log.Close() // the first error counts
		}
		if db.dirLock != nil {
			_ = db.dirLock.Close()
		}
		return nil, err
	}
	return db, nil
}

// propose logs a record and returns once it is applied and, unless async, durable.
func (db *DB) propose(ctx context.Context, kind wal.Kind, body []byte, decoded any, async bool) (LSN, error) {
	lsn, err := db.log.Propose(ctx, kind, body, decoded, async)
	if err != nil {
		return 0, ioError(err)
	}
	return lsn, nil
}

// WaitDurable returns once the commit at lsn is durable, for those who committed asynchronously.
func (db *DB) WaitDurable(ctx context.Context, lsn LSN) error { return db.log.WaitDurable(ctx, lsn) }

// Close ends the database. Transactions must have ended.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return nil
	}
	err := db.log.Close()
	if lerr := db.dirLock.Close(); err == nil {
		err = lerr
	}
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
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
