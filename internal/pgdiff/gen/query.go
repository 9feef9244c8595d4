package gen

import (
	"slices"

	"fmt"
	"strconv"
	"strings"
)

// query draws a SELECT whose columns have the given types, or any when there are none. It returns the types.
func (g *Generator) query(outer *scope, types []string, depth int) (*Node, []string) {
	if types == nil {
		types = g.types(1 + g.Intn(3))
	}
	switch k := g.Intn(100); {
	case depth > 0 && k < 12 && g.allSortable(types):
		return g.setOperation(outer, types, depth), types
	case k < 16:
		return g.valuesQuery(types), types
	case depth > 0 && k < 24:
		return g.with(outer, types, depth), types
	}
	q, _ := g.selectQuery(outer, types, depth, g.chance(20))
	return q, types
}

func (g *Generator) allSortable(types []string) bool {
	for _, t := range types {
		if unsortable[t] {
			return false
		}
	}
	return true
}

// tail draws ORDER BY over all columns and, if it may, LIMIT.
func (g *Generator) tail(types []string, limit bool) *Node {
	items := g.rng.Perm(len(types))
	var order []string
	for _, i := range items {
		order = append(order, strconv.Itoa(i+1)+g.direction())
	}
	n := optional(" ORDER BY " + strings.Join(order, ", "))
	if limit {
		n.add(optional(g.limit()))
	}
	return n
}

func (g *Generator) limit() string {
	return g.Pick(" LIMIT 1", " LIMIT 3", " LIMIT 10", " OFFSET 2", " LIMIT 2 OFFSET 1", " LIMIT 0", " FETCH FIRST 2 ROWS ONLY",
		" FETCH FIRST 2 ROWS WITH TIES", " LIMIT NULL", " LIMIT ALL OFFSET 1")
}

func (g *Generator) setOperation(outer *scope, types []string, depth int) *Node {
	l, _ := g.query(outer, types, depth-1)
	r, _ := g.query(outer, types, depth-1)
	n := join("(", l, ")", g.Pick(" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT ", " INTERSECT ALL ", " EXCEPT ALL "), "(", r, ")")
	if g.chance(30) {
		n.add(g.tail(types, true))
	}
	return n
}

// with draws a query that begins with common table expressions.
func (g *Generator) with(outer *scope, types []string, depth int) *Node {
	before := len(g.ctes)
	items := list(", ", 1)
	for range 1 + g.Intn(2) {
		name := g.alias("w")
		if g.chance(30) {
			items.add(g.recursive(outer, name, depth))
			continue
		}
		q, ts := g.query(outer, nil, depth-1)
		items.add(join(name+"("+columnNames(ts)+") AS "+g.Pick("", "", "MATERIALIZED ", "NOT MATERIALIZED ")+"(", q, ")"))
		g.ctes = append(g.ctes, cteOf(name, ts))
	}
	q, _ := g.query(outer, types, depth-1)
	g.ctes = g.ctes[:before]
	return join("WITH RECURSIVE ", items, " ", q)
}

func columnNames(types []string) string {
	var names []string
	for i := range types {
		names = append(names, fmt.Sprintf("c%d", i+1))
	}
	return strings.Join(names, ", ")
}

func cteOf(name string, types []string) *relation {
	r := &relation{name: name}
	for i, t := range types {
		r.columns = append(r.columns, field{fmt.Sprintf("c%d", i+1), t})
	}
	return r
}

// recursive draws a common table expression that refers to itself and ends after a few rounds.
func (g *Generator) recursive(outer *scope, name string, depth int) *Node {
	typ := g.sortable()
	r := cteOf(name, []string{"int4", typ})
	self := &scope{outer: outer}
	for _, f := range r.columns {
		self.columns = append(self.columns, column{text(name + "." + f.name), f.typ})
	}
	first := g.expr(place{scope: &scope{outer: outer}, depth: 1}, typ)
	next := g.expr(place{scope: self, depth: min(depth, 2)}, typ)
	n := join(name+"(c1, c2) AS (SELECT 1, CAST(", first, " AS "+spelling(typ)+")", g.Pick(" UNION ALL", " UNION"), " SELECT ", name+".c1 + 1, CAST(",
		next, " AS "+spelling(typ)+") FROM "+name, " WHERE "+name+".c1 < "+g.Pick("3", "5"), ")")
	g.ctes = append(g.ctes, r)
	return n
}

// selectQuery draws SELECT … FROM …; its ORDER BY, if it has one, is returned too and is total.
func (g *Generator) selectQuery(outer *scope, types []string, depth int, ordered bool) (q, order *Node) {
	var s *scope
	var from *Node
	if g.chance(6) {
		s = &scope{outer: outer, unique: true}
	} else {
		var items *Node
		s, items = g.from(outer, depth)
		from = join(" FROM ", items)
	}
	p := place{scope: s, depth: max(depth, 1), windows: g.chance(20)}
	where := g.where(s, depth)
	var group, having *Node
	switch k := g.Intn(100); {
	case k < 18:
		p.scope, group = g.group(s, depth)
		p.aggregates = s
		if g.chance(30) {
			having = optional(" HAVING ", g.expr(place{scope: p.scope, depth: 2, aggregates: s}, "bool"))
		}
	case k < 26:
		p.scope, p.aggregates = &scope{outer: outer, unique: true}, s
	}
	distinct, on := "", []string(nil)
	if g.chance(10) && g.allSortable(types) {
		distinct = "DISTINCT "
		if g.chance(30) && !p.windows {
			on = types[:1]
			distinct = "DISTINCT ON (1) "
			ordered = true
		}
	}
	items := list(", ", len(types))
	for i, t := range types {
		var n *Node
		switch {
		case p.aggregates != nil && g.chance(60):
			n = g.aggregated(p, t)
		case p.windows && g.chance(50):
			n = g.window(p, t)
		}
		if n == nil {
			n = g.expr(p, t)
		}
		items.add(join(n, fmt.Sprintf(" AS c%d", i+1)))
	}
	q = join("SELECT "+distinct, items, from, where, group, having)
	switch {
	case on != nil:
		order = text(" ORDER BY 1" + g.direction())
		for i := 1; i < len(types); i++ {
			order.add(fmt.Sprintf(", %d%s", i+1, g.direction()))
		}
		q.add(order)
	case ordered && g.allSortable(types):
		order = g.tail(types, true)
		q.add(order)
	}
	return q, order
}

// group draws GROUP BY and the scope of its expressions. Grouping sets are of columns: PostgreSQL 15 leaves out sort keys that fold to
// constants, which a grouping set turns into NULL in some rows, so that its own order is none.
func (g *Generator) group(s *scope, depth int) (*scope, *Node) {
	grouped := &scope{outer: s.outer}
	sets := g.chance(25)
	grouped.unique = !sets // two sets may be of the same columns
	n := 1 + g.Intn(3)
	var items []*Node
	for range n {
		t := g.sortable()
		e := g.columnOf(&scope{columns: s.columns}, t)
		if len(s.columns) > 0 && (e == nil || g.chance(40)) {
			c := s.columns[g.Intn(len(s.columns))]
			if unsortable[c.typ] {
				continue
			}
			t, e = c.typ, expr(c.typ, c.node)
		}
		if sets && e != nil && g.chance(30) {
			e = expr(t, "COALESCE(", e, ", ", g.literal(t), ")")
		}
		if !sets && (e == nil || g.chance(30)) {
			// A bare constant would be taken for the number of a column.
			e = expr(t, "COALESCE(", g.expr(place{scope: s, depth: min(depth, 2), noQuery: true}, t), ", ", g.literal(t), ")")
		}
		if e == nil {
			continue
		}
		items = append(items, e)
		grouped.columns = append(grouped.columns, column{e, t})
	}
	grouped.keys = grouped.columns
	if len(items) == 0 {
		return grouped, nil
	}
	if sets { // two sets may have a row of the same keys
		grouped.keys = append(slices.Clone(grouped.columns), column{expr("int4", "GROUPING(", list(", ", len(items), items...), ")"), "int4"})
	}
	if !sets {
		return grouped, join(" GROUP BY ", list(", ", len(items), items...))
	}
	switch g.Intn(3) {
	case 0:
		return grouped, join(" GROUP BY ROLLUP (", list(", ", len(items), items...), ")")
	case 1:
		return grouped, join(" GROUP BY CUBE (", list(", ", len(items), items...), ")")
	}
	each := list(", ", 1)
	for i := range items {
		each.add(join("(", list(", ", 0, items[:i+1]...), ")"))
	}
	each.add(text("()"))
	return grouped, join(" GROUP BY GROUPING SETS (", each, ")")
}

// Select draws a SELECT statement.
func (g *Generator) Select(s *Schema) *Stmt {
	g.start()
	g.schema = s
	types := g.types(1 + g.Intn(4))
	if g.chance(25) {
		q, _ := g.query(nil, types, 3)
		return &Stmt{Root: q}
	}
	q, order := g.selectQuery(nil, types, 3, g.chance(40))
	return &Stmt{Root: q, Order: order}
}
