package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
)

const (
	// Suffix ends the names of segment files.
	Suffix = ".seg"

	nameBytes = 20 // of the content's SHA-256

	formatVersion = 2 // 2: with the most common values of columns
	headerMagic   = "OMENSEG\n"
	trailerMagic  = "\nGESNEMO"
	headerSize    = 16 // magic, version u32, zero u32
	trailerSize   = 40

	codecPlain = 0
	codecS2    = 1
	refSize    = 17
)

var (
	errFooter   = errors.New("malformed footer")
	errFinished = errors.New("segment writer: already finished")
)

func appendHeader(dst []byte, version uint32) []byte {
	dst = append(dst, headerMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, version)
	return binary.LittleEndian.AppendUint32(dst, 0)
}

// handle names a stretch of the file, its checksum included.
type handle struct {
	offset uint64
	length uint32
}

// valueRef is what stands in the cell of a wide value: offset u64, stored
// length u32 (without checksum), length u32, codec u8.
type valueRef struct {
	offset uint64
	stored uint32
	length uint32
	codec  byte
}

func (r valueRef) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, r.offset)
	dst = binary.LittleEndian.AppendUint32(dst, r.stored)
	dst = binary.LittleEndian.AppendUint32(dst, r.length)
	return append(dst, r.codec)
}

func parseRef(b []byte) (r valueRef, ok bool) {
	if len(b) != refSize {
		return r, false
	}
	r = valueRef{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:]), b[16]}
	return r, r.codec == codecPlain && r.stored == r.length || r.codec == codecS2
}

// footer is the decoded form of everything behind the blocks.
type footer struct {
	info   Info
	fences *fences
	index  []handle // of index blocks
}

// append encodes the footer and the trailer; at is the footer's file offset.
func (f *footer) append(dst []byte, at uint64) []byte {
	start := len(dst)
	dst = f.appendInfo(dst)
	fe := f.fences
	dst = appendString(dst, fe.prefix.Bytes())
	for i, c := range fe.chunks {
		dst = binary.LittleEndian.AppendUint64(dst, c)
		dst = binary.LittleEndian.AppendUint32(dst, fe.offsets[i])
		dst = binary.LittleEndian.AppendUint32(dst, fe.lengths[i])
		dst = binary.LittleEndian.AppendUint32(dst, fe.rows[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(fe.ends)))
	for _, e := range fe.ends {
		dst = binary.LittleEndian.AppendUint32(dst, e)
	}
	dst = appendString(dst, fe.tails)
	dst = binary.AppendUvarint(dst, uint64(len(fe.continued)))
	for _, word := range fe.continued {
		dst = binary.LittleEndian.AppendUint64(dst, word)
	}
	for _, h := range f.index {
		dst = binary.LittleEndian.AppendUint64(dst, h.offset)
		dst = binary.LittleEndian.AppendUint32(dst, h.length)
	}
	var model []byte
	if fe.model != nil {
		model = fe.model.Append(nil)
	}
	dst = appendString(dst, model)

	body := dst[start:]
	trailer := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, at)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(body, castagnoli))
	dst = binary.LittleEndian.AppendUint64(dst, at+uint64(len(body))+trailerSize)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[trailer:], castagnoli))
	return append(dst, trailerMagic...)
}

func (f *footer) appendInfo(dst []byte) []byte {
	in := &f.info
	dst = binary.AppendUvarint(dst, uint64(len(in.Schema.Columns)))
	for _, k := range in.Schema.Columns {
		dst = append(dst, byte(k))
	}
	for _, x := range []uint64{in.Store, in.Nonce, in.Rows, in.Keys, in.Tombstones, in.MinTS, in.MaxTS, uint64(in.Blocks)} {
		dst = binary.AppendUvarint(dst, x)
	}
	dst = appendString(dst, in.MinKey)
	dst = appendString(dst, in.MaxKey)
	for i := range in.Columns {
		c := &in.Columns[i]
		dst = c.Zone.append(dst)
		dst = binary.AppendUvarint(dst, uint64(c.Bytes))
		dst = c.Sketch.append(dst)
		dst = c.Frequent.append(dst, in.Schema.Columns[i])
	}
	return dst
}

func appendString(dst, s []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// footerReader reads the parts of a footer; after an error it reads zeros.
type footerReader struct {
	b   []byte
	bad bool
	err error // what is bad, if that is known
}

func (r *footerReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	part := r.b[:n:n]
	r.b = r.b[n:]
	return part
}

func (r *footerReader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *footerReader) string() []byte { return r.take(r.uvarint()) }

// count reads a number of things of size bytes each that must follow.
func (r *footerReader) count(size uint64) int {
	n := r.uvarint()
	if n > uint64(len(r.b))/size {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *footerReader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *footerReader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// parseFooter decodes a footer body of a format version, whose checksum was right;
// end is the offset at which the blocks end.
func parseFooter(body []byte, end uint64, version uint32) (*footer, error) {
	r := &footerReader{b: bytes.Clone(body)}
	f := &footer{fences: &fences{}}
	f.readInfo(r, version)
	f.readFences(r)
	if !r.bad {
		n := (f.info.Blocks + extentBlocks*extentsPerIndex - 1) / (extentBlocks * extentsPerIndex)
		if len(f.info.Schema.Columns) == 0 {
			n = 0
		}
		for range n {
			h := handle{offset: r.u64()}
			h.length = r.u32()
			if h.length < crcSize || h.offset > end || uint64(h.length) > end-h.offset {
				r.bad = true
			}
			f.index = append(f.index, h)
		}
	}
	if model := r.string(); len(model) > 0 {
		m, err := learned.Parse(model, len(f.fences.chunks))
		if err != nil {
			return nil, err
		}
		f.fences.model = m
	}
	if r.err != nil {
		return nil, r.err
	}
	if r.bad || len(r.b) != 0 {
		return nil, errFooter
	}
	if err := f.fences.check(end, f.info.Rows); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *footer) readInfo(r *footerReader, version uint32) {
	in := &f.info
	for range r.count(1) {
		k := column.Kind(0)
		if b := r.take(1); b != nil {
			k = column.Kind(b[0])
		}
		r.bad = r.bad || k < column.Int || k > column.Bytes
		in.Schema.Columns = append(in.Schema.Columns, k)
	}
	var blocks uint64
	for _, p := range []*uint64{&in.Store, &in.Nonce, &in.Rows, &in.Keys, &in.Tombstones, &in.MinTS, &in.MaxTS, &blocks} {
		*p = r.uvarint()
	}
	if blocks > uint64(len(r.b))/20 { // every block has 20 bytes in the footer
		r.bad = true
		blocks = 0
	}
	in.Blocks = int(blocks)
	in.MinKey, in.MaxKey = r.string(), r.string()
	for _, k := range in.Schema.Columns {
		var c ColumnStats
		if b := r.take(zoneSize); b != nil {
			c.Zone = readZone(b)
		}
		c.Bytes = int64(r.uvarint())
		if r.bad {
			return
		}
		s, rest, err := parseSketch(r.b)
		if err != nil {
			r.bad = true
			return
		}
		c.Sketch, r.b = s, rest
		if c.Zone.Rows != in.Rows || c.Zone.Nulls > in.Rows {
			r.bad = true
			return
		}
		if version >= 2 {
			c.Frequent = readFrequent(r, k, in.Rows-c.Zone.Nulls)
		}
		in.Columns = append(in.Columns, c)
	}
}

func (f *footer) readFences(r *footerReader) {
	fe, n := f.fences, f.info.Blocks
	fe.prefix = learned.PrefixOf(r.string())
	if r.bad || uint64(n) > uint64(len(r.b))/20 {
		r.bad = true
		return
	}
	fe.chunks = make([]uint64, n)
	fe.offsets, fe.lengths, fe.rows = make([]uint32, n), make([]uint32, n), make([]uint32, n+1)
	for i := range n {
		fe.chunks[i] = r.u64()
		fe.offsets[i], fe.lengths[i], fe.rows[i] = r.u32(), r.u32(), r.u32()
	}
	fe.rows[n] = uint32(f.info.Rows)
	for range r.count(4) {
		fe.ends = append(fe.ends, r.u32())
	}
	fe.tails = r.string()
	for range r.count(8) {
		fe.continued = append(fe.continued, r.u64())
	}
}

// check verifies what searching the fences relies on.
func (f *fences) check(end, rows uint64) error {
	if rows > MaxRows || (rows == 0) != (len(f.chunks) == 0) || len(f.ends) != 0 && len(f.ends) != len(f.chunks) {
		return errFences
	}
	last := uint32(0)
	for _, e := range f.ends {
		if e < last {
			return errFences
		}
		last = e
	}
	if int(last) != len(f.tails) || f.continued.Get(0) {
		return errFences
	}
	at := uint64(headerSize)
	for i, c := range f.chunks {
		if i > 0 && c < f.chunks[i-1] || f.rows[i] >= f.rows[i+1] || i == 0 && f.rows[0] != 0 {
			return errFences
		}
		if uint64(f.offset(i)) < at || f.lengths[i] < crcSize+blockHeader {
			return errFences
		}
		at = uint64(f.offset(i)) + uint64(f.lengths[i])
		if len(f.ends) > 0 && learned.Chunk(f.tail(i)) != c {
			return errFences
		}
	}
	if at > end || f.model != nil && !f.model.Verify(f.chunks) {
		return errFences
	}
	return nil
}

// train fits a model to the fences; it is dropped when binary search is as good.
func (f *fences) train() {
	if m := learned.Fit(f.chunks); m.Kind() != learned.BinarySearch {
		f.model = m
	}
}

// describe fills the part of Info that follows from the fences.
func (f *footer) describe() {
	f.info.FenceBytes = f.fences.bytes()
	f.info.ModelKind = learned.BinarySearch.String()
	if m := f.fences.model; m != nil {
		f.info.ModelKind, f.info.ModelError, f.info.ModelBytes = m.Kind().String(), m.MaxError(), m.Bytes()
	}
}
