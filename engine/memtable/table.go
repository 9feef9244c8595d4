// Package memtable holds the recent versions of one store in memory.
//
// A Table is a sorted map from key bytes to a chain of versions, newest first.
// One goroutine writes (the apply path, or the owner of private writes) while
// any number of goroutines read without locks and without waiting: everything
// a reader follows is immutable or published by an atomic store.
//
// Keys live in two lanes. The append lane is a dense array that keys join
// while they arrive in order. The random lane takes the others, by way of an
// inbox of few keys, into a hash, which finds one of them, and into leaves, each
// of a range of keys, which a scan that comes by puts in order for itself. Keys,
// rows and versions live in slabs of words and refer to each other by offset, so
// that the garbage collector has nothing to follow.
//
// The memory of a row is freed with the table. Versions are never removed,
// except by Undo, which a transaction uses to roll its private writes back.
package memtable

import (
	"bytes"
	"encoding/binary"
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
	last    last   // the greatest of all keys; writer only
	lead    byte   // the first byte of the first key; set before anything is published
	newTS   uint64 // what maxTS says; writer only
	keys    int64  // put so far; writer only
	counted int64  // of the arena's bytes, what Bytes says; writer only
	arena   arena
	lane    appendLane
	random  randomLane
	few     *fewBits // of the append lane's keys while they are few and there are others; writer only
	pending []slot   // keys out of order while the table is loaded; nil when it is not

	bytes      atomic.Int64
	rewrites   atomic.Int64 // versions beyond the first of each key; less those undone
	tombstones atomic.Int64
	minTS      atomic.Uint64
	maxTS      atomic.Uint64
}

// New returns an empty table for a transaction's own writes.
func New() *Table { return &Table{} }

// NewIn returns an empty table for committed versions, each of which has a
// greater timestamp than those of its key before it. The table takes its memory
// from a reserve, which may be nil. It has no Undo.
func NewIn(r *Reserve) *Table {
	t := New()
	t.arena.reserve, t.random.reserve, t.random.defers = r, r, true
	return t
}

// inLane returns the place and the record of a key among the first n of the
// append lane, no record if there is none.
func (t *Table) inLane(n uint32, prefix uint64, key []byte) (place uint32, record uint64) {
	if place = t.lane.search(t, n, prefix, key); place < n {
		if s := t.lane.slot(t, place); s.prefix == prefix && t.compare(s, prefix, key) == 0 {
			return place, s.ref
		}
	}
	return place, 0
}

// Put adds a version of key that is newer than all its others and returns the
// key's record for Undo. Only the table's one writer may call it.
func (t *Table) Put(key []byte, ts uint64, flags Flags, data []byte) uint64 {
	if ts > t.newTS {
		t.newTS = ts | maxTSStep
		t.maxTS.Store(t.newTS)
	}
	if flags&Tombstone != 0 {
		t.tombstones.Add(1)
	}
	p := t.prefix(key)
	// The greatest key is always in the append lane: what is greater is new.
	if p > t.last.prefix || t.keys == 0 || p == t.last.prefix && t.last.below(key) {
		if t.keys == 0 {
			p = t.begin(key, ts)
		}
		record, kept := t.put(0, ts, flags, key, data)
		t.last.prefix, t.last.key = p, kept
		t.count()
		t.lane.append(slot{p, record})
		if t.few != nil {
			t.noteFew(tagOf(p, key))
		}
		return record
	}
	return t.putRandom(slot{prefix: p}, key, ts, flags, data)
}

// last is the greatest key of a table.
type last struct {
	prefix uint64
	key    []byte // in the arena
	alike  int    // the bytes that the key above it had in common with the one before, in steps of eight
}

// below reports whether a key with the same prefix is above the last one. Keys
// that come in order mostly differ where those before them did.
func (l *last) below(key []byte) bool {
	i := 0
	if n := l.alike; n <= len(key) && n <= len(l.key) && string(key[:n]) == string(l.key[:n]) {
		i = n
	}
	for ; i+8 <= len(key) && i+8 <= len(l.key); i += 8 {
		a, b := binary.BigEndian.Uint64(key[i:]), binary.BigEndian.Uint64(l.key[i:])
		if a != b {
			l.alike = i
			return a > b
		}
	}
	return bytes.Compare(key[i:], l.key[i:]) > 0
}

// maxTSStep makes the largest timestamp that Bounds tells a rounded one, so
// that it is published once in so many commits.
const maxTSStep = 63

// begin sets what the first key decides, and returns its prefix.
func (t *Table) begin(key []byte, ts uint64) uint64 {
	if len(key) > 0 {
		t.lead = key[0]
	}
	t.minTS.Store(ts)
	return t.prefix(key)
}

// putRandom puts a key that is not above all others.
func (t *Table) putRandom(s slot, key []byte, ts uint64, flags Flags, data []byte) uint64 {
	if t.pending != nil {
		s.ref, _ = t.put(0, ts, flags, key, data)
		t.pending = append(t.pending, s)
		t.count()
		return s.ref
	}
	tag := tagOf(s.prefix, key)
	record := t.random.has(t, key, tag)
	if record == 0 && t.mayBeInLane(tag) {
		var place uint32
		if place, record = t.inLane(t.lane.n, s.prefix, key); record != 0 {
			t.lane.rewrote(place, ts)
		}
	}
	if record != 0 {
		t.addVersion(record, ts, flags, data)
		t.rewrites.Add(1)
		if t.arena.bytes != t.counted {
			t.recount()
		}
		return record
	}
	s.ref, _ = t.put(0, ts, flags, key, data)
	t.random.insert(t, s, tag)
	t.count()
	return s.ref
}

// fewInLane keys are in the append lane of most tables whose keys come at random.
const fewInLane = 512

// fewBits has a bit for each of few keys: of other keys one in 32 has the same.
type fewBits [32 * fewInLane / 64]uint64

func (b *fewBits) set(tag uint64)      { b[tag/64%uint64(len(b))] |= 1 << (tag % 64) }
func (b *fewBits) has(tag uint64) bool { return b[tag/64%uint64(len(b))]&(1<<(tag%64)) != 0 }

// mayBeInLane reports whether the append lane can have a key with a tag. The
// writer asks for every key at random, and the lane's keys lie far apart.
func (t *Table) mayBeInLane(tag uint64) bool {
	if t.few == nil {
		if t.lane.n > fewInLane {
			return true
		}
		t.few = new(fewBits)
		for i := range t.lane.n {
			s := t.lane.slot(t, i)
			t.few.set(tagOf(s.prefix, t.key(s.ref)))
		}
	}
	return t.few.has(tag)
}

// noteFew adds the tag of a key that has joined the append lane.
func (t *Table) noteFew(tag uint64) {
	if t.few.set(tag); t.lane.n > fewInLane {
		t.few = nil
	}
}

// count counts a new key.
func (t *Table) count() {
	if t.keys++; t.keys%sizeStep == 0 || t.arena.bytes != t.counted {
		t.recount()
	}
}

// recount brings Bytes up to date.
func (t *Table) recount() {
	t.counted = t.arena.bytes
	t.bytes.Store(t.arena.bytes + t.keys/sizeStep*sizeStep*laneBytes + int64(t.random.n)/sizeStep*sizeStep*leafBytes)
}

// What keys take beside the arena is an average, so that a simulation repeats itself.
const (
	sizeStep  = 64 // the number of keys after which Bytes is brought up to date
	laneBytes = 8  // an offset in the append lane, with what is not filled yet
	leafBytes = 76 // in the random lane: the hash, and leaves, also those that have been split
)

// Get returns the newest version of key at or below ts. Tombstones count.
func (t *Table) Get(key []byte, ts uint64) (Version, bool) {
	n := t.lane.length()
	if n == 0 { // then nothing is in the other lane either
		return Version{}, false
	}
	prefix := t.prefix(key)
	if t.random.length() > 0 {
		if v, ok, record := t.random.get(t, key, tagOf(prefix, key), ts); record != 0 {
			return v, ok
		}
	}
	if _, record := t.inLane(n, prefix, key); record != 0 {
		return t.visible(record, ts)
	}
	return Version{}, false
}

// Undo removes the newest version of the record that Put returned, of a table
// that New made. Only the table's one writer may call it, in the reverse order of its Puts.
func (t *Table) Undo(record uint64) {
	ref := t.newest(record)
	w := t.arena.at(ref)
	publish64(t.link(record), older(record, ref, w))
	t.rewrites.Add(-1)
	if decode(w).Deleted() {
		t.tombstones.Add(-1)
	}
}

// Empty reports whether no key was ever put.
func (t *Table) Empty() bool { return t.lane.length() == 0 }

// Ordered reports whether keys only ever came in ascending order.
func (t *Table) Ordered() bool { return t.random.length() == 0 }

// Bytes returns the memory that the table holds.
func (t *Table) Bytes() int64 { return t.bytes.Load() }

// Keys returns the number of distinct keys. In a table that NewIn made a few
// dozen, which came last and at random, may count twice.
func (t *Table) Keys() int64 { return int64(t.lane.length()) + t.random.length() }

// Versions returns the number of versions, and how many of them are tombstones.
func (t *Table) Versions() (all, tombstones int64) {
	return t.Keys() + t.rewrites.Load(), t.tombstones.Load()
}

// Bounds returns the smallest timestamp of any version and an upper bound of
// the largest.
func (t *Table) Bounds() (minTS, maxTS uint64) { return t.minTS.Load(), t.maxTS.Load() }
