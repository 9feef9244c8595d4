package exec

import (
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// The binary COPY format: a signature, 4 bytes of flags, the length of a header
// extension and the extension; then tuples: the number of fields (2 bytes), and
// for each its length (4 bytes, -1 for NULL) and bytes; then -1 instead of a
// number of fields.
const copySignature = "PGCOPY\n\xff\r\n\x00"

// binaryReader reads binary COPY data. Fields are slices of its buffer and stay
// valid until the next row.
type binaryReader struct {
	r      io.Reader
	rows   int64
	buf    []byte
	pos    int
	headed bool // the header was read
	used   bool // fields of the current row refer to buf
}

// read returns the next n bytes, io.EOF if there are none and
// io.ErrUnexpectedEOF if there are fewer.
func (b *binaryReader) read(n int) ([]byte, error) {
	for len(b.buf)-b.pos < n {
		if err := b.fill(); err != nil {
			if errors.Is(err, io.EOF) && len(b.buf) > b.pos {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	at := b.pos
	b.pos += n
	return b.buf[at:b.pos:b.pos], nil
}

// fill reads more behind what is buffered. Memory grows with the data, not with
// what they claim of themselves.
func (b *binaryReader) fill() error {
	rest := b.buf[b.pos:]
	switch {
	case !b.used && b.pos > 0:
		b.buf, b.pos = append(b.buf[:0], rest...), 0
	case cap(b.buf) == len(b.buf):
		b.buf, b.pos = append(make([]byte, 0, max(copyChunk, 2*len(rest))), rest...), 0
	}
	n, err := b.r.Read(b.buf[len(b.buf):cap(b.buf)])
	b.buf = b.buf[:len(b.buf)+n]
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// skip drops n bytes.
func (b *binaryReader) skip(n int64) error {
	for n > 0 {
		k := min(n, copyChunk)
		if _, err := b.read(int(k)); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// start checks the header.
func (b *binaryReader) start() error {
	bad := func(text string) error { return pgerr.New(pgerr.BadCopyFileFormat, "%s", text) }
	if sig, err := b.read(len(copySignature)); err != nil || string(sig) != copySignature {
		return orData(err, bad("COPY file signature not recognized"))
	}
	h, err := b.read(4)
	if err != nil {
		return orData(err, bad("invalid COPY file header (missing flags)"))
	}
	flags := binary.BigEndian.Uint32(h)
	switch {
	case flags&(1<<16) != 0:
		return bad("invalid COPY file header (WITH OIDS)")
	case flags>>16 != 0:
		return bad("unrecognized critical flags in COPY file header")
	}
	if h, err = b.read(4); err != nil || int32(binary.BigEndian.Uint32(h)) < 0 {
		return orData(err, bad("invalid COPY file header (missing length)"))
	}
	if err := b.skip(int64(binary.BigEndian.Uint32(h))); err != nil {
		return orData(err, bad("invalid COPY file header (wrong length)"))
	}
	return nil
}

// orData returns the reader's own failure, or the format error when the data just ended.
func orData(err, format error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return format
	}
	return err
}

func (in *copyIn) runBinary() error {
	b := in.binary
	if err := b.start(); err != nil {
		return err
	}
	b.headed = true
	for {
		b.rows++
		b.used, in.column = false, ""
		h, err := b.read(2)
		if errors.Is(err, io.EOF) {
			return nil // PostgreSQL accepts data without a trailer here
		}
		if err != nil {
			return orData(err, errCopyEnd)
		}
		n := int16(binary.BigEndian.Uint16(h))
		if n == -1 {
			if _, err := b.read(1); err == nil {
				return pgerr.New(pgerr.BadCopyFileFormat, "received copy data after EOF marker")
			}
			return nil
		}
		if int(n) != len(in.cols) {
			return pgerr.New(pgerr.BadCopyFileFormat, "row field count is %d, expected %d", n, len(in.cols))
		}
		b.used = true
		for i := range in.cols {
			in.column = in.cols[i].name
			if in.vals[in.attrs[i]], err = in.binaryValue(&in.cols[i]); err != nil {
				return err
			}
		}
		in.column = ""
		if err := in.store(); err != nil {
			return err
		}
	}
}

var errCopyEnd = pgerr.New(pgerr.BadCopyFileFormat, "unexpected EOF in COPY data")

func (in *copyIn) binaryValue(c *copyColumn) (column.Datum, error) {
	b := in.binary
	h, err := b.read(4)
	if err != nil {
		return column.Datum{}, orData(err, errCopyEnd)
	}
	n := int32(binary.BigEndian.Uint32(h))
	switch {
	case n == -1:
		return column.Null(), c.domain.test(column.Null())
	case n < 0:
		return column.Datum{}, pgerr.New(pgerr.BadCopyFileFormat, "invalid field size")
	case n > maxCopyLine:
		return column.Datum{}, pgerr.New(pgerr.ProgramLimitExceeded, "field of %d bytes is too large", n)
	}
	raw, err := b.read(int(n))
	if err != nil {
		return column.Datum{}, orData(err, errCopyEnd)
	}
	switch {
	case n == 8 && c.small == math.MaxInt64:
		return column.IntDatum(int64(binary.BigEndian.Uint64(raw))), nil
	case n == 4 && c.small == math.MaxInt32:
		return column.IntDatum(int64(int32(binary.BigEndian.Uint32(raw)))), nil
	case c.text:
		raw, err := in.st.env.FromClient(raw)
		return column.BytesDatum(raw), err
	}
	d, err := in.st.env.Recv(c.typ, c.typmod, raw)
	if err != nil {
		return d, err
	}
	return d, c.domain.test(d)
}
