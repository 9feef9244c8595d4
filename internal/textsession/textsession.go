// Package textsession is a session in this process whose rows become text, without the protocol in between: what tests and
// simulations of SQL look at.
package textsession

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// Session is one connection, and where the answers to it go. What COPY takes in is empty, what it puts out is dropped.
type Session struct {
	*sql.Session
	Null    string       // how NULL is written
	Columns []sql.Column // of the last rows announced
	Cells   [][]string   // the rows since the last Run began
	Sent    int          // how many there were
	Drop    bool         // rows are encoded, as for a client, and not kept
	env     *types.Env
	buf     []byte
}

// Connect opens a session of a role in database postgres.
func Connect(server *sql.Server, role, null string) (*Session, error) {
	s := &Session{Null: null}
	var err error
	if s.Session, err = server.Connect(sql.ConnectOptions{User: role, Database: "postgres", Client: s}); err != nil {
		return nil, err
	}
	s.env = s.Env()
	return s, nil
}

// Run runs statements and returns all their rows. An error fails the transaction that it happens in.
func (s *Session) Run(ctx context.Context, text string) ([][]string, error) {
	s.Columns, s.Cells, s.Sent = nil, nil, 0
	if err := s.Simple(ctx, text, s); err != nil {
		s.Failed(err)
		return nil, err
	}
	return s.Cells, nil
}

// Describe implements sql.Sink.
func (s *Session) Describe(cols []sql.Column) error {
	s.Columns = append(s.Columns, cols...)
	return nil
}

// Rows implements sql.Sink. The cells of a batch share one string.
func (s *Session) Rows(cols []sql.Column, b *column.Batch) error {
	n := b.Len()
	s.Sent += n
	if s.Drop {
		s.drop(cols, b)
		return nil
	}
	cells := make([]string, n*len(cols))
	ends := make([]int, 0, len(cells))
	s.buf = s.buf[:0]
	for i := range n {
		for j := range cols {
			if d := b.Cols[j].Datum(b.Row(i)); d.Null {
				s.buf = append(s.buf, s.Null...)
			} else {
				s.buf = s.env.Out(s.buf, cols[j].Type, d)
			}
			ends = append(ends, len(s.buf))
		}
	}
	all, start := string(s.buf), 0
	for i, end := range ends {
		cells[i] = all[start:end]
		start = end
	}
	for i := range n {
		s.Cells = append(s.Cells, cells[i*len(cols):(i+1)*len(cols):(i+1)*len(cols)])
	}
	return nil
}

// drop encodes rows, the commonest types directly as the protocol does.
func (s *Session) drop(cols []sql.Column, b *column.Batch) {
	buf := s.buf
	for i := range b.Len() {
		buf = buf[:0]
		row := b.Row(i)
		for j := range cols {
			v := &b.Cols[j]
			if v.Null(row) {
				continue
			}
			switch typ := cols[j].Type; typ {
			case types.Int2OID, types.Int4OID, types.Int8OID, types.OIDOID:
				buf = strconv.AppendInt(buf, v.I[row], 10)
			case types.BoolOID:
				buf = append(buf, "ft"[v.I[row]&1])
			case types.TextOID, types.VarcharOID, types.BPCharOID, types.NameOID, types.JSONOID:
				buf = append(buf, v.B[row]...)
			default:
				buf = s.env.Out(buf, typ, v.Datum(row))
			}
		}
	}
	s.buf = buf
}

// Complete implements sql.Sink.
func (s *Session) Complete(string) error { return nil }

// Empty implements sql.Sink.
func (s *Session) Empty() error { return nil }

// Suspended implements sql.Sink.
func (s *Session) Suspended() error { return nil }

// CopyIn implements sql.Sink.
func (s *Session) CopyIn(int8, int) (io.Reader, error) { return strings.NewReader(""), nil }

// CopyOut implements sql.Sink.
func (s *Session) CopyOut(int8, int) (io.WriteCloser, error) { return dropped{io.Discard}, nil }

// Notice implements sql.Client.
func (s *Session) Notice(*pgerr.Error) {}

// Parameter implements sql.Client.
func (s *Session) Parameter(string, string) {}

// Notify implements sql.Client.
func (s *Session) Notify(int32, string, string) {}

// dropped is where COPY TO goes.
type dropped struct{ io.Writer }

// Close implements io.Closer.
func (dropped) Close() error { return nil }
