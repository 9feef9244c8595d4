package pgwire

import (
	"errors"
	"io"

	"github.com/omendb/omendb/sql/pgerr"
)

// copyIn asks the client for the data of COPY FROM STDIN.
func (c *conn) copyIn(format int8, columns int) (io.Reader, error) {
	if err := c.copyResponse('G', format, columns); err != nil {
		return nil, err
	}
	if err := c.w.flushNow(); err != nil {
		return nil, err
	}
	c.copying = &copyReader{c: c}
	return c.copying, nil
}

// copyOut announces the data of COPY TO STDOUT.
func (c *conn) copyOut(format int8, columns int) (io.WriteCloser, error) {
	return copyWriter{c}, c.copyResponse('H', format, columns)
}

func (c *conn) copyResponse(typ byte, format int8, columns int) error {
	w := &c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	start := w.begin(typ)
	w.buf = append(w.buf, byte(format))
	w.buf = appendInt16(w.buf, int16(columns))
	for range columns {
		w.buf = appendInt16(w.buf, int16(format))
	}
	return w.end(start)
}

// copyReader reads the data of CopyData messages as one stream.
type copyReader struct {
	c   *conn
	end error // io.EOF after CopyDone, else why there is no more
}

// Read implements io.Reader.
func (r *copyReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c := r.c
	for c.copyLeft == 0 {
		if r.end != nil {
			return 0, r.end
		}
		r.end = r.next()
	}
	n, err := c.r.some(p, c.copyLeft)
	if err != nil {
		r.end = c.lostDuringCopy(err)
		return 0, r.end
	}
	c.copyLeft -= n
	return n, nil
}

// next reads message headers up to the next data, or the end.
func (r *copyReader) next() error {
	c := r.c
	typ, n, err := c.r.header()
	if err != nil {
		return c.lostDuringCopy(err)
	}
	if n < 0 || n > DefaultMaxMessage {
		return c.fatal(pgerr.New(pgerr.ProtocolViolation, "invalid message length"))
	}
	switch typ {
	case 'd':
		c.copyLeft = n
		return nil
	case 'c':
		if err := c.r.skip(n); err != nil {
			return c.lostDuringCopy(err)
		}
		return io.EOF
	case 'f':
		if n > maxSmallMessage {
			return c.fatal(pgerr.New(pgerr.ProtocolViolation, "invalid message length"))
		}
		body, err := c.r.body(n)
		if err != nil {
			return c.lostDuringCopy(err)
		}
		m := message{b: body}
		text := m.str()
		if err := c.inward(&text); err != nil {
			return err
		}
		return pgerr.New(pgerr.QueryCanceled, "COPY from stdin failed: %s", text)
	case 'H', 'S':
		// Clients of the extended protocol may send these without looking.
		if err := c.r.skip(n); err != nil {
			return c.lostDuringCopy(err)
		}
		return nil
	}
	if err := c.r.skip(n); err != nil {
		return c.lostDuringCopy(err)
	}
	c.outOfStep = true
	return pgerr.New(pgerr.ProtocolViolation, "unexpected message type 0x%02X during COPY from stdin", typ)
}

// lostDuringCopy ends a connection that broke in the middle of COPY.
func (c *conn) lostDuringCopy(err error) error {
	if errors.Is(err, errClosed) {
		return err
	}
	c.dead = true
	return pgerr.New(pgerr.ConnectionFailure, "unexpected EOF on client connection with an open transaction")
}

// drainCopy reads what the client sends after the end that the data themselves
// marked, up to CopyDone.
func (c *conn) drainCopy() error {
	r := c.copying
	c.copying = nil
	if r == nil {
		return nil
	}
	for r.end == nil {
		if err := c.r.skip(c.copyLeft); err != nil {
			return c.lostDuringCopy(err)
		}
		c.copyLeft = 0
		r.end = r.next()
	}
	if errors.Is(r.end, io.EOF) {
		return nil
	}
	return r.end
}

// endCopy forgets a COPY that failed: what the client still sends is skipped.
func (c *conn) endCopy() { c.copying = nil }

// copyWriter sends each write as a CopyData message.
type copyWriter struct{ c *conn }

// Write implements io.Writer.
func (cw copyWriter) Write(p []byte) (int, error) {
	w := &cw.c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	start := w.begin('d')
	w.buf = append(w.buf, p...)
	return len(p), w.end(start)
}

// Close implements io.Closer: it tells the client that the data are complete.
func (cw copyWriter) Close() error { return cw.c.w.empty('c') }
