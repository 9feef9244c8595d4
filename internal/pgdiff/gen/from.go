package gen

import (
	"fmt"
	"strings"
)

// relation is what FROM can name: a table, a view or a common table expression.
type relation struct {
	name    string
	columns []field
	key     []int // columns of the primary key; nil if rows may repeat
}

// field is a column of a relation.
type field struct {
	name, typ string
}

// source is an entry of FROM.
type source struct {
	node    *Node
	columns []column
	keys    []column
	unique  bool // no two rows have equal keys
}

// from draws the entries of FROM and the scope that they make.
func (g *Generator) from(outer *scope, depth int) (*scope, *Node) {
	s := &scope{outer: outer, unique: true}
	n := 1
	if g.chance(20) {
		n = 2
	}
	items := list(", ", 1)
	for range n {
		src := g.joined(s, depth)
		s.columns = append(s.columns, src.columns...)
		s.keys = append(s.keys, src.keys...)
		s.unique = s.unique && src.unique
		items.add(src.node)
	}
	return s, items
}

// where draws an optional WHERE.
func (g *Generator) where(s *scope, depth int) *Node {
	if !g.chance(65) {
		return nil
	}
	return optional(" WHERE ", g.expr(place{scope: s, depth: max(depth, 1)}, "bool"))
}

// joined draws a source or a join of some; lateral ones see what stands to their left in around.
func (g *Generator) joined(around *scope, depth int) source {
	left := g.source(around, depth)
	for depth > 0 && g.chance(35) {
		left = g.join(around, left, depth)
	}
	return left
}

func (g *Generator) join(around *scope, left source, depth int) source {
	kind := g.Pick("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")
	visible := &scope{outer: around.outer}
	if kind == "JOIN" || kind == "LEFT JOIN" || kind == "CROSS JOIN" {
		visible.columns = append(append(visible.columns, around.columns...), left.columns...)
	}
	right := g.source(visible, depth-1)
	out := source{columns: append(append([]column{}, left.columns...), right.columns...), keys: append(append([]column{}, left.keys...), right.keys...),
		unique: left.unique && right.unique}
	if kind == "CROSS JOIN" {
		out.node = join(left.node, " CROSS JOIN ", right.node)
		return out
	}
	both := &scope{columns: out.columns, outer: around.outer}
	var on *Node
	if l, r := g.equal(left, right); l != nil && (kind == "FULL JOIN" || g.chance(75)) {
		on = expr("bool", "(", l, " = ", r, ")")
		if kind != "FULL JOIN" && g.chance(30) {
			on = expr("bool", "(", on, " AND ", g.expr(place{scope: both, depth: min(depth, 2)}, "bool"), ")")
		}
	} else if kind == "FULL JOIN" {
		on = expr("bool", g.Pick("true", "false"))
	} else {
		on = g.expr(place{scope: both, depth: min(depth, 2)}, "bool")
	}
	out.node = join(left.node, " "+kind+" ", right.node, " ON ", on)
	return out
}

// equal finds columns of one type on both sides of a join.
func (g *Generator) equal(left, right source) (l, r *Node) {
	for range 12 {
		if len(left.columns) == 0 || len(right.columns) == 0 {
			return nil, nil
		}
		a, b := left.columns[g.Intn(len(left.columns))], right.columns[g.Intn(len(right.columns))]
		if a.typ == b.typ && !unsortable[a.typ] {
			return expr(a.typ, a.node), expr(b.typ, b.node)
		}
	}
	return nil, nil
}

// source draws one entry of FROM.
func (g *Generator) source(visible *scope, depth int) source {
	k := g.Intn(100)
	if depth <= 0 {
		k = g.Intn(64)
	}
	switch {
	case k < 10 && len(g.ctes) > 0:
		return g.named(g.ctes[g.Intn(len(g.ctes))])
	case k < 64:
		return g.named(g.schema.relations[g.Intn(len(g.schema.relations))])
	case k < 72:
		return g.values()
	case k < 84:
		return g.function(visible, depth)
	default:
		lateral, outer := "", visible.outer
		if g.chance(35) && len(visible.columns) > 0 {
			lateral, outer = "LATERAL ", visible
		}
		q, fields := g.query(outer, nil, depth-1)
		return g.aliased(join(lateral+"(", q, ")"), fields)
	}
}

// named draws a reference to a relation.
func (g *Generator) named(r *relation) source {
	alias := g.alias("t")
	s := source{node: text(r.name + " AS " + alias)}
	for _, f := range r.columns {
		s.columns = append(s.columns, column{text(alias + "." + f.name), f.typ})
	}
	s.keys = s.columns
	if r.key != nil {
		s.keys, s.unique = nil, true
		for _, k := range r.key {
			s.keys = append(s.keys, s.columns[k])
		}
	}
	return s
}

// aliased names a source and its columns.
func (g *Generator) aliased(n *Node, types []string) source {
	alias := g.alias("q")
	s := source{}
	var names []string
	for i, t := range types {
		name := fmt.Sprintf("c%d", i+1)
		names = append(names, name)
		s.columns = append(s.columns, column{text(alias + "." + name), t})
	}
	s.keys = s.columns
	s.node = join(n, " AS "+alias+"("+strings.Join(names, ", ")+")")
	return s
}

func (g *Generator) values() source {
	types := g.types(1 + g.Intn(3))
	return g.aliased(join("(", g.valuesQuery(types), ")"), types)
}

// valuesQuery draws VALUES with rows of these types.
func (g *Generator) valuesQuery(types []string) *Node {
	rows := list(", ", 1)
	for range 1 + g.Intn(4) {
		row := join("(")
		for i, t := range types {
			if i > 0 {
				row.add(", ")
			}
			row.add(g.literal(t))
		}
		row.add(")")
		rows.add(row)
	}
	return join("VALUES ", rows)
}

func (g *Generator) types(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = g.aType()
	}
	return out
}

// function draws a set-returning function.
func (g *Generator) function(visible *scope, depth int) source {
	p := place{scope: &scope{outer: visible.outer}, depth: min(depth-1, 1)}
	if g.chance(40) {
		p.scope = visible
	}
	var n *Node
	var types []string
	switch g.Intn(8) {
	case 0, 1:
		n, types = text(fmt.Sprintf("generate_series(%d, %d)", g.Intn(3)-1, g.Intn(8))), []string{"int4"}
	case 2:
		n, types = text("generate_series('2024-02-27'::timestamp, '2024-03-02'::timestamp, "+g.Pick("'1 day'", "'12:00'", "'1 mon'")+"::interval)"), []string{"timestamp"}
	case 3:
		n, types = join("unnest(", g.expr(p, "_int4"), ")"), []string{"int4"}
	case 4:
		n, types = join("unnest(", g.expr(p, "_text"), ", ", g.expr(p, "_int4"), ")"), []string{"text", "int4"}
	case 5:
		n, types = join("jsonb_each(", expr("jsonb", g.Pick(objects...)), ")"), []string{"text", "jsonb"}
	case 6:
		n, types = join("jsonb_array_elements(", expr("jsonb", g.Pick(arrays...)), ")"), []string{"jsonb"}
	default:
		n, types = join("regexp_split_to_table(", g.expr(p, "text"), ", '"+g.Pick(",", "b", "\\s*", "[a-c]")+"')"), []string{"text"}
	}
	if g.chance(25) {
		n, types = join(n, " WITH ORDINALITY"), append(types, "int8")
	}
	return g.aliased(n, types)
}
