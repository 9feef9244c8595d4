package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// groupTable numbers distinct keys densely from 0, in order of appearance. A
// single integer key is compared as such; other keys as encoded bytes.
type groupTable struct {
	keys    *keyColumns
	single  bool    // one Int column
	slots   []int32 // number+1, 0 is free; length a power of two
	hashes  []uint64
	ints    []int64
	null    int32 // single: number+1 of the NULL key
	entries keyArena
	n       int
	buf     []byte
}

func (st *state) newGroupTable(keyTypes []plan.Type) (*groupTable, error) {
	t := &groupTable{slots: make([]int32, 64)}
	var err error
	if t.keys, err = st.keyColumns(keyTypes); err != nil {
		return nil, err
	}
	if len(keyTypes) == 1 && !st.rt.Knobs.RowAtATime {
		kind, exact := st.env.KeyKind(st.baseType(keyTypes[0].OID), keyTypes[0].Collation)
		t.single = kind == column.Int && exact && st.env.Kind(keyTypes[0].OID) == column.Int
	}
	return t, nil
}

// restart forgets all keys and keeps the memory.
func (t *groupTable) restart() {
	clear(t.slots)
	t.hashes, t.ints, t.null, t.n = t.hashes[:0], t.ints[:0], 0, 0
	t.entries = keyArena{bytes: t.entries.bytes[:0], ends: t.entries.ends[:0]}
}

// memory estimates the bytes held.
func (t *groupTable) memory() int64 {
	return int64(len(t.slots))*4 + int64(cap(t.hashes)+cap(t.ints)+cap(t.entries.ends))*8 + int64(cap(t.entries.bytes))
}

// find returns the number of row r's key; with add, unknown keys get the next
// number, else they are -1. fresh tells that the key is new.
func (t *groupTable) find(vecs []*column.Vec, r int32, add bool) (id int32, fresh bool) {
	if t.single {
		v := vecs[0]
		i := int(r)
		if i >= len(v.I) {
			i = 0
		}
		if len(v.Nulls) > 0 && v.Null(i) {
			return t.findNull(add)
		}
		return t.findInt(v.I[i], add)
	}
	t.buf = t.keys.of(vecs, r, t.buf[:0])
	return t.findBytes(t.buf, types.HashBytes(t.buf), add)
}

func (t *groupTable) findNull(add bool) (int32, bool) {
	if t.null == 0 {
		if !add {
			return -1, false
		}
		t.ints = append(t.ints, 0)
		t.hashes = append(t.hashes, 0)
		t.n++
		t.null = int32(t.n)
		return t.null - 1, true
	}
	return t.null - 1, false
}

func (t *groupTable) findInt(v int64, add bool) (int32, bool) {
	h := types.HashUint64(uint64(v))
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			if !add {
				return -1, false
			}
			t.ints = append(t.ints, v)
			return t.insert(i, h), true
		}
		if t.ints[s-1] == v {
			return s - 1, false
		}
	}
}

func (t *groupTable) findBytes(key []byte, h uint64, add bool) (int32, bool) {
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			if !add {
				return -1, false
			}
			t.entries.bytes = append(t.entries.bytes, key...)
			t.entries.ends = append(t.entries.ends, len(t.entries.bytes))
			return t.insert(i, h), true
		}
		if t.hashes[s-1] == h && string(t.entries.get(s-1)) == string(key) {
			return s - 1, false
		}
	}
}

// insert puts the next number into slot i and grows the table when it is 5/8 full.
func (t *groupTable) insert(i, h uint64) int32 {
	t.n++
	t.hashes = append(t.hashes, h)
	t.slots[i] = int32(t.n)
	if t.n*8 > len(t.slots)*5 {
		t.rehash()
	}
	return int32(t.n - 1)
}

func (t *groupTable) rehash() {
	t.slots = make([]int32, len(t.slots)*4)
	mask := uint64(len(t.slots) - 1)
	for id, h := range t.hashes {
		if t.null == int32(id+1) {
			continue
		}
		i := h & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = int32(id + 1)
	}
}

// distinctSet remembers rows and tells which are new.
type distinctSet struct {
	st    *state
	table *groupTable
	vecs  []*column.Vec
	held  int64
}

func (st *state) newDistinctSet(ts []plan.Type) (*distinctSet, error) {
	t, err := st.newGroupTable(ts)
	return &distinctSet{st: st, table: t, vecs: make([]*column.Vec, len(ts))}, err
}

// add appends to sel the rows of b that were not seen before.
func (s *distinctSet) add(b *column.Batch, sel []int32) ([]int32, error) {
	for i := range s.vecs {
		s.vecs[i] = &b.Cols[i]
	}
	for _, r := range selected(b, b.Sel) {
		if _, fresh := s.table.find(s.vecs, r, true); fresh {
			sel = append(sel, r)
		}
	}
	held := s.table.memory()
	err := s.st.grow(held - s.held)
	s.held = held
	return sel, err
}

func (s *distinctSet) close() {
	s.st.shrink(s.held)
	s.held = 0
}
