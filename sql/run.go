package sql

import (
	"context"
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// Simple runs a query string of the simple protocol: its statements are one
// implicit transaction, except where BEGIN and COMMIT say otherwise. The first
// error ends it and is returned after the transaction was marked.
func (x *Session) Simple(ctx context.Context, text string, sink Sink) error {
	x.clearTimeout()
	x.pipelined = false
	err := x.simple(ctx, text, sink)
	x.clearTimeout()
	if err != nil {
		err = pgerr.From(err)
		x.Failed(err)
	}
	return err
}

// lateTag holds the tag of a message's last statement back until its implicit
// transaction has committed: a tag says that the statement took effect.
type lateTag struct {
	Sink
	tag  string
	held bool
}

// Complete implements Sink.
func (l *lateTag) Complete(tag string) error {
	l.tag, l.held = tag, true
	return nil
}

// end ends the implicit transaction and tells the tag.
func (l *lateTag) end(ctx context.Context, x *Session) error {
	if err := x.Sync(ctx); err != nil || !l.held {
		return err
	}
	return l.Sink.Complete(l.tag)
}

func (x *Session) simple(ctx context.Context, text string, sink Sink) error {
	delete(x.statements, "")
	x.short.live = false
	if done, err := x.simplePoint(ctx, text, sink); done {
		return err
	}
	ctx, done, err := x.statementContext(ctx)
	if err != nil {
		return err
	}
	defer done()
	x.activity.start(text, x.now())
	defer x.activity.idle(x)
	last := &lateTag{Sink: sink}
	if done, err := x.runCached(ctx, text, last); done || err != nil {
		if err != nil {
			return err
		}
		return last.end(ctx, x)
	}
	long := x.tellLongNames(text)
	list, err := parse(ctx, text)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		if err := x.Sync(ctx); err != nil {
			return err
		}
		return sink.Empty()
	}
	for i := range list {
		if i > 0 && x.timeoutAt.IsZero() { // SET may have set a time for the rest
			stop, err := x.armTimeout(func(cause error) { x.interrupt(cause) })
			if err != nil {
				return err
			}
			defer stop()
		}
		s := &statement{text: list[i].Text, parsed: &list[i]}
		params, err := x.liftStatement(ctx, s, len(list) == 1 && !long)
		if err != nil {
			return err
		}
		to := sink
		if i == len(list)-1 {
			to = last
		}
		if err := x.runStatement(ctx, s, params, to, len(list) == 1); err != nil {
			return err
		}
		if len(list) == 1 && params == nil && !long {
			x.srv.plans.keep(x, text, s)
		}
	}
	return last.end(ctx, x)
}

// longText is from how many bytes on a text is parsed while its statement can be cancelled: a MB takes a second or so.
const longText = 8 << 10

// parse parses a text; a cancelled statement does not wait for it.
func parse(ctx context.Context, text string) ([]parser.Statement, error) {
	if len(text) < longText {
		return parser.Parse(text)
	}
	return functions.Beside(ctx, func() ([]parser.Statement, error) { return parser.Parse(text) })
}

// tellLongNames tells the client of the names in a text that are cut. Each time that it is parsed: plans are not kept for such.
func (x *Session) tellLongNames(text string) bool {
	long := parser.LongNames(text)
	for _, n := range long {
		x.notice(pgerr.Notice("NOTICE", pgerr.NameTooLong, "identifier \"%s\" will be truncated to \"%s\"", n.Written, n.Cut))
	}
	return long != nil
}

// runCached runs a query string whose plan is known: by its exact text, or by
// its text without literals. done is false when no plan serves it.
func (x *Session) runCached(ctx context.Context, text string, sink Sink) (done bool, err error) {
	if x.state == txnFailed || len(text) > maxPlanText {
		return false, nil
	}
	if s := x.srv.plans.find(x, text); s != nil {
		return true, x.runStatement(ctx, s, nil, sink, true)
	}
	if !x.knob().literalCache {
		return false, nil
	}
	key, literals, ok := parser.Lift(text)
	if !ok || len(literals) == 0 {
		return false, nil
	}
	return x.runLifted(ctx, key, literals, sink)
}

// liftStatement compiles a statement so that its plan may serve other literals,
// if that is possible, and returns the values of its own; nil if not.
func (x *Session) liftStatement(ctx context.Context, s *statement, alone bool) ([]column.Datum, error) {
	if !alone || x.state == txnFailed || len(s.text) > maxPlanText || !x.knob().literalCache {
		return nil, nil
	}
	key, literals, ok := parser.Lift(s.parsed.Source)
	if !ok || len(literals) == 0 {
		return nil, nil
	}
	c, params, err := x.compileLifted(ctx, s.parsed, key, literals)
	if err != nil {
		return nil, err
	}
	s.bound, s.output = c, outputOf(c)
	return params, nil
}

// runStatement compiles and runs one statement to its end; alone tells that it
// is the only one of its message.
func (x *Session) runStatement(ctx context.Context, s *statement, params []column.Datum, sink Sink, alone bool) error {
	if err := x.checkFailedText(s); err != nil {
		return err
	}
	x.env.StatementNow = x.now()
	x.activity.command = commandWord(s.text)
	c, err := x.ready(ctx, s)
	if err != nil {
		return err
	}
	if c.late != nil {
		return c.late
	}
	x.srv.counters.Statements.Add(1)
	if c.utility != nil {
		return x.runUtility(ctx, c.utility, params, sink, alone)
	}
	return x.runQuery(ctx, c.query, params, sink)
}

// checkFailedText refuses everything in a failed block but what ends it. The
// statement is not bound for that: there is no transaction to bind it in.
func (x *Session) checkFailedText(s *statement) error {
	if x.state != txnFailed {
		return nil
	}
	if k := transactionKind(s.parsed); k == "commit" || k == "rollback" || k == "rollback to" || k == "prepare" {
		return nil
	}
	return x.checkFailed(nil)
}

// runQuery runs a planned query and delivers its rows.
func (x *Session) runQuery(ctx context.Context, q *plan.Statement, params []column.Datum, sink Sink) error {
	p := &portal{query: q, params: params, cols: x.columnsOf(q.Output, nil)}
	if len(p.cols) > 0 || q.Command == plan.Select {
		if err := sink.Describe(p.cols); err != nil {
			return err
		}
	}
	defer p.close()
	if err := x.startPortal(ctx, p); err != nil {
		return err
	}
	if _, err := x.pump(p, 0, sink); err != nil {
		return err
	}
	if err := x.finishPortal(p); err != nil {
		return err
	}
	return sink.Complete(p.tag())
}

// startPortal begins the execution of a portal's query.
func (x *Session) startPortal(ctx context.Context, p *portal) error {
	if err := x.checkAccess(p.query.Access); err != nil {
		return err
	}
	if !p.query.ReadOnly {
		if err := x.beforeWriteOf(p.query); err != nil {
			return err
		}
	}
	x.activity.statements++
	if err := x.txn.AwaitSafeSnapshot(ctx); err != nil {
		return err
	}
	p.rt = x.runtime(ctx, p.params)
	if ok, err := x.runAgain(p); ok || err != nil {
		return err
	}
	rows, err := exec.Run(p.rt, p.query)
	if err != nil {
		return err
	}
	p.rows = rows
	return nil
}

// runAgain starts a prepared statement with the operators of its last run, if
// they were kept and nothing has changed that they depend on.
func (x *Session) runAgain(p *portal) (bool, error) {
	s := p.stmt
	if s == nil || s.kept == nil {
		return false, nil
	}
	rows := s.kept
	s.kept = nil // until this run has ended well
	if s.keptOf != p.query || s.keptKey != x.keepKey() || x.view.Changed() || x.view.TempSchema() != 0 {
		return false, nil
	}
	ok, err := rows.RunAgain(p.rt)
	if ok && err == nil {
		p.rows = rows
	}
	return ok, err
}

// keepRows keeps the operators of a statement that has ended well.
func (x *Session) keepRows(p *portal) {
	if s := p.stmt; s != nil && p.rows.Again() && !x.view.Changed() && x.view.TempSchema() == 0 {
		s.kept, s.keptOf, s.keptKey = p.rows, p.query, x.keepKey()
	}
}

// keepKey is what kept operators depend on besides their plan.
func (x *Session) keepKey() pointKey {
	return pointKey{catalog: x.view.Base(), settings: x.values.Version(), user: x.user}
}

// beforeWriteOf refuses INSERT and its like in read-only transactions, except on
// temporary tables.
func (x *Session) beforeWriteOf(q *plan.Statement) error {
	if !x.txn.Options().ReadOnly || q.Command == plan.Select {
		return nil
	}
	if m, ok := q.Root.(*plan.Modify); ok && m.Table.Persistence == 't' {
		return nil
	}
	return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", q.Command.String())
}

// pump delivers up to limit rows (0: all) and reports whether more are left.
func (x *Session) pump(p *portal, limit int64, sink Sink) (more bool, err error) {
	var sent int64
	for {
		b, err := p.batch()
		if err != nil {
			return false, err
		}
		if b == nil {
			return false, nil
		}
		n := int64(b.Len())
		if limit > 0 && sent+n > limit {
			part := p.take(int(limit - sent))
			if err := sink.Rows(p.cols, part); err != nil {
				return false, err
			}
			p.sent += limit - sent
			p.total += limit - sent
			return true, nil
		}
		if len(p.cols) > 0 {
			if err := sink.Rows(p.cols, b); err != nil {
				return false, err
			}
		}
		sent += n
		p.sent += n
		p.total += n
		if limit > 0 && sent == limit {
			return true, nil
		}
	}
}

// finishPortal ends a statement that ran to completion.
func (x *Session) finishPortal(p *portal) error {
	p.affected, p.ended = p.rows.Affected(), true
	if !p.query.ReadOnly {
		x.txn.NextCommand()
		x.keepRows(p)
	}
	p.release()
	return nil
}

// tag is the command tag of a query that has ended.
func (p *portal) tag() string {
	affected := p.affected
	if len(p.cols) > 0 { // RETURNING: those that this Execute has sent
		affected = p.sent
	}
	switch p.query.Command {
	case plan.Insert:
		return "INSERT 0 " + strconv.FormatInt(affected, 10)
	case plan.Select:
		return "SELECT " + strconv.FormatInt(p.sent, 10)
	}
	return p.query.Command.String() + " " + strconv.FormatInt(affected, 10)
}
