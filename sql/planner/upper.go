package planner

import (
	"math"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// planSelect plans a SELECT level: FROM and WHERE, or a set operation, and
// what stands above.
func (l *level) planSelect() (*rel, error) {
	q := l.q
	l.keepUsed = len(q.Locks) > 0
	var r *rel
	var p *path
	var err error
	if q.SetOp != nil {
		r, err = l.planSetOps()
		p = &path{}
	} else {
		l.setAsk()
		if p, err = l.planFrom(); err == nil {
			r = p.build()
		}
	}
	if err != nil {
		return nil, err
	}
	if len(q.GroupBy) > 0 || q.HasAggs || q.GroupAll || q.Sets != nil || q.Having != nil {
		r = l.planAggregate(r)
		p = &path{}
		if len(q.OrderBy) == 0 && q.Sets == nil && !q.HasWindows && !q.HasSRF && !q.Distinct && q.DistinctOn == nil && sortedGroups(q) {
			var keys []plan.SortKey
			r, keys = l.sortKeys(r, q.GroupBy)
			r = l.sort(r, keys)
		}
	}
	if q.HasWindows {
		r = l.planWindows(r)
		p = &path{}
	}
	if q.HasSRF || q.Distinct || q.DistinctOn != nil {
		return l.planDistinct(r), nil
	}
	presorted, reverse := ordered(p, q.OrderBy)
	return l.planOrdered(r, presorted && reverse == l.asksReverse(p)), nil
}

// sortedGroups reports whether groups come in the order of their keys though nobody asks: where an aggregate has an order
// of its own or DISTINCT, PostgreSQL never hashes, and people see its order.
func sortedGroups(q *plan.Query) bool {
	found := false
	for _, t := range q.Targets {
		found = found || has(t.Expr, func(e plan.Expr) bool {
			a, ok := e.(*plan.Agg)
			return ok && a.Level == 0 && (a.Distinct || len(a.OrderBy) > 0 || a.Within)
		})
	}
	return found && len(q.GroupBy) > 0
}

// planOrdered puts ORDER BY, row locks, LIMIT and the targets on top, in this
// order: targets are computed only for rows that are returned.
func (l *level) planOrdered(r *rel, presorted bool) *rel {
	q := l.q
	var keys []plan.SortKey
	if len(q.OrderBy) > 0 {
		r, keys = l.sortKeys(r, q.OrderBy)
		if !presorted {
			r = l.sort(r, keys)
		}
	}
	if len(q.Locks) > 0 {
		r = l.lockRows(r)
	}
	r = l.limit(r, keys)
	return l.project(r, visibleTargets(q.Targets))
}

// planDistinct handles DISTINCT and set-returning targets, for which the
// targets are computed before the order.
func (l *level) planDistinct(r *rel) *rel {
	q := l.q
	targets := q.Targets
	if q.Distinct && q.DistinctOn == nil { // what only GROUP BY needs does not tell rows apart
		targets = visibleTargets(targets)
	}
	if q.HasSRF {
		r = l.projectSet(r, targets)
	} else {
		r = l.project(r, targets)
	}
	switch {
	case q.DistinctOn != nil:
		on := targetKeys(q, q.DistinctOn)
		keys := append([]plan.SortKey(nil), targetKeys(q, q.OrderBy)...)
		for _, k := range on {
			if !hasSlot(keys, k) {
				keys = append(keys, k)
			}
		}
		r = l.sortOn(r, keys, nil, false)
		n := &plan.Unique{NodeInfo: *r.node.Info(), Input: r.node, Keys: on}
		n.Rows = clampRows(n.Rows / 2)
		r = withNode(r, n)
		r = l.limit(r, targetKeys(q, q.OrderBy))
	default:
		if q.Distinct {
			r = l.distinct(r)
		}
		keys := targetKeys(q, q.OrderBy)
		if len(keys) > 0 {
			r = l.sort(r, keys)
		}
		r = l.limit(r, keys)
	}
	return withNode(r, trimJunk(r, q.Targets))
}

func hasSlot(keys []plan.SortKey, k plan.SortKey) bool {
	for _, x := range keys {
		if x.Target == k.Target {
			return true
		}
	}
	return false
}

func withNode(r *rel, n plan.Node) *rel {
	return &rel{node: n, rels: r.rels, cols: r.cols, exprs: r.exprs}
}

// targetKeys makes sort keys over a row of all targets.
func targetKeys(q *plan.Query, keys []plan.SortKey) []plan.SortKey {
	out := append([]plan.SortKey(nil), keys...)
	for i := range out {
		t := q.Targets[out[i].Target]
		out[i].Expr = &plan.Slot{Base: plan.Base{Typ: t.Expr.ResultType(), Pos: -1}, Index: out[i].Target}
	}
	return out
}

// sortKeys makes every sort expression a column of r.
func (l *level) sortKeys(r *rel, keys []plan.SortKey) (*rel, []plan.SortKey) {
	out := append([]plan.SortKey(nil), keys...)
	var exprs []plan.Expr
	for i := range out {
		if t := out[i].Target; t >= 0 && t < len(l.q.Targets) {
			out[i].Expr = l.q.Targets[t].Expr
		}
		exprs = append(exprs, out[i].Expr)
	}
	r = l.addColumns(r, exprs)
	for i := range out {
		out[i].Expr = l.slot(r, out[i].Expr)
	}
	return r, out
}

// addColumns appends the expressions that are not columns of r yet.
func (l *level) addColumns(r *rel, exprs []plan.Expr) *rel {
	var extra []plan.Expr
	for _, e := range exprs {
		if _, ok := l.slot(r, e).(*plan.Slot); !ok && !containsExpr(extra, e) {
			extra = append(extra, e)
		}
	}
	if len(extra) == 0 {
		return r
	}
	info := *r.node.Info()
	n := &plan.Project{Input: r.node}
	for i, c := range info.Columns {
		n.Exprs = append(n.Exprs, &plan.Slot{Base: plan.Base{Typ: c.Type, Pos: -1}, Index: i})
	}
	out := &rel{rels: r.rels, cols: r.cols, exprs: append([]exprSlot(nil), r.exprs...)}
	cols := append([]plan.Column(nil), info.Columns...)
	for _, e := range extra {
		out.exprs = append(out.exprs, exprSlot{e, len(n.Exprs)})
		n.Exprs = append(n.Exprs, l.slot(r, e))
		cols = append(cols, plan.Column{Name: "?column?", Type: e.ResultType()})
	}
	info.Columns = cols
	info.TotalCost += info.Rows * exprsCost(extra)
	info.Width = widthOf(cols)
	n.NodeInfo = info
	out.node = n
	return out
}

func containsExpr(es []plan.Expr, e plan.Expr) bool {
	for _, x := range es {
		if plan.Same(x, e) {
			return true
		}
	}
	return false
}

// sort orders r, keeping no more rows than LIMIT can use.
func (l *level) sort(r *rel, keys []plan.SortKey) *rel {
	var bound plan.Expr
	if l.q.Limit != nil && len(l.q.Locks) == 0 && volatility(l.q.Limit) != 'v' && (l.q.Offset == nil || isConstOrNil(l.q.Offset)) {
		bound = l.limitBound()
	}
	return l.sortOn(r, keys, bound, l.q.WithTies)
}

func isConstOrNil(e plan.Expr) bool {
	_, ok := e.(*plan.Const)
	return e == nil || ok
}

// limitBound is LIMIT plus OFFSET when both are known or OFFSET is absent.
func (l *level) limitBound() plan.Expr {
	if l.q.Offset == nil {
		return l.slot(&rel{}, l.q.Limit)
	}
	lim, ok := l.q.Limit.(*plan.Const)
	off := l.q.Offset.(*plan.Const)
	if !ok || lim.Value.Null {
		return nil
	}
	sum := *lim
	if !off.Value.Null {
		if off.Value.I < 0 || lim.Value.I < 0 || lim.Value.I > math.MaxInt64-off.Value.I {
			return nil
		}
		sum.Value.I += off.Value.I
	}
	return &sum
}

func (l *level) sortOn(r *rel, keys []plan.SortKey, bound plan.Expr, ties bool) *rel {
	info := *r.node.Info()
	info.StartCost = info.TotalCost
	if bound != nil {
		keep := limitOf(l.q)
		info.TotalCost += topCost(info.Rows, keep)
		info.Rows = math.Min(info.Rows, math.Max(1, keep))
	} else {
		info.TotalCost += sortCost(info.Rows)
	}
	info.StartCost = info.TotalCost
	info.SortedBy = keys
	return withNode(r, &plan.Sort{NodeInfo: info, Input: r.node, Keys: keys, Limit: bound, WithTies: ties && bound != nil})
}

func (l *level) limit(r *rel, keys []plan.SortKey) *rel {
	q := l.q
	if q.Limit == nil && q.Offset == nil {
		return r
	}
	info := *r.node.Info()
	n := &plan.Limit{Input: r.node}
	if q.Limit != nil {
		n.Count = l.slot(&rel{}, q.Limit)
		keep := math.Min(info.Rows, limitOf(q))
		if info.Rows > 0 {
			info.TotalCost = info.StartCost + (info.TotalCost-info.StartCost)*keep/info.Rows
		}
		info.Rows = math.Max(1, keep)
	}
	if q.Offset != nil {
		n.Offset = l.slot(&rel{}, q.Offset)
	}
	if q.WithTies {
		n.TiesBy = keys
	}
	n.NodeInfo = info
	return withNode(r, n)
}

// project computes targets as the output row, in order.
func (l *level) project(r *rel, targets []*plan.Target) *rel {
	info := *r.node.Info()
	n := &plan.Project{Input: r.node}
	out := &rel{rels: r.rels, cols: map[colKey]int{}}
	same := len(targets) == len(info.Columns)
	var cols []plan.Column
	for i, t := range targets {
		e := l.slot(r, t.Expr)
		if s, ok := e.(*plan.Slot); !ok || s.Index != i {
			same = false
		}
		n.Exprs = append(n.Exprs, e)
		cols = append(cols, plan.Column{Name: t.Name, Type: t.Expr.ResultType()})
		out.exprs = append(out.exprs, exprSlot{t.Expr, i})
	}
	if same {
		out.node = r.node
		return out
	}
	info.Columns, info.Width = cols, widthOf(cols)
	info.TotalCost += info.Rows * exprsCost(n.Exprs)
	if res, ok := r.node.(*plan.Result); ok && len(res.Exprs) == 0 {
		info.TotalCost = costRow + exprsCost(n.Exprs)
		out.node = &plan.Result{NodeInfo: info, Exprs: n.Exprs, Filter: res.Filter}
		return out
	}
	n.NodeInfo = info
	out.node = n
	return out
}

// projectSet computes targets of which some return sets. Sets inside other
// expressions are expanded first, innermost first, by nodes of their own.
func (l *level) projectSet(r *rel, targets []*plan.Target) *rel {
	exprs := make([]plan.Expr, len(targets))
	for i, t := range targets {
		exprs[i] = l.replaceKnown(r, t.Expr) // a set in GROUP BY is expanded already
	}
	r, exprs = l.expandNested(r, exprs)
	info := *r.node.Info()
	n := &plan.ProjectSet{Input: r.node}
	out := &rel{rels: r.rels, cols: map[colKey]int{}}
	var cols []plan.Column
	sets := false
	for i, e := range exprs {
		c, ok := e.(*plan.Call)
		sets = sets || ok && c.ReturnSet
		n.Exprs = append(n.Exprs, l.slot(r, e))
		cols = append(cols, plan.Column{Name: targets[i].Name, Type: targets[i].Expr.ResultType()})
		out.exprs = append(out.exprs, exprSlot{targets[i].Expr, i})
	}
	info.Columns, info.Width = cols, widthOf(cols)
	if !sets { // all of them stand below other expressions and are expanded already
		out.node = &plan.Project{NodeInfo: info, Input: r.node, Exprs: n.Exprs}
		return out
	}
	info.Rows = clampRows(info.Rows * 10)
	n.NodeInfo = info
	out.node = n
	return out
}

// expandNested expands the sets that stand below other expressions, and returns these over the
// rows that come.
func (l *level) expandNested(r *rel, exprs []plan.Expr) (*rel, []plan.Expr) {
	for {
		inner := nestedSets(exprs)
		if len(inner) == 0 {
			return r, exprs
		}
		r = l.expandSets(r, inner)
		for i, e := range exprs {
			exprs[i] = l.replaceKnown(r, e)
		}
	}
}

// expandGrouped expands the sets in GROUP BY, whose values are grouped, and returns the group
// expressions over the rows that come.
func (l *level) expandGrouped(r *rel) (*rel, []plan.Expr) {
	keys := make([]plan.Expr, len(l.q.GroupBy))
	for i, k := range l.q.GroupBy {
		keys[i] = k.Expr
	}
	if !l.q.HasSRF {
		return r, keys
	}
	r, keys = l.expandNested(r, keys)
	var whole []plan.Expr
	for _, k := range keys {
		if hasSet(k) && !containsExpr(whole, k) {
			whole = append(whole, k)
		}
	}
	if len(whole) > 0 {
		r = l.expandSets(r, whole)
		for i, k := range keys {
			keys[i] = l.replaceKnown(r, k)
		}
	}
	return r, keys
}

// nestedSets returns the set-returning calls that stand below another
// expression and contain none themselves.
func nestedSets(exprs []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, e := range exprs {
		plan.Walk(e, func(x plan.Expr) bool {
			c, ok := x.(*plan.Call)
			if ok && c.ReturnSet && x != e {
				for _, a := range c.Args {
					if hasSet(a) {
						return true
					}
				}
				if !containsExpr(out, x) {
					out = append(out, x)
				}
				return false
			}
			return true
		})
	}
	return out
}

// expandSets adds the sets' values as columns to r's rows.
func (l *level) expandSets(r *rel, sets []plan.Expr) *rel {
	info := *r.node.Info()
	n := &plan.ProjectSet{Input: r.node}
	out := &rel{rels: r.rels, cols: r.cols, exprs: append([]exprSlot(nil), r.exprs...)}
	cols := append([]plan.Column(nil), info.Columns...)
	for i, c := range info.Columns {
		n.Exprs = append(n.Exprs, &plan.Slot{Base: plan.Base{Typ: c.Type, Pos: -1}, Index: i})
	}
	for _, s := range sets {
		out.exprs = append(out.exprs, exprSlot{s, len(n.Exprs)})
		n.Exprs = append(n.Exprs, l.slot(r, s))
		cols = append(cols, plan.Column{Name: "set", Type: s.ResultType()})
	}
	info.Columns, info.Width, info.Rows = cols, widthOf(cols), clampRows(info.Rows*10)
	n.NodeInfo = info
	out.node = n
	return out
}

// replaceKnown turns expressions that r has computed into slots, so that they
// are not taken for sets again.
func (l *level) replaceKnown(r *rel, e plan.Expr) plan.Expr {
	return plan.Replace(e, func(x plan.Expr) plan.Expr {
		for _, s := range r.exprs {
			if plan.Same(s.expr, x) && !isConst(x) {
				return &plan.Slot{Base: plan.Base{Typ: x.ResultType(), Pos: x.Position()}, Index: s.slot}
			}
		}
		return nil
	})
}

// distinct drops duplicate rows by hashing all visible columns.
func (l *level) distinct(r *rel) *rel {
	info := *r.node.Info()
	n := &plan.Aggregate{Input: r.node, Strategy: plan.HashAgg, Distinct: true}
	for i, c := range info.Columns {
		n.Keys = append(n.Keys, l.groupKey(&plan.Slot{Base: plan.Base{Typ: c.Type, Pos: -1}, Index: i}))
	}
	info.TotalCost += info.Rows * costGroup
	info.Rows = clampRows(info.Rows / 2)
	info.StartCost = info.TotalCost
	n.NodeInfo = info
	return withNode(r, n)
}

// groupKey completes a grouping expression with its type's operators.
func (l *level) groupKey(e plan.Expr) plan.SortKey {
	t := e.ResultType()
	k := plan.SortKey{Expr: e, Target: -1, Collation: t.Collation}
	if op := functions.EqualityOp(l.o.env.Types, t.OID); op != nil {
		k.Equal = op.Code
	}
	if op := functions.LessOp(l.o.env.Types, t.OID); op != nil {
		k.Less = op.Code
	}
	return k
}
