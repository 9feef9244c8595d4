package engine

import (
	"context"
	"fmt"
	"path"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/wal"
)

// The names in a database directory.
const (
	lockName   = "LOCK"
	logDir     = "wal"
	segmentDir = "segments"
)

// recover brings the directory's state into memory: manifest, then log.
func (db *DB) recover() error {
	fs, dir := db.opts.FS, db.opts.Dir
	for _, d := range []string{dirName(dir), path.Join(dir, logDir), path.Join(dir, segmentDir)} {
		if err := fs.MkdirAll(d); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	var err error
	if db.dirLock, err = fs.Lock(path.Join(dir, lockName)); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	m, err := readManifest(fs, dir)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if m == nil {
		if m, err = db.initialise(); err != nil {
			return err
		}
	}
	if err := db.identify(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := db.load(m); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	db.log, err = wal.Open(wal.Options{
		FS: fs, Dir: path.Join(dir, logDir), Clock: db.opts.Clock, Tasks: db.opts.Tasks,
		Apply: db.applyAll, Fatal: db.fatal, Events: db.opts.Events,
		FileBytes: db.opts.LogFileBytes, SpareFiles: db.opts.spareLogFiles(), MinDurable: m.catalog,
	})
	if err != nil {
		db.closeRuns()
		return err
	}
	db.holdForArchive()
	db.recovering, db.catalog = true, m.catalog
	if err := db.replayLog(m.applied + 1); err != nil {
		db.flush.mu.Lock()
		db.flush.closing = true
		db.flush.mu.Unlock()
		_ = db.wait(context.Background(), func(f *flusher) bool { return !f.flushing && !f.merging })
		db.closeRuns()
		return err
	}
	db.applyMu.Lock()
	db.recovering = false
	db.applyMu.Unlock()
	if err := db.restorePrepared(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := db.removeStrays(); err != nil {
		db.opts.Log.Warn().Err(err).Msg("segment.remove")
	}
	return nil
}

// initialise makes an empty directory a database. The manifest comes before
// the log, so that a log without a manifest is known to be damage.
func (db *DB) initialise() (*manifest, error) {
	fs, dir := db.opts.FS, db.opts.Dir
	names, err := fs.List(path.Join(dir, logDir))
	if err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	if len(names) > 0 {
		return nil, &CorruptionError{File: manifestName, Detail: "missing, though there is a log"}
	}
	m := &manifest{xid: firstXID, store: firstStore}
	if err := writeManifest(fs, dir, m); err != nil {
		return nil, fmt.Errorf("create database: %w", ioError(err))
	}
	return m, nil
}

// load takes over what the manifest says.
func (db *DB) load(m *manifest) error {
	db.ids.recover(m.xid, m.store)
	db.visible.Store(uint64(m.applied))
	db.flush.nonce = m.nonce
	db.applied, db.listed = m.applied, make(map[*run]bool)
	for _, q := range m.sequences {
		db.sequences.create(q.id, q.state)
	}
	for _, p := range m.prepared {
		xid, ok := preparedXID(p.body)
		if !ok {
			return &CorruptionError{File: manifestName, Detail: "prepared transaction does not parse"}
		}
		db.notePrepared(xid, p)
	}
	stores := db.view.Load().stores
	stores[writerStore] = writerState() // also in a database that is older than it
	for i := range m.stores {
		ms := &m.stores[i]
		st := &storeState{def: newStoreDef(ms.def), active: memtable.NewIn(db.slabs), horizons: ms.horizons}
		for _, g := range ms.segments {
			r, err := db.openListed(g.name, g.stamp, ms.def.ID)
			if err != nil {
				db.closeRuns()
				return fmt.Errorf("store %d (%s): %w", ms.def.ID, ms.def.Name, err)
			}
			r.refs.Store(byViews + byManifest)
			db.listed[r] = true
			if g.level == 0 {
				st.level0 = append(st.level0, r)
			} else {
				st.base = append(st.base, r)
			}
		}
		st.confine()
		st.arrange()
		stores[ms.def.ID] = st
		st.runs(db.noteDamaged)
	}
	return nil
}

// removeStrays removes the files that neither the manifest nor the log names.
// Background work rests meanwhile: what it is writing is named by neither.
func (db *DB) removeStrays() error {
	f := &db.flush
	f.mu.Lock()
	f.closing = true
	f.wake()
	f.mu.Unlock()
	_ = db.wait(context.Background(), func(f *flusher) bool { return !f.flushing && !f.merging })
	defer func() {
		f.mu.Lock()
		f.closing = false
		f.mu.Unlock()
		db.schedule()
		db.scheduleMerge()
	}()
	live := make(map[string]bool)
	for r := range db.listed {
		live[r.info.Name] = true
	}
	v := db.acquireView()
	defer db.releaseView(v)
	for _, st := range v.stores {
		st.runs(func(r *run) { live[r.info.Name] = true })
	}
	_ = db.EachPrepared(func(t *Txn) error {
		for _, r := range t.lockRuns {
			live[r.info.Name] = true
		}
		for _, links := range t.bulk {
			for _, link := range links {
				for _, r := range link.runs {
					live[r.info.Name] = true
				}
			}
		}
		return nil
	})
	db.applyMu.Lock()
	defer db.applyMu.Unlock()
	for _, r := range db.linked {
		live[r.info.Name] = true
	}
	names, err := db.opts.FS.List(path.Join(db.opts.Dir, segmentDir))
	if err != nil {
		return err
	}
	for _, name := range names {
		if !live[name] {
			db.removeSegment(name, 0)
		}
	}
	return nil
}

// applyAll receives what the log has committed. A record that does not apply
// is a bug, or memory gone bad: the panic makes the log refuse further work.
func (db *DB) applyAll(records []wal.Record) {
	db.applyMu.Lock()
	defer db.applyMu.Unlock()
	for i := range records {
		if err := db.apply(&records[i]); err != nil {
			panic(fmt.Sprintf("engine: %v", err))
		}
	}
}

func (db *DB) fatal(err error) {
	if db.opts.Fatal != nil {
		db.opts.Fatal(err)
	}
}
