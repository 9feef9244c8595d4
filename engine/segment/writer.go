package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"path"

	"github.com/klauspost/compress/s2"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

const (
	// DefaultBlockBytes is the aim for a data block: one cold read fetches
	// one block, and a block's share of fences is 20 bytes.
	DefaultBlockBytes = 12 << 10

	// DefaultWideBytes is the length from which a byte string moves to a
	// value block of its own: a few of them would fill a data block.
	DefaultWideBytes = 2 << 10

	// batchRows is the aim for the greatest number of rows in a block, so
	// that one block never exceeds a batch; only versions of one key do.
	batchRows = column.BatchSize

	// maxBlockRows bounds blocks that versions of one key make larger.
	maxBlockRows = 4 * batchRows

	// MaxRows is the greatest number of rows in a segment: row counts are 32 bits.
	MaxRows = 1<<32 - 1

	// extentBlocks data blocks share a zone map; extentsPerIndex zone maps
	// stand in one index block.
	extentBlocks    = 8
	extentsPerIndex = 32

	// writeBytes are collected before they are written to the file.
	writeBytes = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriterOptions configure a writer.
type WriterOptions struct {
	// Store and Nonce are recorded in the segment and make its content, and
	// so its name, unique. Two writers that work at the same time in one
	// directory must differ in one of them.
	Store, Nonce uint64
	// BlockBytes and WideBytes are the defaults above when 0.
	BlockBytes, WideBytes int
	// Missing holds, by column number, the value of columns that a row given
	// to Add is too short to have; NULL beyond it.
	Missing []column.Datum
	// Beside, if it is not nil, starts fn on another processor and returns
	// what waits for its end: what has been collected is hashed and written
	// while the next blocks are encoded. It costs another buffer.
	Beside func(fn func()) (wait func())
}

// Writer writes a segment in one pass. Its memory does not grow with the
// rows, except for the fences (about 30 bytes per block). Any error of Add is
// returned again by Finish. The caller ends with either Finish or Abort.
type Writer struct {
	fs   vfs.FS
	dir  string
	temp string
	opts WriterOptions

	file vfs.File
	hash hash.Hash
	buf  []byte
	at   int64 // file offset of buf's end
	err  error

	wait   func() // for the write beside; nil = there is none
	other  []byte // what it writes
	beside error  // why it failed

	block    *blockBuilder
	ratio    float64 // encoded length of the last blocks by their raw length
	lastKey  []byte
	lastTS   uint64
	fences   fences
	whole    [][]byte
	wholeMem arena
	prevLast []byte // last key of the block before

	zones   []Zone // of the current extent, by column
	index   []byte // zone maps of the current index block
	footer  footer
	scratch []byte
}

// NewWriter returns a writer of a new segment in dir.
func NewWriter(fs vfs.FS, dir string, schema Schema, o WriterOptions) *Writer {
	if o.BlockBytes == 0 {
		o.BlockBytes = DefaultBlockBytes
	}
	if o.WideBytes == 0 {
		o.WideBytes = DefaultWideBytes
	}
	w := &Writer{fs: fs, dir: dir, opts: o, hash: sha256.New(), ratio: 1,
		temp:  path.Join(dir, fmt.Sprintf("segment-%x-%x.tmp", o.Store, o.Nonce)),
		block: newBlockBuilder(schema.Columns),
		zones: make([]Zone, len(schema.Columns)),
	}
	w.footer.info.Schema = schema
	w.footer.info.Store, w.footer.info.Nonce = o.Store, o.Nonce
	w.footer.info.Columns = make([]ColumnStats, len(schema.Columns))
	w.file, w.err = fs.Create(w.temp)
	if w.err != nil {
		w.err = fmt.Errorf("create segment: %w", w.err)
	}
	w.emit(appendHeader(nil, formatVersion))
	return w
}

// Add appends a version of a row. Keys ascend; versions of a key descend in
// ts. The row of a tombstone is ignored. It panics when the order is broken.
func (w *Writer) Add(key []byte, ts uint64, deleted bool, successor []byte, row []column.Datum) error {
	if w.err != nil {
		return w.err
	}
	info := &w.footer.info
	c := 1
	if info.Rows > 0 {
		c = bytes.Compare(key, w.lastKey)
	}
	if c < 0 || c == 0 && ts >= w.lastTS {
		panic(fmt.Sprintf("segment: key %x at %d after %x at %d", key, ts, w.lastKey, w.lastTS))
	}
	if info.Rows == MaxRows {
		w.err = fmt.Errorf("segment: more than %d rows", uint64(MaxRows))
		return w.err
	}
	if w.blockFull(c == 0) {
		w.flushBlock(c == 0)
	}
	if w.block.rows() == 0 {
		w.addFence(key, c == 0)
	}
	w.block.addKey(key, ts, c == 0, deleted, successor)
	w.addCells(deleted, row)
	w.count(key, ts, c, deleted)
	return w.err
}

// blockFull reports whether the next row starts a block. Versions of one key
// stay together up to a multiple of the limits.
func (w *Writer) blockFull(repeat bool) bool {
	rows, size := w.block.rows(), int(float64(w.block.raw)*w.ratio)
	if repeat {
		return rows >= maxBlockRows || size >= 4*w.opts.BlockBytes
	}
	return rows >= batchRows || size >= w.opts.BlockBytes
}

func (w *Writer) addFence(key []byte, continued bool) {
	i := len(w.whole)
	fence := key
	switch {
	case continued:
		w.fences.continued.Set(i)
	case i > 0:
		fence = key[:separator(w.prevLast, key)]
	default:
		fence = bytes.TrimRight(key, "\x00")
	}
	w.whole = append(w.whole, w.wholeMem.copy(fence))
	w.fences.rows = append(w.fences.rows, uint32(w.footer.info.Rows))
}

func (w *Writer) addCells(deleted bool, row []column.Datum) {
	for c, k := range w.block.schema {
		d := column.Null()
		switch {
		case deleted:
		case c < len(row):
			d = row[c]
		case c < len(w.opts.Missing):
			d = w.opts.Missing[c]
		}
		w.zones[c].add(k, d)
		wide := false
		if !d.Null {
			st := &w.footer.info.Columns[c]
			if k == column.Bytes {
				st.Bytes += int64(len(d.B))
				st.Sketch.Add(column.HashBytes(d.B))
				if wide = len(d.B) >= w.opts.WideBytes; wide {
					d.B = w.writeValue(d.B)
				}
			} else {
				st.Sketch.Add(column.HashUint64(uint64(d.I)))
			}
		}
		w.block.addCell(c, d, wide)
	}
}

func (w *Writer) count(key []byte, ts uint64, c int, deleted bool) {
	info := &w.footer.info
	if info.Rows == 0 {
		info.MinKey = bytes.Clone(key)
		info.MinTS, info.MaxTS = ts, ts
	}
	info.MinTS, info.MaxTS = min(info.MinTS, ts), max(info.MaxTS, ts)
	info.Rows++
	if c != 0 {
		info.Keys++
		w.lastKey = append(w.lastKey[:0], key...)
	}
	if deleted {
		info.Tombstones++
	}
	w.lastTS = ts
}

// writeValue writes a wide value as a block of its own and returns the
// reference that stands in its cell, valid until the next call.
func (w *Writer) writeValue(v []byte) []byte {
	stored, codec := v, byte(codecPlain)
	w.scratch = s2.Encode(w.scratch[:cap(w.scratch)], v)
	if len(w.scratch) < len(v)-len(v)/8 {
		stored, codec = w.scratch, codecS2
	}
	ref := valueRef{offset: uint64(w.at), stored: uint32(len(stored)), length: uint32(len(v)), codec: codec}
	w.emitBlock(stored)
	return ref.append(nil)
}

// flushBlock writes the rows collected as a data block.
func (w *Writer) flushBlock(continues bool) {
	b := w.block
	if b.rows() == 0 {
		return
	}
	data := b.encode()
	w.ratio = 0.5*w.ratio + 0.5*float64(len(data))/float64(b.raw)
	w.fences.offsets = append(w.fences.offsets, uint32(w.at/blockAlign))
	w.fences.lengths = append(w.fences.lengths, uint32(len(data)+crcSize))
	w.emitBlock(data)
	if !continues {
		w.prevLast = append(w.prevLast[:0], b.keys[b.rows()-1]...)
	}
	b.reset()
	if len(w.fences.offsets)%extentBlocks == 0 {
		w.endExtent()
	}
}

// endExtent adds the zone map of the current extent to the index block.
func (w *Writer) endExtent() {
	for c, z := range w.zones {
		w.index = z.append(w.index)
		w.footer.info.Columns[c].Zone.merge(z)
		w.zones[c] = Zone{}
	}
	if len(w.fences.offsets)%(extentBlocks*extentsPerIndex) == 0 {
		w.endIndex()
	}
}

func (w *Writer) endIndex() {
	w.footer.index = append(w.footer.index, handle{offset: uint64(w.at), length: uint32(len(w.index) + crcSize)})
	w.emitBlock(w.index)
	w.index = w.index[:0]
}

// emitBlock writes data with its checksum, padded to the alignment of blocks.
func (w *Writer) emitBlock(data []byte) {
	w.emit(data)
	w.emit(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(data, castagnoli)))
	var pad [blockAlign]byte
	w.emit(pad[:-w.at&(blockAlign-1)])
}

func (w *Writer) emit(b []byte) {
	w.at += int64(len(b))
	w.buf = append(w.buf, b...)
	if len(w.buf) >= writeBytes {
		w.flush()
	}
}

func (w *Writer) flush() {
	w.settle()
	full, at := w.buf, w.at-int64(len(w.buf))
	switch {
	case w.err != nil || len(full) == 0:
		w.buf = full[:0]
	case w.opts.Beside == nil:
		w.err = w.write(full, at)
		w.buf = full[:0]
	default:
		w.buf, w.other = w.other[:0], full
		w.wait = w.opts.Beside(func() { w.beside = w.write(full, at) })
	}
}

func (w *Writer) write(b []byte, at int64) error {
	w.hash.Write(b)
	if _, err := w.file.WriteAt(b, at); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}

// settle waits for the write beside.
func (w *Writer) settle() {
	if w.wait == nil {
		return
	}
	w.wait()
	w.wait = nil
	if w.err == nil {
		w.err = w.beside
	}
}

// Bytes returns the length of the file so far.
func (w *Writer) Bytes() int64 { return w.at }

// Rows returns the number of rows added.
func (w *Writer) Rows() uint64 { return w.footer.info.Rows }

// Finish completes the segment and makes it durable under its final name,
// the hash of its content.
func (w *Writer) Finish() (Info, error) {
	w.flushBlock(false)
	if len(w.fences.offsets)%extentBlocks != 0 {
		w.endExtent()
	}
	if len(w.index) > 0 {
		w.endIndex()
	}
	info := &w.footer.info
	info.MaxKey = bytes.Clone(w.lastKey)
	info.Blocks = len(w.fences.offsets)
	for c, k := range info.Schema.Columns {
		st := &info.Columns[c]
		st.Frequent = w.block.frequent[c].list(k, st.Zone.Rows-st.Zone.Nulls)
	}
	w.fences.rows = append(w.fences.rows, uint32(info.Rows))
	w.fences.setKeys(w.whole)
	w.fences.train()
	w.footer.fences = &w.fences
	if w.at/blockAlign > 1<<32-1 && w.err == nil {
		w.err = fmt.Errorf("segment: file of %d bytes is too long", w.at)
	}
	w.emit(w.footer.append(nil, uint64(w.at)))
	w.flush()
	w.settle()
	info.Size = w.at
	info.Name = hex.EncodeToString(w.hash.Sum(nil)[:nameBytes]) + Suffix
	w.footer.describe()
	if w.err == nil {
		w.err = w.publish(info.Name)
	}
	if w.err != nil {
		err := w.err
		w.Abort()
		return Info{}, err
	}
	return *info, nil
}

// publish makes the file durable under its name.
func (w *Writer) publish(name string) error {
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("sync segment: %w", err)
	}
	err := w.file.Close()
	w.file = nil
	if err != nil {
		return fmt.Errorf("close segment: %w", err)
	}
	if err := w.fs.Rename(w.temp, path.Join(w.dir, name)); err != nil {
		return fmt.Errorf("rename segment: %w", err)
	}
	if err := w.fs.SyncDir(w.dir); err != nil {
		return fmt.Errorf("sync segment directory: %w", err)
	}
	return nil
}

// Abort removes what was written. What cannot be removed is found and
// removed at the next start, as every file that the manifest does not name.
func (w *Writer) Abort() {
	w.settle()
	if w.file != nil {
		_ = w.file.Close()
		w.file = nil
	}
	_ = w.fs.Remove(w.temp)
	w.err = errFinished
}
