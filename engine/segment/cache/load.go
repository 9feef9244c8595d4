package cache

// Load makes room for a block of size bytes, lets fill write it and keeps it
// as the block of file at off. It returns the block pinned. When fill fails
// nothing is kept and its error is returned.
func (c *Cache) Load(file, off uint64, size int, fill func([]byte) error) (Block, error) {
	h := hash(file, off)
	s := &c.shards[h&c.mask]
	if size > len(s.arena)/maxShare {
		return loadUnkept(size, fill)
	}
	s.mu.Lock()
	n, ok := s.place(size)
	s.mu.Unlock()
	if !ok {
		return loadUnkept(size, fill)
	}
	// The frame is ours: it is marked as evicting and in no index.
	f := &s.frames[n]
	data := s.arena[f.at : f.at+size : f.at+size]
	err := fill(data)

	set := int(h>>8) & (len(s.hints) - 1) &^ (hintWays - 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := name{file, off}
	if old, exists := s.index[key]; err == nil && exists {
		if b, ok := s.pin(&s.frames[old], file, off); ok {
			f.pins.Add(-evicting) // nameless: its room is reused when the head comes by
			return b, nil
		}
	}
	if err != nil {
		f.pins.Add(-evicting)
		return Block{}, err
	}
	f.used.Store(false)
	f.off.Store(off)
	f.file.Store(file)
	f.pins.Add(1 - evicting)
	s.index[key] = n
	s.bytes += int64(size)
	s.hint(set, n)
	return Block{Data: data, frame: f}, nil
}

func loadUnkept(size int, fill func([]byte) error) (Block, error) {
	data := make([]byte, size)
	if err := fill(data); err != nil {
		return Block{}, err
	}
	return Block{Data: data}, nil
}

// place finds room for size bytes at the head and returns a frame for it,
// marked as evicting. It fails when everything in the way is pinned.
func (s *shard) place(size int) (uint32, bool) {
	slides := maxSlides
	for tries := 2*s.count + 4; tries > 0; tries-- {
		if s.head+size > len(s.arena) {
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
	return f.at+f.size > s.head && f.at < s.head+size
}

// takeFrame gives the room at the head to a free frame. A reader that follows
// a stale hint may hold a frame for an instant; another one is taken then, so
// that a frame never changes its name between a reader's pin and its check.
func (s *shard) takeFrame(size int) (uint32, bool) {
	for i := len(s.free) - 1; i >= 0; i-- {
		n := s.free[i]
		f := &s.frames[n]
		if !f.pins.CompareAndSwap(0, evicting) {
			continue
		}
		s.free[i] = s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		f.at, f.size = s.head, size
		s.head += size
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

// wrap moves the head to the start of the arena. Blocks between it and the
// end go unless they are pinned or were used; those stay where they are.
func (s *shard) wrap(slides int) int {
	for k := s.count; k > 0; k-- {
		f := &s.frames[s.ring[s.first]]
		if f.at < s.head {
			break
		}
		n := s.pop()
		keep := f.used.Load() && slides > 0
		if keep {
			slides--
			f.used.Store(false)
		}
		if keep || !s.evict(n) {
			s.push(n)
		}
	}
	s.head = 0
	return slides
}

// makeWay removes the first block after the head: by eviction, by sliding it
// to the head when it was used, or, when it is pinned, by moving the head past it.
func (s *shard) makeWay(slides int) int {
	n := s.pop()
	f := &s.frames[n]
	if f.used.Load() && f.file.Load() != 0 && slides > 0 && f.at >= s.head && f.pins.CompareAndSwap(0, evicting) {
		copy(s.arena[s.head:s.head+f.size], s.arena[f.at:f.at+f.size])
		f.at = s.head
		s.head += f.size
		f.used.Store(false)
		f.pins.Add(-evicting)
		s.push(n)
		return slides - 1
	}
	if !s.evict(n) {
		s.head = f.at + f.size
		s.push(n)
	}
	return slides
}

// evict empties frame n unless it is pinned.
func (s *shard) evict(n uint32) bool {
	f := &s.frames[n]
	if !f.pins.CompareAndSwap(0, evicting) {
		return false
	}
	if file := f.file.Load(); file != 0 {
		delete(s.index, name{file, f.off.Load()})
		s.bytes -= int64(f.size)
		f.file.Store(0)
	}
	f.size = 0
	f.pins.Add(-evicting)
	s.free = append(s.free, n)
	return true
}
