package learned

import "math"

// point is where a segment of the spline begins. One load brings all that a
// prediction within the segment needs.
type point struct {
	x     uint64
	y     uint32
	slope float32 // places per unit of the key up to the next point
}

const (
	pointBytes  = 16 // the memory of a point
	storedPoint = 12 // its length in a file: x, y
)

// slopes derives the points' slopes from their places. Rounding them is an
// error like any other: measure sees it.
func slopes(points []point) {
	for i := range points[:len(points)-1] {
		p, next := &points[i], &points[i+1]
		p.slope = float32(float64(next.y-p.y) / float64(next.x-p.x))
	}
}

// spline is the greedy one-pass construction: the corridor of slopes from the
// last point is narrowed by every key until a key falls out of it; then the
// key before becomes a point.
type spline struct {
	half   float64 // of the corridor's width
	limit  int     // of points; the fit fails beyond it
	points []point

	prevX  uint64
	prevY  uint32
	lo, hi float64 // slopes
}

// fit makes the points of keys, if they ascend. A key that repeats is two
// steps: its first place, and the place behind its last at the next number.
func (s *spline) fit(keys []uint64) bool {
	s.push(keys[0], 0)
	s.prevX, s.prevY = keys[0], 0
	s.open()
	n := len(keys)
	for i := 1; i < n; i++ {
		k := keys[i]
		if k == keys[i-1] {
			continue
		}
		if k < keys[i-1] {
			return false
		}
		if last := keys[i-1]; i-1 > int(s.prevY) && k-last > 1 {
			s.add(last+1, uint32(i))
		}
		s.add(k, uint32(i))
		if len(s.points) > s.limit {
			return false
		}
	}
	if last := keys[n-1]; last < math.MaxUint64 {
		s.add(last+1, uint32(n))
	}
	if s.prevX != s.points[len(s.points)-1].x {
		s.push(s.prevX, s.prevY)
	}
	return len(s.points) >= 2 && len(s.points) <= s.limit
}

func (s *spline) push(x uint64, y uint32) {
	s.points = append(s.points, point{x: x, y: y})
}

func (s *spline) open() { s.lo, s.hi = math.Inf(-1), math.Inf(1) }

// add narrows the corridor by the point (x, y), x greater than all before.
func (s *spline) add(x uint64, y uint32) {
	slope := s.slope(x, float64(y))
	if slope < s.lo || slope > s.hi {
		s.push(s.prevX, s.prevY)
		s.open()
	}
	s.lo = max(s.lo, s.slope(x, float64(y)-s.half))
	s.hi = min(s.hi, s.slope(x, float64(y)+s.half))
	s.prevX, s.prevY = x, y
}

// slope returns the slope from the last spline point to (x, y).
func (s *spline) slope(x uint64, y float64) float64 {
	p := &s.points[len(s.points)-1]
	return (y - float64(p.y)) / float64(x-p.x)
}
