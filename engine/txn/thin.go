package txn

import "math/bits"

// Most row locks are taken by one transaction, wanted by nobody else, and given
// up with all the others at its end. Such a lock is thin: one place in a hash
// table, which names its owner and the owner's turn, a number that the end of
// each of his transactions moves on. So the end gives up all thin locks at
// once, without a look at any of them; a place whose turn is over is free for
// the next who wants it. Whoever else comes for a row while its turn lasts
// makes the lock an ordinary one first, and tells the owner that he has such.
// A tag is either thin or ordinary, never both.

// thinLock is a place of the table.
type thinLock struct {
	store, hash uint64 // the tag's A and B
	owner       *Owner // nil: never used
	turn        uint64
	modes       modeSet // 0: given up before the turn ended
}

// live reports whether the lock is held. The owner's goroutine may end the
// turn at any time; see thicken.
func (e *thinLock) live() bool { return e.modes != 0 && e.turn == e.owner.turn.Load() }

func (e *thinLock) tag() Tag { return Tag{Kind: Row, A: e.store, B: e.hash} }

// thinTable is a hash table with linear probing. Places are cleared only when
// it is full, all those that are not live at once.
type thinTable struct {
	places []thinLock
	used   int        // with an owner, live or not
	kept   []thinLock // memory of sweep
}

const minThin = 64

// find returns the place of a tag, or the unused one that it would take; nil
// when there is no table yet.
func (t *thinTable) find(tag Tag) *thinLock {
	if len(t.places) == 0 {
		return nil
	}
	mask := uint64(len(t.places) - 1)
	h := (tag.B ^ tag.A*0x9e3779b97f4a7c15) * 0x94d049bb133111eb
	for i := h >> 32; ; i++ {
		e := &t.places[i&mask]
		if e.owner == nil || e.hash == tag.B && e.store == tag.A {
			return e
		}
	}
}

// room makes sure that another place can be taken.
func (t *thinTable) room() {
	if (t.used+1)*4 > len(t.places)*3 {
		t.sweep()
	}
}

// sweep frees the places that are not live, and makes the table larger or
// smaller if the others ask for it.
func (t *thinTable) sweep() {
	kept := t.kept[:0]
	for i := range t.places {
		if e := &t.places[i]; e.owner != nil && e.live() {
			kept = append(kept, *e)
		}
	}
	size := max(minThin, 1<<bits.Len(uint(2*len(kept))))
	if size != len(t.places) {
		t.places = make([]thinLock, size)
	} else {
		clear(t.places)
	}
	t.used = len(kept)
	for i := range kept {
		*t.find(kept[i].tag()) = kept[i]
	}
	clear(kept) // of pointers to owners
	t.kept = kept[:0]
	if cap(kept) > minThin && len(kept) < minThin/2 {
		t.kept = nil
	}
}

// isThin reports whether a lock of this kind can be a thin one.
func (m *Manager) isThin(t Tag, scope Scope) bool {
	return t.Kind == Row && t.Sub == 0 && scope == Transaction && !m.plain
}

// acquireThin answers a request for a row lock if the lock is thin, or can be:
// done. Otherwise it is an ordinary one, or must become one now.
func (m *Manager) acquireThin(s *shard, o *Owner, t Tag, mode Mode, p Policy) (done, fresh bool, err error) {
	s.thin.room()
	e := s.thin.find(t)
	if e.owner == nil || !e.live() {
		if s.rows > 0 && s.locks[t] != nil {
			return false, false, nil
		}
		if e.owner == nil {
			s.thin.used++
		}
		*e = thinLock{store: t.A, hash: t.B, owner: o, turn: o.turn.Load(), modes: 1 << mode}
		m.hold(o, held{t, mode, true})
		return true, true, nil
	}
	switch {
	case e.owner != o && p == NoWait && e.modes&conflicts[Row][mode] != 0:
		return true, false, ErrNotAvailable
	case e.owner != o:
		s.thicken(e)
		return false, false, nil
	case e.modes.has(mode):
		return true, false, nil
	}
	e.modes |= 1 << mode
	m.hold(o, held{t, mode, true})
	return true, true, nil
}

// thicken makes a thin lock an ordinary one, unless its turn is over.
func (s *shard) thicken(e *thinLock) {
	o := e.owner
	o.ending.Lock()
	live := e.live()
	if live {
		o.thickened = true // while the turn lasts: its end will see it
	}
	o.ending.Unlock()
	if !live {
		return
	}
	l := s.lock(e.tag())
	h := l.holder(o)
	if h == nil {
		l.holders = append(l.holders, holder{owner: o})
		h = &l.holders[len(l.holders)-1]
	}
	h.modes |= e.modes
	h.transaction |= e.modes
	e.modes = 0
}

// thickenTag does so with the lock of a tag, if there is a thin one.
func (s *shard) thickenTag(t Tag) {
	if e := s.thin.find(t); t.Kind == Row && t.Sub == 0 && e != nil && e.owner != nil && e.live() {
		s.thicken(e)
	}
}

// thinOf returns the thin lock that an owner has on a tag, nil if he has none.
func (s *shard) thinOf(o *Owner, t Tag) *thinLock {
	if e := s.thin.find(t); e != nil && e.owner == o && e.live() {
		return e
	}
	return nil
}

// endTurn gives up all thin locks of the owner, and reports whether some that
// were taken as such are ordinary ones now.
func (o *Owner) endTurn() (thickened bool) {
	o.ending.Lock()
	o.turn.Add(1)
	thickened, o.thickened = o.thickened, false
	o.ending.Unlock()
	return thickened
}

// releaseThin gives up a lock that was taken as a thin one.
func (m *Manager) releaseThin(o *Owner, k held) {
	s := m.shard(k.tag)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.thinOf(o, k.tag); e != nil {
		e.modes &^= 1 << k.mode
		return
	}
	if l := s.locks[k.tag]; l != nil {
		if h := l.holder(o); h != nil && h.transaction.has(k.mode) {
			m.releaseFrom(s, l, h, k, Transaction)
		}
	}
}

// transferThin gives a thin lock to another owner, and reports false if it is
// an ordinary one.
func (s *shard) transferThin(from, to *Owner, t Tag) bool {
	e := s.thinOf(from, t)
	if e != nil {
		e.owner, e.turn = to, to.turn.Load()
	}
	return e != nil
}

// thinByOther reports whether anybody but the owner has a thin lock that fits.
func (s *shard) thinByOther(o *Owner, fits func(*thinLock) bool) bool {
	for i := range s.thin.places {
		if e := &s.thin.places[i]; e.owner != nil && e.owner != o && fits(e) && e.live() {
			return true
		}
	}
	return false
}
