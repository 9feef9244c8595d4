package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

func (b *binder) bindInsert(parent *scope, s *pg.InsertStmt) *plan.Query {
	b.fail(-1, pgerr.Unsupported("INSERT is not supported"))
	return nil
}
func (b *binder) bindUpdate(parent *scope, s *pg.UpdateStmt) *plan.Query {
	b.fail(-1, pgerr.Unsupported("UPDATE is not supported"))
	return nil
}
func (b *binder) bindDelete(parent *scope, s *pg.DeleteStmt) *plan.Query {
	b.fail(-1, pgerr.Unsupported("DELETE is not supported"))
	return nil
}
func (b *binder) bindMerge(parent *scope, s *pg.MergeStmt) *plan.Query {
	b.fail(-1, pgerr.Unsupported("MERGE is not supported"))
	return nil
}
