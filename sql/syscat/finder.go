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
	state   *tableRows // whose rows they are; nil: there are facts only
	batches []column.Batch
	parts   []finderPart
}

// finderPart is the rows of the facts, or those of a chunk.
type finderPart struct {
	first int // its first batch
	keys  []finderKey
}

// finderKey is a restricted column.
type finderKey struct {
	attr   int
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
		p := finderPart{keys: make([]finderKey, 0, len(by))}
		for _, a := range by {
			p.keys = append(p.keys, finderKey{a, f.columns.cols[a], f.by(a)})
		}
		first = batchesOf(len(f.rows))
		f.columns.mu.Unlock()
		x.parts = append(x.parts, p)
	}
	if t.rows == nil {
		return x, true
	}
	x.state = t.derived(rt)
	for _, c := range x.state.chunks {
		c.mu.Lock()
		t.fill(rt, c, by)
		p := finderPart{first: first, keys: make([]finderKey, 0, len(by))}
		for _, a := range by {
			p.keys = append(p.keys, finderKey{a, c.cols[a], c.by(a, t.kinds())})
		}
		first += batchesOf(c.rows)
		c.mu.Unlock()
		x.parts = append(x.parts, p)
	}
	return x, true
}

// batchesOf returns how many batches rows take up.
func batchesOf(rows int) int { return (rows + column.BatchSize - 1) / column.BatchSize }

// worthColumns reports whether what is missing of the columns costs less to make than the look-ups that were
// made without them.
func (t *systemTable) worthColumns(rt *exec.Runtime, attrs, by []int, lookups int) bool {
	state := t.derived(rt)
	asked := state.asked.Add(int64(lookups))
	cost := 0.0
	for _, c := range state.chunks {
		cost += c.missing(attrs, by)
	}
	return cost <= float64(asked*lookupCost)
}

// missing returns what it costs to make some columns and indexes of a chunk, those that are there left out.
func (c *chunk) missing(attrs, by []int) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	cost := 0.0
	for _, a := range attrs {
		if a >= 0 && c.cols[a] == nil {
			cost += columnCost
		}
	}
	if cost > 0 || c.rows < 0 {
		cost++
	}
	for _, a := range by {
		if c.index[a] == nil {
			cost += columnCost
		}
	}
	if c.rows < 0 {
		return cost * c.expected
	}
	return cost * float64(c.rows)
}

// Batches implements exec.VirtualIndex.
func (x *finder) Batches() []column.Batch { return x.batches }

// Current implements exec.VirtualIndex.
func (x *finder) Current(rt *exec.Runtime) bool {
	return x.state == nil || x.state == x.table.derived(rt)
}

// Find implements exec.VirtualIndex.
func (x *finder) Find(equal []exec.VirtualEqual, dst []int32) []int32 {
	for i := range x.parts {
		p := &x.parts[i]
		index, rows := shortest(equal, func(attr int) *factIndex { return p.key(attr).index })
		if rows.rows == 0 {
			continue
		}
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

func (p *finderPart) key(attr int) *finderKey {
	i := 0
	for p.keys[i].attr != attr {
		i++
	}
	return &p.keys[i]
}

// scan finds rows by going through the restricted columns.
func (p *finderPart) scan(equal []exec.VirtualEqual, dst []int32) []int32 {
	for k := range p.key(equal[0].Attr).column {
		start := len(dst)
		base := int32(p.first+k) * column.BatchSize
		for i := range equal {
			v := &p.key(equal[i].Attr).column[k]
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
		if !equalAt(&p.key(q.Attr).column[r/column.BatchSize], r%column.BatchSize, q.Value) {
			return false
		}
	}
	return true
}
