package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/internal/event"
)

// The scrub reads all live segments again and again, past the cache and slowly,
// so that damage to rows that nobody reads is found while there is a backup.
const (
	// scrubChunk is read at once: small enough that a low rate is even.
	scrubChunk = 256 << 10
	// scrubRest is the pause between rounds, and where there is nothing to read.
	scrubRest = time.Minute
	// maxScrubDamage bounds what is remembered; every finding is in the log.
	maxScrubDamage = 1000
)

// ScrubStatus is how far the scrub of a running database has come.
type ScrubStatus struct {
	Rate         int64 // bytes per second; 0 is off
	File         string
	Store        StoreID
	Done, Total  int64     // bytes of this round
	Rounds       int64     // since the database was opened
	Started      time.Time // of this round
	LastFinished time.Time // of the last whole round; zero before
	Damage       []Damage  // of live files, as of the last look at each
}

// scrubber is the state of the scrub. Its mutex is held while a part is read.
type scrubber struct {
	mu      sync.Mutex
	closed  bool
	running bool   // a step is waiting or at work
	cancel  func() // of the waiting step
	status  ScrubStatus
	queue   []*run // of this round, with a reference each
	file    *segment.Scrub
	fileAt  int64 // bytes of file that are done
}

// SetScrubRate sets how many bytes per second the scrub reads; 0 stops it.
func (db *DB) SetScrubRate(rate int64) {
	s := &db.scrub
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Rate = max(0, rate)
	if rate > 0 && !s.running && !s.closed {
		s.running = true
		s.cancel = db.opts.Tasks.After(0, "engine.scrub", db.scrubStep)
	}
}

// ScrubStatus returns how far the scrub has come.
func (db *DB) ScrubStatus() ScrubStatus {
	s := &db.scrub
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	st.Damage = slices.Clone(st.Damage)
	return st
}

// stopScrub ends the scrub before files are closed.
func (db *DB) stopScrub() {
	s := &db.scrub
	s.mu.Lock()
	s.closed = true
	if s.cancel != nil {
		s.cancel()
	}
	queue := s.queue
	s.queue, s.file = nil, nil
	s.mu.Unlock()
	for _, r := range queue {
		db.unref(r, 1)
	}
}

// scrubStep reads one part and plans the next.
func (db *DB) scrubStep() {
	s := &db.scrub
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.status.Rate == 0 {
		s.running = false
		return
	}
	wait := scrubRest
	if len(s.queue) > 0 || db.startRound() {
		begin := db.opts.Clock.Now()
		n := db.scrubPart()
		if len(s.queue) > 0 {
			wait = max(0, time.Duration(float64(n)/float64(s.status.Rate)*float64(time.Second))-db.opts.Clock.Since(begin))
		}
	}
	s.cancel = db.opts.Tasks.After(wait, "engine.scrub", db.scrubStep)
}

// startRound lists what is live now, in the order of stores.
func (db *DB) startRound() bool {
	s := &db.scrub
	v := db.acquireView()
	defer db.releaseView(v)
	live := map[string]bool{}
	var total int64
	for _, id := range slices.Sorted(maps.Keys(v.stores)) {
		v.stores[id].runs(func(r *run) {
			r.refs.Add(1)
			s.queue = append(s.queue, r)
			live[path.Join(segmentDir, r.info.Name)] = true
			total += r.info.Size
		})
	}
	s.status.Damage = slices.DeleteFunc(s.status.Damage, func(d Damage) bool { return d.Store != 0 && !live[d.File] })
	s.status.Done, s.status.Total, s.status.Started = 0, total, db.opts.Clock.Now()
	return len(s.queue) > 0
}

// scrubPart reads a part of the first segment of the queue.
func (db *DB) scrubPart() int64 {
	s := &db.scrub
	r := s.queue[0]
	if s.file == nil {
		s.file, s.fileAt = r.reader.Scrub(), 0
		s.status.File, s.status.Store = r.info.Name, StoreID(r.info.Store)
	}
	n, done, err := s.file.Step(scrubChunk)
	s.status.Done += n
	s.fileAt += n
	if !done {
		return n
	}
	db.scrubbed(r, err)
	s.status.Done += r.info.Size - s.fileAt
	s.file, s.queue = nil, s.queue[1:]
	db.unref(r, 1)
	if len(s.queue) == 0 {
		s.status.Rounds++
		s.status.File, s.status.Store, s.status.LastFinished = "", 0, db.opts.Clock.Now()
		db.scrubManifest()
		db.opts.Events.Emit(event.Event{Name: event.ScrubDone, Bytes: s.status.Total, Duration: db.opts.Clock.Since(s.status.Started), Count: int64(len(s.status.Damage))})
	}
	return n
}

// noteDamaged lists a segment that was found to be damaged when it was opened.
func (db *DB) noteDamaged(r *run) {
	err := r.reader.Damaged()
	if err == nil {
		return
	}
	d := Damage{File: path.Join(segmentDir, r.info.Name), Store: StoreID(r.info.Store), Min: r.info.MinKey, Max: r.info.MaxKey, Err: err}
	if c, ok := Corruption(err); ok {
		d.Offset = c.Offset
	}
	if st := db.view.Load().stores[d.Store]; st != nil {
		d.Name = st.def.Name
	}
	db.scrub.mu.Lock()
	defer db.scrub.mu.Unlock()
	db.foundDamage(d, "at start")
}

// scrubManifest looks at the file that names all others.
func (db *DB) scrubManifest() {
	db.manifestTurn.lock(db.opts.Tasks)
	m, err := readManifest(db.opts.FS, db.opts.Dir)
	db.manifestTurn.unlock()
	if err == nil && m == nil {
		err = &CorruptionError{File: manifestName, Detail: "missing"}
	}
	s := &db.scrub
	s.status.Damage = slices.DeleteFunc(s.status.Damage, func(d Damage) bool { return d.File == manifestName })
	if err != nil {
		db.foundDamage(Damage{File: manifestName, Err: err}, "by scrub")
	}
}

// scrubbed notes what came of one segment.
func (db *DB) scrubbed(r *run, err error) {
	s := &db.scrub
	file := path.Join(segmentDir, r.info.Name)
	s.status.Damage = slices.DeleteFunc(s.status.Damage, func(d Damage) bool { return d.File == file })
	if err == nil {
		return
	}
	list := damageOf(context.Background(), r.reader, err)
	for _, d := range list {
		d.File, d.Store = file, StoreID(r.info.Store)
		v := db.acquireView()
		if st := v.stores[d.Store]; st != nil {
			d.Name = st.def.Name
		}
		db.releaseView(v)
		db.foundDamage(d, "by scrub")
	}
}

func (db *DB) foundDamage(d Damage, when string) {
	s := &db.scrub
	if len(s.status.Damage) < maxScrubDamage {
		s.status.Damage = append(s.status.Damage, d)
	}
	e := event.Event{Name: event.Corruption, File: d.File, Offset: d.Offset, Store: uint64(d.Store), Detail: "damage found " + when, Err: d.Err}
	if d.Store != 0 {
		e.Detail = fmt.Sprintf("damage found %s: table or index %q, keys %x to %x", when, d.Name, d.Min, d.Max)
	}
	db.opts.Events.Emit(e)
}

// damageOf finds out where in a segment the damage is that err tells of.
func damageOf(ctx context.Context, r *segment.Reader, err error) []Damage {
	parts, derr := r.Damage(ctx)
	list := make([]Damage, 0, len(parts)+1)
	for _, p := range parts {
		list = append(list, Damage{Offset: p.Offset, Min: bytes.Clone(p.Lower), Max: bytes.Clone(p.Upper), Err: p.Err})
	}
	if len(list) == 0 {
		i := r.Info()
		d := Damage{Min: i.MinKey, Max: i.MaxKey, Err: errors.Join(err, derr)}
		if c, ok := Corruption(err); ok {
			d.Offset = c.Offset
		}
		list = append(list, d)
	}
	return list
}
