package txn

// Held is a lock that an owner's transaction holds.
type Held struct {
	Tag  Tag
	Mode Mode
}

// TransactionLocks lists the locks of the owner's transaction in the order
// taken, without those that are packed.
func (o *Owner) TransactionLocks() []Held {
	list := make([]Held, len(o.held))
	for i, h := range o.held {
		list[i] = Held{h.tag, h.mode}
	}
	return list
}

// SharesSession reports whether the owner holds some object both for its
// transaction and for its session.
func (o *Owner) SharesSession() bool {
	if len(o.session) == 0 {
		return false
	}
	tags := make(map[Tag]bool, len(o.session))
	for k := range o.session {
		tags[k.tag] = true
	}
	for _, h := range o.held {
		if tags[h.tag] {
			return true
		}
	}
	return false
}

// Transfer gives the locks of an owner's transaction to another owner, who
// holds none. Nobody gets in between. No object may be held for the first
// owner's session too.
func (m *Manager) Transfer(from, to *Owner) {
	m.reveal(nil)
	to.entered, from.entered = from.entered, false
	for _, k := range from.held {
		s := m.shard(k.tag)
		s.mu.Lock()
		if !k.thin || !s.transferThin(from, to, k.tag) {
			if l := s.locks[k.tag]; l != nil { // else it was moved with another of its modes
				if h := l.holder(from); h != nil {
					h.owner = to
				}
			}
		}
		s.mu.Unlock()
	}
	to.ending.Lock()
	to.thickened = true // perhaps
	to.ending.Unlock()
	to.held, from.held = from.held, nil
	if from.packed {
		m.transferPacked(from, to)
	}
	m.transferEndings(from, to)
}

// Valid reports whether a lock read from a file is one that can be taken.
func Valid(h Held) bool {
	return int(h.Tag.Kind) < len(conflicts) && h.Mode > 0 && int(h.Mode) < len(conflicts[h.Tag.Kind])
}
