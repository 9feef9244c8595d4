package syscat

import (
	"slices"
	"sync/atomic"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
)

// The rows that a system table makes from descriptors are kept in chunks, each those of
// some objects of a class. When objects change, the chunks with rows of these, or of
// objects beside them, are made again at the next look; all others are
// shared with the state before.

// span is a range of objects whose rows belong together: the zero span is all of them.
type span struct {
	class       catalog.Class
	from, below OID // below 0: to the end
}

func (s span) contains(r catalog.Ref) bool {
	return r.Class == s.class && r.OID >= s.from && (s.below == 0 || r.OID < s.below)
}

// chunk is the rows of a span.
type chunk struct {
	span
	*columnSet
	expected float64 // about how many rows there are
}

// tableRows is the rows made from descriptors in one state of the catalog. Chunks appear
// in the order of classes and OIDs.
type tableRows struct {
	chunks []*chunk
	asked  atomic.Int64 // look-ups so far that could not be answered by an index
}

// chunkRows is about how many rows a chunk has: a batch, with room to grow.
const chunkRows = 700

// chunkObjects bounds the objects of a chunk, where few of them have rows.
const chunkObjects = 4096

// perChunk returns how many objects of a class go into a chunk.
func perChunk(p perClass) int {
	if p.whole {
		return 1 << 30
	}
	return min(int(chunkRows/p.rows), chunkObjects)
}

// visit calls fn for the objects of a class, as far as rows of them are wanted.
func (g *generator) visit(class catalog.Class, fn func(catalog.Object) bool) {
	switch g.span.class {
	case 0:
		g.view.Each(class, fn)
	case class:
		g.view.Between(class, g.span.from, g.span.below, fn)
	}
}

// derivedKey tells apart what is kept with a state of the catalog.
type derivedKey struct {
	table *systemTable
	facts bool
}

// factsOf returns the columns of the facts with privileges, which name roles.
func (t *systemTable) factsOf(rt *exec.Runtime) *columnSet {
	return rt.Catalog.Derived(derivedKey{t, true}, func(old any, changes catalog.Changes) any {
		if old == nil || changes.Shared || changes.Class(catalog.ClassBuiltinACL) {
			return newColumnSet(len(t.relation.Columns))
		}
		return old
	}).(*columnSet)
}

// derived returns the rows that the table makes from descriptors.
func (t *systemTable) derived(rt *exec.Runtime) *tableRows {
	return rt.Catalog.Derived(derivedKey{t, false}, func(old any, changes catalog.Changes) any {
		if old == nil {
			return t.divide(rt.Catalog)
		}
		return t.advance(rt.Catalog, old.(*tableRows), changes)
	}).(*tableRows)
}

// divide makes the chunks of a table anew.
func (t *systemTable) divide(v *catalog.View) *tableRows {
	x := &tableRows{}
	for _, p := range t.classes {
		s := span{class: p.class}
		if p.class == catalog.ClassRelation { // the facts have the others
			s.from = catalog.FirstUserOID
		}
		x.chunks = append(x.chunks, t.split(v, p, s)...)
	}
	return x
}

// split makes chunks for the objects of a span.
func (t *systemTable) split(v *catalog.View, p perClass, s span) []*chunk {
	var list []*chunk
	limit := perChunk(p)
	n, total := 0, 0
	add := func(s span, n int) {
		list = append(list, &chunk{span: s, columnSet: newColumnSet(len(t.relation.Columns)), expected: float64(n) * p.rows})
	}
	v.Between(s.class, s.from, s.below, func(o catalog.Object) bool {
		if n == limit {
			at := o.Head().OID
			add(span{s.class, s.from, at}, n)
			s.from, n = at, 0
		}
		n++
		total++
		return true
	})
	add(s, n)
	return list
}

// advance makes the rows after some changes.
func (t *systemTable) advance(v *catalog.View, old *tableRows, changes catalog.Changes) *tableRows {
	changed := make([]bool, len(old.chunks))
	touched := false
	for _, r := range changes.Objects {
		for i, c := range old.chunks {
			if !changed[i] && c.contains(r) {
				changed[i], touched = true, true
				break
			}
		}
	}
	roles := changes.Shared && t.aclAttr >= 0
	if !touched && !roles && !(changes.Shared && t.ofServer()) {
		return old
	}
	x := &tableRows{chunks: make([]*chunk, 0, len(old.chunks)+1)}
	x.asked.Store(old.asked.Load())
	for i, c := range old.chunks {
		switch {
		case changes.Shared && c.class.Shared(), changed[i]:
			x.chunks = append(x.chunks, t.renew(v, c)...)
		case roles:
			x.chunks = append(x.chunks, &chunk{c.span, c.without(t.aclAttr), c.expected})
		default:
			x.chunks = append(x.chunks, c)
		}
	}
	if len(x.chunks) > t.tooMany(v) {
		return t.divide(v)
	}
	return x
}

// tooMany returns from how many chunks on there is a lot of air in them.
func (t *systemTable) tooMany(v *catalog.View) int {
	n := len(t.classes) * 4
	for _, p := range t.classes {
		n += 4 * v.Count(p.class) / perChunk(p)
	}
	return n
}

// renew makes a chunk anew: several when its objects have become too many.
func (t *systemTable) renew(v *catalog.View, c *chunk) []*chunk {
	p := t.classes[slices.IndexFunc(t.classes, func(p perClass) bool { return p.class == c.class })]
	n := 0
	v.Between(c.class, c.from, c.below, func(catalog.Object) bool {
		n++
		return n <= 2*perChunk(p)
	})
	if n > 2*perChunk(p) {
		return t.split(v, p, c.span)
	}
	return []*chunk{{c.span, newColumnSet(len(t.relation.Columns)), float64(n) * p.rows}}
}

// ofServer reports whether rows come from objects that all databases share.
func (t *systemTable) ofServer() bool {
	return slices.ContainsFunc(t.classes, func(p perClass) bool { return p.class.Shared() })
}
