package segment

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/omendb/omendb/engine/column"
)

// The sections of a data block; column c is section sectionColumns+c.
const (
	sectionKeys = iota
	sectionVersions
	sectionTombstones // bitmap; empty when there are none
	sectionRepeats    // bitmap of rows whose key is that of the row before; empty when there are none
	sectionSuccessors // encoded Bytes column; empty when there are none
	sectionColumns

	blockHeader = 8 // rows u32, sections u32
	keysHeader  = 8 // of the keys section, before the prefix
	crcSize     = 4
)

// The forms of a block's keys.
const (
	keysFixed    = 1 // suffixes of one length of at most eight bytes, packed as numbers
	keysVariable = 2
)

var errBlock = errors.New("malformed block")

// block is a view of a data block's bytes.
type block struct {
	data []byte // without the checksum
	rows int
	head *blockHead
}

// blockKeys is a view of the keys section:
//
//	form u8, width u8, length u16 (fixed: of a suffix), prefix length u32,
//	prefix, then
//	fixed:    base u64, rows × (suffix as big-endian number - base) packed
//	variable: rows × end packed, suffixes
type blockKeys struct {
	packed []byte
	blob   []byte
	base   uint64 // its low length bytes count
	width  int
	length int // of a suffix; -1 in the variable form
}

// section returns the bytes of section s.
func (b *block) section(s int) []byte {
	at := blockHeader + 4*s
	lo, hi := binary.LittleEndian.Uint32(b.data[at:]), binary.LittleEndian.Uint32(b.data[at+4:])
	return b.data[lo:hi:hi]
}

// view makes b the block of data, which checkBlock has passed, with its head.
// It does not look at the data.
func (b *block) view(data []byte, h *blockHead) {
	b.data, b.rows, b.head = data, int(h.rows), h
}

// appendKey appends the key of row i to dst.
func (b *block) appendKey(dst []byte, i int) []byte {
	h := b.head
	dst = append(dst, b.data[h.prefix:][:h.prefixLength]...)
	if h.length < 0 {
		return append(dst, h.suffix(b.data, i)...)
	}
	var be [8]byte
	binary.BigEndian.PutUint64(be[:], (h.base+h.number(b.data, i))<<(64-8*uint(h.length)))
	return append(dst, be[:h.length]...)
}

func parseKeys(s []byte, rows int) (k blockKeys, err error) {
	if len(s) < keysHeader {
		return k, errBlock
	}
	form := s[0]
	k.width, k.length = int(s[1]), int(binary.LittleEndian.Uint16(s[2:]))
	prefix := uint64(binary.LittleEndian.Uint32(s[4:]))
	s = s[keysHeader:]
	if prefix > uint64(len(s)) || k.width > 64 || k.width > column.PackedWidth(1<<57-1) && k.width != 64 {
		return k, errBlock
	}
	s = s[prefix:]
	switch {
	case form == keysFixed && k.length <= 8 && len(s) == 8+column.PackedSize(rows, k.width):
		k.base, k.packed = binary.LittleEndian.Uint64(s), s[8:]
	case form == keysVariable && len(s) >= column.PackedSize(rows, k.width):
		n := column.PackedSize(rows, k.width)
		k.length, k.packed, k.blob = -1, s[:n:n], s[n:]
	default:
		return k, errBlock
	}
	return k, nil
}

// suffix returns the variable-length suffix of row i.
func (k *blockKeys) suffix(i int) []byte {
	var lo uint64
	if i > 0 {
		lo = column.PackedAt(k.packed, i-1, k.width)
	}
	hi := column.PackedAt(k.packed, i, k.width)
	return k.blob[lo:hi:hi]
}

func sectionBit(s []byte, i int) bool { return len(s) > 0 && s[i>>3]&(1<<(uint(i)&7)) != 0 }

// repeats reports whether row i has the key of row i-1 of the same block.
func (b *block) repeats(i int) bool { return sectionBit(b.section(sectionRepeats), i) }

// tombstone reports whether row i is a tombstone.
func (b *block) tombstone(i int) bool { return sectionBit(b.section(sectionTombstones), i) }

// column returns the view of column c, of kind k.
func (b *block) column(c int, k column.Kind) column.Encoded {
	e, _ := column.ParseEncoded(b.section(sectionColumns+c), k, b.rows) // checkBlock saw the error
	return e
}

func (b *block) versions() column.Encoded {
	e, _ := column.ParseEncoded(b.section(sectionVersions), column.Int, b.rows)
	return e
}

// successor returns the successor key of row i, nil when it has none.
func (b *block) successor(i int) []byte {
	s := b.section(sectionSuccessors)
	if len(s) == 0 {
		return nil
	}
	e, _ := column.ParseEncoded(s, column.Bytes, b.rows)
	return e.Datum(i).B
}

// checkBlock verifies that data is a data block of the schema, so that
// reading any cell of it cannot fail.
func checkBlock(data []byte, schema []column.Kind) error {
	if len(data) < blockHeader {
		return errBlock
	}
	rows, sections := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
	if rows == 0 || rows > maxBlockRows || sections != uint32(sectionColumns+len(schema)) {
		return errBlock
	}
	last := uint32(blockHeader) + 4*(sections+1)
	if uint64(last) > uint64(len(data)) || binary.LittleEndian.Uint32(data[blockHeader:]) != last {
		return errBlock
	}
	for s := range sections {
		at := binary.LittleEndian.Uint32(data[blockHeader+4*(s+1):])
		if at < last || uint64(at) > uint64(len(data)) {
			return errBlock
		}
		last = at
	}
	b := block{data: data, rows: int(rows)}
	if err := b.checkKeys(); err != nil {
		return err
	}
	bitmap := (b.rows + 7) / 8
	for _, s := range []int{sectionTombstones, sectionRepeats} {
		if n := len(b.section(s)); n != 0 && n != bitmap {
			return errBlock
		}
	}
	if err := checkColumn(b.section(sectionVersions), column.Int, b.rows); err != nil {
		return err
	}
	if s := b.section(sectionSuccessors); len(s) > 0 {
		if err := checkColumn(s, column.Bytes, b.rows); err != nil {
			return err
		}
	}
	for c, k := range schema {
		if err := checkColumn(b.section(sectionColumns+c), k, b.rows); err != nil {
			return err
		}
	}
	return nil
}

func checkColumn(s []byte, k column.Kind, rows int) error {
	e, err := column.ParseEncoded(s, k, rows)
	if err != nil {
		return err
	}
	return e.Check()
}

// checkKeys verifies the keys section and that the keys ascend, equal ones
// marked as repeats.
func (b *block) checkKeys() error {
	k, err := parseKeys(b.section(sectionKeys), b.rows)
	if err != nil {
		return err
	}
	if n := len(b.section(sectionRepeats)); n != 0 && n != (b.rows+7)/8 {
		return errBlock
	}
	var lastEnd, lastNumber uint64
	for i := range b.rows {
		x := column.PackedAt(k.packed, i, k.width)
		var c int
		if k.length < 0 {
			if x < lastEnd || x > uint64(len(k.blob)) {
				return errBlock
			}
			lastEnd = x
			if i > 0 {
				c = bytes.Compare(k.suffix(i-1), k.suffix(i))
			}
		} else {
			if k.base+x < k.base || k.length < 8 && (k.base+x)>>(8*uint(k.length)) != 0 {
				return errBlock
			}
			if i > 0 && x <= lastNumber {
				c = 1
				if x == lastNumber {
					c = 0
				}
			} else {
				c = -1
			}
			lastNumber = x
		}
		if i > 0 && (c > 0 || (c == 0) != b.repeats(i)) {
			return errBlock
		}
	}
	return nil
}
