package wal

import (
	"context"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/invariant"
	"github.com/omendb/omendb/internal/vfs"
)

// What was committed asynchronously is synced beside the leaders, who go on
// writing meanwhile: a sync in their way would hold back for its whole time
// those who do not want to wait for one. It covers what was written when it
// began. A leader's turn then makes that known, because marks are a leader's.

// beside is a sync that goes on beside the leaders, guarded by Log.mu.
type beside struct {
	file   *logFile // nil = there is none
	orphan vfs.File // its handle, when the log has gone on to another file meanwhile
}

// syncBeside makes durable what is written so far.
func (l *Log) syncBeside() {
	w := waiters.Get().(*waiter)
	w.what = wantWrite
	err := l.join(context.Background(), w)
	last, f := w.lsn, w.file
	*w = waiter{done: w.done}
	waiters.Put(w)
	from := l.Durable()
	if err != nil || last <= from {
		return
	}
	l.mu.Lock()
	if l.state() != nil || l.beside.file != nil || f.handle == nil {
		l.mu.Unlock()
		return // there is a sync already, or there was one before the log went on to another file
	}
	l.beside.file = f
	handle := f.handle
	l.mu.Unlock()

	start := l.opts.Clock.Now()
	err = l.sync(handle)
	if err == nil {
		l.emitSync(event.Event{Duration: l.opts.Clock.Since(start), Count: int64(last - from), LSN: uint64(last)})
	}

	l.mu.Lock()
	orphan := l.beside.orphan
	l.beside = beside{}
	l.wakeLocked()
	l.mu.Unlock()
	if orphan != nil {
		_ = orphan.Close() // everything in it is synced
	}
	if err != nil {
		return // it has poisoned the log, which tells everybody
	}
	w = waiters.Get().(*waiter)
	w.what, w.lsn, w.file = wantNote, last, f
	_ = l.join(context.Background(), w) // if the log is closed or poisoned, nobody needs to know
	*w = waiter{done: w.done}
	waiters.Put(w)
}

// sync syncs a file. One sync goes on at a time, because the kernel tells a
// failure only to one of those who wait for it.
func (l *Log) sync(h vfs.File) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()
	if err := l.failure(); err != nil {
		return err
	}
	if err := h.SyncData(); err != nil {
		return l.poison(err)
	}
	return nil
}

// note writes what is held for syncs beside the leaders, and takes in what they
// have made durable. When the log has gone on to another file since, a sync
// preceded that.
func (l *Log) note(g *group) {
	for _, w := range g.members {
		if w.what == wantWrite {
			if w.err = l.flush(); w.err == nil {
				w.lsn, w.file = l.Last(), l.cur
			}
		}
		if w.what == wantNote && w.file == l.cur && w.lsn > l.Durable() {
			invariant.Check(w.lsn <= l.Last(), "durable LSN %d above the last %d", w.lsn, l.Last())
			l.durable.Store(uint64(w.lsn))
			l.noteDurable()
		}
	}
}
