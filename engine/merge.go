package engine

import (
	"bytes"
	"context"
	"maps"
	"math"
	"path"
	"slices"

	"github.com/omendb/omendb/engine/compact"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/internal/event"
)

// scheduleMerge starts the merging task when a store has something to merge.
func (db *DB) scheduleMerge() {
	f := &db.flush
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.merging || f.closing || f.again != nil {
		return
	}
	if id, _, ok := db.pickMerge(); ok {
		f.merging = true
		db.opts.Tasks.Submit("engine.merge", func() { db.mergeAll(id) })
	}
}

// pickMerge finds a store to merge.
func (db *DB) pickMerge() (StoreID, compact.Plan, bool) {
	oldest := db.oldestSnapshot()
	v := db.acquireView()
	defer db.releaseView(v)
	for _, id := range slices.Sorted(maps.Keys(v.stores)) { // in order: one seed, one run
		st := v.stores[id]
		if p, ok := db.pick(st, oldest); ok && !slices.ContainsFunc(st.inputs(p), (*run).isDamaged) {
			return id, p, true
		}
	}
	return 0, compact.Plan{}, false
}

// pick names the merge that is due in a store.
func (db *DB) pick(st *storeState, oldest uint64) (compact.Plan, bool) {
	level0, base := st.shapes(oldest)
	return compact.Pick(level0, base, db.opts.PartitionBytes)
}

// mergeAll is the merging task.
func (db *DB) mergeAll(id StoreID) {
	for ok := true; ok; {
		err := db.mergeStore(id, false)
		f := &db.flush
		f.mu.Lock()
		if err != nil {
			if !f.closing && f.again == nil {
				db.opts.Log.Error().Err(err).Msg("segment.merge")
				f.again = db.opts.Tasks.After(retryDelay, "engine.merge", db.retryFlush)
			}
			ok = false
		} else if id, _, ok = db.pickMerge(); f.closing {
			ok = false
		}
		f.merging = ok
		f.wake()
		f.mu.Unlock()
	}
}

// mergeStore does one merge in a store: the one that is due, or with all set everything.
func (db *DB) mergeStore(id StoreID, all bool) error {
	v := db.acquireView()
	defer db.releaseView(v)
	st := v.stores[id]
	if st == nil {
		return nil
	}
	plan, ok := db.pick(st, db.oldestSnapshot())
	if all {
		plan, ok = compact.Plan{Level0: len(st.level0), Upper: len(st.base)}, len(st.level0)+len(st.base) > 0
	}
	if !ok {
		return nil
	}
	inputs := st.inputs(plan)
	start := db.opts.Clock.Now()
	bottom, hs := !plan.Above && st.nothingOlder(inputs), st.horizons.seen(db.oldestSnapshot())
	target := db.opts.PartitionBytes
	if plan.Above {
		target = math.MaxInt64 // one run: parts of it would count as runs each
	}
	var sources []compact.Source
	for i, r := range inputs {
		if bottom && i >= plan.Level0 && !r.hidesAny(inputs) { // of the base: nothing is below it
			if _, all := r.expires(st.def, hs); all {
				continue
			}
		}
		sources = append(sources, r.reader.Versions(nil, nil))
	}
	built, err := db.build(st, sources, bottom, target, true)
	if err != nil {
		blame(inputs, err)
		return err
	}
	err = db.install(func(stores map[StoreID]*storeState, g *garbage) {
		cur := stores[id]
		if cur == nil {
			g.runs = append(g.runs, built...)
			return
		}
		s := *cur
		merged := func(r *run) bool { return slices.Contains(inputs, r) }
		s.level0 = slices.DeleteFunc(slices.Clone(cur.level0), merged)
		if s.base = slices.DeleteFunc(slices.Clone(cur.base), merged); plan.Above {
			s.level0 = append(s.level0, built...) // what came meanwhile is newer, and in front
		} else {
			for _, r := range built {
				s.base = s.clear(r)
				s.base = insertRun(s.base, r)
			}
		}
		stores[id] = &s
		g.runs = append(g.runs, inputs...)
	}, noLSN)
	if err != nil {
		for _, r := range built {
			db.unref(r, byViews)
		}
		return err
	}
	var rows, bytes int64
	for _, r := range built {
		rows += int64(r.info.Rows)
		bytes += r.info.Size
	}
	db.opts.Events.Emit(event.Event{Name: event.SegmentMerge, Duration: db.opts.Clock.Since(start), Store: uint64(id), Bytes: bytes, Count: rows, Total: int64(len(inputs))})
	return nil
}

// inputs returns the runs that a plan merges.
func (s *storeState) inputs(p compact.Plan) []*run {
	return slices.Concat(s.level0[len(s.level0)-p.Level0:], s.base[p.Lower:p.Upper])
}

// blame marks the input whose damage ended a merge: it would end every other
// one, too, and keep those of other stores waiting.
func blame(inputs []*run, err error) {
	c, ok := Corruption(err)
	for _, r := range inputs {
		if ok && path.Base(c.File) == r.info.Name {
			r.damaged.Store(true)
		}
	}
}

func (r *run) isDamaged() bool { return r.damaged.Load() }

// nothingOlder reports whether what is not among the inputs of a merge is newer
// than they are, as far as keys are shared, so that tombstones may go. That is
// the rule: a merge takes level 0 as a whole with all of the base that it
// overlaps. But a bulk load or a spilled transaction may have come past
// memtables and runs that are older.
func (s *storeState) nothingOlder(inputs []*run) bool {
	var newest uint64
	for _, r := range inputs {
		newest = max(newest, r.info.MaxTS)
	}
	ok := true
	s.tables(func(t *memtable.Table) bool {
		oldest, _ := t.Bounds()
		ok = t.Empty() || oldest > newest
		return ok
	})
	for _, r := range s.level0 {
		ok = ok && (slices.Contains(inputs, r) || r.info.MinTS > newest)
	}
	return ok
}

// hidesAny reports whether a run may hold newer versions of keys than another
// one of the list: a bulk load or a spilled transaction may have put it into
// the base past older rows that came to level 0 later.
func (r *run) hidesAny(list []*run) bool {
	upper := append(bytes.Clone(r.info.MaxKey), 0)
	return slices.ContainsFunc(list, func(o *run) bool {
		return o != r && o.info.MinTS < r.info.MaxTS && o.overlaps(r.info.MinKey, upper)
	})
}

// Compact merges a store's segments into one run now, for tests and maintenance commands.
func (db *DB) Compact(ctx context.Context, id StoreID) error {
	if err := db.wait(ctx, func(f *flusher) bool {
		if f.merging || f.closing {
			return f.closing
		}
		f.merging = true
		return true
	}); err != nil {
		return err
	}
	if db.closed.Load() {
		return ErrClosed
	}
	err := db.mergeStore(id, true)
	f := &db.flush
	f.mu.Lock()
	f.merging = false
	f.wake()
	f.mu.Unlock()
	return ioError(err)
}
