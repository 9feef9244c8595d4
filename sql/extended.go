package sql

import (
	"context"
	"slices"
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// The limits on what one session may keep: each costs memory that a client
// could otherwise take without end.
const (
	maxStatements = 100_000
	maxPortals    = 10_000
)

// Parse prepares a statement (the extended protocol's Parse). Types of 0 are inferred.
func (x *Session) Parse(ctx context.Context, name, text string, params []uint32) error {
	ctx, done, err := x.statementContext(ctx)
	if err != nil {
		return err
	}
	defer done()
	x.activity.start(text, x.now())
	if name == "" {
		delete(x.statements, "")
	} else if x.statements[name] != nil {
		return pgerr.New(pgerr.DuplicatePreparedStatement, "prepared statement \"%s\" already exists", name)
	}
	if len(x.statements) >= maxStatements {
		return pgerr.New(pgerr.ProgramLimitExceeded, "a session may keep at most %d prepared statements", maxStatements)
	}
	s, err := x.prepare(ctx, text, params)
	if err != nil {
		return err
	}
	s.name, s.created = name, x.now()
	x.statements[name] = s
	return nil
}

// prepare parses and binds one statement; an empty text gives a statement
// without a tree.
func (x *Session) prepare(ctx context.Context, text string, params []uint32) (*statement, error) {
	if x.state != txnFailed {
		if s := x.srv.plans.findPrepared(x, text, params); s != nil {
			cached := s.bound
			if _, err := x.readyToPrepare(ctx, s); err != nil {
				return nil, err
			}
			s.shared = false
			if s.bound != cached {
				x.srv.plans.keepPrepared(x, text, params, s)
			}
			return s, nil
		}
	}
	long := x.tellLongNames(text)
	list, err := parse(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, pgerr.New(pgerr.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	s := &statement{text: text, declared: params}
	if len(list) == 0 {
		return s, nil
	}
	s.parsed = &list[0]
	if x.state == txnFailed {
		return s, x.checkFailedText(s)
	}
	if _, err := x.readyToPrepare(ctx, s); err != nil {
		return nil, err
	}
	if !long {
		x.srv.plans.keepPrepared(x, text, params, s)
	}
	return s, nil
}

func (x *Session) statement(name string) (*statement, error) {
	s := x.statements[name]
	if s == nil {
		if name == "" {
			return nil, pgerr.New(pgerr.InvalidSQLStatementName, "unnamed prepared statement does not exist")
		}
		return nil, pgerr.New(pgerr.InvalidSQLStatementName, "prepared statement \"%s\" does not exist", name)
	}
	return s, nil
}

func (x *Session) portal(name string) (*portal, error) {
	p := x.portals[name]
	if p == nil {
		return nil, pgerr.New(pgerr.InvalidCursorName, "portal \"%s\" does not exist", name)
	}
	return p, nil
}

// Parameters returns how many parameters a prepared statement has, -1 if there is none of the name.
func (x *Session) Parameters(name string) int {
	s := x.statements[name]
	switch {
	case s == nil:
		return -1
	case s.bound == nil:
		return 0
	}
	return len(s.bound.params)
}

// Bind makes a portal from a prepared statement and parameter values.
func (x *Session) Bind(ctx context.Context, name, stmt string, paramFormats []int16, values [][]byte, resultFormats []int16) error {
	if s := x.statements[stmt]; s != nil && s.point != nil && x.bindPoint(name, s, paramFormats, values, resultFormats) {
		return nil
	}
	ctx, done, err := x.statementContext(ctx)
	if err != nil {
		return err
	}
	defer done()
	s, err := x.statement(stmt)
	if err != nil {
		return err
	}
	if name == "" {
		x.short.live = false
	}
	if name != "" && x.portals[name] != nil {
		return pgerr.New(pgerr.DuplicateCursor, "cursor \"%s\" already exists", name)
	}
	if len(x.portals) >= maxPortals {
		return pgerr.New(pgerr.ProgramLimitExceeded, "a session may have at most %d portals", maxPortals)
	}
	x.activity.start(s.text, x.now())
	if len(paramFormats) > 1 && len(paramFormats) != len(values) {
		return pgerr.New(pgerr.ProtocolViolation, "bind message has %d parameter formats but %d parameters", len(paramFormats), len(values))
	}
	p := &portal{name: name, stmt: s}
	if s.parsed != nil {
		if err := x.checkFailedText(s); err != nil {
			return err
		}
		if err := x.bindPortal(ctx, p, s, paramFormats, values, resultFormats); err != nil {
			return err
		}
	} else if len(values) > 0 {
		return x.wrongParams(s, len(values), 0)
	}
	if old := x.portals[name]; old != nil {
		old.close()
	}
	p.depth = len(x.savepoints)
	x.portals[name] = p
	return nil
}

func (x *Session) wrongParams(s *statement, got, want int) error {
	return pgerr.New(pgerr.ProtocolViolation, "bind message supplies %d parameters, but prepared statement \"%s\" requires %d", got, s.name, want)
}

func (x *Session) bindPortal(ctx context.Context, p *portal, s *statement, formats []int16, values [][]byte, resultFormats []int16) error {
	if x.state == txnFailed { // COMMIT or ROLLBACK
		p.utility = transactionOf(s.parsed)
		return nil
	}
	c, err := x.ready(ctx, s)
	if err != nil {
		return err
	}
	if len(values) != len(c.params) {
		return x.wrongParams(s, len(values), len(c.params))
	}
	if p.params, err = x.readParams(p.name, c.params, formats, values); err != nil {
		return err
	}
	if err := x.checkDomains(ctx, c.params, p.params); err != nil {
		return err
	}
	if c.late != nil {
		return c.late
	}
	p.query, p.utility = c.query, c.utility
	cols := x.describe(ctx, c, resultFormats)
	if len(resultFormats) > 1 && len(resultFormats) != len(cols) {
		return pgerr.New(pgerr.ProtocolViolation, "bind message has %d result formats but query has %d columns", len(resultFormats), len(cols))
	}
	for _, f := range resultFormats {
		if f != 0 && f != 1 {
			return pgerr.New(pgerr.InvalidParameterValue, "unsupported format code: %d", f)
		}
	}
	p.cols = cols
	return nil
}

// checkDomains tests the values of parameters whose types are domains, as
// PostgreSQL's input functions do.
func (x *Session) checkDomains(ctx context.Context, params []uint32, values []column.Datum) error {
	var casts []plan.Expr
	for i, oid := range params {
		t := x.env.Type(oid)
		if t == nil || t.TypType != 'd' || i >= len(values) {
			continue
		}
		base, typmod := x.env.BaseType(oid, -1)
		value := &plan.Const{Base: plan.Base{Typ: plan.Type{OID: base, Typmod: typmod}, Pos: -1}, Value: values[i]}
		casts = append(casts, &plan.DomainCast{Base: plan.Base{Typ: plan.Type{OID: oid, Typmod: -1}, Pos: -1}, Arg: value})
	}
	if casts == nil {
		return nil
	}
	_, err := x.evaluate(ctx, casts, nil)
	return err
}

// atParameter says which parameter of which portal an error is about. PostgreSQL shows no
// text of it unless it is told to (log_parameter_max_length_on_error).
func atParameter(err error, portal string, i int, text bool) error {
	if err == nil {
		return nil
	}
	e := *pgerr.From(err)
	if e.Where != "" {
		e.Where += "\n"
	}
	if portal != "" {
		e.Where += "portal \"" + portal + "\" parameter $" + strconv.Itoa(i+1)
	} else {
		e.Where += "unnamed portal parameter $" + strconv.Itoa(i+1)
	}
	if text {
		e.Where += " = '...'"
	}
	return &e
}

// readParams decodes parameter values in text or binary format.
func (x *Session) readParams(portal string, params []uint32, formats []int16, values [][]byte) ([]column.Datum, error) {
	if len(values) == 0 {
		return nil, nil
	}
	out := make([]column.Datum, len(values))
	for i, v := range values {
		if v == nil {
			out[i] = column.Null()
			continue
		}
		var err error
		switch format := formatOf(formats, i); format {
		case 0:
			if v, err = x.env.FromClient(v); err == nil {
				out[i], err = x.env.In(params[i], -1, string(v))
			}
			err = atParameter(err, portal, i, true)
		case 1:
			out[i], err = x.env.Recv(params[i], -1, v)
			err = atParameter(types.AtParameter(err, i+1), portal, i, false)
		default:
			err = pgerr.New(pgerr.InvalidParameterValue, "unsupported format code: %d", format)
		}
		if err != nil {
			return nil, err
		}
		out[i] = out[i].Clone()
	}
	return out, nil
}

// DescribeStatement returns the parameter types and result columns of a
// prepared statement; no columns if it returns no rows.
func (x *Session) DescribeStatement(ctx context.Context, name string) (params []uint32, cols []Column, err error) {
	s, err := x.statement(name)
	if err != nil || s.parsed == nil {
		return nil, nil, err
	}
	if x.state == txnFailed {
		return nil, nil, x.checkFailedText(s)
	}
	ctx, done, err := x.statementContext(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	c, err := x.readyToPrepare(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	return c.params, x.describe(ctx, c, nil), nil
}

// readyToPrepare is ready for a statement that is not run yet: what only its
// run fails with is no error.
func (x *Session) readyToPrepare(ctx context.Context, s *statement) (*compiled, error) {
	x.preparing = true
	defer func() { x.preparing = false }()
	return x.ready(ctx, s)
}

// describe returns the result columns of a statement. Those of FETCH and
// EXECUTE are known by the cursor or the statement that they name; one that
// does not exist is an error only when they run.
func (x *Session) describe(ctx context.Context, c *compiled, formats []int16) []Column {
	switch u := c.utility.(type) {
	case *plan.Fetch:
		if p := x.portals[u.Cursor]; p != nil && !u.Move {
			cols := slices.Clone(p.cols)
			for i := range cols {
				if len(formats) > 0 && p.cursor != nil && !p.cursor.def.Binary {
					cols[i].Format = formatOf(formats, i)
				}
			}
			return cols
		}
	case *plan.Execute:
		if s := x.statements[u.Name]; s != nil && s.parsed != nil {
			if inner, err := x.readyToPrepare(ctx, s); err == nil {
				return x.describe(ctx, inner, formats)
			}
		}
	}
	out := outputOf(c)
	if len(out) == 0 {
		if c.query != nil && c.query.Command == plan.Select {
			return []Column{} // rows without columns
		}
		return nil // no rows at all: clients take their number for that of the rows changed
	}
	return x.columnsOf(out, formats)
}

// formatOf returns the format code of the i-th of several values.
func formatOf(formats []int16, i int) int16 {
	switch {
	case len(formats) == 1:
		return formats[0]
	case i < len(formats):
		return formats[i]
	}
	return 0
}

// DescribePortal returns the result columns of a portal, in its formats.
func (x *Session) DescribePortal(_ context.Context, name string) ([]Column, error) {
	if x.short.live && name == "" {
		return x.short.point.cols, nil
	}
	p, err := x.portal(name)
	if err != nil {
		return nil, err
	}
	return p.cols, nil
}

// Execute runs a portal until maxRows rows (0: all) were delivered.
func (x *Session) Execute(ctx context.Context, name string, maxRows int64, sink Sink) error {
	if done, err := x.executePoint(name, maxRows, sink); done {
		return err
	}
	ctx, done, err := x.statementContext(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := x.portal(name)
	if err != nil {
		return err
	}
	if p.cursor != nil && p.utility == nil && p.query != nil {
		return x.executeQuery(ctx, p, maxRows, sink)
	}
	if p.stmt == nil || p.stmt.parsed == nil {
		return sink.Empty()
	}
	if err := x.checkFailedText(p.stmt); err != nil {
		return err
	}
	x.activity.start(p.stmt.text, x.now())
	x.activity.command = commandWord(p.stmt.text)
	defer x.activity.idle(x)
	x.env.StatementNow = x.now()
	if p.utility != nil {
		if p.ended && len(p.cols) > 0 {
			return sink.Complete(p.utility.Tag())
		}
		if p.ended {
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "portal \"%s\" cannot be run", name)
		}
		p.ended = true
		x.srv.counters.Statements.Add(1)
		alone := !x.pipelined
		x.pipelined = true
		return x.runUtility(ctx, p.utility, p.params, &quietSink{Sink: sink, cols: p.cols}, alone)
	}
	x.pipelined = true
	return x.executeQuery(ctx, p, maxRows, sink)
}

func (x *Session) executeQuery(ctx context.Context, p *portal, maxRows int64, sink Sink) error {
	if p.ended && p.query.Command != plan.Select && len(p.cols) == 0 {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "portal \"%s\" cannot be run", p.name)
	}
	if p.ended {
		p.sent = 0
		return sink.Complete(p.tag())
	}
	if p.cursor != nil {
		if p.rt != nil {
			p.rt.Context = ctx
		}
		return x.executeCursor(p, maxRows, sink)
	}
	if !p.started {
		x.begin()
		p.started = true
		x.srv.counters.Statements.Add(1)
		if err := x.startPortal(ctx, p); err != nil {
			return err
		}
	} else if p.rt == nil {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "portal \"%s\" cannot be run", p.name)
	}
	p.rt.Context = ctx
	p.sent = 0
	defer x.clearTimeout()
	more, err := x.pump(p, maxRows, sink)
	if err != nil {
		return err
	}
	if more {
		return sink.Suspended()
	}
	if err := x.finishPortal(p); err != nil {
		return err
	}
	x.notePoint(p.stmt)
	return sink.Complete(p.tag())
}

// quietSink delivers rows of utility statements in the extended protocol, where
// columns were described before and formats chosen.
type quietSink struct {
	Sink
	cols []Column
}

// Describe implements Sink: Describe was a message of its own.
func (q *quietSink) Describe([]Column) error { return nil }

// Rows implements Sink.
func (q *quietSink) Rows(cols []Column, b *column.Batch) error {
	if len(q.cols) == len(cols) {
		cols = q.cols
	}
	return q.Sink.Rows(cols, b)
}

// CloseStatement forgets a prepared statement; one that does not exist is no error.
func (x *Session) CloseStatement(name string) { delete(x.statements, name) }

// ClosePortal ends a portal; one that does not exist is no error.
func (x *Session) ClosePortal(name string) {
	if name == "" {
		x.short.live = false
	}
	if p := x.portals[name]; p != nil {
		p.close()
		delete(x.portals, name)
	}
}

// closePortals ends the portals of a transaction; all includes held cursors.
func (x *Session) closePortals(all bool) {
	x.short.live = false
	for name, p := range x.portals {
		if all || p.cursor == nil || !p.cursor.held {
			p.close()
			delete(x.portals, name)
		}
	}
}

// closePortalsSince closes the portals that were made inside so many savepoints.
func (x *Session) closePortalsSince(depth int) {
	if x.short.depth >= depth {
		x.short.live = false
	}
	for name, p := range x.portals {
		if p.depth >= depth && (p.cursor == nil || !p.cursor.held) {
			p.close()
			delete(x.portals, name)
		}
	}
}

// transactionKind returns the kind of a transaction control statement, "" for others.
func transactionKind(st *parser.Statement) string {
	if t, ok := transactionOf(st).(*plan.Transaction); ok && t != nil {
		return t.Kind
	}
	return ""
}
