package pgwire

import (
	"net"
	"time"
)

// sweep looks at every connection from time to time, as long as there are any.
func (s *Server) sweep() {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	var conns []*conn
	for range tick.C {
		conns = conns[:0]
		s.mu.Lock()
		for _, c := range s.byPID {
			conns = append(conns, c)
		}
		if len(conns) == 0 {
			s.sweeping = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for i, c := range conns {
			c.sweep()
			conns[i] = nil
		}
	}
}

// sweep compares a connection with how it was at the last look. Two looks at
// the same statement: is the client still there? Some looks at the same idleness:
// the buffers go back.
func (c *conn) sweep() {
	seq := c.busy.Load()
	if seq != c.seen {
		c.seen, c.rested = seq, 0
		return
	}
	switch {
	case seq&1 == 1:
		if peerGone(c.nc) {
			c.session.Lost()
		}
	case seq == c.shrunk:
	case c.rested < shrinkLooks:
		c.rested++
	default:
		c.shrunk = seq
		c.interrupt(wantShrink)
	}
}

// peerGone reports whether the other end of a connection has closed it. Where
// that cannot be told it reports false.
func peerGone(nc net.Conn) bool {
	switch c := underlying(nc).(type) {
	case interface{ PeerClosed() bool }:
		return c.PeerClosed()
	case *net.TCPConn:
		raw, err := c.SyscallConn()
		return err == nil && hungUp(raw)
	case *net.UnixConn:
		raw, err := c.SyscallConn()
		return err == nil && hungUp(raw)
	}
	return false
}
