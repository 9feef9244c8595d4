package wal

import (
	"context"
	"slices"
	"sync"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/invariant"
)

// want is what a waiter needs from a leader.
type want uint8

const (
	wantRecord      want = iota // written, synced, applied
	wantRecordAsync             // in the log, applied
	wantSync                    // everything written so far is durable
	wantMark                    // the durable mark is in the file
	wantWrite                   // everything so far is in the file
	wantNote                    // what a sync beside the leaders has made durable is known
)

// waiter is one call that waits its turn. It is pooled: done has room for one
// signal, so that a leader never blocks and the channel can be used again.
type waiter struct {
	what    want
	kind    Kind
	body    []byte
	decoded any
	file    *logFile // wantWrite, wantNote: the current one; it was synced up to lsn

	lsn  LSN
	err  error
	lead bool // told to lead instead of being served; guarded by Log.mu
	done chan struct{}
}

var waiters = sync.Pool{New: func() any { return &waiter{done: make(chan struct{}, 1)} }}

// group is what one leader serves at once.
type group struct {
	members []*waiter
	records []Record
}

var groups = sync.Pool{New: func() any { return new(group) }}

// Propose appends a record. It returns its LSN once the record is durable and
// applied; with async once it is applied. The log takes over
// neither body nor decoded: they may be reused afterwards. A context that ends
// before the record is taken up withdraws it; later it is ignored, because the
// outcome can then only be waited for.
func (l *Log) Propose(ctx context.Context, kind Kind, body []byte, decoded any, async bool) (LSN, error) {
	if len(body) > MaxBodyBytes {
		return 0, &TooLargeError{Bytes: len(body)}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w := waiters.Get().(*waiter)
	w.what, w.kind, w.body, w.decoded = wantRecord, kind, body, decoded
	if async {
		w.what = wantRecordAsync
	}
	err := l.join(ctx, w)
	lsn := w.lsn
	*w = waiter{done: w.done}
	waiters.Put(w)
	if err != nil {
		return 0, err
	}
	return lsn, nil
}

// WaitDurable returns once the record lsn, which must have been proposed, is
// durable. It does not wait for a timer. Without room it fails, and the record
// becomes durable when there is some.
func (l *Log) WaitDurable(ctx context.Context, lsn LSN) error {
	for l.Durable() < lsn {
		if err := ctx.Err(); err != nil {
			return err
		}
		w := waiters.Get().(*waiter)
		w.what = wantSync
		err := l.join(ctx, w)
		*w = waiter{done: w.done}
		waiters.Put(w)
		if err != nil {
			return err
		}
		invariant.Check(lsn <= l.Last(), "waiting for record %d, the last is %d", lsn, l.Last())
	}
	return nil
}

// join queues w and returns when it has been served, by another goroutine or,
// when there is no leader, by this one.
func (l *Log) join(ctx context.Context, w *waiter) error {
	l.mu.Lock()
	if err := l.state(); err != nil {
		l.mu.Unlock()
		return err
	}
	l.queue = append(l.queue, w)
	if l.leading {
		l.mu.Unlock()
		if err := l.opts.Tasks.Await(ctx, w.done); err != nil {
			if l.withdraw(w) {
				return err
			}
			// A leader has taken w up, or told it to lead: see it through.
			if err := l.opts.Tasks.Await(context.Background(), w.done); err != nil {
				return err
			}
		}
		if !w.lead {
			return w.err
		}
	} else {
		l.leading = true
		l.mu.Unlock()
	}
	l.lead()
	return w.err
}

// withdraw takes w out of the queue unless it is too late.
func (l *Log) withdraw(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, w)
	if i < 0 || w.lead {
		return false
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	return true
}

// lead serves one group, whose first member is the caller's.
func (l *Log) lead() {
	g := groups.Get().(*group)
	l.take(g)
	l.write(g)
	// The next leader may write while this one applies; taking applyMu before
	// stepping down keeps the groups in order.
	l.applyMu.Lock()
	l.stepDown()
	l.apply(g)
	l.applyMu.Unlock()
	for i, w := range g.members {
		if i > 0 { // the first is the leader itself
			w.done <- struct{}{}
		}
	}
	clear(g.members)
	clear(g.records)
	g.members, g.records = g.members[:0], g.records[:0]
	groups.Put(g)
}

// take moves the queue, up to the batch limit, into g.
func (l *Log) take(g *group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var bytes int64
	n := 0
	for n < len(l.queue) && (n == 0 || bytes+frameBytes(len(l.queue[n].body)) <= l.opts.MaxBatch) {
		bytes += frameBytes(len(l.queue[n].body))
		n++
	}
	g.members = append(g.members, l.queue[:n]...)
	l.queue = slices.Delete(l.queue, 0, n)
}

// stepDown passes leadership to the first in the queue.
func (l *Log) stepDown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 {
		next := l.queue[0]
		next.lead = true
		next.done <- struct{}{}
		return
	}
	l.leading = false
	l.wakeLocked()
}

// apply hands the group's records on. A panic in there leaves the state in
// memory behind the log's: nothing may be acknowledged any more.
func (l *Log) apply(g *group) {
	if len(g.records) == 0 {
		return
	}
	done := false
	defer func() {
		if done {
			return
		}
		err := l.poison(errApplyPanicked)
		l.applyMu.Unlock()
		for i, w := range g.members {
			if w.err == nil {
				w.err = err
			}
			if i > 0 {
				w.done <- struct{}{}
			}
		}
	}()
	l.opts.Apply(g.records)
	l.applied.Store(uint64(g.records[len(g.records)-1].LSN))
	done = true
}

// scheduleSync has asynchronous records synced soon.
func (l *Log) scheduleSync() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timers.sync != nil || l.state() != nil {
		return
	}
	l.timers.sync = l.opts.Tasks.After(l.opts.SyncDelay, "wal.sync", func() {
		l.mu.Lock()
		l.timers.sync = nil
		l.mu.Unlock()
		l.syncBeside()
	})
}

// scheduleMark has the durable mark written when the log falls idle.
func (l *Log) scheduleMark() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timers.mark != nil || l.state() != nil {
		return
	}
	l.timers.mark = l.opts.Tasks.After(l.opts.MarkDelay, "wal.mark", func() {
		l.mu.Lock()
		l.timers.mark = nil
		l.mu.Unlock()
		l.background(wantMark)
	})
}

// background joins the queue for a timer. Nobody waits for the answer: a
// failure has poisoned the log, which tells everybody.
func (l *Log) background(what want) {
	w := waiters.Get().(*waiter)
	w.what = what
	_ = l.join(context.Background(), w)
	*w = waiter{done: w.done}
	waiters.Put(w)
}

// emitSync tells of a sync.
func (l *Log) emitSync(e event.Event) {
	e.Name = event.WALSync
	l.opts.Events.Emit(e)
}
