package segment

import (
	"encoding/binary"
	"unsafe"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment/cache"
)

// headColumns columns of a block have a head beside its pins in the cache.
const headColumns = 4

// blockHead is what a search needs to know of a data block. It stands beside
// the block's pins in the cache: the places of a key and of its cells follow
// from it, so that the processor fetches them without waiting for the block's
// own head, and most of them at once.
type blockHead struct {
	base         uint64 // of the keys
	prefix       uint32 // place of their prefix
	prefixLength uint32
	packed       uint32 // place of their numbers or ends
	rows         uint16
	width        uint8
	length       int8 // of a suffix; -1 in the variable form
	cols         [headColumns]column.Head
}

// A head must fit into the room that the cache has for it.
var _ [unsafe.Sizeof(cache.Head{}) - unsafe.Sizeof(blockHead{})]byte

func headOf(h *cache.Head) *blockHead { return (*blockHead)(unsafe.Pointer(h)) }

// set makes the head of data, a block that checkBlock has passed.
func (h *blockHead) set(data []byte, schema []column.Kind) {
	b := block{data: data, rows: int(binary.LittleEndian.Uint32(data))}
	at := binary.LittleEndian.Uint32(data[blockHeader:])
	s := b.section(sectionKeys)
	*h = blockHead{rows: uint16(b.rows), width: s[1], length: -1, prefix: at + keysHeader, prefixLength: binary.LittleEndian.Uint32(s[4:])}
	h.packed = h.prefix + h.prefixLength
	if s[0] == keysFixed {
		h.length = int8(s[2])
		h.base = binary.LittleEndian.Uint64(data[h.packed:])
		h.packed += 8
	}
	for c := range min(len(schema), headColumns) {
		from := sectionColumns + c
		h.cols[c] = column.HeadOf(b.section(from), schema[c], b.rows, int(binary.LittleEndian.Uint32(data[blockHeader+4*from:])))
	}
}
