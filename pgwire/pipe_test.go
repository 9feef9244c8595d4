package pgwire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func TestPipe(t *testing.T) {
	a, b := Pipe()
	if n, err := a.Write([]byte("hello")); n != 5 || err != nil {
		t.Fatal(n, err) // without a reader
	}
	buf := make([]byte, 3)
	if _, err := io.ReadFull(b, buf); err != nil || string(buf) != "hel" {
		t.Fatal(string(buf), err)
	}
	big := bytes.Repeat([]byte("0123456789"), pipeBuffer/5)
	done := make(chan error, 1)
	go func() { _, err := a.Write(big); done <- errors.Join(err, a.Close()) }()
	got, err := io.ReadAll(b)
	if err != nil || string(got) != "lo"+string(big) {
		t.Fatal(len(got), err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	if !b.(*pipeConn).PeerClosed() {
		t.Fatal("the other end was not closed")
	}
	if _, err := a.Read(buf); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	if errors.Join(a.SetDeadline(time.Now())) == nil {
		t.Fatal("deadline on a closed pipe")
	}
}

func TestPipeDeadlines(t *testing.T) {
	a, b := Pipe()
	defer a.Close()
	defer b.Close()
	buf := make([]byte, 1)
	_ = a.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := a.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	_ = a.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := a.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	_ = a.SetReadDeadline(time.Time{})
	go func() { _ = a.SetReadDeadline(time.Unix(1, 0)) }()
	if _, err := a.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	_ = a.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := a.Write(make([]byte, 2*pipeBuffer)); n != pipeBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(n, err)
	}
	if n, err := io.ReadFull(b, make([]byte, pipeBuffer)); err != nil {
		t.Fatal(n, err)
	}
}

// An idle connection gives its buffers back.
func TestIdleBuffers(t *testing.T) {
	f := start(t, nil)
	c := f.trusted(t)
	c.Send(query("rows 3000"))
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	c.names()
	var conn *conn
	f.mu.Lock()
	for _, x := range f.byPID {
		conn = x
	}
	f.mu.Unlock()
	deadline := time.Now().Add(5 * time.Second)
	for {
		conn.w.mu.Lock()
		free := cap(conn.w.buf) <= smallBuffer
		conn.w.mu.Unlock()
		if free {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the write buffer stays")
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.send(query("rows 0"))
	c.expect("RowDescription", "complete SELECT 0", "ready I")
}
