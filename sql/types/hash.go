package types

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The hash is of the wyhash family: 64×64→128 bit multiplications, folded. It spreads
// sequential integers over all bits, which hash tables and partitions rely on.

const (
	hashSeed  = 0x9E3779B97F4A7C15
	hashPrime = 0xA0761D6478BD642F
	hashMix   = 0xE7037ED1A0B428DB
)

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// HashUint64 hashes a number.
func HashUint64(v uint64) uint64 { return fold(v^hashSeed, hashPrime) }

// HashBytes hashes a byte string.
func HashBytes(b []byte) uint64 {
	h := uint64(len(b)) ^ hashSeed
	for len(b) >= 8 {
		h = fold(h^binary.LittleEndian.Uint64(b), hashPrime)
		b = b[8:]
	}
	var tail uint64
	for i, c := range b {
		tail |= uint64(c) << (8 * i)
	}
	return fold(h^tail, hashMix)
}

// CombineHash mixes the hash of a further part into h; the order of parts matters.
func CombineHash(h, part uint64) uint64 { return fold(h^hashSeed, part^hashMix) + part }

func hashInt(d Datum) uint64 { return HashUint64(uint64(d.I)) }

// hashFloat gives both zeros, and all NaNs, one hash.
func hashFloat(d Datum) uint64 {
	f := d.Float()
	switch {
	case f == 0:
		return HashUint64(0)
	case f != f:
		return HashUint64(math.Float64bits(math.NaN()))
	}
	return HashUint64(uint64(d.I))
}

func hashBytes(d Datum) uint64 { return HashBytes(d.B) }

func hashBPChar(d Datum) uint64 { return HashBytes(trimBlanks(d.B)) }
