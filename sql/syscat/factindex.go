package syscat

import (
	"math/bits"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/exec"
)

// factIndex finds rows by the value of one column: those of a value form a chain, in their
// order. The chains are in a table of twice their number, at the place that the
// value's hash says or the next free one.
type factIndex struct {
	ints   []int64 // values of the chains; nil: texts, which are those of the chains' first rows
	at     func(row int) column.Datum
	chains []chain
	shift  int
	lo, hi int64   // the least and greatest integer; lo > hi: none
	next   []int32 // by row: the next one of the same value, -1 at the end
}

// chain is the rows of one value.
type chain struct{ first, rows int32 }

// newFactIndex indexes a column of some number of rows.
func newFactIndex(kind column.Kind, rows int, at func(row int) column.Datum) *factIndex {
	size := max(bits.Len(uint(rows))+1, 2)
	x := &factIndex{next: make([]int32, rows), chains: make([]chain, 1<<size), shift: 64 - size, at: at, lo: 1}
	if kind != column.Bytes {
		x.ints = make([]int64, 1<<size)
	}
	for r := rows - 1; r >= 0; r-- {
		d := at(r)
		if d.Null {
			continue
		}
		i := x.place(d)
		c := &x.chains[i]
		if c.rows == 0 {
			c.first = -1
			if x.ints != nil {
				x.ints[i] = d.I
			}
		}
		x.next[r] = c.first
		*c = chain{int32(r), c.rows + 1}
		if x.ints == nil {
			continue
		}
		if x.lo > x.hi {
			x.lo, x.hi = d.I, d.I
		}
		x.lo, x.hi = min(x.lo, d.I), max(x.hi, d.I)
	}
	return x
}

// place returns where a value's chain is, or would be.
func (x *factIndex) place(v column.Datum) int {
	const multiplier = 0x9E3779B97F4A7C15
	last := len(x.chains) - 1
	if x.ints != nil {
		i := int(uint64(v.I) * multiplier >> x.shift)
		for x.chains[i].rows > 0 && x.ints[i] != v.I {
			i = (i + 1) & last
		}
		return i
	}
	h := uint64(len(v.B))
	for _, c := range v.B {
		h = (h ^ uint64(c)) * 1099511628211
	}
	i := int(h * multiplier >> x.shift)
	for x.chains[i].rows > 0 && string(x.at(int(x.chains[i].first)).B) != string(v.B) {
		i = (i + 1) & last
	}
	return i
}

func (x *factIndex) chain(v column.Datum) chain {
	if x.ints != nil && (v.I < x.lo || v.I > x.hi) {
		return chain{}
	}
	return x.chains[x.place(v)]
}

// visit calls fn for the rows of a chain until it returns false.
func (x *factIndex) visit(c chain, fn func(row int) bool) bool {
	for r, n := c.first, c.rows; n > 0; r, n = x.next[r], n-1 {
		if !fn(int(r)) {
			return false
		}
	}
	return true
}

// shortest returns the index with the fewest rows of a restriction, which is not empty.
func shortest(equal []exec.VirtualEqual, index func(attr int) *factIndex) (best *factIndex, rows chain) {
	for _, q := range equal {
		x := index(q.Attr)
		c := x.chain(q.Value)
		if best == nil || c.rows < rows.rows {
			best, rows = x, c
		}
		if rows.rows < fewRows {
			break
		}
	}
	return best, rows
}
