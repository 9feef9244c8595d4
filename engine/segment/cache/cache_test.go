package cache

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
)

// fillWith writes a pattern that names the block, and checkBlock looks for it.
func fillWith(file, off uint64) func([]byte, *Head) error {
	return func(b []byte, h *Head) error {
		h[0], h[18] = file, off
		for i := 0; i+8 <= len(b); i += 8 {
			binary.LittleEndian.PutUint64(b[i:], file<<32|off)
		}
		return nil
	}
}

func checkBlock(t *testing.T, b Block, file, off uint64, size int) {
	t.Helper()
	if len(b.Data) != size {
		t.Fatalf("block %d/%d has %d bytes, want %d", file, off, len(b.Data), size)
	}
	for i := 0; i+8 <= len(b.Data); i += 8 {
		if x := binary.LittleEndian.Uint64(b.Data[i:]); x != file<<32|off {
			t.Fatalf("block %d/%d holds %d/%d at byte %d", file, off, x>>32, x&(1<<32-1), i)
		}
	}
	if h := b.Head(); h[0] != file || h[18] != off {
		t.Fatalf("block %d/%d has the head of %d/%d", file, off, h[0], h[18])
	}
}

// slots are those of file 1's blocks; the others of the tests go by name.
type slots map[uint64]*Slot

func (s slots) of(file, off uint64) *Slot {
	if file != 1 {
		return nil
	}
	if s[off] == nil {
		s[off] = new(Slot)
	}
	return s[off]
}

func sizeOf(off uint64) int { return 64 + int(off*2654435761%97)*128 }

func read(t *testing.T, c *Cache, s slots, file, off uint64) Block {
	t.Helper()
	b, ok := c.Get(s.of(file, off), file, off)
	if !ok {
		var err error
		if b, err = c.Load(s.of(file, off), file, off, sizeOf(off), fillWith(file, off)); err != nil {
			t.Fatal(err)
		}
	}
	checkBlock(t, b, file, off, sizeOf(off))
	return b
}

func TestBlocksKeepTheirBytesUnderEviction(t *testing.T) {
	for _, limit := range []int64{0, 1 << 10, 64 << 10, 300 << 10, 1 << 20, 40 << 20} {
		c := New(limit)
		r := rand.New(rand.NewPCG(1, uint64(limit)))
		var pinned []Block
		var names []uint64
		paths := slots{}
		for range 20000 {
			off := uint64(r.IntN(200))
			if r.IntN(3) == 0 {
				off = uint64(r.IntN(8)) // hot
			}
			b := read(t, c, paths, 1+off%2, off)
			if r.IntN(4) == 0 && len(pinned) < 10 {
				pinned, names = append(pinned, b), append(names, off)
				continue
			}
			b.Release()
			if len(pinned) > 0 && r.IntN(4) == 0 {
				checkBlock(t, pinned[0], 1+names[0]%2, names[0], sizeOf(names[0]))
				pinned[0].Release()
				pinned, names = pinned[1:], names[1:]
			}
		}
		st := c.Stats()
		if st.Bytes > limit || st.Limit != limit || st.Hits+st.Misses != 20000 {
			t.Errorf("limit %d: stats %+v", limit, st)
		}
		if limit >= 1<<20 && st.Hits < 15000 {
			t.Errorf("limit %d: only %d hits of blocks that nearly all fit", limit, st.Hits)
		}
		c.Close()
	}
}

func TestUsedBlocksSurviveAScan(t *testing.T) {
	c := New(128 << 10)
	defer c.Close()
	hits := 0
	var hot Slot
	for off := range uint64(2000) {
		if b, ok := c.Get(&hot, 1, 1<<20); ok {
			hits++
			b.Release()
		} else {
			b, _ := c.Load(&hot, 1, 1<<20, 4096, fillWith(1, 1<<20))
			b.Release()
		}
		b, _ := c.Load(nil, 2, off, 4096, fillWith(2, off))
		b.Release()
	}
	if hits < 1900 {
		t.Errorf("the hot block was found %d times of 2000", hits)
	}
}

func TestFailedLoadKeepsNothing(t *testing.T) {
	c := New(64 << 10)
	defer c.Close()
	broken := errors.New("broken")
	for _, size := range []int{100, 60 << 10} {
		for range 100 {
			if _, err := c.Load(nil, 1, 7, size, func([]byte, *Head) error { return broken }); !errors.Is(err, broken) {
				t.Fatal(err)
			}
		}
	}
	if _, ok := c.Get(nil, 1, 7); ok {
		t.Error("a failed block is in the cache")
	}
	b := read(t, c, slots{}, 1, 8)
	b.Release()
}

func TestLoadTwiceKeepsOne(t *testing.T) {
	c := New(1 << 20)
	defer c.Close()
	for _, slot := range []*Slot{nil, new(Slot)} {
		file := c.NewFile()
		a, _ := c.Load(slot, file, 5, 512, fillWith(file, 5))
		b, _ := c.Load(slot, file, 5, 512, fillWith(file, 5))
		checkBlock(t, a, file, 5, 512)
		checkBlock(t, b, file, 5, 512)
		if st := c.Stats(); st.Blocks != int64(file) || st.Bytes != 512*int64(file) || st.Hits != 0 {
			t.Errorf("stats %+v", st)
		}
		a.Release()
		b.Release()
	}
}

func TestEverythingPinnedStillLoads(t *testing.T) {
	c := New(32 << 10)
	defer c.Close()
	var all []Block
	for off := range uint64(100) {
		all = append(all, read(t, c, nil, 3, off))
	}
	for off, b := range all {
		checkBlock(t, b, 3, uint64(off), sizeOf(uint64(off)))
		b.Release()
	}
}

func TestFilesHaveDifferentNumbers(t *testing.T) {
	c := New(0)
	if a, b := c.NewFile(), c.NewFile(); a == b || a == 0 {
		t.Errorf("files %d and %d", a, b)
	}
}

func TestConcurrentReadersSeeWholeBlocks(t *testing.T) {
	c := New(200 << 10)
	defer c.Close()
	var wg sync.WaitGroup
	paths := make([]Slot, 60)
	for g := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(g)))
			for range 5000 {
				off := uint64(r.IntN(60))
				slot := &paths[off]
				if off%3 == 0 {
					slot = nil
				}
				b, ok := c.Get(slot, 1, off)
				if !ok {
					var err error
					if b, err = c.Load(slot, 1, off, sizeOf(off), fillWith(1, off)); err != nil {
						t.Error(err)
						return
					}
				}
				for i := 0; i+8 <= len(b.Data); i += 8 {
					if binary.LittleEndian.Uint64(b.Data[i:]) != 1<<32|off {
						t.Errorf("block %d torn", off)
						break
					}
				}
				b.Release()
			}
		})
	}
	wg.Wait()
}

func BenchmarkHit(b *testing.B) {
	c := New(16 << 20)
	defer c.Close()
	paths := make([]Slot, 1000)
	for off := range uint64(1000) {
		blk, _ := c.Load(&paths[off], 1, off*8192, 8192, func([]byte, *Head) error { return nil })
		blk.Release()
	}
	i := uint64(0)
	for b.Loop() {
		blk, ok := c.Get(&paths[i%1000], 1, i%1000*8192)
		if !ok {
			b.Fatal("miss")
		}
		blk.Release()
		i++
	}
}

// TestUsesAreCollected brings a frame's count of uses to its limit.
func TestUsesAreCollected(t *testing.T) {
	c := New(1 << 20)
	defer c.Close()
	var slot Slot
	b, _ := c.Load(&slot, 1, 5, 512, fillWith(1, 5))
	const before = manyUses>>pinBits + 1
	b.frame.state.Add(before << pinBits)
	for range 10 {
		again, ok := c.Get(&slot, 1, 5)
		if !ok {
			t.Fatal("not found")
		}
		again.Release()
	}
	b.Release()
	if st := c.Stats(); st.Hits != before+10 || c.frames[slot.frame.Load()-1].state.Load() > manyUses {
		t.Errorf("stats %+v", st)
	}
}
