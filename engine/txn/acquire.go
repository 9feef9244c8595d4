// Package txn decides which transactions may proceed together: it holds the
// lock table (row, table and advisory locks with PostgreSQL's modes, fair
// queues, deadlock detection) and serializable snapshot isolation.
//
// The types:
//
//	Manager  the lock table
//	Owner    a process that holds and waits for locks
//	Tag      what a lock protects
//	Scope    until when a lock is held: transaction or session
//	Serial   what serializable transactions read and write, and who of them must fail
//
// Locks of one owner never conflict with each other. A request that cannot be
// granted waits in the order of arrival, behind earlier waiters that it
// conflicts with, unless its owner already holds a lock that they wait for.
package txn

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
)

// ErrNotAvailable reports a lock that another owner holds and that the caller did not want to wait for.
var ErrNotAvailable = errors.New("lock not available")

// ErrTimeout reports a lock that was waited for longer than the owner wants to.
var ErrTimeout = errors.New("lock timeout")

// Tag names what a lock protects.
//
//	Row       A is the store, B a 64-bit hash of the key (Lock waits of two keys
//	          with one hash are shared: too rare to matter, and never wrong)
//	Table     A is the database, B the table's oid
//	Advisory  A is the database, B the key, Sub 1 for one big key and 2 for two small ones
//	Ending    A is the process that waits, B the number of its wait
type Tag struct {
	Kind Kind
	Sub  uint8
	A, B uint64
}

// Scope is the life of a lock.
type Scope uint8

// The scopes.
const (
	Transaction Scope = 0
	Session     Scope = 1
)

// Policy says what to do when a lock cannot be had at once.
type Policy uint8

// The wait policies.
const (
	Wait Policy = iota
	NoWait
)

const shardCount = 64

// Manager is the lock table.
type Manager struct {
	tasks   task.Executor
	clock   clock.Clock
	shards  [shardCount]shard
	waiting atomic.Int64
	ending  atomic.Uint64 // numbers the waits for transactions to end
	plain   bool          // no lock is thin
	spare   sync.Pool     // of *[]held, of owners that had one transaction only
	solo    solo
}

type shard struct {
	mu     sync.Mutex
	locks  map[Tag]*lock
	rows   int // of the locks, those of rows
	free   []*lock
	packed []*packed
	thin   thinTable
}

// lock is the state of one tag while somebody holds or wants it.
type lock struct {
	tag     Tag
	holders []holder
	queue   []*waiter
}

type holder struct {
	owner       *Owner
	modes       modeSet // held in either scope, or just granted
	transaction modeSet // recorded with the transaction
	session     modeSet // recorded with the session
}

type waiter struct {
	owner   *Owner
	lock    *lock
	mode    Mode
	done    chan struct{}
	granted bool
	err     error
	since   time.Time
}

// Owner is a process that holds locks. Its methods and the Manager's, applied
// to one owner, are called by one goroutine at a time.
type Owner struct {
	pid      int32
	xid      atomic.Uint64
	held     []held // locks of the transaction, in the order taken
	turn     atomic.Uint64
	packed   bool // there are others, packed
	entered  bool // is counted among those with row locks
	session  map[held]int
	waiting  *waiter       // guarded by the shard of its lock's tag
	patience time.Duration // how long to wait for one lock; 0 is for ever
	endings  endings

	ending    sync.Mutex // held while the turn ends, and while somebody makes sure that it has not
	thickened bool       // somebody made an ordinary lock of a thin one in this turn
}

type held struct {
	tag  Tag
	mode Mode
	thin bool // when it was taken
}

// NewManager returns an empty lock table.
func NewManager(tasks task.Executor, clk clock.Clock) *Manager {
	m := &Manager{tasks: tasks, clock: clk}
	for i := range m.shards {
		m.shards[i].locks = make(map[Tag]*lock)
	}
	return m
}

// SetPlain makes all locks ordinary ones; before the first is taken. Who gets
// what is the same.
func (m *Manager) SetPlain(plain bool) { m.plain = plain }

// NewOwner returns an owner for a process number, which messages show.
func NewOwner(pid int32) *Owner { return &Owner{pid: pid} }

// ProcessID returns the process number.
func (o *Owner) ProcessID() int32 { return o.pid }

// SetLockTimeout bounds every later wait for a lock; 0 is no bound.
func (o *Owner) SetLockTimeout(d time.Duration) { o.patience = d }

// SetXID tells which transaction the owner is running; messages name it.
func (o *Owner) SetXID(xid uint64) { o.xid.Store(xid) }

func (m *Manager) shard(t Tag) *shard {
	h := (t.A*0x9e3779b97f4a7c15 ^ t.B) * 0xbf58476d1ce4e5b9
	return &m.shards[(h^uint64(t.Kind))>>58]
}

// Acquire takes a lock for the owner. It reports whether the lock is new: the
// owner did not hold this mode in this scope before. With the policy Wait it
// waits until the lock is granted, ctx ends (its cause is returned) or a
// deadlock is found, which is looked for after deadlockTimeout.
func (m *Manager) Acquire(ctx context.Context, o *Owner, t Tag, mode Mode, scope Scope, p Policy, deadlockTimeout time.Duration) (bool, error) {
	if t.Kind == Row {
		thin := m.isThin(t, scope)
		if !o.entered {
			m.enter(o, thin)
		}
		if m.solo.owner.Load() == o {
			if thin {
				if done, fresh := m.acquireSolo(o, t, 1<<mode); done {
					if fresh != 0 {
						m.hold(o, held{t, mode, true})
					}
					return fresh != 0, nil
				}
			} else {
				m.reveal(nil)
			}
		}
	}
	s := m.shard(t)
	s.mu.Lock()
	if len(s.packed) > 0 && t.Kind == Row {
		if done, err := s.meetPacked(o, t, mode, scope, p); done {
			s.mu.Unlock()
			return false, err
		}
	}
	if m.isThin(t, scope) {
		if done, fresh, err := m.acquireThin(s, o, t, mode, p); done {
			s.mu.Unlock()
			return fresh, err
		}
	} else {
		s.thickenTag(t)
	}
	l := s.lock(t)
	if m.grantAtOnce(l, o, mode) {
		fresh := m.grant(l, o, mode, scope)
		s.mu.Unlock()
		return fresh, nil
	}
	if p == NoWait {
		s.mu.Unlock()
		return false, ErrNotAvailable
	}
	w := &waiter{owner: o, lock: l, mode: mode, done: make(chan struct{}), since: m.clock.Now()}
	if err := l.hopeless(w); err != nil {
		s.mu.Unlock()
		return false, err
	}
	l.enqueue(w)
	o.waiting = w
	s.mu.Unlock()
	return m.wait(ctx, s, w, scope, deadlockTimeout)
}

// AcquireWrite takes the locks of an owner who overwrites a row without a look at
// it, RowUpdate and RowWrite, as two calls of Acquire do that wait.
func (m *Manager) AcquireWrite(ctx context.Context, o *Owner, t Tag, deadlockTimeout time.Duration) error {
	if m.isThin(t, Transaction) {
		if !o.entered {
			m.enter(o, true)
		}
		if m.solo.owner.Load() == o {
			if done, fresh := m.acquireSolo(o, t, set(RowUpdate, RowWrite)); done {
				for _, mode := range [...]Mode{RowUpdate, RowWrite} {
					if fresh.has(mode) {
						m.hold(o, held{t, mode, true})
					}
				}
				return nil
			}
		}
	}
	if _, err := m.Acquire(ctx, o, t, RowUpdate, Transaction, Wait, deadlockTimeout); err != nil {
		return err
	}
	_, err := m.Acquire(ctx, o, t, RowWrite, Transaction, Wait, deadlockTimeout) // nothing is in its way
	return err
}

func (m *Manager) wait(ctx context.Context, s *shard, w *waiter, scope Scope, timeout time.Duration) (bool, error) {
	m.waiting.Add(1)
	cancel := m.tasks.After(timeout, "lock.deadlock", func() { m.check(w) })
	giveUp := func() {}
	if w.owner.patience > 0 {
		giveUp = m.tasks.After(w.owner.patience, "lock.timeout", func() { m.giveUp(s, w) })
	}
	err := m.tasks.Await(ctx, w.done)
	cancel()
	giveUp()
	m.waiting.Add(-1)
	s.mu.Lock()
	defer s.mu.Unlock()
	w.owner.waiting = nil
	switch {
	case w.granted:
		// granted before the wait ended for another reason: keep the lock
		// only when the caller can learn of it
		if err == nil {
			return m.record(w.lock, w.owner, w.mode, scope), nil
		}
		m.drop(s, w.lock, w.owner, w.mode)
	case w.err != nil:
		return false, w.err
	default:
		w.lock.dequeue(w)
		m.wake(w.lock)
		s.reap(w.lock)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return false, err
}

// giveUp ends a wait that has lasted too long.
func (m *Manager) giveUp(s *shard, w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.granted || w.err != nil || w.owner.waiting != w {
		return
	}
	w.err = ErrTimeout
	w.lock.dequeue(w)
	m.wake(w.lock)
	s.reap(w.lock)
	close(w.done)
}

// lock returns the state of a tag, made if need be.
func (s *shard) lock(t Tag) *lock {
	l := s.locks[t]
	if l == nil {
		if n := len(s.free); n > 0 {
			l, s.free = s.free[n-1], s.free[:n-1]
		} else {
			l = new(lock)
		}
		l.tag = t
		s.locks[t] = l
		if t.Kind == Row {
			s.rows++
		}
	}
	return l
}

// maxFree bounds the lock states that a shard keeps for reuse.
const maxFree = 256

// reap forgets a lock that nobody holds or wants.
func (s *shard) reap(l *lock) {
	if len(l.holders) > 0 || len(l.queue) > 0 {
		return
	}
	delete(s.locks, l.tag)
	if l.tag.Kind == Row {
		s.rows--
	}
	if len(s.free) < maxFree {
		l.holders, l.queue = l.holders[:0], l.queue[:0]
		s.free = append(s.free, l)
	}
}

func (l *lock) holder(o *Owner) *holder {
	for i := range l.holders {
		if l.holders[i].owner == o {
			return &l.holders[i]
		}
	}
	return nil
}

// blocked reports whether a holder other than o is in the way of a mode.
func (l *lock) blocked(o *Owner, mode Mode) bool {
	c := conflicts[l.tag.Kind][mode]
	for i := range l.holders {
		if h := &l.holders[i]; h.owner != o && h.modes&c != 0 {
			return true
		}
	}
	return false
}

// grantAtOnce decides whether a new request must wait. A row lock that its
// holders allow is granted past those who wait for a stronger one, as in
// PostgreSQL: a foreign key's KEY SHARE must not wait for a waiting UPDATE.
func (m *Manager) grantAtOnce(l *lock, o *Owner, mode Mode) bool {
	if l.blocked(o, mode) {
		return false
	}
	if l.tag.Kind == Row && len(l.holders) > 0 {
		return true
	}
	h := l.holder(o)
	if h != nil && h.modes.has(mode) {
		return true
	}
	c := conflicts[l.tag.Kind]
	for _, w := range l.queue {
		if h != nil && c[w.mode]&h.modes != 0 {
			return true // they wait for us: waiting for them would be a deadlock
		}
		if c[w.mode].has(mode) || c[mode].has(w.mode) {
			return false
		}
	}
	return true
}

// hopeless finds out before a wait that it would never end: somebody holds the lock in our
// way and waits to have it in another mode, which what we hold of it keeps from him.
func (l *lock) hopeless(w *waiter) error {
	mine := l.holder(w.owner)
	if mine == nil || l.tag.Kind == Row {
		return nil
	}
	c := conflicts[l.tag.Kind]
	for _, q := range l.queue {
		h := l.holder(q.owner)
		if h == nil || q.owner == w.owner || c[q.mode]&mine.modes == 0 || c[w.mode]&h.modes == 0 {
			continue
		}
		return &DeadlockError{Edges: []Edge{
			{ProcessID: w.owner.pid, Tag: l.tag, Mode: w.mode, BlockerProcessID: q.owner.pid, BlockerXID: q.owner.xid.Load()},
			{ProcessID: q.owner.pid, Tag: l.tag, Mode: q.mode, BlockerProcessID: w.owner.pid, BlockerXID: w.owner.xid.Load()},
		}}
	}
	return nil
}

// enqueue places a waiter behind the others, but before those that wait for its owner.
func (l *lock) enqueue(w *waiter) {
	at := len(l.queue)
	if h := l.holder(w.owner); h != nil {
		for i, q := range l.queue {
			if conflicts[l.tag.Kind][q.mode]&h.modes != 0 {
				at = i
				break
			}
		}
	}
	l.queue = append(l.queue, nil)
	copy(l.queue[at+1:], l.queue[at:])
	l.queue[at] = w
}

func (l *lock) dequeue(w *waiter) {
	for i, q := range l.queue {
		if q == w {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			return
		}
	}
}

// grant gives a lock and records it with the owner.
func (m *Manager) grant(l *lock, o *Owner, mode Mode, scope Scope) bool {
	h := l.holder(o)
	if h == nil {
		l.holders = append(l.holders, holder{owner: o})
		h = &l.holders[len(l.holders)-1]
	}
	h.modes |= 1 << mode
	return m.record(l, o, mode, scope)
}

// record notes a granted lock in the owner's books.
func (m *Manager) record(l *lock, o *Owner, mode Mode, scope Scope) bool {
	h := l.holder(o)
	k := held{tag: l.tag, mode: mode}
	if scope == Session {
		if o.session == nil {
			o.session = make(map[held]int)
		}
		o.session[k]++
		fresh := !h.session.has(mode)
		h.session |= 1 << mode
		return fresh
	}
	if h.transaction.has(mode) {
		return false
	}
	h.transaction |= 1 << mode
	m.hold(o, k)
	return true
}

// hold adds a lock to those of the owner's transaction.
func (m *Manager) hold(o *Owner, k held) {
	if o.held == nil && o.pid == 0 {
		if spare, ok := m.spare.Get().(*[]held); ok {
			o.held = *spare
		}
	}
	o.held = append(o.held, k)
}

// wake grants the waiters at the front of the queue that nothing blocks any more.
func (m *Manager) wake(l *lock) {
	c := conflicts[l.tag.Kind]
	var ahead modeSet // modes of waiters that stay
	rest := l.queue[:0]
	for _, w := range l.queue {
		if !l.blocked(w.owner, w.mode) && ahead&c[w.mode] == 0 {
			m.give(l, w)
			continue
		}
		ahead |= 1 << w.mode
		rest = append(rest, w)
	}
	clear(l.queue[len(rest):])
	l.queue = rest
}

// give makes a waiter a holder; its goroutine records the lock when it wakes.
func (m *Manager) give(l *lock, w *waiter) {
	h := l.holder(w.owner)
	if h == nil {
		l.holders = append(l.holders, holder{owner: w.owner})
		h = &l.holders[len(l.holders)-1]
	}
	h.modes |= 1 << w.mode
	w.granted = true
	close(w.done)
}
