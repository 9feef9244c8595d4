package planner

import (
	"math"
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// The right side of a join may be more than a table: several tables joined, as in LEFT JOIN (pg_type bt JOIN
// pg_namespace nbt …) ON t.typbasetype = bt.oid, or a subquery, as the views of the information schema are. Where the
// left side has few rows, it is cheaper to compute the right side for each of them, with the equalities of the
// join as conditions on its tables, than to compute all of it once for a hash join. Since the
// number of left rows is a guess, the plan has both ways, and the executor takes the
// one that suits the rows that come.

// group plans a right side for one row of the left, with its equalities as conditions.
type group struct {
	plan func(keys []equiKey) *path // nil: not possible
	made []groupPath
}

// groupPath is what came of some equalities.
type groupPath struct {
	keys []equiKey
	path *path
}

const (
	// maxGroupDepth bounds how deep groups are planned within groups: each is planned twice.
	maxGroupDepth = 3
	// maxGroupPaths bounds for how many sets of equalities, by what stands on the left, a right side is planned.
	maxGroupPaths = 8
)

// by returns the path for some equalities.
func (g *group) by(l *level, keys []equiKey) *path {
	for _, m := range g.made {
		if slices.EqualFunc(m.keys, keys, func(a, b equiKey) bool { return a.left == b.left && a.right == b.right }) {
			return m.path
		}
	}
	if len(g.made) == maxGroupPaths || l.o.groups == maxGroupDepth {
		return nil
	}
	l.o.groups++
	p := g.plan(keys)
	l.o.groups--
	g.made = append(g.made, groupPath{keys, p})
	return p
}

// given turns equalities into conditions on the right side, whose other sides are parameters of p.
func (l *level) given(p *path, keys []equiKey, right relSet) []plan.Expr {
	var conds []plan.Expr
	for _, k := range keys {
		if r := relsOf(k.right); !right.contains(r) || volatility(k.left) == 'v' || hasSubLink(k.left) || hasSubLink(k.right) {
			continue
		}
		l.noteUsed(k.right, 1)
		conds = append(conds, keyCond(equiKey{l.lateralExpr(p, k.left), k.right, k.fn, k.op}))
	}
	return conds
}

// tableGroup is the group of a right side that is made of tables alone; conditions on them are within.
func (l *level) tableGroup(kind plan.JoinKind, right plan.FromItem, within []qual) *group {
	if kind == plan.AntiNullJoin || !l.tablesOnly(right) {
		return nil
	}
	rels := itemRels(right)
	return &group{plan: func(keys []equiKey) *path {
		given := &path{}
		conds := l.given(given, keys, rels)
		items, quals, err := l.flattenItem(right)
		if err != nil || conds == nil || slices.ContainsFunc(quals, func(q qual) bool { return !rels.contains(q.rels) }) {
			return nil
		}
		quals = append(quals, within...)
		for _, c := range conds {
			quals = append(quals, qual{c, relsOf(c)})
		}
		p, err := l.planGroup(items, quals)
		if err != nil || len(p.lateral) > 0 {
			return nil
		}
		out := *p
		out.lateral = given.lateral
		return &out
	}}
}

// tablesOnly reports whether a part of the join tree can be planned again: it has tables and joins of them alone.
func (l *level) tablesOnly(it plan.FromItem) bool {
	switch x := it.(type) {
	case *plan.RelRef:
		r := l.q.Rels[x.Rel]
		return r.Kind == plan.RelTable && r.TableSample == nil || r.Kind == plan.RelResult
	case *plan.Join:
		return x.Kind != plan.FullJoin && l.tablesOnly(x.Left) && l.tablesOnly(x.Right)
	}
	return false
}

// subqueryGroup is the group of a subquery, which is about to be planned: it takes the conditions that it would
// take if they spoke of constants.
func (l *level) subqueryGroup(index int, r *plan.Rel) *group {
	if r.Barrier || l.q.Command != plan.Select || locksRows(l.q) || len(l.q.Rels) < 2 || l.o.env.Settings.ruleOff("push_down_predicate") {
		return nil
	}
	source := plan.CloneQuery(r.Query)
	return &group{plan: func(keys []equiKey) *path {
		again := *r
		again.Query = plan.CloneQuery(source)
		given := &path{}
		pushed := false
		for _, c := range l.given(given, keys, relOf(index)) {
			pushed = soleRel(c) == index && pushInto(again.Query, index, c) || pushed
		}
		if !pushed {
			return nil
		}
		p, err := l.subqueryPath(index, &again)
		if err != nil {
			return nil
		}
		p.lateral = append(p.lateral, given.lateral...)
		return p
	}}
}

// most bounds the rows of the left side up to which each of them asks the right side.
const most = 256

// groupJoin computes the right side for each row of the left while these are few, else joins in another way.
func (c *joinCase) groupJoin(keys []equiKey, rows float64, other *path) *path {
	if c.item == nil || c.item.group == nil || c.l.keepUsed || c.left.total+c.left.rows*costLookup >= other.total {
		return nil
	}
	p := c.item.group.by(c.l, keys)
	if p == nil || len(p.lateral) == 0 {
		return nil
	}
	each := *c
	each.right = p
	few := each.nestLoop(rows)
	if few.total >= other.total {
		return nil
	}
	out := *few
	limit := int(math.Max(4, math.Min(most, (other.total-c.left.total)/math.Max(costLookup, p.total))))
	out.build = func() *rel {
		left := c.left.build()
		c.l.o.replays++
		id := c.l.o.replays
		info := *left.node.Info()
		replay := *c.left
		replay.build = func() *rel {
			return &rel{node: &plan.Replay{NodeInfo: info, ID: id}, rels: left.rels, cols: left.cols, exprs: left.exprs}
		}
		before := c.left
		c.left, each.left = &replay, &replay
		defer func() { c.left = before }()
		few, other := few.build(), other.build()
		few, other = alike(few, other)
		few.node = &plan.Adaptive{NodeInfo: *few.node.Info(), ID: id, Limit: limit, Left: left.node, Few: few.node, Many: other.node}
		return few
	}
	return &out
}

// alike gives two relations of the same rows the same columns in the same order.
func alike(a, b *rel) (*rel, *rel) {
	if len(a.cols) == len(b.cols) && len(a.node.Info().Columns) == len(b.node.Info().Columns) {
		same := true
		for k, i := range a.cols {
			j, ok := b.cols[k]
			same = same && ok && i == j
		}
		if same {
			return a, b
		}
	}
	var common []colKey
	for k := range a.cols {
		if _, ok := b.cols[k]; ok {
			common = append(common, k)
		}
	}
	slices.SortFunc(common, func(x, y colKey) int {
		if x.rel != y.rel {
			return x.rel - y.rel
		}
		return x.attr - y.attr
	})
	return pick(a, common), pick(b, common)
}

// pick puts a projection to some columns above a relation.
func pick(r *rel, cols []colKey) *rel {
	info := *r.node.Info()
	of := info.Columns
	info.Columns = nil
	n := &plan.Project{Input: r.node}
	out := &rel{rels: r.rels, cols: map[colKey]int{}}
	for i, k := range cols {
		c := of[r.cols[k]]
		info.Columns = append(info.Columns, c)
		n.Exprs = append(n.Exprs, &plan.Slot{Base: plan.Base{Typ: c.Type, Pos: -1}, Index: r.cols[k]})
		out.cols[k] = i
	}
	info.Width = widthOf(info.Columns)
	n.NodeInfo = info
	out.node = n
	return out
}
