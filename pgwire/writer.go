package pgwire

import (
	"encoding/binary"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// writer gathers replies. Its lock is held while a message is being appended;
// methods with the word locked in their comment expect it.
type writer struct {
	mu  sync.Mutex
	dst net.Conn
	buf []byte
	due bool  // the client waits for what is here
	err error // of the first write that failed; nothing is written after it

	timer *time.Timer // flushes what is due while the session is busy with more of the pipeline
	armed bool
}

// begin starts a message; locked.
func (w *writer) begin(typ byte) (start int) {
	w.buf = append(w.buf, typ, 0, 0, 0, 0)
	return len(w.buf) - 4
}

// end fills in the length of the message that began at start; locked.
func (w *writer) end(start int) error {
	binary.BigEndian.PutUint32(w.buf[start:], uint32(len(w.buf)-start))
	if len(w.buf) >= flushSize {
		return w.flush()
	}
	return w.err
}

// empty appends a message without a body.
func (w *writer) empty(typ byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.end(w.begin(typ))
}

// send appends a message in pgproto3's form.
func (w *writer) send(m pgproto3.BackendMessage) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	buf, err := m.Encode(w.buf)
	if err != nil {
		return err
	}
	w.buf = buf
	if len(w.buf) >= flushSize {
		return w.flush()
	}
	return w.err
}

// flush writes everything; locked.
func (w *writer) flush() error {
	w.due = false
	if w.err != nil || len(w.buf) == 0 {
		w.buf = w.buf[:0]
		return w.err
	}
	_, w.err = w.dst.Write(w.buf)
	if cap(w.buf) > keepBuffer {
		w.buf = nil
	}
	w.buf = w.buf[:0]
	return w.err
}

// flushNow writes everything.
func (w *writer) flushNow() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

// flushDue writes everything if the client waits for it.
func (w *writer) flushDue() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.due {
		return w.err
	}
	return w.flush()
}

// want tells that the client waits for what was appended. With more of its
// messages at hand the write is put off, but not for long.
func (w *writer) want(more bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !more {
		return w.flush()
	}
	w.due = true
	if w.armed {
		return w.err
	}
	w.armed = true
	if w.timer == nil {
		w.timer = time.AfterFunc(flushDelay, w.onTimer)
	} else {
		w.timer.Reset(flushDelay)
	}
	return w.err
}

func (w *writer) onTimer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	if w.due {
		_ = w.flush() // kept in w.err for the connection's goroutine
	}
}

// shrink gives the buffer back, if it holds nothing.
func (w *writer) shrink() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) == 0 && cap(w.buf) > smallBuffer {
		w.buf = nil
	}
}

func (w *writer) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

func appendString(b []byte, s string) []byte {
	b = append(b, s...)
	return append(b, 0)
}

func appendInt16(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }

func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

// failed reports whether a write has failed.
func (w *writer) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err != nil
}
