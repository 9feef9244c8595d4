package planner

import (
	"github.com/omendb/omendb/sql/plan"
)

// expandWholeRows replaces references to whole rows by row constructors over
// the columns. Where an outer join may have put NULLs in the row's place, the
// value is NULL rather than a row of NULLs.
func (l *level) expandWholeRows() {
	expand := func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			v, ok := x.(*plan.Var)
			if !ok || v.Attr != plan.AttrWholeRow {
				return x
			}
			return l.wholeRow(v)
		})
	}
	plan.MapQuery(l.q, expand)
}

func (l *level) wholeRow(v *plan.Var) plan.Expr {
	home := l
	for range v.Level {
		home = home.parent
	}
	r := home.q.Rels[v.Rel]
	row := &plan.RowOf{Base: v.Base}
	for i, c := range r.Columns[:len(r.Columns)-r.Hidden] {
		row.Names = append(row.Names, c.Name)
		if c.Dropped {
			row.Args = append(row.Args, nullConst(c.Type))
			continue
		}
		row.Args = append(row.Args, &plan.Var{Base: plan.Base{Typ: c.Type, Pos: v.Pos}, Level: v.Level, Rel: v.Rel, Attr: i})
	}
	if !nullableRels(home.q.From).has(v.Rel) {
		return row
	}
	var missing plan.Expr = &plan.NullTest{Base: plan.Base{Typ: boolType, Pos: -1}, Arg: row, RowWise: true}
	if r.Kind == plan.RelTable {
		key := &plan.Var{Base: plan.Base{Typ: attrColumn(r, plan.AttrKey).Type, Pos: -1}, Level: v.Level, Rel: v.Rel, Attr: plan.AttrKey}
		missing = &plan.NullTest{Base: plan.Base{Typ: boolType, Pos: -1}, Arg: key}
	}
	return &plan.Case{Base: v.Base, When: []plan.When{{Cond: missing, Result: nullConst(v.Typ)}}, Else: row}
}

// nullableRels returns the relations that an outer join may replace by NULLs.
func nullableRels(items []plan.FromItem) (s relSet) {
	for _, it := range items {
		j, ok := it.(*plan.Join)
		if !ok {
			continue
		}
		switch j.Kind {
		case plan.LeftJoin:
			s = s.union(itemRels(j.Right))
		case plan.RightJoin:
			s = s.union(itemRels(j.Left))
		case plan.FullJoin:
			s = s.union(itemRels(j))
		}
		s = s.union(nullableRels([]plan.FromItem{j.Left, j.Right}))
	}
	return s
}
