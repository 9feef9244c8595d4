package gen

import (
	"fmt"
	"strings"
)

// Schema is what a round of statements works on.
type Schema struct {
	Setup     []string // statements that make it, in order
	relations []*relation
	tables    []*table
}

// table is a relation that can be changed.
type table struct {
	*relation
	declared  []string // column types as declared, with typmods
	generated map[int]bool
	unique    [][]int // column sets with a unique index, the primary key first
}

// columnTypes are the types of tables' columns.
var columnTypes = []string{"bool", "int2", "int4", "int4", "int4", "int8", "int8", "float4", "float8", "numeric", "numeric", "text", "text", "varchar", "bpchar",
	"date", "time", "timestamp", "timestamptz", "interval", "uuid", "bytea", "jsonb", "_int4", "_text"}

// keyTypes are the types of primary keys.
var keyTypes = []string{"int4", "int4", "int8", "text", "date", "uuid", "numeric", "int2", "timestamp", "varchar"}

// NewSchema draws tables with rows, and a view.
func (g *Generator) NewSchema() *Schema {
	s := &Schema{}
	g.start()
	g.schema = s
	for i := range 2 + g.Intn(3) {
		g.newTable(s, fmt.Sprintf("r%d", i+1))
	}
	if g.chance(50) {
		g.budget = 15
		types := g.types(1 + g.Intn(3))
		q, _ := g.selectQuery(nil, types, 2, false)
		s.Setup = append(s.Setup, "CREATE VIEW v1 AS "+q.String())
		s.relations = append(s.relations, &relation{name: "v1", columns: cteOf("", types).columns})
	}
	return s
}

func (g *Generator) newTable(s *Schema, name string) {
	t := &table{relation: &relation{name: name}, generated: map[int]bool{}}
	n := 2 + g.Intn(6)
	var defs []string
	for i := range n {
		typ := g.Pick(columnTypes...)
		if i == 0 {
			typ = g.Pick(keyTypes...)
		}
		col := fmt.Sprintf("%c", 'a'+i)
		t.columns = append(t.columns, field{col, typ})
		declared := g.declared(typ)
		t.declared = append(t.declared, declared)
		def := col + " " + declared
		switch {
		case i > 1 && g.chance(10):
			def += " NOT NULL"
		case i > 1 && g.chance(10):
			def += " DEFAULT " + g.literal(typ).String()
		case i > 1 && typ == "int4" && (t.columns[0].typ == "int4" || t.columns[0].typ == "int2") && g.chance(30):
			def += " GENERATED ALWAYS AS (a / 2 + 1) STORED"
			t.generated[i] = true
		}
		defs = append(defs, def)
	}
	switch g.Intn(6) {
	case 0:
	case 1:
		defs = append(defs, "PRIMARY KEY (a, b)")
		t.unique, t.key = [][]int{{0, 1}}, []int{0, 1}
	default:
		defs = append(defs, "PRIMARY KEY (a)")
		t.unique, t.key = [][]int{{0}}, []int{0}
	}
	s.Setup = append(s.Setup, fmt.Sprintf("CREATE TABLE %s (%s)", name, strings.Join(defs, ", ")))
	g.fill(s, t)
	g.indexes(s, t)
	s.relations, s.tables = append(s.relations, t.relation), append(s.tables, t)
}

// declared is the type of a column, with a typmod now and then.
func (g *Generator) declared(typ string) string {
	switch typ {
	case "varchar":
		return g.Pick("varchar", "varchar(20)", "varchar(6)")
	case "bpchar":
		return g.Pick("char(4)", "char(10)")
	case "numeric":
		return g.Pick("numeric", "numeric(12,2)", "numeric(30,5)")
	}
	return spelling(typ)
}

// fill inserts rows, each by a statement of its own so that a refused one costs only itself.
func (g *Generator) fill(s *Schema, t *table) {
	rows := []int{0, 3, 8, 12, 20}[g.Intn(5)]
	var columns []int
	for i := range t.columns {
		if !t.generated[i] {
			columns = append(columns, i)
		}
	}
	for range rows {
		s.Setup = append(s.Setup, "INSERT INTO "+t.name+" ("+t.columnList(columns)+") VALUES ("+g.row(t, columns).String()+") ON CONFLICT DO NOTHING")
	}
	if k := t.columns[0].typ; (k == "int4" || k == "int8") && g.chance(8) && len(columns) > 1 {
		// Enough rows for several batches.
		list := []string{}
		for _, c := range columns[1:] {
			list = append(list, "CASE i % 3 WHEN 0 THEN "+g.literal(t.columns[c].typ).String()+" WHEN 1 THEN "+g.literal(t.columns[c].typ).String()+
				" ELSE "+g.literal(t.columns[c].typ).String()+" END")
		}
		s.Setup = append(s.Setup, "INSERT INTO "+t.name+" ("+t.columnList(columns)+") SELECT i, "+strings.Join(list, ", ")+
			" FROM generate_series(100, 2300) AS i ON CONFLICT DO NOTHING")
	}
}

func (t *table) columnList(columns []int) string {
	var names []string
	for _, c := range columns {
		names = append(names, t.columns[c].name)
	}
	return strings.Join(names, ", ")
}

// row draws values for some columns.
func (g *Generator) row(t *table, columns []int) *Node {
	n := join()
	for i, c := range columns {
		if i > 0 {
			n.add(", ")
		}
		if t.columns[c].typ == "int4" && g.chance(50) {
			n.add(fmt.Sprint(g.Intn(20)))
		} else {
			n.add(g.literal(t.columns[c].typ))
		}
	}
	return n
}

// indexes draws indexes of all kinds.
func (g *Generator) indexes(s *Schema, t *table) {
	for i := range g.Intn(3) {
		var items []string
		for range 1 + g.Intn(2) {
			c := t.columns[g.Intn(len(t.columns))]
			item := c.name
			if g.chance(15) {
				q := expr(c.typ, "COALESCE(", c.name, ", ", g.literal(c.typ), ")")
				item = "(" + q.String() + ")"
			}
			items = append(items, item+g.direction())
		}
		where := ""
		if g.chance(20) {
			c := t.columns[g.Intn(len(t.columns))]
			where = " WHERE " + c.name + g.Pick(" IS NOT NULL", " IS NULL")
		}
		s.Setup = append(s.Setup, fmt.Sprintf("CREATE INDEX i%d_%s ON %s (%s)%s", i+1, t.name, t.name, strings.Join(items, ", "), where))
	}
	for _, c := range t.columns {
		if (c.typ == "jsonb" || strings.HasSuffix(c.typ, "[]")) && g.chance(40) {
			s.Setup = append(s.Setup, fmt.Sprintf("CREATE INDEX g%s_%s ON %s USING gin (%s)", c.name, t.name, t.name, c.name))
		}
	}
	if g.chance(15) && len(t.columns) > 2 {
		s.Setup = append(s.Setup, fmt.Sprintf("CREATE UNIQUE INDEX u_%s ON %s (b, c)", t.name, t.name))
	}
}

// Tables lists the names of the tables that statements change.
func (s *Schema) Tables() []string {
	var names []string
	for _, t := range s.tables {
		names = append(names, t.name)
	}
	return names
}
