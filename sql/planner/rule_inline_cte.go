package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// inlineCTEs turns references to CTEs that are used once (or marked NOT
// MATERIALIZED) into plain subqueries. CTEs of this level that stay are planned
// by planCTEs; the rule runs before it through its marks.
func inlineCTEs(l *level) (bool, error) {
	return len(l.ctes) > 0 && l.inlineInto(l.q, 0), nil
}

// inlineInto does so in a query that is depth levels below l, and in those below it.
func (l *level) inlineInto(q *plan.Query, depth int) (changed bool) {
	for _, r := range q.Rels {
		if r.Kind == plan.RelCTE && !r.WorkTable && r.CTELevel == depth && l.ctes[r.CTEIndex].plan < 0 && l.ctes[r.CTEIndex].workID < 0 {
			c := l.q.CTEs[r.CTEIndex]
			r.Kind, r.Query, r.CTE = plan.RelSubquery, plan.CloneQuery(c.Query), ""
			shiftOuter(r.Query, depth)
			changed = true
		}
	}
	plan.WalkQuery(q, func(plan.Expr) bool { return true }, func(s *plan.Query) {
		if l.inlineInto(s, depth+1) {
			changed = true
		}
	})
	return changed
}

// shiftOuter makes references of a CTE's query to levels around it right again
// after the query moved by levels downward.
func shiftOuter(q *plan.Query, by int) {
	if by > 0 {
		shiftOuterAt(q, 0, by)
	}
}

func shiftOuterAt(q *plan.Query, depth, by int) {
	fix := func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			switch v := x.(type) {
			case *plan.Var:
				if v.Level > depth {
					n := *v
					n.Level += by
					return &n
				}
			case *plan.SubLink:
				shiftOuterAt(v.Query, depth+1, by)
			}
			return x
		})
	}
	plan.MapQuery(q, fix)
	for _, r := range q.Rels {
		if r.Kind == plan.RelCTE && r.CTELevel > depth {
			r.CTELevel += by
		}
		if r.Query != nil {
			shiftOuterAt(r.Query, depth+1, by)
		}
	}
	for _, c := range q.CTEs {
		shiftOuterAt(c.Query, depth+1, by)
	}
}

// canInline reports whether a CTE may be copied to its place of use.
func canInline(c *plan.CTE) bool {
	if c.Recursive || c.Materialized == 'm' || c.Query.Command != plan.Select || queryIsVolatile(c.Query) {
		return false
	}
	return c.RefCount <= 1 || c.Materialized == 'n'
}
