package gen

// Partition is the parts of a query whose answers are known from each other (ternary logic partitioning): FROM and a
// condition. The rows of FROM are those for which the condition is true, those for which it is false and those for which it
// is unknown.
type Partition struct {
	From, Columns, Condition string
}

// Partition draws such a query.
func (g *Generator) Partition(s *Schema) Partition {
	g.start()
	g.schema = s
	scope, from := g.from(nil, 2)
	columns := ""
	for i, c := range scope.columns {
		if i > 0 {
			columns += ", "
		}
		columns += c.node.String()
	}
	condition := g.expr(place{scope: scope, depth: 3}, "bool")
	return Partition{From: from.String(), Columns: columns, Condition: condition.String()}
}
