package pgwire

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/sql/pgerr"
)

// errClosed ends a connection whose client has left or was sent away.
var errClosed = errors.New("connection closed")

// errorFields turns an error or notice into the fields of its message.
func errorFields(e *pgerr.Error) pgproto3.ErrorResponse {
	severity := e.Severity
	if severity == "" {
		severity = pgerr.SeverityError
	}
	return pgproto3.ErrorResponse{
		Severity: severity, SeverityUnlocalized: severity, Code: e.Code, Message: e.Message, Detail: e.Detail, Hint: e.Hint,
		Position: int32(e.Position), InternalPosition: int32(e.InternalPosition), InternalQuery: e.InternalQuery,
		Where: e.Where, SchemaName: e.Schema, TableName: e.Table, ColumnName: e.Column, DataTypeName: e.DataType,
		ConstraintName: e.Constraint, Routine: e.Routine,
	}
}

// sendError tells the client about an error.
func (c *conn) sendError(err error) error {
	e := pgerr.From(err)
	if c.srv.opts.OnError != nil {
		c.srv.opts.OnError(e.Code)
	}
	fields := errorFields(e)
	c.lossy(&fields)
	return c.w.send(&fields)
}

// fatal sends an error as FATAL and ends the connection.
func (c *conn) fatal(err error) error {
	e := *pgerr.From(err)
	if e.Severity != "PANIC" {
		e.Severity = "FATAL"
	}
	c.dead = true
	// A client that does not read must not hold up the server's shutdown.
	_ = c.nc.SetWriteDeadline(c.srv.opts.Clock.Now().Add(fatalWriteTimeout))
	if err := c.sendError(&e); err == nil {
		_ = c.w.flushNow() // the connection ends either way
	}
	return errClosed
}

// isFatal reports whether a connection ends with an error.
func isFatal(err error) bool {
	var e *pgerr.Error
	return errors.As(err, &e) && (e.Severity == "FATAL" || e.Severity == "PANIC")
}

// protect calls fn and turns a panic into XX000, with the stack in the log.
func (c *conn) protect(fn func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		c.log().Error().Str("event", "session.panic").Str("stack", string(debug.Stack())).Msg(fmt.Sprint(p))
		err = pgerr.New(pgerr.InternalError, "internal error: %v", p)
		if c.session != nil {
			err = c.failAfterPanic(err)
		}
	}()
	return fn()
}

// failAfterPanic marks the transaction of a session whose state is in doubt; a
// session that cannot even do that is given up.
func (c *conn) failAfterPanic(cause error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log().Error().Str("event", "session.panic").Str("stack", string(debug.Stack())).Msg(fmt.Sprint(p))
			err = pgerr.From(cause).WithSeverity("FATAL")
		}
	}()
	c.session.Failed(cause)
	return cause
}
