package txn

import (
	"sync"
	"sync/atomic"
)

// While one owner alone has row locks, nobody is there to conflict with, and
// the locks need not be where others would look for them: they are in a small
// table of their own, which stays in the processor's cache. Whoever else comes
// for a row lock first moves them to where all are, and so does whoever asks
// who holds what. As long as several owners have row locks nobody is alone.

// solo knows whether an owner is alone, and his locks. Its mutex is taken
// before those of shards.
type solo struct {
	mu     sync.Mutex
	owner  atomic.Pointer[Owner] // who is alone; nil: nobody, or several
	others int                   // owners that have, or are about to take, row locks, and are not alone

	places []soloLock // a hash table with linear probing
	used   int
	era    uint32 // places of other eras are free
}

type soloLock struct {
	store, hash uint64
	era         uint32
	modes       modeSet // 0: given up
}

const (
	minSolo  = 1 << 8
	keptSolo = 1 << 13 // places whose memory is kept for the next
)

// enter counts an owner who is about to take his first row lock: he is alone, or
// nobody is any more.
func (m *Manager) enter(o *Owner, alone bool) {
	s := &m.solo
	s.mu.Lock()
	defer s.mu.Unlock()
	o.entered = true
	if alone && s.others == 0 && s.owner.Load() == nil {
		s.era++
		if s.used = 0; s.era == 0 || len(s.places) == 0 || len(s.places) > keptSolo {
			s.places, s.era = make([]soloLock, minSolo), 1
		}
		s.owner.Store(o)
		return
	}
	m.revealLocked()
	s.others++
}

// leaveSolo gives up all row locks of an owner, if he is alone.
func (m *Manager) leaveSolo(o *Owner) {
	s := &m.solo
	if s.owner.Load() != o {
		return
	}
	s.mu.Lock()
	if s.owner.Load() == o {
		s.owner.Store(nil)
		o.entered = false
	}
	s.mu.Unlock()
}

// leaveRows is called when an owner has given up all his row locks otherwise.
func (m *Manager) leaveRows(o *Owner) {
	if o.entered {
		o.entered = false
		m.solo.mu.Lock()
		m.solo.others--
		m.solo.mu.Unlock()
	}
}

// reveal moves the locks of the owner who is alone, unless it is o, to where all are.
func (m *Manager) reveal(o *Owner) {
	if alone := m.solo.owner.Load(); alone == nil || alone == o {
		return
	}
	m.solo.mu.Lock()
	m.revealLocked()
	m.solo.mu.Unlock()
}

func (m *Manager) revealLocked() {
	s := &m.solo
	o := s.owner.Load()
	if o == nil {
		return
	}
	turn := o.turn.Load()
	for i := range s.places {
		e := &s.places[i]
		if e.era != s.era || e.modes == 0 {
			continue
		}
		t := Tag{Kind: Row, A: e.store, B: e.hash}
		sh := m.shard(t)
		sh.mu.Lock()
		sh.thin.room()
		p := sh.thin.find(t)
		if p.owner == nil {
			sh.thin.used++
		}
		*p = thinLock{store: t.A, hash: t.B, owner: o, turn: turn, modes: e.modes}
		sh.mu.Unlock()
	}
	s.owner.Store(nil)
	s.others++
}

// acquireSolo takes a row lock in one or more modes for the owner who is alone, and
// tells which of them are new. It is not done when he is so no more.
func (m *Manager) acquireSolo(o *Owner, t Tag, modes modeSet) (done bool, fresh modeSet) {
	s := &m.solo
	s.mu.Lock()
	if s.owner.Load() != o {
		s.mu.Unlock()
		return false, 0
	}
	e := s.find(t)
	if e.era != s.era {
		if 2*s.used >= len(s.places) {
			s.grow()
			e = s.find(t)
		}
		*e = soloLock{store: t.A, hash: t.B, era: s.era}
		s.used++
	}
	fresh = modes &^ e.modes
	e.modes |= modes
	s.mu.Unlock()
	return true, fresh
}

// releaseSolo gives up a lock of the owner who is alone, and reports false if he
// is so no more.
func (m *Manager) releaseSolo(o *Owner, k held) bool {
	s := &m.solo
	if s.owner.Load() != o {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner.Load() != o {
		return false
	}
	if e := s.find(k.tag); e.era == s.era {
		e.modes &^= 1 << k.mode
	}
	return true
}

// find returns the place of a tag, or the free one that it would take.
func (s *solo) find(t Tag) *soloLock {
	mask := uint64(len(s.places) - 1)
	for i := (t.B ^ t.A) * 0x94d049bb133111eb >> 32; ; i++ {
		e := &s.places[i&mask]
		if e.era != s.era || e.hash == t.B && e.store == t.A {
			return e
		}
	}
}

func (s *solo) grow() {
	old := s.places
	s.places = make([]soloLock, 2*len(old))
	for i := range old {
		if e := &old[i]; e.era == s.era {
			*s.find(Tag{A: e.store, B: e.hash}) = *e
		}
	}
}
