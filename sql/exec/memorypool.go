package exec

import (
	"runtime"
	"sync/atomic"

	"github.com/omendb/omendb/sql/pgerr"
)

// MemoryPool bounds what all statements of a server hold together. A statement takes from it in pieces as it grows beyond
// freeMemory, and gives back what it took when it ends.
type MemoryPool struct {
	limit int64
	used  atomic.Int64
	full  atomic.Int64 // statements that ended because there was none left
}

// NewMemoryPool returns a pool of so many bytes; 0: no limit, only counted.
func NewMemoryPool(limit int64) *MemoryPool { return &MemoryPool{limit: limit} }

// Limit returns how much there is, Used how much is taken, and Refused how many statements wanted more than there was.
func (p *MemoryPool) Limit() int64 { return p.limit }

// Used returns how many bytes statements have taken.
func (p *MemoryPool) Used() int64 { return p.used.Load() }

// Refused returns how many statements ended because there was nothing left.
func (p *MemoryPool) Refused() int64 { return p.full.Load() }

const (
	freeMemory = 256 << 10 // what a statement may hold without asking the pool
	poolPiece  = 256 << 10 // what is taken at a time, so that short growth costs no atomic operation
)

// A pool is short when less than a quarter is left; each statement then spills what is beyond an eighth of the rest.
const (
	poolReserve = 4
	poolShare   = 8
	leastMemory = 256 << 10 // an operator that has so little writes tiny files
)

func (p *MemoryPool) take(n int64) bool {
	if used := p.used.Add(n); p.limit > 0 && used > p.limit {
		p.used.Add(-n)
		p.full.Add(1)
		return false
	}
	return true
}

// bounded is limit, the memory of one operator, or less while the pool is short.
func (p *MemoryPool) bounded(limit int64) int64 {
	if p == nil || p.limit <= 0 {
		return limit
	}
	left := p.limit - p.used.Load()
	if left >= p.limit/poolReserve {
		return limit
	}
	return min(limit, max(left/poolShare, leastMemory))
}

// memoryShare is what one execution has taken from the pool.
type memoryShare struct {
	pool  *MemoryPool
	taken *atomic.Int64
}

// account notes that the statement holds so many bytes more or less, and takes them from the pool or gives them back.
func (rt *Runtime) account(grown int64) error {
	rt.held += grown
	s := rt.share
	if s == nil {
		if rt.held <= freeMemory || rt.Pool == nil {
			return nil
		}
		s = &memoryShare{pool: rt.Pool, taken: &atomic.Int64{}}
		rt.share = s
		pool := rt.Pool // what nobody releases, as after a bug of ours that ended the statement, comes back with the garbage
		runtime.AddCleanup(s, func(taken *atomic.Int64) { pool.used.Add(-taken.Swap(0)) }, s.taken)
	}
	taken := s.taken.Load()
	switch want := max(rt.held-freeMemory, 0); {
	case want > taken:
		n := (want - taken + poolPiece - 1) / poolPiece * poolPiece
		if !s.pool.take(n) {
			return pgerr.New(pgerr.OutOfMemory, "out of memory").
				WithDetail("Failed on request of size %d: the statements of the server may use %d bytes together.", grown, s.pool.limit)
		}
		s.taken.Add(n)
	case taken-want > 4*poolPiece:
		n := taken - want - poolPiece
		s.taken.Add(-n)
		s.pool.used.Add(-n)
	}
	return nil
}

// Release gives back what the statement has taken from the server's memory; it has ended.
func (rt *Runtime) Release() {
	rt.held = 0
	if rt.share != nil {
		rt.share.pool.used.Add(-rt.share.taken.Swap(0))
	}
}
