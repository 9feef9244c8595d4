package txn

import "slices"

// Commit ends a transaction that was prepared and is visible now.
func (s *Serial) Commit(x *Serializable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.safe {
		return
	}
	s.last++
	x.committed = s.last
	declared := x.readOnly
	x.readOnly = x.readOnly || !x.wrote
	if !x.readOnly && x.summaryOut {
		x.conflictOut, x.firstOut = true, 1 // it is not known when: as early as can be
	}
	for _, w := range slices.Clone(x.out) {
		if !x.readOnly && w.visibleBefore(x) && (!x.conflictOut || w.prepared < x.firstOut) {
			x.conflictOut, x.firstOut = true, w.prepared
		}
		if w.isCommitted() {
			unlink(&x.out, w)
			unlink(&w.in, x)
		}
	}
	for _, r := range slices.Clone(x.in) {
		if r.isCommitted() || r.readOnly {
			unlink(&x.in, r)
			unlink(&r.out, x)
		}
	}
	s.leave(x, declared)
	s.finished = append(s.finished, x)
	s.clean()
	for len(s.finished) > s.limits.finished {
		s.summarise()
	}
}

// Restore adds a transaction that was prepared before a restart. What it has
// read is forgotten. Instead whoever reads what it is going to write fails: then
// nothing depends on coming before it, and it closes no cycle.
func (s *Serial) Restore(xid uint64) *Serializable {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	x := &Serializable{before: s.last, prepared: s.last, wrote: true, summaryOut: true}
	x.xid.Store(xid)
	s.active = append(s.active, x)
	s.writable++
	return x
}

// Restored notes a key that a restored transaction is going to write; nil is the whole store.
func (s *Serial) Restored(x *Serializable, store uint64, key []byte) {
	var lower, upper []byte
	if key != nil {
		lower, upper = pointBounds(key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold(x, writing, store, lower, upper, key != nil)
}

// visibleBefore reports whether the writes of w became visible before those
// of x. Who calls Commit first does not tell: on their way back from the log
// transactions may pass each other.
func (w *Serializable) visibleBefore(x *Serializable) bool {
	ts := w.stamp.Load()
	return ts != 0 && ts < x.stamp.Load()
}

// Abort ends a transaction that left no trace, at any point before its commit is visible.
func (s *Serial) Abort(x *Serializable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.safe {
		return
	}
	x.doomed, x.aborted = true, true
	s.unlinkAll(x)
	s.leave(x, x.readOnly)
	s.forget(x, reading)
	s.forget(x, writing)
	s.clean()
}

// leave takes a transaction off the list of active ones and decides about the
// read-only transactions that waited for its end.
func (s *Serial) leave(x *Serializable, declaredReadOnly bool) {
	i := slices.Index(s.active, x)
	s.active = slices.Delete(s.active, i, i+1)
	doubts := x.doubts
	x.doubts = nil
	for _, r := range doubts {
		unlink(&r.doubts, x)
	}
	if declaredReadOnly {
		return
	}
	s.writable--
	for _, r := range doubts {
		switch {
		case r.unsafe:
		case x.committed != 0 && x.wrote && x.conflictOut && x.firstOut <= r.before:
			for _, w := range r.doubts {
				unlink(&w.doubts, r)
			}
			r.doubts = nil
			r.decide(false)
		case len(r.doubts) == 0:
			r.decide(true)
			s.retire(r)
		}
	}
}

// retire forgets a read-only transaction that nothing can happen to any more.
func (s *Serial) retire(x *Serializable) {
	i := slices.Index(s.active, x)
	s.active = slices.Delete(s.active, i, i+1)
	s.unlinkAll(x)
	s.forget(x, reading)
}

func (x *Serializable) decide(safe bool) {
	x.safe, x.unsafe = safe, !safe
	if x.decided != nil {
		close(x.decided)
		x.decided = nil
	}
}

// Decided returns a channel that is closed when it is known whether the
// snapshot of a read-only transaction is safe; Safe tells.
func (s *Serial) Decided(x *Serializable) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	if x.safe || x.unsafe {
		close(done)
	} else {
		x.decided = done
	}
	return done
}

// Safe reports whether no transaction can make the snapshot of a read-only
// transaction an impossible one any more.
func (s *Serial) Safe(x *Serializable) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.safe
}

// clean forgets committed transactions that no active one is concurrent with,
// and of those that only read-only ones are concurrent with what these do not need.
func (s *Serial) clean() {
	oldest, oldestWriter := s.last, s.last
	if len(s.active) > 0 {
		oldest = s.active[0].before
	}
	for _, x := range s.active {
		if !x.readOnly {
			oldestWriter = x.before
			break
		}
	}
	n := 0
	for n < len(s.finished) && s.finished[n].committed <= oldest {
		s.release(s.finished[n])
		n++
	}
	clear(s.finished[:n])
	s.finished = s.finished[n:]
	if s.old != nil && s.old.committed <= oldest {
		s.release(s.old)
		s.old = nil
	}
	if s.cleared >= oldestWriter {
		return
	}
	for _, x := range s.finished {
		if x.committed > s.cleared && x.committed <= oldestWriter {
			s.forget(x, reading)
			for _, r := range x.in {
				unlink(&r.out, x)
			}
			x.in = nil
		}
	}
	s.cleared = oldestWriter
}

// release forgets a transaction.
func (s *Serial) release(x *Serializable) {
	s.unlinkAll(x)
	s.forget(x, reading)
	s.forget(x, writing)
}

// relieve summarises a committed transaction, if there is one, to free memory.
func (s *Serial) relieve() bool {
	if len(s.finished) == 0 {
		return false
	}
	s.summarise()
	return s.remembered <= s.limits.remembered || s.relieve()
}

// summarise makes the oldest committed transaction part of the one that stands
// for all old ones: what it read and wrote stays known, but no longer who did,
// nor with whom it has dependencies.
func (s *Serial) summarise() {
	x := s.finished[0]
	s.finished = slices.Delete(s.finished, 0, 1)
	if s.old == nil {
		s.old = &Serializable{}
		s.old.wrote = true
	}
	old := s.old
	old.prepared, old.committed = max(old.prepared, x.prepared), x.committed
	old.stamp.Store(max(old.stamp.Load(), x.stamp.Load()))
	if x.conflictOut && (!old.conflictOut || x.firstOut < old.firstOut) {
		old.conflictOut, old.firstOut = true, x.firstOut
	}
	for _, r := range x.in {
		r.summaryOut = true
	}
	for _, w := range x.out {
		w.summaryIn = true
	}
	s.unlinkAll(x)
	for _, w := range []side{reading, writing} {
		for store, f := range x.prints[w] {
			s.inherit(store, w, f)
		}
		s.forget(x, w)
	}
}

// inherit adds a footprint to that of the summarised transactions.
func (s *Serial) inherit(store uint64, w side, from *footprint) {
	f := s.old.footprint(w, store)
	for _, n := range from.nodes {
		if f.whole() {
			return
		}
		if m, fresh := s.take(s.old, w, store, n.lower, n.upper, n.point); fresh {
			f.nodes = append(f.nodes, m)
		}
		if len(f.nodes) > s.limits.intervals {
			s.join(s.old, f, w, store)
		}
	}
}
