package gen

import "strings"

// orderless aggregates give the same answer whatever order their input comes in.
var orderless = map[string]bool{"count": true, "min": true, "max": true, "bool_and": true, "bool_or": true, "every": true,
	"bit_and": true, "bit_or": true, "bit_xor": true}

// aggregate draws an aggregate call; nil if no aggregate has the type.
func (g *Generator) aggregate(p place, typ string) *Node {
	if typ == "int8" && g.chance(40) {
		return expr(typ, "count(*)", g.filter(p))
	}
	sigs := g.facts.aggregates[typ]
	if len(sigs) == 0 || g.chance(8) {
		if n := g.orderedSet(p, typ); n != nil || len(sigs) == 0 {
			return n
		}
	}
	s := sigs[g.Intn(len(sigs))]
	inner := place{scope: p.aggregates, depth: min(p.depth-1, 2), noQuery: p.noQuery}
	var args []*Node
	for i, a := range s.args {
		args = append(args, g.fitting(inner, s, i, a, false))
	}
	exact := strings.HasPrefix(s.name, "sum") && len(s.args) == 1 && s.args[0] != "float4" && s.args[0] != "float8"
	if g.chance(15) && len(args) == 1 && !unsortable[s.args[0]] {
		if orderless[s.name] || exact {
			return expr(typ, function(s.name)+"(DISTINCT ", args[0], ")", g.filter(p))
		}
		// The argument has to be written twice, the same way.
		return expr(typ, function(s.name)+"(DISTINCT ", args[0], " ORDER BY ", args[0], g.direction(), ")", g.filter(p))
	}
	n := expr(typ, function(s.name)+"(", list(", ", len(args), args...))
	if !orderless[s.name] && !exact {
		n.add(" ORDER BY ")
		for i, a := range args {
			if i > 0 {
				n.add(", ")
			}
			if s.args[i] == "bytea" {
				n.add(a)
			} else {
				n.add("(", a, ")::text")
			}
		}
	}
	n.add(")", g.filter(p))
	return n
}

func (g *Generator) filter(p place) *Node {
	if !g.chance(15) {
		return nil
	}
	return optional(" FILTER (WHERE ", g.expr(place{scope: p.aggregates, depth: min(p.depth-1, 2), noQuery: p.noQuery}, "bool"), ")")
}

// orderedSet draws an aggregate with WITHIN GROUP.
func (g *Generator) orderedSet(p place, typ string) *Node {
	inner := place{scope: p.aggregates, depth: min(p.depth-1, 2), noQuery: p.noQuery}
	fraction := g.Pick("0", "0.25", "0.5", "0.9", "1")
	switch typ {
	case "float8", "interval":
		if g.chance(60) {
			return expr(typ, "percentile_cont("+fraction+") WITHIN GROUP (ORDER BY ", g.expr(inner, typ), g.direction(), ")", g.filter(p))
		}
	case "int8":
		t := g.sortable()
		return expr(typ, g.Pick("rank(", "dense_rank("), g.literal(t), ") WITHIN GROUP (ORDER BY ", g.expr(inner, t), ")")
	}
	if unsortable[typ] {
		return nil
	}
	name := g.Pick("percentile_disc("+fraction+")", "mode()")
	return expr(typ, name+" WITHIN GROUP (ORDER BY ", g.expr(inner, typ), ")", g.filter(p))
}

// aggregated draws an expression that has an aggregate if it can.
func (g *Generator) aggregated(p place, typ string) *Node {
	for range 3 {
		if n := g.aggregate(p, typ); n != nil {
			return n
		}
	}
	return g.expr(p, typ)
}

func (g *Generator) direction() string {
	return g.Pick("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")
}

// peerwise window functions give the same answer for all peers.
var peerwise = map[string]bool{"rank": true, "dense_rank": true, "percent_rank": true, "cume_dist": true}

// window draws a window function call; nil if none has the type.
func (g *Generator) window(p place, typ string) *Node {
	var sigs []signature
	sigs = append(append(sigs, g.facts.windows[typ]...), g.facts.aggregates[typ]...)
	if len(sigs) == 0 {
		return nil
	}
	s := sigs[g.Intn(len(sigs))]
	p = p.deeper()
	p.windows = false
	var args []*Node
	for i, a := range s.args {
		if i > 0 && a == "int4" && (s.name == "lag" || s.name == "lead" || s.name == "nth_value") || s.name == "ntile" {
			args = append(args, expr("int4", g.Pick("1", "2", "3", "0")))
			continue
		}
		args = append(args, g.fitting(p, s, i, a, false))
	}
	call := function(s.name) + "("
	if s.name == "count" && len(args) == 0 {
		call += "*"
	}
	over := join("(")
	if g.chance(50) {
		over.add(optional("PARTITION BY ", g.expr(p, g.sortable()), " "))
	}
	frame := g.frame(p, s)
	if frame == nil {
		return nil
	}
	over.add(frame)
	over.add(")")
	return expr(typ, call, list(", ", len(args), args...), ") OVER ", over)
}

// frame draws ORDER BY and the frame of a window such that the answer does not hang on the order of peers; nil where it would.
// Rows that are equal in all columns stand in any order, and in another one in each window: one function may tell them apart
// by their place, since the rows together are the same then, but not two.
func (g *Generator) frame(p place, s signature) *Node {
	if peerwise[s.name] && g.chance(60) {
		return join("ORDER BY ", g.expr(p, g.sortable()), g.direction())
	}
	if orderless[s.name] && g.chance(40) {
		return g.rangeFrame(p)
	}
	if !p.scope.unique {
		if p.scope.placed {
			return nil
		}
		p.scope.placed = true
	}
	order := join("ORDER BY ")
	if g.chance(60) {
		order.add(g.expr(p, g.sortable()), g.direction(), ", ")
	}
	for i, k := range p.scope.keys {
		if i > 0 {
			order.add(", ")
		}
		order.add(ordering(k))
	}
	if len(p.scope.keys) == 0 {
		order.add("1::int4")
	}
	if g.chance(50) {
		return order
	}
	bound := func(side string) string {
		return g.Pick("1 ", "2 ", "0 ", "UNBOUNDED ", "3 ") + side
	}
	unit := "ROWS"
	if g.chance(25) {
		unit = "GROUPS"
	}
	order.add(optional(" " + unit + g.Pick(" BETWEEN "+bound("PRECEDING")+" AND "+g.Pick("CURRENT ROW", bound("FOLLOWING")),
		" BETWEEN CURRENT ROW AND "+bound("FOLLOWING"), " UNBOUNDED PRECEDING", " BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
		" BETWEEN 3 PRECEDING AND 1 PRECEDING") + g.Pick("", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES", " EXCLUDE NO OTHERS")))
	return order
}

// rangeFrame draws a frame by distance of values.
func (g *Generator) rangeFrame(p place) *Node {
	typ := g.Pick("int4", "int8", "numeric", "float8", "date", "timestamp", "interval", "int2", "timestamptz", "time")
	offset := g.Pick("1", "2", "10")
	switch typ {
	case "date", "timestamp", "interval", "timestamptz", "time":
		offset = g.Pick("'1 day'::interval", "'1 mon'::interval", "'0'::interval", "'10:00'::interval")
	}
	return join("ORDER BY ", g.expr(p, typ), g.direction(), " RANGE BETWEEN "+g.Pick("UNBOUNDED", offset)+" PRECEDING AND "+
		g.Pick("CURRENT ROW", offset+" FOLLOWING", "UNBOUNDED FOLLOWING"), g.Pick("", "", " EXCLUDE GROUP", " EXCLUDE CURRENT ROW"))
}

// ordering writes a column such that every type has an order.
func ordering(c column) *Node {
	if unsortable[c.typ] {
		return join(c.node, "::text")
	}
	return join(c.node)
}
