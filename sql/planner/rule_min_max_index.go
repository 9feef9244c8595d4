package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// minMaxIndex turns SELECT min(x), max(y) FROM t WHERE … into subqueries that read
// one row each, (SELECT x FROM t WHERE … AND x IS NOT NULL ORDER BY x LIMIT 1),
// where an index or the storage key has every x in order (PostgreSQL's
// preprocess_minmax_aggregates).
func minMaxIndex(l *level) (bool, error) {
	q := l.q
	if q.Command != plan.Select || !q.HasAggs || len(q.GroupBy) > 0 || q.Sets != nil || q.HasWindows || q.HasSRF ||
		q.Distinct || q.DistinctOn != nil || len(q.OrderBy) > 0 || len(q.Locks) > 0 || q.SetOp != nil || len(q.From) != 1 {
		return false, nil
	}
	ref, ok := q.From[0].(*plan.RelRef)
	if !ok {
		return false, nil
	}
	r := q.Rels[ref.Rel]
	if r.Kind != plan.RelTable || r.Table.Kind == catalog.KindVirtual || r.TableSample != nil || q.Where != nil && hasSubLink(q.Where) {
		return false, nil
	}
	aggs := l.extremes(ref.Rel)
	if len(aggs) == 0 {
		return false, nil
	}
	for _, a := range aggs {
		if !l.extremeByKey(ref.Rel, r, a) {
			return false, nil
		}
	}
	replace := func(e plan.Expr) plan.Expr {
		return plan.Replace(e, func(x plan.Expr) plan.Expr {
			if a, ok := x.(*plan.Agg); ok && a.Level == 0 {
				return l.firstOf(ref.Rel, r, a)
			}
			return nil
		})
	}
	for _, t := range q.Targets {
		t.Expr = replace(t.Expr)
	}
	having := q.Having
	if having != nil {
		having = replace(having)
	}
	q.Where, q.Having, q.From = having, nil, nil
	q.HasAggs, q.GroupAll, q.HasSubLinks = false, false, true
	return true, nil
}

// extremes lists the aggregates of a level if all of them are min and max of
// something that the table at range-table entry rel has, and nothing else is read.
func (l *level) extremes(rel int) []*plan.Agg {
	var out []*plan.Agg
	fits := true
	visit := func(e plan.Expr) {
		plan.Walk(e, func(x plan.Expr) bool {
			switch v := x.(type) {
			case *plan.Agg:
				if v.Level == 0 {
					fits = fits && isExtreme(v)
					out = append(out, v)
					return false
				}
			case *plan.SubLink:
				fits = false
			case *plan.Var:
				fits = fits && v.Level > 0
			}
			return fits
		})
	}
	for _, t := range l.q.Targets {
		visit(t.Expr)
	}
	if l.q.Having != nil {
		visit(l.q.Having)
	}
	if !fits {
		return nil
	}
	return out
}

func isExtreme(a *plan.Agg) bool {
	return a.Func.OID < catalog.FirstUserOID && (a.Func.Name == "min" || a.Func.Name == "max") && len(a.Args) == 1 &&
		a.Filter == nil && len(a.OrderBy) == 0 && len(conjunctsVars(a.Args[0])) > 0 && !hasVolatile(a.Args[0]) && !hasSubLink(a.Args[0])
}

// extremeByKey reports whether reading the first row by a key is the cheaper way
// to an extreme: rows that the key does not answer for may have to be passed.
func (l *level) extremeByKey(rel int, r *plan.Rel, a *plan.Agg) bool {
	b := &baseRel{rel: rel, r: r, rows: l.tableRows(rel), bytes: pageBytes}
	for _, c := range append(conjuncts(l.q.Where), notNull(r, a.Args[0])...) {
		b.quals = append(b.quals, qual{c, relsOf(c)})
	}
	if _, ok := l.firstKey(a); !ok {
		return false
	}
	scan := b.rows * costRow
	for _, k := range l.accessKeys(b) {
		if k.index != nil && l.o.env.Settings.ruleOff("index_scan") || k.index == nil && l.o.env.Settings.ruleOff("key_scan") {
			continue
		}
		m := l.match(b, k)
		at := len(m.equal)
		if m.array != nil || at >= len(k.cols) || !k.cols[at].is(a.Args[0], rel) ||
			!sameCollation(a.Args[0].ResultType().Collation, k.cols[at].coll) {
			continue
		}
		if c := k.cols[at]; !c.notNull && c.nullsFirst != c.desc { // NULLs lie where the subquery's order has none
			continue
		}
		_, sel := l.filterSel(b, &m)
		if sel > 0 && costLookup*2/sel < scan+costLookup*2 {
			return true
		}
	}
	return false
}

// notNull is the condition that an expression is not NULL; none where it cannot be.
func notNull(r *plan.Rel, e plan.Expr) []plan.Expr {
	if v, ok := stripRelabel(e).(*plan.Var); ok && v.Attr >= 0 && v.Attr < len(r.Table.Columns) && r.Table.Columns[v.Attr].NotNull {
		return nil
	}
	return []plan.Expr{&plan.NullTest{Base: plan.Base{Typ: boolType, Pos: -1}, Arg: e, Not: true}}
}

// firstKey is the order in which an extreme comes first.
func (l *level) firstKey(a *plan.Agg) (plan.SortKey, bool) {
	x := a.Args[0]
	typ := x.ResultType()
	desc := a.Func.Name == "max"
	k := plan.SortKey{Expr: x, Desc: desc, NullsFirst: desc, Collation: typ.Collation}
	family := l.btreeFamily(typ.OID)
	less := functions.FamilyOperator(family, typ.OID, typ.OID, functions.StrategyLess)
	equal := functions.FamilyOperator(family, typ.OID, typ.OID, functions.StrategyEqual)
	if less == nil || equal == nil {
		return k, false
	}
	k.Less, k.Equal = less.Code, equal.Code
	return k, true
}

// firstOf builds the subquery for one aggregate.
func (l *level) firstOf(rel int, r *plan.Rel, a *plan.Agg) plan.Expr {
	table := *r
	sub := &plan.Query{Command: plan.Select, Text: l.q.Text, Rels: []*plan.Rel{&table}, From: []plan.FromItem{&plan.RelRef{Rel: 0}}}
	inner := func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			v, ok := x.(*plan.Var)
			if !ok {
				return x
			}
			n := *v
			if v.Level > 0 {
				n.Level++
			} else {
				n.Rel = 0
			}
			return &n
		})
	}
	var conds []plan.Expr
	for _, c := range append(conjuncts(l.q.Where), notNull(r, a.Args[0])...) {
		conds = append(conds, inner(c))
	}
	sub.Where = conjunction(conds)
	key, _ := l.firstKey(a)
	key.Expr = inner(key.Expr)
	sub.OrderBy = []plan.SortKey{key}
	sub.Targets = []*plan.Target{{Expr: key.Expr, Name: a.Func.Name}}
	sub.Limit = &plan.Const{Base: plan.Base{Typ: plan.Type{OID: types.Int8OID, Typmod: -1}, Pos: -1}, Value: column.IntDatum(1)}
	link := &plan.SubLink{Base: plan.Base{Typ: key.Expr.ResultType(), Pos: -1}, Kind: plan.SubScalar, Query: sub}
	if link.Typ.OID == a.Typ.OID {
		return link
	}
	return &plan.Relabel{Base: a.Base, Arg: link, Cast: plan.CastImplicit}
}
