package memtable

import "sync"

// Reserve has slabs ready for tables that grow. The kernel clears memory when
// it is first written to, which takes longer than to put rows into it; a
// background task has it do so ahead of the one who writes.
type Reserve struct {
	run func(func()) // starts a task

	mu      sync.Mutex
	ready   [][]uint64
	rest    []uint64 // of one that smaller pieces are taken from
	filling bool
}

// pieceWords are what a table must ask for to get it from a reserve: small
// tables, of which there may be hundreds, cost it nothing.
const pieceWords = 1 << 15

// reserved slabs bridge the time in which the next one is made: at the pace at
// which one goroutine can write, a slab is full in some ten milliseconds.
const reserved = 3

// NewReserve returns an empty reserve, which starts tasks by run. It is filled
// once somebody has asked for a slab, so that an idle database has none.
func NewReserve(run func(func())) *Reserve { return &Reserve{run: run} }

// slab returns n words that are zero.
func (r *Reserve) slab(n int) []uint64 {
	if r == nil || n < pieceWords || n > maxSlab {
		return newSlab(n)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n == maxSlab {
		return r.take()
	}
	if len(r.rest) < n {
		r.rest = r.take()
	}
	words := r.rest[:n:n]
	r.rest = r.rest[n:]
	return words
}

// take returns a slab, and has others made. The caller holds the mutex.
func (r *Reserve) take() (words []uint64) {
	if !r.filling {
		r.filling = true
		r.run(r.fill)
	}
	last := len(r.ready) - 1
	if last < 0 {
		return newSlab(maxSlab)
	}
	words, r.ready[last] = r.ready[last], nil
	r.ready = r.ready[:last]
	return words
}

// fill makes slabs until enough are ready.
func (r *Reserve) fill() {
	for {
		words := newSlab(maxSlab)
		for i := 0; i < len(words); i += pageWords {
			words[i] = 0 // a write, so that the page is there
		}
		r.mu.Lock()
		r.ready = append(r.ready, words)
		r.filling = len(r.ready) < reserved
		again := r.filling
		r.mu.Unlock()
		if !again {
			return
		}
	}
}

// pageWords are in a page of the kernel's.
const pageWords = 4096 / 8
