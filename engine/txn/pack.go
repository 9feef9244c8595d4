package txn

import (
	"maps"
	"math/bits"
	"slices"
)

// A transaction that has changed millions of rows holds a lock on each. Pack
// turns those that nobody else takes an interest in into a set of a dozen
// bytes a lock, beside the map of locks. Whoever comes for such a row finds it
// there: a conflict that he does not want to wait for is told at once, in every
// other case the lock becomes an ordinary one again before he goes on. So
// packed locks are never waited for, and no rule of locking knows of them.

// packed is what one owner holds in one shard in this form, of one level.
type packed struct {
	owner  *Owner
	level  int // savepoints that were open when the locks were taken
	stores map[uint64]*packTable
	loose  []looseLock // those that became ordinary locks; they are in no owner's list
}

type looseLock struct {
	tag   Tag
	modes modeSet
}

// Held returns the number of locks of the owner's transaction that are not packed.
func (o *Owner) Held() int { return len(o.held) }

// Pack packs the row locks of the owner's transaction. Marks are those of its
// open savepoints, the outermost first; Pack changes them to what Mark would
// have returned.
func (m *Manager) Pack(o *Owner, marks []int) {
	m.reveal(nil)
	kept := make([]held, 0, min(len(o.held), maxHeldKept))
	level := 0
	for i, k := range o.held {
		for ; level < len(marks) && marks[level] <= i; level++ {
			marks[level] = len(kept)
		}
		if k.tag.Kind != Row || k.tag.Sub != 0 || !m.pack(o, k, level) {
			kept = append(kept, k)
		}
	}
	for ; level < len(marks); level++ {
		marks[level] = len(kept)
	}
	o.held, o.packed = kept, true
}

// pack packs one lock unless others hold or want it.
func (m *Manager) pack(o *Owner, k held, level int) bool {
	s := m.shard(k.tag)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.thin {
		if e := s.thinOf(o, k.tag); e != nil {
			s.packedOf(o, level).add(k.tag, 1<<k.mode)
			e.modes &^= 1 << k.mode
			return true
		}
	}
	l := s.locks[k.tag]
	if len(l.holders) != 1 || len(l.queue) > 0 {
		return false
	}
	h := &l.holders[0]
	if h.session != 0 || h.modes != h.transaction {
		return false
	}
	s.packedOf(o, level).add(k.tag, 1<<k.mode)
	h.transaction &^= 1 << k.mode
	if h.modes &^= 1 << k.mode; h.modes == 0 {
		l.holders = l.holders[:0]
		s.reap(l)
	}
	return true
}

func (s *shard) packedOf(o *Owner, level int) *packed {
	for _, p := range s.packed {
		if p.owner == o && p.level == level {
			return p
		}
	}
	p := &packed{owner: o, level: level, stores: make(map[uint64]*packTable)}
	s.packed = append(s.packed, p)
	return p
}

func (p *packed) add(t Tag, modes modeSet) {
	tab := p.stores[t.A]
	if tab == nil {
		tab = new(packTable)
		p.stores[t.A] = tab
	}
	tab.add(t.B, uint8(modes))
}

// modes returns the modes in which a tag is packed, 0 for none.
func (p *packed) modes(t Tag) modeSet {
	if tab := p.stores[t.A]; tab != nil {
		return modeSet(tab.get(t.B))
	}
	return 0
}

// meetPacked prepares a request for a row that may be packed: the request is
// done, or all that others have packed of it, and what the owner has if there
// are others, is in the map of locks.
func (s *shard) meetPacked(o *Owner, t Tag, mode Mode, scope Scope, p Policy) (done bool, err error) {
	var others bool
	c := conflicts[Row][mode]
	for _, x := range s.packed {
		switch held := x.modes(t); {
		case held == 0:
		case x.owner == o:
			if held.has(mode) && scope == Transaction {
				return true, nil
			}
		case held&c != 0 && p == NoWait:
			return true, ErrNotAvailable
		default:
			others = true
		}
	}
	if others {
		for _, x := range s.packed {
			s.unpack(x, t)
		}
	}
	return false, nil
}

// unpack makes a packed lock an ordinary one.
func (s *shard) unpack(p *packed, t Tag) {
	modes := p.modes(t)
	if modes == 0 {
		return
	}
	tab := p.stores[t.A]
	if tab.remove(t.B); tab.n == 0 {
		delete(p.stores, t.A)
	}
	l := s.lock(t)
	h := l.holder(p.owner)
	if h == nil {
		l.holders = append(l.holders, holder{owner: p.owner})
		h = &l.holders[len(l.holders)-1]
	}
	h.modes |= modes
	h.transaction |= modes
	p.loose = append(p.loose, looseLock{t, modes})
}

// releasePacked gives up what the owner has packed at a level or above.
func (m *Manager) releasePacked(o *Owner, level int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.packed = slices.DeleteFunc(s.packed, func(p *packed) bool {
			if p.owner != o || p.level < level {
				return false
			}
			m.releaseLoose(s, p)
			return true
		})
		s.mu.Unlock()
	}
	o.packed = level > 0
}

func (m *Manager) releaseLoose(s *shard, p *packed) {
	for _, k := range p.loose {
		l := s.locks[k.tag]
		h := l.holder(p.owner)
		h.transaction &^= k.modes
		gone := k.modes &^ h.session
		for mode := Mode(1); mode < 16; mode++ {
			if gone.has(mode) {
				m.drop(s, l, p.owner, mode)
			}
		}
	}
}

// Flatten gives what was packed above a level to that level: the savepoints
// in between are forgotten.
func (m *Manager) Flatten(o *Owner, level int) {
	if !o.packed {
		return
	}
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.packed = slices.DeleteFunc(s.packed, func(p *packed) bool {
			if p.owner != o || p.level <= level {
				return false
			}
			for _, q := range s.packed {
				if q != p && q.owner == o && q.level == level {
					q.absorb(p)
					return true
				}
			}
			p.level = level
			return false
		})
		s.mu.Unlock()
	}
}

// absorb takes over what another one of the same owner has.
func (p *packed) absorb(o *packed) {
	for store, tab := range o.stores {
		to := p.stores[store]
		if to == nil || to.n < tab.n {
			p.stores[store], to, tab = tab, tab, to
		}
		tab.each(to.add)
	}
	p.loose = append(p.loose, o.loose...)
}

// EachPacked calls fn for the packed locks of an owner, shard by shard, with a
// part of the locks of one store at a time.
func (m *Manager) EachPacked(o *Owner, fn func(shard int, store uint64, locks []Packed) error) error {
	if !o.packed {
		return nil
	}
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		all := make(map[uint64][]Packed)
		for _, p := range s.packed {
			if p.owner != o {
				continue
			}
			for store, tab := range p.stores {
				tab.each(func(b uint64, modes uint8) { all[store] = append(all[store], Packed{b, modes}) })
			}
		}
		s.mu.Unlock()
		for _, store := range slices.Sorted(maps.Keys(all)) {
			if err := fn(i, store, all[store]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Packed is a packed lock: the tag's B, and the modes it is held in, a bit each.
type Packed struct {
	B     uint64
	Modes uint8
}

// RestorePacked gives an owner a packed lock that EachPacked has listed before
// a restart. Nobody else holds locks yet.
func (m *Manager) RestorePacked(o *Owner, store uint64, k Packed) {
	t := Tag{Kind: Row, A: store, B: k.B}
	if !o.entered {
		m.enter(o, false)
	}
	s := m.shard(t)
	s.mu.Lock()
	s.packedOf(o, 0).add(t, modeSet(k.Modes))
	s.mu.Unlock()
	o.packed = true
}

// transferPacked gives what an owner has packed to another owner.
func (m *Manager) transferPacked(from, to *Owner) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for _, p := range s.packed {
			if p.owner != from {
				continue
			}
			p.owner = to
			for _, k := range p.loose {
				if h := s.locks[k.tag].holder(from); h != nil {
					h.owner = to
				}
			}
		}
		s.mu.Unlock()
	}
	to.packed, from.packed = true, false
}

// packedByOther reports whether anybody but the owner has packed a tag.
func (s *shard) packedByOther(t Tag, o *Owner) bool {
	return slices.ContainsFunc(s.packed, func(p *packed) bool { return p.owner != o && p.modes(t) != 0 })
}

// packTable is a hash table from the B of tags to modes, with linear probing.
// It grows by a quarter, because what counts is memory.
type packTable struct {
	keys  []uint64
	modes []uint8 // 0: the place is free
	n     int
}

const minPackTable = 16

// place returns where a key's search begins. Shards are chosen by other bits.
func (p *packTable) place(key uint64) int {
	hi, _ := bits.Mul64((key^key>>29)*0x94d049bb133111eb, uint64(len(p.keys)))
	return int(hi)
}

// find returns where a key is, or the free place where it would go.
func (p *packTable) find(key uint64) int {
	i := p.place(key)
	for p.modes[i] != 0 && p.keys[i] != key {
		if i++; i == len(p.keys) {
			i = 0
		}
	}
	return i
}

func (p *packTable) get(key uint64) uint8 {
	if p.n == 0 {
		return 0
	}
	return p.modes[p.find(key)]
}

// add adds modes, of which there is at least one, to a key.
func (p *packTable) add(key uint64, modes uint8) {
	if (p.n+1)*8 > len(p.keys)*7 {
		p.resize(max(minPackTable, len(p.keys)*5/4))
	}
	i := p.find(key)
	if p.modes[i] == 0 {
		p.n++
	}
	p.keys[i] = key
	p.modes[i] |= modes
}

func (p *packTable) resize(size int) {
	old := *p
	p.keys, p.modes = make([]uint64, size), make([]uint8, size)
	old.each(func(key uint64, modes uint8) {
		i := p.find(key)
		p.keys[i], p.modes[i] = key, modes
	})
}

// remove takes a key out and closes the gap that it leaves.
func (p *packTable) remove(key uint64) {
	gap := p.find(key)
	if p.modes[gap] == 0 {
		return
	}
	p.n--
	size := len(p.keys)
	for i := gap; ; {
		if i++; i == size {
			i = 0
		}
		if p.modes[i] == 0 {
			break
		}
		// What may not move before its own place stays.
		if home := p.place(p.keys[i]); (i-home+size)%size >= (i-gap+size)%size {
			p.keys[gap], p.modes[gap] = p.keys[i], p.modes[i]
			gap = i
		}
	}
	p.modes[gap] = 0
}

func (p *packTable) each(fn func(key uint64, modes uint8)) {
	if p == nil {
		return
	}
	for i, modes := range p.modes {
		if modes != 0 {
			fn(p.keys[i], modes)
		}
	}
}
