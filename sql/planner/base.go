package planner

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// baseItem plans one range-table entry as an item of the join tree.
func (l *level) baseItem(rel int) (*item, error) {
	r := l.q.Rels[rel]
	it := &item{rels: relOf(rel)}
	var err error
	switch r.Kind {
	case plan.RelTable:
		b := &baseRel{rel: rel, r: r, rows: l.tableRows(rel), bytes: 8192}
		if l.o.env.Statistics != nil && r.Table.Kind != catalog.KindVirtual {
			_, b.bytes = l.o.env.Statistics.Rows(r.Table)
		}
		it.base = b
		it.path, err = l.basePath(b)
	case plan.RelSubquery:
		it.group = l.subqueryGroup(rel, r)
		it.path, err = l.subqueryPath(rel, r)
	case plan.RelFunction:
		it.path = l.functionPath(rel, r)
	case plan.RelValues:
		it.path = l.valuesPath(rel, r)
	case plan.RelCTE:
		it.path = l.ctePath(rel, r)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range it.path.lateral {
		it.need = it.need.union(p.rels)
	}
	return it, nil
}

// fullLayout is the layout of a relation whose node yields its columns in order.
func fullLayout(index int, r *plan.Rel) *rel {
	out := &rel{rels: relOf(index), cols: map[colKey]int{}}
	for i := range r.Columns {
		out.cols[colKey{index, i}] = i
	}
	return out
}

func fullInfo(r *plan.Rel, p *path) plan.NodeInfo {
	info := plan.NodeInfo{Rows: p.rows, StartCost: p.start, TotalCost: p.total}
	for _, c := range r.Columns {
		info.Columns = append(info.Columns, plan.Column{Name: c.Name, Type: c.Type})
	}
	info.Width = widthOf(info.Columns)
	return info
}

// subqueryPath plans a subquery in FROM. What it uses of its siblings (LATERAL)
// becomes parameters that a join sets.
func (l *level) subqueryPath(index int, r *plan.Rel) (*path, error) {
	l.dropUnused(index, r.Query)
	sub, err := l.o.planQuery(r.Query, l)
	if err != nil {
		return nil, err
	}
	node := trimJunk(sub.rel, r.Query.Targets)
	info := node.Info()
	p := &path{rels: relOf(index), rows: info.Rows, start: info.StartCost, total: info.TotalCost}
	l.takeLateral(p, sub.level)
	p.build = func() *rel {
		out := fullLayout(index, r)
		out.node = node
		return out
	}
	return p, nil
}

// dropUnused replaces the columns of a subquery that nobody reads by NULL, so
// that nothing is computed for them (PostgreSQL's remove_unused_subquery_outputs).
// Columns that decide which rows there are, or whose computing has an effect, stay.
func (l *level) dropUnused(index int, q *plan.Query) {
	if l.used == nil || l.q.Command != plan.Select || l.q.SetOp != nil || q.Command != plan.Select || q.SetOp != nil || q.Distinct || q.DistinctOn != nil {
		return
	}
	sorted := map[int]bool{}
	for _, k := range q.OrderBy {
		sorted[k.Target] = true
	}
	for _, k := range q.GroupBy {
		sorted[k.Target] = true
	}
	for _, w := range q.Windows {
		for _, k := range append(append([]plan.SortKey(nil), w.PartitionBy...), w.OrderBy...) {
			sorted[k.Target] = true
		}
	}
	lateral := map[int]bool{} // read by siblings, which may be planned later
	for _, r := range l.q.Rels {
		if r.Query != nil {
			noteLateral(r.Query, 1, index, lateral)
		}
	}
	attr := -1
	for i, t := range q.Targets {
		if t.Junk {
			continue
		}
		attr++
		if _, plain := t.Expr.(*plan.Var); plain || l.used[index][attr] > 0 || lateral[attr] || sorted[i] || hasSet(t.Expr) || hasVolatile(t.Expr) {
			continue
		}
		n := *t
		n.Expr = nullConst(t.Expr.ResultType())
		q.Targets[i] = &n
	}
}

// noteLateral notes which columns of a relation of the level that is depth levels
// above q are read in q or below.
func noteLateral(q *plan.Query, depth, rel int, used map[int]bool) {
	plan.WalkQuery(q, func(e plan.Expr) bool {
		if v, ok := e.(*plan.Var); ok && v.Level == depth && v.Rel == rel {
			used[v.Attr] = true
		}
		return true
	}, func(sub *plan.Query) { noteLateral(sub, depth+1, rel, used) })
}

func hasVolatile(e plan.Expr) bool { return volatility(e) == 'v' }

// takeLateral sorts what a lower level uses into parameters from this level's
// relations and those from levels further out.
func (l *level) takeLateral(p *path, sub *level) {
	for _, ref := range sub.outer {
		l.noteUsed(ref.expr, 1)
		p.lateral = append(p.lateral, lateralParam{id: ref.id, expr: ref.expr, rels: relsOf(ref.expr)})
	}
	l.forwardOuter(p)
}

// forwardOuter handles parameters that no relation of this level can set: they
// belong to an enclosing level, which sets this level's own parameter of the
// same meaning; the two are made one.
func (l *level) forwardOuter(p *path) {
	keep := p.lateral[:0]
	for _, lp := range p.lateral {
		if !lp.rels.empty() {
			keep = append(keep, lp)
			continue
		}
		known := false
		for _, o := range l.outer {
			known = known || o.id == lp.id
		}
		if !known {
			l.outer = append(l.outer, outerRef{id: lp.id, expr: raise(lp.expr)})
		}
	}
	p.lateral = keep
}

// lateralExpr replaces columns of sibling relations by parameters.
func (l *level) lateralExpr(p *path, e plan.Expr) plan.Expr {
	return plan.Replace(e, func(x plan.Expr) plan.Expr {
		if isOuter(x) {
			return l.outerParam(raise(x))
		}
		v, ok := x.(*plan.Var)
		if !ok {
			return nil
		}
		for _, lp := range p.lateral {
			if plan.Same(lp.expr, v) {
				return &plan.Exec{Base: v.Base, ID: lp.id}
			}
		}
		id := l.o.newExec(v.Typ)
		l.noteUsed(v, 1)
		p.lateral = append(p.lateral, lateralParam{id: id, expr: v, rels: relOf(v.Rel)})
		return &plan.Exec{Base: v.Base, ID: id}
	})
}

func (l *level) functionPath(index int, r *plan.Rel) *path {
	p := &path{rels: relOf(index), rows: 1, start: costStart}
	var funcs []*plan.FuncRef
	for _, f := range r.Funcs {
		n := *f
		n.Expr = l.lateralExpr(p, f.Expr)
		if c, ok := f.Expr.(*plan.Call); ok && c.ReturnSet {
			p.rows = max(p.rows, float64(c.Func.Rows), 1)
			if c.Func.Rows == 0 {
				p.rows = max(p.rows, 1000)
			}
		}
		funcs = append(funcs, &n)
	}
	p.total = costStart + p.rows*costRow
	p.build = func() *rel {
		out := fullLayout(index, r)
		out.node = &plan.FunctionScan{NodeInfo: fullInfo(r, p), Alias: r.Alias, Funcs: funcs, Ordinality: r.Ordinality}
		return out
	}
	return p
}

func (l *level) valuesPath(index int, r *plan.Rel) *path {
	p := &path{rels: relOf(index), rows: float64(len(r.Values)), total: float64(len(r.Values)) * costRow}
	rows := make([][]plan.Expr, len(r.Values))
	for i, row := range r.Values {
		rows[i] = make([]plan.Expr, len(row))
		for j, e := range row {
			rows[i][j] = l.lateralExpr(p, e)
		}
	}
	p.build = func() *rel {
		out := fullLayout(index, r)
		out.node = &plan.Values{NodeInfo: fullInfo(r, p), Rows: rows}
		return out
	}
	return p
}
