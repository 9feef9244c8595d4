package txn

import "errors"

// ErrReplaced says that Write has to know which version it replaces.
var ErrReplaced = errors.New("txn: the replaced version is not known")

// Write notes that a transaction is about to write one key. It may return
// ErrReplaced without having noted anything; then WriteOver wants to be called.
func (s *Serial) Write(x *Serializable, store uint64, key []byte) error {
	lower, upper := pointBounds(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replaces(x, store, lower, upper) {
		return ErrReplaced
	}
	return s.write(x, store, lower, upper, true, nil)
}

// WriteOver is Write, told the timestamp of the version that is replaced, 0 when
// there is none. Who has read the key and missed that version already precedes
// its writer, which precedes x: x itself is no more than the end of that path,
// and in every cycle the path takes the place of the dependency. So it is not
// drawn, as PostgreSQL does not draw it, and causes no failure.
func (s *Serial) WriteOver(x *Serializable, store uint64, key []byte, replaced uint64) error {
	lower, upper := pointBounds(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(x, store, lower, upper, true, s.writerOf(x, store, lower, upper, replaced))
}

// WriteRange notes that a transaction writes many keys of [lower, upper), or drops the store.
func (s *Serial) WriteRange(x *Serializable, store uint64, lower, upper []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(x, store, clone(lower), clone(upper), false, nil)
}

// write notes a write; over is who wrote what it replaces, if that is remembered.
func (s *Serial) write(x *Serializable, store uint64, lower, upper []byte, point bool, over *Serializable) error {
	if s.off {
		return nil
	}
	x.wrote = true
	if x.doomed {
		return &Conflict{"Canceled on identification as a pivot, during conflict in checking."}
	}
	s.hold(x, writing, store, lower, upper, point)
	return s.conflictsIn(x, store, lower, upper, over)
}

// CheckWrite is Write for a key that will not be written after all.
func (s *Serial) CheckWrite(x *Serializable, store uint64, key []byte) error {
	lower, upper := pointBounds(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off {
		return nil
	}
	return s.conflictsIn(x, store, lower, upper, nil)
}

func (s *Serial) conflictsIn(x *Serializable, store uint64, lower, upper []byte, over *Serializable) error {
	g := s.grounds[store]
	if g == nil {
		return nil
	}
	return g.reads.overlapping(lower, upper, func(n *interval) error {
		for _, r := range n.holders {
			if r == x || over != nil && r != s.old && r.precedes(over, n) {
				continue
			}
			if err := s.writeMissed(r, x); err != nil {
				return err
			}
		}
		return nil
	})
}

// replaces reports whether it matters which version of a key x replaces: someone
// has read it, and someone else has written it since.
func (s *Serial) replaces(x *Serializable, store uint64, lower, upper []byte) bool {
	g := s.grounds[store]
	if g == nil || g.reads.root == nil {
		return false
	}
	n := g.writes.find(lower, upper)
	if n == nil {
		return false
	}
	for _, w := range n.holders {
		if w != x && w != s.old && x.sees(w) {
			return true
		}
	}
	return false
}

// writerOf returns who wrote the version of a key that x replaces, if x sees it.
func (s *Serial) writerOf(x *Serializable, store uint64, lower, upper []byte, version uint64) *Serializable {
	g := s.grounds[store]
	if g == nil || version == 0 {
		return nil
	}
	n := g.writes.find(lower, upper)
	if n == nil {
		return nil
	}
	for _, w := range n.holders {
		if w != s.old && w.stamp.Load() == version && x.sees(w) {
			return w
		}
	}
	return nil
}

// precedes reports whether r, having read the range n, is known to have missed
// a write of w there. Whoever holds a whole store may have been given it for
// what it read elsewhere (Transfer), and was not compared with w then.
func (r *Serializable) precedes(w *Serializable, n *interval) bool {
	whole := len(n.lower) == 0 && n.upper == nil
	return r != w && !whole && !r.sees(w)
}
