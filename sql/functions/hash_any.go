package functions

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// hashEvals are PostgreSQL's hash functions, value for value: Bob Jenkins' lookup3 hash of 2006, seeded
// with 3923095. The extended forms take a seed and give 64 bits.
var hashEvals = map[string]EvalFunc{}

// jenkins is the state of the hash.
type jenkins struct{ a, b, c uint32 }

func newJenkins(length int, seed uint64) jenkins {
	start := uint32(0x9e3779b9) + uint32(length) + 3923095
	h := jenkins{start, start, start}
	if seed != 0 {
		h.a += uint32(seed >> 32)
		h.b += uint32(seed)
		h.mix()
	}
	return h
}

func (h *jenkins) mix() {
	rot := bits.RotateLeft32
	h.a = (h.a - h.c) ^ rot(h.c, 4)
	h.c += h.b
	h.b = (h.b - h.a) ^ rot(h.a, 6)
	h.a += h.c
	h.c = (h.c - h.b) ^ rot(h.b, 8)
	h.b += h.a
	h.a = (h.a - h.c) ^ rot(h.c, 16)
	h.c += h.b
	h.b = (h.b - h.a) ^ rot(h.a, 19)
	h.a += h.c
	h.c = (h.c - h.b) ^ rot(h.b, 4)
	h.b += h.a
}

func (h *jenkins) final() {
	rot := bits.RotateLeft32
	h.c = (h.c ^ h.b) - rot(h.b, 14)
	h.a = (h.a ^ h.c) - rot(h.c, 11)
	h.b = (h.b ^ h.a) - rot(h.a, 25)
	h.c = (h.c ^ h.b) - rot(h.b, 16)
	h.a = (h.a ^ h.c) - rot(h.c, 4)
	h.b = (h.b ^ h.a) - rot(h.a, 14)
	h.c = (h.c ^ h.b) - rot(h.b, 24)
}

// hashData hashes bytes; the plain hash is the low half of the extended one with seed 0.
func hashData(k []byte, seed uint64) uint64 {
	h := newJenkins(len(k), seed)
	for len(k) >= 12 {
		h.a += binary.LittleEndian.Uint32(k)
		h.b += binary.LittleEndian.Uint32(k[4:])
		h.c += binary.LittleEndian.Uint32(k[8:])
		h.mix()
		k = k[12:]
	}
	// The last word's lowest byte is the length's, so that its bytes start one higher.
	var tail [12]byte
	copy(tail[:], k)
	h.a += binary.LittleEndian.Uint32(tail[:])
	h.b += binary.LittleEndian.Uint32(tail[4:])
	h.c += binary.LittleEndian.Uint32(tail[8:]) << 8
	h.final()
	return uint64(h.b)<<32 | uint64(h.c)
}

func hashWord(k uint32, seed uint64) uint64 {
	h := newJenkins(4, seed)
	h.a += k
	h.final()
	return uint64(h.b)<<32 | uint64(h.c)
}

// hashLong hashes an int64 such that equal values of narrower integers hash alike.
func hashLong(v int64, seed uint64) uint64 {
	low, high := uint32(v), uint32(uint64(v)>>32)
	if v < 0 {
		high = ^high
	}
	return hashWord(low^high, seed)
}

func hashDouble(v float64, seed uint64) uint64 {
	if v == 0 {
		return seed
	}
	if math.IsNaN(v) {
		return hashData(binary.LittleEndian.AppendUint64(nil, 0x7ff8000000000000), seed)
	}
	return hashData(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)), seed)
}

func hashSpan(d column.Datum, seed uint64) uint64 {
	v := types.IntervalFrom(d)
	days := int64(v.Months)*30 + int64(v.Days)
	return hashLong(v.Micros+days*86400000000, seed)
}

func init() {
	word := func(d column.Datum, seed uint64) uint64 { return hashWord(uint32(d.I), seed) }
	long := func(d column.Datum, seed uint64) uint64 { return hashLong(d.I, seed) }
	data := func(d column.Datum, seed uint64) uint64 { return hashData(d.B, seed) }
	double := func(d column.Datum, seed uint64) uint64 { return hashDouble(d.Float(), seed) }
	table := map[string]func(column.Datum, uint64) uint64{
		"hashint2 hashint4 hashoid hashchar hashenum": word,
		"hashint8 time_hash timestamp_hash":           long,
		"hashfloat4 hashfloat8":                       double,
		"hashtext hashname hashvarlena uuid_hash":     data,
		"hashbpchar": func(d column.Datum, seed uint64) uint64 {
			return hashData([]byte(strings.TrimRight(string(d.B), " ")), seed)
		},
		"interval_hash": hashSpan,
	}
	for names, hash := range table {
		for _, name := range strings.Fields(names) {
			hashEvals[name] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
				return intResult(int64(int32(hash(a[0], 0))))
			}
			extended := name + "extended"
			if strings.HasSuffix(name, "_hash") {
				extended = name + "_extended"
			}
			hashEvals[extended] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
				return intResult(int64(hash(a[0], uint64(a[1].I))))
			}
		}
	}
}
