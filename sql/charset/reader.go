package charset

import "io"

// readSize is how much of a stream is converted at once.
const readSize = 32 << 10

// Reader decodes a stream.
type Reader struct {
	enc  *Encoding
	src  io.Reader
	raw  []byte // not converted yet: at most the beginning of a character between reads
	out  []byte
	next int // the first byte of out that was not handed over
	err  error
}

// NewReader returns a reader of UTF-8 over a stream in an encoding.
func NewReader(e *Encoding, src io.Reader) io.Reader {
	if e.Identity() {
		return src
	}
	return &Reader{enc: e, src: src, raw: make([]byte, 0, readSize)}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for r.next == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.out[r.next:])
	r.next += n
	return n, nil
}

func (r *Reader) fill() {
	n, err := r.src.Read(r.raw[len(r.raw):cap(r.raw)])
	r.raw = r.raw[:len(r.raw)+n]
	var rest []byte
	var bad error
	r.out, rest, bad = r.enc.decode(r.out[:0], r.raw)
	r.next = 0
	switch {
	case bad != nil:
		r.err = bad
	case err == io.EOF && len(rest) > 0:
		r.err = invalid(r.enc.Name, rest)
	default:
		r.err = err
	}
	r.raw = append(r.raw[:0], rest...)
}

// Writer encodes what is written, each piece of whole characters, for another writer.
type Writer struct {
	enc *Encoding
	dst io.Writer
	buf []byte
}

// NewWriter returns a writer of UTF-8 that passes the text on in an encoding.
func NewWriter(e *Encoding, dst io.Writer) io.Writer {
	if e.Identity() {
		return dst
	}
	return &Writer{enc: e, dst: dst}
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	var err error
	if w.buf, err = w.enc.Encode(w.buf[:0], p); err != nil {
		return 0, err
	}
	if _, err := w.dst.Write(w.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}
