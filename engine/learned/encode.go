package learned

import (
	"encoding/binary"
	"errors"
)

// ErrMalformed reports bytes that are not a model of the given keys.
var ErrMalformed = errors.New("malformed model")

const headerBytes = 24 // kind u32, keys u64, below u32, above u32, points u32

// Append appends the model's bytes, all numbers little-endian: kind u32, keys
// u64, below u32, above u32, points u32, then for every point x u64, y u32.
// The radix table is made anew from them.
func (m *Model) Append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.kind))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.n))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.below))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.above))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(m.points)))
	for _, p := range m.points {
		dst = binary.LittleEndian.AppendUint64(dst, p.x)
		dst = binary.LittleEndian.AppendUint32(dst, p.y)
	}
	return dst
}

// Parse reads a model of an array of n keys. What it returns cannot panic;
// whether its bounds hold for the keys, Verify tells.
func Parse(b []byte, n int) (*Model, error) {
	if len(b) < headerBytes || binary.LittleEndian.Uint64(b[4:]) != uint64(n) {
		return nil, ErrMalformed
	}
	m := &Model{kind: Kind(b[0]), n: n,
		below: int(binary.LittleEndian.Uint32(b[12:])), above: int(binary.LittleEndian.Uint32(b[16:]))}
	points := uint64(binary.LittleEndian.Uint32(b[20:]))
	if kind := binary.LittleEndian.Uint32(b); kind > uint32(Spline) || uint64(len(b)-headerBytes) != points*storedPoint {
		return nil, ErrMalformed
	}
	if m.kind == BinarySearch {
		if points != 0 {
			return nil, ErrMalformed
		}
		m.below, m.above = 0, 0
		return m, nil
	}
	if points < 2 {
		return nil, ErrMalformed
	}
	for b = b[headerBytes:]; len(b) > 0; b = b[storedPoint:] {
		x, y := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])
		if i := len(m.points); i > 0 && (x <= m.points[i-1].x || y < m.points[i-1].y) || uint64(y) > uint64(n) {
			return nil, ErrMalformed
		}
		m.points = append(m.points, point{x: x, y: y})
	}
	slopes(m.points)
	m.table.build(m.points)
	return m, nil
}
