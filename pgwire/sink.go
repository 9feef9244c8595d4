package pgwire

import (
	"io"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql"
)

// sink turns what a statement yields into messages. In the simple protocol rows
// are described as they come; in the extended the client asked before.
type sink struct {
	c      *conn
	simple bool
}

// Describe implements sql.Sink.
func (s sink) Describe(cols []sql.Column) error {
	if !s.simple {
		return nil
	}
	return s.c.describeRow(cols)
}

// Rows implements sql.Sink.
func (s sink) Rows(cols []sql.Column, b *column.Batch) error {
	return s.c.encoders.rows(&s.c.w, s.c.session.Env(), cols, b)
}

// Complete implements sql.Sink.
func (s sink) Complete(tag string) error {
	if err := s.c.drainCopy(); err != nil {
		return err
	}
	w := &s.c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	start := w.begin('C')
	w.buf = appendString(w.buf, tag)
	return w.end(start)
}

// Empty implements sql.Sink.
func (s sink) Empty() error { return s.c.w.empty('I') }

// Suspended implements sql.Sink.
func (s sink) Suspended() error { return s.c.w.empty('s') }

// CopyIn implements sql.Sink.
func (s sink) CopyIn(format int8, columns int) (io.Reader, error) { return s.c.copyIn(format, columns) }

// CopyOut implements sql.Sink.
func (s sink) CopyOut(format int8, columns int) (io.WriteCloser, error) {
	return s.c.copyOut(format, columns)
}

// describeRow sends RowDescription, or NoData for what yields no rows.
func (c *conn) describeRow(cols []sql.Column) error {
	if cols == nil {
		return c.w.empty('n')
	}
	w := &c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	start := w.begin('T')
	b := appendInt16(w.buf, int16(len(cols)))
	for i := range cols {
		col := &cols[i]
		name, err := c.outward(col.Name)
		if err != nil {
			return err
		}
		b = appendString(b, name)
		b = appendInt32(b, int32(col.Table))
		b = appendInt16(b, col.Attr)
		b = appendInt32(b, int32(col.Type))
		b = appendInt16(b, col.Size)
		b = appendInt32(b, col.Typmod)
		b = appendInt16(b, col.Format)
	}
	w.buf = b
	return w.end(start)
}

// describeParams sends ParameterDescription.
func (c *conn) describeParams(params []uint32) error {
	w := &c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	start := w.begin('t')
	w.buf = appendInt16(w.buf, int16(len(params)))
	for _, oid := range params {
		w.buf = appendInt32(w.buf, int32(oid))
	}
	return w.end(start)
}
