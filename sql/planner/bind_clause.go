package planner

// clause tells where in a statement an expression stands: PostgreSQL's ParseExprKind.
type clause struct {
	name string // as "aggregate functions are not allowed in …" and its kin say it
	// What must not occur; the texts differ by clause.
	noAggs, noWindows, noSRF bool
	subquery                 string // not empty: "cannot use subquery in …"
	column                   string // not empty: "cannot use column reference in …"
}

// The clauses.
var (
	inTarget    = clause{name: "SELECT"}
	inJoin      = clause{name: "JOIN conditions", noAggs: true, noWindows: true, noSRF: true}
	inFromFunc  = clause{name: "functions in FROM", noAggs: true, noWindows: true}
	inFromSub   = clause{name: "FROM clause of their own query level", noAggs: true, noWindows: true}
	inWhere     = clause{name: "WHERE", noAggs: true, noWindows: true, noSRF: true}
	inHaving    = clause{name: "HAVING", noWindows: true, noSRF: true}
	inFilter    = clause{name: "FILTER", noAggs: true, noWindows: true, noSRF: true}
	inPartition = clause{name: "window definitions", noWindows: true}
	inWinOrder  = clause{name: "window definitions", noWindows: true}
	inFrame     = clause{name: "window ROWS", noAggs: true, noWindows: true, noSRF: true}
	inUpdateSet = clause{name: "UPDATE", noAggs: true, noWindows: true, noSRF: true}
	inMergeWhen = clause{name: "MERGE WHEN conditions", noAggs: true, noWindows: true, noSRF: true}
	inMergeIns  = clause{name: "VALUES", noAggs: true, noWindows: true, noSRF: true}
	inGroupBy   = clause{name: "GROUP BY", noAggs: true, noWindows: true}
	inOrderBy   = clause{name: "ORDER BY"}
	inDistinct  = clause{name: "DISTINCT ON"}
	inLimit     = clause{name: "LIMIT", noAggs: true, noWindows: true, noSRF: true}
	inOffset    = clause{name: "OFFSET", noAggs: true, noWindows: true, noSRF: true}
	inReturning = clause{name: "RETURNING", noAggs: true, noWindows: true, noSRF: true}
	inValues    = clause{name: "VALUES", noAggs: true, noWindows: true, noSRF: true}
	inInsValues = clause{name: "VALUES", noAggs: true, noWindows: true}
	inCheck     = clause{name: "check constraints", noAggs: true, noWindows: true, noSRF: true, subquery: "check constraint"}
	inDefault   = clause{name: "DEFAULT expressions", noAggs: true, noWindows: true, noSRF: true, subquery: "DEFAULT expression", column: "DEFAULT expression"}
	inArgument  = clause{name: "DEFAULT expressions", noAggs: true, noWindows: true, noSRF: true, subquery: "DEFAULT expression"}
	inIndexExpr = clause{name: "index expressions", noAggs: true, noWindows: true, noSRF: true, subquery: "index expression"}
	inIndexPred = clause{name: "index predicates", noAggs: true, noWindows: true, noSRF: true, subquery: "index predicate"}
	inAlterType = clause{name: "transform expressions", noAggs: true, noWindows: true, noSRF: true, subquery: "transform expression"}
	inExecute   = clause{name: "EXECUTE parameters", noAggs: true, noWindows: true, noSRF: true, subquery: "EXECUTE parameter"}
	inCall      = clause{name: "CALL arguments", noAggs: true, noWindows: true, noSRF: true, subquery: "CALL argument"}
	inGenerated = clause{name: "column generation expressions", noAggs: true, noWindows: true, noSRF: true, subquery: "column generation expression"}
	inStatistic = clause{name: "statistics expressions", noAggs: true, noWindows: true, noSRF: true, subquery: "statistics expression"}
	inCopyWhere = clause{name: "COPY FROM WHERE conditions", noAggs: true, noWindows: true, noSRF: true, subquery: "COPY FROM WHERE condition"}
)

// within binds something as part of a clause.
func within[T any](s *scope, c clause, f func() T) T {
	saved := s.clause
	s.clause = c
	v := f()
	s.clause = saved
	return v
}
