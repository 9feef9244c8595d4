package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// bindMerge binds MERGE as a join of source and target: rows of the source without
// partner have a NULL key.
func (b *binder) bindMerge(parent *scope, x *pg.MergeStmt) *plan.Query {
	s := b.newScope(parent)
	s.withClause(x.WithClause)
	if len(x.ReturningList) > 0 {
		b.fail(-1, pgerr.Unsupported("MERGE ... RETURNING is not supported"))
	}
	acl := uint32(aclSelect)
	inserts := false
	for _, n := range x.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		if w.MatchKind == pg.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_SOURCE {
			b.fail(-1, pgerr.Unsupported("WHEN NOT MATCHED BY SOURCE is not supported"))
		}
		switch w.CommandType {
		case pg.CmdType_CMD_INSERT:
			acl |= aclInsert
			inserts = true
		case pg.CmdType_CMD_UPDATE:
			acl |= aclUpdate
		case pg.CmdType_CMD_DELETE:
			acl |= aclDelete
		}
	}
	target := s.target(x.Relation, plan.Merge, acl)
	source, items := s.fromItem(x.SourceRelation)
	s.checkNameConflicts(items, []*nsItem{target})
	both := append([]*nsItem{target}, items...)
	s.items = both
	join := &plan.Join{Kind: plan.InnerJoin, Left: source, Right: &plan.RelRef{Rel: s.q.Result}}
	if inserts {
		join.Kind = plan.LeftJoin
	}
	join.On = within(s, inJoin, func() plan.Expr { return b.coerceBool(s, s.expr(x.JoinCondition), "JOIN/ON") })
	s.q.From = []plan.FromItem{join}
	unreachable := map[bool]bool{}
	for _, n := range x.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		matched := w.MatchKind == pg.MergeMatchKind_MERGE_WHEN_MATCHED
		if unreachable[matched] {
			b.failf(-1, pgerr.SyntaxError, "unreachable WHEN clause specified after unconditional WHEN clause")
		}
		unreachable[matched] = w.Condition == nil
		s.items = both
		if !matched {
			s.items = items
		}
		s.q.Merge = append(s.q.Merge, s.mergeAction(w, matched))
	}
	s.items = both
	b.assignCollations(s)
	return s.q
}

func (s *scope) mergeAction(w *pg.MergeWhenClause, matched bool) *plan.MergeAction {
	b, q := s.b, s.q
	a := &plan.MergeAction{Matched: matched}
	if w.Condition != nil {
		a.Cond = within(s, inMergeWhen, func() plan.Expr { return b.coerceBool(s, s.expr(w.Condition), "WHEN") })
	}
	switch w.CommandType {
	case pg.CmdType_CMD_INSERT:
		a.Command = plan.Insert
		q.Overriding = 0
		switch w.Override {
		case pg.OverridingKind_OVERRIDING_SYSTEM_VALUE:
			q.Overriding = 's'
		case pg.OverridingKind_OVERRIDING_USER_VALUE:
			q.Overriding = 'u'
		}
		cols := s.insertColumns(w.TargetList)
		saved := q.Targets
		q.Targets = nil
		if len(w.Values) == 0 {
			s.insertRow(cols[:0], nil)
		} else {
			row := within(s, inMergeIns, func() []plan.Expr { return s.exprs(w.Values) })
			s.checkRow(cols, row, len(w.TargetList) > 0)
			s.insertRow(cols, row)
		}
		a.Targets, q.Targets = q.Targets, saved
		q.Overriding = 0
	case pg.CmdType_CMD_UPDATE:
		a.Command = plan.Update
		a.Targets = s.setList(w.TargetList)
	case pg.CmdType_CMD_DELETE:
		a.Command = plan.Delete
	default:
		a.Nothing = true
	}
	return a
}
