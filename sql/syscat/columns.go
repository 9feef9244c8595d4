package syscat

import (
	"slices"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/exec"
)

// A scan of a whole system table hands out columns that were made before: those of the
// facts once per process, those of descriptors a part of them at a time, which are
// made again only where objects changed. Rows that a query looks up by a column that
// leads to no descriptor are found through an index over these columns.

// columnSet is rows as column vectors, made column by column when they are asked for.
type columnSet struct {
	mu    sync.Mutex
	rows  int            // -1: not known yet
	cols  [][]column.Vec // by attribute
	index []*factIndex   // by attribute
}

func newColumnSet(attrs int) *columnSet {
	return &columnSet{rows: -1, cols: make([][]column.Vec, attrs), index: make([]*factIndex, attrs)}
}

// without returns a set that lacks one of the columns.
func (s *columnSet) without(attr int) *columnSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &columnSet{rows: s.rows, cols: slices.Clone(s.cols), index: slices.Clone(s.index)}
	c.cols[attr], c.index[attr] = nil, nil
	return c
}

// ensure makes the missing ones of some columns. Fill calls its argument for each row, of which
// about so many are expected.
func (s *columnSet) ensure(attrs []int, expected int, kinds []column.Kind, fill func(missing []int, add func(row []column.Datum))) {
	var missing []int
	for _, a := range attrs {
		if s.cols[a] == nil {
			missing = append(missing, a)
		}
	}
	if missing == nil && s.rows >= 0 {
		return
	}
	made := make([][]column.Vec, len(missing))
	n := 0
	if s.rows >= 0 {
		expected = s.rows
	}
	fill(missing, func(row []column.Datum) {
		for i, a := range missing {
			if n%column.BatchSize == 0 {
				v := column.Vec{Kind: kinds[a]}
				v.Grow(min(max(expected-n, 1), column.BatchSize))
				made[i] = append(made[i], v)
			}
			made[i][len(made[i])-1].Append(row[a])
		}
		n++
	})
	s.rows = n
	for i, a := range missing {
		if made[i] == nil {
			made[i] = []column.Vec{}
		}
		s.cols[a] = made[i]
	}
}

// batches appends the rows as batches of some columns; system has the values of system columns.
func (s *columnSet) batches(dst []column.Batch, attrs []int, system []int64) []column.Batch {
	for at, k := 0, 0; at < s.rows; at, k = at+column.BatchSize, k+1 {
		b := column.Batch{N: min(s.rows-at, column.BatchSize), Cols: make([]column.Vec, len(attrs))}
		for i, a := range attrs {
			if a >= 0 {
				b.Cols[i] = s.cols[a][k]
			} else {
				b.Cols[i] = constantColumn(system[i], b.N)
			}
		}
		dst = append(dst, b)
	}
	return dst
}

func constantColumn(v int64, n int) column.Vec {
	out := column.Vec{Kind: column.Int, I: make([]int64, n)}
	for i := range out.I {
		out.I[i] = v
	}
	return out
}

// Columns implements exec.VirtualColumns.
func (t *systemTable) Columns(rt *exec.Runtime, attrs []int) (list []column.Batch, ok bool) {
	if t.live {
		return nil, false
	}
	var stored []int
	system := make([]int64, len(attrs))
	for i, a := range attrs {
		if a >= 0 {
			stored = append(stored, a)
		} else if system[i], ok = rt.SystemValue(t.relation, a); !ok {
			return nil, false
		}
	}
	if f := t.facts(); f != nil {
		set := f.columns
		if t.aclAttr >= 0 && (f.acl != nil || builtinKinds[t.relation.Name] != 0 && rt.Catalog.BuiltinACLs() != 0) && slices.Contains(stored, t.aclAttr) { // roles can be renamed
			set = t.factsOf(rt)
		}
		set.mu.Lock()
		t.fillFacts(rt, set, f, stored)
		list = set.batches(list, attrs, system)
		set.mu.Unlock()
	}
	if t.rows != nil {
		first := len(list)
		for _, c := range t.derived(rt).chunks {
			c.mu.Lock()
			t.fill(rt, c, stored)
			list = c.batches(list, attrs, system)
			c.mu.Unlock()
		}
		t.setCurrent(rt, attrs, list[first:])
	}
	return list, true
}

// setCurrent puts in what changes while the catalog does not.
func (t *systemTable) setCurrent(rt *exec.Runtime, attrs []int, list []column.Batch) {
	for i, a := range attrs {
		if a < 0 || !t.current[a] {
			continue
		}
		now := t.generator(rt, exec.VirtualRead{}, nil).frozen().I
		for k := range list {
			v := &list[k].Cols[i]
			v.I = slices.Clone(v.I)
			for r, x := range v.I {
				if x == frozenLater {
					v.I[r] = now
				}
			}
		}
	}
}

// fillFacts makes columns from facts. The set is locked.
func (t *systemTable) fillFacts(rt *exec.Runtime, set *columnSet, f *factSet, attrs []int) {
	set.ensure(attrs, len(f.rows), t.kinds(), func(missing []int, add func(row []column.Datum)) {
		g := t.generator(rt, exec.VirtualRead{Need: t.needed(missing)}, func(row []column.Datum) bool {
			add(row)
			return true
		})
		t.factRows(g, f)
	})
}

// fill makes columns from the descriptors of a chunk, which is locked.
func (t *systemTable) fill(rt *exec.Runtime, c *chunk, attrs []int) {
	c.ensure(attrs, int(c.expected), t.kinds(), func(missing []int, add func(row []column.Datum)) {
		g := t.generator(rt, exec.VirtualRead{Need: t.needed(missing)}, func(row []column.Datum) bool {
			add(row)
			return true
		})
		g.keep, g.span = true, c.span
		t.rows(g)
	})
}

func (t *systemTable) needed(attrs []int) []bool {
	need := make([]bool, len(t.relation.Columns))
	for _, a := range attrs {
		need[a] = true
	}
	return need
}

// byIndex yields the rows made from descriptors that a restriction finds in an index over
// all of them.
func (t *systemTable) byIndex(rt *exec.Runtime, read exec.VirtualRead, yield func(row []column.Datum) bool) error {
	g := t.generator(rt, read, yield)
	var attrs []int
	for a := range t.relation.Columns {
		if g.needs(a) {
			attrs = append(attrs, a)
		}
	}
	for _, q := range read.Equal {
		if !g.needs(q.Attr) {
			attrs = append(attrs, q.Attr)
		}
	}
	row := make([]column.Datum, len(t.relation.Columns))
	fixed := make([]bool, len(t.relation.Columns))
	for _, q := range read.Equal {
		fixed[q.Attr] = true
	}
	cols := make([][]column.Vec, len(attrs)) // published columns never change
	for _, c := range t.derived(rt).chunks {
		c.mu.Lock()
		t.fill(rt, c, attrs)
		x, found := shortest(read.Equal, func(attr int) *factIndex { return c.by(attr, t.kinds()) })
		for i, a := range attrs {
			cols[i] = c.cols[a]
		}
		c.mu.Unlock()
		if !x.visit(found, func(r int) bool {
			for i, a := range attrs { // those that decide first: most rows end here
				if fixed[a] {
					row[a] = cols[i][r/column.BatchSize].Datum(r % column.BatchSize)
				}
			}
			if !g.Passes(row) {
				return true
			}
			for i, a := range attrs {
				row[a] = cols[i][r/column.BatchSize].Datum(r % column.BatchSize)
				if t.current[a] && row[a].I == frozenLater {
					row[a] = g.frozen()
				}
			}
			return g.send(row)
		}) {
			break
		}
	}
	return nil
}

// by returns the index over an attribute. The set is locked and has the column.
func (s *columnSet) by(attr int, kinds []column.Kind) *factIndex {
	x := s.index[attr]
	if x == nil {
		col := s.cols[attr]
		x = newFactIndex(kinds[attr], s.rows, func(r int) column.Datum {
			return col[r/column.BatchSize].Datum(r % column.BatchSize)
		})
		s.index[attr] = x
	}
	return x
}
