package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// bindUtility binds a statement other than SELECT, INSERT, UPDATE, DELETE and MERGE.
func bindUtility(b *binder, node *pg.Node) (plan.Utility, error) {
	return nil, pgerr.Unsupported("this kind of statement is not supported")
}
