package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/omendb/omendb/internal/event"
)

// install changes which segments are live: it writes a manifest with the
// change and then makes the change visible. applied is the log position that
// the segments now contain, or noLSN to leave it. After an error nothing has changed.
func (db *DB) install(change func(map[StoreID]*storeState, *garbage), applied LSN) (err error) {
	db.manifestTurn.lock(db.opts.Tasks)
	defer db.manifestTurn.unlock()
	start := db.opts.Clock.Now()
	if applied == noLSN {
		applied = db.applied
	}
	// A cut between two records: the definitions and the position belong together.
	db.applyMu.Lock()
	stores := maps.Clone(db.view.Load().stores)
	m := &manifest{applied: applied, catalog: max(LSN(db.visible.Load()), db.catalog)}
	m.xid, m.store = db.ids.logged()
	db.flush.mu.Lock()
	m.nonce = db.flush.nonce
	db.flush.mu.Unlock()
	m.sequences = db.sequences.logged(db.closed.Load())
	m.prepared = db.prepared.logged()
	linked := db.linked
	db.linked = nil
	db.applyMu.Unlock()
	defer func() {
		if err != nil {
			db.applyMu.Lock()
			db.linked = append(linked, db.linked...)
			db.applyMu.Unlock()
		}
	}()
	if err := db.log.WaitDurable(context.Background(), m.catalog); err != nil {
		return err
	}
	change(stores, &garbage{})
	listed := make(map[*run]bool)
	for _, id := range slices.Sorted(maps.Keys(stores)) {
		st := stores[id]
		if st.def.Temp {
			continue
		}
		ms := manifestStore{def: st.def.StoreDef, horizons: st.horizons}
		add := func(runs []*run, level int) {
			for _, r := range runs {
				listed[r] = true
				ms.segments = append(ms.segments, manifestSegment{name: r.info.Name, level: level, stamp: r.stamp})
			}
		}
		add(st.level0, 0)
		add(st.base, 1)
		m.stores = append(m.stores, ms)
	}
	if err := writeManifest(db.opts.FS, db.opts.Dir, m); err != nil {
		return err
	}
	db.applied = applied
	for _, r := range linked {
		db.listed[r] = true // the log's reference becomes the manifest's
	}
	for r := range listed {
		if !db.listed[r] {
			r.refs.Add(byManifest)
		}
	}
	old := db.listed
	db.listed = listed
	db.changeView(change)
	var gone []*run
	for r := range old {
		if !listed[r] {
			gone = append(gone, r)
		}
	}
	slices.SortFunc(gone, func(a, b *run) int { return strings.Compare(a.info.Name, b.info.Name) }) // one seed, one run
	for _, r := range gone {
		db.unref(r, byManifest)
	}
	db.opts.Events.Emit(event.Event{Name: event.Checkpoint, Duration: db.opts.Clock.Since(start), LSN: uint64(applied), Count: int64(len(listed))})
	return nil
}

// scheduleCheckpoint has memtables flushed when Options.CheckpointTimeout has
// passed, if there is anything in them, and again after that.
func (db *DB) scheduleCheckpoint() {
	f := &db.flush
	f.mu.Lock()
	defer f.mu.Unlock()
	if db.opts.CheckpointTimeout <= 0 || f.closing {
		return
	}
	f.timed = db.opts.Tasks.After(db.opts.CheckpointTimeout, "engine.checkpoint", func() {
		db.applyMu.Lock()
		if db.logBytes > 0 {
			db.freeze()
		}
		db.applyMu.Unlock()
		db.scheduleMerge() // an old snapshot may have ended
		db.scheduleCheckpoint()
	})
}

func (i *ids) logged() (xid, store uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.xidLog, i.idsLog
}

// logged lists the sequences as recovery has to find them: ahead of what was
// handed out, or exactly there when nobody can use them any more.
func (s *sequences) logged(exact bool) (list []manifestSequence) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, q := range s.byID {
		q.mu.Lock()
		if state := q.logged; !q.pending {
			if exact {
				state = q.state
			}
			list = append(list, manifestSequence{id, state})
		}
		q.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b manifestSequence) int { return int(a.id) - int(b.id) })
	return list
}
