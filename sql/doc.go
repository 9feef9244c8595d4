// Package sql is the session: the transaction state machine, prepared
// statements and portals, the plan cache, settings, cursors and utility
// commands that are not DDL. It stands between the wire protocol, which calls
// it, and parser, planner and executor, which it drives.
//
//	Server   what sessions share: engine, catalog, plan cache, notifications, activity
//	Session  one connection: Simple (simple protocol), Parse, Bind, Describe, Execute, Sync (extended)
//	Sink     what the caller provides to take results: the wire protocol, or a test
//
// A session is used by one goroutine at a time, except Cancel and Terminate.
package sql

import (
	"io"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// Column describes a result column as RowDescription does.
type Column struct {
	Name   string
	Table  uint32 // OID of the table that it comes from, 0 if none
	Attr   int16
	Type   uint32
	Size   int16 // pg_type.typlen
	Typmod int32
	Format int16 // 0 text, 1 binary
}

// Sink takes what statements yield. Its errors (a broken connection) end the statement.
type Sink interface {
	// Describe announces the columns of rows that follow (simple protocol only).
	Describe(cols []Column) error
	// Rows delivers rows; the batch is valid during the call.
	Rows(cols []Column, b *column.Batch) error
	// Complete ends a statement with its command tag.
	Complete(tag string) error
	// Empty answers an empty query string.
	Empty() error
	// Suspended tells that a portal has more rows.
	Suspended() error
	// CopyIn starts COPY FROM STDIN; the reader ends with io.EOF at CopyDone and
	// with an error at CopyFail. format is 0 or 1 for all columns.
	CopyIn(format int8, columns int) (io.Reader, error)
	// CopyOut starts COPY TO STDOUT; Close ends it.
	CopyOut(format int8, columns int) (io.WriteCloser, error)
}

// Client is told what happens outside of statements' results. Methods may be
// called from any of the session's calls, Notify from Session.DeliverNotifications only.
type Client interface {
	Notice(n *pgerr.Error)
	Parameter(name, value string)
	Notify(pid int32, channel, payload string)
}

// columnsOf describes targets.
func (s *Session) columnsOf(targets []*plan.Target, formats []int16) []Column {
	cols := make([]Column, len(targets))
	for i, t := range targets {
		typ := t.Expr.ResultType()
		base, typmod := s.env.BaseType(typ.OID, typ.Typmod) // clients know nothing of domains
		cols[i] = Column{Name: t.Name, Table: t.SourceTable, Attr: t.SourceAttr, Type: base, Typmod: typmod, Size: -1}
		if d := s.env.Type(base); d != nil {
			cols[i].Size = d.Len
		}
		switch {
		case len(formats) == 1:
			cols[i].Format = formats[0]
		case i < len(formats):
			cols[i].Format = formats[i]
		}
	}
	return cols
}
