package planner

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// subLink binds a subquery that stands in an expression.
func (s *scope) subLink(x *pg.SubLink) plan.Expr {
	b, pos := s.b, int(x.Location)
	if s.clause.subquery != "" {
		b.failf(pos, pgerr.FeatureNotSupported, "cannot use subquery in %s", s.clause.subquery)
	}
	s.q.HasSubLinks = true
	q := b.bindStatement(s, x.Subselect)
	out := &plan.SubLink{Base: boolBase(pos), Query: q}
	cols := visible(q.Targets)
	switch x.SubLinkType {
	case pg.SubLinkType_EXISTS_SUBLINK:
		out.Kind = plan.SubExists
	case pg.SubLinkType_EXPR_SUBLINK, pg.SubLinkType_ARRAY_SUBLINK:
		if len(cols) != 1 {
			b.failf(pos, pgerr.SyntaxError, "subquery must return only one column")
		}
		out.Kind = plan.SubScalar
		out.Typ = cols[0].Expr.ResultType()
		if x.SubLinkType == pg.SubLinkType_ARRAY_SUBLINK {
			out.Kind = plan.SubArray
			t := out.Typ.OID
			if b.elementType(t) == 0 {
				tt := b.env.Types.Type(t)
				if tt == nil || tt.Array == 0 {
					b.failf(pos, pgerr.UndefinedObject, "could not find array type for data type %s", b.typeName(t))
				}
				t = tt.Array
			}
			out.Typ = plan.Type{OID: t, Typmod: out.Typ.Typmod, Collation: out.Typ.Collation}
		}
	case pg.SubLinkType_ANY_SUBLINK, pg.SubLinkType_ALL_SUBLINK, pg.SubLinkType_ROWCOMPARE_SUBLINK:
		switch x.SubLinkType {
		case pg.SubLinkType_ANY_SUBLINK:
			out.Kind = plan.SubAny
		case pg.SubLinkType_ALL_SUBLINK:
			out.Kind = plan.SubAll
		default:
			out.Kind = plan.SubRow
		}
		out.Test = s.subTest(x, cols, pos)
	default:
		b.fail(pos, pgerr.Unsupported("this kind of subquery is not supported"))
	}
	return out
}

// subTest binds the comparison of left-hand values with a subquery's columns.
func (s *scope) subTest(x *pg.SubLink, cols []*plan.Target, pos int) plan.Expr {
	b := s.b
	name := names(x.OperName)
	if len(name) == 0 {
		name = []string{"="}
	}
	l := s.expr(x.Testexpr)
	left := []plan.Expr{l}
	if row, ok := l.(*plan.RowOf); ok {
		left = row.Args
	}
	switch {
	case len(left) < len(cols):
		b.failf(pos, pgerr.SyntaxError, "subquery has too many columns")
	case len(left) > len(cols):
		b.failf(pos, pgerr.SyntaxError, "subquery has too few columns")
	}
	right := make([]plan.Expr, len(cols))
	for i, c := range cols {
		right[i] = &plan.SubColumn{Base: plan.Base{Typ: c.Expr.ResultType(), Pos: -1}, Index: i}
	}
	return s.rowComparison(name, left, right, pos)
}

// visible returns the targets that are part of the result.
func visible(ts []*plan.Target) []*plan.Target {
	out := make([]*plan.Target, 0, len(ts))
	for _, t := range ts {
		if !t.Junk {
			out = append(out, t)
		}
	}
	return out
}

// outputOf returns what a query yields as columns.
func outputOf(q *plan.Query) []*plan.Target {
	if q.Command != plan.Select {
		return visible(q.Returning)
	}
	return visible(q.Targets)
}
