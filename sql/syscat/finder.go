package syscat

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/exec"
)

// A statement that looks rows up again and again finds them in the ready columns, by an index over
// those that it restricts, and copies nothing.

// finder implements exec.VirtualIndex.
type finder struct {
	table   *systemTable
	batches []column.Batch
	parts   []finderPart
}

// finderPart is the rows of the facts, or those of the descriptors.
type finderPart struct {
	set   *columnSet // whose state the rows belong to; nil: facts, which stay
	first int        // its first batch
	keys  map[int]finderKey
}

// finderKey is a restricted column.
type finderKey struct {
	column []column.Vec
	index  *factIndex
}

// unknownRows is how many rows a system table is taken to have before they have been made.
const unknownRows = 4096

// lookupCost is how many rows are put into columns in the time that one row is found without.
const lookupCost = 12

// Finder implements exec.VirtualFinder.
func (t *systemTable) Finder(rt *exec.Runtime, attrs, by []int, lookups int) (exec.VirtualIndex, bool) {
	indexed := !slices.ContainsFunc(by, func(a int) bool { return a < 0 || a == t.aclAttr || t.current[a] })
	if t.live || !indexed || t.rows != nil && !t.worthColumns(rt, attrs, by, lookups) {
		return nil, false
	}
	batches, ok := t.Columns(rt, attrs)
	if !ok {
		return nil, false
	}
	x := &finder{table: t, batches: batches}
	first := 0
	if f := t.facts(); f != nil {
		f.columns.mu.Lock()
		t.fillFacts(rt, f.columns, f, by)
		p := finderPart{keys: map[int]finderKey{}}
		for _, a := range by {
			p.keys[a] = finderKey{f.columns.cols[a], f.by(a)}
		}
		first = (len(f.rows) + column.BatchSize - 1) / column.BatchSize
		f.columns.mu.Unlock()
		x.parts = append(x.parts, p)
	}
	if t.rows == nil {
		return x, true
	}
	set := t.derived(rt, false)
	set.mu.Lock()
	defer set.mu.Unlock()
	t.fill(rt, set, by)
	p := finderPart{set: set, first: first, keys: map[int]finderKey{}}
	for _, a := range by {
		p.keys[a] = finderKey{set.cols[a], set.by(a, t.kinds())}
	}
	x.parts = append(x.parts, p)
	return x, true
}

// worthColumns reports whether what is missing of the columns costs less to make than some look-ups
// without them.
func (t *systemTable) worthColumns(rt *exec.Runtime, attrs, by []int, lookups int) bool {
	set := t.derived(rt, false)
	set.mu.Lock()
	defer set.mu.Unlock()
	rows := set.rows
	if rows < 0 {
		rows = unknownRows
	}
	missing := 0
	for _, a := range attrs {
		if a >= 0 && set.cols[a] == nil {
			missing++
		}
	}
	for _, a := range by {
		if set.index[a] == nil {
			missing++
		}
	}
	return rows*missing <= lookups*lookupCost
}

// Batches implements exec.VirtualIndex.
func (x *finder) Batches() []column.Batch { return x.batches }

// Current implements exec.VirtualIndex.
func (x *finder) Current(rt *exec.Runtime) bool {
	for _, p := range x.parts {
		if p.set != nil && p.set != x.table.derived(rt, false) {
			return false
		}
	}
	return true
}

// Find implements exec.VirtualIndex.
func (x *finder) Find(equal []exec.VirtualEqual, dst []int32) []int32 {
	for i := range x.parts {
		p := &x.parts[i]
		index, rows := shortest(equal, func(attr int) *factIndex { return p.keys[attr].index })
		for r, n := rows.first, rows.rows; n > 0; r, n = index.next[r], n-1 {
			if len(equal) == 1 || p.passes(equal, int(r)) {
				dst = append(dst, int32(p.first)*column.BatchSize+r)
			}
		}
	}
	return dst
}

func (p *finderPart) passes(equal []exec.VirtualEqual, r int) bool {
	for i := range equal {
		q := &equal[i]
		d := p.keys[q.Attr].column[r/column.BatchSize].Datum(r % column.BatchSize)
		if d.Null || d.I != q.Value.I || string(d.B) != string(q.Value.B) {
			return false
		}
	}
	return true
}
