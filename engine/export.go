package engine

import (
	"sync"

	"github.com/omendb/omendb/engine/txn"
)

// Exported is a transaction's snapshot that others may take for their own, as
// long as the transaction runs.
type Exported struct {
	mu     sync.Mutex
	reg    registration
	level  Isolation
	serial *txn.Serializable // of a serializable transaction, unless its snapshot is safe
}

// Export makes the transaction's snapshot, in ReadCommitted the newest one, available to others.
func (t *Txn) Export() *Exported {
	s := t.Snapshot()
	defer s.Close()
	from := &s.reg
	if t.opts.Isolation != ReadCommitted {
		from = &t.start
	}
	e := &Exported{level: t.opts.Isolation, serial: t.serial}
	from.copyTo(&e.reg)
	t.exports = append(t.exports, e)
	return e
}

// Exports reports whether the transaction has exported snapshots.
func (t *Txn) Exports() bool { return len(t.exports) > 0 }

// Import makes an exported snapshot the transaction's own. It must precede the
// first snapshot; the level must be RepeatableRead, or Serializable like that of
// the exporting transaction, which may be read-only only if this one is. It reports
// false when the exporting transaction has ended.
func (t *Txn) Import(e *Exported) bool {
	serializable := t.opts.Isolation == Serializable
	if t.start.shard != nil || t.opts.Isolation == ReadCommitted || serializable && e.level != Serializable {
		panic("engine: snapshot imported too late, or by a transaction of another level")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reg.shard == nil {
		return false
	}
	if serializable {
		return t.importSerial(e)
	}
	e.reg.copyTo(&t.start)
	return true
}

// endExports takes the transaction's exported snapshots back.
func (t *Txn) endExports() {
	for _, e := range t.exports {
		e.mu.Lock()
		e.reg.unregister()
		e.mu.Unlock()
	}
	t.exports = nil
}

// copyTo lists the same timestamp once more, beside g, which stays listed meanwhile.
func (g *registration) copyTo(to *registration) {
	s := g.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	to.ts, to.shard, to.since = g.ts, s, g.since
	to.prev, to.next = g, g.next
	to.prev.next, to.next.prev = to, to
}
