// Package cache keeps blocks of immutable files in memory that the garbage
// collector does not see: anonymous maps on Linux, plain Go memory elsewhere
// and under the race detector, which cannot watch mapped memory.
//
// The types:
//
//	Cache  the cache, in shards, with a limit in bytes
//	Block  a pinned block: its bytes stay where they are until Release
//
// A hit takes no mutex: a small table of hints leads from (file, offset) to a
// frame, one atomic add pins it, and the frame's name is checked after that.
// A hint that is missing or stale leads to the shard's map under its mutex.
//
// Each shard's memory is a ring. Blocks are placed one behind the other at
// the head; what lies in the way is evicted, unless it was used since the
// head last came by: then it slides down to the head and stays (CLOCK with
// blocks of any size and no fragments). Pinned blocks are stepped over. A
// block that is large beside its shard, or finds everything pinned, gets Go
// memory of its own and is not kept.
//
// Two readers that miss the same block at once both read it; one copy stays.
package cache

import (
	"sync"
	"sync/atomic"
)

const (
	maxShards = 16

	// minShardBytes keeps shards large enough for several blocks.
	minShardBytes = 256 << 10

	// bytesPerFrame bounds the number of frames: blocks smaller than this
	// run out of frames before they run out of bytes.
	bytesPerFrame = 2 << 10

	// maxShare: a block larger than 1/maxShare of its shard is not kept.
	maxShare = 4

	// maxSlides bounds the blocks that one placement saves from eviction.
	maxSlides = 8

	// hintWays is the number of neighbouring hints that are tried.
	hintWays = 4

	// evicting is added to a frame's pins while its contents change, so that
	// whoever tries to pin it sees a negative number.
	evicting = -1 << 30
)

// Cache is a block cache. Its methods may be called concurrently.
type Cache struct {
	shards   []shard
	mask     uint64
	nextFile atomic.Uint64
	limit    int64
}

// frame is one place for a block. The plain fields change only while pins is
// negative, and are read only by holders of a pin or of the shard's mutex.
type frame struct {
	pins atomic.Int32
	used atomic.Bool
	file atomic.Uint64 // 0: no block
	off  atomic.Uint64
	at   int // place in the arena
	size int
}

type name struct{ file, off uint64 }

type shard struct {
	hints   []atomic.Uint32 // frame number + 1
	frames  []frame
	arena   []byte
	release func()

	hits, misses atomic.Int64

	mu    sync.Mutex
	index map[name]uint32
	free  []uint32 // frames without a block
	ring  []uint32 // frames with room in the arena, in ring order from the head on; a circular queue
	first int      // of ring
	count int      // of ring
	head  int      // where the next block goes
	bytes int64    // of blocks in index
	_     [64]byte // shards do not share cache lines
}

// Block is a pinned block. The zero Block holds nothing.
type Block struct {
	Data  []byte
	frame *frame
}

// Release unpins the block; its Data must not be used any more.
func (b *Block) Release() {
	if b.frame != nil {
		b.frame.pins.Add(-1)
	}
	*b = Block{}
}

// New returns a cache that keeps up to limit bytes of blocks.
func New(limit int64) *Cache {
	n := 1
	for n < maxShards && limit/int64(2*n) >= minShardBytes {
		n *= 2
	}
	c := &Cache{shards: make([]shard, n), mask: uint64(n - 1), limit: limit}
	for i := range c.shards {
		c.shards[i].init(int(limit) / n)
	}
	return c
}

func (s *shard) init(size int) {
	s.arena, s.release = allocate(size)
	frames := size/bytesPerFrame + 8
	s.frames = make([]frame, frames)
	s.ring = make([]uint32, frames)
	s.free = make([]uint32, frames)
	for i := range s.free {
		s.free[i] = uint32(frames - 1 - i)
	}
	hints := 64
	for hints < 2*frames {
		hints *= 2
	}
	s.hints = make([]atomic.Uint32, hints)
	s.index = make(map[name]uint32)
}

// Close gives the memory back. No block may be pinned or asked for any more.
func (c *Cache) Close() {
	for i := range c.shards {
		s := &c.shards[i]
		s.release()
		s.arena, s.index = nil, nil
	}
}

// NewFile returns a number for a file's blocks, never given before.
func (c *Cache) NewFile() uint64 { return c.nextFile.Add(1) }

// Stats are the cache's counters.
type Stats struct {
	Hits, Misses int64
	Blocks       int64
	Bytes, Limit int64
}

// Stats returns the counters summed over the shards.
func (c *Cache) Stats() Stats {
	st := Stats{Limit: c.limit}
	for i := range c.shards {
		s := &c.shards[i]
		st.Hits += s.hits.Load()
		st.Misses += s.misses.Load()
		s.mu.Lock()
		st.Blocks += int64(len(s.index))
		st.Bytes += s.bytes
		s.mu.Unlock()
	}
	return st
}

func hash(file, off uint64) uint64 {
	h := (file*0x9E3779B97F4A7C15 ^ off) * 0xD6E8FEB86659FD93
	return h ^ h>>32
}

// Get returns the block of file at off, pinned, if the cache holds it.
func (c *Cache) Get(file, off uint64) (Block, bool) {
	h := hash(file, off)
	s := &c.shards[h&c.mask]
	set := int(h>>8) & (len(s.hints) - 1) &^ (hintWays - 1)
	for i := range hintWays {
		n := s.hints[set+i].Load()
		if n == 0 {
			continue
		}
		f := &s.frames[n-1]
		if f.off.Load() != off || f.file.Load() != file {
			continue
		}
		if b, ok := s.pin(f, file, off); ok {
			s.hits.Add(1)
			return b, true
		}
	}
	return s.getSlow(set, file, off)
}

// pin pins f if it holds the named block.
func (s *shard) pin(f *frame, file, off uint64) (Block, bool) {
	if f.pins.Add(1) > 0 && f.off.Load() == off && f.file.Load() == file {
		if !f.used.Load() {
			f.used.Store(true)
		}
		return Block{Data: s.arena[f.at : f.at+f.size : f.at+f.size], frame: f}, true
	}
	f.pins.Add(-1)
	return Block{}, false
}

func (s *shard) getSlow(set int, file, off uint64) (Block, bool) {
	s.mu.Lock()
	n, ok := s.index[name{file, off}]
	var b Block
	if ok {
		b, ok = s.pin(&s.frames[n], file, off)
		s.hint(set, n)
	}
	s.mu.Unlock()
	if ok {
		s.hits.Add(1)
	} else {
		s.misses.Add(1)
	}
	return b, ok
}

// hint makes Get find frame n by the hints of set: in a free place, else in
// one that the frame number picks.
func (s *shard) hint(set int, n uint32) {
	place := set + int(n)%hintWays
	for i := range hintWays {
		old := s.hints[set+i].Load()
		if old == n+1 {
			return
		}
		if old == 0 || s.frames[old-1].file.Load() == 0 {
			place = set + i
			break
		}
	}
	s.hints[place].Store(n + 1)
}
