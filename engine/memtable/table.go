// Package memtable holds the recent versions of one store in memory.
//
// A Table is a sorted map from key bytes to a chain of versions, newest first.
// One goroutine writes (the apply path, or the owner of private writes) while
// any number of goroutines read without locks and without waiting: everything
// a reader follows is immutable or published by an atomic store.
//
// Keys live in two lanes. The append lane is a dense array that keys join
// while they arrive in order; the random lane takes the others, in leaves of a
// sorted part, replaced as a whole, and a short unsorted tail that grows in
// place. Keys, rows and versions live in byte slabs and refer to each other by
// offset, so that the garbage collector has nothing to follow.
//
// The memory of a row is freed with the table. Versions are never removed,
// except by Undo, which a transaction uses to roll its private writes back.
package memtable

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"sync/atomic"
)

// Flags describe a version.
type Flags uint8

// The version flags.
const (
	Tombstone Flags = 1 << 0 // the key is deleted; Data is the successor key, if any
	Inserted  Flags = 1 << 1 // written by an insert: not the successor of an older version
	Fresh     Flags = 1 << 2 // private writes only: no committed row existed under the oldest own version
)

// Version is one version of a key. Its bytes belong to the table.
type Version struct {
	TS    uint64
	Flags Flags
	Data  []byte // the encoded Row, or the successor key of a tombstone
}

// Deleted reports whether the version is a tombstone.
func (v Version) Deleted() bool { return v.Flags&Tombstone != 0 }

// Table is the sorted map. The zero value is not ready; use New.
type Table struct {
	arena  arena
	chunks [chunkCount][]node // chunk k holds nodes of ids [8<<k - 8, 16<<k - 8)
	nodes  uint32             // ids handed out; writer only
	lead   byte               // the first byte of the first key; set before anything is published
	last   slot               // the greatest of all keys; writer only
	lane   appendLane
	random randomLane

	pending []slot // keys out of order while the table is loaded; nil when it is not

	bytes      atomic.Int64
	shuffled   atomic.Int64 // keys in the random lane
	rewrites   atomic.Int64 // versions beyond the first of each key; less those undone
	tombstones atomic.Int64
	minTS      atomic.Uint64
	maxTS      atomic.Uint64
}

const (
	firstChunk = 8
	chunkCount = 29
)

// node is a key with its chain of versions.
type node struct {
	head   atomic.Uint64 // arena reference of the newest version + 1; 0 is none
	key    uint64
	keyLen uint32
}

// slot places a node in a lane. The prefix settles most comparisons.
type slot struct {
	prefix uint64
	id     uint32
}

// New returns an empty table.
func New() *Table { return &Table{} }

// chunkOf returns the chunk of an id and the place in it; chunks double in size.
func chunkOf(id uint32) (chunk int, at uint32) {
	n := id + firstChunk
	k := bits.Len32(n) - 4
	return k, n - firstChunk<<k
}

func (t *Table) node(id uint32) *node {
	k, at := chunkOf(id)
	return &t.chunks[k][at]
}

func (t *Table) nodeKey(n *node) []byte { return t.arena.at(n.key)[:n.keyLen:n.keyLen] }

// Prefix returns the first eight bytes of a key as a number that orders like the key.
func Prefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

func (t *Table) compare(s slot, prefix uint64, key []byte) int {
	if s.prefix != prefix {
		if s.prefix < prefix {
			return -1
		}
		return 1
	}
	return bytes.Compare(t.nodeKey(t.node(s.id)), key)
}

// prefix returns the number by which a key is placed: the eight bytes behind
// the first, which is a mark of the kind of value and the same in most keys.
// It orders like the key; keys of another kind share the least or the greatest.
func (t *Table) prefix(key []byte) uint64 {
	if len(key) == 0 || key[0] < t.lead {
		return 0
	}
	if key[0] > t.lead {
		return math.MaxUint64
	}
	return Prefix(key[1:])
}

// find returns the node of a key, or nil.
func (t *Table) find(key []byte) (*node, uint32) {
	n := t.lane.len.Load()
	if n == 0 { // then nothing is in the other lane either
		return nil, 0
	}
	p := t.prefix(key)
	if i := t.lane.search(t, n, p, key); i < n {
		if s := t.lane.at(i); s.prefix == p && t.compare(s, p, key) == 0 {
			return t.node(s.id), s.id
		}
	}
	if s, ok := t.random.find(t, p, key); ok {
		return t.node(s.id), s.id
	}
	return nil, 0
}

// Put adds a version of key that is newer than all its others and returns the
// id of the key's node for Undo. Only the table's one writer may call it.
func (t *Table) Put(key []byte, ts uint64, flags Flags, data []byte) uint32 {
	id, ok := t.place(key, ts, flags, data)
	if !ok {
		n := t.node(id)
		ref, b := t.arena.alloc(versionHeader + len(data))
		putVersion(b, ts, n.head.Load(), flags, data)
		n.head.Store(ref + 1)
		t.rewrites.Add(1)
	}
	if flags&Tombstone != 0 {
		t.tombstones.Add(1)
	}
	if size := t.arena.bytes + int64(t.nodes)/sizeStep*sizeStep*nodeBytes; size != t.bytes.Load() {
		t.bytes.Store(size)
	}
	if ts > t.maxTS.Load() {
		t.maxTS.Store(ts)
	}
	return id
}

// sizeStep is the number of keys after which Bytes is brought up to date.
const sizeStep = 64

func putVersion(b []byte, ts, previous uint64, flags Flags, data []byte) {
	binary.LittleEndian.PutUint64(b, ts)
	binary.LittleEndian.PutUint64(b[8:], previous)
	binary.LittleEndian.PutUint32(b[16:], uint32(len(data)))
	b[20] = byte(flags)
	copy(b[versionHeader:], data)
}

// place links a new key with its first version into a lane. If the key is
// there already it returns its node and false.
func (t *Table) place(key []byte, ts uint64, flags Flags, data []byte) (uint32, bool) {
	if t.nodes == 0 {
		if len(key) > 0 {
			t.lead = key[0]
		}
		t.minTS.Store(ts)
	}
	p := t.prefix(key)
	// The greatest key is always in the append lane: what is greater is new.
	if t.nodes == 0 || t.compare(t.last, p, key) < 0 {
		t.last = slot{prefix: p, id: t.newNode(key, ts, flags, data)}
		t.lane.append(t.last)
		return t.last.id, true
	}
	if t.pending != nil {
		id := t.newNode(key, ts, flags, data)
		t.pending = append(t.pending, slot{prefix: p, id: id})
		return id, true
	}
	n := t.lane.len.Load()
	if i := t.lane.search(t, n, p, key); i < n {
		if s := t.lane.at(i); s.prefix == p && t.compare(s, p, key) == 0 {
			return s.id, false
		}
	}
	d, at := t.random.dir.Load(), 0
	if d != nil {
		at = d.search(t, p, key)
		if s, ok := d.leaves[at].Load().find(t, p, key); ok {
			return s.id, false
		}
	}
	id := t.newNode(key, ts, flags, data)
	t.random.insert(t, d, at, slot{prefix: p, id: id})
	t.shuffled.Add(1)
	return id, true
}

// newNode makes a node for a new key and its first version.
func (t *Table) newNode(key []byte, ts uint64, flags Flags, data []byte) uint32 {
	id := t.nodes
	k, at := chunkOf(id)
	if at == 0 {
		t.chunks[k] = make([]node, firstChunk<<k)
	}
	t.nodes++
	ref, b := t.arena.alloc(len(key) + versionHeader + len(data))
	copy(b, key)
	putVersion(b[len(key):], ts, 0, flags, data)
	n := &t.chunks[k][at]
	n.key, n.keyLen = ref, uint32(len(key))
	n.head.Store(ref + uint64(len(key)) + 1)
	return id
}

const (
	versionHeader = 21 // ts u64, previous u64, length u32, flags u8
	nodeBytes     = 24 + 16
)

// version decodes the version at a head or previous link.
func (t *Table) version(link uint64) (v Version, previous uint64) {
	b := t.arena.at(link - 1)
	v.TS = binary.LittleEndian.Uint64(b)
	v.Flags = Flags(b[20])
	n := versionHeader + int(binary.LittleEndian.Uint32(b[16:]))
	v.Data = b[versionHeader:n:n]
	return v, binary.LittleEndian.Uint64(b[8:])
}

// visible returns the newest version of a node at or below ts.
func (t *Table) visible(n *node, ts uint64) (Version, bool) {
	for link := n.head.Load(); link != 0; {
		b := t.arena.at(link - 1)
		if binary.LittleEndian.Uint64(b) <= ts {
			v, _ := t.version(link)
			return v, true
		}
		link = binary.LittleEndian.Uint64(b[8:])
	}
	return Version{}, false
}

// Get returns the newest version of key at or below ts. Tombstones count.
func (t *Table) Get(key []byte, ts uint64) (Version, bool) {
	n, _ := t.find(key)
	if n == nil {
		return Version{}, false
	}
	return t.visible(n, ts)
}

// Undo removes the newest version of the node that Put returned. Only the
// table's one writer may call it, in the reverse order of its Puts.
func (t *Table) Undo(id uint32) {
	n := t.node(id)
	v, previous := t.version(n.head.Load())
	n.head.Store(previous)
	t.rewrites.Add(-1)
	if v.Deleted() {
		t.tombstones.Add(-1)
	}
}

// Empty reports whether no key was ever put.
func (t *Table) Empty() bool { return t.lane.len.Load() == 0 }

// Ordered reports whether keys only ever came in ascending order.
func (t *Table) Ordered() bool { return t.shuffled.Load() == 0 }

// Bytes returns the memory that the table holds.
func (t *Table) Bytes() int64 { return t.bytes.Load() }

// Keys returns the number of distinct keys.
func (t *Table) Keys() int64 { return int64(t.lane.len.Load()) + t.shuffled.Load() }

// Versions returns the number of versions, and how many of them are tombstones.
func (t *Table) Versions() (all, tombstones int64) {
	return t.Keys() + t.rewrites.Load(), t.tombstones.Load()
}

// Bounds returns the smallest and the largest timestamp of any version.
func (t *Table) Bounds() (minTS, maxTS uint64) { return t.minTS.Load(), t.maxTS.Load() }
