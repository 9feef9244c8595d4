package learned

import "math/bits"

const (
	// maxRadixBits bounds the table to 1 MB.
	maxRadixBits = 18

	// crowded is the number of points from which a cell gets a table of its own.
	crowded = 16

	// outlierShare: one point in so many may lie outside of the range for
	// which the table is sized, on either side.
	outlierShare = 64

	redirect = 1 << 31 // marks a cell that leads to a sub-table
)

// radix leads from a key to the spline segment that holds it. Cell c of a
// table holds the first point whose key is in cell c or behind it; the
// segment starts between the point before that and the next cell's.
type radix struct {
	top  grid
	subs []grid
}

// grid divides a range of keys into cells of equal width.
type grid struct {
	base  uint64
	shift uint
	first uint32 // point at which the range begins
	end   uint32 // point behind the range
	cells []uint32
}

func (r *radix) bytes() int {
	n := 4 * len(r.top.cells)
	for i := range r.subs {
		n += 4*len(r.subs[i].cells) + 48 // a grid is 48 bytes itself
	}
	return n
}

// build makes the tables for the points.
func (r *radix) build(points []point) {
	clip := len(points) / outlierShare
	width := bits.Len(uint(len(points))) // one to two cells per point
	r.top = newGrid(points, 0, len(points), clip, min(width, maxRadixBits))
	for c := range r.top.cells {
		lo, hi := r.top.cells[c], r.top.next(c) // the next cell is not redirected yet
		if hi < lo+crowded {
			continue
		}
		sub := newGrid(points, int(lo), int(hi), int(hi-lo)/outlierShare, bits.Len32(hi-lo))
		r.top.cells[c] = redirect | uint32(len(r.subs))
		r.subs = append(r.subs, sub)
	}
}

// newGrid makes the cells for the points first to end-1, about 1<<width of
// them for the range that is left when clip points on either side are ignored.
func newGrid(points []point, first, end, clip, width int) grid {
	lo, hi := points[first+clip].x, points[end-1-clip].x
	g := grid{base: lo, first: uint32(first), end: uint32(end)}
	if n := bits.Len64(hi - lo); n > width {
		g.shift = uint(n - width)
	}
	g.cells = make([]uint32, (hi-lo)>>g.shift+1)
	next := 0
	for i := first; i < end; i++ {
		for c := g.cell(points[i].x); next <= c; next++ {
			g.cells[next] = uint32(i)
		}
	}
	for ; next < len(g.cells); next++ {
		g.cells[next] = uint32(end)
	}
	return g
}

// cell returns the cell of a key; keys outside of the range are in the first
// or the last one.
func (g *grid) cell(key uint64) int {
	if key < g.base {
		return 0
	}
	return int(min((key-g.base)>>g.shift, uint64(len(g.cells)-1)))
}

// next returns the first point behind cell c.
func (g *grid) next(c int) uint32 {
	if c+1 < len(g.cells) {
		return g.cells[c+1]
	}
	return g.end
}

// fewPoints are compared one and all, without a table and without a branch that
// could be guessed wrong.
const fewPoints = 8

// count returns how many points are not greater than key.
func count(points []point, key uint64) (n int) {
	for i := range points {
		one := 0
		if points[i].x <= key {
			one = 1
		}
		n += one
	}
	return n
}

// find returns i with points[i].x <= key < points[i+1].x; there is such an i.
func (r *radix) find(points []point, key uint64) int {
	if len(points) <= fewPoints {
		return count(points, key) - 1
	}
	c := r.top.cell(key)
	lo := r.top.cells[c]
	var hi uint32
	if lo&redirect != 0 {
		g := &r.subs[lo&^redirect]
		c = g.cell(key)
		lo, hi = g.cells[c], g.next(c)
	} else {
		hi = r.top.next(c)
		if hi&redirect != 0 {
			hi = r.subs[hi&^redirect].first
		}
	}
	// the first point greater than key is one of lo to hi
	for lo < hi {
		m := (lo + hi) >> 1
		if points[m].x <= key {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return int(lo) - 1
}
