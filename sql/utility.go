package sql

import (
	"context"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/settings"
	"github.com/omendb/omendb/sql/types"
)

// runUtility runs a statement other than a query. alone tells that it is the
// only statement of its message, which some commands require.
func (x *Session) runUtility(ctx context.Context, u plan.Utility, params []column.Datum, sink Sink, alone bool) error {
	if err := x.checkFailed(u); err != nil {
		return err
	}
	if t, ok := u.(*plan.Transaction); ok {
		tag, err := x.runTransaction(ctx, t, alone)
		if err != nil {
			return err
		}
		return sink.Complete(tag)
	}
	x.begin()
	tag := u.Tag()
	var err error
	switch s := u.(type) {
	case *plan.Set:
		err = x.runSet(ctx, s)
	case *plan.Show:
		return x.runShow(s, sink)
	case *plan.Explain:
		return x.runExplain(ctx, s, params, sink)
	case *plan.Prepare:
		err = x.runPrepare(ctx, s)
	case *plan.Execute:
		return x.runExecute(ctx, s, params, sink)
	case *plan.Deallocate:
		err = x.runDeallocate(s)
	case *plan.DeclareCursor:
		err = x.declareCursor(ctx, s, params)
	case *plan.Fetch:
		return x.runFetch(ctx, s, sink)
	case *plan.CloseCursor:
		err = x.closeCursor(s)
	case *plan.Copy:
		return x.runCopy(ctx, s, sink)
	case *plan.Listen, *plan.Unlisten, *plan.Notify:
		err = x.runNotify(u)
	case *plan.Discard:
		err = x.runDiscard(ctx, s)
	case *plan.LockTable:
		err = x.runLock(ctx, s)
	case *plan.SetConstraints:
		err = x.runSetConstraints(ctx, s)
	case *plan.Checkpoint:
		err = x.runCheckpoint(ctx)
	case *plan.CallProcedure:
		return x.runCall(ctx, s, params, sink)
	default:
		return x.runDDL(ctx, u, params, sink, alone)
	}
	if err != nil {
		return err
	}
	return sink.Complete(tag)
}

// runDDL runs what changes the catalog.
func (x *Session) runDDL(ctx context.Context, u plan.Utility, params []column.Datum, sink Sink, alone bool) error {
	if name := outsideBlock(u); name != "" {
		if x.state == txnBlock {
			return pgerr.New(pgerr.ActiveSQLTransaction, "%s cannot run inside a transaction block", name)
		}
		if !alone && x.pipelined {
			return pgerr.New(pgerr.ActiveSQLTransaction, "%s cannot be executed within a pipeline", name)
		}
		if !alone {
			return pgerr.New(pgerr.ActiveSQLTransaction, "%s cannot run inside a transaction block", name)
		}
	}
	if x.txn.Options().ReadOnly {
		return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", u.Tag())
	}
	x.activity.statements++
	if done, err := x.runConcurrently(ctx, u); done {
		if err != nil {
			return err
		}
		return sink.Complete(u.Tag())
	}
	rt := x.runtime(ctx, params)
	defer func() {
		rt.Snapshot.Close()
		rt.Release()
	}()
	res, err := exec.RunUtility(rt, u)
	if err != nil {
		return err
	}
	x.txn.NextCommand()
	x.view.Refresh()
	if len(res.Columns) > 0 {
		return x.sendRows(res.Columns, res.Rows, res.Tag, sink)
	}
	return sink.Complete(res.Tag)
}

// outsideBlock names the commands that PostgreSQL refuses inside transaction blocks.
func outsideBlock(u plan.Utility) string {
	switch s := u.(type) {
	case *plan.CreateDatabase:
		return "CREATE DATABASE"
	case *plan.Drop:
		if s.Kind == "database" {
			return "DROP DATABASE"
		}
		if s.Kind == "index" && s.Concurrently {
			return "DROP INDEX CONCURRENTLY"
		}
	case *plan.CreateIndex:
		if s.Concurrently {
			return "CREATE INDEX CONCURRENTLY"
		}
	case *plan.Reindex:
		switch {
		case s.Kind == "schema" || s.Kind == "database" || s.Kind == "system":
			return "REINDEX " + strings.ToUpper(string(s.Kind))
		case s.Concurrently:
			return "REINDEX CONCURRENTLY"
		}
	case *plan.Vacuum:
		if !s.Analyze {
			return "VACUUM"
		}
	case *plan.Cluster:
		if s.Table.Name == "" {
			return "CLUSTER"
		}
	}
	return ""
}

// utilityOutput returns the result columns of a utility statement.
func utilityOutput(u plan.Utility) []*plan.Target {
	text := func(names ...string) []*plan.Target {
		var out []*plan.Target
		for _, n := range names {
			out = append(out, textTarget(n))
		}
		return out
	}
	switch s := u.(type) {
	case *plan.Show:
		if strings.EqualFold(s.Name, "all") {
			return text("name", "setting", "description")
		}
		return text(showName(s.Name))
	case *plan.Explain:
		t := textTarget("QUERY PLAN")
		if explainFormat(s) == "json" {
			t.Expr = &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.JSONOID, Typmod: -1}}}
		}
		return []*plan.Target{t}
	case *plan.CallProcedure:
		if s.Output {
			return s.Query.Targets
		}
	}
	return nil
}

func textTarget(name string) *plan.Target {
	return &plan.Target{Name: name, Expr: &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.TextOID, Typmod: -1, Collation: 100}}}}
}

// sendRows delivers rows that are at hand.
func (x *Session) sendRows(targets []*plan.Target, rows [][]column.Datum, tag string, sink Sink) error {
	cols := x.columnsOf(targets, nil)
	if err := sink.Describe(cols); err != nil {
		return err
	}
	kinds := make([]column.Kind, len(cols))
	for i, c := range cols {
		kinds[i] = x.env.Type(c.Type).Kind
	}
	var b column.Batch
	for len(rows) > 0 {
		b.Reset(kinds...)
		n := min(len(rows), column.BatchSize)
		for _, r := range rows[:n] {
			b.AppendRow(r)
		}
		rows = rows[n:]
		if err := sink.Rows(cols, &b); err != nil {
			return err
		}
	}
	return sink.Complete(tag)
}

func showName(name string) string {
	switch strings.ToLower(name) {
	case "timezone", "time zone":
		return "TimeZone"
	}
	if d := settings.Find(name); d != nil {
		return d.Name
	}
	return name
}

func (x *Session) runShow(s *plan.Show, sink Sink) error {
	if !strings.EqualFold(s.Name, "all") {
		v, err := x.showSetting(s.Name)
		if err != nil {
			return err
		}
		return x.sendRows(utilityOutput(s), [][]column.Datum{{column.StringDatum(v)}}, "SHOW", sink)
	}
	var rows [][]column.Datum
	for _, d := range settings.All() {
		if d.Hidden {
			continue
		}
		v, err := x.showSetting(d.Name)
		if err != nil {
			return err
		}
		rows = append(rows, []column.Datum{column.StringDatum(d.Name), column.StringDatum(v), column.StringDatum(d.Short)})
	}
	return x.sendRows(utilityOutput(s), rows, "SHOW", sink)
}

// showSetting returns a parameter as SHOW prints it; some speak of the transaction.
func (x *Session) showSetting(name string) (string, error) {
	if x.txn != nil {
		o := x.txn.Options()
		switch strings.ToLower(name) {
		case "transaction_isolation":
			return x.isolationName(), nil
		case "transaction_read_only":
			return onOff(o.ReadOnly), nil
		case "transaction_deferrable":
			return onOff(o.Deferrable), nil
		}
	}
	if secretSettings[strings.ToLower(name)] && !x.isSuperuser() && !x.memberOf(x.view, x.user, catalog.PgReadAllSettings) {
		return "", pgerr.New(pgerr.InsufficientPrivilege, "must be superuser or have privileges of pg_read_all_settings to examine \"%s\"", strings.ToLower(name))
	}
	return x.values.Show(name)
}

// secretSettings tell where the server keeps things: not for everybody.
var secretSettings = map[string]bool{"data_directory": true, "config_file": true, "hba_file": true, "ident_file": true, "external_pid_file": true,
	"dynamic_library_path": true, "log_directory": true, "log_filename": true, "unix_socket_directories": true}

// runPrepare is PREPARE.
func (x *Session) runPrepare(ctx context.Context, p *plan.Prepare) error {
	if x.statements[p.Name] != nil {
		return pgerr.New(pgerr.DuplicatePreparedStatement, "prepared statement \"%s\" already exists", p.Name)
	}
	st := planner.RawStatement(p.Raw, p.Text)
	s := &statement{name: p.Name, text: p.Text, parsed: &st, fromSQL: true, source: x.activity.query, created: x.now()}
	s.declared = append(s.declared, p.Types...)
	if _, err := x.readyToPrepare(ctx, s); err != nil {
		return err
	}
	x.statements[p.Name] = s
	return nil
}

// preparedQuery serves EXPLAIN EXECUTE and CREATE TABLE AS EXECUTE.
func (x *Session) preparedQuery(name string) ([]uint32, *plan.Query, error) {
	s, err := x.statement(name)
	if err != nil {
		return nil, nil, err
	}
	b, err := planner.Bind(x.plannerEnv(context.Background(), s.declared), *s.parsed)
	if err != nil {
		return nil, nil, err
	}
	return b.Params, b.Query, nil
}

// runExecute is EXECUTE.
func (x *Session) runExecute(ctx context.Context, e *plan.Execute, params []column.Datum, sink Sink) error {
	s, err := x.statement(e.Name)
	if err != nil {
		return err
	}
	if s.parsed == nil {
		return sink.Empty()
	}
	c, err := x.ready(ctx, s)
	if err != nil {
		return err
	}
	args, err := x.executeArgs(ctx, e, c, params)
	if err != nil {
		return err
	}
	if c.late != nil {
		return c.late
	}
	if c.utility != nil {
		return x.runUtility(ctx, c.utility, args, sink, false)
	}
	return x.runQuery(ctx, c.query, args, sink)
}

// executeArgs computes the arguments of EXECUTE as the statement's parameter types.
func (x *Session) executeArgs(ctx context.Context, e *plan.Execute, c *compiled, params []column.Datum) ([]column.Datum, error) {
	if len(e.Args) != len(c.params) {
		return nil, pgerr.New(pgerr.SyntaxError, "wrong number of parameters for prepared statement \"%s\"", e.Name).
			WithDetail("Expected %d parameters but got %d.", len(c.params), len(e.Args))
	}
	if len(e.Args) == 0 {
		return nil, nil
	}
	exprs, err := planner.BindArguments(x.plannerEnv(ctx, nil), e.Args, c.params, e.Name)
	if err != nil {
		return nil, err
	}
	return x.evaluate(ctx, exprs, params)
}

// evaluate computes expressions without columns.
func (x *Session) evaluate(ctx context.Context, exprs []plan.Expr, params []column.Datum) ([]column.Datum, error) {
	st := &plan.Statement{Command: plan.Select, ReadOnly: true}
	n := &plan.Result{Exprs: exprs, NodeInfo: plan.NodeInfo{Rows: 1}}
	for _, e := range exprs {
		n.Columns = append(n.Columns, plan.Column{Type: e.ResultType()})
	}
	st.Root = n
	rt := x.runtime(ctx, params)
	defer rt.Snapshot.Close()
	defer rt.Release()
	rows, err := exec.Run(rt, st)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var b column.Batch
	if ok, err := rows.Next(&b); err != nil || !ok {
		return nil, err
	}
	out := make([]column.Datum, len(exprs))
	for i := range exprs {
		out[i] = b.Cols[i].Datum(b.Row(0)).Clone()
	}
	return out, nil
}

func (x *Session) runDeallocate(d *plan.Deallocate) error {
	if d.Name == "" {
		clear(x.statements)
		return nil
	}
	if _, err := x.statement(d.Name); err != nil {
		return err
	}
	delete(x.statements, d.Name)
	return nil
}

func (x *Session) runDiscard(ctx context.Context, d *plan.Discard) error {
	switch strings.ToLower(d.What) {
	case "plans":
		return nil // plans are checked on use and hold nothing
	case "sequences":
		clear(x.sequences)
		x.lastSeq = 0
		return nil
	case "temp", "temporary":
		return x.dropTempNow(ctx)
	}
	if x.state == txnBlock {
		return pgerr.New(pgerr.ActiveSQLTransaction, "DISCARD ALL cannot run inside a transaction block")
	}
	x.closePortals(true)
	x.values.ResetAll()
	x.user, x.authUser = x.login, x.login
	clear(x.statements)
	x.srv.notifier.unlistenAll(x)
	functionSession{x: x}.AdvisoryUnlockAll()
	clear(x.sequences)
	x.lastSeq = 0
	return x.dropTempNow(ctx)
}

// runSetConstraints is SET CONSTRAINTS: names are looked for along the search path.
func (x *Session) runSetConstraints(ctx context.Context, s *plan.SetConstraints) error {
	if x.state != txnBlock {
		x.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET CONSTRAINTS can only be used in transaction blocks").WithSeverity("WARNING"))
	}
	if len(s.Names) == 0 {
		x.deferred.SetAll(s.Deferred)
	}
	for _, n := range s.Names {
		found, fixed := false, false
		x.view.Relations(func(r *catalog.Relation) bool {
			for i := range r.Constraints {
				if c := &r.Constraints[i]; c.Name == n.Name && (n.Schema == "" || x.view.SchemaName(r.Schema) == n.Schema) {
					if !c.Deferrable {
						fixed = fixed || c.Kind != 'c'
						continue
					}
					x.deferred.Set(c.OID, s.Deferred)
					found = true
				}
			}
			return true
		})
		if !found && fixed {
			return pgerr.New(pgerr.WrongObjectType, "constraint \"%s\" is not deferrable", n.Name)
		}
		if !found {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" does not exist", n.Name)
		}
	}
	if s.Deferred || !x.deferred.Pending() {
		return nil
	}
	rt := x.runtime(ctx, nil)
	defer rt.Snapshot.Close()
	defer rt.Release()
	return x.deferred.Check(rt, true)
}

func (x *Session) runCheckpoint(ctx context.Context) error {
	r := x.view.Role(x.user)
	if r == nil || !r.Superuser {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT")
	}
	return exec.MapError(x.srv.opts.DB.Flush(ctx))
}

// runCall is CALL: a procedure runs like a query whose row is its OUT parameters.
func (x *Session) runCall(ctx context.Context, c *plan.CallProcedure, params []column.Datum, sink Sink) error {
	st, err := planner.Plan(x.plannerEnv(ctx, nil), c.Query)
	if err != nil {
		return err
	}
	p := &portal{query: st, params: params, cols: x.columnsOf(st.Output, nil)}
	defer p.close()
	if err := x.startPortal(ctx, p); err != nil {
		return err
	}
	to := sink
	if !c.Output {
		to = noRows{sink}
	} else if err := sink.Describe(p.cols); err != nil {
		return err
	}
	if _, err := x.pump(p, 0, to); err != nil {
		return err
	}
	if err := x.finishPortal(p); err != nil {
		return err
	}
	return sink.Complete("CALL")
}

// noRows passes on everything but rows.
type noRows struct{ Sink }

// Rows implements Sink.
func (noRows) Rows([]Column, *column.Batch) error { return nil }

// transactionOf returns the transaction control statement in a tree, or nil.
func transactionOf(st *parser.Statement) plan.Utility {
	if st == nil {
		return nil
	}
	if t := planner.TransactionControl(*st); t != nil {
		return t
	}
	return nil
}

// commandWord is the first word of a statement in upper case, for messages.
func commandWord(text string) string {
	text = strings.TrimLeft(text, " \t\r\n(")
	end := strings.IndexFunc(text, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') })
	if end < 0 {
		end = len(text)
	}
	return strings.ToUpper(text[:end])
}

// formatInt saves a line where tags are built.
func formatInt(n int64) string { return strconv.FormatInt(n, 10) }
