package txn

import "fmt"

// isPrepared reports whether a transaction is past the point where it can be made to fail.
func (x *Serializable) isPrepared() bool { return x.prepared != 0 && !x.aborted }

// isCommitted reports whether a transaction has committed.
func (x *Serializable) isCommitted() bool { return x.committed != 0 }

// sees reports whether x's snapshot contains the commit of w.
func (x *Serializable) sees(w *Serializable) bool {
	ts := w.stamp.Load()
	return ts != 0 && ts <= x.snapshot
}

// readMissed handles that x read where w has written, or is writing.
func (s *Serial) readMissed(x, w *Serializable) error {
	if w.doomed || x.sees(w) {
		return nil
	}
	if w == s.old {
		return s.readMissedOld(x)
	}
	if w.summaryOut {
		// w missed something that is so old that we cannot tell when it was
		// committed: before x began, for all we know.
		if !w.isPrepared() {
			w.doomed = true
			return nil
		}
		return &Conflict{"Canceled on conflict out to old pivot."}
	}
	if x.readOnlyBefore(w) || linked(x, w) {
		return nil
	}
	return s.depend(x, w, x)
}

// readOnlyBefore reports whether x, being read-only, comes before w in any
// order: w has committed and missed nothing that was committed before x began.
func (x *Serializable) readOnlyBefore(w *Serializable) bool {
	return x.readOnly && w.isCommitted() && !w.summaryOut && (!w.conflictOut || x.before < w.firstOut)
}

// readMissedOld handles that x read where a summarised transaction has written.
func (s *Serial) readMissedOld(x *Serializable) error {
	old := s.old
	if old.conflictOut && (!x.readOnly || old.firstOut <= x.before) {
		return &Conflict{"Canceled on conflict out to old pivot."}
	}
	if x.summaryIn || len(x.in) > 0 {
		return &Conflict{"Canceled on identification as a pivot, with conflict out to old committed transaction."}
	}
	x.summaryOut = true
	return nil
}

// writeMissed handles that x writes where r has read.
func (s *Serial) writeMissed(r, x *Serializable) error {
	if r == s.old {
		if r.committed <= x.before {
			return nil
		}
		if err := s.check(r, x, x); err != nil {
			return err
		}
		x.summaryIn = true
		return nil
	}
	if r.doomed || x.sees(r) || r.isCommitted() && r.committed <= x.before || linked(r, x) {
		return nil
	}
	return s.depend(r, x, x)
}

// depend records that writer wrote what reader read without seeing it; self is the one who found out.
func (s *Serial) depend(reader, writer, self *Serializable) error {
	if err := s.check(reader, writer, self); err != nil {
		return err
	}
	link(&reader.out, writer)
	link(&writer.in, reader)
	return nil
}

// check looks for a dangerous structure that a new dependency of a reader on a
// writer completes, and fails self, or dooms the writer, if there is one.
func (s *Serial) check(reader, writer, self *Serializable) error {
	if !s.pivotWriter(reader, writer) && !s.pivotReader(reader, writer) {
		return nil
	}
	switch {
	case self == writer:
		return &Conflict{"Canceled on identification as a pivot, during write."}
	case writer.isPrepared():
		return &Conflict{fmt.Sprintf("Canceled on conflict out to pivot %d, during read.", writer.xid.Load())}
	}
	writer.doomed = true // it will fail, and reader may go on
	return nil
}

// pivotWriter: reader → writer → out, and out was the first to commit.
func (s *Serial) pivotWriter(reader, writer *Serializable) bool {
	if writer.summaryOut || writer.isCommitted() && writer.conflictOut {
		return true
	}
	for _, out := range writer.out {
		if out.isPrepared() &&
			(!reader.isCommitted() || out.prepared <= reader.committed) &&
			(!writer.isCommitted() || out.prepared <= writer.committed) &&
			(!reader.readOnly || out.prepared <= reader.before) {
			return true
		}
	}
	return false
}

// pivotReader: in → reader → writer, and writer was the first to commit.
func (s *Serial) pivotReader(reader, writer *Serializable) bool {
	if !writer.isPrepared() || reader.readOnly {
		return false
	}
	if reader.summaryIn {
		return true
	}
	for _, in := range reader.in {
		if !in.doomed &&
			(!in.isCommitted() || in.committed >= writer.prepared) &&
			(!in.readOnly || in.before >= writer.prepared) {
			return true
		}
	}
	return false
}

// Prepare decides whether a transaction may commit. After that it can no longer be made to fail.
func (s *Serial) Prepare(x *Serializable) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off {
		return nil
	}
	if x.doomed {
		return &Conflict{"Canceled on identification as a pivot, during commit attempt."}
	}
	// x would be the first to commit of in → pivot → x: the pivot has to fail.
	for _, pivot := range x.in {
		if pivot.isCommitted() || pivot.doomed {
			continue
		}
		for _, in := range pivot.in {
			if in != x && (in.isCommitted() || in.readOnly || in.doomed) {
				continue
			}
			if pivot.isPrepared() {
				return &Conflict{"Canceled on commit attempt with conflict in from prepared pivot."}
			}
			pivot.doomed = true
			break
		}
	}
	s.last++
	x.prepared = s.last
	return nil
}
