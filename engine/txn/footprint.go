package txn

import (
	"bytes"
	"math/bits"
	"slices"
)

// Bounds of what is remembered about serializable transactions.
const (
	// maxIntervals is how many ranges one transaction has in one store before
	// neighbours are joined. PostgreSQL goes from rows over pages to the whole
	// table at 2 rows a page and 32 pages a table; we can afford to stay exact
	// for longer.
	maxIntervals = 1024
	// maxJoins is how often neighbours are joined before a transaction has
	// simply read or written the whole store: by then it has touched some
	// maxJoins times maxIntervals/2 places there.
	maxJoins = 32
	// maxRemembered is how many ranges all transactions together have, about 50 MB
	// of them; beyond it, committed transactions are summarised.
	maxRemembered = 1 << 18
	// maxFinished is how many committed transactions are told apart while an
	// older one runs; beyond it they are summarised. PostgreSQL has ten for each connection.
	maxFinished = 1000
)

// footprint is what one transaction has read, or written, in one store.
type footprint struct {
	nodes []*interval
	joins int
}

// whole reports whether the footprint is the whole store.
func (f *footprint) whole() bool {
	return len(f.nodes) == 1 && len(f.nodes[0].lower) == 0 && f.nodes[0].upper == nil
}

// ground holds the reads and writes of all transactions in one store.
type ground struct {
	reads, writes intervals
}

// side tells reads and writes apart.
type side uint8

const (
	reading side = iota
	writing
)

func (g *ground) of(w side) *intervals {
	if w == reading {
		return &g.reads
	}
	return &g.writes
}

// footprint returns what a transaction did in a store.
func (x *Serializable) footprint(w side, store uint64) *footprint {
	f := x.prints[w][store]
	if f == nil {
		f = &footprint{}
		if x.prints[w] == nil {
			x.prints[w] = make(map[uint64]*footprint)
		}
		x.prints[w][store] = f
	}
	return f
}

func (s *Serial) ground(store uint64) *ground {
	g := s.grounds[store]
	if g == nil {
		g = &ground{}
		s.grounds[store] = g
	}
	return g
}

// hold adds [lower, upper) to a transaction's footprint. The bytes are kept.
func (s *Serial) hold(x *Serializable, w side, store uint64, lower, upper []byte, point bool) {
	f := x.footprint(w, store)
	if f.whole() {
		return
	}
	if n, fresh := s.take(x, w, store, lower, upper, point); fresh {
		f.nodes = append(f.nodes, n)
	}
	if len(f.nodes) > s.limits.intervals {
		s.join(x, f, w, store)
	}
	if s.remembered > s.limits.remembered && !s.relieve() {
		s.widen(x, f, w, store)
	}
}

// take makes a transaction a holder of a range and reports whether it was none.
func (s *Serial) take(x *Serializable, w side, store uint64, lower, upper []byte, point bool) (*interval, bool) {
	n := s.ground(store).of(w).add(lower, upper, point)
	if n.heldBy(x) {
		return n, false
	}
	n.holders = append(n.holders, x)
	s.remembered++
	return n, true
}

// let takes a range away from a transaction.
func (s *Serial) let(x *Serializable, w side, store uint64, n *interval) {
	s.remembered--
	if !n.drop(x) {
		return
	}
	g := s.grounds[store]
	g.of(w).remove(n)
	if g.reads.root == nil && g.writes.root == nil {
		delete(s.grounds, store)
	}
}

// forget drops all of a transaction's footprints of one side.
func (s *Serial) forget(x *Serializable, w side) {
	for store, f := range x.prints[w] {
		for _, n := range f.nodes {
			s.let(x, w, store, n)
		}
	}
	x.prints[w] = nil
}

// widen makes a footprint the whole store.
func (s *Serial) widen(x *Serializable, f *footprint, w side, store uint64) {
	s.replace(x, f, w, store, []interval{{}})
}

// replace gives a footprint other ranges.
func (s *Serial) replace(x *Serializable, f *footprint, w side, store uint64, ranges []interval) {
	old, kept := f.nodes, make(map[*interval]bool, len(ranges))
	f.nodes = make([]*interval, 0, len(ranges))
	for _, r := range ranges {
		n, _ := s.take(x, w, store, r.lower, r.upper, r.point)
		kept[n] = true
		f.nodes = append(f.nodes, n)
	}
	for _, n := range old {
		if !kept[n] {
			s.let(x, w, store, n)
		}
	}
}

// join replaces the ranges of a footprint by about half as many that cover
// them: those that overlap become one, then the neighbours whose keys have the
// longest prefix in common.
func (s *Serial) join(x *Serializable, f *footprint, w side, store uint64) {
	if f.joins++; f.joins > maxJoins {
		s.widen(x, f, w, store)
		return
	}
	slices.SortFunc(f.nodes, func(a, b *interval) int {
		if c := bytes.Compare(a.lower, b.lower); c != 0 {
			return c
		}
		return compareUpper(a.upper, b.upper)
	})
	near := make([]int, 0, len(f.nodes))
	for i := 1; i < len(f.nodes); i++ {
		near = append(near, commonBits(f.nodes[i-1].lower, f.nodes[i].lower))
	}
	sorted := slices.Clone(near)
	slices.Sort(sorted)
	enough := sorted[min(s.limits.intervals/2, len(sorted)-1)]
	var hulls []interval
	for i, n := range f.nodes {
		last := len(hulls) - 1
		if i > 0 && (near[i-1] >= enough || compareUpper(hulls[last].upper, n.lower) >= 0) {
			if compareUpper(n.upper, hulls[last].upper) > 0 {
				hulls[last].upper = n.upper
			}
			hulls[last].point = false
			continue
		}
		hulls = append(hulls, interval{lower: n.lower, upper: n.upper, point: n.point})
	}
	s.replace(x, f, w, store, hulls)
}

// commonBits returns how many leading bits two keys share.
func commonBits(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if d := a[i] ^ b[i]; d != 0 {
			return i*8 + bits.LeadingZeros8(d)
		}
	}
	return n * 8
}
