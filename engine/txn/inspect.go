package txn

import (
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
}

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
		for _, w := range l.queue {
			list = append(list, Info{Tag: l.tag, Mode: w.mode, ProcessID: w.owner.pid, XID: w.owner.xid.Load(), WaitStart: w.since})
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
