//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
)

// request appends the messages of one step to buf; each step is answered by one
// ReadyForQuery.
type request func(buf []byte, r *rand.Rand, c *wireConn) []byte

// wireConn is one connection of the client: framed by hand, driven by epoll, so
// that the servers are what is measured.
type wireConn struct {
	number int
	file   *os.File
	fd     int
	out    []byte
	in     []byte
	rng    *rand.Rand
	seq    int64 // for keys that nobody else uses
	step   int   // of the transaction
	flying int   // steps sent and not answered
	armed  bool  // waits until it can write

	ops, rows int
	sum       uint64 // of what was answered, if keep
	keep      bool
}

// dial logs in by pgconn, runs the set-up, and takes the socket over.
func (w *wireWork) dial(s *wireServer, number int, seed uint64) (*wireConn, error) {
	ctx := context.Background()
	pc, err := pgconn.Connect(ctx, s.uri)
	if err != nil {
		return nil, err
	}
	for _, text := range w.setup {
		if _, err := pc.Exec(ctx, text).ReadAll(); err != nil {
			return nil, err
		}
	}
	for i, text := range w.prepare {
		if _, err := pc.Prepare(ctx, statementName(i), text, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	h, err := pc.Hijack()
	if err != nil {
		return nil, err
	}
	file, err := h.Conn.(*net.TCPConn).File()
	h.Conn.Close()
	if err != nil {
		return nil, err
	}
	c := &wireConn{number: number, file: file, fd: int(file.Fd()), rng: rand.New(rand.NewPCG(seed, uint64(number)))}
	c.seq = int64(w.number)<<50 + int64(seed)<<40 + int64(number)<<32
	return c, unix.SetNonblock(c.fd, true)
}

func (c *wireConn) close() { c.file.Close() }

// send writes what is in out, as far as the socket takes it.
func (c *wireConn) send(epoll int) error {
	for len(c.out) > 0 {
		n, err := unix.Write(c.fd, c.out)
		if err == unix.EAGAIN {
			return c.arm(epoll, true)
		}
		if err != nil {
			return err
		}
		c.out = c.out[:copy(c.out, c.out[n:])]
	}
	return c.arm(epoll, false)
}

func (c *wireConn) arm(epoll int, write bool) error {
	if c.armed == write {
		return nil
	}
	c.armed = write
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.number)}
	if write {
		e.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(epoll, unix.EPOLL_CTL_MOD, c.fd, &e)
}

// receive reads what has come and counts the answers.
func (c *wireConn) receive() (answered int, err error) {
	if cap(c.in)-len(c.in) < 16<<10 {
		c.in = append(make([]byte, 0, 2*cap(c.in)+64<<10), c.in...)
	}
	n, err := unix.Read(c.fd, c.in[len(c.in):cap(c.in)])
	if err == unix.EAGAIN {
		return 0, nil
	}
	if err == nil && n == 0 {
		err = fmt.Errorf("the server closed the connection")
	}
	if err != nil {
		return 0, err
	}
	c.in = c.in[:len(c.in)+n]
	at := 0
	for len(c.in)-at >= 5 {
		size := 1 + int(binary.BigEndian.Uint32(c.in[at+1:]))
		if len(c.in)-at < size {
			break
		}
		m := c.in[at : at+size]
		at += size
		switch m[0] {
		case 'D':
			c.rows++
		case 'C':
			c.ops++
		case 'Z':
			answered++
		case 'E':
			return 0, fmt.Errorf("the server answered with an error: %q", m[5:])
		}
		if c.keep && (m[0] == 'D' || m[0] == 'C') {
			h := fnv.New64a()
			h.Write(m)
			c.sum = c.sum*31 + h.Sum64()
		}
	}
	c.in = c.in[:copy(c.in, c.in[at:])]
	return answered, nil
}

// fill keeps depth steps under way.
func (c *wireConn) fill(w *wireWork) {
	for c.flying < w.depth {
		c.out = w.steps[c.step](c.out, c.rng, c)
		c.step = (c.step + 1) % len(w.steps)
		c.flying++
	}
}

// drive runs the connections until it is time or each has had limit answers,
// and waits for what is under way.
func (w *wireWork) drive(conns []*wireConn, d time.Duration, limit int) (time.Duration, error) {
	epoll, err := unix.EpollCreate1(0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(epoll)
	start := time.Now()
	answered := make([]int, len(conns))
	flying := 0
	for i, c := range conns {
		c.number, c.armed = i, false
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}); err != nil {
			return 0, err
		}
		c.fill(w)
		flying += c.flying
		if err := c.send(epoll); err != nil {
			return 0, err
		}
	}
	events := make([]unix.EpollEvent, 64)
	for flying > 0 {
		n, err := unix.EpollWait(epoll, events, 10_000)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, fmt.Errorf("no answer for 10 s")
		}
		over := d > 0 && time.Since(start) >= d
		for _, e := range events[:n] {
			c := conns[e.Fd]
			if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				got, err := c.receive()
				if err != nil {
					return 0, err
				}
				c.flying -= got
				flying -= got
				answered[e.Fd] += got
			}
			whole := len(w.steps) == 1 || c.step == 0 // transactions are ended
			if !(over || limit > 0 && answered[e.Fd] >= limit) || !whole {
				before := c.flying
				c.fill(w)
				flying += c.flying - before
			}
			if err := c.send(epoll); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(start), nil
}

// The messages, framed by hand.

func statementName(i int) string { return string(rune('a' + i)) }

// bindExecute appends Bind and Execute of the i-th prepared statement with
// binary parameters of 8 or 4 bytes; results are binary.
func bindExecute(b []byte, i int, params ...any) []byte {
	at := len(b) + 1
	b = append(b, 'B', 0, 0, 0, 0, 0, 'a'+byte(i), 0, 0, 1, 0, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(params)))
	for _, p := range params {
		switch v := p.(type) {
		case int64:
			b = binary.BigEndian.AppendUint32(b, 8)
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case int32:
			b = binary.BigEndian.AppendUint32(b, 4)
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		case string:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		}
	}
	b = append(b, 0, 1, 0, 1)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return append(b, 'E', 0, 0, 0, 9, 0, 0, 0, 0, 0)
}

func appendSync(b []byte) []byte { return append(b, 'S', 0, 0, 0, 4) }

func appendQuery(b []byte, text string) []byte {
	b = append(b, 'Q')
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)+5))
	b = append(b, text...)
	return append(b, 0)
}
