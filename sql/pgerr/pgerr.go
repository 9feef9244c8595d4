// Package pgerr is the one form of an error that a user caused or can act on:
// an SQLSTATE with PostgreSQL's message, detail, hint and position. It is made
// at the place that knows the cause and travels unchanged to the client.
//
// The types:
//
//	Error  every field of PostgreSQL's ErrorResponse and NoticeResponse
//
// Messages are PostgreSQL's own words, because clients and people match on them.
// Damage on disk and our own bugs are not made here: From gives foreign errors a
// code at the session's edge (a cancelled context is 57014, anything unknown XX000).
package pgerr

import (
	"context"
	"errors"
	"fmt"
)

// The severities of errors and notices.
const (
	SeverityError   = "ERROR"
	SeverityFatal   = "FATAL"
	SeverityPanic   = "PANIC"
	SeverityWarning = "WARNING"
	SeverityNotice  = "NOTICE"
	SeverityDebug   = "DEBUG"
	SeverityInfo    = "INFO"
	SeverityLog     = "LOG"
)

// Error is one error or notice in PostgreSQL's terms. Positions count characters
// (not bytes) from 1; 0 means none.
type Error struct {
	Severity         string
	Code             string
	Message          string
	Detail           string
	Hint             string
	Position         int
	InternalPosition int
	InternalQuery    string
	Where            string
	Schema           string
	Table            string
	Column           string
	DataType         string
	Constraint       string
	Routine          string
	Store            uint64 // of damaged data; the session puts the table's name in its place
}

// New returns an error of severity ERROR. The message is formatted like fmt.Sprintf
// when there are arguments and taken as it is when there are none.
func New(code, format string, args ...any) *Error {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return &Error{Severity: SeverityError, Code: code, Message: format}
}

// Notice returns a message of the given severity for NoticeResponse.
func Notice(severity, code, format string, args ...any) *Error {
	e := New(code, format, args...)
	e.Severity = severity
	return e
}

// Error returns severity, message and code, as the log shows them.
func (e *Error) Error() string {
	return e.Severity + ": " + e.Message + " (SQLSTATE " + e.Code + ")"
}

// SQLState returns the code.
func (e *Error) SQLState() string { return e.Code }

// WithDetail sets the DETAIL field.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = text(format, args)
	return e
}

// WithHint sets the HINT field.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = text(format, args)
	return e
}

// WithWhere sets the CONTEXT field.
func (e *Error) WithWhere(format string, args ...any) *Error {
	e.Where = text(format, args)
	return e
}

func text(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// At sets the position, a 1-based count of characters, unless one is set already:
// the innermost place that knows a position wins.
func (e *Error) At(position int) *Error {
	if e.Position == 0 {
		e.Position = position
	}
	return e
}

// WithSeverity sets the severity.
func (e *Error) WithSeverity(severity string) *Error {
	e.Severity = severity
	return e
}

// WithTable names the table that the error is about.
func (e *Error) WithTable(schema, table string) *Error {
	e.Schema, e.Table = schema, table
	return e
}

// WithColumn names the column that the error is about.
func (e *Error) WithColumn(column string) *Error {
	e.Column = column
	return e
}

// WithConstraint names the constraint that was violated.
func (e *Error) WithConstraint(constraint string) *Error {
	e.Constraint = constraint
	return e
}

// WithDataType names the data type that the error is about.
func (e *Error) WithDataType(schema, name string) *Error {
	e.Schema, e.DataType = schema, name
	return e
}

// WithRoutine names the function that PostgreSQL reports, where clients look at it.
func (e *Error) WithRoutine(name string) *Error {
	e.Routine = name
	return e
}

// Unsupported returns the honest refusal of something that PostgreSQL can do and we cannot yet.
func Unsupported(format string, args ...any) *Error {
	return New(FeatureNotSupported, format, args...)
}

// From returns err as an *Error: the one it wraps, or one made for it. A nil err gives nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) {
		return New(QueryCanceled, "canceling statement due to user request")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return New(QueryCanceled, "canceling statement due to statement timeout")
	}
	return &Error{Severity: SeverityError, Code: InternalError, Message: err.Error()}
}

// Code returns the SQLSTATE that From would give err, "" for nil.
func Code(err error) string {
	if err == nil {
		return ""
	}
	return From(err).Code
}

// Is reports whether err carries the given SQLSTATE.
func Is(err error, code string) bool { return err != nil && From(err).Code == code }
