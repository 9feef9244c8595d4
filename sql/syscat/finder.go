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

// lookupCost is how many rows of columns can be made in the time that a row is found without them, and columnCost
// the share of that time that each column takes.
const (
	lookupCost = 24
	columnCost = 0.25
)

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

// worthColumns reports whether what is missing of the columns costs less to make than the look-ups that were
// made without them in this state of the catalog.
func (t *systemTable) worthColumns(rt *exec.Runtime, attrs, by []int, lookups int) bool {
	set := t.derived(rt, false)
	set.mu.Lock()
	defer set.mu.Unlock()
	set.asked += lookups
	cost := 0.0
	for _, a := range attrs {
		if a >= 0 && set.cols[a] == nil {
			cost += columnCost
		}
	}
	if cost > 0 || set.rows < 0 {
		cost++
	}
	for _, a := range by {
		if set.index[a] == nil {
			cost += columnCost
		}
	}
	if cost == 0 {
		return true
	}
	rows := float64(set.rows)
	if set.rows < 0 {
		rows = t.Estimate(rt.Catalog)
	}
	return rows*cost <= float64(set.asked*lookupCost)
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
		if len(equal) > 1 && int(rows.rows)*wideChain > len(index.next) {
			dst = p.scan(equal, dst)
			continue
		}
		for r, n := rows.first, rows.rows; n > 0; r, n = index.next[r], n-1 {
			if len(equal) == 1 || p.passes(equal, int(r)) {
				dst = append(dst, int32(p.first)*column.BatchSize+r)
			}
		}
	}
	return dst
}

// wideChain is how many times as many rows as in the shortest chain are compared column by column in the
// time that a chain is followed.
const wideChain = 16

// scan finds rows by going through the restricted columns.
func (p *finderPart) scan(equal []exec.VirtualEqual, dst []int32) []int32 {
	for k := range p.keys[equal[0].Attr].column {
		start := len(dst)
		base := int32(p.first+k) * column.BatchSize
		for i := range equal {
			v := &p.keys[equal[i].Attr].column[k]
			if i == 0 {
				dst = equalRows(v, equal[i].Value, base, dst)
				continue
			}
			n := start
			for _, r := range dst[start:] {
				if equalAt(v, int(r-base), equal[i].Value) {
					dst[n] = r
					n++
				}
			}
			dst = dst[:n]
		}
	}
	return dst
}

// equalRows appends the rows of a vector that have a value.
func equalRows(v *column.Vec, want column.Datum, base int32, dst []int32) []int32 {
	if v.Kind == column.Int && len(v.Nulls) == 0 {
		for r, x := range v.I {
			if x == want.I {
				dst = append(dst, base+int32(r))
			}
		}
		return dst
	}
	for r := range v.Len() {
		if equalAt(v, r, want) {
			dst = append(dst, base+int32(r))
		}
	}
	return dst
}

func equalAt(v *column.Vec, r int, want column.Datum) bool {
	if v.Null(r) {
		return false
	}
	if v.Kind == column.Int {
		return v.I[r] == want.I
	}
	d := v.Datum(r)
	return d.I == want.I && string(d.B) == string(want.B)
}

func (p *finderPart) passes(equal []exec.VirtualEqual, r int) bool {
	for i := range equal {
		q := &equal[i]
		if !equalAt(&p.keys[q.Attr].column[r/column.BatchSize], r%column.BatchSize, q.Value) {
			return false
		}
	}
	return true
}
