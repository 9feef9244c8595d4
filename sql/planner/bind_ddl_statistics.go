package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// createStatistics binds CREATE STATISTICS.
func (b *binder) createStatistics(c *pg.CreateStatsStmt) plan.Utility {
	u := &plan.CreateStatistics{IfNotExists: c.IfNotExists, Kinds: columnNames(c.StatTypes)}
	if len(c.Relations) != 1 || c.Relations[0].GetRangeVar() == nil {
		b.failf(-1, pgerr.FeatureNotSupported, "only a single relation is allowed in CREATE STATISTICS")
	}
	u.Table = b.rangeName(c.Relations[0].GetRangeVar())
	if len(c.Defnames) == 0 { // which versions after PostgreSQL's 15 choose
		at := "ON"
		if len(c.StatTypes) > 0 {
			at = "("
		}
		b.failf(-1, pgerr.SyntaxError, "syntax error at or near \"%s\"", at)
	}
	u.Name = b.qname(c.Defnames)
	for _, n := range c.Exprs {
		e := n.GetStatsElem()
		u.Elements = append(u.Elements, plan.IndexElem{Column: e.Name, Expr: b.raw(e.Expr)})
	}
	return u
}

// alterStatistics binds ALTER STATISTICS … SET STATISTICS.
func (b *binder) alterStatistics(a *pg.AlterStatsStmt) plan.Utility {
	target := int64(a.Stxstattarget.GetInteger().GetIval())
	return &plan.AlterStatistics{Name: b.qname(a.Defnames), Target: target, IfExists: a.MissingOk}
}
