package column

import (
	"encoding/binary"
	"unsafe"
)

// Head says where the cells of an encoded column stand and in which form, so
// that one cell is read without a look at the column's own head. It holds no
// pointer. Columns of other than the plainest forms, with NULLs or with marks
// have the zero Head, which knows nothing.
type Head struct {
	base  uint64 // by form
	at    uint32 // where the payload begins
	form  headForm
	width uint8
}

type headForm uint8

const (
	headNone   headForm = iota
	headNumber          // base, packed at
	headValues          // values at, codes packed at base
	headFixed           // strings of base bytes at
	headPlain           // ends packed at, strings at base
	headDict            // ends of entries at, codes packed at the low half of base, entries at the high half
	headSame            // base bytes at
)

// HeadOf returns the head of an encoded column that has passed Check; it
// begins at byte start of the bytes that readers of cells will be given.
func HeadOf(src []byte, kind Kind, rows, start int) Head {
	if src[1] != 0 {
		return Head{}
	}
	n, at := int(binary.LittleEndian.Uint32(src[4:])), start+encodedHeader
	h := Head{at: uint32(at), width: src[2]}
	switch form := src[0]; {
	case form == formPacked, form == formConstant && kind != Bytes:
		h.form, h.base = headNumber, binary.LittleEndian.Uint64(src[encodedHeader:])
		if h.at += 8; form == formConstant {
			h.width = 0
		}
	case form == formDict && kind != Bytes:
		h.form, h.base = headValues, uint64(at+8*n)
	case form == formFixed:
		h.form, h.base = headFixed, uint64(n)
	case form == formPlain:
		h.form, h.base = headPlain, uint64(at+PackedSize(rows, int(h.width)))
	case form == formDict:
		codes := at + 4*n
		h.form, h.base = headDict, uint64(codes)|uint64(codes+PackedSize(rows, int(h.width)))<<32
	case form == formConstant:
		h.form, h.base = headSame, uint64(n)
	default:
		return Head{}
	}
	return h
}

// Number returns row i of an Int or Float column, if the head tells.
func (h *Head) Number(data []byte, i int) (v int64, ok bool) {
	switch h.form {
	case headNumber:
		if h.width == 0 {
			return int64(h.base), true
		}
		bit := i * int(h.width)
		x := binary.LittleEndian.Uint64(data[int(h.at)+bit>>3:]) >> (uint(bit) & 7)
		return int64(h.base + x&(1<<h.width-1)), true
	case headValues:
		return int64(binary.LittleEndian.Uint64(data[uint64(h.at)+8*PackedAt(data[h.base:], i, int(h.width)):])), true
	}
	return 0, false
}

// Bytes returns row i of a Bytes column, if the head tells. It shares data.
func (h *Head) Bytes(data []byte, i int) (v []byte, ok bool) {
	var lo, hi uint64
	switch h.form {
	case headFixed:
		lo = uint64(h.at) + uint64(i)*h.base
		hi = lo + h.base
	case headPlain:
		ends := data[h.at:]
		if lo = h.base; i > 0 {
			lo += PackedAt(ends, i-1, int(h.width))
		}
		hi = h.base + PackedAt(ends, i, int(h.width))
	case headDict:
		k := PackedAt(data[uint32(h.base):], i, int(h.width))
		ends := data[h.at:]
		if lo = h.base >> 32; k > 0 {
			lo += uint64(binary.LittleEndian.Uint32(ends[4*k-4:]))
		}
		hi = h.base>>32 + uint64(binary.LittleEndian.Uint32(ends[4*k:]))
	case headSame:
		lo, hi = uint64(h.at), uint64(h.at)+h.base
	default:
		return nil, false
	}
	return data[lo:hi:hi], true
}

// Append appends rows lo to hi-1 of an Int or Float column to dst, if they are
// packed numbers. It is Encoded.Decode without the view of the column.
func (h *Head) Append(dst *Vec, data []byte, lo, hi int) bool {
	if h.form != headNumber {
		return false
	}
	unpack(dst.numbers(hi-lo), data[h.at:], lo, int(h.width), h.base)
	return true
}

// View makes c the encoded column of a kind and a number of rows that the head
// describes in data, if it does.
func (h *Head) View(c *Encoded, data []byte, kind Kind, rows int) bool {
	if h.form == headNone {
		return false
	}
	*c = Encoded{kind: kind, width: int(h.width), rows: rows}
	switch h.form {
	case headNumber:
		c.form, c.base, c.codes = formPacked, h.base, data[h.at:]
	case headValues:
		c.form, c.vals, c.codes = formDict, data[h.at:h.base], data[h.base:]
		c.n = len(c.vals) / 8
	case headFixed:
		c.form, c.n, c.blob = formFixed, int(h.base), data[h.at:]
	case headPlain:
		c.form, c.codes, c.blob = formPlain, data[h.at:], data[h.base:]
	case headDict:
		codes := uint32(h.base)
		c.form, c.ends, c.codes, c.blob = formDict, data[h.at:codes], data[codes:], data[h.base>>32:]
		c.n = len(c.ends) / 4
	case headSame:
		c.form, c.n, c.blob = formConstant, int(h.base), data[h.at:][:h.base:h.base]
	}
	return true
}

// Near returns where a read of row i of data begins, or of what leads to it.
func (h *Head) Near(data []byte, i int) int {
	at := int(h.at)
	switch h.form {
	case headNumber, headPlain:
		at += i * int(h.width) >> 3
	case headFixed:
		at += i * int(h.base)
	case headValues, headDict:
		at = int(uint32(h.base)) + i*int(h.width)>>3
	}
	return min(at, len(data)-1)
}

// Lines is a list of cache lines to ask for. Asking for those of many searches
// before the first of them goes on keeps more of them on their way than the
// processor finds by itself: behind a load that waits there is room for the
// instructions of only a few searches.
type Lines struct {
	n  int
	at [LinesRoom + 1]uintptr
}

// LinesRoom is what a Lines has room for, two for each of 32 searches.
const LinesRoom = 64

// Add adds the lines of the first and the last of n bytes from p on, once if
// they are the same. The last need not exist.
func (l *Lines) Add(p *byte, n int) {
	first := uintptr(unsafe.Pointer(p))
	last := first + uintptr(n-1)
	l.at[l.n], l.at[l.n+1] = first, last
	l.n += 1 + int(min(last/lineBytes-first/lineBytes, 1)) // a branch would be guessed wrong
}

// Ask asks for the lines, does not wait for them, and empties the list.
func (l *Lines) Ask() {
	if l.n > 0 {
		prefetchEach(&l.at[0], l.n)
	}
	l.n = 0
}

// Prefetch asks for the cache lines of bytes that begin at one, and does not wait
// for them. It reads nothing.
func Prefetch(b []byte) {
	if len(b) > 0 {
		prefetchLines(&b[0], (len(b)+lineBytes-1)/lineBytes)
	}
}

// Prefetch asks for what the first rows of a column are decoded from, where that
// is packed numbers, and does not wait for it.
func (h *Head) Prefetch(data []byte, rows int) {
	from, to := int(h.at), int(h.at)+rows*int(h.width)>>3
	if h.form == headNumber && from < to && to <= len(data) {
		prefetchLines(&data[from], (to-from+lineBytes-1)/lineBytes)
	}
}

// lineBytes is the distance of the bytes that TouchRows loads.
const lineBytes = 64

// TouchRows loads what rows lo to hi-1 are decoded from, where that is packed
// numbers: their misses overlap, which those of decoding do less.
func (h *Head) TouchRows(data []byte, lo, hi int) (sum byte) {
	if h.form != headNumber {
		return 0
	}
	from, to := int(h.at)+lo*int(h.width)>>3, int(h.at)+hi*int(h.width)>>3
	for at := from; at < to; at += lineBytes {
		sum += data[at]
	}
	return sum
}
