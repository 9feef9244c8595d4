package pgwire

import (
	"crypto/tls"
	"net"

	"github.com/omendb/omendb/security"
	"github.com/omendb/omendb/sql/pgerr"
)

// answerSSL answers an SSLRequest, and shakes hands if TLS is configured.
func (c *conn) answerSSL() error {
	_, overUnix := c.nc.(*net.UnixConn)
	if c.srv.opts.Certificates == nil || c.tls || overUnix || c.trusted {
		return c.reply('N')
	}
	if !c.r.empty() {
		// Bytes sent before the handshake could have been put there by somebody in
		// between; they must not pass for the client's.
		return c.fatal(pgerr.New(pgerr.ProtocolViolation, "received unencrypted data after SSL request").
			WithDetail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack."))
	}
	if err := c.reply('S'); err != nil {
		return err
	}
	return c.handshake(c.nc)
}

// directTLS shakes hands at once with a client that begins with TLS instead of
// an SSLRequest. It must name the protocol, so that it cannot be tricked into
// talking to us by somebody who redirects another protocol's connection.
func (c *conn) directTLS() error {
	if err := c.r.need(1); err != nil {
		return err
	}
	if c.r.buf[c.r.lo] != tlsHandshakeByte || c.srv.opts.Certificates == nil {
		return nil
	}
	seen := append([]byte(nil), c.r.buf[c.r.lo:c.r.hi]...)
	c.r.lo = c.r.hi
	if err := c.handshake(&replayConn{Conn: c.nc, seen: seen}); err != nil {
		return err
	}
	if c.nc.(*tls.Conn).ConnectionState().NegotiatedProtocol != security.ALPN {
		return c.fatal(pgerr.New(pgerr.ProtocolViolation, "received direct SSL connection request without ALPN protocol negotiation extension"))
	}
	return nil
}

// handshake puts the connection into TLS.
func (c *conn) handshake(under net.Conn) error {
	cert := c.srv.opts.Certificates.Current()
	config := security.ServerConfig(cert)
	if c.srv.opts.Authorities != nil {
		c.srv.opts.Authorities.Ask(config)
	}
	t := tls.Server(under, config)
	if err := t.Handshake(); err != nil {
		return err
	}
	if shown := t.ConnectionState().PeerCertificates; len(shown) > 0 {
		c.clientCert = shown[0]
	}
	c.tls, c.nc, c.endpoint = true, t, security.EndpointHash(cert.Leaf)
	c.r.src = t
	c.w.mu.Lock()
	c.w.dst = t
	c.w.mu.Unlock()
	return nil
}

// replayConn gives bytes that were read already a second time.
type replayConn struct {
	net.Conn
	seen []byte
}

// Read implements net.Conn.
func (r *replayConn) Read(p []byte) (int, error) {
	if len(r.seen) > 0 {
		n := copy(p, r.seen)
		r.seen = r.seen[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

// underlying returns the connection below TLS and replays.
func underlying(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	if r, ok := nc.(*replayConn); ok {
		nc = r.Conn
	}
	return nc
}
