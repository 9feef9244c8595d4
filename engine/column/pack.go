package column

import (
	"encoding/binary"
	"math/bits"
)

// Bit packing: value i of w bits stands at bit i*w of a little-endian bit
// string. Seven bytes of padding follow, so that any value of up to maxPacked
// bits is one unaligned 8-byte load, one shift and one mask away. Wider
// values are stored as 64 bits.

// maxPacked is the greatest width that an 8-byte load at a byte boundary
// always covers: 7 bits of offset and the value.
const maxPacked = 57

// PackedWidth returns the width in which numbers up to limit are packed.
func PackedWidth(limit uint64) int {
	w := bits.Len64(limit)
	if w > maxPacked {
		return 64
	}
	return w
}

// PackedSize returns the number of bytes that n values of width w take.
func PackedSize(n, w int) int {
	switch w {
	case 0:
		return 0
	case 64:
		return 8 * n
	}
	return (n*w+7)/8 + 7
}

// AppendPacked appends vals, each less than 1<<w.
func AppendPacked(dst []byte, vals []uint64, w int) []byte {
	if w == 0 {
		return dst
	}
	if w == 64 {
		for _, v := range vals {
			dst = binary.LittleEndian.AppendUint64(dst, v)
		}
		return dst
	}
	end := len(dst) + PackedSize(len(vals), w)
	var acc uint64
	var have uint
	for _, v := range vals {
		acc |= v << have
		have += uint(w)
		if have >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			have -= 64
			acc = v >> (uint(w) - have) // a shift by w or more leaves 0, as it must
		}
	}
	for ; have > 0; have -= min(have, 8) {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}

// PackedAt returns value i of the packed values of width w in p.
func PackedAt(p []byte, i, w int) uint64 {
	switch w {
	case 0:
		return 0
	case 64:
		return binary.LittleEndian.Uint64(p[i*8:])
	}
	bit := i * w
	return binary.LittleEndian.Uint64(p[bit>>3:]) >> (uint(bit) & 7) & (1<<uint(w) - 1)
}

// unpack sets dst[k] to base plus value lo+k of the packed values in p. Whole
// groups of eight, which begin at a byte, have a loop for their width. Where p
// and dst have the capacity, the last group is whole, too: what stands behind p
// is read, and what stands behind dst is overwritten.
func unpack(dst []int64, p []byte, lo, w int, base uint64) {
	switch {
	case w == 0:
		for i := range dst {
			dst[i] = int64(base)
		}
		return
	case w == 64:
		p = p[lo*8:]
		for i := range dst {
			dst[i] = int64(base + binary.LittleEndian.Uint64(p[i*8:]))
		}
		return
	}
	for lo&7 != 0 && len(dst) > 0 { // up to the next group
		dst[0] = int64(base + PackedAt(p, lo, w))
		dst = dst[1:]
		lo++
	}
	p = p[lo*w>>3:]
	n := unpackMost(dst, p, w, base)
	if n == len(dst) {
		return
	}
	dst, p = dst[n:], p[n*w>>3:]
	if n := len(dst) &^ 7; n > 0 && w < len(unpackers) {
		unpackers[w](dst[:n], p, base)
		dst, p = dst[n:], p[n*w>>3:]
	}
	m := uint64(1)<<uint(w) - 1
	bit := uint(0)
	for i := range dst {
		dst[i] = int64(base + binary.LittleEndian.Uint64(p[bit>>3:])>>(bit&7)&m)
		bit += uint(w)
	}
}
