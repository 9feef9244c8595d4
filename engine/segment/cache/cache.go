// Package cache keeps blocks of immutable files in memory that the garbage
// collector does not see: anonymous maps on Linux, plain Go memory elsewhere
// and under the race detector, which cannot watch mapped memory.
//
// The types:
//
//	Cache  the cache, in shards, with a limit in bytes
//	Slot   where the owner of a file keeps the way to one of its blocks
//	Block  a pinned block: its bytes stay where they are until Release
//	Head   what the loader of a block noted about it, beside its pins
//
// A hit by slot takes no mutex: the slot leads to a frame, one atomic add pins
// it and counts the hit, and the frame's name is checked after that. A stale
// slot is a miss. Blocks that have no slot are found by name, in a map of the
// shard under its mutex.
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
	"math"
	"sync"
	"sync/atomic"
	"unsafe"
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

	// lineBytes is the length of a cache line: blocks begin at one.
	lineBytes = 64
)

// The state of a frame: in the low bits how often it is pinned, above them how
// often it was used since the head last came by, and the sign while its
// contents change, so that whoever tries to pin it sees a negative number.
const (
	pinBits  = 20
	pinMask  = 1<<pinBits - 1
	oneUse   = 1<<pinBits | 1 // a pin, and a use
	manyUses = 1 << 62        // uses are collected before they reach the sign
	evicting = math.MinInt64
)

// Cache is a block cache. Its methods may be called concurrently.
type Cache struct {
	frames   []frame // of all shards
	arena    []byte  // of all shards
	shards   []shard
	mask     uint64
	nextFile atomic.Uint64
	limit    int64
	hits     atomic.Int64 // uses collected from frames, and those of unkept blocks
	misses   atomic.Int64
	release  func()
}

// Head is room for what the loader of a block wants at hand before it looks
// at the block's bytes, which may be far away.
type Head [19]uint64

// frame is one place for a block, three cache lines long. The plain fields
// change only while the state is negative, and are read only by holders of a
// pin or of the shard's mutex.
type frame struct {
	state atomic.Int64
	file  atomic.Uint64 // 0: no block
	off   atomic.Uint64
	at    int // place in the arena
	size  int32
	named bool // in its shard's index
	head  Head
}

type name struct{ file, off uint64 }

type shard struct {
	mu     sync.Mutex
	frames []frame // of the cache; this shard uses its part
	arena  []byte  // of the cache; this shard uses lower to upper
	lower  int
	upper  int
	index  map[name]uint32
	free   []uint32 // frames without a block
	ring   []uint32 // frames with room in the arena, in ring order from the head on; a circular queue
	first  int      // of ring
	count  int      // of ring
	head   int      // where the next block goes
	uses   int64    // collected from frames
	blocks int64
	bytes  int64 // of blocks
	_      [64]byte
}

// Slot is the owner's way to a block: it knows the frame in which the block
// was last. Its zero value knows none.
type Slot struct{ frame atomic.Uint32 } // number + 1

// Block is a pinned block. The zero Block holds nothing. The capacity of its
// bytes may go on to the end of the cache line, for who loads vectors.
type Block struct {
	Data  []byte
	frame *frame
}

// Head returns what the loader of the block noted.
func (b *Block) Head() *Head { return &b.frame.head }

// Release unpins the block; its Data must not be used any more.
func (b *Block) Release() {
	if b.frame != nil {
		b.frame.state.Add(-1)
	}
	*b = Block{}
}

// New returns a cache that keeps up to limit bytes of blocks.
func New(limit int64) *Cache {
	n := 1
	for n < maxShards && limit/int64(2*n) >= minShardBytes {
		n *= 2
	}
	size := int(limit) / n &^ (lineBytes - 1)
	frames := size/bytesPerFrame + 8
	c := &Cache{shards: make([]shard, n), mask: uint64(n - 1), limit: limit}
	memory, release := allocate(n*frames*int(unsafe.Sizeof(frame{})) + n*size)
	c.frames = unsafe.Slice((*frame)(unsafe.Pointer(&memory[0])), n*frames)
	c.arena, c.release = memory[n*frames*int(unsafe.Sizeof(frame{})):], release
	for i := range c.shards {
		s := &c.shards[i]
		s.frames, s.arena, s.lower, s.upper, s.head = c.frames, c.arena, i*size, (i+1)*size, i*size
		s.ring = make([]uint32, frames)
		s.free = make([]uint32, frames)
		for k := range s.free {
			s.free[k] = uint32((i+1)*frames - 1 - k)
		}
		s.index = make(map[name]uint32)
	}
	return c
}

// Close gives the memory back. No block may be pinned or asked for any more.
func (c *Cache) Close() {
	c.frames, c.arena, c.shards = nil, nil, nil
	c.release()
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
	st := Stats{Limit: c.limit, Hits: c.hits.Load(), Misses: c.misses.Load()}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		st.Hits += s.uses
		for k := range s.count {
			st.Hits += (s.frames[s.ring[(s.first+k)%len(s.ring)]].state.Load() &^ evicting) >> pinBits
		}
		st.Blocks += s.blocks
		st.Bytes += s.bytes
		s.mu.Unlock()
	}
	return st
}

func (c *Cache) shard(file, off uint64) *shard {
	h := (file*0x9E3779B97F4A7C15 ^ off) * 0xD6E8FEB86659FD93
	return &c.shards[(h^h>>32)&c.mask]
}

// Get returns the block of file at off, pinned, if the cache holds it: by its
// slot, or, without one, by its name.
func (c *Cache) Get(slot *Slot, file, off uint64) (b Block, ok bool) {
	if slot != nil {
		ok = c.Pin(&b, slot, file, off)
		return b, ok
	}
	s := c.shard(file, off)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, found := s.index[name{file, off}]; found && c.pin(&b, &s.frames[n], file, off) {
		return b, true
	}
	c.misses.Add(1)
	return b, false
}

// Pin is Get by a slot. It fills b where it stands: copies of a block that was
// just made stall the processor.
func (c *Cache) Pin(b *Block, slot *Slot, file, off uint64) bool {
	if n := slot.frame.Load(); n != 0 && c.pin(b, &c.frames[n-1], file, off) {
		return true
	}
	c.misses.Add(1)
	return false
}

// Holds reports whether the cache has, or had a moment ago, a block in a slot.
func (c *Cache) Holds(slot *Slot) bool { return slot.frame.Load() != 0 }

// Frame returns the memory of a block's frame, from which Get and the search of
// the block begin, nil if the slot knows none. It is to be asked for ahead, so
// that the misses of several blocks overlap, which pins, one after the other, do
// not; what is in it belongs to who has the block pinned.
func (c *Cache) Frame(slot *Slot) []byte {
	n := slot.frame.Load()
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&c.frames[n-1])), unsafe.Sizeof(frame{}))
}

// pin pins f if it holds the named block.
func (c *Cache) pin(b *Block, f *frame, file, off uint64) bool {
	if f.off.Load() != off || f.file.Load() != file {
		return false
	}
	state := f.state.Add(oneUse)
	if state > 0 && f.off.Load() == off && f.file.Load() == file {
		if state > manyUses {
			c.hits.Add(f.takeUses())
		}
		b.Data, b.frame = c.arena[f.at:f.at+int(f.size):f.at+wholeLines(int(f.size))], f
		return true
	}
	f.state.Add(-1) // the use stays: it may have been collected already
	return false
}

// wholeLines rounds a size up to cache lines.
func wholeLines(n int) int { return (n + lineBytes - 1) &^ (lineBytes - 1) }

// takeUses returns how often f was used since the last call.
func (f *frame) takeUses() int64 {
	for {
		state := f.state.Load()
		if f.state.CompareAndSwap(state, state&(evicting|pinMask)) {
			return (state &^ evicting) >> pinBits
		}
	}
}

// lock claims f for a change of its contents, unless it is pinned.
func (f *frame) lock() (uses int64, ok bool) {
	state := f.state.Load()
	if state&(evicting|pinMask) != 0 || !f.state.CompareAndSwap(state, evicting) {
		return 0, false
	}
	return state >> pinBits, true
}

// unlock ends the claim. Readers in between see their pins refused, and take them back.
func (f *frame) unlock() { f.state.Add(evicting) } // flips the sign
