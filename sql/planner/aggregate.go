package planner

import (
	"math"

	"github.com/omendb/omendb/sql/plan"
)

// planAggregate groups r. Group expressions, aggregates and GROUPING calls are
// columns of the result; HAVING filters it.
func (l *level) planAggregate(r *rel) *rel {
	q := l.q
	r, keys := l.expandGrouped(r)
	n := &plan.Aggregate{Input: r.node, Strategy: plan.HashAgg, Sets: q.Sets}
	out := &rel{rels: r.rels, cols: map[colKey]int{}}
	var cols []plan.Column
	addKey := func(k plan.SortKey, over plan.Expr) {
		out.exprs = append(out.exprs, exprSlot{k.Expr, len(n.Keys)})
		cols = append(cols, plan.Column{Name: "key", Type: k.Expr.ResultType()})
		k.Expr = l.slot(r, over)
		n.Keys = append(n.Keys, k)
	}
	for i, k := range q.GroupBy {
		addKey(k, keys[i])
	}
	aggs, groupings, loose := l.aggregateParts()
	for _, v := range loose { // columns that depend on the primary key in GROUP BY
		addKey(l.groupKey(v), v)
		for i := range n.Sets {
			n.Sets[i] = append(append([]int(nil), n.Sets[i]...), len(n.Keys)-1)
		}
	}
	for _, a := range aggs {
		out.exprs = append(out.exprs, exprSlot{a, len(cols)})
		cols = append(cols, plan.Column{Name: a.Func.Name, Type: a.Typ})
		n.Aggs = append(n.Aggs, l.slotAgg(r, a))
	}
	for _, g := range groupings {
		out.exprs = append(out.exprs, exprSlot{g, len(cols)})
		cols = append(cols, plan.Column{Name: "grouping", Type: g.Typ})
		n.Groupings = append(n.Groupings, g.Refs)
	}
	in := r.node.Info()
	info := plan.NodeInfo{Columns: cols, Width: widthOf(cols)}
	info.Rows = l.groupRows(in.Rows)
	info.TotalCost = in.TotalCost + in.Rows*(costGroup+float64(len(aggs))*costOperator*2) + info.Rows*costRow
	if len(n.Keys) == 0 && n.Sets == nil {
		n.Strategy = plan.PlainAgg
	}
	info.StartCost = info.TotalCost
	n.NodeInfo = info
	out.node = n
	if q.Having != nil {
		hi := info
		hi.Rows = clampRows(info.Rows * l.selectivity(q.Having))
		out = withNode(out, &plan.Filter{NodeInfo: hi, Input: n, Cond: l.slot(out, q.Having)})
	}
	return out
}

// groupRows estimates the number of groups.
func (l *level) groupRows(in float64) float64 {
	if len(l.q.GroupBy) == 0 {
		return 1
	}
	keys := make([]plan.Expr, len(l.q.GroupBy))
	for i, k := range l.q.GroupBy {
		keys[i] = k.Expr
	}
	return clampRows(math.Min(l.distinctTogether(keys), in))
}

// slotAgg rewrites an aggregate's arguments over the input row.
func (l *level) slotAgg(r *rel, a *plan.Agg) *plan.Agg {
	c := *a
	c.Args, c.Direct = l.slots(r, a.Args), l.slots(r, a.Direct)
	c.OrderBy = append([]plan.SortKey(nil), a.OrderBy...)
	for i := range c.OrderBy {
		c.OrderBy[i].Expr = l.slot(r, c.OrderBy[i].Expr)
	}
	if a.Filter != nil {
		c.Filter = l.slot(r, a.Filter)
	}
	return &c
}

// aggregateParts collects, from everything that is computed above grouping, the
// aggregates, the GROUPING calls, and the columns outside of them that no group
// expression covers.
func (l *level) aggregateParts() (aggs []*plan.Agg, groupings []*plan.Grouping, loose []*plan.Var) {
	q := l.q
	visit := func(e plan.Expr) {
		plan.Walk(e, func(x plan.Expr) bool {
			for _, k := range q.GroupBy {
				if plan.Same(k.Expr, x) {
					return false
				}
			}
			switch v := x.(type) {
			case *plan.Agg:
				if v.Level > 0 {
					return false
				}
				for _, a := range aggs {
					if plan.Same(a, v) {
						return false
					}
				}
				aggs = append(aggs, v)
				return false
			case *plan.Grouping:
				if v.Level == 0 {
					groupings = append(groupings, v)
				}
				return false
			case *plan.Var:
				if v.Level == 0 {
					for _, o := range loose {
						if plan.Same(o, v) {
							return false
						}
					}
					loose = append(loose, v)
				}
			}
			return true
		})
	}
	for _, t := range q.Targets {
		visit(t.Expr)
	}
	if q.Having != nil {
		visit(q.Having)
	}
	for _, w := range q.Windows {
		for _, k := range append(append([]plan.SortKey(nil), w.PartitionBy...), w.OrderBy...) {
			visit(k.Expr)
		}
	}
	return aggs, groupings, loose
}

// planWindows computes the window calls, one node per window definition.
func (l *level) planWindows(r *rel) *rel {
	q := l.q
	calls := make([][]*plan.WindowCall, len(q.Windows))
	for _, t := range q.Targets {
		plan.Walk(t.Expr, func(x plan.Expr) bool {
			w, ok := x.(*plan.WindowCall)
			if ok {
				for _, o := range calls[w.Window] {
					if plan.Same(o, w) {
						return false
					}
				}
				calls[w.Window] = append(calls[w.Window], w)
			}
			return !ok
		})
	}
	for i, w := range q.Windows {
		if len(calls[i]) > 0 {
			r = l.planWindow(r, w, calls[i])
		}
	}
	return r
}

func (l *level) planWindow(r *rel, w *plan.Window, calls []*plan.WindowCall) *rel {
	keys := append(append([]plan.SortKey(nil), w.PartitionBy...), w.OrderBy...)
	for i := range keys { // the window's own clauses, not targets
		if t := keys[i].Target; t >= 0 && keys[i].Expr == nil {
			keys[i].Expr = l.q.Targets[t].Expr
		}
		keys[i].Target = -1
	}
	r, keys = l.sortKeys(r, keys)
	if len(keys) > 0 {
		r = l.sortOn(r, keys, nil, false)
	}
	def := *w
	def.PartitionBy, def.OrderBy = keys[:len(w.PartitionBy)], keys[len(w.PartitionBy):]
	for _, e := range []*plan.Expr{&def.Frame.StartOffset, &def.Frame.EndOffset} {
		if *e != nil {
			*e = l.lower(*e) // they read no columns, whatever an equal constant is in the row
		}
	}
	info := *r.node.Info()
	info.Columns = append([]plan.Column(nil), info.Columns...)
	n := &plan.WindowAgg{Input: r.node, Window: &def}
	out := &rel{rels: r.rels, cols: r.cols, exprs: append([]exprSlot(nil), r.exprs...)}
	for _, c := range calls {
		out.exprs = append(out.exprs, exprSlot{c, len(info.Columns)})
		info.Columns = append(info.Columns, plan.Column{Name: c.Func.Name, Type: c.Typ})
		k := *c
		k.Args = l.slots(r, c.Args)
		if c.Filter != nil {
			k.Filter = l.slot(r, c.Filter)
		}
		n.Calls = append(n.Calls, &k)
	}
	info.TotalCost += info.Rows * float64(len(calls)) * costOperator * 4
	info.Width = widthOf(info.Columns)
	n.NodeInfo = info
	out.node = n
	return out
}
