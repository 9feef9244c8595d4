package sqlsim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// table is what a client's table must look like.
type table struct {
	columns []string // after id, u and note
	rows    map[int64]row
	kids    map[int64]int64 // of the table NAME_kid: id → parent; nil without that table
	index   bool            // on note
}

// row is the columns after id, as text.
type row []string

// state is everything of a client after one of its transactions.
type state struct {
	n        int64
	tables   map[string]*table
	sequence int64 // the highest value that a transaction up to n has taken
}

func newState() *state { return &state{tables: map[string]*table{}} }

func (s *state) clone() *state {
	c := &state{n: s.n, sequence: s.sequence, tables: make(map[string]*table, len(s.tables))}
	for name, t := range s.tables {
		u := &table{columns: slices.Clone(t.columns), rows: make(map[int64]row, len(t.rows)), kids: maps.Clone(t.kids), index: t.index}
		for id, r := range t.rows {
			u.rows[id] = slices.Clone(r)
		}
		c.tables[name] = u
	}
	return c
}

// names lists the tables in order, so that a seed means one thing.
func (s *state) names() []string { return slices.Sorted(maps.Keys(s.tables)) }

func (t *table) ids() []int64 { return slices.Sorted(maps.Keys(t.rows)) }

// lines is the table as a query ordered by id gives it.
func (t *table) lines() []string {
	out := make([]string, 0, len(t.rows))
	for _, id := range t.ids() {
		out = append(out, strconv.FormatInt(id, 10)+"|"+strings.Join(t.rows[id], "|"))
	}
	return out
}

func (t *table) kidLines() []string {
	out := make([]string, 0, len(t.kids))
	for _, id := range slices.Sorted(maps.Keys(t.kids)) {
		out = append(out, fmt.Sprintf("%d|%d", id, t.kids[id]))
	}
	return out
}

// orphan removes the children of rows that are gone, as ON DELETE CASCADE does.
func (t *table) orphan() {
	maps.DeleteFunc(t.kids, func(_, parent int64) bool { return t.rows[parent] == nil })
}

// relations lists the names of all tables and of the indexes on note, as the catalog must.
func (s *state) relations() []string {
	var out []string
	for name, t := range s.tables {
		out = append(out, name)
		if t.kids != nil {
			out = append(out, name+"_kid")
		}
		if t.index {
			out = append(out, name+"_note")
		}
	}
	slices.Sort(out)
	return out
}
