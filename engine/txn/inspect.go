package txn

import (
	"maps"
	"slices"
	"time"
)

// Info describes one lock held or wanted by a process.
type Info struct {
	Tag       Tag
	Mode      Mode
	ProcessID int32
	XID       uint64
	Granted   bool
	WaitStart time.Time // when not granted
	First     bool      // of those who wait
	Blocker   uint64    // when not granted: the transaction in the way
}

// XID returns the number of the transaction that the owner is running, 0 without one.
func (o *Owner) XID() uint64 { return o.xid.Load() }

// Locks lists the locks that are held and waited for. Row locks that nobody
// waits for are left out: there may be millions.
func (m *Manager) Locks() (list []Info) {
	for i := range m.shards {
		list = m.shards[i].locksInto(list)
	}
	return list
}

func (s *shard) locksInto(list []Info) []Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.locks {
		if l.tag.Kind == Row && len(l.queue) == 0 {
			continue
		}
		for _, h := range l.holders {
			for mode := Mode(1); mode < 16; mode++ {
				if h.modes.has(mode) {
					list = append(list, Info{Tag: l.tag, Mode: mode, ProcessID: h.owner.pid, XID: h.owner.xid.Load(), Granted: true})
				}
			}
		}
		for n, w := range l.queue {
			i := Info{Tag: l.tag, Mode: w.mode, ProcessID: w.owner.pid, XID: w.owner.xid.Load(), WaitStart: w.since, First: n == 0}
			if b := l.blockers(w); len(b) > 0 {
				i.Blocker = b[0].xid.Load()
			}
			list = append(list, i)
		}
	}
	return list
}

// Blockers lists the processes that keep a process waiting.
func (m *Manager) Blockers(pid int32) (pids []int32) {
	if m.waiting.Load() == 0 {
		return nil
	}
	for i := range m.shards {
		pids = m.shards[i].blockersInto(pids, pid)
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

func (s *shard) blockersInto(pids []int32, pid int32) []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.locks {
		for _, w := range l.queue {
			if w.owner.pid != pid {
				continue
			}
			for _, o := range l.blockers(w) {
				pids = append(pids, o.pid)
			}
		}
	}
	return pids
}

// RowsLocked reports whether anybody but the owner holds or wants row locks in a store.
func (m *Manager) RowsLocked(store uint64, o *Owner) bool {
	m.reveal(o)
	for i := range m.shards {
		if m.shards[i].rowsLocked(store, o) {
			return true
		}
	}
	return false
}

func (s *shard) rowsLocked(store uint64, o *Owner) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t, l := range s.locks {
		if t.Kind == Row && t.Sub == 0 && t.A == store && l.wantedByOther(o) {
			return true
		}
	}
	return s.thinByOther(o, func(e *thinLock) bool { return e.store == store }) ||
		slices.ContainsFunc(s.packed, func(p *packed) bool { return p.owner != o && p.stores[store] != nil })
}

// RowHolder returns an owner whose transaction holds a lock on a row, nil if there is none.
func (m *Manager) RowHolder(t Tag) *Owner {
	m.reveal(nil)
	s := m.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.thin.find(t); e != nil && e.owner != nil && e.modes&^(1<<RowProbe) != 0 && e.live() {
		return e.owner
	}
	if l := s.locks[t]; l != nil {
		for i := range l.holders {
			if h := &l.holders[i]; h.transaction&^(1<<RowProbe) != 0 {
				return h.owner
			}
		}
	}
	for _, p := range s.packed {
		if p.modes(t) != 0 {
			return p.owner
		}
	}
	return nil
}

// LockedByOther reports whether anybody but the owner holds or wants a lock.
func (m *Manager) LockedByOther(t Tag, o *Owner) bool {
	m.reveal(o)
	s := m.shard(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.thin.find(t); e != nil && e.owner != nil && e.owner != o && e.live() {
		return true
	}
	l := s.locks[t]
	return l != nil && l.wantedByOther(o) || s.packedByOther(t, o)
}

func (l *lock) wantedByOther(o *Owner) bool {
	return len(l.queue) > 0 || slices.ContainsFunc(l.holders, func(h holder) bool { return h.owner != o })
}

// ReadLock describes what a serializable transaction has read, as pg_locks shows it.
type ReadLock struct {
	Store     uint64
	Whole     bool   // all of the store
	Key       []byte // of one row; nil for a range
	ProcessID int32  // 0 when the transaction has ended
	XID       uint64
}

// ReadLocks lists what serializable transactions have read, as far as it still matters.
func (s *Serial) ReadLocks() (list []ReadLock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Concat(s.active, s.finished)
	if s.old != nil {
		all = append(all, s.old)
	}
	for _, x := range all {
		for _, store := range slices.Sorted(maps.Keys(x.prints[reading])) {
			f := x.prints[reading][store]
			for _, n := range f.nodes {
				l := ReadLock{Store: store, Whole: f.whole(), XID: x.xid.Load()}
				if x.committed == 0 {
					l.ProcessID = x.pid
				}
				if n.point {
					l.Key = clone(n.lower)
				}
				list = append(list, l)
			}
		}
	}
	return list
}

// SafetyBlockers lists the processes that a waiting DEFERRABLE transaction of a process waits for.
func (s *Serial) SafetyBlockers(pid int32) (pids []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.active {
		if x.pid == pid && x.decided != nil {
			for _, w := range x.doubts {
				pids = append(pids, w.pid)
			}
		}
	}
	return pids
}
