package pgwire

import (
	"github.com/omendb/omendb/sql/pgerr"
)

// nameCache returns the string of bytes that are usually the same as last time
// without making a new one.
type nameCache struct {
	statement, portal, query, execute cachedString
}

// maxCachedText bounds the query string that a connection keeps for comparison.
const maxCachedText = 512

type cachedString struct{ last string }

func (s *cachedString) get(b []byte) string {
	if string(b) == s.last { // compiled without an allocation
		return s.last
	}
	text := string(b)
	if len(text) <= maxCachedText {
		s.last = text
	}
	return text
}

// cutName is a name of a statement or portal as far as it counts, as with other names.
func cutName(name []byte) []byte { return name[:min(len(name), maxIdentifier)] }

func (c *conn) parse(body []byte) error {
	m := message{b: body}
	name, text := cutName(m.str()), m.str()
	n := m.count()
	var params []uint32
	if n > 0 && !m.bad && len(m.b) >= 4*n {
		params = make([]uint32, n)
		for i := range params {
			params[i] = uint32(m.int32())
		}
	} else if n > 0 {
		m.bad = true
	}
	if err := m.done(); err != nil {
		return err
	}
	if err := c.inward(&name, &text); err != nil {
		return err
	}
	if err := c.session.Parse(c.srv.ctx, string(name), string(text), params); err != nil {
		return err
	}
	return c.w.empty('1')
}

func (c *conn) bind(body []byte) error {
	m := message{b: body}
	portal, statement := cutName(m.str()), cutName(m.str())
	c.paramFormats = m.formats(c.paramFormats)
	n := m.count()
	c.params = c.params[:0]
	for i := range n {
		cut := m.bad
		size := m.int32()
		if m.bad || size < -1 || int(size) > len(m.b) {
			if cut {
				break
			}
			if want := c.session.Parameters(string(statement)); want >= 0 && want != n {
				return pgerr.New(pgerr.ProtocolViolation, "bind message supplies %d parameters, but prepared statement \"%s\" requires %d", n, statement, want)
			}
			return shortParameter(portal, i)
		}
		if size == -1 {
			c.params = append(c.params, nil)
			continue
		}
		c.params = append(c.params, m.bytes(int(size)))
	}
	c.outFormats = m.formats(c.outFormats)
	if err := m.done(); err != nil {
		return err
	}
	if err := c.inward(&portal, &statement); err != nil {
		return err
	}
	err := c.session.Bind(c.srv.ctx, c.names.portal.get(portal), c.names.statement.get(statement), c.paramFormats, c.params, c.outFormats)
	clear(c.params)
	if err != nil {
		return err
	}
	return c.w.empty('2')
}

// shortParameter is the error of a parameter that is not in the message whole.
func shortParameter(portal []byte, i int) error {
	where := "unnamed portal"
	if len(portal) > 0 {
		where = "portal \"" + string(portal) + "\""
	}
	return pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message").WithWhere("%s parameter $%d", where, i+1)
}

// formats reads a list of format codes into dst's memory.
func (m *message) formats(dst []int16) []int16 {
	dst = dst[:0]
	for range m.count() {
		dst = append(dst, m.int16())
		if m.bad {
			break
		}
	}
	return dst
}

func (c *conn) execute(body []byte) error {
	m := message{b: body}
	portal := cutName(m.str())
	limit := m.int32()
	if err := m.done(); err != nil {
		return err
	}
	if err := c.inward(&portal); err != nil {
		return err
	}
	return c.session.Execute(c.srv.ctx, c.names.execute.get(portal), int64(max(limit, 0)), &c.rows)
}

func (c *conn) describe(body []byte) error {
	m := message{b: body}
	kind, name := m.byte(), cutName(m.str())
	if err := m.done(); err != nil {
		return err
	}
	if err := c.inward(&name); err != nil {
		return err
	}
	switch kind {
	case 'S':
		params, cols, err := c.session.DescribeStatement(c.srv.ctx, string(name))
		if err != nil {
			return err
		}
		if err := c.describeParams(params); err != nil {
			return err
		}
		return c.describeRow(cols)
	case 'P':
		cols, err := c.session.DescribePortal(c.srv.ctx, string(name))
		if err != nil {
			return err
		}
		return c.describeRow(cols)
	}
	return pgerr.New(pgerr.ProtocolViolation, "invalid DESCRIBE message subtype %d", kind)
}

func (c *conn) closeObject(body []byte) error {
	m := message{b: body}
	kind, name := m.byte(), cutName(m.str())
	if err := m.done(); err != nil {
		return err
	}
	if err := c.inward(&name); err != nil {
		return err
	}
	switch kind {
	case 'S':
		c.session.CloseStatement(string(name))
	case 'P':
		c.session.ClosePortal(string(name))
	default:
		return pgerr.New(pgerr.ProtocolViolation, "invalid CLOSE message subtype %d", kind)
	}
	return c.w.empty('3')
}
