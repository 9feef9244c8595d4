package txn

// Mark returns a point in the owner's transaction to which ReleaseTo goes back.
func (o *Owner) Mark() int { return len(o.held) }

// ReleaseTo gives up the transaction's locks taken since a mark, when level
// savepoints were open; 0 and 0 is all of them.
func (m *Manager) ReleaseTo(o *Owner, mark, level int) {
	if mark == 0 {
		m.leaveSolo(o) // before the turn ends: nobody shall reveal the next one's
	}
	thickened := mark > 0 || o.endTurn() // what is still thin then has ended with the turn
	for i := len(o.held) - 1; i >= mark; i-- {
		if k := o.held[i]; !k.thin {
			m.releaseOne(o, k, Transaction)
		} else if thickened && !m.releaseSolo(o, k) {
			m.releaseThin(o, k)
		}
	}
	if o.packed {
		m.releasePacked(o, level)
	}
	if mark == 0 && !o.packed {
		m.leaveRows(o)
	}
	if mark > 0 || cap(o.held) <= maxHeldKept && o.pid != 0 {
		o.held = o.held[:mark]
		return
	}
	if rest := o.held[:0]; cap(rest) > 0 && cap(rest) <= maxHeldKept {
		m.spare.Put(&rest)
	}
	o.held = nil
}

// Retire frees the memory of an owner that takes no more locks: places of
// thin locks may refer to him for a while.
func (o *Owner) Retire() { o.held = nil }

// maxHeldKept bounds the memory that an owner keeps for its next transaction.
const maxHeldKept = 4096

// ReleaseLast gives up the transaction's newest lock, if it is this one: the
// caller found that it has no use for it.
func (m *Manager) ReleaseLast(o *Owner, t Tag, mode Mode) {
	n := len(o.held)
	if n == 0 {
		return
	}
	switch k := o.held[n-1]; {
	case k.tag != t || k.mode != mode:
		return
	case k.thin && m.releaseSolo(o, k):
	case k.thin:
		m.releaseThin(o, k)
	default:
		m.releaseOne(o, k, Transaction)
	}
	o.held = o.held[:n-1]
}

// ReleaseSession gives up one acquisition of a session lock and reports whether it was held.
func (m *Manager) ReleaseSession(o *Owner, t Tag, mode Mode) bool {
	k := held{tag: t, mode: mode}
	n := o.session[k]
	if n == 0 {
		return false
	}
	if o.session[k] = n - 1; n == 1 {
		delete(o.session, k)
		m.releaseOne(o, k, Session)
	}
	return true
}

// ReleaseAllSession gives up all session locks.
func (m *Manager) ReleaseAllSession(o *Owner) {
	for k := range o.session {
		m.releaseOne(o, k, Session)
	}
	clear(o.session)
}

func (m *Manager) releaseOne(o *Owner, k held, scope Scope) {
	s := m.shard(k.tag)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.locks[k.tag]
	m.releaseFrom(s, l, l.holder(o), k, scope)
}

// releaseFrom takes a mode of a scope away from a holder.
func (m *Manager) releaseFrom(s *shard, l *lock, h *holder, k held, scope Scope) {
	if scope == Session {
		h.session &^= 1 << k.mode
	} else {
		h.transaction &^= 1 << k.mode
	}
	if h.session.has(k.mode) || h.transaction.has(k.mode) {
		return
	}
	m.drop(s, l, h.owner, k.mode)
}

// drop takes a mode away from a holder and wakes who waited for it.
func (m *Manager) drop(s *shard, l *lock, o *Owner, mode Mode) {
	for i := range l.holders {
		h := &l.holders[i]
		if h.owner != o {
			continue
		}
		if h.modes &^= 1 << mode; h.modes == 0 {
			last := len(l.holders) - 1
			l.holders[i] = l.holders[last]
			l.holders[last] = holder{}
			l.holders = l.holders[:last]
		}
		break
	}
	m.wake(l)
	s.reap(l)
}
