package wal

import (
	"encoding/binary"
	"io"
	"io/fs"

	"github.com/omendb/omendb/internal/vfs"
)

// scanChunk is how much a scanner reads at once.
const scanChunk = 256 << 10

// scanner walks over the records of one file.
type scanner struct {
	file   *logFile
	handle vfs.File
	off    int64 // of the next record
	size   int64
	buf    []byte
	bufOff int64 // file offset of buf[0]
	chunk  int64 // how much to read at once
}

func openScanner(disk vfs.FS, f *logFile) (*scanner, error) {
	h, err := disk.Open(f.name)
	if err != nil {
		return nil, err
	}
	size, err := h.Size()
	if err != nil {
		h.Close()
		return nil, err
	}
	return &scanner{file: f, handle: h, off: headerBytes, size: size, chunk: scanChunk}, nil
}

func (s *scanner) close() error { return s.handle.Close() }

// forget drops what was read ahead, because the file has been written since.
func (s *scanner) forget() { s.buf = s.buf[:0] }

// peek returns n bytes at the current offset, or nil if the file ends before.
func (s *scanner) peek(n int64) ([]byte, error) {
	if at := s.off - s.bufOff; at >= 0 && at+n <= int64(len(s.buf)) {
		return s.buf[at : at+n], nil
	}
	if s.off+n > s.size {
		return nil, nil
	}
	want := min(max(n, s.chunk), s.size-s.off)
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	s.buf, s.bufOff = s.buf[:want], s.off
	got, err := s.handle.ReadAt(s.buf, s.off)
	if err != nil && err != io.EOF {
		s.forget()
		return nil, err
	}
	s.buf = s.buf[:got]
	if int64(got) < n {
		// The file has these bytes; taking a short read for the end of the log
		// would cut acknowledged records off.
		s.forget()
		return nil, &fs.PathError{Op: "read", Path: s.file.name, Err: io.ErrUnexpectedEOF}
	}
	return s.buf[:n], nil
}

// try decodes the record at the current offset without moving. Its body is
// valid until the next call. It reports false where no valid record of this
// file stands; an error is a read error or a newer format.
func (s *scanner) try(r *Record) (bool, error) {
	b, err := s.peek(recordHeaderBytes)
	if b == nil || err != nil {
		return false, err
	}
	h := parseFrameHeader(b)
	if !h.plausible(s.file.gen) {
		return false, nil
	}
	if b, err = s.peek(frameBytes(h.bodyLen)); b == nil || err != nil {
		return false, err
	}
	if !decodeRecord(b, s.file.seed, r) {
		return false, nil
	}
	if h.version != FormatVersion {
		return false, &VersionError{File: s.file.name, Version: int(h.version)}
	}
	return true, nil
}

// skip moves behind r, which try returned.
func (s *scanner) skip(r *Record) { s.off += frameBytes(len(r.Body)) }

// behind looks at everything behind the current offset, where record d should
// stand and does not. It returns the highest durable mark of a valid record
// from d on, and where the last such record ends (0 = there is none).
func (s *scanner) behind(d LSN) (mark LSN, end int64, err error) {
	from := s.off
	defer func() { s.off = from }()
	var r Record
	for ; ; s.off += recordAlign {
		b, err := s.peek(recordHeaderBytes)
		if b == nil || err != nil {
			return mark, end, err
		}
		h := parseFrameHeader(b)
		if h.gen != s.file.gen || h.lsn < d || !h.plausible(s.file.gen) {
			continue
		}
		if binary.LittleEndian.Uint16(b[14:]) != headerCheck(b, s.file.seed) {
			continue
		}
		ok, err := s.try(&r)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			mark = max(mark, r.DurableUpTo)
			end = s.off + frameBytes(len(r.Body))
		}
	}
}
