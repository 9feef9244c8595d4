package planner

import (
	"slices"
	"strconv"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/plan"
)

// nameChoice are the names that relations, joins and their columns go by in the text. A query is stored with the objects that
// it means, which may have other names today, so that names are chosen anew and aliases written where the text would otherwise
// mean something else: the rules are those of PostgreSQL's ruleutils.
type nameChoice struct {
	rels    map[*plan.Rel]string
	joins   map[*plan.Join]string
	columns map[*plan.Rel][]string // by attribute, "" for dropped ones
	shown   map[*plan.Rel]bool     // the alias has a list of columns
	outputs map[*plan.Join][]joinColumn
	hidden  map[*plan.Rel]*plan.Join // relations that can be spoken of as an aliased join only, from where the text stands
}

// leaf is a column of a relation.
type leaf struct {
	rel  *plan.Rel
	attr int
}

// joinColumn is an output column of a join: what it was called when the query was stored, what it is called now, and which
// columns it stands for (two of them, and more in nested joins, for one that USING merges).
type joinColumn struct {
	stored, name string
	leaves       []leaf
	added        bool // since the query was stored
}

func newNameChoice() nameChoice {
	return nameChoice{rels: map[*plan.Rel]string{}, joins: map[*plan.Join]string{}, columns: map[*plan.Rel][]string{},
		shown: map[*plan.Rel]bool{}, outputs: map[*plan.Join][]joinColumn{}, hidden: map[*plan.Rel]*plan.Join{}}
}

// chooseNames chooses the names of the innermost level, none of which may be one of the levels around it.
func (d *deparser) chooseNames() {
	taken := map[string]bool{}
	last := len(d.levels) - 1
	for _, q := range d.levels[:last] {
		for _, r := range q.Rels {
			taken[d.nameOf(r)] = true
		}
		for _, j := range joinsOf(q.From) {
			taken[d.names.joins[j]] = true
		}
	}
	choose := func(name string) string {
		out := name
		for i := 1; taken[out]; i++ {
			out = name + "_" + strconv.Itoa(i)
		}
		taken[out] = true
		return out
	}
	q := d.levels[last]
	for _, r := range q.Rels {
		if name := d.ownName(r); name != "" {
			d.names.rels[r] = choose(name)
		}
	}
	joins := joinsOf(q.From)
	for _, j := range joins {
		if j.Alias != "" {
			d.names.joins[j] = choose(j.Alias)
		}
	}
	d.chooseColumns(q, joins)
	for _, it := range q.From {
		d.hide(q, it, nil)
	}
}

// ownName is the name of a relation that nothing else competes for.
func (d *deparser) ownName(r *plan.Rel) string {
	switch {
	case r.Named:
		return r.Alias
	case r.Kind == plan.RelTable && r.Table != nil:
		return r.Table.Name
	case r.FromView != 0:
		if v := d.env.Catalog.Relation(r.FromView); v != nil {
			return v.Name
		}
	}
	return r.Alias
}

// joinsOf lists joins, inner ones first.
func joinsOf(items []plan.FromItem) []*plan.Join {
	var out []*plan.Join
	for _, it := range items {
		if j, ok := it.(*plan.Join); ok {
			out = append(append(out, joinsOf([]plan.FromItem{j.Left, j.Right})...), j)
		}
	}
	return out
}

// chooseColumns names the columns of relations, so that those that a USING merges have one name on both sides, and others
// do not have it.
func (d *deparser) chooseColumns(q *plan.Query, joins []*plan.Join) {
	for _, j := range joins {
		d.names.outputs[j] = d.joinColumns(q, j)
	}
	forced := map[leaf]string{}
	avoid := map[*plan.Rel]map[string]bool{}
	for _, j := range slices.Backward(joins) {
		for k := range j.Using {
			c := d.names.outputs[j][k]
			name := j.Using[k]
			if k < len(j.Given) {
				name = j.Given[k]
			}
			for _, l := range c.leaves {
				if have, ok := forced[l]; ok {
					name = have
				}
			}
			for _, l := range c.leaves {
				forced[l] = name
			}
			for _, r := range relsIn(q, j) {
				if avoid[r] == nil {
					avoid[r] = map[string]bool{}
				}
				avoid[r][name] = true
			}
		}
	}
	for _, r := range q.Rels {
		d.columnsOf(r, forced, avoid[r])
	}
	for _, j := range joins {
		out := d.names.outputs[j]
		used := map[string]bool{}
		given := j.Given
		for k := range out {
			name := d.outputName(out[k])
			if !out[k].added && len(given) > 0 {
				name, given = given[0], given[1:]
			}
			out[k].name = unused(name, used)
			used[out[k].name] = true
		}
	}
}

func (d *deparser) outputName(c joinColumn) string {
	if len(c.leaves) == 0 {
		return c.stored
	}
	l := c.leaves[0]
	return d.names.columns[l.rel][l.attr]
}

func unused(name string, used map[string]bool) string {
	out := name
	for i := 1; used[out]; i++ {
		out = name + "_" + strconv.Itoa(i)
	}
	return out
}

// columnsOf chooses the names of a relation's columns.
func (d *deparser) columnsOf(r *plan.Rel, forced map[leaf]string, avoid map[string]bool) {
	real := d.realColumns(r)
	out := make([]string, max(len(real), len(r.Columns)))
	used := map[string]bool{}
	for k := range avoid {
		used[k] = true
	}
	for i := range out {
		if name, ok := forced[leaf{r, i}]; ok {
			out[i] = name
		}
	}
	changed, seen := false, 0
	for i, now := range real {
		if now == "" {
			continue
		}
		if out[i] == "" {
			name := now
			if seen < len(r.Given) {
				name = r.Given[seen]
			}
			out[i] = unused(name, used)
			used[out[i]] = true
		}
		seen++
		changed = changed || out[i] != now
	}
	d.names.columns[r] = out
	switch {
	case r.Kind == plan.RelTable || r.FromView != 0:
		d.names.shown[r] = changed
	case r.Kind == plan.RelFunction:
		d.names.shown[r] = true
	default:
		d.names.shown[r] = changed || len(r.Given) > 0
	}
}

// realColumns are the names that columns have without an alias, "" for dropped ones: today's of tables and views, and of
// the others those that the query was stored with, in which aliases are contained.
func (d *deparser) realColumns(r *plan.Rel) []string {
	var rel *catalog.Relation
	switch {
	case r.Kind == plan.RelTable:
		rel = r.Table
	case r.FromView != 0:
		rel = d.env.Catalog.Relation(r.FromView)
	}
	var out []string
	if rel != nil {
		for i := range rel.Columns {
			if c := &rel.Columns[i]; c.Dropped {
				out = append(out, "")
			} else {
				out = append(out, c.Name)
			}
		}
		return out
	}
	for _, c := range r.Columns {
		if c.Dropped {
			c.Name = ""
		}
		out = append(out, c.Name)
	}
	return out
}

// joinColumns lists the output columns of a join as it was stored.
func (d *deparser) joinColumns(q *plan.Query, j *plan.Join) []joinColumn {
	left, right := d.itemColumns(q, j.Left), d.itemColumns(q, j.Right)
	var out []joinColumn
	for _, name := range j.Using {
		c := joinColumn{stored: name}
		for _, side := range []*[]joinColumn{&left, &right} {
			if i := slices.IndexFunc(*side, func(c joinColumn) bool { return c.stored == name }); i >= 0 {
				c.leaves = append(c.leaves, (*side)[i].leaves...)
				*side = slices.Delete(slices.Clone(*side), i, i+1)
			}
		}
		out = append(out, c)
	}
	out = append(append(out, left...), right...)
	given := j.Given
	for i := range out {
		if !out[i].added && len(given) > 0 {
			out[i].stored, given = given[0], given[1:]
		}
	}
	return out
}

func (d *deparser) itemColumns(q *plan.Query, it plan.FromItem) []joinColumn {
	if j, ok := it.(*plan.Join); ok {
		return slices.Clone(d.names.outputs[j])
	}
	r := q.Rels[it.(*plan.RelRef).Rel]
	var out []joinColumn
	for i, now := range d.realColumns(r) {
		if now == "" {
			continue
		}
		c := joinColumn{added: i >= len(r.Columns) || r.Columns[i].Dropped, leaves: []leaf{{r, i}}}
		if !c.added {
			c.stored = r.Columns[i].Name
		}
		out = append(out, c)
	}
	return out
}

func relsIn(q *plan.Query, it plan.FromItem) []*plan.Rel {
	if j, ok := it.(*plan.Join); ok {
		return append(relsIn(q, j.Left), relsIn(q, j.Right)...)
	}
	return []*plan.Rel{q.Rels[it.(*plan.RelRef).Rel]}
}

// hide notes which relations of an item are hidden by the alias of a join around them.
func (d *deparser) hide(q *plan.Query, it plan.FromItem, by *plan.Join) {
	j, ok := it.(*plan.Join)
	if !ok {
		r := q.Rels[it.(*plan.RelRef).Rel]
		if d.names.hidden[r] = by; by == nil {
			delete(d.names.hidden, r)
		}
		return
	}
	if by == nil && j.Alias != "" {
		by = j
	}
	d.hide(q, j.Left, by)
	d.hide(q, j.Right, by)
}

// within writes the inside of a join, where its own alias hides nothing.
func (d *deparser) within(q *plan.Query, j *plan.Join, f func()) {
	if d.names.hidden[relsIn(q, j)[0]] != j {
		f()
		return
	}
	d.hide(q, j.Left, nil)
	d.hide(q, j.Right, nil)
	f()
	d.hide(q, j, nil)
}

// nameOf returns what a relation is called.
func (d *deparser) nameOf(r *plan.Rel) string {
	if name, ok := d.names.rels[r]; ok {
		return name
	}
	return r.Alias
}

// reference returns what a column is called, and the relation or aliased join that is named before it.
func (d *deparser) reference(r *plan.Rel, attr int) (qualifier, name string) {
	if j := d.names.hidden[r]; j != nil {
		for _, c := range d.names.outputs[j] {
			if slices.Contains(c.leaves, leaf{r, attr}) {
				return d.names.joins[j], c.name
			}
		}
	}
	if names := d.names.columns[r]; attr < len(names) && names[attr] != "" {
		return d.nameOf(r), names[attr]
	}
	return d.nameOf(r), r.Columns[attr].Name
}

// merged finds the column of a FULL JOIN … USING that an expression stands for: only it is COALESCE of both sides.
func (d *deparser) merged(x *plan.Coalesce) (qualifier, name string, ok bool) {
	if len(x.Args) != 2 {
		return "", "", false
	}
	var of []leaf
	level := -1
	for _, a := range x.Args {
		leaves, at := d.leavesOf(plan.WithoutImplicit(a))
		if leaves == nil || level >= 0 && at != level {
			return "", "", false
		}
		of, level = append(of, leaves...), at
	}
	q := d.levels[len(d.levels)-1-level]
	for _, j := range joinsOf(q.From) {
		if j.Kind != plan.FullJoin {
			continue
		}
		for k := range j.Using {
			if c := d.names.outputs[j][k]; slices.Equal(c.leaves, of) {
				if by := d.names.hidden[of[0].rel]; by != nil {
					for _, c := range d.names.outputs[by] {
						if slices.Equal(c.leaves, of) {
							return d.names.joins[by], c.name, true
						}
					}
				}
				return "", c.name, true
			}
		}
	}
	return "", "", false
}

// leavesOf returns the columns that a column, or the merged column of a join within a join, stands for, and their level.
func (d *deparser) leavesOf(e plan.Expr) ([]leaf, int) {
	switch x := e.(type) {
	case *plan.Var:
		i := len(d.levels) - 1 - x.Level
		if i < 0 || x.Attr < 0 || x.Rel >= len(d.levels[i].Rels) {
			return nil, 0
		}
		return []leaf{{d.levels[i].Rels[x.Rel], x.Attr}}, x.Level
	case *plan.Coalesce:
		if len(x.Args) != 2 {
			return nil, 0
		}
		l, at := d.leavesOf(plan.WithoutImplicit(x.Args[0]))
		r, other := d.leavesOf(plan.WithoutImplicit(x.Args[1]))
		if l == nil || r == nil || at != other {
			return nil, 0
		}
		return append(slices.Clone(l), r...), at
	}
	return nil, 0
}
