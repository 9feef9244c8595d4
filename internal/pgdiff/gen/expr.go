package gen

import (
	"fmt"
	"strings"

	"github.com/omendb/omendb/sql/types"
)

// column is something that an expression may refer to.
type column struct {
	node *Node // how it is written
	typ  string
}

// scope is what names mean at some place: the columns of FROM, or those of GROUP BY, and the scopes around.
type scope struct {
	columns []column
	keys    []column // what tells rows apart: rows with equal keys are equal
	unique  bool     // no two rows have equal keys
	placed  bool     // a window function already tells rows with equal keys apart, by their place
	outer   *scope
}

// place says what an expression may contain.
type place struct {
	scope      *scope
	depth      int
	aggregates *scope // the columns that arguments of aggregates see; nil where there can be none
	windows    bool
	noQuery    bool // no subqueries (index expressions, defaults)
}

func (p place) deeper() place {
	p.depth--
	return p
}

// expr draws an expression of a type.
func (g *Generator) expr(p place, typ string) *Node {
	g.budget--
	if p.depth <= 0 || g.budget <= 0 {
		return g.leaf(p, typ)
	}
	if typ == "bool" && g.chance(60) {
		return g.predicate(p)
	}
	for range 4 {
		var n *Node
		switch k := g.rng.IntN(100); {
		case k < 22:
			n = g.leaf(p, typ)
		case k < 42:
			n = g.call(p, g.facts.operators[typ], true)
		case k < 62:
			n = g.call(p, g.facts.functions[typ], false)
		case k < 72:
			n = g.cast(p, typ)
		case k < 84:
			n = g.conditional(p, typ)
		case k < 88 && !p.noQuery:
			n = g.scalarQuery(p, typ)
		case k < 90 && (typ == "int4" || typ == "text"):
			n = expr(typ, "(", g.expr(p.deeper(), "_"+typ), ")[", g.expr(p.deeper(), "int4"), "]")
		case k < 92 && (typ == "_int4" || typ == "_text"):
			n = expr(typ, "ARRAY[", list(", ", 1, g.exprs(p.deeper(), typ[1:], 1+g.Intn(3))...), "]")
		case k < 96 && p.aggregates != nil, k < 99 && p.aggregates != nil:
			n = g.aggregate(p, typ)
		case p.windows:
			n = g.window(p, typ)
		}
		if n != nil {
			return n
		}
	}
	return g.leaf(p, typ)
}

func (g *Generator) exprs(p place, typ string, n int) []*Node {
	out := make([]*Node, n)
	for i := range out {
		out[i] = g.expr(p, typ)
	}
	return out
}

// leaf draws a column or a constant.
func (g *Generator) leaf(p place, typ string) *Node {
	if g.chance(75) {
		if c := g.columnOf(p.scope, typ); c != nil {
			return c
		}
	}
	return g.literal(typ)
}

// columnOf draws a column of a type, of the outer scopes now and then; nil if there is none.
func (g *Generator) columnOf(s *scope, typ string) *Node {
	for ; s != nil; s = s.outer {
		if s.outer != nil && g.chance(25) {
			continue
		}
		var fit []*Node
		for _, c := range s.columns {
			if c.typ == typ {
				fit = append(fit, c.node)
			}
		}
		if len(fit) > 0 {
			return expr(typ, fit[g.Intn(len(fit))])
		}
	}
	return nil
}

// argument draws an expression for a parameter of a type: mostly of that type, sometimes one that is to be converted.
func (g *Generator) argument(p place, typ string) *Node {
	if g.chance(5) {
		for _, w := range widening {
			if w[1] == typ && g.chance(50) {
				return g.expr(p, w[0])
			}
		}
	}
	return g.expr(p, typ)
}

// call draws one of the signatures with its arguments.
func (g *Generator) call(p place, sigs []signature, operator bool) *Node {
	if len(sigs) == 0 {
		return nil
	}
	s := sigs[g.Intn(len(sigs))]
	p = p.deeper()
	var args []*Node
	for i, a := range s.args {
		n := 1
		if s.variadic && i == len(s.args)-1 {
			n = 1 + g.Intn(3)
		}
		for range n {
			args = append(args, g.fitting(p, s, i, a, operator))
		}
	}
	switch {
	case operator && len(args) == 2:
		return expr(s.result, "(", args[0], " "+s.name+" ", args[1], ")")
	case operator:
		return expr(s.result, "("+s.name+" ", args[0], ")")
	}
	return expr(s.result, function(s.name)+"(", list(", ", len(args), args...), ")")
}

// fitting draws an argument that the function is likely to accept.
func (g *Generator) fitting(p place, s signature, i int, typ string, operator bool) *Node {
	if operator {
		if d := divisors[typ]; d != nil && i == 1 && (s.name == "/" || s.name == "%") && !g.chance(5) {
			return expr(typ, g.Pick(d...))
		}
		return g.argument(p, typ)
	}
	if n := g.hinted(fmt.Sprintf("%s %d", s.name, i), typ); n != nil {
		return n
	}
	return g.argument(p, typ)
}

// function writes the name of a function, with its schema where the grammar knows the bare name as something else.
func function(name string) string {
	switch name {
	case "substring", "position", "overlay", "extract", "trim", "normalize", "is_normalized", "date", "text", "int4", "int8", "int2",
		"float4", "float8", "bool", "uuid", "json", "jsonb", "money", "oid", "bytea":
		return "pg_catalog." + name
	case "left", "right", "timestamp", "like", "notlike":
		return "pg_catalog." + `"` + name + `"`
	}
	if strings.ToLower(name) != name {
		return `"` + name + `"`
	}
	return name
}

// cast draws a conversion from another type.
func (g *Generator) cast(p place, typ string) *Node {
	sources := g.facts.casts[typ]
	if len(sources) == 0 {
		return nil
	}
	source := sources[g.Intn(len(sources))]
	switch {
	case source == "char" && typ == "bpchar":
		return nil // PostgreSQL makes a text with a zero byte of ''::"char", which nothing prints
	case (source == "text" || source == "varchar" || source == "bpchar" || source == "name") && types.ByName(typ).Category != 'S' && !g.chance(4):
		// Most texts cannot be read as another type.
		return expr(typ, "CAST("+literalText(typ, g.Intn(len(literals[typ])))+"::text AS ", g.precise(typ), ")")
	case source == "jsonb" && jsonOf[typ] != nil && !g.chance(4):
		return expr(typ, "('"+g.Pick(jsonOf[typ]...)+"'::jsonb)::"+spelling(typ))
	}
	arg := g.expr(p.deeper(), source)
	if g.chance(50) {
		return expr(typ, "CAST(", arg, " AS ", g.precise(typ), ")")
	}
	return expr(typ, "(", arg, ")::", g.precise(typ))
}

// precise writes a type, with a typmod now and then.
func (g *Generator) precise(typ string) *Node {
	if g.chance(60) {
		return text(spelling(typ))
	}
	switch typ {
	case "varchar", "bpchar":
		return text(fmt.Sprintf("%s(%d)", map[string]string{"varchar": "varchar", "bpchar": "char"}[typ], 1+g.Intn(6)))
	case "numeric":
		return text(g.Pick("numeric(10,2)", "numeric(4,0)", "numeric(6,3)", "numeric(3,-2)", "numeric(30,10)"))
	case "time", "timetz", "timestamp", "timestamptz":
		return text(fmt.Sprintf("%s(%d)", typ, g.Intn(7)))
	case "interval":
		return text(g.Pick("interval day", "interval year to month", "interval(2)", "interval hour to minute", "interval day to second(3)"))
	case "bit":
		return text("bit(8)")
	case "varbit":
		return text("varbit(4)")
	}
	return text(spelling(typ))
}

// conditional draws CASE and its relatives.
func (g *Generator) conditional(p place, typ string) *Node {
	p = p.deeper()
	switch g.Intn(6) {
	case 0, 1:
		var arms []*Node
		for range 1 + g.Intn(2) {
			arms = append(arms, join(" WHEN ", g.expr(p, "bool"), " THEN ", g.expr(p, typ)))
		}
		return expr(typ, "CASE", list("", 1, arms...), optional(" ELSE ", g.expr(p, typ)), " END")
	case 2:
		t := g.sortable()
		return expr(typ, "CASE ", g.expr(p, t), " WHEN ", g.expr(p, t), " THEN ", g.expr(p, typ), optional(" ELSE ", g.expr(p, typ)), " END")
	case 3:
		return expr(typ, "COALESCE(", list(", ", 1, g.exprs(p, typ, 1+g.Intn(3))...), ")")
	case 4:
		if unsortable[typ] {
			return nil
		}
		return expr(typ, "NULLIF(", g.expr(p, typ), ", ", g.expr(p, typ), ")")
	default:
		if unsortable[typ] {
			return nil
		}
		return expr(typ, g.Pick("GREATEST(", "LEAST("), list(", ", 1, g.exprs(p, typ, 1+g.Intn(3))...), ")")
	}
}

// widening are implicit conversions, from and to.
var widening = [][2]string{{"int2", "int4"}, {"int4", "int8"}, {"int8", "numeric"}, {"numeric", "float8"}, {"float4", "float8"}, {"varchar", "text"},
	{"bpchar", "text"}, {"date", "timestamp"}, {"timestamp", "timestamptz"}, {"name", "text"}, {"time", "interval"}}

// predicate draws a condition that is more than a function that returns bool.
func (g *Generator) predicate(p place) *Node {
	p = p.deeper()
	t := g.sortable()
	switch g.Intn(16) {
	case 0, 1, 2:
		return expr("bool", "(", g.expr(p, t), g.Pick(" = ", " <> ", " < ", " <= ", " > ", " >= "), g.expr(p, t), ")")
	case 3:
		return expr("bool", "(", g.expr(p, "bool"), " AND ", g.expr(p, "bool"), ")")
	case 4:
		return expr("bool", "(", g.expr(p, "bool"), " OR ", g.expr(p, "bool"), ")")
	case 5:
		return expr("bool", "(NOT ", g.expr(p, "bool"), ")")
	case 6:
		return expr("bool", "(", g.expr(p, g.aType()), g.Pick(" IS NULL", " IS NOT NULL"), ")")
	case 7:
		return expr("bool", "(", g.expr(p, t), g.Pick(" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "), g.expr(p, t), ")")
	case 8:
		return expr("bool", "(", g.expr(p, t), g.Pick(" IN (", " NOT IN ("), list(", ", 1, g.exprs(p, t, 1+g.Intn(4))...), "))")
	case 9:
		return expr("bool", "(", g.expr(p, t), g.Pick(" BETWEEN ", " NOT BETWEEN ", " BETWEEN SYMMETRIC "), g.expr(p, t), " AND ", g.expr(p, t), ")")
	case 10:
		return expr("bool", "(", g.expr(p, "bool"), g.Pick(" IS TRUE", " IS NOT TRUE", " IS FALSE", " IS UNKNOWN", " IS NOT UNKNOWN"), ")")
	case 11:
		return expr("bool", "(", g.expr(p, "text"), g.Pick(" LIKE ", " NOT LIKE ", " ILIKE ", " SIMILAR TO "), g.pattern(p), ")")
	case 12:
		if p.noQuery {
			return g.leaf(p, "bool")
		}
		return g.queryPredicate(p, t)
	case 13:
		e := g.Pick("int4", "text")
		return expr("bool", "(", g.expr(p, e), g.Pick(" = ", " <> ", " < ", " >= "), g.Pick("ANY (", "ALL ("), g.expr(p, "_"+e), "))")
	case 14:
		u := g.sortable()
		return expr("bool", "(ROW(", g.expr(p, t), ", ", g.expr(p, u), ")", g.Pick(" = ", " <> ", " < ", " >= ", " IS DISTINCT FROM "),
			"ROW(", g.expr(p, t), ", ", g.expr(p, u), "))")
	default:
		return g.leaf(p, "bool")
	}
}

// pattern draws the right side of LIKE.
func (g *Generator) pattern(p place) *Node {
	if g.chance(25) {
		return g.expr(p, "text")
	}
	return expr("text", "'"+g.Pick("a%", "%b%", "_", "%", "", "%c", "a_c", "A%", "_b%", "%\\%%", "abc")+"'")
}

// queryPredicate draws EXISTS, IN and quantified comparisons with a subquery.
func (g *Generator) queryPredicate(p place, typ string) *Node {
	switch g.Intn(4) {
	case 0:
		q, _ := g.query(p.scope, []string{g.aType()}, p.depth-1)
		return expr("bool", g.Pick("", "NOT "), "EXISTS (", q, ")")
	case 1:
		q, _ := g.query(p.scope, []string{typ}, p.depth-1)
		return expr("bool", "(", g.expr(p, typ), g.Pick(" IN (", " NOT IN ("), q, "))")
	case 2:
		q, _ := g.query(p.scope, []string{typ}, p.depth-1)
		return expr("bool", "(", g.expr(p, typ), g.Pick(" = ", " <> ", " < ", " >= "), g.Pick("ANY (", "ALL ("), q, "))")
	default:
		u := g.sortable()
		q, _ := g.query(p.scope, []string{typ, u}, p.depth-1)
		return expr("bool", "((", g.expr(p, typ), ", ", g.expr(p, u), ")", g.Pick(" IN (", " NOT IN ("), q, "))")
	}
}

// scalarQuery draws a subquery that stands for a value. Most return one row.
func (g *Generator) scalarQuery(p place, typ string) *Node {
	if g.chance(15) {
		q, _ := g.query(p.scope, []string{typ}, p.depth-1)
		return expr(typ, "(", q, ")")
	}
	if g.chance(50) && !unsortable[typ] {
		q, _ := g.query(p.scope, []string{typ}, p.depth-1)
		return expr(typ, "(SELECT x.a FROM (", q, ") AS x(a) ORDER BY 1", g.Pick("", " DESC", " NULLS FIRST"), " LIMIT 1)")
	}
	s, from := g.from(p.scope, p.depth-1)
	return expr(typ, "(SELECT ", g.aggregated(place{scope: &scope{outer: p.scope}, depth: p.depth - 1, aggregates: s}, typ), " FROM ", from,
		g.where(s, p.depth-1), ")")
}
