package wal

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/internal/event"
)

// Log is an open write-ahead log. All its methods may be called concurrently.
type Log struct {
	opts Options

	durable atomic.Uint64 // LSNs that survive a power failure
	applied atomic.Uint64 // LSNs handed to Apply or to Replay's function
	last    atomic.Uint64 // LSNs written to the file

	mu       sync.Mutex
	queue    []*waiter     // what the next leader will take
	leading  bool          // somebody is, or is about to be, the leader
	idle     chan struct{} // closed when leading or filling may have changed; nil = nobody waits
	failed   error         // set once, when poisoned
	closed   bool
	files    []*logFile // the chain, oldest first; the last one is current
	spares   []spare
	spareSeq uint64
	filling  bool // a background task prepares a spare
	holds    map[*hold]struct{}
	timers   timers
	beside   beside

	// What follows belongs to the leader.
	cur      *logFile
	tail     int64 // where the next record goes
	dirtyTo  int64 // bytes from tail to here may hold refused records; 0 = none
	marked   LSN   // highest LSN that a mark or a record in the file calls durable
	lastTime int64
	buf      []byte
	held     int // bytes of buf whose records are in the log and not yet in the file, in front of tail
	mark     markFile

	compactMu sync.Mutex // one Compact at a time
	syncMu    sync.Mutex // held while a file is synced
	applyMu   sync.Mutex // held while Apply runs; taken by a leader before it steps down
}

// timers are the background tasks that wait for their time, guarded by Log.mu.
type timers struct {
	sync, mark func() // cancel; nil = not scheduled
}

// Open opens the log in opts.Dir, or makes an empty one. It finds the end of
// the log, cuts a torn tail and makes what remains durable. Damage is a
// *CorruptionError, a newer format a *VersionError.
func Open(opts Options) (*Log, error) {
	l := &Log{opts: opts.withDefaults(), holds: map[*hold]struct{}{}}
	if err := l.recover(); err != nil {
		if l.cur != nil && l.cur.handle != nil {
			l.cur.handle.Close()
		}
		l.closeMark()
		return nil, fmt.Errorf("open log %s: %w", opts.Dir, err)
	}
	return l, nil
}

// Durable returns the highest LSN that survives a power failure.
func (l *Log) Durable() LSN { return LSN(l.durable.Load()) }

// Applied returns the highest LSN that Apply, or Replay's function, has seen.
func (l *Log) Applied() LSN { return LSN(l.applied.Load()) }

// Last returns the highest LSN in the log, durable or not.
func (l *Log) Last() LSN { return LSN(l.last.Load()) }

// First returns the lowest LSN that is kept; in an empty log, the one to come.
func (l *Log) First() LSN {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files[0].first
}

// Stats describes the log on disk.
type Stats struct {
	Files       int
	Bytes       int64 // of the files of the chain
	SpareFiles  int
	SpareBytes  int64
	First, Last LSN
	Durable     LSN
	Generation  uint32 // of the current file
}

// Stats returns the log's size and position.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Files: len(l.files), SpareFiles: len(l.spares),
		First: l.files[0].first, Last: l.Last(), Durable: l.Durable(),
		Generation: l.files[len(l.files)-1].gen,
	}
	for _, f := range l.files {
		s.Bytes += f.size
	}
	for _, sp := range l.spares {
		s.SpareBytes += sp.size
	}
	return s
}

// poison records that the log can no longer say what is durable.
func (l *Log) poison(err error) error {
	l.mu.Lock()
	first := l.failed == nil
	if first {
		l.failed = fmt.Errorf("%w: %w", ErrPoisoned, err)
	}
	failed := l.failed
	e := event.Event{Name: event.WALFatal, Err: err}
	if len(l.files) > 0 {
		e.File = l.files[len(l.files)-1].name
	}
	l.mu.Unlock()
	if first {
		l.opts.Events.Emit(e)
		l.opts.Fatal(failed)
	}
	return failed
}

// state returns why the log takes no more records, if it does not.
func (l *Log) state() error {
	if l.failed != nil {
		return l.failed
	}
	if l.closed {
		return ErrClosed
	}
	return nil
}

// waitLocked waits with l.mu held, letting go of it meanwhile, until cond
// holds. It waits through the executor, so that a simulation can go on.
func (l *Log) waitLocked(cond func() bool) {
	for !cond() {
		if l.idle == nil {
			l.idle = make(chan struct{})
		}
		idle := l.idle
		l.mu.Unlock()
		_ = l.opts.Tasks.Await(context.Background(), idle) // the context has no end
		l.mu.Lock()
	}
}

// wakeLocked makes waitLocked look again.
func (l *Log) wakeLocked() {
	if l.idle != nil {
		close(l.idle)
		l.idle = nil
	}
}

// Close makes everything durable, writes the final mark and closes the files.
// Records proposed meanwhile fail with ErrClosed. Readers must be closed first.
func (l *Log) Close() error {
	w := &waiter{what: wantSync, done: make(chan struct{}, 1)}
	err := l.join(context.Background(), w)
	if err == ErrClosed {
		return nil
	}
	l.mu.Lock()
	already := l.closed
	l.closed = true
	l.timers.cancel()
	l.waitLocked(func() bool { return !l.leading && !l.filling && l.beside.file == nil })
	l.mu.Unlock()
	if already {
		return nil
	}
	if err == nil {
		err = l.finish()
	}
	l.closeMark()
	if cerr := l.cur.handle.Close(); err == nil {
		err = cerr
	}
	return err
}

// finish leaves a durable mark behind the last record, so that damage to the
// last batch is told from a torn one.
func (l *Log) finish() error {
	if l.Last() > l.Durable() {
		if err := l.syncCurrent(); err != nil {
			return err
		}
	}
	if !l.writeMark() {
		return nil
	}
	if err := l.cur.handle.SyncData(); err != nil {
		return l.poison(err)
	}
	return nil
}

func (t *timers) cancel() {
	for _, cancel := range []func(){t.sync, t.mark} {
		if cancel != nil {
			cancel()
		}
	}
	*t = timers{}
}
