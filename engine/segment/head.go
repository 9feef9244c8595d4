package segment

import (
	"encoding/binary"
	"unsafe"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
	"github.com/omendb/omendb/engine/segment/cache"
)

// headColumns columns of a block have a head beside its pins in the cache.
const headColumns = 6

// blockHead is what a search needs to know of a data block. It stands beside
// the block's pins in the cache: the places of a key and of its cells follow
// from it, so that the processor fetches them without waiting for the block's
// own head, and most of them at once.
type blockHead struct {
	base         uint64 // number of the first key; in the variable form its first eight bytes behind the prefix
	prefix       uint32 // place of the keys' prefix
	prefixLength uint32
	rows         uint16
	width        uint8
	length       int8 // of a suffix; -1 in the variable form
	// whole is the length of the keys behind the prefix of the fences, if all
	// have that one and it is eight bytes at most: then base and the numbers
	// are of all these bytes, and the block's prefix need not be looked at.
	whole uint8
	model rowModel
	cols  [headColumns]column.Head
}

// A head must fit into the room that the cache has for it.
var _ [unsafe.Sizeof(cache.Head{}) - unsafe.Sizeof(blockHead{})]byte

func headOf(h *cache.Head) *blockHead { return (*blockHead)(unsafe.Pointer(h)) }

// set makes the head of data, a block that checkBlock has passed; fences is
// the prefix that the fences of the segment share.
func (h *blockHead) set(data []byte, schema []column.Kind, fences []byte) {
	b := block{data: data, rows: int(binary.LittleEndian.Uint32(data))}
	at := binary.LittleEndian.Uint32(data[blockHeader:])
	s := b.section(sectionKeys)
	*h = blockHead{rows: uint16(b.rows), width: s[1], length: -1, prefix: at + keysHeader, prefixLength: binary.LittleEndian.Uint32(s[4:])}
	if s[0] == keysFixed {
		h.length = int8(s[2])
		h.base = binary.LittleEndian.Uint64(data[h.prefix+h.prefixLength:])
		h.setWhole(data[h.prefix:h.prefix+h.prefixLength], fences)
	}
	if h.length < 0 {
		h.base = learned.Chunk(h.suffix(data, 0))
	}
	for c := range min(len(schema), headColumns) {
		from := sectionColumns + c
		h.cols[c] = column.HeadOf(b.section(from), schema[c], b.rows, int(binary.LittleEndian.Uint32(data[blockHeader+4*from:])))
	}
}

// learn fits the head's model to the keys of its block.
func (h *blockHead) learn(data []byte) {
	if h.length >= 0 {
		h.model.fit(int(h.rows), func(i int) uint64 { return h.number(data, i) })
		return
	}
	h.model.fit(int(h.rows), func(i int) uint64 { return learned.Chunk(h.suffix(data, i)) - h.base })
}

func (h *blockHead) setWhole(prefix, fences []byte) {
	if len(prefix) < len(fences) || string(prefix[:len(fences)]) != string(fences) {
		return
	}
	more := prefix[len(fences):]
	n := len(more) + int(h.length)
	if n == 0 || n > 8 {
		return
	}
	h.whole = uint8(n)
	for i, c := range more {
		h.base |= uint64(c) << (8 * uint(n-1-i))
	}
}

// packed returns where the packed numbers or ends of the keys stand.
func (h *blockHead) packed() int {
	at := int(h.prefix) + int(h.prefixLength)
	if h.length >= 0 {
		at += 8
	}
	return at
}

// suffix returns the suffix of row i in the variable form.
func (h *blockHead) suffix(data []byte, i int) []byte {
	k := blockKeys{packed: data[h.packed():], width: int(h.width)}
	k.blob = k.packed[column.PackedSize(int(h.rows), k.width):]
	return k.suffix(i)
}

// suffixBase returns the number of the first key's suffix in the fixed form.
func (h *blockHead) suffixBase() uint64 {
	if h.length >= 8 {
		return h.base
	}
	return h.base & (1<<(8*uint(h.length)) - 1)
}
