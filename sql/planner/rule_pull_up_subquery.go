package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// pullUpSubqueries merges simple subqueries in FROM (views among them) into the
// query: their tables join freely with the others, and conditions reach them.
func pullUpSubqueries(l *level) (bool, error) {
	changed := false
	for i, it := range l.q.From {
		l.q.From[i] = pullUpItem(l.q, it, pullPlace{}, &changed)
	}
	return changed, nil
}

// pullPlace is where in the join tree a subquery stands.
type pullPlace struct {
	nullable bool // an outer join above may replace its columns by NULLs, so that only plain columns may be substituted
	depth    int  // joins above that evaluate it as a side of their own
	// inside are the relations of the innermost such side. From there a WHERE condition can still move to the join's own
	// condition, but not past a second join, and conditions of outer joins cannot move at all.
	inside relSet
	joins  []*plan.Join // the joins above that are not inner ones: what their conditions refer to must be below them
}

// side is the place of one side of a join.
func (p pullPlace) side(it plan.FromItem, nullable, apart, movable bool) pullPlace {
	p.nullable = p.nullable || nullable
	if apart {
		p.inside = itemRels(it)
		if p.depth++; !movable {
			p.depth++
		}
	}
	return p
}

// accepts reports whether the conditions of a subquery may stand at this place as conditions of the query.
func (p pullPlace) accepts(sub *plan.Query) bool {
	if p.depth > 1 && !p.inside.contains(siblingsUsed(sub.Where)) {
		return false
	}
	return p.acceptsJoins(sub.From, p.depth)
}

// acceptsTargets reports whether what the columns of a subquery stand for may take their place in the joins above it.
func (p pullPlace) acceptsTargets(sub *plan.Query, rel int) bool {
	if len(p.joins) == 0 {
		return true
	}
	var used relSet
	for _, t := range visibleTargets(sub.Targets) {
		used = used.union(siblingsUsed(t.Expr))
	}
	if used.empty() {
		return true
	}
	for _, j := range p.joins {
		if !itemRels(j).contains(used) && relsOf(j.On).contains(relOf(rel)) {
			return false
		}
	}
	return true
}

func (p pullPlace) acceptsJoins(items []plan.FromItem, depth int) bool {
	for _, it := range items {
		j, ok := it.(*plan.Join)
		if !ok {
			continue
		}
		left, right, most := depth, depth, 0 // most: the depth at which the condition can still use what stands further left
		switch j.Kind {
		case plan.InnerJoin:
			most = 1
		case plan.RightJoin:
			left++
		case plan.FullJoin:
			left, right, most = depth+2, depth+2, -1
		default:
			right++
		}
		if depth > most {
			if used := siblingsUsed(j.On); p.depth == 0 && !used.empty() || !p.inside.contains(used) {
				return false
			}
		}
		if !p.acceptsJoins([]plan.FromItem{j.Left}, left) || !p.acceptsJoins([]plan.FromItem{j.Right}, right) {
			return false
		}
	}
	return true
}

// siblingsUsed returns the relations of the level above that an expression of a subquery refers to.
func siblingsUsed(e plan.Expr) relSet {
	var out relSet
	note := func(e plan.Expr, depth int) {
		if v, ok := e.(*plan.Var); ok && v.Level == depth {
			out = out.union(relOf(v.Rel))
		}
	}
	var query func(q *plan.Query, depth int)
	query = func(q *plan.Query, depth int) {
		plan.WalkQuery(q, func(e plan.Expr) bool { note(e, depth); return true }, func(sub *plan.Query) { query(sub, depth+1) })
	}
	plan.Walk(e, func(e plan.Expr) bool {
		note(e, 1)
		if s, ok := e.(*plan.SubLink); ok {
			query(s.Query, 2)
		}
		return true
	})
	return out
}

// pullUpItem handles one item.
func pullUpItem(q *plan.Query, it plan.FromItem, at pullPlace, changed *bool) plan.FromItem {
	switch x := it.(type) {
	case *plan.Join:
		if x.Kind != plan.InnerJoin {
			at.joins = append(slices.Clip(at.joins), x)
		}
		left, right := at, at
		switch x.Kind {
		case plan.LeftJoin:
			right = at.side(x.Right, true, true, true)
		case plan.RightJoin:
			left = at.side(x.Left, true, true, true)
		case plan.FullJoin:
			left, right = at.side(x.Left, true, true, false), at.side(x.Right, true, true, false)
		case plan.SemiJoin, plan.AntiJoin:
			right = at.side(x.Right, false, true, true)
		case plan.AntiNullJoin:
			right = at.side(x.Right, false, true, false)
		}
		x.Left = pullUpItem(q, x.Left, left, changed)
		x.Right = pullUpItem(q, x.Right, right, changed)
	case *plan.RelRef:
		r := q.Rels[x.Rel]
		if r.Kind != plan.RelSubquery || r.Barrier || !canPullUp(q, x.Rel, at.nullable) || !at.accepts(r.Query) || !at.acceptsTargets(r.Query, x.Rel) {
			return it
		}
		*changed = true
		return pullUp(q, x.Rel)
	}
	return it
}

func canPullUp(q *plan.Query, rel int, nullable bool) bool {
	r := q.Rels[rel]
	sub := r.Query
	if len(sub.OrderBy) > 0 {
		return false // readers count on the order: array_agg over a sorted subquery, a view that sorts
	}
	// One without tables is an expression, which is only evaluated again with a row's new version if it is one.
	if !isPlain(sub) || len(sub.From) == 0 && (!locksRows(q) || nullable) || len(q.Rels)+len(sub.Rels) > maxRels || q.SetOp != nil || sub.HasModifyingCTE {
		return false
	}
	for _, l := range q.Locks {
		if l.Rel == rel { // FOR UPDATE of a subquery locks what it is made of
			return false
		}
	}
	for _, inner := range sub.Rels {
		if s := inner.TableSample; s != nil && slices.ContainsFunc(s.Args, looksOutside) {
			return false // a scan reads no columns of other relations
		}
	}
	if nullable && readsWholeRow(q, rel) {
		return false // it is NULL where the outer join found no partner
	}
	if nullable && conditionsLookOutside(sub) {
		return false // the conditions would stand below the join that has the other side's columns
	}
	for _, t := range visibleTargets(sub.Targets) {
		// A grouping set replaces its column by NULL, and must not find the constant behind it elsewhere.
		if nullable || q.Sets != nil {
			if v, ok := t.Expr.(*plan.Var); !ok || v.Level != 0 {
				return false
			}
		}
		if volatility(t.Expr) == 'v' || hasSubLink(t.Expr) && referencesMoreThanOnce(q, rel) {
			return false
		}
	}
	return true
}

// readsWholeRow reports whether a query refers to a whole row of one of its relations.
func readsWholeRow(q *plan.Query, rel int) bool {
	found := false
	var walk func(q *plan.Query, depth int)
	walk = func(q *plan.Query, depth int) {
		plan.WalkQuery(q, func(e plan.Expr) bool {
			v, ok := e.(*plan.Var)
			found = found || ok && v.Level == depth && v.Rel == rel && v.Attr == plan.AttrWholeRow
			return !found
		}, func(sub *plan.Query) { walk(sub, depth+1) })
	}
	walk(q, 0)
	return found
}

// looksOutside reports whether an expression of a query refers to a level around it.
func looksOutside(e plan.Expr) bool {
	return e != nil && newLevelScan().outside(e)
}

// conditionsLookOutside does so for WHERE and the join conditions of a query.
func conditionsLookOutside(q *plan.Query) bool {
	if looksOutside(q.Where) {
		return true
	}
	found := false
	var walk func(plan.FromItem)
	walk = func(it plan.FromItem) {
		if j, ok := it.(*plan.Join); ok {
			found = found || looksOutside(j.On)
			walk(j.Left)
			walk(j.Right)
		}
	}
	for _, it := range q.From {
		walk(it)
	}
	return found
}

// referencesMoreThanOnce reports whether a relation's columns are used often
// enough that a costly definition would be computed again and again.
func referencesMoreThanOnce(q *plan.Query, rel int) bool {
	n := 0
	plan.WalkQuery(q, func(e plan.Expr) bool {
		if v, ok := e.(*plan.Var); ok && v.Rel == rel {
			n++
		}
		return true
	}, func(*plan.Query) { n++ })
	return n > 1
}

// pullUp merges Rels[rel] and returns the item that takes its place.
func pullUp(q *plan.Query, rel int) plan.FromItem {
	sub := q.Rels[rel].Query
	security := q.Rels[rel].Security
	mergeRels(q, sub)
	if security != 0 {
		for _, r := range sub.Rels {
			if r.Security == 0 {
				r.Security = security
			}
		}
	}
	var defs []plan.Expr
	for _, t := range visibleTargets(sub.Targets) {
		defs = append(defs, t.Expr)
	}
	var names []string
	for _, c := range q.Rels[rel].Columns {
		names = append(names, c.Name)
	}
	q.Rels[rel] = &plan.Rel{Kind: plan.RelResult, Alias: q.Rels[rel].Alias, FromView: q.Rels[rel].FromView}
	substitute(q, rel, defs, names)
	if len(sub.From) == 0 {
		sub.From = []plan.FromItem{&plan.RelRef{Rel: rel}}
	}
	item := sub.From[0]
	for _, it := range sub.From[1:] {
		item = &plan.Join{Kind: plan.InnerJoin, Left: item, Right: it}
	}
	if sub.Where != nil {
		item = addCondition(q, item, sub.Where)
	}
	return item
}

// addCondition attaches a WHERE condition to a join-tree item.
func addCondition(q *plan.Query, item plan.FromItem, cond plan.Expr) plan.FromItem {
	if j, ok := item.(*plan.Join); ok && j.Kind == plan.InnerJoin {
		j.On = conjunction(append(conjuncts(j.On), conjuncts(cond)...))
		return j
	}
	q.Rels = append(q.Rels, &plan.Rel{Kind: plan.RelResult})
	return &plan.Join{Kind: plan.InnerJoin, Left: item, Right: &plan.RelRef{Rel: len(q.Rels) - 1}, On: cond}
}
