package planner

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// parseNumber returns a numeric literal: an int64 when it is one, else as written.
func parseNumber(s string) any {
	if n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 0, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && strings.ContainsAny(s, ".eE") {
		return f
	}
	return s
}

// bindSessionStatement binds what the session executes itself: transactions, settings,
// prepared statements, cursors, notifications and maintenance commands.
func bindSessionStatement(b *binder, node *pg.Node) plan.Utility {
	switch n := node.GetNode().(type) {
	case *pg.Node_TransactionStmt:
		return b.transaction(n.TransactionStmt)
	case *pg.Node_VariableSetStmt:
		return b.set(n.VariableSetStmt)
	case *pg.Node_AlterSystemStmt:
		s := b.set(n.AlterSystemStmt.Setstmt)
		s.System = true
		return s
	case *pg.Node_VariableShowStmt:
		return &plan.Show{Name: n.VariableShowStmt.Name}
	case *pg.Node_ExplainStmt:
		return b.explain(n.ExplainStmt)
	case *pg.Node_PrepareStmt:
		return b.prepare(n.PrepareStmt)
	case *pg.Node_ExecuteStmt:
		return b.execute(n.ExecuteStmt)
	case *pg.Node_DeallocateStmt:
		return &plan.Deallocate{Name: n.DeallocateStmt.Name}
	case *pg.Node_DeclareCursorStmt:
		return b.declareCursor(n.DeclareCursorStmt)
	case *pg.Node_FetchStmt:
		return fetch(n.FetchStmt)
	case *pg.Node_ClosePortalStmt:
		return &plan.CloseCursor{Name: n.ClosePortalStmt.Portalname}
	case *pg.Node_CopyStmt:
		return b.copyStatement(n.CopyStmt)
	case *pg.Node_VacuumStmt:
		return b.vacuum(n.VacuumStmt)
	case *pg.Node_LockStmt:
		l := &plan.LockTable{Mode: uint8(n.LockStmt.Mode), NoWait: n.LockStmt.Nowait}
		l.Tables, l.Only = b.rangeNames(n.LockStmt.Relations)
		return l
	case *pg.Node_ConstraintsSetStmt:
		c := &plan.SetConstraints{Deferred: n.ConstraintsSetStmt.Deferred}
		c.Names, _ = b.rangeNames(n.ConstraintsSetStmt.Constraints)
		return c
	case *pg.Node_DiscardStmt:
		return discard(n.DiscardStmt)
	case *pg.Node_NotifyStmt:
		return &plan.Notify{Channel: n.NotifyStmt.Conditionname, Payload: n.NotifyStmt.Payload}
	case *pg.Node_ListenStmt:
		return &plan.Listen{Channel: n.ListenStmt.Conditionname}
	case *pg.Node_UnlistenStmt:
		return &plan.Unlisten{Channel: n.UnlistenStmt.Conditionname}
	case *pg.Node_CheckPointStmt:
		return &plan.Checkpoint{}
	case *pg.Node_ReindexStmt:
		return b.reindex(n.ReindexStmt)
	case *pg.Node_ClusterStmt:
		return &plan.Cluster{Table: b.rangeName(n.ClusterStmt.Relation), Index: n.ClusterStmt.Indexname}
	case *pg.Node_CallStmt:
		return b.call(n.CallStmt)
	}
	return nil
}

var transactionKinds = map[pg.TransactionStmtKind]string{
	pg.TransactionStmtKind_TRANS_STMT_BEGIN:             "begin",
	pg.TransactionStmtKind_TRANS_STMT_START:             "begin",
	pg.TransactionStmtKind_TRANS_STMT_COMMIT:            "commit",
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK:          "rollback",
	pg.TransactionStmtKind_TRANS_STMT_SAVEPOINT:         "savepoint",
	pg.TransactionStmtKind_TRANS_STMT_RELEASE:           "release",
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:       "rollback to",
	pg.TransactionStmtKind_TRANS_STMT_PREPARE:           "prepare",
	pg.TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED:   "commit prepared",
	pg.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED: "rollback prepared",
}

func (b *binder) transaction(t *pg.TransactionStmt) plan.Utility {
	u := &plan.Transaction{
		Kind: transactionKinds[t.Kind], Name: t.SavepointName, Options: b.options(t.Options), Chain: t.Chain,
		Start: t.Kind == pg.TransactionStmtKind_TRANS_STMT_START,
	}
	if t.Gid != "" {
		u.Name = t.Gid
	}
	return u
}

func (b *binder) set(s *pg.VariableSetStmt) *plan.Set {
	u := &plan.Set{Name: s.Name, Local: s.IsLocal}
	switch s.Kind {
	case pg.VariableSetKind_VAR_SET_DEFAULT:
		u.Default = true
	case pg.VariableSetKind_VAR_SET_CURRENT:
		u.FromCurrent = true
	case pg.VariableSetKind_VAR_RESET:
		u.Reset = true
	case pg.VariableSetKind_VAR_RESET_ALL:
		u.Reset, u.All = true, true
	case pg.VariableSetKind_VAR_SET_MULTI:
		if s.Name == "TRANSACTION SNAPSHOT" {
			v, _ := b.setValue(s.Args[0])
			u.Snapshot = &v
			break
		}
		u.Options = b.options(s.Args)
	default:
		for _, n := range s.Args {
			v, quoted := b.setValue(n)
			u.Values, u.Quoted = append(u.Values, v), append(u.Quoted, quoted)
		}
	}
	return u
}

// setValue returns one value of SET as text. SET TIME ZONE INTERVAL '1' HOUR comes as a cast.
func (b *binder) setValue(n *pg.Node) (string, bool) {
	if c := n.GetTypeCast(); c != nil {
		t := b.resolveTypeName(c.TypeName)
		v, _ := b.setValue(c.Arg)
		d, err := b.env.Types.In(t.OID, t.Typmod, v)
		b.check(-1, err)
		return "INTERVAL '" + string(b.env.Types.Out(nil, t.OID, d)) + "'", true
	}
	c := n.GetAConst()
	if c == nil {
		b.failf(-1, pgerr.SyntaxError, "SET takes constants only")
	}
	if f, ok := c.Val.(*pg.A_Const_Fval); ok {
		return f.Fval.Fval, false
	}
	_, quoted := c.Val.(*pg.A_Const_Sval)
	return plan.OptionText(constantValue(c)), quoted
}

func (b *binder) explain(e *pg.ExplainStmt) plan.Utility {
	u := &plan.Explain{Options: b.options(e.Options)}
	if isQuery(e.Query) {
		u.Query = b.bindNested(e.Query)
		return u
	}
	inner, err := bindUtility(b, e.Query)
	b.check(-1, err)
	u.Statement = inner
	return u
}

func (b *binder) prepare(p *pg.PrepareStmt) plan.Utility {
	u := &plan.Prepare{Name: p.Name, Raw: b.raw(p.Query), Text: b.text}
	for _, t := range p.Argtypes {
		u.Types = append(u.Types, b.resolveTypeName(t.GetTypeName()).OID)
	}
	return u
}

func (b *binder) execute(e *pg.ExecuteStmt) *plan.Execute {
	u := &plan.Execute{Name: e.Name}
	for _, p := range e.Params {
		u.Args = append(u.Args, b.raw(p))
	}
	return u
}

// The bits of DECLARE CURSOR's options, as the grammar sets them.
const (
	cursorBinary      = 1 << 0
	cursorScroll      = 1 << 1
	cursorNoScroll    = 1 << 2
	cursorInsensitive = 1 << 3
	cursorAsensitive  = 1 << 4
	cursorHold        = 1 << 5
)

func (b *binder) declareCursor(d *pg.DeclareCursorStmt) plan.Utility {
	b.conflicting(d.Options, cursorScroll, cursorNoScroll, "SCROLL", "NO SCROLL")
	b.conflicting(d.Options, cursorAsensitive, cursorInsensitive, "ASENSITIVE", "INSENSITIVE")
	b.fixed = true
	q := b.bindNested(d.Query)
	b.checkCursor(d, q)
	u := &plan.DeclareCursor{
		Name: d.Portalname, Query: q, Text: strings.TrimSpace(b.source),
		Binary: d.Options&cursorBinary != 0, Scroll: d.Options&cursorScroll != 0,
		NoScroll: d.Options&cursorNoScroll != 0, Insensitive: d.Options&cursorInsensitive != 0,
		Hold: d.Options&cursorHold != 0,
	}
	b.currentRows(u)
	return u
}

func (b *binder) conflicting(options int32, one, other int32, name, otherName string) {
	if options&one != 0 && options&other != 0 {
		b.failf(-1, pgerr.InvalidCursorDefinition, "cannot specify both %s and %s", name, otherName)
	}
}

// checkCursor refuses queries that change rows, or lock rows that could be fetched when the locks are gone.
func (b *binder) checkCursor(d *pg.DeclareCursorStmt, q *plan.Query) {
	if q.HasModifyingCTE {
		b.failf(-1, pgerr.FeatureNotSupported, "DECLARE CURSOR must not contain data-modifying statements in WITH")
	}
	s := d.Query.GetSelectStmt()
	if s == nil || len(s.LockingClause) == 0 {
		return
	}
	lock := lockName(s.LockingClause[0].GetLockingClause().Strength)
	refuse := func(code, format, detail string) {
		b.fail(-1, pgerr.New(code, format, lock).WithDetail("%s cursors must be READ ONLY.", detail))
	}
	switch {
	case d.Options&cursorHold != 0:
		refuse(pgerr.FeatureNotSupported, "DECLARE CURSOR WITH HOLD ... %s is not supported", "Holdable")
	case d.Options&cursorScroll != 0:
		refuse(pgerr.FeatureNotSupported, "DECLARE SCROLL CURSOR ... %s is not supported", "Scrollable")
	case d.Options&cursorInsensitive != 0:
		refuse(pgerr.InvalidCursorDefinition, "DECLARE INSENSITIVE CURSOR ... %s is not valid", "Insensitive")
	}
}

// fetchAll is the grammar's count for ALL.
const fetchAll = 1<<63 - 1

func fetch(f *pg.FetchStmt) plan.Utility {
	u := &plan.Fetch{Cursor: f.Portalname, Count: f.HowMany, All: f.HowMany == fetchAll, Move: f.Ismove, Direction: 'f'}
	switch f.Direction {
	case pg.FetchDirection_FETCH_BACKWARD:
		u.Direction = 'b'
	case pg.FetchDirection_FETCH_ABSOLUTE:
		u.Direction = 'a'
	case pg.FetchDirection_FETCH_RELATIVE:
		u.Direction = 'r'
	}
	return u
}

func (b *binder) vacuum(v *pg.VacuumStmt) plan.Utility {
	u := &plan.Vacuum{Analyze: !v.IsVacuumcmd, Options: b.options(v.Options)}
	for _, n := range v.Rels {
		r := n.GetVacuumRelation()
		u.Tables = append(u.Tables, b.rangeName(r.Relation))
		u.Columns = append(u.Columns, columnNames(r.VaCols))
	}
	return u
}

func discard(d *pg.DiscardStmt) plan.Utility {
	switch d.Target {
	case pg.DiscardMode_DISCARD_PLANS:
		return &plan.Discard{What: "plans"}
	case pg.DiscardMode_DISCARD_SEQUENCES:
		return &plan.Discard{What: "sequences"}
	case pg.DiscardMode_DISCARD_TEMP:
		return &plan.Discard{What: "temp"}
	}
	return &plan.Discard{What: "all"}
}

func (b *binder) reindex(r *pg.ReindexStmt) plan.Utility {
	kind := strings.ToLower(strings.TrimPrefix(r.Kind.String(), "REINDEX_OBJECT_"))
	u := &plan.Reindex{Kind: plan.ObjectKind(kind), Name: b.rangeName(r.Relation)}
	if r.Relation == nil {
		u.Name.Name = r.Name
	}
	for _, p := range r.Params {
		d := p.GetDefElem()
		switch d.Defname {
		case "concurrently":
			u.Concurrently = b.reindexFlag(d)
		case "verbose":
		case "tablespace":
			b.failf(int(d.Location), pgerr.FeatureNotSupported, "tablespaces are not supported")
		default:
			b.failf(int(d.Location), pgerr.SyntaxError, "unrecognized REINDEX option \"%s\"", d.Defname)
		}
	}
	return u
}

// reindexFlag is the value of a Boolean option: on where none is given.
func (b *binder) reindexFlag(d *pg.DefElem) bool {
	switch v := b.optionValue(d.Arg).(type) {
	case nil:
		return true
	case bool:
		return v
	case int64:
		if v == 0 || v == 1 {
			return v == 1
		}
	case string:
		switch strings.ToLower(v) {
		case "true", "on":
			return true
		case "false", "off":
			return false
		}
	}
	b.failf(-1, pgerr.SyntaxError, "%s requires a Boolean value", d.Defname)
	return false
}

// copyStatement binds COPY. The table is looked up here, so that its columns can be
// checked and a condition bound; the executor takes the lock.
func (b *binder) copyStatement(c *pg.CopyStmt) plan.Utility {
	u := &plan.Copy{
		Columns: columnNames(c.Attlist), From: c.IsFrom, Program: c.IsProgram, File: c.Filename,
		Stdio: c.Filename == "", Options: b.options(c.Options), Where: b.raw(c.WhereClause),
	}
	if c.Query != nil {
		if sel := c.Query.GetSelectStmt(); sel != nil && leftmost(sel).IntoClause != nil {
			b.failf(-1, pgerr.FeatureNotSupported, "COPY (SELECT INTO) is not supported")
		}
		u.Query = b.bindNested(c.Query)
		return u
	}
	u.Name = b.rangeName(c.Relation)
	b.bindCopyTable(u, c)
	return u
}
