package pgwire

import (
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// message answers one message, of which the header has been read.
func (c *conn) message(typ byte, n int) error {
	c.resting = false
	if strings.IndexByte("XdcfQFPBEDCHS", typ) < 0 {
		return c.fatal(pgerr.New(pgerr.ProtocolViolation, "invalid frontend message type %d", typ))
	}
	small := typ == 'E' || typ == 'D' || typ == 'C' || typ == 'H' || typ == 'S'
	if n < 0 || n > DefaultMaxMessage || small && n > maxSmallMessage { // where the next message starts nobody knows
		c.log().Debug().Str("event", "message").Int("length", n).Msg("invalid message length")
		return errClosed
	}
	switch typ {
	case 'X':
		return errClosed
	case 'd', 'c', 'f':
		// What a client was still sending when its COPY failed.
		return c.r.skip(n)
	}
	if c.skip && typ != 'S' {
		return c.r.skip(n)
	}
	if limit := c.srv.opts.MaxMessage; n > limit {
		if err := c.r.skip(n); err != nil {
			return err
		}
		return c.failed(typ, pgerr.New(pgerr.ProgramLimitExceeded, "message of %d bytes exceeds the limit of %d bytes", n, limit))
	}
	body, err := c.r.body(n)
	if err != nil {
		return err
	}
	err = c.protect(func() error { return c.dispatch(typ, body) })
	switch {
	case err == nil:
		return nil
	case c.w.failed() || c.dead:
		return errClosed
	}
	return c.failed(typ, err)
}

func (c *conn) dispatch(typ byte, body []byte) error {
	switch typ {
	case 'Q':
		return c.query(body)
	case 'P':
		return c.parse(body)
	case 'B':
		return c.bind(body)
	case 'D':
		return c.describe(body)
	case 'E':
		return c.execute(body)
	case 'C':
		return c.closeObject(body)
	case 'H':
		if len(body) > 0 {
			return pgerr.New(pgerr.ProtocolViolation, "invalid message format")
		}
		return c.w.want(!c.r.empty())
	case 'S':
		c.skip = false
		if len(body) > 0 {
			return pgerr.New(pgerr.ProtocolViolation, "invalid message format")
		}
		if err := c.session.Sync(c.srv.ctx); err != nil {
			return err
		}
		return c.ready()
	}
	return c.functionCall(body)
}

// failed tells the client of an error, and goes on as the protocol says: the
// simple protocol is ready for the next query, the extended skips to Sync.
func (c *conn) failed(typ byte, err error) error {
	c.endCopy()
	if isFatal(err) {
		return c.fatal(err)
	}
	if c.session.Terminated() {
		return c.goodbye()
	}
	extended := typ != 'Q' && typ != 'F' && typ != 'S'
	if typ != 'Q' && typ != 'F' || !markedBySession(err) {
		if perr := c.protect(func() error { c.session.Failed(err); return nil }); perr != nil && isFatal(perr) {
			return c.fatal(perr)
		}
	}
	if err := c.sendError(err); err != nil {
		return err
	}
	if c.outOfStep {
		return c.fatal(pgerr.New(pgerr.ProtocolViolation, "terminating connection because protocol synchronization was lost"))
	}
	if extended {
		c.skip = true
		return c.w.want(!c.r.empty()) // a Flush of what is skipped now is skipped as well
	}
	return c.ready()
}

// query runs a query string of the simple protocol.
func (c *conn) query(body []byte) error {
	m := message{b: body}
	raw := m.str()
	if err := m.done(); err != nil {
		return err
	}
	if err := c.inward(&raw); err != nil {
		return err
	}
	text := c.names.query.get(raw)
	if err := c.session.Simple(c.srv.ctx, text, &c.queryRows); err != nil {
		return simpleError{err}
	}
	return c.ready()
}

// simpleError is an error that Session.Simple returned, and so has marked.
type simpleError struct{ error }

// Unwrap returns the session's error.
func (e simpleError) Unwrap() error { return e.error }

func markedBySession(err error) bool {
	_, ok := err.(simpleError)
	return ok
}

// ready tells the client that everything before is answered.
func (c *conn) ready() error {
	if c.session.Status() == 'I' {
		c.session.DeliverNotifications()
	}
	if len(c.changed) > 0 {
		if err := c.reportParameters(); err != nil {
			return err
		}
	}
	c.w.mu.Lock()
	start := c.w.begin('Z')
	c.w.buf = append(c.w.buf, c.session.Status())
	err := c.w.end(start)
	c.w.mu.Unlock()
	if err != nil {
		return err
	}
	c.resting = true
	return c.w.want(c.r.pending())
}
