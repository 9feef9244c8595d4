package learned

import "math"

// pointBytes is the memory of one spline point: x uint64, y uint32.
const pointBytes = 12

// spline is the greedy one-pass construction: the corridor of slopes from the
// last point is narrowed by every key until a key falls out of it; then the
// key before becomes a point.
type spline struct {
	half  float64 // of the corridor's width
	limit int     // of points; the fit fails beyond it
	xs    []uint64
	ys    []uint32

	prevX  uint64
	prevY  uint32
	lo, hi float64 // slopes
}

// fit makes the points of keys. A key that repeats is two steps: its first
// place, and the place behind its last at the next number.
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
		if last := keys[i-1]; i-1 > int(s.prevY) && k-last > 1 {
			s.add(last+1, uint32(i))
		}
		s.add(k, uint32(i))
		if len(s.xs) > s.limit {
			return false
		}
	}
	if last := keys[n-1]; last < math.MaxUint64 {
		s.add(last+1, uint32(n))
	}
	if s.prevX != s.xs[len(s.xs)-1] {
		s.push(s.prevX, s.prevY)
	}
	return len(s.xs) >= 2 && len(s.xs) <= s.limit
}

func (s *spline) push(x uint64, y uint32) {
	s.xs = append(s.xs, x)
	s.ys = append(s.ys, y)
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
	i := len(s.xs) - 1
	return (y - float64(s.ys[i])) / float64(x-s.xs[i])
}
