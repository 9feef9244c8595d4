package planner

import "github.com/omendb/omendb/sql/plan"

// degenerateGroup reads no rows for a query that has HAVING and neither groups nor aggregates: it is one row if HAVING holds,
// whatever the tables contain, and that they are not read can be seen, where WHERE would have failed.
func degenerateGroup(l *level) (bool, error) {
	q := l.q
	if q.Command != plan.Select || !q.GroupAll || q.HasAggs || q.Having == nil || q.HasWindows || len(q.Locks) > 0 || q.SetOp != nil {
		return false, nil
	}
	q.From, q.Where, q.Having, q.GroupAll = nil, q.Having, nil, false
	return true, nil
}
