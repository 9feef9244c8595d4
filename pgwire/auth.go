package pgwire

import (
	"errors"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/security"
	"github.com/omendb/omendb/sql/pgerr"
)

// authenticate makes sure that the client may be who it says it is.
func (c *conn) authenticate() error {
	if err := c.drawCancelKey(); err != nil {
		return c.fatal(err)
	}
	if c.trusted || c.isOwner() {
		return nil
	}
	_, overUnix := underlying(c.nc).(*net.UnixConn)
	if c.srv.opts.RequireTLS && !c.tls && !overUnix {
		return c.fatal(pgerr.New(pgerr.InvalidAuthorizationSpecification, "connection requires TLS: user \"%s\", database \"%s\", no encryption", c.user, c.database).
			WithHint("Connect with sslmode=require."))
	}
	demand := c.srv.opts.ClientCert
	if c.srv.opts.Authorities == nil || overUnix {
		demand = security.ClientCertOptional
	}
	certified := demand.Check(c.clientCert, c.user)
	if errors.Is(certified, security.ErrNoClientCert) {
		return c.fatal(pgerr.New(pgerr.InvalidAuthorizationSpecification, "%s", certified.Error()))
	}
	if demand == security.ClientCertLogin {
		return c.certificateLogin(certified)
	}
	host := c.host()
	wait, ok := c.srv.throttle.Reserve(host, c.user)
	if !ok {
		c.log().Warn().Str("event", "login.throttled").Msg("too many failing logins: refused")
		return c.rejected()
	}
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-c.srv.ctx.Done():
			return errClosed
		}
	}
	err := c.scram()
	if err == nil && certified != nil { // told no sooner, so that it helps nobody to guess
		c.logMismatch()
		err = security.ErrRejected
	}
	switch {
	case err == nil:
		c.srv.throttle.Succeeded(host, c.user)
		return nil
	case errors.Is(err, security.ErrRejected):
		c.srv.throttle.Failed(host, c.user)
		c.log().Info().Str("event", "login.failed").Msg("password authentication failed")
		return c.rejected()
	case errors.Is(err, security.ErrMalformed):
		return c.refused(host, pgerr.ProtocolViolation, err)
	case errors.Is(err, security.ErrChannelBinding):
		return c.refused(host, pgerr.InvalidAuthorizationSpecification, err)
	case errors.Is(err, security.ErrAuthorizationIdentity):
		return c.refused(host, pgerr.FeatureNotSupported, err)
	}
	return err
}

// refused ends a SCRAM exchange that broke off.
func (c *conn) refused(host, code string, err error) error {
	c.srv.throttle.Failed(host, c.user)
	e := pgerr.New(code, "%s", err.Error())
	var x *security.ExchangeError
	if errors.As(err, &x) && x.Detail != "" {
		e = e.WithDetail("%s", x.Detail)
	}
	return c.fatal(e)
}

// certificateLogin lets those in whose certificate is in the role's name. Roles
// that do not exist are refused when the session starts, as in PostgreSQL: the
// certificate tells that the client is no stranger.
func (c *conn) certificateLogin(certified error) error {
	if certified == nil {
		return nil
	}
	c.logMismatch()
	return c.fatal(pgerr.New(pgerr.InvalidAuthorizationSpecification, "certificate authentication failed for user \"%s\"", c.user))
}

func (c *conn) logMismatch() {
	c.log().Info().Str("event", "login.failed").Str("certificate", c.clientCert.Subject.CommonName).
		Msg("provided user name and authenticated user name do not match")
}

// rejected is the one answer to wrong passwords, unknown users and throttled logins.
func (c *conn) rejected() error {
	return c.fatal(pgerr.New(pgerr.InvalidPassword, "password authentication failed for user \"%s\"", c.user))
}

// isOwner reports whether a Unix socket's other end is the server's own user,
// and gives it its role.
func (c *conn) isOwner() bool {
	owner := &c.srv.opts.Owner
	if owner.UID < 0 {
		return false
	}
	uid, err := security.PeerUID(c.nc)
	if err != nil || uid != owner.UID {
		return false
	}
	if _, known := c.srv.opts.Backend.Login(c.user); !known && c.user == owner.Name {
		if c.database == c.user {
			c.database = owner.Role
		}
		c.user = owner.Role
	}
	return true
}

// host returns the client's address without its port.
func (c *conn) host() string {
	if t, ok := c.nc.RemoteAddr().(*net.TCPAddr); ok {
		return t.IP.String()
	}
	return "local"
}

// scram asks for the password by SCRAM-SHA-256.
func (c *conn) scram() error {
	offer := []string{security.MechanismSCRAM}
	if c.endpoint != nil {
		offer = []string{security.MechanismSCRAMPlus, security.MechanismSCRAM}
	}
	if err := c.ask(&pgproto3.AuthenticationSASL{AuthMechanisms: offer}); err != nil {
		return err
	}
	body, err := c.answer()
	if err != nil {
		return err
	}
	m := message{b: body}
	mechanism := string(m.str())
	n := int(m.int32())
	data := m.bytes(n)
	if m.done() != nil {
		return security.ErrMalformed
	}
	plus := mechanism == security.MechanismSCRAMPlus && c.endpoint != nil
	if !plus && mechanism != security.MechanismSCRAM {
		return c.fatal(pgerr.New(pgerr.ProtocolViolation, "client selected an invalid SASL authentication mechanism"))
	}
	x, err := c.srv.auth.Start(c.user, c.verifier(), c.endpoint, plus)
	if err != nil {
		return c.fatal(err)
	}
	first, err := x.First(data)
	if err != nil {
		return err
	}
	if err := c.ask(&pgproto3.AuthenticationSASLContinue{Data: first}); err != nil {
		return err
	}
	if body, err = c.answer(); err != nil {
		return err
	}
	final, err := x.Final(body)
	if err != nil {
		return err
	}
	return c.w.send(&pgproto3.AuthenticationSASLFinal{Data: final})
}

// verifier returns what the user's password is checked against, nil when no
// password can be right.
func (c *conn) verifier() *security.Verifier {
	l, ok := c.srv.opts.Backend.Login(c.user)
	if !ok || !l.ValidUntil.IsZero() && c.srv.opts.Clock.Now().After(l.ValidUntil) {
		return nil
	}
	v, err := security.ParseVerifier(l.Verifier)
	if err != nil {
		return nil
	}
	return &v
}

func (c *conn) ask(m pgproto3.BackendMessage) error {
	if err := c.w.send(m); err != nil {
		return err
	}
	return c.w.flushNow()
}

// answer reads a password message.
func (c *conn) answer() ([]byte, error) {
	typ, n, err := c.r.header()
	if err != nil {
		return nil, err
	}
	if typ != 'p' {
		return nil, c.fatal(pgerr.New(pgerr.ProtocolViolation, "expected SASL response, got message type %d", typ))
	}
	if n < 0 || n > maxAuthMessage {
		return nil, c.fatal(pgerr.New(pgerr.ProtocolViolation, "invalid length of SASL message"))
	}
	return c.r.body(n)
}
