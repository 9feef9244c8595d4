package pgwire

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// reader takes messages from a connection. Bodies lie in its buffer and are
// valid until the next call.
type reader struct {
	src    io.Reader
	buf    []byte
	lo, hi int // unread bytes
	// beforeWait is called before a read that may block; interrupted after a read
	// that was ended by its deadline. An error of theirs ends the reading.
	beforeWait  func() error
	interrupted func() error
}

// fill reads at least one byte more.
func (r *reader) fill() error {
	if r.lo == r.hi {
		r.lo, r.hi = 0, 0
		if len(r.buf) > keepBuffer {
			r.buf = make([]byte, fullBuffer)
		}
	}
	switch {
	case r.hi < len(r.buf):
	case r.lo > len(r.buf)/2:
		copy(r.buf, r.buf[r.lo:r.hi])
		r.lo, r.hi = 0, r.hi-r.lo
	default:
		// The buffer was filled by what has really arrived: only that doubles it.
		grown := make([]byte, max(2*len(r.buf), smallBuffer))
		r.hi = copy(grown, r.buf[r.lo:r.hi])
		r.lo, r.buf = 0, grown
	}
	if err := r.beforeWait(); err != nil {
		return err
	}
	for {
		n, err := r.src.Read(r.buf[r.hi:])
		if n > 0 {
			r.hi += n
			return nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if err := r.interrupted(); err != nil {
				return err
			}
			if len(r.buf) == r.hi { // the buffer was given back
				r.buf = make([]byte, smallBuffer)
			}
			continue
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		return err
	}
}

// need makes n bytes available.
func (r *reader) need(n int) error {
	for r.hi-r.lo < n {
		if err := r.fill(); err != nil {
			return err
		}
	}
	return nil
}

// header reads a message's type and the length of its body, which may be negative.
func (r *reader) header() (typ byte, length int, err error) {
	if err := r.need(5); err != nil {
		return 0, 0, err
	}
	typ = r.buf[r.lo]
	length = int(int32(binary.BigEndian.Uint32(r.buf[r.lo+1:]))) - 4
	r.lo += 5
	return typ, length, nil
}

// body reads n bytes, valid until the next read.
func (r *reader) body(n int) ([]byte, error) {
	if err := r.need(n); err != nil {
		return nil, err
	}
	b := r.buf[r.lo : r.lo+n : r.lo+n]
	r.lo += n
	return b, nil
}

// some reads up to n bytes, at least one, into p.
func (r *reader) some(p []byte, n int) (int, error) {
	if err := r.need(1); err != nil {
		return 0, err
	}
	n = copy(p[:min(n, len(p))], r.buf[r.lo:r.hi])
	r.lo += n
	return n, nil
}

// skip drops n bytes without keeping them.
func (r *reader) skip(n int) error {
	for n > 0 {
		if err := r.need(1); err != nil {
			return err
		}
		step := min(n, r.hi-r.lo)
		r.lo += step
		n -= step
	}
	return nil
}

// pending reports whether another message has begun to arrive.
func (r *reader) pending() bool { return r.hi-r.lo >= 5 }

// empty reports whether everything that arrived has been read.
func (r *reader) empty() bool { return r.lo == r.hi }

// shrink gives a large buffer back, if it holds nothing.
func (r *reader) shrink() {
	if r.lo == r.hi && len(r.buf) > smallBuffer {
		r.buf, r.lo, r.hi = nil, 0, 0
	}
}
