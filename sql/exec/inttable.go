package exec

import (
	"math"

	"github.com/omendb/omendb/sql/types"
)

// intTable numbers integers. Where they lie close together their numbers stand
// in an array by value, which needs no hash, no comparison and a fraction of
// the memory; otherwise in hash slots. It changes from one to the other as it
// grows, and no number changes with it.
type intTable struct {
	slots  []intSlot // hashed: length a power of two
	direct []int32   // else: by key less base, number+1, 0 is free
	base   int64
	null   int32 // number+1 of NULL
	n      int
	byID   []int64 // listed: the keys by number
	listed bool

	hashed       bool  // always
	lower, upper int64 // of the keys that were to be added
	asked        int64 // how many
	check        int64 // when they are so many, direct is tried again
}

type intSlot struct {
	key int64
	id  int32 // number+1, 0 is free
}

// firstSlots is the size of a new table: many hold few keys.
const firstSlots = 16

// An array pays while it is no larger than hash slots for the same keys would
// be, which are two to three for each key, of 16 bytes against 4. Small arrays
// stay in the cache and pay earlier: when so many rows were seen that making
// them does not count.
const (
	directPerKey = 8
	directSmall  = 1 << 20
	directPerRow = 64
)

func newIntTable(hashed bool) *intTable {
	t := &intTable{hashed: hashed}
	t.restart()
	return t
}

// restart forgets all keys and keeps the memory.
func (t *intTable) restart() {
	clear(t.slots)
	clear(t.direct)
	t.byID = t.byID[:0]
	t.n, t.null, t.asked, t.check = 0, 0, 0, 0
	t.lower, t.upper = math.MaxInt64, math.MinInt64
	if t.slots == nil && t.direct == nil {
		t.slots = make([]intSlot, firstSlots)
	}
}

func (t *intTable) memory() int64 {
	return int64(len(t.slots))*16 + int64(len(t.direct))*4 + int64(cap(t.byID))*8
}

// growth is by how much a table of so many slots grows: small ones fast, large
// ones with less memory to spare.
func growth(slots int) int {
	if slots < 1<<16 {
		return 4
	}
	return 2
}

// within says that all keys are from lower to upper.
func (t *intTable) within(lower, upper int64) { t.lower, t.upper = lower, upper }

// number puts the numbers of lane's rows into ids.
func (t *intTable) number(lane []int64, rows []int32, ids []int32, add bool) {
	if add {
		t.expect(lane, rows)
	}
	ids = ids[:len(rows)]
	if t.direct == nil {
		for i, r := range rows {
			ids[i] = t.find(lane[r], add)
		}
		return
	}
	direct, base := t.direct, t.base
	if !add {
		for i, r := range rows {
			id := int32(0)
			if k := uint64(lane[r] - base); k < uint64(len(direct)) {
				id = direct[k]
			}
			ids[i] = id - 1
		}
		return
	}
	n, byID := int32(t.n), t.byID
	if t.listed {
		byID = room(byID, len(rows))
	}
	for i, r := range rows {
		at := &direct[lane[r]-base]
		id := *at
		if id == 0 {
			n++
			id = n
			*at = id
			if t.listed {
				byID = append(byID, lane[r])
			}
		}
		ids[i] = id - 1
	}
	t.n, t.byID = int(n), byID
}

// expect prepares for keys that are about to be added.
func (t *intTable) expect(lane []int64, rows []int32) {
	if t.hashed || len(rows) == 0 {
		return
	}
	lower, upper := t.lower, t.upper
	for _, r := range rows {
		v := lane[r]
		lower, upper = min(lower, v), max(upper, v)
	}
	t.lower, t.upper = lower, upper
	t.asked += int64(len(rows))
	switch {
	case t.direct != nil:
		if n := uint64(len(t.direct)); uint64(lower-t.base) >= n || uint64(upper-t.base) >= n {
			t.stretch()
		}
	case t.asked >= t.check:
		t.check = 2 * t.asked
		if t.compact() {
			t.toDirect()
		}
	}
}

// compact reports whether an array of all keys from lower to upper pays.
func (t *intTable) compact() bool { return uint64(t.upper)-uint64(t.lower) < t.most() }

// most is the greatest length of an array that pays.
func (t *intTable) most() uint64 {
	return max(uint64(t.n+1)*directPerKey, min(directSmall, uint64(t.asked)*directPerRow))
}

// stretch makes the array reach from lower to upper, or gives it up.
func (t *intTable) stretch() {
	if !t.compact() {
		t.toSlots()
		return
	}
	old, from := t.direct, t.base
	span := uint64(t.upper) - uint64(t.lower) + 1
	size := max(span, min(2*span, t.most()))  // keys that grow do not make it grow each time
	if spare := size - span; t.lower < from { // most of it where the keys went
		t.base = t.lower - int64(spare-spare/4)
	} else {
		t.base = t.lower - int64(spare/4)
	}
	t.direct = make([]int32, size)
	for k, id := range old {
		if id != 0 {
			t.direct[from+int64(k)-t.base] = id
		}
	}
}

func (t *intTable) toDirect() {
	t.base = t.lower
	t.direct = make([]int32, max(firstSlots, uint64(t.upper)-uint64(t.lower)+1))
	for _, s := range t.slots {
		if s.id != 0 {
			t.direct[s.key-t.base] = s.id
		}
	}
	t.slots = nil
}

func (t *intTable) toSlots() {
	size := firstSlots
	for t.n*8 >= size*5 {
		size *= 2
	}
	t.slots = make([]intSlot, size)
	mask := uint64(size - 1)
	for k, id := range t.direct {
		if id == 0 {
			continue
		}
		key := t.base + int64(k)
		i := types.HashUint64(uint64(key)) & mask
		for t.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = intSlot{key, id}
	}
	t.direct = nil
	t.check = 2 * t.asked
}

// one returns the number of a single key.
func (t *intTable) one(v int64, add bool) int32 {
	var id [1]int32
	t.number([]int64{v}, firstRow, id[:], add)
	return id[0]
}

var firstRow = []int32{0}

// find looks a key up in the slots.
func (t *intTable) find(v int64, add bool) int32 {
	mask := uint64(len(t.slots) - 1)
	for i := types.HashUint64(uint64(v)) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.id == 0 {
			if !add {
				return noCode
			}
			t.n++
			s.key, s.id = v, int32(t.n)
			id := s.id - 1
			if t.listed {
				t.byID = append(t.byID, v)
			}
			if t.n*8 > len(t.slots)*5 {
				t.rehash()
			}
			return id
		}
		if s.key == v {
			return s.id - 1
		}
	}
}

func (t *intTable) findNull(add bool) int32 {
	if t.null == 0 && add {
		t.n++
		t.null = int32(t.n)
		if t.listed {
			t.byID = append(t.byID, 0)
		}
	}
	return t.null - 1
}

func (t *intTable) rehash() {
	old := t.slots
	t.slots = make([]intSlot, len(old)*growth(len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := types.HashUint64(uint64(s.key)) & mask
		for t.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// keys returns all keys, by number; what stands for NULL is not set.
func (t *intTable) keys() []int64 {
	if t.listed {
		return t.byID
	}
	out := make([]int64, t.n)
	for _, s := range t.slots {
		if s.id != 0 {
			out[s.id-1] = s.key
		}
	}
	for k, id := range t.direct {
		if id != 0 {
			out[id-1] = t.base + int64(k)
		}
	}
	return out
}
