package engine

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/engine/txn"
	"github.com/omendb/omendb/wal"
)

// LSN is a position in the log, and the commit timestamp of the transaction whose record stands there.
type LSN = wal.LSN

// The kinds of record that the engine logs.
const (
	kindCommit   = wal.KindCommit
	kindSequence = wal.KindSequence
	kindReserve  = wal.Kind(9)  // transaction and store numbers may be used up to here
	kindLabel    = wal.Kind(10) // a name for this point of the log
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
	private atomic.Int64 // bytes of private writes of all transactions

	spareLists, spareBodies sync.Pool // memory for transactions to come

	ids    ids
	active activeSet

	claims    bulkClaims
	prepared  preparedSet
	sequences sequences
	rowIDs    rowIDs
	closed    atomic.Bool

	applyMu     sync.Mutex // held while a record is applied, and by who needs a cut between records
	recovering  bool       // guarded by applyMu
	catalog     LSN        // in recovery: definitions up to here came from the manifest
	logBytes    int64      // of records applied since the last freeze; guarded by applyMu
	activeBytes int64      // memory of the active memtables; guarded by applyMu

	cache      *cache.Cache
	slabs      *memtable.Reserve
	flush      flusher
	oldestView *view // of those that are referred to; guarded by viewMu

	backups backups
	scrub   scrubber

	archiving archiving
	identity  Identity

	writerRow writerRow
	linked    []*run // bulk loaded, and in no manifest yet; guarded by applyMu

	manifestTurn gate // held while the manifest is replaced; guards what follows
	applied      LSN  // of the manifest
	listed       map[*run]bool
}

// Open opens a database, creating it if there is none, and recovers what was
// committed before a crash. A directory that another process has open is
// vfs.ErrLocked; damage is reported by Corruption.
func Open(o Options) (*DB, error) {
	o.setDefaults()
	db := &DB{opts: o}
	db.locks = txn.NewManager(o.Tasks, o.Clock)
	db.locks.SetPlain(o.PlainWrites)
	db.serial = txn.NewSerial()
	db.serial.SetOff(o.NoSerialChecks)
	db.live.init()
	db.active.xids = make(map[uint64]struct{})
	db.sequences.byID = make(map[StoreID]*sequence)
	v := &view{stores: make(map[StoreID]*storeState)}
	v.refs.Store(1)
	db.view.Store(v)
	db.oldestView = v
	db.cache = cache.New(o.CacheBytes)
	db.slabs = memtable.NewReserve(func(fill func()) { o.Tasks.Submit("memtable.reserve", fill) })
	if err := db.recover(); err != nil {
		if db.log != nil {
			_ = db.log.Close() // the first error counts
		}
		if db.dirLock != nil {
			_ = db.dirLock.Close()
		}
		db.cache.Close()
		return nil, err
	}
	db.scheduleCheckpoint()
	if o.ScrubRate > 0 {
		db.SetScrubRate(o.ScrubRate)
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

// Close ends the database. Transactions must have ended. What is in memtables
// becomes segments, so that the next start has nothing to replay; if that
// fails, it is in the log.
func (db *DB) Close() error {
	f := &db.flush
	f.mu.Lock()
	if f.closing {
		f.mu.Unlock()
		return nil
	}
	f.closing = true
	if f.again != nil {
		f.again()
	}
	if f.timed != nil {
		f.timed()
	}
	f.wake()
	f.mu.Unlock()
	db.stopScrub()
	_ = db.wait(context.Background(), func(f *flusher) bool { return !f.flushing && !f.merging })
	if err := db.flushFinally(); err != nil {
		db.opts.Log.Warn().Err(err).Msg("memtable.flush")
	}
	db.closed.Store(true)
	err := db.log.Close()
	db.closePrepared()
	db.closeRuns()
	db.cache.Close()
	if lerr := db.dirLock.Close(); err == nil {
		err = lerr
	}
	if err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// flushFinally flushes all memtables in this goroutine and leaves a manifest with the exact sequences.
func (db *DB) flushFinally() error {
	db.applyMu.Lock()
	db.freeze()
	db.applyMu.Unlock()
	for {
		db.flush.mu.Lock()
		n := len(db.flush.frozen)
		db.flush.mu.Unlock()
		if n == 0 {
			return nil
		}
		if err := db.flushOldest(); err != nil {
			return err
		}
	}
}

// closeRuns closes the files of all live segments.
func (db *DB) closeRuns() {
	for r := range db.listed {
		if err := r.reader.Close(); err != nil {
			db.opts.Log.Warn().Err(err).Str("file", r.info.Name).Msg("segment.close")
		}
	}
}

// Stats describes a store, for the planner and for people.
type Stats struct {
	Rows  float64 // estimated live rows
	Bytes int64   // memory and disk
	// Versions counts rows and tombstones, in segments and in memory. Dead
	// counts those in segments that are known to be followed by a newer one, or
	// say that a row is gone: snapshots need them, or a merge is still to come.
	// Unmerged are those that no merge has compared with the others yet, and
	// Unzoned those in memory about which zones say nothing to a scan.
	Versions, Dead, Unmerged, Unzoned int64
	DeadBytes                         int64 // of segments, by the share of rows
	Segments                          []SegmentStats
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
	segment.Usage
	Info *segment.Info // column statistics and the rest; read only
}

// CacheStats returns the counters of the block cache.
func (db *DB) CacheStats() cache.Stats { return db.cache.Stats() }

// StoreStats describes a committed store; an unknown one is all zero.
func (db *DB) StoreStats(id StoreID) Stats {
	v := db.acquireView()
	defer db.releaseView(v)
	var s Stats
	st := v.stores[id]
	if st == nil {
		return s
	}
	add := func(level int) func(*run) {
		return func(r *run) {
			i := r.info
			s.Bytes += i.Size
			s.Versions += int64(i.Rows)
			if dead := int64(i.Rows - i.Keys + i.Tombstones); dead > 0 {
				s.Dead += dead
				s.DeadBytes += int64(float64(i.Size) * float64(dead) / float64(i.Rows))
			}
			if level == 0 {
				s.Unmerged += int64(i.Rows)
			}
			live := 1.0
			if len(st.horizons) > 0 {
				live -= r.expiredShare(st.def, st.horizons)
			}
			s.Rows += live * max(0, float64(i.Keys)-2*float64(i.Tombstones))
			s.Segments = append(s.Segments, SegmentStats{Name: i.Name, Level: level, Keys: int64(i.Keys), Bytes: i.Size,
				Kind: i.ModelKind, Error: i.ModelError, ModelBytes: int64(i.ModelBytes), FenceBytes: int64(i.FenceBytes), Info: i,
				Usage: r.reader.Usage()})
		}
	}
	for _, r := range st.level0 {
		add(0)(r)
	}
	for _, r := range st.base {
		add(1)(r)
	}
	st.tables(func(t *memtable.Table) bool {
		s.Bytes += t.Bytes()
		all, dead := t.Versions()
		s.Versions, s.Unmerged, s.Unzoned = s.Versions+all, s.Unmerged+all, s.Unzoned+t.Unzoned()
		s.Rows += float64(max(0, min(t.Keys(), all-dead)))
		return true
	})
	return s
}
