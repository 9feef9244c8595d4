package gen

import (
	"fmt"
	"strings"
)

// Change draws an INSERT, UPDATE or DELETE.
func (g *Generator) Change(s *Schema) *Stmt {
	g.start()
	g.budget = min(g.budget, 20)
	g.schema = s
	t := s.tables[g.Intn(len(s.tables))]
	var n *Node
	switch g.Intn(8) {
	case 0, 1, 2:
		n = g.insert(t)
	case 3, 4, 5:
		n = g.update(t)
	case 6:
		n = g.merge(t)
	default:
		n = g.remove(t)
	}
	return &Stmt{Root: n, Table: t.name}
}

// self is the scope of a table under its own name.
func (t *table) self() *scope {
	s := &scope{}
	for _, f := range t.columns {
		s.columns = append(s.columns, column{text(t.name + "." + f.name), f.typ})
	}
	s.keys = s.columns
	return s
}

func (g *Generator) returning(t *table) *Node {
	switch g.Intn(3) {
	case 0:
		return optional(" RETURNING *")
	case 1:
		return optional(" RETURNING ", list(", ", 1, g.exprs(place{scope: t.self(), depth: 2}, g.aType(), 1+g.Intn(2))...))
	}
	return nil
}

// settable lists the columns that a statement may give a value.
func (t *table) settable() []int {
	var out []int
	for i := range t.columns {
		if !t.generated[i] {
			out = append(out, i)
		}
	}
	return out
}

func (g *Generator) insert(t *table) *Node {
	columns := t.settable()
	if g.chance(30) {
		columns = columns[:1+g.Intn(len(columns))]
	}
	n := join("INSERT INTO " + t.name + " (" + t.columnList(columns) + ") ")
	if g.chance(35) {
		types := make([]string, len(columns))
		for i, c := range columns {
			types[i] = t.columns[c].typ
		}
		q, _ := g.query(nil, types, 2)
		// The order decides which of two rows with one key stays.
		n.add("SELECT * FROM (", q, ") AS x("+columnNames(types)+") ORDER BY "+positions(types))
	} else {
		rows := list(", ", 1)
		for range 1 + g.Intn(3) {
			row := join("(")
			for i, c := range columns {
				if i > 0 {
					row.add(", ")
				}
				switch {
				case g.chance(6):
					row.add("DEFAULT")
				case g.chance(25):
					row.add(g.expr(place{scope: &scope{}, depth: 2}, t.columns[c].typ))
				default:
					row.add(g.literal(t.columns[c].typ))
				}
			}
			row.add(")")
			rows.add(row)
		}
		n.add("VALUES ", rows)
	}
	n.add(g.onConflict(t), g.returning(t))
	return n
}

func positions(types []string) string {
	var out []string
	for i, t := range types {
		if unsortable[t] {
			out = append(out, fmt.Sprintf("x.c%d::text", i+1))
		} else {
			out = append(out, fmt.Sprint(i+1))
		}
	}
	return strings.Join(out, ", ")
}

func (g *Generator) onConflict(t *table) *Node {
	if len(t.unique) == 0 || !g.chance(50) {
		return nil
	}
	target := " ON CONFLICT (" + t.columnList(t.unique[0]) + ")"
	if g.chance(40) {
		return optional(g.Pick(target, " ON CONFLICT") + " DO NOTHING")
	}
	both := t.self()
	for _, f := range t.columns {
		both.columns = append(both.columns, column{text("excluded." + f.name), f.typ})
	}
	set := g.assignments(t, both)
	if set == nil {
		return nil
	}
	return optional(target+" DO UPDATE SET ", set, g.where(both, 2))
}

// assignments draws the items of SET: not of key columns, whose order of update would decide about conflicts.
func (g *Generator) assignments(t *table, s *scope) *Node {
	items := list(", ", 1)
	for i, f := range t.columns {
		key := false
		for _, u := range t.unique {
			for _, k := range u {
				key = key || k == i
			}
		}
		if key || t.generated[i] || len(items.parts) > 0 && g.chance(50) {
			continue
		}
		if g.chance(8) {
			items.add(text(f.name + " = DEFAULT"))
		} else {
			items.add(join(f.name+" = ", g.expr(place{scope: s, depth: 2}, f.typ)))
		}
	}
	if len(items.parts) == 0 {
		return nil
	}
	return items
}

// matched draws a relation that has at most one row for each row of the table, and the condition that joins them.
func (g *Generator) matched(t *table) (from string, s *scope, on string) {
	for _, r := range g.schema.tables {
		if len(r.key) != 1 {
			continue
		}
		for _, f := range t.columns {
			if f.typ != r.columns[r.key[0]].typ {
				continue
			}
			s = t.self()
			for _, c := range r.columns {
				s.columns = append(s.columns, column{text("o." + c.name), c.typ})
			}
			return r.name + " AS o", s, t.name + "." + f.name + " = o." + r.columns[r.key[0]].name
		}
	}
	return "", nil, ""
}

func (g *Generator) update(t *table) *Node {
	s := t.self()
	from, both, on := g.matched(t)
	if from == "" || g.chance(60) {
		set := g.assignments(t, s)
		if set == nil {
			return g.remove(t)
		}
		return join("UPDATE "+t.name+" SET ", set, g.where(s, 2), g.returning(t))
	}
	set := g.assignments(t, both)
	if set == nil {
		return g.remove(t)
	}
	n := join("UPDATE "+t.name+" SET ", set, " FROM "+from+" WHERE "+on)
	if g.chance(40) {
		n.add(optional(" AND ", g.expr(place{scope: both, depth: 2}, "bool")))
	}
	n.add(g.returning(t))
	return n
}

func (g *Generator) remove(t *table) *Node {
	if g.chance(30) {
		if from, both, on := g.matched(t); from != "" {
			return join("DELETE FROM "+t.name+" USING "+from+" WHERE "+on, optional(" AND ", g.expr(place{scope: both, depth: 2}, "bool")), g.returning(t))
		}
	}
	return join("DELETE FROM "+t.name+" WHERE ", g.expr(place{scope: t.self(), depth: 3}, "bool"), g.returning(t))
}

func (g *Generator) merge(t *table) *Node {
	from, both, on := g.matched(t)
	if from == "" {
		return g.update(t)
	}
	n := join("MERGE INTO "+t.name+" USING "+from+" ON "+on+" ", optional("WHEN MATCHED AND ", g.expr(place{scope: both, depth: 2}, "bool"),
		g.Pick(" THEN DELETE ", " THEN DO NOTHING ")))
	set := g.assignments(t, both)
	if set == nil {
		n.add("WHEN MATCHED THEN DELETE ")
		return n
	}
	n.add("WHEN MATCHED THEN UPDATE SET ", set)
	return n
}
