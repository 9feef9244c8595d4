package planner

import (
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// maxFuzzyDistance is how far a name may be off to be suggested.
const maxFuzzyDistance = 3

// fuzzyMatch is the best guess at what a column name was meant to be.
type fuzzyMatch struct {
	distance     int
	rel1, rel2   *plan.Rel
	name1, name2 string
}

// missingColumn reports an unknown column, with a guess at the one that was meant.
func (s *scope) missingColumn(rel, name string, pos int) {
	m := fuzzyMatch{distance: maxFuzzyDistance + 1}
	m.search(s, rel, name)
	var e *pgerr.Error
	if rel != "" {
		e = pgerr.New(pgerr.UndefinedColumn, "column %s.%s does not exist", rel, name)
	} else {
		e = pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", name)
	}
	switch {
	case m.rel1 == nil:
	case m.rel2 != nil:
		e.WithHint("Perhaps you meant to reference the column \"%s.%s\" or the column \"%s.%s\".", m.rel1.Alias, m.name1, m.rel2.Alias, m.name2)
	case m.name1 == name && m.distance == 0:
		e.WithHint("There is a column named \"%s\" in table \"%s\", but it cannot be referenced from this part of the query.", name, m.rel1.Alias)
	default:
		e.WithHint("Perhaps you meant to reference the column \"%s.%s\".", m.rel1.Alias, m.name1)
	}
	s.b.fail(pos, e)
}

func (m *fuzzyMatch) search(s *scope, rel, name string) {
	for sc := s; sc != nil; sc = sc.parent {
		for _, r := range sc.q.Rels {
			penalty := 0
			if rel != "" {
				penalty = levenshtein(rel, r.Alias)
			}
			for _, c := range r.Columns {
				if c.Dropped {
					continue
				}
				if c.Name == name && penalty == 0 {
					*m = fuzzyMatch{rel1: r, name1: name}
					return
				}
				m.consider(penalty, r, c.Name, name)
			}
		}
	}
}

func (m *fuzzyMatch) consider(penalty int, r *plan.Rel, actual, match string) {
	if penalty > m.distance || actual == "" {
		return
	}
	d := levenshtein(actual, match)
	if d > len(match)/2 {
		return
	}
	d += penalty
	switch {
	case d < m.distance:
		*m = fuzzyMatch{distance: d, rel1: r, name1: actual}
	case d == m.distance && m.rel2 != nil:
		*m = fuzzyMatch{distance: d - 1} // too many equally good ones
	case d == m.distance && m.rel1 != nil:
		m.rel2, m.name2 = r, actual
	case d == m.distance && m.distance <= maxFuzzyDistance:
		m.rel1, m.name1 = r, actual
	}
}

// levenshtein counts the insertions, deletions and replacements between two names.
func levenshtein(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diag := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diag
			if x[i] != y[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}

// missingItem reports an unknown table name in a qualified reference.
func (s *scope) missingItem(schema, name string, pos int) {
	var hit *plan.Rel
	for sc := s; sc != nil && hit == nil; sc = sc.parent {
		for _, r := range sc.q.Rels {
			if schema == "" && r.Alias == name || schema == "" && r.Table != nil && r.Table.Name == name {
				hit = r
				break
			}
		}
	}
	if hit == nil {
		if schema != "" {
			name = schema + "." + name
		}
		s.b.failf(pos, pgerr.UndefinedTable, "missing FROM-clause entry for table \"%s\"", lastPart(name))
	}
	e := pgerr.New(pgerr.UndefinedTable, "invalid reference to FROM-clause entry for table \"%s\"", name)
	if hit.Alias != name {
		e.WithHint("Perhaps you meant to reference the table alias \"%s\".", hit.Alias)
	} else {
		e.WithHint("There is an entry for table \"%s\", but it cannot be referenced from this part of the query.", hit.Alias)
	}
	s.b.fail(pos, e)
}

func lastPart(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}
