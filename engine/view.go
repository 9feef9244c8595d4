package engine

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// view is an immutable picture of which stores exist and which runs hold their
// rows. Readers hold a reference while they use it, so that files it lists
// outlive them. A new one replaces it on DDL, freeze, flush and merge.
type view struct {
	stores  map[StoreID]*storeState
	refs    atomic.Int64 // 1 for being current, 1 for each reader
	next    *view        // the one that replaced it; guarded by viewMu, as is what follows
	dead    bool         // nobody holds a reference
	garbage garbage      // what the next one has no more
}

// garbage collects the segments that a change of the view leaves out.
type garbage struct{ runs []*run }

// acquireView returns the current view with a reference.
func (db *DB) acquireView() *view {
	for {
		v := db.view.Load()
		n := v.refs.Load()
		if n > 0 && v.refs.CompareAndSwap(n, n+1) {
			return v
		}
	}
}

// releaseView gives a reference back. Segments that no view lists any more are let go.
func (db *DB) releaseView(v *view) {
	n := v.refs.Add(-1)
	if n > 0 {
		return
	}
	if n < 0 {
		panic("engine: view released too often")
	}
	db.viewMu.Lock()
	v.dead = true
	var free []*run
	for db.oldestView.dead { // the current view is never dead
		free = append(free, db.oldestView.garbage.runs...)
		db.oldestView = db.oldestView.next
	}
	db.viewMu.Unlock()
	for _, r := range free {
		db.unref(r, byViews)
	}
}

// changeView replaces the view by one whose stores fn has changed. fn replaces
// entries, never changes them in place, and names the runs that it leaves out.
func (db *DB) changeView(fn func(map[StoreID]*storeState, *garbage)) {
	db.viewMu.Lock()
	old := db.view.Load()
	v := &view{stores: maps.Clone(old.stores)}
	v.refs.Store(1)
	fn(v.stores, &old.garbage)
	for id, s := range v.stores {
		if old.stores[id] != s {
			s.arrange()
		}
	}
	old.next = v
	db.view.Store(v)
	db.viewMu.Unlock()
	db.releaseView(old)
}

// registration is a timestamp that merging must respect while it is listed.
type registration struct {
	ts         uint64
	since      time.Time
	txn        *Txn // whose snapshot it is, nil of nobody's
	shard      *registryShard
	prev, next *registration
}

const registryShards = 16

// registry lists the live snapshots. Within a shard timestamps only grow, so
// that the first of each list is its oldest.
type registry struct {
	turn   atomic.Uint32
	shards [registryShards]registryShard
}

type registryShard struct {
	mu   sync.Mutex
	head registration // ring
	_    [64]byte     // shards must not share cache lines
}

func (r *registry) init() {
	for i := range r.shards {
		h := &r.shards[i].head
		h.prev, h.next = h, h
	}
}

// register lists the newest committed state. The timestamp is read under the
// shard's lock, so that oldest cannot pass it by.
func (db *DB) register(g *registration) {
	s := &db.live.shards[db.live.turn.Add(1)%registryShards]
	g.since = db.opts.Clock.Now()
	s.mu.Lock()
	g.ts, g.shard = db.visible.Load(), s
	g.prev, g.next = s.head.prev, &s.head
	g.prev.next, s.head.prev = g, g
	s.mu.Unlock()
}

func (g *registration) unregister() {
	if g.shard == nil {
		return
	}
	s := g.shard
	s.mu.Lock()
	g.prev.next, g.next.prev = g.next, g.prev
	s.mu.Unlock()
	g.shard, g.prev, g.next = nil, nil, nil
}

// SnapshotLag returns how many log records lie behind the oldest snapshot in use.
func (db *DB) SnapshotLag() uint64 {
	oldest := db.oldestSnapshot() // first: the newest state only grows
	return db.visible.Load() - oldest
}

// snapshots lists the timestamps of the live snapshots, ascending, and last
// the newest committed state, which no future snapshot is below.
func (db *DB) snapshots() []uint64 {
	newest := db.visible.Load()
	list := []uint64{newest}
	for i := range db.live.shards {
		s := &db.live.shards[i]
		s.mu.Lock()
		for g := s.head.next; g != &s.head && g.ts < newest; g = g.next {
			list = append(list, g.ts)
		}
		s.mu.Unlock()
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// SnapshotInfo describes a snapshot that a session has.
type SnapshotInfo struct {
	ProcessID int32  // 0 of nobody's
	Timestamp uint64 // position in the log
	Records   uint64 // written since
	Since     time.Time
}

// Snapshots lists the oldest snapshot of each session that has one.
func (db *DB) Snapshots() []SnapshotInfo {
	newest := db.visible.Load()
	oldest := make(map[int32]SnapshotInfo)
	for i := range db.live.shards {
		s := &db.live.shards[i]
		s.mu.Lock()
		for g := s.head.next; g != &s.head; g = g.next {
			var pid int32
			if g.txn != nil {
				pid = g.txn.owner.ProcessID()
			}
			if o, ok := oldest[pid]; !ok || g.ts < o.Timestamp || g.ts == o.Timestamp && g.since.Before(o.Since) {
				oldest[pid] = SnapshotInfo{pid, g.ts, newest - min(newest, g.ts), g.since}
			}
		}
		s.mu.Unlock()
	}
	list := make([]SnapshotInfo, 0, len(oldest))
	for _, pid := range slices.Sorted(maps.Keys(oldest)) {
		list = append(list, oldest[pid])
	}
	return list
}

// SnapshotAge returns how long the oldest snapshot in use has been.
func (db *DB) SnapshotAge() (age time.Duration) {
	for _, s := range db.Snapshots() {
		age = max(age, db.opts.Clock.Since(s.Since))
	}
	return age
}

// oldestSnapshot returns a timestamp that no live or future snapshot is below.
func (db *DB) oldestSnapshot() uint64 {
	oldest := db.visible.Load()
	for i := range db.live.shards {
		s := &db.live.shards[i]
		s.mu.Lock()
		if s.head.next != &s.head {
			oldest = min(oldest, s.head.next.ts)
		}
		s.mu.Unlock()
	}
	return oldest
}
