package segment

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"

	"github.com/omendb/omendb/engine/column"
)

// Sketch counts distinct values approximately: exactly by their hashes while
// they are few, then as a HyperLogLog with 1,024 registers (standard error
// 3.3 %). Sketches of different segments merge. The zero value is empty.
type Sketch struct {
	hashes    []uint64 // distinct, sorted; at most sketchHashes
	registers []uint8  // nil while hashes is in use
}

const (
	sketchHashes = 64 // as many bytes as half of the registers
	sketchBits   = 10
	sketchSize   = 1 << sketchBits
)

var errSketch = errors.New("malformed distinct sketch")

// Add counts the value with this hash (column.HashUint64, column.HashBytes).
func (s *Sketch) Add(h uint64) {
	if s.registers != nil {
		s.register(h)
		return
	}
	i, found := slices.BinarySearch(s.hashes, h)
	if found {
		return
	}
	if len(s.hashes) < sketchHashes {
		s.hashes = slices.Insert(s.hashes, i, h)
		return
	}
	s.spill()
	s.register(h)
}

// AddValue counts a value that is not NULL.
func (s *Sketch) AddValue(k column.Kind, d column.Datum) { s.Add(hashOf(k, d)) }

func (s *Sketch) spill() {
	s.registers = make([]uint8, sketchSize)
	for _, h := range s.hashes {
		s.register(h)
	}
	s.hashes = nil
}

func (s *Sketch) register(h uint64) {
	zeros := uint8(bits.LeadingZeros64(h<<sketchBits|1<<(sketchBits-1))) + 1
	r := &s.registers[h>>(64-sketchBits)]
	*r = max(*r, zeros)
}

// Merge adds the values that o counted.
func (s *Sketch) Merge(o *Sketch) {
	for _, h := range o.hashes {
		s.Add(h)
	}
	if o.registers == nil {
		return
	}
	if s.registers == nil {
		s.spill()
	}
	for i, r := range o.registers {
		s.registers[i] = max(s.registers[i], r)
	}
}

// Estimate returns the number of distinct values.
func (s *Sketch) Estimate() float64 {
	if s.registers == nil {
		return float64(len(s.hashes))
	}
	sum, empty := 0.0, 0
	for _, r := range s.registers {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			empty++
		}
	}
	const m = float64(sketchSize)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && empty > 0 { // linear counting is better here
		return m * math.Log(m/float64(empty))
	}
	return estimate
}

// append encodes the sketch: a u16 count of hashes (0xFFFF: registers), then
// the hashes (u64 each) or the registers (a byte each).
func (s *Sketch) append(dst []byte) []byte {
	if s.registers != nil {
		return append(binary.LittleEndian.AppendUint16(dst, math.MaxUint16), s.registers...)
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(s.hashes)))
	for _, h := range s.hashes {
		dst = binary.LittleEndian.AppendUint64(dst, h)
	}
	return dst
}

// parseSketch reads what append wrote and returns what follows it.
func parseSketch(b []byte) (s Sketch, rest []byte, err error) {
	if len(b) < 2 {
		return s, nil, errSketch
	}
	n := int(binary.LittleEndian.Uint16(b))
	b = b[2:]
	if n == math.MaxUint16 {
		if len(b) < sketchSize {
			return s, nil, errSketch
		}
		s.registers = slices.Clone(b[:sketchSize])
		if slices.Max(s.registers) > 64-sketchBits+1 {
			return s, nil, errSketch
		}
		return s, b[sketchSize:], nil
	}
	if n > sketchHashes || len(b) < 8*n {
		return s, nil, errSketch
	}
	for i := range n {
		s.hashes = append(s.hashes, binary.LittleEndian.Uint64(b[8*i:]))
		if i > 0 && s.hashes[i-1] >= s.hashes[i] {
			return s, nil, errSketch
		}
	}
	return s, b[8*n:], nil
}
