package wal

import (
	"context"
	"fmt"

	"github.com/omendb/omendb/internal/event"
)

// hold keeps records from a given LSN on from being recycled.
type hold struct{ from LSN }

// Hold keeps the records from LSN from on, until release is called: for
// archiving, backups and replicas.
func (l *Log) Hold(from LSN) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.holdLocked(from)
	return func() { l.release(h) }
}

func (l *Log) holdLocked(from LSN) *hold {
	h := &hold{from: from}
	l.holds[h] = struct{}{}
	return h
}

func (l *Log) moveHold(h *hold, from LSN) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.from = from
}

func (l *Log) release(h *hold) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.holds, h)
}

// Compact recycles the files all of whose records are below lsn and which
// nobody holds. The records must be contained durably elsewhere.
func (l *Log) Compact(lsn LSN) error {
	l.compactMu.Lock()
	defer l.compactMu.Unlock()
	var count, bytes int64
	for {
		f := l.oldestBelow(lsn)
		if f == nil {
			break
		}
		if err := l.retire(f); err != nil {
			l.mu.Lock()
			l.files = append([]*logFile{f}, l.files...)
			l.mu.Unlock()
			return fmt.Errorf("compact log: %w", err)
		}
		count++
		bytes += f.size
	}
	if count > 0 {
		l.opts.Events.Emit(event.Event{Name: event.WALCompact, Count: count, Bytes: bytes, LSN: uint64(l.First())})
	}
	return nil
}

// oldestBelow takes the oldest file out of the chain if it may go.
func (l *Log) oldestBelow(lsn LSN) *logFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	for h := range l.holds {
		lsn = min(lsn, h.from)
	}
	if l.closed || len(l.files) < 2 || l.files[1].first > lsn {
		return nil
	}
	f := l.files[0]
	l.files = append([]*logFile(nil), l.files[1:]...)
	return f
}

// TruncateSuffix removes the records above lsn. Only what has not been applied
// by this process may go: with one node that means before Replay, to recover
// to an earlier point; a replicated log drops what it could not commit. A new
// file whose header voids the records makes it atomic.
func (l *Log) TruncateSuffix(lsn LSN) error {
	w := &waiter{what: wantSync, done: make(chan struct{}, 1)}
	if err := l.join(context.Background(), w); err != nil {
		return err
	}
	if !l.seize() {
		return ErrClosed
	}
	defer l.stepDown()
	if lsn >= l.Last() {
		return nil
	}
	if lsn < l.Applied() {
		return fmt.Errorf("%w up to %d: cannot truncate after %d", ErrCommitted, l.Applied(), lsn)
	}
	keep, _ := l.fileOf(lsn + 1)
	newest := l.cur.gen
	next, how, err := l.begin(newest+1, keep.gen, lsn+1, l.opts.FileBytes)
	if err != nil {
		return fmt.Errorf("truncate log: %w", err)
	}
	l.use(next)
	l.dirtyTo = 0
	l.last.Store(uint64(lsn))
	l.durable.Store(uint64(lsn))
	l.noteDurable()
	l.opts.Events.Emit(event.Event{Name: event.WALRotate, File: next.name, LSN: uint64(next.first), Detail: how})
	return l.dropVoid(keep, next)
}

// seize makes the caller the leader when nobody is.
func (l *Log) seize() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waitLocked(func() bool { return !l.leading })
	if l.state() != nil {
		return false
	}
	l.leading = true
	return true
}

// dropVoid retires the files between keep and next.
func (l *Log) dropVoid(keep, next *logFile) error {
	l.mu.Lock()
	var chain, void []*logFile
	for _, f := range l.files {
		if f.gen > keep.gen && f != next {
			void = append(void, f)
		} else {
			chain = append(chain, f)
		}
	}
	l.files = chain
	l.mu.Unlock()
	for _, f := range void {
		if err := l.retire(f); err != nil {
			return fmt.Errorf("truncate log: %w", err)
		}
	}
	return nil
}
