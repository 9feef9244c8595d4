package pgwire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBuffer is how much one side may write before the other reads.
const pipeBuffer = 64 << 10

// Pipe returns the two ends of a buffered connection inside the process. Unlike
// net.Pipe's, a write needs no reader until the buffer is full.
func Pipe() (client, server net.Conn) {
	a, b := newHalf(), newHalf()
	return &pipeConn{in: a, out: b}, &pipeConn{in: b, out: a}
}

// half is one direction.
type half struct {
	mu            sync.Mutex
	changed       sync.Cond
	buf           []byte
	lo            int  // read so far
	closedWrite   bool // no more will come
	closedRead    bool // nobody reads any more
	readDeadline  deadline
	writeDeadline deadline
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

// deadline wakes waiters when its time has come.
type deadline struct {
	timer  *time.Timer
	passed bool
	epoch  int // tells a timer that was replaced
}

// set moves the deadline; with the half's lock held.
func (h *half) set(d *deadline, t time.Time) {
	d.epoch++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		d.passed = true
		h.changed.Broadcast()
		return
	}
	epoch := d.epoch
	d.timer = time.AfterFunc(left, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.epoch == epoch {
			d.passed = true
			h.changed.Broadcast()
		}
	})
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.closedRead:
			return 0, net.ErrClosed
		case h.readDeadline.passed:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case h.lo < len(h.buf):
			n := copy(p, h.buf[h.lo:])
			h.lo += n
			if h.lo == len(h.buf) {
				h.buf, h.lo = h.buf[:0], 0
				if cap(h.buf) > smallBuffer {
					h.buf = nil
				}
			}
			h.changed.Broadcast()
			return n, nil
		case h.closedWrite:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.closedWrite:
			return n, net.ErrClosed
		case h.closedRead:
			return n, errors.Join(io.ErrClosedPipe, net.ErrClosed)
		case h.writeDeadline.passed:
			return n, os.ErrDeadlineExceeded
		case len(p) == 0:
			return n, nil
		}
		if room := pipeBuffer - (len(h.buf) - h.lo); room > 0 {
			step := min(room, len(p))
			if h.lo > 0 && len(h.buf)+step > cap(h.buf) {
				h.buf = h.buf[:copy(h.buf, h.buf[h.lo:])]
				h.lo = 0
			}
			h.buf = append(h.buf, p[:step]...)
			p = p[step:]
			n += step
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

func (h *half) close(read bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if read {
		h.closedRead = true
		h.buf, h.lo = nil, 0
	} else {
		h.closedWrite = true
	}
	h.changed.Broadcast()
}

// pipeConn is one end.
type pipeConn struct{ in, out *half }

// Read implements net.Conn.
func (c *pipeConn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *pipeConn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn.
func (c *pipeConn) Close() error {
	c.in.close(true)
	c.out.close(false)
	return nil
}

// PeerClosed reports whether the other end was closed.
func (c *pipeConn) PeerClosed() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.closedRead
}

// SetDeadline implements net.Conn.
func (c *pipeConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	if c.in.closedRead {
		return net.ErrClosed
	}
	c.in.set(&c.in.readDeadline, t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closedWrite {
		return net.ErrClosed
	}
	c.out.set(&c.out.writeDeadline, t)
	return nil
}

// LocalAddr implements net.Conn.
func (c *pipeConn) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr implements net.Conn.
func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

// Network implements net.Addr.
func (pipeAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (pipeAddr) String() string { return "pipe" }
