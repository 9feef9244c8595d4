package memtable

import (
	"math/bits"
	"sync/atomic"
)

// appendLane lists the records of keys that came in order, in chunks that
// double in size and never move. The published length is what readers may see.
// Of every laneGroup records the first is a sample: its reference, from which
// the others of the group count, and its prefix, so that a search touches few
// cache lines. A record takes four bytes here and half a byte of the sample.
type appendLane struct {
	len    uint32 // published
	n      uint32 // the same; writer only
	first  uint32 // place of the last chunk's first record; writer only
	chunk  *laneChunk
	base   uint64 // reference of the last sample; writer only
	chunks [chunkCount]*laneChunk

	// The first chunk, so that a table of few rows is one piece of memory.
	few        laneChunk
	fewOffsets [firstChunk]int32
	fewSamples [1]slot
}

type laneChunk struct {
	samples []slot
	offsets []int32 // words from the group's sample
	zones   laneZones
}

const (
	firstChunk = laneGroup
	chunkShift = 5 // bits in firstChunk
	chunkCount = 32 - chunkShift + 1
)

// laneGroup records are two cache lines of offsets at most.
const laneGroup = 16

// chunkOf returns the chunk of a place and the place in it; chunks double in size.
func chunkOf(i uint32) (chunk int, at uint32) {
	n := uint64(i) + firstChunk
	k := bits.Len64(n) - chunkShift
	return k, uint32(n - firstChunk<<k)
}

// length returns how many records a reader sees.
func (l *appendLane) length() uint32 { return atomic.LoadUint32(&l.len) }

// at returns the record at a place.
func (l *appendLane) at(i uint32) uint64 {
	k, at := chunkOf(i)
	c := l.chunks[k]
	return c.samples[at/laneGroup].ref + uint64(int64(c.offsets[at]))
}

// slot returns the record at a place with its prefix.
func (l *appendLane) slot(t *Table, i uint32) slot {
	ref := l.at(i)
	return slot{t.prefix(t.key(ref)), ref}
}

// sample returns the first record of a group.
func (l *appendLane) sample(group uint32) slot {
	k, at := chunkOf(group * laneGroup)
	return l.chunks[k].samples[at/laneGroup]
}

// append adds the record of a key above all others.
func (l *appendLane) append(s slot) {
	n := l.n
	at := n - l.first
	if l.chunk == nil || int(at) >= len(l.chunk.offsets) {
		at = l.grow()
	}
	if at%laneGroup == 0 {
		l.base = s.ref
		l.chunk.samples[at/laneGroup] = s
	}
	off := int32(s.ref - l.base)
	if l.base+uint64(int64(off)) != s.ref {
		panic("memtable: rows of 16 GB") // no commit record can hold them
	}
	l.chunk.offsets[at] = off
	l.n = n + 1
	publish32(&l.len, n+1)
}

// grow adds a chunk and returns the place of the next record in it.
func (l *appendLane) grow() uint32 {
	k, at := chunkOf(l.n)
	if k == 0 {
		l.few = laneChunk{samples: l.fewSamples[:], offsets: l.fewOffsets[:]}
		l.chunk = &l.few
	} else {
		n := firstChunk << k
		l.chunk = &laneChunk{make([]slot, n/laneGroup), make([]int32, n), newLaneZones(n)}
	}
	l.chunks[k], l.first = l.chunk, l.n
	return at
}

// search returns the first of the n records whose key is not below key.
func (l *appendLane) search(t *Table, n uint32, prefix uint64, key []byte) uint32 {
	if n == 0 || l.chunks[0].samples[0].prefix > prefix {
		return 0
	}
	groups := (n + laneGroup - 1) / laneGroup
	lo, hi := uint32(0), groups
	for lo < hi { // samples below the key
		if m := (lo + hi) / 2; t.compare(l.sample(m), prefix, key) < 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == 0 {
		return 0
	}
	lo, hi = lo*laneGroup-laneGroup+1, min(lo*laneGroup, n)
	for lo < hi {
		if m := (lo + hi) / 2; t.compare(l.slot(t, m), prefix, key) < 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// seek returns the first place from from on whose record is not below s: it gallops.
func (l *appendLane) seek(t *Table, from, n uint32, s slot) uint32 {
	lo, hi := from, from
	for step := uint32(1); hi < n && t.less(l.slot(t, hi), s); step *= 2 {
		lo, hi = hi+1, hi+step
	}
	for hi = min(hi, n); lo < hi; {
		if m := (lo + hi) / 2; t.less(l.slot(t, m), s) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
