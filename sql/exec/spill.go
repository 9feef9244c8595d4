package exec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync/atomic"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/sql/pgerr"
)

// A spill file holds rows that do not fit into memory, one after the other:
//
//	+----------------+--------------------------------------------+
//	| length u32     | per column: 0 NULL · 1 value               |
//	| CRC-32C u32    |   Int, Float: 8 bytes · Bytes: uvarint, … |
//	+----------------+--------------------------------------------+
//
// The sum is of the length and the row: a sum of the row alone takes ff ff ff ff, twice, and zeros for a row.
//
// It is written once, read any number of times, and lives no longer than its statement.
type spillFile struct {
	st    *state
	file  vfs.File
	name  string
	buf   []byte
	size  int64 // bytes in the file, without buf
	rows  int64
	kinds []column.Kind
	chunk int // bytes that are read or written at once
}

// The buffer of a temporary file is a part of the memory that an operator may use, since it has up to some dozens of files
// at a time, but large enough for the disk to be worth the call.
const (
	spillBuffer     = 64 << 10
	spillBufferLess = 8 << 10
	spillBuffers    = 32 // in the memory of one operator
	spillHeader     = 8
)

var spillSums = crc32.MakeTable(crc32.Castagnoli)

// spillSum is the checksum of a row and of the length before it.
func spillSum(length, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, spillSums), spillSums, body)
}

// spillNames numbers temporary files of this process.
var spillNames atomic.Uint64

// newSpill makes a temporary file. Without a place for one the statement is out of memory.
func (st *state) newSpill(kinds []column.Kind) (*spillFile, error) {
	if st.rt.TempFS == nil {
		return nil, pgerr.New(pgerr.OutOfMemory, "out of memory").
			WithDetail("The statement needs more than %d bytes and there is no place for temporary files.", st.rt.memoryLimit())
	}
	name := fmt.Sprintf("%s/spill-%d.tmp", st.rt.TempDir, spillNames.Add(1))
	if err := st.rt.TempFS.MkdirAll(st.rt.TempDir); err != nil {
		return nil, fmt.Errorf("make directory for temporary files: %w", err)
	}
	f, err := st.rt.TempFS.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create temporary file: %w", err)
	}
	chunk := int(min(max(st.rt.memoryLimit()/spillBuffers, spillBufferLess), spillBuffer))
	return &spillFile{st: st, file: f, name: name, kinds: kinds, chunk: chunk}, nil
}

func (f *spillFile) add(row []column.Datum) error {
	start := len(f.buf)
	f.buf = append(f.buf, make([]byte, spillHeader)...)
	for i, k := range f.kinds {
		d := row[i]
		if d.Null {
			f.buf = append(f.buf, 0)
			continue
		}
		f.buf = append(f.buf, 1)
		if k == column.Bytes {
			f.buf = binary.AppendUvarint(f.buf, uint64(len(d.B)))
			f.buf = append(f.buf, d.B...)
		} else {
			f.buf = binary.LittleEndian.AppendUint64(f.buf, uint64(d.I))
		}
	}
	body := f.buf[start+spillHeader:]
	binary.LittleEndian.PutUint32(f.buf[start:], uint32(len(body)))
	binary.LittleEndian.PutUint32(f.buf[start+4:], spillSum(f.buf[start:start+4], body))
	f.rows++
	if len(f.buf) >= f.chunk {
		return f.flush()
	}
	return nil
}

func (f *spillFile) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	if _, err := f.file.WriteAt(f.buf, f.size); err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	f.size += int64(len(f.buf))
	f.buf = f.buf[:0]
	return f.st.rt.canceled()
}

// seal writes what is left and gives the buffer up: files wait for their turn in great numbers.
func (f *spillFile) seal() error {
	err := f.flush()
	f.buf = nil
	return err
}

// close removes the file.
func (f *spillFile) close() {
	if f.file == nil {
		return
	}
	// Nothing can be done about a temporary file that will not go: the next
	// start of the server empties the directory.
	_ = f.file.Close()
	_ = f.st.rt.TempFS.Remove(f.name)
	f.file = nil
}

// spillReader reads a spill file from its start.
type spillReader struct {
	chunk int64 // bytes read at once
	f     *spillFile
	off   int64
	buf   []byte
	pos   int
	row   []column.Datum
}

// reader returns a reader of everything written so far.
func (f *spillFile) reader() (*spillReader, error) {
	if err := f.flush(); err != nil {
		return nil, err
	}
	return &spillReader{f: f, chunk: spillBuffer, row: make([]column.Datum, len(f.kinds))}, nil
}

// need makes n bytes available at pos; false at the end of the file.
func (r *spillReader) need(n int) (bool, error) {
	if len(r.buf)-r.pos >= n {
		return true, nil
	}
	kept := len(r.buf) - r.pos
	rest := append(make([]byte, 0, max(n, kept+int(min(r.chunk, int64(r.f.chunk), r.f.size-r.off)))), r.buf[r.pos:]...)
	r.pos = 0
	r.buf = rest
	for len(r.buf) < n {
		if r.off >= r.f.size {
			return false, nil
		}
		want := min(int64(cap(r.buf)-len(r.buf)), r.f.size-r.off)
		start := len(r.buf)
		r.buf = r.buf[:start+int(want)]
		if _, err := r.f.file.ReadAt(r.buf[start:], r.off); err != nil && err != io.EOF {
			return false, fmt.Errorf("read temporary file: %w", err)
		}
		r.off += want
	}
	return true, nil
}

// next returns the next row, nil at the end. Its bytes stay valid: the reader
// never overwrites a buffer.
func (r *spillReader) next() ([]column.Datum, error) {
	if ok, err := r.need(1); err != nil || !ok {
		return nil, err
	}
	if ok, err := r.need(spillHeader); err != nil || !ok {
		return nil, r.damaged(err)
	}
	n, sum := int(binary.LittleEndian.Uint32(r.buf[r.pos:])), binary.LittleEndian.Uint32(r.buf[r.pos+4:])
	if int64(n) > r.f.size {
		return nil, r.damaged(nil)
	}
	if ok, err := r.need(spillHeader + n); err != nil || !ok {
		return nil, r.damaged(err)
	}
	b := r.buf[r.pos+spillHeader : r.pos+spillHeader+n]
	if spillSum(r.buf[r.pos:r.pos+4], b) != sum || !decodeSpilled(b, r.f.kinds, r.row) {
		return nil, r.damaged(nil)
	}
	r.pos += spillHeader + n
	return r.row, nil
}

// damaged reports a file that does not hold what was written; err is that of reading it, if any.
func (r *spillReader) damaged(err error) error {
	if err != nil {
		return err
	}
	return &engine.CorruptionError{File: r.f.name, Offset: r.off - int64(len(r.buf)-r.pos), Detail: "a row of a temporary file is not what was written"}
}

// decodeSpilled reads the row that b holds, and reports whether it is one.
func decodeSpilled(b []byte, kinds []column.Kind, row []column.Datum) bool {
	for i, k := range kinds {
		if len(b) == 0 {
			return false
		}
		tag := b[0]
		b = b[1:]
		switch {
		case tag == 0:
			row[i] = column.Null()
		case tag != 1:
			return false
		case k == column.Bytes:
			l, w := binary.Uvarint(b)
			if w <= 0 || l > uint64(len(b)-w) {
				return false
			}
			end := w + int(l)
			row[i] = column.BytesDatum(b[w:end:end])
			b = b[end:]
		case len(b) < 8:
			return false
		default:
			row[i] = column.Datum{I: int64(binary.LittleEndian.Uint64(b))}
			b = b[8:]
		}
	}
	return len(b) == 0
}

// batch fills dst with up to n rows; false when there were none.
func (r *spillReader) batch(dst *column.Batch, n int) (bool, error) {
	dst.Reset(r.f.kinds...)
	for dst.N < n {
		row, err := r.next()
		if err != nil {
			return false, err
		}
		if row == nil {
			break
		}
		dst.AppendRow(row)
	}
	return dst.N > 0, nil
}
