package column

import (
	"encoding/binary"
	"math/bits"
)

// The hash functions below are the same on every machine and in every
// release: distinct sketches in segments are built from them and merged later.

const (
	hashSeed  = 0x9E3779B97F4A7C15 // 2^64 / golden ratio
	hashMulti = 0xD6E8FEB86659FD93
)

// HashUint64 returns a well mixed hash of x.
func HashUint64(x uint64) uint64 {
	hi, lo := bits.Mul64(x^hashSeed, hashMulti)
	x = hi ^ lo
	x ^= x >> 32
	x *= hashMulti
	return x ^ x>>29
}

// HashBytes returns a well mixed hash of b. It is no defence against keys that
// an adversary chose to collide.
func HashBytes(b []byte) uint64 {
	h := uint64(len(b)) * hashSeed
	for len(b) >= 8 {
		hi, lo := bits.Mul64(h^binary.LittleEndian.Uint64(b)^hashSeed, hashMulti)
		h = hi ^ lo + h
		b = b[8:]
	}
	var tail uint64
	for i, c := range b {
		tail |= uint64(c) << (8 * uint(i))
	}
	return HashUint64(h ^ tail)
}
