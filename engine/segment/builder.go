package segment

import (
	"encoding/binary"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
)

// arena hands out copies of byte strings from large chunks that it reuses.
type arena struct{ chunk []byte }

const arenaChunk = 64 << 10

func (a *arena) reset() { a.chunk = a.chunk[:0] }

func (a *arena) copy(b []byte) []byte {
	if len(a.chunk)+len(b) > cap(a.chunk) {
		a.chunk = make([]byte, 0, max(arenaChunk, len(b)))
	}
	at := len(a.chunk)
	a.chunk = append(a.chunk, b...)
	return a.chunk[at:len(a.chunk):len(a.chunk)]
}

// blockBuilder collects the rows of one data block and encodes them.
type blockBuilder struct {
	schema     []column.Kind
	arena      arena
	keys       [][]byte
	versions   column.Vec
	successors column.Vec
	cols       []column.Vec
	wide       []column.Bitmap // by column: cells that hold a reference to a value block
	tombstones column.Bitmap
	repeats    column.Bitmap
	raw        int           // estimated length before encoding
	frequent   []frequencies // by column

	enc  column.Encoder
	nums []uint64
	out  []byte
}

func newBlockBuilder(schema []column.Kind) *blockBuilder {
	b := &blockBuilder{schema: schema, cols: make([]column.Vec, len(schema)), wide: make([]column.Bitmap, len(schema)),
		frequent: make([]frequencies, len(schema))}
	b.reset()
	return b
}

func (b *blockBuilder) reset() {
	b.arena.reset()
	b.keys = b.keys[:0]
	b.versions.Reset(column.Int)
	b.successors.Reset(column.Bytes)
	for i, k := range b.schema {
		b.cols[i].Reset(k)
		b.wide[i] = b.wide[i][:0]
	}
	b.tombstones, b.repeats = b.tombstones[:0], b.repeats[:0]
	b.raw = 0
}

func (b *blockBuilder) rows() int { return len(b.keys) }

// addKey starts a row; the caller appends its cells with addCell.
func (b *blockBuilder) addKey(key []byte, ts uint64, repeat, deleted bool, successor []byte) {
	n := len(b.keys)
	b.keys = append(b.keys, b.arena.copy(key))
	b.versions.Append(column.IntDatum(int64(ts)))
	if repeat && n > 0 {
		b.repeats.Set(n)
	}
	if deleted {
		b.tombstones.Set(n)
	}
	if successor == nil {
		b.successors.Append(column.Null())
	} else {
		b.successors.Append(column.BytesDatum(b.arena.copy(successor)))
	}
	b.raw += len(key) + len(successor) + 8
}

// addCell appends the next row's cell of column c.
func (b *blockBuilder) addCell(c int, d column.Datum, wide bool) {
	switch {
	case d.Null:
	case b.schema[c] == column.Bytes:
		d.B = b.arena.copy(d.B)
		b.raw += len(d.B) + 2
	default:
		b.raw += 8
	}
	if wide {
		b.wide[c].Set(b.cols[c].Len())
	}
	b.cols[c].Append(d)
}

// encode returns the block's bytes without checksum, valid until the next call,
// and counts its values.
func (b *blockBuilder) encode() []byte {
	sections := sectionColumns + len(b.schema)
	out := b.out[:0]
	out = binary.LittleEndian.AppendUint32(out, uint32(b.rows()))
	out = binary.LittleEndian.AppendUint32(out, uint32(sections))
	for range sections + 1 {
		out = binary.LittleEndian.AppendUint32(out, 0)
	}
	next := 0
	mark := func() {
		binary.LittleEndian.PutUint32(out[blockHeader+4*next:], uint32(len(out)))
		next++
	}
	mark()
	out = b.appendKeys(out)
	mark()
	out = b.enc.Append(out, &b.versions, nil)
	mark()
	out = appendRowBitmap(out, b.tombstones, b.rows())
	mark()
	out = appendRowBitmap(out, b.repeats, b.rows())
	mark()
	if b.hasSuccessors() {
		out = b.enc.Append(out, &b.successors, nil)
	}
	for c := range b.cols {
		mark()
		out = b.enc.Append(out, &b.cols[c], b.wide[c])
		b.frequent[c].add(&b.enc, &b.cols[c], b.wide[c])
	}
	mark()
	b.out = out
	return out
}

func (b *blockBuilder) hasSuccessors() bool {
	for _, s := range b.successors.B {
		if s != nil {
			return true
		}
	}
	return false
}

func appendRowBitmap(dst []byte, m column.Bitmap, rows int) []byte {
	if !m.Any() {
		return dst
	}
	for i := range (rows + 7) / 8 {
		var w uint64
		if i/8 < len(m) {
			w = m[i/8]
		}
		dst = append(dst, byte(w>>(8*uint(i&7))))
	}
	return dst
}

func (b *blockBuilder) appendKeys(dst []byte) []byte {
	first, last := b.keys[0], b.keys[len(b.keys)-1]
	prefix := learned.CommonPrefix(first, last)
	length := len(first) - prefix
	fixed := length <= 8
	total := 0
	for _, k := range b.keys {
		total += len(k) - prefix
		fixed = fixed && len(k)-prefix == length
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(prefix))
	dst = append(dst, first[:prefix]...)
	b.nums = b.nums[:0]
	if fixed {
		shift := 64 - 8*uint(length)
		base := learned.Chunk(first[prefix:]) >> shift
		for _, k := range b.keys {
			b.nums = append(b.nums, learned.Chunk(k[prefix:])>>shift-base)
		}
		width := column.PackedWidth(b.nums[len(b.nums)-1])
		dst[start], dst[start+1] = keysFixed, byte(width)
		binary.LittleEndian.PutUint16(dst[start+2:], uint16(length))
		return column.AppendPacked(binary.LittleEndian.AppendUint64(dst, base), b.nums, width)
	}
	end := uint64(0)
	for _, k := range b.keys {
		end += uint64(len(k) - prefix)
		b.nums = append(b.nums, end)
	}
	width := column.PackedWidth(uint64(total))
	dst[start], dst[start+1] = keysVariable, byte(width)
	dst = column.AppendPacked(dst, b.nums, width)
	for _, k := range b.keys {
		dst = append(dst, k[prefix:]...)
	}
	return dst
}
