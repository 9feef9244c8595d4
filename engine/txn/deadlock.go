package txn

import (
	"fmt"
	"slices"
	"strings"
)

// Edge is one wait in a deadlock: a process waits for a lock that another blocks.
type Edge struct {
	ProcessID        int32
	Tag              Tag
	Mode             Mode
	BlockerProcessID int32
	BlockerXID       uint64
}

// DeadlockError reports a cycle of waits; the first edge is the victim's.
type DeadlockError struct {
	Edges    []Edge
	Database uint32 // that Detail names
}

// Detail tells who waits for whom, a line for each process.
func (e *DeadlockError) Detail() string {
	lines := make([]string, len(e.Edges))
	for i := range e.Edges {
		w := &e.Edges[i]
		lines[i] = fmt.Sprintf("Process %d waits for %s; blocked by process %d.", w.ProcessID, w.wanted(e.Database), w.BlockerProcessID)
	}
	return strings.Join(lines, "\n")
}

// wanted describes the lock that a process waits for. A row's is its holder's transaction.
func (w *Edge) wanted(database uint32) string {
	switch w.Tag.Kind {
	case Table:
		return fmt.Sprintf("%s on relation %d of database %d", ModeName(Table, w.Mode), w.Tag.B, database)
	case Ending:
		return fmt.Sprintf("%s on virtual transaction %d/%d", ModeName(Ending, w.Mode), w.BlockerProcessID, w.BlockerXID)
	case Advisory:
		return fmt.Sprintf("%s on advisory lock [%d,%d,%d,%d]", ModeName(Advisory, w.Mode), w.Tag.A, w.Tag.B>>32, uint32(w.Tag.B), w.Tag.Sub)
	}
	return fmt.Sprintf("ShareLock on transaction %d", w.BlockerXID)
}

// Error implements error.
func (e *DeadlockError) Error() string {
	return fmt.Sprintf("deadlock detected among %d processes", len(e.Edges))
}

// check looks for a cycle through a waiter that has waited for long. If there
// is one the waiter fails, or jumps its queue when that alone resolves it.
func (m *Manager) check(w *waiter) {
	for i := range m.shards {
		m.shards[i].mu.Lock()
	}
	defer func() {
		for i := range m.shards {
			m.shards[i].mu.Unlock()
		}
	}()
	if w.granted || w.err != nil || w.owner.waiting != w {
		return
	}
	search := deadlockSearch{start: w.owner, seen: map[*Owner]bool{}}
	if !search.visit(w) {
		return
	}
	for _, q := range slices.Backward(search.path) { // the searcher last, as in PostgreSQL
		// Waiting only behind other waiters: let it pass them.
		if !q.lock.blocked(q.owner, q.mode) {
			q.lock.dequeue(q)
			m.give(q.lock, q)
			return
		}
	}
	w.err = &DeadlockError{Edges: search.edges}
	w.lock.dequeue(w)
	m.wake(w.lock)
	close(w.done)
}

type deadlockSearch struct {
	start *Owner
	seen  map[*Owner]bool
	path  []*waiter
	edges []Edge
}

// visit follows the waits from w and reports whether they lead back to the start.
func (d *deadlockSearch) visit(w *waiter) bool {
	d.path = append(d.path, w)
	d.edges = append(d.edges, Edge{})
	edge := &d.edges[len(d.edges)-1]
	*edge = Edge{ProcessID: w.owner.pid, Tag: w.lock.tag, Mode: w.mode}
	at := len(d.edges) - 1
	for _, o := range w.lock.blockers(w) {
		d.edges[at].BlockerProcessID, d.edges[at].BlockerXID = o.pid, o.xid.Load()
		if o == d.start {
			return true
		}
		if d.seen[o] || o.waiting == nil || o.waiting.granted || o.waiting.err != nil {
			continue
		}
		d.seen[o] = true
		if d.visit(o.waiting) {
			return true
		}
	}
	d.path, d.edges = d.path[:len(d.path)-1], d.edges[:at]
	return false
}

// blockers lists the owners that a waiter waits for: holders in its way, then
// earlier waiters that it conflicts with.
func (l *lock) blockers(w *waiter) (owners []*Owner) {
	c := conflicts[l.tag.Kind][w.mode]
	for i := range l.holders {
		if h := &l.holders[i]; h.owner != w.owner && h.modes&c != 0 {
			owners = append(owners, h.owner)
		}
	}
	for _, q := range l.queue {
		if q == w {
			break
		}
		if c.has(q.mode) && q.owner != w.owner {
			owners = append(owners, q.owner)
		}
	}
	return owners
}
