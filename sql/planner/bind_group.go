package planner

import (
	"slices"
	"sort"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

const (
	maxCube         = 12
	maxGroupingSets = 4096
)

// group binds GROUP BY.
func (s *scope) group(x *pg.SelectStmt) {
	q := s.q
	if len(x.GroupClause) == 0 {
		return
	}
	sets := [][]int{{}}
	explicit := false
	var shape []plan.GroupShape
	for _, n := range x.GroupClause {
		elem, written := s.groupElement(n, &explicit)
		shape = append(shape, written)
		if len(sets)*len(elem) > maxGroupingSets {
			s.b.failf(-1, pgerr.StatementTooComplex, "too many grouping sets present (maximum %d)", maxGroupingSets)
		}
		var next [][]int
		for _, a := range sets {
			for _, c := range elem {
				next = append(next, union(a, c))
			}
		}
		sets = next
	}
	if !explicit {
		return
	}
	q.GroupShape, q.GroupDistinct = shape, x.GroupDistinct
	sort.SliceStable(sets, func(i, j int) bool { return len(sets[i]) < len(sets[j]) })
	if x.GroupDistinct {
		sets = dedupe(sets)
	}
	if len(q.GroupBy) == 0 && len(sets) == 1 {
		q.GroupAll = true
		return
	}
	q.Sets = sets
}

func union(a, b []int) []int {
	out := append([]int(nil), a...)
	for _, x := range b {
		dup := false
		for _, y := range out {
			dup = dup || x == y
		}
		if !dup {
			out = append(out, x)
		}
	}
	return out
}

func dedupe(sets [][]int) [][]int {
	var out [][]int
	for _, a := range sets {
		dup := false
		for _, b := range out {
			dup = dup || len(a) == len(b) && len(union(a, b)) == len(a)
		}
		if !dup {
			out = append(out, a)
		}
	}
	return out
}

// groupElement binds one element of GROUP BY and returns the grouping sets that it means, and how it was written.
func (s *scope) groupElement(n *pg.Node, explicit *bool) ([][]int, plan.GroupShape) {
	gs := n.GetGroupingSet()
	if gs == nil {
		unit := s.groupUnit(n)
		return [][]int{unit}, plan.GroupShape{Keys: unit}
	}
	*explicit = true
	switch gs.Kind {
	case pg.GroupingSetKind_GROUPING_SET_SETS:
		shape := plan.GroupShape{Kind: plan.GroupSets}
		var out [][]int
		for _, c := range gs.Content {
			sets, written := s.groupElement(c, explicit)
			out, shape.Content = append(out, sets...), append(shape.Content, written)
		}
		return out, shape
	case pg.GroupingSetKind_GROUPING_SET_ROLLUP, pg.GroupingSetKind_GROUPING_SET_CUBE:
		return s.groupUnits(gs)
	case pg.GroupingSetKind_GROUPING_SET_SIMPLE:
		var set []int
		for _, c := range gs.Content {
			set = union(set, s.groupUnit(c))
		}
		return [][]int{set}, plan.GroupShape{Keys: set}
	}
	return [][]int{{}}, plan.GroupShape{Kind: plan.GroupEmpty}
}

// groupUnits binds ROLLUP and CUBE.
func (s *scope) groupUnits(gs *pg.GroupingSet) ([][]int, plan.GroupShape) {
	shape := plan.GroupShape{Kind: plan.GroupRollup}
	var units [][]int
	for _, c := range gs.Content {
		unit := s.groupUnit(c)
		units, shape.Content = append(units, unit), append(shape.Content, plan.GroupShape{Keys: unit})
	}
	if gs.Kind == pg.GroupingSetKind_GROUPING_SET_CUBE {
		shape.Kind = plan.GroupCube
		return s.cube(units, int(gs.Location)), shape
	}
	out := make([][]int, 0, len(units)+1)
	for k := len(units); k >= 0; k-- {
		var set []int
		for _, u := range units[:k] {
			set = union(set, u)
		}
		out = append(out, set)
	}
	return out, shape
}

func (s *scope) cube(units [][]int, pos int) [][]int {
	if len(units) > maxCube {
		s.b.failf(pos, pgerr.TooManyColumns, "CUBE is limited to %d elements", maxCube)
	}
	var out [][]int
	for mask := (1 << len(units)) - 1; mask >= 0; mask-- {
		var set []int
		for i, u := range units {
			if mask&(1<<(len(units)-1-i)) != 0 {
				set = union(set, u)
			}
		}
		out = append(out, set)
	}
	return out
}

// groupUnit binds an expression, or a parenthesised list of them.
func (s *scope) groupUnit(n *pg.Node) []int {
	if row := n.GetRowExpr(); row != nil && row.RowFormat == pg.CoercionForm_COERCE_IMPLICIT_CAST {
		var out []int
		for _, a := range row.Args {
			out = union(out, s.groupUnit(a))
		}
		return out
	}
	b, q := s.b, s.q
	i := within(s, inGroupBy, func() int { return s.findTarget92(n, "GROUP BY", inGroupBy) })
	for g, have := range q.GroupBy {
		if have.Target == i {
			return []int{g}
		}
	}
	t := q.Targets[i]
	s.checkGrouped(t.Expr)
	t.Expr = b.resolveUnknown(s, t.Expr)
	unfree(t.Expr)
	typ := t.Expr.ResultType().OID
	// Share the direction of ORDER BY, so that one sort serves both.
	for _, k := range q.OrderBy {
		if k.Target == i {
			q.GroupBy = append(q.GroupBy, k)
			return []int{len(q.GroupBy) - 1}
		}
	}
	k := plan.SortKey{Expr: t.Expr, Target: i, Collation: t.Expr.ResultType().Collation}
	eq := functions.EqualityOp(b.env.Types, typ)
	if eq == nil {
		b.failf(location(t.Expr), pgerr.UndefinedFunction, "could not identify an equality operator for type %s", b.typeName(typ))
	}
	k.Equal = eq.Code
	if less := functions.LessOp(b.env.Types, typ); less != nil {
		k.Less = less.Code
	}
	q.GroupBy = append(q.GroupBy, k)
	return []int{len(q.GroupBy) - 1}
}

// checkGrouped refuses a target that cannot be grouped by, which a name or a number may lead to.
func (s *scope) checkGrouped(e plan.Expr) {
	in := newLevelScan()
	in.expr(e, 0)
	if in.aggs == 0 {
		at := e
		if in.agg != nil {
			at = in.agg
		}
		s.b.failf(location(at), pgerr.GroupingError, "aggregate functions are not allowed in GROUP BY")
	}
	if in.window != nil {
		s.b.failf(location(in.window), pgerr.WindowingError, "window functions are not allowed in GROUP BY")
	}
}

// checkGrouping refuses columns that are neither grouped nor aggregated.
func (s *scope) checkGrouping() {
	q := s.q
	in := newLevelScan()
	for _, k := range q.GroupBy {
		in.expr(k.Expr, 0)
	}
	c := groupCheck{s: s}
	for _, t := range q.Targets {
		c.expr(t.Expr, 0)
	}
	if q.Having != nil {
		unfree(q.Having)
		c.expr(q.Having, 0)
	}
	for _, t := range q.Targets {
		unfree(t.Expr)
	}
}

type groupCheck struct {
	s      *scope
	direct bool
}

func (c *groupCheck) expr(e plan.Expr, depth int) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch v := x.(type) {
		case *plan.Const, *plan.Param:
			return false
		case *plan.Agg:
			if v.Level == depth {
				saved := c.direct
				c.direct = true
				for _, d := range v.Direct {
					c.expr(d, depth)
				}
				c.direct = saved
				return false
			}
			return v.Level < depth
		case *plan.Grouping:
			if v.Level == depth {
				c.grouping(v, depth)
				return false
			}
		}
		if c.grouped(x, depth) {
			return false
		}
		switch v := x.(type) {
		case *plan.Var:
			if v.Level == depth {
				c.column(v, depth)
			}
		case *plan.SubLink:
			if v.Test != nil {
				c.expr(v.Test, depth)
			}
			c.query(v.Query, depth+1)
			return false
		}
		return true
	})
}

func (c *groupCheck) query(q *plan.Query, depth int) {
	plan.WalkQuery(q, func(e plan.Expr) bool {
		if _, ok := e.(*plan.SubLink); ok {
			return true
		}
		switch v := e.(type) {
		case *plan.Agg:
			return v.Level < depth
		case *plan.Grouping:
			if v.Level == depth {
				c.grouping(v, depth)
				return false
			}
		case *plan.Var:
			if v.Level == depth && !c.grouped(v, depth) {
				c.column(v, depth)
			}
		}
		return true
	}, func(sub *plan.Query) { c.query(sub, depth+1) })
}

func (c *groupCheck) grouped(e plan.Expr, depth int) bool {
	for _, k := range c.s.q.GroupBy {
		g := k.Expr
		if depth > 0 {
			if _, ok := g.(*plan.Var); !ok {
				continue
			}
			g = asSeenFrom(g, depth)
		}
		if plan.Same(g, e) {
			return true
		}
	}
	return false
}

// grouping resolves the arguments of GROUPING(…) to group clauses.
func (c *groupCheck) grouping(g *plan.Grouping, depth int) {
	g.Refs = nil
	for _, a := range g.Args {
		ref := -1
		for i, k := range c.s.q.GroupBy {
			if plan.Same(asSeenFrom(k.Expr, depth), a) {
				ref = i
			}
		}
		if ref < 0 {
			c.s.b.failf(location(a), pgerr.GroupingError, "arguments to GROUPING must be grouping expressions of the associated query level")
		}
		g.Refs = append(g.Refs, ref)
	}
}

// column refuses a column that is not grouped, unless the primary key of its table is.
func (c *groupCheck) column(v *plan.Var, depth int) {
	q := c.s.q
	r := q.Rels[v.Rel]
	if c.dependent(r, v.Rel) {
		return
	}
	name := "whole-row"
	if v.Attr >= 0 && v.Attr < len(r.Columns) {
		name = r.Columns[v.Attr].Name
	} else {
		for n, sys := range systemColumns {
			if sys.attr == v.Attr {
				name = n
			}
		}
	}
	if depth > 0 {
		c.s.b.failf(v.Pos, pgerr.GroupingError, "subquery uses ungrouped column \"%s.%s\" from outer query", r.Alias, name)
	}
	e := pgerr.New(pgerr.GroupingError, "column \"%s.%s\" must appear in the GROUP BY clause or be used in an aggregate function", r.Alias, name)
	if c.direct {
		e.WithDetail("Direct arguments of an ordered-set aggregate must use only grouped columns.")
	}
	c.s.b.fail(v.Pos, e)
}

// dependent reports whether the columns of a table follow from the grouping.
func (c *groupCheck) dependent(r *plan.Rel, rel int) bool {
	if r.Kind != plan.RelTable || c.s.q.Sets != nil {
		return false
	}
	for _, con := range r.Table.Constraints {
		if con.Kind != 'p' || con.Deferrable {
			continue
		}
		all := len(con.Columns) > 0
		for _, num := range con.Columns {
			hit := false
			for _, k := range c.s.q.GroupBy {
				g, ok := bare(k.Expr).(*plan.Var)
				hit = hit || ok && g.Level == 0 && g.Rel == rel && g.Attr == int(num)-1
			}
			all = all && hit
		}
		if all {
			if !slices.Contains(c.s.q.KeyIndexes, con.Index) {
				c.s.q.KeyIndexes = append(c.s.q.KeyIndexes, con.Index)
			}
			return true
		}
	}
	return false
}
