package exec

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// The binary COPY format: a signature, 4 bytes of flags, the length of a header
// extension and the extension; then tuples: the number of fields (2 bytes), and
// for each its length (4 bytes, -1 for NULL) and bytes; then -1 instead of a
// number of fields.
const copySignature = "PGCOPY\n\xff\r\n\x00"

// binaryReader reads binary COPY data.
type binaryReader struct {
	r    io.Reader
	head [4]byte
	rows int64
	buf  []byte
}

func (b *binaryReader) read(n int) ([]byte, error) {
	_, err := io.ReadFull(b.r, b.head[:n])
	return b.head[:n], err
}

// start checks the header.
func (b *binaryReader) start() error {
	bad := func(text string) error { return pgerr.New(pgerr.BadCopyFileFormat, "%s", text) }
	sig := make([]byte, len(copySignature))
	if _, err := io.ReadFull(b.r, sig); err != nil || string(sig) != copySignature {
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
	if _, err := io.CopyN(io.Discard, b.r, int64(binary.BigEndian.Uint32(h))); err != nil {
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
	for {
		b.rows++
		in.column = ""
		h, err := b.read(2)
		if errors.Is(err, io.EOF) {
			return nil // PostgreSQL accepts data without a trailer here
		}
		if err != nil {
			return orData(err, pgerr.New(pgerr.BadCopyFileFormat, "unexpected EOF in COPY data"))
		}
		n := int16(binary.BigEndian.Uint16(h))
		if n == -1 {
			if k, _ := io.ReadFull(b.r, b.head[:1]); k > 0 {
				return pgerr.New(pgerr.BadCopyFileFormat, "received copy data after EOF marker")
			}
			return nil
		}
		if int(n) != len(in.cols) {
			return pgerr.New(pgerr.BadCopyFileFormat, "row field count is %d, expected %d", n, len(in.cols))
		}
		b.buf = b.buf[:0]
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

func (in *copyIn) binaryValue(c *copyColumn) (column.Datum, error) {
	b := in.binary
	eof := pgerr.New(pgerr.BadCopyFileFormat, "unexpected EOF in COPY data")
	h, err := b.read(4)
	if err != nil {
		return column.Datum{}, orData(err, eof)
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
	raw := make([]byte, 0, min(int(n), copyChunk))
	for len(raw) < int(n) { // grow with the data, not with what it claims
		k := min(int(n)-len(raw), copyChunk)
		start := len(raw)
		raw = append(raw, make([]byte, k)...)
		if _, err := io.ReadFull(b.r, raw[start:]); err != nil {
			return column.Datum{}, orData(err, eof)
		}
	}
	d, err := in.st.env.Recv(c.typ, c.typmod, raw)
	if err != nil {
		return d, err
	}
	return d, c.domain.test(d)
}
