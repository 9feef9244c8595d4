package functions

import "math"

// Random is PostgreSQL's pseudo-random generator, xoroshiro128**: the same seed gives
// the same numbers as there.
type Random struct{ s0, s1 uint64 }

// NewRandom returns a generator with a seed.
func NewRandom(seed uint64) *Random {
	r := &Random{}
	r.seed(seed)
	return r
}

func (r *Random) seed(seed uint64) {
	next := func() uint64 { // splitmix64
		seed += 0x9E3779B97F4A7C15
		v := seed
		v = (v ^ v>>30) * 0xBF58476D1CE4E5B9
		v = (v ^ v>>27) * 0x94D049BB133111EB
		return v ^ v>>31
	}
	r.s0, r.s1 = next(), next()
	if r.s0 == 0 && r.s1 == 0 {
		r.s0, r.s1 = 0x5851F42D4C957F2D, 0x14057B7EF767814F
	}
}

// SetSeed is setseed: f is between -1 and 1.
func (r *Random) SetSeed(f float64) { r.seed(uint64(int64(float64(1<<52-1) * f))) }

// Uint64 returns 64 random bits.
func (r *Random) Uint64() uint64 {
	s0, sx := r.s0, r.s1^r.s0
	rotl := func(x uint64, k uint) uint64 { return x<<k | x>>(64-k) }
	val := rotl(s0*5, 7) * 9
	r.s0 = rotl(s0, 24) ^ sx ^ sx<<16
	r.s1 = rotl(sx, 37)
	return val
}

// Float returns a number in [0, 1).
func (r *Random) Float() float64 { return math.Ldexp(float64(r.Uint64()>>(64-52)), -52) }
