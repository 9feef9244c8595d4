package txn

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Waiting for the end of somebody's transaction is waiting for a lock that this
// somebody holds until then: deadlocks are found, timeouts apply, and it is seen
// who waits for whom. A lock of the kind Ending has a tag of its own for each
// wait. Those who hold it do not know it; they are asked to look when they end.

// endings are the waits for the end of an owner's transaction.
type endings struct {
	count atomic.Int32 // so that nobody else pays
	mu    sync.Mutex
	tags  []Tag
}

// Holders lists the owners, other than o, that hold a lock in a mode which conflicts with the given one.
func (m *Manager) Holders(t Tag, mode Mode, o *Owner) (owners []*Owner) {
	m.reveal(o)
	s := m.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thickenTag(t)
	if l := s.locks[t]; l != nil {
		for i := range l.holders {
			if h := &l.holders[i]; h.owner != o && h.transaction&conflicts[t.Kind][mode] != 0 {
				owners = append(owners, h.owner)
			}
		}
	}
	return owners
}

// WaitForEnd waits until the transactions of the owners have ended. still is asked
// for each of them, once its end cannot be missed any more, whether the
// transaction that is meant runs still.
func (m *Manager) WaitForEnd(ctx context.Context, o *Owner, owners []*Owner, still func(*Owner) bool, deadlockTimeout time.Duration) error {
	if len(owners) == 0 {
		return nil
	}
	tag := Tag{Kind: Ending, A: uint64(o.pid), B: m.ending.Add(1)}
	s := m.shard(tag)
	s.mu.Lock()
	l := s.lock(tag)
	for _, other := range owners {
		l.holders = append(l.holders, holder{owner: other, modes: 1 << Ended, transaction: 1 << Ended})
	}
	s.mu.Unlock()
	for _, other := range owners {
		other.endings.add(tag)
	}
	for _, other := range owners {
		if !still(other) {
			m.notEnding(other, tag)
		}
	}
	fresh, err := m.Acquire(ctx, o, tag, Ended, Transaction, Wait, deadlockTimeout)
	if fresh {
		m.ReleaseLast(o, tag, Ended)
	}
	for _, other := range owners { // those that are left after a failure
		m.notEnding(other, tag)
	}
	return err
}

func (e *endings) add(t Tag) {
	e.mu.Lock()
	e.tags = append(e.tags, t)
	e.count.Store(int32(len(e.tags)))
	e.mu.Unlock()
}

func (e *endings) remove(t Tag) (found bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := slices.Index(e.tags, t)
	if at >= 0 {
		e.tags = slices.Delete(e.tags, at, at+1)
		e.count.Store(int32(len(e.tags)))
	}
	return at >= 0
}

// take empties the list.
func (e *endings) take() []Tag {
	if e.count.Load() == 0 {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	tags := e.tags
	e.tags = nil
	e.count.Store(0)
	return tags
}

// notEnding takes an owner out of a wait.
func (m *Manager) notEnding(o *Owner, t Tag) {
	if o.endings.remove(t) {
		m.leave(o, t)
	}
}

// Ended tells those who wait for the end of the owner's transaction.
func (m *Manager) Ended(o *Owner) {
	for _, t := range o.endings.take() {
		m.leave(o, t)
	}
}

func (m *Manager) leave(o *Owner, t Tag) {
	s := m.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.locks[t]; l != nil {
		m.drop(s, l, o, Ended)
	}
}

// transferEndings makes those who wait for one owner wait for the other.
func (m *Manager) transferEndings(from, to *Owner) {
	for _, t := range from.endings.take() {
		s := m.shard(t)
		s.mu.Lock()
		if l := s.locks[t]; l != nil {
			if h := l.holder(from); h != nil {
				h.owner = to
			}
		}
		s.mu.Unlock()
		to.endings.add(t)
	}
}
