package planner

import (
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// queryLevel is a query with those around it: what the Vars of one of its expressions refer to.
type queryLevel struct {
	q     *plan.Query
	outer *queryLevel
}

// up returns the level n queries further out; nil beyond the outermost.
func (l *queryLevel) up(n int) *queryLevel {
	for ; n > 0 && l != nil; n-- {
		l = l.outer
	}
	return l
}

// levels returns the query levels of a scope.
func (s *scope) levels() *queryLevel {
	if s == nil {
		return nil
	}
	return &queryLevel{q: s.q, outer: s.parent.levels()}
}

// rowColumns returns the columns of a composite value, nil when they are not known.
func (s *scope) rowColumns(e plan.Expr) []types.Attribute {
	return s.b.rowColumnsOf(e, s.levels())
}

// rowColumnsOf does the same for an expression of a query level. A value of type record tells nothing itself: the row
// constructor, function call or whole row that it comes from does, through any number of subqueries and CTEs.
func (b *binder) rowColumnsOf(e plan.Expr, at *queryLevel) []types.Attribute {
	t := e.ResultType()
	if t.OID != types.RecordOID {
		return b.attributes(t.OID)
	}
	switch x := e.(type) {
	case *plan.RowOf:
		var out []types.Attribute
		for i, a := range x.Args {
			t := a.ResultType()
			name := fieldName(i)
			if x.Names != nil {
				name = x.Names[i]
			}
			out = append(out, types.Attribute{Name: name, Type: t.OID, Typmod: t.Typmod, Collation: t.Collation})
		}
		return out
	case *plan.Call:
		names, typs := b.callColumns(x)
		var out []types.Attribute
		for i, n := range names {
			ct := b.plainType(b.outType(x, typs[i]))
			out = append(out, types.Attribute{Name: columnName(n, i), Type: ct.OID, Typmod: -1, Collation: ct.Collation})
		}
		return out
	case *plan.Var:
		return b.varColumnsOf(x, at.up(x.Level))
	case *plan.SubLink:
		if x.Kind == plan.SubScalar && x.Query != nil && len(x.Query.Targets) > 0 {
			return b.rowColumnsOf(x.Query.Targets[0].Expr, &queryLevel{q: x.Query, outer: at})
		}
	}
	return nil
}

// varColumnsOf is rowColumnsOf for a Var of the query at a level.
func (b *binder) varColumnsOf(v *plan.Var, at *queryLevel) []types.Attribute {
	if at == nil || v.Rel >= len(at.q.Rels) {
		return nil
	}
	r := at.q.Rels[v.Rel]
	if v.Attr == plan.AttrWholeRow {
		var out []types.Attribute
		for _, c := range r.Columns {
			out = append(out, types.Attribute{Name: c.Name, Type: c.Type.OID, Typmod: c.Type.Typmod, Collation: c.Type.Collation, Dropped: c.Dropped})
		}
		return out
	}
	q := r.Query
	switch r.Kind {
	case plan.RelSubquery:
	case plan.RelCTE:
		at = at.up(r.CTELevel)
		if at == nil || r.WorkTable || r.CTEIndex >= len(at.q.CTEs) {
			return nil
		}
		q = at.q.CTEs[r.CTEIndex].Query
	default:
		return nil
	}
	if q == nil {
		return nil
	}
	targets := q.Targets
	if q.Command != plan.Select {
		targets = q.Returning
	}
	if v.Attr < 0 || v.Attr >= len(targets) {
		return nil
	}
	return b.rowColumnsOf(targets[v.Attr].Expr, &queryLevel{q: q, outer: at})
}
