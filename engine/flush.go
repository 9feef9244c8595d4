package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/compact"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/internal/event"
)

// frozenSet is the memtables that were frozen at one point of the log.
type frozenSet struct {
	lsn    LSN
	tables map[StoreID]*memtable.Table
	bytes  int64
}

// flusher is the state of background work: frozen memtables become segments,
// segments are merged. Two tasks at most run: one flushes, one merges.
type flusher struct {
	mu       sync.Mutex
	frozen   []*frozenSet // oldest first
	flushing bool
	merging  bool
	err      error         // why the last flush failed; nil after a success
	changed  chan struct{} // closed at every change of the above; nil when nobody waits
	again    func()        // cancels the timer of a retry
	timed    func()        // cancels the timer of the next checkpoint
	closing  bool
	stalled  map[int32]int // commits that are held back, by process
	nonce    uint64        // of the newest segment; the manifest knows it, so that no two are alike
}

// maxFrozen bounds the memtables that wait for their flush; beyond it commits wait.
const maxFrozen = 2

// retryDelay is how long a failed flush or merge rests: the disk may be full,
// and somebody may make room.
const retryDelay = time.Second

// wake tells those who wait for a change. The caller holds mu.
func (f *flusher) wake() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// wait returns once cond holds, or ctx ends.
func (db *DB) wait(ctx context.Context, cond func(*flusher) bool) error {
	f := &db.flush
	f.mu.Lock()
	for !cond(f) {
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		changed := f.changed
		f.mu.Unlock()
		if err := db.opts.Tasks.Await(ctx, changed); err != nil {
			return err
		}
		f.mu.Lock()
	}
	f.mu.Unlock()
	return nil
}

// stall holds a writer back while memtables pile up. When they do because
// flushes fail, the writer gets the reason.
func (db *DB) stall(ctx context.Context, pid int32) error {
	f := &db.flush
	f.mu.Lock()
	waiting := len(f.frozen)
	if waiting <= maxFrozen {
		f.mu.Unlock()
		return nil
	}
	if f.stalled == nil {
		f.stalled = make(map[int32]int)
	}
	f.stalled[pid]++
	f.mu.Unlock()
	start := db.opts.Clock.Now()
	err := db.stallAbove(ctx, maxFrozen)
	f.mu.Lock()
	if f.stalled[pid]--; f.stalled[pid] == 0 {
		delete(f.stalled, pid)
	}
	f.mu.Unlock()
	if took := db.opts.Clock.Since(start); took >= stallLogged {
		db.opts.Log.Warn().Dur("duration", took).Int("memtables", waiting).Int32("pid", pid).Msg("write.stall")
	}
	db.opts.Events.Emit(event.Event{Name: event.WriteStall, Duration: db.opts.Clock.Since(start), Count: int64(waiting), Err: err})
	return err
}

// stallLogged is how long a commit has to be held back for a line in the log:
// shorter ones are in the metrics, and may be many.
const stallLogged = 100 * time.Millisecond

// Stalled reports whether a commit of a process waits for memtables to be flushed.
func (db *DB) Stalled(pid int32) bool {
	db.flush.mu.Lock()
	defer db.flush.mu.Unlock()
	return db.flush.stalled[pid] > 0
}

func (db *DB) stallAbove(ctx context.Context, limit int) error {
	var failed error
	err := db.wait(ctx, func(f *flusher) bool {
		failed = nil
		if len(f.frozen) <= limit {
			return true
		}
		failed = f.err
		return failed != nil
	})
	if err == nil && failed != nil {
		err = ioError(failed)
	}
	return err
}

// freeze sets the active memtables aside. The caller holds applyMu.
func (db *DB) freeze() {
	set := &frozenSet{lsn: LSN(db.visible.Load()), tables: make(map[StoreID]*memtable.Table), bytes: db.activeBytes}
	db.changeView(func(stores map[StoreID]*storeState, _ *garbage) {
		for id, st := range stores {
			if st.active.Empty() || st.def.Temp {
				continue
			}
			set.tables[id] = st.active
			s := *st
			s.frozen = append([]*memtable.Table{st.active}, st.frozen...)
			s.active = memtable.NewIn(db.slabs)
			stores[id] = &s
		}
	})
	db.activeBytes, db.logBytes = 0, 0
	f := &db.flush
	f.mu.Lock()
	f.frozen = append(f.frozen, set)
	f.mu.Unlock()
	db.schedule()
}

// schedule starts the background tasks that have something to do.
func (db *DB) schedule() {
	f := &db.flush
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.frozen) > 0 && !f.flushing && !f.closing && f.again == nil {
		f.flushing = true
		db.opts.Tasks.Submit("engine.flush", db.flushAll)
	}
}

// flushAll is the flushing task.
func (db *DB) flushAll() {
	for {
		err := db.awaitMerges()
		if err == nil {
			err = db.flushOldest()
		}
		f := &db.flush
		f.mu.Lock()
		if f.err = err; err != nil {
			db.opts.Log.Error().Err(err).Msg("memtable.flush")
			if !f.closing && f.again == nil {
				f.again = db.opts.Tasks.After(retryDelay, "engine.flush", db.retryFlush)
			}
		}
		if err != nil || len(f.frozen) == 0 || f.closing {
			f.flushing = false
			f.wake()
			f.mu.Unlock()
			db.scheduleMerge()
			return
		}
		f.wake()
		f.mu.Unlock()
	}
}

// crowded runs in level 0 of one store are what reads put up with, each of
// which looks into all that have its key in their range.
const crowded = 24

// awaitMerges holds a flush back while merges have fallen behind, and with it
// commits, once memtables pile up. Without it a writer that is faster than
// merges would make reads slower and slower.
func (db *DB) awaitMerges() error {
	db.scheduleMerge()
	return db.wait(context.Background(), func(f *flusher) bool { return !f.merging || f.closing || !db.isCrowded() })
}

func (db *DB) isCrowded() bool {
	v := db.acquireView()
	defer db.releaseView(v)
	for _, st := range v.stores {
		if len(st.level0) >= crowded {
			return true
		}
	}
	return false
}

func (db *DB) retryFlush() {
	db.flush.mu.Lock()
	db.flush.again = nil
	db.flush.mu.Unlock()
	db.schedule()
	db.scheduleMerge()
}

// flushOldest turns the oldest frozen memtables into segments.
func (db *DB) flushOldest() error {
	f := &db.flush
	f.mu.Lock()
	if len(f.frozen) == 0 {
		f.mu.Unlock()
		return nil
	}
	set := f.frozen[0]
	f.mu.Unlock()
	start := db.opts.Clock.Now()
	// What a segment holds must be durable: its timestamps would be given
	// away again after a crash.
	if err := db.log.WaitDurable(context.Background(), set.lsn); err != nil {
		return err
	}
	built := make(map[StoreID][]*run)
	discard := func() {
		for _, runs := range built {
			for _, r := range runs {
				db.unref(r, byViews)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(set.tables)) { // in order: one seed, one run
		runs, err := db.buildFrom(id, set.tables[id])
		if err != nil {
			discard()
			return err
		}
		if len(runs) > 0 {
			built[id] = runs
		}
	}
	if err := db.install(func(stores map[StoreID]*storeState, g *garbage) {
		for _, id := range slices.Sorted(maps.Keys(set.tables)) {
			t, st := set.tables[id], stores[id]
			if st == nil {
				g.runs = append(g.runs, built[id]...)
				continue
			}
			s := *st
			s.frozen = without(st.frozen, t)
			for _, r := range built[id] {
				s.place(r)
			}
			stores[id] = &s
		}
	}, set.lsn); err != nil {
		discard()
		return err
	}
	f.mu.Lock()
	f.frozen = f.frozen[1:]
	f.mu.Unlock()
	db.opts.Events.Emit(event.Event{Name: event.MemtableFlush, Duration: db.opts.Clock.Since(start), Bytes: set.bytes, Count: int64(len(built)), LSN: uint64(set.lsn)})
	if err := db.log.Compact(set.lsn + 1); err != nil {
		db.opts.Log.Warn().Err(err).Msg("wal.compact")
	}
	return nil
}

func without(tables []*memtable.Table, t *memtable.Table) (rest []*memtable.Table) {
	for _, o := range tables {
		if o != t {
			rest = append(rest, o)
		}
	}
	return rest
}

// buildFrom writes a frozen memtable of a store into segments.
func (db *DB) buildFrom(id StoreID, t *memtable.Table) ([]*run, error) {
	st := db.view.Load().stores[id]
	if st == nil { // dropped
		return nil, nil
	}
	bottom := len(st.level0)+len(st.base) == 0 && st.frozen[len(st.frozen)-1] == t
	return db.build(st, []compact.Source{newTableVersions(st.def, t)}, bottom, db.opts.PartitionBytes, false)
}

// build merges sources into segments of a store, of about target bytes, and
// opens them. The runs are referred to by the caller. A merge ends early when
// the database closes.
func (db *DB) build(st *storeState, sources []compact.Source, bottom bool, target int64, merge bool) ([]*run, error) {
	def, snapshots := st.def, db.snapshots()
	res, err := compact.Merge(sources, compact.Options{
		Snapshots: snapshots, Expired: st.expiry(snapshots[0]), Bottom: bottom, TargetBytes: target,
		NewWriter: func() *segment.Writer { return db.newWriter(def) },
		Stop: func() error {
			db.flush.mu.Lock()
			defer db.flush.mu.Unlock()
			if merge && db.flush.closing {
				return errStopped
			}
			return nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("build segment of store %d: %w", def.ID, err)
	}
	var runs []*run
	for _, info := range res.Segments {
		r, err := db.openRun(info.Name, 0)
		if err != nil {
			for _, r := range runs {
				db.unref(r, byViews)
			}
			return nil, err
		}
		r.refs.Store(byViews)
		runs = append(runs, r)
		db.opts.Events.Emit(event.Event{Name: event.SegmentBuild, File: info.Name, Store: uint64(def.ID), Bytes: info.Size, Count: int64(info.Rows)})
	}
	return runs, nil
}

var errStopped = errors.New("database is closing")

// newWriter returns a writer that writes in its own goroutine.
func (db *DB) newWriter(def *storeDef) *segment.Writer { return db.newWriterBeside(def, nil) }

func (db *DB) newWriterBeside(def *storeDef, beside func(func()) func()) *segment.Writer {
	f := &db.flush
	f.mu.Lock()
	f.nonce++
	nonce := f.nonce
	f.mu.Unlock()
	missing := make([]column.Datum, len(def.Columns))
	for i := range missing {
		missing[i] = def.Columns[i].Missing
	}
	return segment.NewWriter(db.opts.FS, path.Join(db.opts.Dir, segmentDir), segment.Schema{Columns: def.kinds},
		segment.WriterOptions{Store: uint64(def.ID), Nonce: nonce, Missing: missing, Beside: beside})
}

// beside runs fn as a task and returns what waits for its end.
func (db *DB) beside(fn func()) (wait func()) {
	done := make(chan struct{})
	db.opts.Tasks.Submit("segment.write", func() {
		defer close(done)
		fn()
	})
	return func() { _ = db.opts.Tasks.Await(context.Background(), done) } // the context has no end
}

// removeSegment removes a file that nothing refers to. What cannot be removed
// now is removed at the next start.
func (db *DB) removeSegment(name string, size int64) {
	if db.backups.keeps(name, size) {
		return
	}
	if err := db.opts.FS.Remove(path.Join(db.opts.Dir, segmentDir, name)); err != nil {
		db.opts.Log.Warn().Err(err).Str("file", name).Msg("segment.remove")
		return
	}
	db.opts.Events.Emit(event.Event{Name: event.SegmentRemove, File: name, Bytes: size})
}

// tableVersions is a memtable as a source of versions.
type tableVersions struct {
	def  *storeDef
	cur  memtable.Cursor
	vs   []memtable.Version // of the current key, newest first; the first is current
	row  []column.Datum
	more bool
}

func newTableVersions(def *storeDef, t *memtable.Table) *tableVersions {
	s := &tableVersions{def: def, row: make([]column.Datum, len(def.kinds)), more: true}
	s.cur.Init(t, nil, nil, false)
	return s
}

// Next implements compact.Source.
func (s *tableVersions) Next() bool {
	if len(s.vs) > 1 {
		s.vs = s.vs[1:]
		return true
	}
	for s.vs = s.vs[:0]; len(s.vs) == 0; {
		if !s.cur.Next() {
			return false
		}
		_ = s.cur.Versions(func(v memtable.Version) error {
			s.vs = append(s.vs, v)
			return nil
		})
	}
	return true
}

// Err implements compact.Source.
func (s *tableVersions) Err() error { return nil }

// Key implements compact.Source.
func (s *tableVersions) Key() []byte { return s.cur.Key() }

// Version implements compact.Source.
func (s *tableVersions) Version() uint64 { return s.vs[0].TS }

// Deleted implements compact.Source.
func (s *tableVersions) Deleted() bool { return s.vs[0].Deleted() }

// Successor implements compact.Source.
func (s *tableVersions) Successor() []byte { return s.vs[0].Data }

// Row implements compact.Source.
func (s *tableVersions) Row() ([]column.Datum, error) {
	s.def.read(s.vs[0].Data, s.def.all, s.row)
	return s.row, nil
}

// Flush turns everything that is in memtables into segments now.
func (db *DB) Flush(ctx context.Context) error {
	db.applyMu.Lock()
	db.freeze()
	upTo := LSN(db.visible.Load())
	db.applyMu.Unlock()
	var failed error
	err := db.wait(ctx, func(f *flusher) bool {
		// What others write meanwhile is not waited for.
		if failed = nil; len(f.frozen) == 0 || f.frozen[0].lsn > upTo {
			return true
		}
		failed = f.err
		return failed != nil && !f.flushing
	})
	if err == nil {
		err = failed
	}
	return ioError(err)
}

const noLSN = LSN(math.MaxUint64)
