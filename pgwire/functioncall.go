package pgwire

import (
	"io"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/pgerr"
)

// callName is the statement and portal of a function call: no client can send such a name whole.
const callName = "function call\x00"

// functionCall answers a function call message: the query that calls the function, its row sent in a message of its own.
func (c *conn) functionCall(body []byte) error {
	m := message{b: body}
	oid := uint32(m.int32())
	formats := m.formats(nil)
	n := m.count()
	short := m.bad
	var args [][]byte
	for range n {
		size := m.int32()
		if m.bad {
			break
		}
		if size < -1 {
			return pgerr.New(pgerr.ProtocolViolation, "invalid argument size %d in function call message", size)
		}
		if size == -1 {
			args = append(args, nil)
			continue
		}
		args = append(args, m.bytes(int(size)))
	}
	format := m.int16()
	text, params, err := c.session.FunctionQuery(oid, n)
	if err != nil && (!short || pgerr.From(err).Code != pgerr.ProtocolViolation) {
		return err
	}
	if err := m.done(); err != nil {
		return err
	}
	if len(formats) > 1 && len(formats) != n {
		return pgerr.New(pgerr.ProtocolViolation, "function call message contains %d argument formats but %d arguments", len(formats), n)
	}
	to := callSink{c: c, format: format}
	if err := c.call(text, params, formats, args, &to); err != nil {
		c.session.Failed(err)
		if lost := c.session.Sync(c.srv.ctx); lost != nil {
			return lost
		}
		return simpleError{err}
	}
	c.w.mu.Lock()
	start := c.w.begin('V')
	if to.null {
		c.w.buf = appendInt32(c.w.buf, -1)
	} else {
		c.w.buf = append(appendInt32(c.w.buf, int32(len(to.value))), to.value...)
	}
	err = c.w.end(start)
	c.w.mu.Unlock()
	if err != nil {
		return err
	}
	return c.ready()
}

// call runs the query of a function call to the end of its implicit transaction.
func (c *conn) call(text string, params []uint32, formats []int16, args [][]byte, to *callSink) error {
	ctx, s := c.srv.ctx, c.session
	defer s.CloseStatement(callName)
	defer s.ClosePortal(callName)
	if err := s.Parse(ctx, callName, text, params); err != nil {
		return err
	}
	if err := s.Bind(ctx, callName, callName, formats, args, []int16{to.format}); err != nil {
		return err
	}
	if err := s.Execute(ctx, callName, 0, to); err != nil {
		return err
	}
	return s.Sync(ctx)
}

// callSink keeps the value that a function has returned.
type callSink struct {
	c      *conn
	format int16
	value  []byte
	null   bool
}

// Rows implements sql.Sink.
func (s *callSink) Rows(cols []sql.Column, b *column.Batch) error {
	v, row := &b.Cols[0], b.Row(0)
	if s.null = v.Null(row); s.null {
		return nil
	}
	enc, err := encoderOf(s.c.session.Env(), cols[0].Type, s.format)
	if err == nil {
		s.value = enc(nil, v, row)
	}
	return err
}

// Describe implements sql.Sink.
func (*callSink) Describe([]sql.Column) error { return nil }

// Complete implements sql.Sink.
func (*callSink) Complete(string) error { return nil }

// Empty implements sql.Sink.
func (*callSink) Empty() error { return nil }

// Suspended implements sql.Sink.
func (*callSink) Suspended() error { return nil }

// CopyIn implements sql.Sink.
func (*callSink) CopyIn(int8, int) (io.Reader, error) {
	return nil, pgerr.Unsupported("COPY in a function call is not supported")
}

// CopyOut implements sql.Sink.
func (*callSink) CopyOut(int8, int) (io.WriteCloser, error) {
	return nil, pgerr.Unsupported("COPY in a function call is not supported")
}
