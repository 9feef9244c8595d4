package planner

import (
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// item is a part of the join tree that may be joined in any order, as long as
// the relations it needs come first: an inner join's side, or the right side
// of a left, semi or anti join (whose left side are the items before it).
type item struct {
	kind  plan.JoinKind
	rels  relSet
	need  relSet // relations that must be joined before this one
	on    []plan.Expr
	path  *path
	base  *baseRel // not nil for a plain table: look-ups per outer row are possible
	group *group   // not nil where several tables can be asked per outer row
}

// qual is a condition that is applied as soon as its relations are joined.
type qual struct {
	expr plan.Expr
	rels relSet
}

// path is a way to compute a relation, with its cost; build makes its nodes.
type path struct {
	rels    relSet
	rows    float64
	start   float64
	total   float64
	lateral []lateralParam
	order   []orderKey
	fixed   []plan.Expr // what has one value in all rows, by an equality that the path answers
	build   func() *rel
}

// lateralParam is an executor parameter that the left side of some join above must set.
type lateralParam struct {
	id   int
	expr plan.Expr
	rels relSet
}

// orderKey says that rows come ordered by a column or expression.
type orderKey struct {
	expr plan.Expr // without relabels
	coll OID
	desc bool
	// nullsFirst is meaningless when the column cannot be NULL.
	nullsFirst, notNull bool
}

// planFrom plans FROM and WHERE: all items joined, all conditions applied.
func (l *level) planFrom() (*path, error) {
	items, quals, err := l.flatten(l.q.From)
	if err != nil {
		return nil, err
	}
	for _, c := range conjuncts(l.q.Where) {
		quals = append(quals, qual{c, relsOf(c)})
	}
	return l.planGroup(items, quals)
}

// planGroup plans items under the conditions quals.
func (l *level) planGroup(items []*item, quals []qual) (*path, error) {
	var constant []plan.Expr
	var rest, last []qual
	for _, q := range quals {
		switch {
		case !q.rels.empty():
			rest = append(rest, q)
		case volatility(q.expr) == 'v':
			last = append(last, q)
		default:
			constant = append(constant, q.expr)
		}
	}
	p, err := l.joinItems(items, rest)
	if err != nil {
		return nil, err
	}
	return l.gate(l.filterPath(p, last), constant), nil
}

// gate puts a condition without columns above a path; where it is plainly
// false nothing below is run.
func (l *level) gate(p *path, conds []plan.Expr) *path {
	conds = slices.DeleteFunc(slices.Clone(conds), func(c plan.Expr) bool { constant, isTrue := truth(c); return constant && isTrue })
	if len(conds) == 0 {
		return p
	}
	out := *p
	never := slices.ContainsFunc(conds, isNever)
	build := p.build
	out.build = func() *rel {
		r := build()
		info := *r.node.Info()
		if never {
			info.Rows, info.StartCost, info.TotalCost = 0, 0, 0
			n := &plan.Result{NodeInfo: info, Filter: boolConst(false, -1)}
			for _, c := range info.Columns {
				n.Exprs = append(n.Exprs, nullConst(c.Type))
			}
			return &rel{node: n, rels: r.rels, cols: r.cols, exprs: r.exprs}
		}
		n := &plan.Filter{NodeInfo: info, Input: r.node, Cond: l.lower(conjunction(conds)), Once: true}
		return &rel{node: n, rels: r.rels, cols: r.cols, exprs: r.exprs}
	}
	if never {
		out.rows, out.start, out.total = 1, 0, 0
	}
	return &out
}

// truth reports whether a condition is a constant, and whether it is true rather than false or NULL.
func truth(e plan.Expr) (constant, isTrue bool) {
	k, ok := e.(*plan.Const)
	return ok && !k.Free, ok && !k.Value.Null && k.Value.Bool()
}

// isNever reports whether a condition is plainly false or NULL.
func isNever(e plan.Expr) bool {
	constant, isTrue := truth(e)
	return constant && !isTrue
}

// flatten cuts join-tree items apart.
func (l *level) flatten(from []plan.FromItem) (items []*item, quals []qual, err error) {
	for _, it := range from {
		is, qs, err := l.flattenItem(it)
		if err != nil {
			return nil, nil, err
		}
		items, quals = append(items, is...), append(quals, qs...)
	}
	return items, quals, nil
}

func (l *level) flattenItem(it plan.FromItem) ([]*item, []qual, error) {
	switch x := it.(type) {
	case *plan.RelRef:
		if l.q.Rels[x.Rel].Kind == plan.RelResult {
			return nil, nil, nil
		}
		i, err := l.baseItem(x.Rel)
		if err != nil {
			return nil, nil, err
		}
		return []*item{i}, nil, nil
	case *plan.Join:
		switch x.Kind {
		case plan.InnerJoin:
			items, quals, err := l.flatten([]plan.FromItem{x.Left, x.Right})
			for _, c := range conjuncts(x.On) {
				quals = append(quals, qual{c, relsOf(c)})
			}
			return items, quals, err
		case plan.FullJoin:
			i, err := l.fullItem(x)
			return []*item{i}, nil, err
		case plan.RightJoin:
			return l.dependentItems(plan.LeftJoin, x.Right, x.Left, x.On)
		}
		return l.dependentItems(x.Kind, x.Left, x.Right, x.On)
	}
	panic("planner: unknown join-tree item")
}

// dependentItems flattens left and makes right one item that follows it.
func (l *level) dependentItems(kind plan.JoinKind, left, right plan.FromItem, on plan.Expr) ([]*item, []qual, error) {
	items, quals, err := l.flattenItem(left)
	if err != nil {
		return nil, nil, err
	}
	if len(items) == 0 { // a left side of one empty row
		items = append(items, l.resultItem(left))
	}
	inner, innerQuals, err := l.flattenItem(right)
	if err != nil {
		return nil, nil, err
	}
	rels := itemRels(right)
	dep := &item{kind: kind, rels: rels}
	// Conditions of the right side that speak of the left belong to the join.
	within := innerQuals[:0]
	for _, q := range innerQuals {
		if rels.contains(q.rels) {
			within = append(within, q)
			continue
		}
		dep.on = append(dep.on, q.expr)
		dep.need = dep.need.union(q.rels.minus(rels))
	}
	innerQuals = within
	never := false
	var innerOn []qual
	for _, c := range conjuncts(on) {
		if constant, isTrue := truth(c); constant {
			never = never || !isTrue
			continue
		}
		q := qual{c, relsOf(c)}
		if !q.rels.empty() && rels.contains(q.rels) && volatility(c) != 'v' && kind != plan.AntiNullJoin {
			innerOn = append(innerOn, q)
			continue
		}
		dep.on = append(dep.on, c)
		dep.need = dep.need.union(q.rels.minus(rels))
	}
	innerQuals = append(innerQuals, innerOn...)
	if len(inner) == 0 {
		inner = append(inner, l.resultItem(right))
	}
	if len(inner) == 1 && inner[0].kind == plan.InnerJoin {
		dep.base = inner[0].base
		if dep.base != nil {
			dep.base.addQuals(innerQuals)
			innerQuals = nil
			dep.path, err = l.basePath(dep.base)
		} else {
			dep.path, err = l.planGroup(inner, innerQuals)
		}
	} else {
		dep.path, err = l.planGroup(inner, innerQuals)
	}
	if err != nil {
		return nil, nil, err
	}
	if never { // no right row will ever match: none is read
		dep.base, dep.path = nil, l.gate(dep.path, []plan.Expr{boolConst(false, -1)})
	} else if len(inner) == 1 && inner[0].group != nil && len(innerQuals) == 0 && kind != plan.AntiNullJoin {
		dep.group = inner[0].group
	} else if dep.base == nil {
		dep.group = l.tableGroup(kind, right, innerOn)
	}
	for _, p := range dep.path.lateral {
		dep.need = dep.need.union(p.rels)
	}
	// A condition or reference on the left side puts it before; where there is none, all of it comes first.
	var before relSet
	for _, i := range items {
		before = before.union(i.rels)
	}
	if !dep.need.overlaps(before) {
		dep.need = dep.need.union(before)
	}
	return append(items, dep), quals, nil
}

// resultItem is an item of one row without columns.
func (l *level) resultItem(it plan.FromItem) *item {
	rels := itemRels(it)
	return &item{rels: rels, path: resultPath(rels)}
}

func resultPath(rels relSet) *path {
	return &path{rels: rels, rows: 1, total: costRow, build: func() *rel {
		return &rel{node: &plan.Result{NodeInfo: plan.NodeInfo{Rows: 1, TotalCost: costRow}}, rels: rels, cols: map[colKey]int{}}
	}}
}

func nullConst(t plan.Type) *plan.Const {
	c := &plan.Const{Base: plan.Base{Typ: t, Pos: -1}}
	c.Value.Null = true
	return c
}
