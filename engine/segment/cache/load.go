package cache

// Load makes room for a block of size bytes, lets fill write it and its head,
// and keeps it as the block of file at off, to be found by slot, or by name
// where slot is nil. It returns the block pinned. When fill fails nothing is
// kept and its error is returned.
func (c *Cache) Load(slot *Slot, file, off uint64, size int, fill func([]byte, *Head) error) (Block, error) {
	s := c.shard(file, off)
	if size > (s.upper-s.lower)/maxShare {
		return loadUnkept(size, fill)
	}
	s.mu.Lock()
	n, ok := s.place(size)
	s.mu.Unlock()
	if !ok {
		return loadUnkept(size, fill)
	}
	// The frame is ours: it is locked and nothing leads to it.
	f := &s.frames[n]
	data := s.arena[f.at : f.at+size : f.at+size]
	err := fill(data, &f.head)

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		f.unlock() // nameless: its room is reused when the head comes by
		return Block{}, err
	}
	if b, ok := c.again(s, slot, file, off); ok {
		f.unlock()
		return b, nil
	}
	f.off.Store(off)
	f.file.Store(file)
	f.named = slot == nil
	f.state.Add(1)
	f.unlock()
	if s.blocks++; f.named {
		s.index[name{file, off}] = n
	} else {
		slot.frame.Store(n + 1)
	}
	s.bytes += int64(size)
	return Block{Data: data, frame: f}, nil
}

// again returns the block, pinned, that another reader loaded meanwhile.
func (c *Cache) again(s *shard, slot *Slot, file, off uint64) (Block, bool) {
	n, ok := uint32(0), false
	if slot != nil {
		n = slot.frame.Load() - 1
		ok = n+1 != 0
	} else {
		n, ok = s.index[name{file, off}]
	}
	if !ok {
		return Block{}, false
	}
	var b Block
	if ok = c.pin(&b, &s.frames[n], file, off); ok {
		s.uses-- // it is counted as a miss
	}
	return b, ok
}

func loadUnkept(size int, fill func([]byte, *Head) error) (Block, error) {
	b := Block{Data: make([]byte, size), frame: &frame{}}
	if err := fill(b.Data, &b.frame.head); err != nil {
		return Block{}, err
	}
	b.frame.state.Add(1)
	return b, nil
}

// place finds room for size bytes at the head and returns a frame for it,
// marked as evicting. It fails when everything in the way is pinned.
func (s *shard) place(size int) (uint32, bool) {
	slides := maxSlides
	for tries := 2*s.count + 4; tries > 0; tries-- {
		if s.head+size > s.upper {
			slides = s.wrap(slides)
			continue
		}
		if s.count == 0 || !s.inTheWay(&s.frames[s.ring[s.first]], size) {
			if n, ok := s.takeFrame(size); ok {
				return n, true
			}
			if s.count == 0 {
				return 0, false
			}
		}
		slides = s.makeWay(slides)
	}
	return 0, false
}

// inTheWay reports whether f, the first block after the head, overlaps the
// size bytes from the head on.
func (s *shard) inTheWay(f *frame, size int) bool {
	return f.at+int(f.size) > s.head && f.at < s.head+size
}

// takeFrame gives the room at the head to a free frame. A reader that follows
// a stale slot may hold a frame for an instant; another one is taken then, so
// that a frame never changes its name between a reader's pin and its check.
func (s *shard) takeFrame(size int) (uint32, bool) {
	for i := len(s.free) - 1; i >= 0; i-- {
		n := s.free[i]
		f := &s.frames[n]
		if _, ok := f.lock(); !ok {
			continue
		}
		s.free[i] = s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		f.at, f.size = s.head, int32(size)
		s.head += wholeLines(size)
		s.push(n)
		return n, true
	}
	return 0, false
}

func (s *shard) push(n uint32) {
	s.ring[(s.first+s.count)%len(s.ring)] = n
	s.count++
}

func (s *shard) pop() uint32 {
	n := s.ring[s.first]
	s.first = (s.first + 1) % len(s.ring)
	s.count--
	return n
}

// wrap moves the head to the start of the shard. Blocks between it and the
// end go unless they are pinned or were used; those stay where they are.
func (s *shard) wrap(slides int) int {
	for k := s.count; k > 0; k-- {
		f := &s.frames[s.ring[s.first]]
		if f.at < s.head {
			break
		}
		n := s.pop()
		keep := false
		if slides > 0 {
			uses := f.takeUses()
			s.uses += uses
			if keep = uses > 0; keep {
				slides--
			}
		}
		if keep || !s.evict(n) {
			s.push(n)
		}
	}
	s.head = s.lower
	return slides
}

// makeWay removes the first block after the head: by eviction, by sliding it
// to the head when it was used, or, when it is pinned, by moving the head past it.
func (s *shard) makeWay(slides int) int {
	n := s.pop()
	f := &s.frames[n]
	if slides > 0 && f.file.Load() != 0 && f.at >= s.head && f.state.Load()>>pinBits > 0 {
		if uses, ok := f.lock(); ok {
			size := int(f.size)
			copy(s.arena[s.head:s.head+size], s.arena[f.at:f.at+size])
			f.at = s.head
			s.head += wholeLines(size)
			s.uses += uses
			f.unlock()
			s.push(n)
			return slides - 1
		}
	}
	if !s.evict(n) {
		s.head = f.at + wholeLines(int(f.size))
		s.push(n)
	}
	return slides
}

// evict empties frame n unless it is pinned.
func (s *shard) evict(n uint32) bool {
	f := &s.frames[n]
	uses, ok := f.lock()
	if !ok {
		return false
	}
	s.uses += uses
	if file := f.file.Load(); file != 0 {
		if f.named {
			delete(s.index, name{file, f.off.Load()})
		}
		s.blocks--
		s.bytes -= int64(f.size)
		f.file.Store(0)
	}
	f.size = 0
	f.unlock()
	s.free = append(s.free, n)
	return true
}
