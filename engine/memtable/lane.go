package memtable

import (
	"math/bits"
	"sync/atomic"
)

// appendLane is a dense sorted array of slots, in chunks that double in size
// and never move. The published length is what readers may see. Beside it
// stands every sampleEvery-th prefix, so that a search touches few cache lines.
type appendLane struct {
	len     atomic.Uint32
	n       uint32 // the same; writer only
	first   uint32 // place of the last chunk's first slot; writer only
	chunk   []slot // the last chunk; writer only
	chunks  [chunkCount][]slot
	samples [chunkCount][]uint64
}

const (
	firstChunk = 8
	chunkCount = 29
)

// sampleEvery slots are two or three levels of a binary search within eight cache lines.
const sampleEvery = 32

// chunkOf returns the chunk of a place and the place in it; chunks double in size.
func chunkOf(i uint32) (chunk int, at uint32) {
	n := i + firstChunk
	k := bits.Len32(n) - 4
	return k, n - firstChunk<<k
}

func (l *appendLane) at(i uint32) slot {
	k, at := chunkOf(i)
	return l.chunks[k][at]
}

func (l *appendLane) sample(i uint32) uint64 {
	k, at := chunkOf(i)
	return l.samples[k][at]
}

// append adds the slot of a key above all others.
func (l *appendLane) append(s slot) {
	n := l.n
	at := n - l.first
	if int(at) >= len(l.chunk) {
		at = l.grow()
	}
	l.chunk[at] = s
	if n%sampleEvery == 0 {
		l.addSample(s.prefix)
	}
	l.n = n + 1
	l.len.Store(n + 1)
}

// grow adds a chunk and returns the place of the next slot in it.
func (l *appendLane) grow() uint32 {
	k, at := chunkOf(l.n)
	l.chunk = make([]slot, firstChunk<<k)
	l.chunks[k], l.first = l.chunk, l.n
	return at
}

func (l *appendLane) addSample(prefix uint64) {
	k, at := chunkOf(l.n / sampleEvery)
	if at == 0 {
		l.samples[k] = make([]uint64, firstChunk<<k)
	}
	l.samples[k][at] = prefix
}

// search returns the first of the n slots whose key is not below key.
func (l *appendLane) search(t *Table, n uint32, prefix uint64, key []byte) uint32 {
	if n == 0 || l.chunks[0][0].prefix > prefix {
		return 0
	}
	lo, hi := uint32(0), (n+sampleEvery-1)/sampleEvery
	below := uint32(0) // samples below prefix
	for lo < hi {
		if m := (lo + hi) / 2; l.sample(m) < prefix {
			lo = m + 1
		} else {
			hi = m
		}
	}
	below = lo
	for hi = (n + sampleEvery - 1) / sampleEvery; lo < hi; { // and those not above it
		if m := (lo + hi) / 2; l.sample(m) <= prefix {
			lo = m + 1
		} else {
			hi = m
		}
	}
	lo, hi = max(below, 1)*sampleEvery-sampleEvery, min(lo*sampleEvery, n)
	for lo < hi {
		mid := (lo + hi) / 2
		if t.compare(l.at(mid), prefix, key) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// seek returns the first slot from from on that is not below s: it gallops.
func (l *appendLane) seek(t *Table, from, n uint32, s slot) uint32 {
	lo, hi := from, from
	for step := uint32(1); hi < n && t.less(l.at(hi), s); step *= 2 {
		lo, hi = hi+1, hi+step
	}
	for hi = min(hi, n); lo < hi; {
		if m := (lo + hi) / 2; t.less(l.at(m), s) {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
