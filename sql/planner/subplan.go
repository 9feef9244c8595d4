package planner

import (
	"fmt"
	"slices"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// planSubLinks plans the subqueries that are left in expressions and replaces
// each by a SubPlan whose parameters come from the outer row. What is the same
// as a subquery of a group key becomes the same SubPlan, so that the key is found.
func (l *level) planSubLinks() error {
	var failed error
	inKeys := map[*plan.SubLink]*plan.SubPlan{}
	var keys []*plan.SubLink
	replace := func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			s, ok := x.(*plan.SubLink)
			if !ok || failed != nil {
				return x
			}
			i := slices.IndexFunc(keys, func(k *plan.SubLink) bool { return plan.Same(k, s) })
			if i >= 0 && inKeys[keys[i]] != nil {
				return inKeys[keys[i]]
			}
			sp, err := l.planSubLink(s)
			if err != nil {
				failed = err
				return x
			}
			if i >= 0 {
				inKeys[keys[i]] = sp
			}
			return sp
		})
	}
	l.q.Where = replace(l.q.Where) // is computed below grouping, on its own
	for _, k := range l.q.GroupBy {
		plan.Walk(k.Expr, func(x plan.Expr) bool {
			if s, ok := x.(*plan.SubLink); ok {
				keys = append(keys, s)
			}
			return true
		})
	}
	plan.MapQuery(l.q, replace)
	return failed
}

func (l *level) planSubLink(s *plan.SubLink) (*plan.SubPlan, error) {
	sub, err := l.o.planQuery(s.Query, l)
	if err != nil {
		return nil, err
	}
	node := trimJunk(sub.rel, s.Query.Targets)
	p := &plan.Plan{Root: node, Result: -1}
	for _, r := range sub.level.outer {
		p.Uses = append(p.Uses, r.id)
	}
	p.Init = len(p.Uses) == 0 && !queryIsVolatile(s.Query)
	l.o.stmt.Plans = append(l.o.stmt.Plans, p)
	n := len(l.o.stmt.Plans)
	p.Name = fmt.Sprintf("SubPlan %d", n)
	if p.Init && s.Kind != plan.SubAny && s.Kind != plan.SubAll {
		p.Name = fmt.Sprintf("InitPlan %d", n)
	}
	out := &plan.SubPlan{Base: s.Base, Kind: s.Kind, Plan: n - 1, Test: s.Test}
	for _, r := range sub.level.outer {
		out.Params = append(out.Params, plan.SubParam{ID: r.id, Expr: r.expr})
	}
	if s.Kind == plan.SubAny && p.Init {
		hashTest(out)
	}
	return out, nil
}

// hashTest finds out whether the test is a conjunction of hashable equalities
// between outer values and the subquery's columns.
func hashTest(s *plan.SubPlan) {
	for _, c := range conjuncts(s.Test) {
		call, ok := c.(*plan.Call)
		if !ok || len(call.Args) != 2 {
			return
		}
		op := functions.OperatorByOID(call.Op)
		col, ok := strip(call.Args[1]).(*plan.SubColumn)
		if op == nil || !op.CanHash || !ok || has(call.Args[0], isSubColumn) || volatility(call.Args[0]) == 'v' {
			return
		}
		s.HashLeft = append(s.HashLeft, call.Args[0])
		s.HashRight = append(s.HashRight, col.Index)
		s.HashEqual = append(s.HashEqual, call.Func)
	}
	s.Hashed = len(s.HashLeft) > 0
}

func isSubColumn(e plan.Expr) bool {
	_, ok := e.(*plan.SubColumn)
	return ok
}

// trimJunk drops the columns that only sorting needed.
func trimJunk(r *rel, targets []*plan.Target) plan.Node {
	keep := visibleTargets(targets)
	in := r.node.Info()
	if len(in.Columns) == len(keep) {
		return r.node
	}
	p := &plan.Project{NodeInfo: *in, Input: r.node}
	p.Columns = in.Columns[:len(keep):len(keep)]
	for i, c := range p.Columns {
		p.Exprs = append(p.Exprs, &plan.Slot{Base: plan.Base{Typ: c.Type, Pos: -1}, Index: i})
	}
	return p
}
