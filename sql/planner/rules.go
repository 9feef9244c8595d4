package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// rule rewrites one query level in place. It reports whether it changed anything.
type rule struct {
	name  string
	apply func(l *level) (bool, error)
}

// rules are applied in this order, all of them again while any changes the
// query, at most maxRulePasses times. Each can be switched off by name (Settings.DisabledRules) without
// changing a row of any result.
var rules = []rule{
	{"inline_cte", inlineCTEs},
	{"pull_up_subquery", pullUpSubqueries},
	{"sublink_to_join", subLinksToJoins},
	{"fold_constants", foldConstants},
	{"common_conditions", commonConditions},
	{"reduce_outer_join", reduceOuterJoins},
	{"imply_constants", implyConstants},
	{"push_down_predicate", pushDownPredicates},
	{"min_max_index", minMaxIndex},
	{"degenerate_group", degenerateGroup},
}

const maxRulePasses = 8

func (l *level) applyRules() error {
	if err := l.applyAll(); err != nil || l.o.env.Settings.ruleOff("or_restrictions") || !orRestrictions(l) {
		return err
	}
	return l.applyAll()
}

// applyAll applies the rules until none changes anything.
func (l *level) applyAll() error {
	for range maxRulePasses {
		changed, err := l.expandInheritance()
		if err != nil {
			return err
		}
		for _, r := range rules {
			if l.o.env.Settings.ruleOff(r.name) {
				continue
			}
			c, err := r.apply(l)
			if err != nil {
				return err
			}
			changed = changed || c
		}
		if !changed {
			return nil
		}
	}
	_, err := l.expandInheritance() // of what the last pass has merged
	return err
}

// shiftVars moves the level-0 references of e by offset range-table entries and
// lowers references to enclosing levels by one: what happens to the expressions
// of a subquery that is merged into its parent. Queries inside sublinks follow.
func shiftVars(e plan.Expr, offset int) plan.Expr {
	return shiftVarsAt(e, 0, offset)
}

func shiftVarsAt(e plan.Expr, depth, offset int) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			switch {
			case v.Level == depth:
				n := *v
				n.Rel += offset
				return &n
			case v.Level > depth:
				n := *v
				n.Level--
				return &n
			}
		case *plan.Agg:
			if v.Level > depth {
				n := *v
				n.Level--
				return &n
			}
		case *plan.Grouping:
			if v.Level > depth {
				n := *v
				n.Level--
				return &n
			}
		case *plan.SubLink:
			shiftQuery(v.Query, depth+1, offset)
		}
		return x
	})
}

// shiftQuery does the same for a query that stands depth levels below the one
// that is merged.
func shiftQuery(q *plan.Query, depth, offset int) {
	plan.MapQuery(q, func(e plan.Expr) plan.Expr { return shiftVarsAt(e, depth, offset) })
	for _, c := range q.CTEs {
		shiftQuery(c.Query, depth+1, offset)
	}
	for _, r := range q.Rels {
		if r.Query != nil {
			shiftQuery(r.Query, depth+1, offset)
		}
		if r.Kind == plan.RelCTE && r.CTELevel > depth {
			r.CTELevel--
		}
	}
}

// mergeRels appends the range table of sub to q and returns the offset. Its
// expressions, join tree included, are shifted to their new places.
func mergeRels(q, sub *plan.Query) int {
	offset := len(q.Rels)
	plan.MapQuery(sub, func(e plan.Expr) plan.Expr { return shiftVars(e, offset) })
	for _, r := range sub.Rels {
		if r.Query != nil {
			shiftQuery(r.Query, 1, offset)
		}
		if r.Kind == plan.RelCTE && r.CTELevel > 0 {
			r.CTELevel--
		}
	}
	for _, it := range sub.From {
		shiftRefs(it, offset)
	}
	q.Rels = append(q.Rels, sub.Rels...)
	for _, k := range sub.Locks {
		k.Rel += offset
		q.Locks = append(q.Locks, k)
	}
	q.HasSubLinks = q.HasSubLinks || sub.HasSubLinks
	return offset
}

func shiftRefs(it plan.FromItem, offset int) {
	switch x := it.(type) {
	case *plan.RelRef:
		x.Rel += offset
	case *plan.Join:
		shiftRefs(x.Left, offset)
		shiftRefs(x.Right, offset)
	}
}

// substitute replaces references to columns of range-table entry rel by the
// expressions that define them, in q and in everything below it.
func substitute(q *plan.Query, rel int, defs []plan.Expr, names []string) {
	(&substitution{rel: rel, defs: defs, names: names}).query(q, 0)
}

// substitution is what replaces the columns of rel; the names are for references
// to its whole row.
type substitution struct {
	rel   int
	defs  []plan.Expr
	names []string
}

func (s *substitution) query(q *plan.Query, depth int) {
	plan.MapQuery(q, func(e plan.Expr) plan.Expr { return s.expr(e, depth) })
	for _, c := range q.CTEs {
		s.query(c.Query, depth+1)
	}
	for _, r := range q.Rels {
		if r.Query != nil {
			s.query(r.Query, depth+1)
		}
	}
}

func (s *substitution) expr(e plan.Expr, depth int) plan.Expr {
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			if v.Level != depth || v.Rel != s.rel {
				return x
			}
			if v.Attr == plan.AttrWholeRow {
				row := &plan.RowOf{Base: v.Base, Args: deepenAll(s.defs, depth)}
				if len(s.names) == len(s.defs) {
					row.Names = s.names
				}
				return row
			}
			return deepen(s.defs[v.Attr], depth)
		case *plan.SubLink:
			s.query(v.Query, depth+1)
		}
		return x
	})
}

func deepenAll(es []plan.Expr, by int) []plan.Expr {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		out[i] = deepen(e, by)
	}
	return out
}

// deepen makes an expression of one level readable by levels below it.
func deepen(e plan.Expr, by int) plan.Expr {
	if by == 0 {
		return e
	}
	return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
		switch v := x.(type) {
		case *plan.Var:
			n := *v
			n.Level += by
			return &n
		case *plan.Agg:
			n := *v
			n.Level += by
			return &n
		}
		return x
	})
}

// isSimple reports whether a query is a plain join with conditions, which can
// be merged into the query around it without changing what it means.
func isSimple(q *plan.Query) bool { return len(q.From) > 0 && isPlain(q) }

// isPlain is isSimple for queries that may read no table.
func isPlain(q *plan.Query) bool {
	return q.Command == plan.Select && q.SetOp == nil && len(q.CTEs) == 0 && len(q.GroupBy) == 0 && q.Sets == nil &&
		!q.GroupAll && !q.HasAggs && !q.HasWindows && !q.HasSRF && q.Having == nil && !q.Distinct && q.DistinctOn == nil &&
		q.Limit == nil && q.Offset == nil && !locksItself(q) && len(q.Windows) == 0
}

// locksRows reports whether a query locks the rows that it reads, and looks at them again
// when they changed meanwhile.
func locksRows(q *plan.Query) bool { return q.Command != plan.Select || len(q.Locks) > 0 }

// locksItself reports whether a query has a locking clause of its own. One that the query around
// it has is no obstacle to merging the two: it locks what that one returns.
func locksItself(q *plan.Query) bool {
	return slices.ContainsFunc(q.Locks, func(k plan.RowLock) bool { return !k.Pushed })
}
