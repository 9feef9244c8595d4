package pgwire

import (
	"crypto/x509"
	"net"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/sql/pgerr"
)

// The reasons to interrupt a connection's read.
const (
	wantWake   = 1 << iota // notifications arrived, or the session was told to end
	wantShrink             // idle: give buffers back
	wantDrain              // the server shuts down
)

// conn is one connection.
type conn struct {
	srv     *Server
	raw     net.Conn // as accepted: what other goroutines may close before the login
	nc      net.Conn // after the handshake the TLS connection
	trusted bool
	r       reader
	w       writer
	session Session

	user, database string
	minor          int // of the protocol
	endpoint       []byte
	tls            bool
	outOfStep      bool              // the client has sent during COPY what does not belong there
	clientCert     *x509.Certificate // verified; nil if the client showed none
	cancelKey      []byte

	// busy is odd while a message is being worked on, and grows. The sweeper keeps
	// what it saw last in seen, and for which idleness it freed buffers in shrunk.
	busy         atomic.Uint64
	seen, shrunk uint64
	rested       int // looks that found it idle

	wants    atomic.Uint32 // reasons of the interruption to come
	draining atomic.Bool   // end at the next moment of rest
	loggedIn atomic.Bool   // session is set: drain and terminate may use it
	resting  bool          // waiting for a message with all answers given
	dead     bool          // a FATAL error was sent

	skip     bool // after an error of the extended protocol, until Sync
	copying  *copyReader
	copyLeft int // unread bytes of a CopyData message

	encoders encoders
	// What statements deliver to in the extended and the simple protocol.
	rows, queryRows sink
	reported        map[string]string // parameters as the client knows them
	changed         map[string]string // those to tell at the next ReadyForQuery

	names        nameCache
	params       [][]byte
	paramFormats []int16
	outFormats   []int16
}

func newConn(s *Server, nc net.Conn, trusted bool) *conn {
	c := &conn{srv: s, raw: nc, nc: nc, trusted: trusted}
	c.r = reader{src: direct(nc), buf: make([]byte, smallBuffer), beforeWait: c.w.flushDue, interrupted: c.interrupted}
	c.w.dst = c.r.src.(net.Conn)
	c.rows, c.queryRows = sink{c: c}, sink{c: c, simple: true}
	return c
}

// run serves the connection from its first byte to its end.
func (c *conn) run(full bool) {
	defer c.w.stop()
	_ = c.nc.SetDeadline(c.srv.opts.Clock.Now().Add(c.srv.opts.AuthTimeout)) // a failure shows at the read
	if err := c.startup(full); err != nil {
		c.log().Debug().Str("event", "login").Err(err).Msg("connection ended before its login")
		return
	}
	c.srv.register(c)
	ended := make(chan struct{})
	defer c.close(ended)
	go c.watch(ended)
	if err := c.serve(); err != nil && err != errClosed {
		c.log().Debug().Str("event", "connection.lost").Err(err).Msg("connection lost")
	}
}

// close ends the session after the last message.
func (c *conn) close(ended chan struct{}) {
	close(ended)
	c.srv.unregister(c)
	if err := c.protect(func() error { c.session.Close(); return nil }); err != nil {
		c.log().Error().Str("event", "session.close").Err(err).Msg("session did not close cleanly")
	}
}

// serve answers messages until the client or the server ends the connection.
func (c *conn) serve() error {
	if err := c.greet(); err != nil {
		return err
	}
	for {
		if c.copyLeft > 0 { // of a COPY that failed
			if err := c.r.skip(c.copyLeft); err != nil {
				return err
			}
			c.copyLeft = 0
		}
		disarm := c.armIdle()
		typ, n, err := c.r.header()
		disarm()
		if err != nil {
			return err
		}
		c.busy.Add(1)
		err = c.message(typ, n)
		c.busy.Add(1)
		if err != nil {
			return err
		}
		if c.dead {
			return errClosed
		}
		if c.draining.Load() && c.resting && c.r.empty() {
			return c.goodbye()
		}
	}
}

// armIdle sees to it that a client that says nothing for too long is sent away.
func (c *conn) armIdle() (disarm func()) {
	if !c.resting {
		return func() {}
	}
	limit := c.session.IdleLimit()
	if limit <= 0 {
		return func() {}
	}
	seq, inside := c.busy.Load(), c.session.Status() != 'I'
	timer := time.AfterFunc(limit, func() {
		if c.busy.Load() == seq {
			c.session.Expire(inside)
			c.interrupt(wantWake)
		}
	})
	return func() { timer.Stop() }
}

// goodbye ends a connection on the server's wish.
func (c *conn) goodbye() error {
	if why := c.session.Reason(); why != nil {
		return c.fatal(why)
	}
	return c.fatal(pgerr.New(pgerr.AdminShutdown, "terminating connection due to administrator command"))
}

// interrupt ends the connection's wait for its client, if it waits, so that it
// looks at what is wanted.
func (c *conn) interrupt(want uint32) {
	c.wants.Or(want)
	_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // fails on a closed connection only
}

// interrupted is called by the reader after interrupt, or when the time for the
// login is over.
func (c *conn) interrupted() error {
	if !c.loggedIn.Load() {
		return c.fatal(pgerr.New(pgerr.QueryCanceled, "canceling authentication due to timeout"))
	}
	// The deadline goes first: whoever wants something afterwards sets it again.
	if err := c.nc.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	wants := c.wants.Swap(0)
	if wants&wantShrink != 0 {
		c.r.shrink()
		c.w.shrink()
		c.encoders.shrink()
	}
	if c.session.Terminated() || c.draining.Load() && c.resting {
		return c.goodbye()
	}
	if wants&wantWake != 0 && c.resting {
		return c.deliver()
	}
	return nil
}

// drain ends the connection as soon as it is at rest.
func (c *conn) drain() {
	c.draining.Store(true)
	if c.loggedIn.Load() {
		c.interrupt(wantDrain)
		return
	}
	c.raw.Close()
}

// terminate ends the connection, cancelling what runs.
func (c *conn) terminate() {
	if !c.loggedIn.Load() {
		c.raw.Close()
		return
	}
	c.session.Terminate()
	_ = c.nc.SetWriteDeadline(c.srv.opts.Clock.Now().Add(fatalWriteTimeout))
	c.interrupt(wantWake)
}

// log returns the server's logger with what is known of the connection.
func (c *conn) log() *zerolog.Logger {
	l := c.srv.opts.Log.With().Str("client", address(c.nc.RemoteAddr())).Str("user", c.user).Str("database", c.database).Logger()
	return &l
}

// address returns the client's address, "" for Unix sockets and pipes.
func address(a net.Addr) string {
	if a == nil {
		return ""
	}
	if _, ok := a.(*net.TCPAddr); ok {
		return a.String()
	}
	return ""
}
