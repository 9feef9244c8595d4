package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"sync/atomic"

	"github.com/klauspost/compress/s2"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

// OpenOptions configure a reader.
type OpenOptions struct {
	// Timestamp, if not 0, is the commit timestamp of every row: a bulk load
	// writes its segments before it knows the timestamp of its commit.
	Timestamp uint64
}

// Reader reads a segment. Its methods may be called concurrently; iterators
// and options belong to one goroutine each.
type Reader struct {
	fences *fences
	slots  []cache.Slot // of data blocks, and behind them of index blocks
	cache  *cache.Cache
	id     uint64 // of the file in the cache
	info   Info
	ts     uint64 // OpenOptions.Timestamp
	file   vfs.File
	path   string
	index  []handle
	end    uint64           // where the blocks end and the footer starts
	damage *CorruptionError // of a segment that cannot be read at all

	lookups, mispredictions atomic.Int64 // see Usage
}

// Open opens the segment name in dir and verifies its header, footer and model.
func Open(fs vfs.FS, dir, name string, c *cache.Cache, o OpenOptions) (*Reader, error) {
	r := &Reader{path: path.Join(dir, name), cache: c, ts: o.Timestamp}
	var err error
	if r.file, err = fs.Open(r.path); err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	if err := r.readFooter(name); err != nil {
		_ = r.file.Close() // only read from
		return nil, err
	}
	r.id = c.NewFile()
	r.slots = make([]cache.Slot, r.fences.count()+len(r.index))
	return r, nil
}

// Stamp gives every row its commit timestamp, as OpenOptions.Timestamp does.
// Nobody else may use the reader yet.
func (r *Reader) Stamp(ts uint64) {
	r.ts = ts
	r.info.MinTS, r.info.MaxTS = ts, ts
}

// Close closes the file. No iterator may be open.
func (r *Reader) Close() error { return r.file.Close() }

// Info describes the segment. The caller must not change what it points to.
func (r *Reader) Info() *Info { return &r.info }

// Extents returns the number of stretches of rows that have zone maps.
func (r *Reader) Extents() int { return (r.fences.count() + extentBlocks - 1) / extentBlocks }

func (r *Reader) corrupt(offset int64, detail string) error {
	return &CorruptionError{File: r.path, Offset: offset, Detail: detail, Store: r.info.Store}
}

// readAt reads exactly len(b) bytes; a file that is too short is damaged.
func (r *Reader) readAt(b []byte, offset int64) error {
	if r.damage != nil {
		return r.damage
	}
	n, err := r.file.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return r.corrupt(offset+int64(n), "the file ends early")
	}
	return fmt.Errorf("read segment %s at %d: %w", r.path, offset, err)
}

func (r *Reader) readFooter(name string) error {
	size, err := r.file.Size()
	if err != nil {
		return fmt.Errorf("open segment: %w", err)
	}
	if size < headerSize+trailerSize {
		return r.corrupt(size, "the file ends early")
	}
	var t [trailerSize]byte
	at := size - trailerSize
	if err := r.readAt(t[:], at); err != nil {
		return err
	}
	if string(t[32:]) != trailerMagic || crc32.Checksum(t[:28], castagnoli) != binary.LittleEndian.Uint32(t[28:]) {
		return r.corrupt(at, "damaged trailer")
	}
	v := binary.LittleEndian.Uint32(t[24:])
	if v == 0 || v > formatVersion {
		return &VersionError{File: r.path, Version: int(v)}
	}
	var head [headerSize]byte
	if err := r.readAt(head[:], 0); err != nil {
		return err
	}
	if !bytes.Equal(head[:], appendHeader(nil, v)) {
		return r.corrupt(0, "damaged header")
	}
	offset, length := binary.LittleEndian.Uint64(t[:]), uint64(binary.LittleEndian.Uint32(t[8:]))
	if binary.LittleEndian.Uint64(t[16:]) != uint64(size) || offset < headerSize || offset > uint64(at) || uint64(at)-offset != length {
		return r.corrupt(at, "the trailer is that of a file of another length")
	}
	body := make([]byte, length)
	if err := r.readAt(body, int64(offset)); err != nil {
		return err
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(t[12:]) {
		return r.corrupt(int64(offset), "damaged footer")
	}
	f, err := parseFooter(body, offset, v)
	if err != nil {
		return r.corrupt(int64(offset), err.Error())
	}
	r.info, r.fences, r.index, r.end = f.info, f.fences, f.index, offset
	f.describe()
	r.info.ModelKind, r.info.ModelError, r.info.ModelBytes, r.info.FenceBytes = f.info.ModelKind, f.info.ModelError, f.info.ModelBytes, f.info.FenceBytes
	r.info.Name, r.info.Size = name, size
	if r.ts != 0 {
		r.info.MinTS, r.info.MaxTS = r.ts, r.ts
	}
	return nil
}

// nameOf names a block in the cache: one with a slot by its number, so that
// the table of offsets is left alone, a value block by its offset.
func (r *Reader) nameOf(slot int, offset uint64) (*cache.Slot, uint64) {
	if slot < 0 {
		return nil, offset
	}
	return &r.slots[slot], dataName | uint64(slot)
}

// dataName marks the names of blocks with a slot.
const dataName = 1 << 63

// cached returns a block, pinned, if the cache has it: that of a slot, or,
// with a negative slot, the one at offset.
func (r *Reader) cached(slot int, offset uint64, st *Stats) (cache.Block, bool) {
	way, name := r.nameOf(slot, offset)
	b, ok := r.cache.Get(way, r.id, name)
	if ok && st != nil {
		st.CacheHits++
	}
	return b, ok
}

// load reads length bytes (checksum included) at offset into the cache and
// returns them pinned. check, if not nil, sees the content behind the checksum
// and notes what it wants in the head.
func (r *Reader) load(slot int, offset uint64, length uint32, check func([]byte, *cache.Head) error, st *Stats) (cache.Block, error) {
	if st != nil {
		st.BlocksRead++
		st.BytesRead += int64(length)
	}
	way, name := r.nameOf(slot, offset)
	return r.cache.Load(way, r.id, name, int(length), func(p []byte, h *cache.Head) error {
		if err := r.readAt(p, int64(offset)); err != nil {
			return err
		}
		return r.checkSum(p, int64(offset), h, check)
	})
}

// checkSum verifies p, a stretch of the file with its checksum at the end.
func (r *Reader) checkSum(p []byte, offset int64, h *cache.Head, check func([]byte, *cache.Head) error) error {
	data := p[:len(p)-crcSize]
	if crc32.Checksum(data, castagnoli) != binary.LittleEndian.Uint32(p[len(data):]) {
		return r.corrupt(offset, "checksum of a block")
	}
	if check != nil {
		if err := check(data, h); err != nil {
			return r.corrupt(offset, err.Error())
		}
	}
	return nil
}

// pinned is a data block and the pin that keeps it.
type pinned struct {
	block
	pin cache.Block
}

// pinBlock makes b data block i, pinned.
func (r *Reader) pinBlock(b *pinned, i int, st *Stats) error {
	if err := r.pinData(&b.pin, i, st); err != nil {
		return err
	}
	b.view(blockData(&b.pin), headOf(b.pin.Head()))
	return nil
}

// pinData pins data block i.
func (r *Reader) pinData(pin *cache.Block, i int, st *Stats) (err error) {
	if r.cache.Pin(pin, &r.slots[i], r.id, dataName|uint64(i)) {
		if st != nil {
			st.CacheHits++
		}
		return nil
	}
	*pin, err = r.load(i, uint64(r.fences.offset(i)), r.fences.lengths[i], func(data []byte, h *cache.Head) error { return r.checkData(i, data, headOf(h), true) }, st)
	return err
}

// checkData verifies data block i and makes its head, for searches with the
// model of its rows.
func (r *Reader) checkData(i int, data []byte, h *blockHead, searched bool) error {
	if err := checkBlock(data, r.info.Schema.Columns); err != nil {
		return err
	}
	if int(binary.LittleEndian.Uint32(data)) != r.fences.blockRows(i) {
		return errBlock
	}
	h.set(data, r.info.Schema.Columns, r.fences.prefix.Bytes())
	if searched {
		h.learn(data)
	}
	return nil
}

// zones fills dst with the zone maps of an extent, by column.
func (r *Reader) zones(extent int, dst []Zone, st *Stats) ([]Zone, error) {
	h, slot := r.index[extent/extentsPerIndex], r.fences.count()+extent/extentsPerIndex
	pin, ok := r.cached(slot, h.offset, st)
	if !ok {
		var err error
		if pin, err = r.load(slot, h.offset, h.length, nil, st); err != nil {
			return nil, err
		}
	}
	defer pin.Release()
	cols := len(r.info.Schema.Columns)
	b := pin.Data[:len(pin.Data)-crcSize]
	at := extent % extentsPerIndex * cols * zoneSize
	if at+cols*zoneSize > len(b) {
		return nil, r.corrupt(int64(h.offset), "malformed index block")
	}
	dst = dst[:0]
	for c := range cols {
		dst = append(dst, readZone(b[at+c*zoneSize:]))
	}
	return dst, nil
}

// reference decodes the cell of a wide value.
func (r *Reader) reference(cell []byte) (valueRef, error) {
	ref, ok := parseRef(cell)
	if !ok || ref.offset < headerSize || ref.offset > r.end || uint64(ref.stored)+crcSize > r.end-ref.offset {
		return ref, r.corrupt(int64(r.end), "malformed reference to a value block")
	}
	return ref, nil
}

// appendValue appends the wide value that cell refers to to dst.
func (r *Reader) appendValue(dst, cell []byte, st *Stats) ([]byte, error) {
	ref, err := r.reference(cell)
	if err != nil {
		return nil, err
	}
	pin, ok := r.cached(-1, ref.offset, st)
	if !ok {
		if pin, err = r.load(-1, ref.offset, ref.stored+crcSize, nil, st); err != nil {
			return nil, err
		}
	}
	defer pin.Release()
	return r.unpackValue(dst, pin.Data[:len(pin.Data)-crcSize], ref)
}

// appendValuePast is appendValue past the cache, for readers that come once.
// scratch is memory for the stored form and is returned.
func (r *Reader) appendValuePast(dst, cell, scratch []byte) (value, newScratch []byte, err error) {
	ref, err := r.reference(cell)
	if err != nil {
		return nil, scratch, err
	}
	n := int(ref.stored) + crcSize
	if cap(scratch) < n {
		scratch = make([]byte, n)
	}
	p := scratch[:n]
	if err := r.readAt(p, int64(ref.offset)); err != nil {
		return nil, scratch, err
	}
	if err := r.checkSum(p, int64(ref.offset), nil, nil); err != nil {
		return nil, scratch, err
	}
	dst, err = r.unpackValue(dst, p[:ref.stored], ref)
	return dst, scratch, err
}

// unpackValue appends the value whose stored form is data to dst.
func (r *Reader) unpackValue(dst, data []byte, ref valueRef) ([]byte, error) {
	if ref.codec == codecPlain {
		return append(dst, data...), nil
	}
	n, err := s2.DecodedLen(data)
	if err != nil || n != int(ref.length) {
		return nil, r.corrupt(int64(ref.offset), "malformed compressed value")
	}
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	if _, err := s2.Decode(dst[at:], data); err != nil {
		return nil, r.corrupt(int64(ref.offset), "malformed compressed value")
	}
	return dst, nil
}

// versionAt returns the commit timestamp of a row of b.
func (r *Reader) versionAt(b *block, row int) uint64 {
	if r.ts != 0 {
		return r.ts
	}
	versions := b.versions()
	return uint64(versions.NumberAt(row))
}

// version returns the commit timestamp of row i.
func (r *Reader) version(v *column.Encoded, i int) uint64 {
	if r.ts != 0 {
		return r.ts
	}
	return uint64(v.NumberAt(i))
}
