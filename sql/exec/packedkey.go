package exec

import (
	"math"
	"math/bits"

	"github.com/omendb/omendb/engine/column"
)

// A key of several columns is packed into one integer: every column has as many
// bits as the range of the codes seen in it needs. A code beyond the range
// makes the field wider, at least twofold, and all keys are packed again; when
// the fields do not fit any more, the keys become pairs of numbers.

// maxPackedBits keeps packed keys positive: -1 is no key.
const maxPackedBits = 62

// packedField is the place of one column in a packed key.
type packedField struct {
	base  int64 // the code that is written as 0, or as 1 when NULL is
	bits  uint
	nulls bool // NULL is written as 0
	shift uint

	lower, upper int64 // of the codes seen, when any were
	any          bool
}

// holds returns the greatest offset from base that the field can have.
func (f *packedField) holds() uint64 {
	n := uint64(1)<<f.bits - 1
	if f.nulls {
		n--
	}
	return n
}

// ranges returns the least and the greatest code that is not NULL, and whether there is a NULL.
func (c *keyCodes) ranges() (lower, upper int64, nulls bool) {
	lower, upper = math.MaxInt64, math.MinInt64
	if c.nulls == nil {
		for _, v := range c.vals {
			lower, upper = min(lower, v), max(upper, v)
		}
		return lower, upper, false
	}
	for i, v := range c.vals {
		if c.nulls[i] {
			nulls = true
			continue
		}
		lower, upper = min(lower, v), max(upper, v)
	}
	return lower, upper, nulls
}

// fit makes the fields hold the codes of keys that are about to be added, or
// gives packing up.
func (t *groupTable) fit(codes []keyCodes) {
	var wider []packedField
	for k := range t.packed {
		f := t.packed[k]
		lower, upper, nulls := codes[k].ranges()
		if f.covers(lower, upper, nulls) {
			continue
		}
		if wider == nil {
			wider = append(wider, t.packed...)
		}
		if !f.widen(lower, upper, nulls) {
			t.unpack()
			return
		}
		wider[k] = f
	}
	if wider == nil {
		return
	}
	shift := uint(0)
	for k := range wider {
		wider[k].shift = shift
		shift += wider[k].bits
	}
	if shift > maxPackedBits {
		t.unpack()
		return
	}
	t.repack(wider)
}

// covers reports whether codes have room in the field.
func (f *packedField) covers(lower, upper int64, nulls bool) bool {
	if nulls && !f.nulls {
		return false
	}
	if lower > upper { // NULLs only
		return f.any || f.nulls
	}
	return f.any && lower >= f.base && uint64(upper)-uint64(f.base) <= f.holds()
}

// widen makes room for codes; false when there is none.
func (f *packedField) widen(lower, upper int64, nulls bool) bool {
	before := f.bits
	f.nulls = f.nulls || nulls
	if lower <= upper {
		if f.any {
			lower, upper = min(lower, f.lower), max(upper, f.upper)
		}
		f.lower, f.upper, f.any = lower, upper, true
	}
	if !f.any {
		f.bits = 1
		return true
	}
	span := uint64(f.upper) - uint64(f.lower)
	need := span
	if f.nulls {
		need++
	}
	if span >= 1<<maxPackedBits {
		return false
	}
	f.bits = uint(max(1, bits.Len64(need)))
	if before > 0 {
		f.bits = max(f.bits, before+1)
	}
	if f.bits > maxPackedBits {
		return false
	}
	spare := f.holds() - span // on both sides, but a code of a byte string never is below 0
	f.base = f.lower - int64(min(spare/2, uint64(f.lower)^1<<63))
	if f.lower >= 0 {
		f.base = max(f.base, 0)
	}
	return true
}

// pack puts the codes of n keys together; what the fields cannot hold is -1.
func (p *groupKeys) pack(n int) {
	if cap(p.words) < n {
		p.words = make([]int64, max(n, column.BatchSize))
	}
	p.words = p.words[:n]
	for k := range p.table.packed {
		f, c := &p.table.packed[k], &p.codes[k]
		f.add(p.words, c, k == 0)
	}
}

// add puts the codes of a column into its field of words.
func (f *packedField) add(words []int64, c *keyCodes, first bool) {
	holds, base, plus := f.holds(), f.base, int64(0)
	if f.nulls {
		plus = 1
	}
	if first {
		clear(words)
	}
	vals := c.vals[:len(words)]
	for i, v := range vals {
		off := v - base
		switch {
		case c.nulls != nil && c.nulls[i]:
			if !f.nulls {
				words[i] = -1
			}
		case uint64(off) > holds || !f.any:
			words[i] = -1
		default:
			words[i] |= (off + plus) << f.shift
		}
	}
}

// codesOfKeys takes packed keys apart, column by column.
func (t *groupTable) codesOfKeys(keys []int64) []keyCodes {
	out := make([]keyCodes, len(t.packed))
	for k := range t.packed {
		f := &t.packed[k]
		c := &out[k]
		c.vals = make([]int64, len(keys))
		mask := int64(1)<<f.bits - 1
		if f.nulls {
			c.nulls = make([]bool, len(keys))
		}
		for i, w := range keys {
			v := w >> f.shift & mask
			if f.nulls {
				if v == 0 {
					c.nulls[i] = true
					continue
				}
				v--
			}
			c.vals[i] = f.base + v
		}
	}
	return out
}

// repack gives the keys other fields. Their numbers stay.
func (t *groupTable) repack(fields []packedField) {
	codes := t.codesOfKeys(t.ints.keys())
	t.packed = fields
	last, ints := &fields[len(fields)-1], newIntTable(t.hashed)
	ints.listed, ints.asked = t.ints.listed, t.ints.asked
	ints.within(0, 1<<(last.shift+last.bits)-1)
	t.ints = ints
	t.again(codes, func(part []keyCodes, words []int64, ids []int32) {
		for k := range fields {
			fields[k].add(words, &part[k], k == 0)
		}
		t.ints.number(words, allRows(len(words)), ids, true)
	})
}

// unpack makes pairs of packed keys. Their numbers stay.
func (t *groupTable) unpack() {
	codes := t.codesOfKeys(t.ints.keys())
	t.makePairs()
	t.again(codes, func(part []keyCodes, _ []int64, ids []int32) { t.findPairs(part, ids, true) })
}

// again adds keys that are there already, a batch at a time.
func (t *groupTable) again(codes []keyCodes, add func(part []keyCodes, words []int64, ids []int32)) {
	words, ids := make([]int64, column.BatchSize), make([]int32, column.BatchSize)
	part := make([]keyCodes, len(codes))
	for from := 0; from < t.n; from += column.BatchSize {
		n := min(column.BatchSize, t.n-from)
		for k, c := range codes {
			part[k].vals, part[k].nulls = c.vals[from:from+n], nil
			if c.nulls != nil {
				part[k].nulls = c.nulls[from : from+n]
			}
		}
		add(part, words[:n], ids[:n])
	}
}

// tableKeys are the keys of a table whose columns are all exact, by number.
type tableKeys struct {
	table *groupTable
	codes []keyCodes
}

// exact reports whether the keys can be had from the table: two values that are
// one key look the same.
func (t *groupTable) exact() bool {
	for _, f := range t.forms {
		if f != keyInt && f != keyBytes {
			return false
		}
	}
	return !t.whole && len(t.forms) > 0
}

// list prepares for contents.
func (t *groupTable) list() {
	if t.ints != nil && t.exact() {
		t.ints.listed = true
	}
}

// contents returns the keys of an exact table as it is now.
func (t *groupTable) contents() *tableKeys {
	k := &tableKeys{table: t}
	switch {
	case t.packed != nil:
		k.codes = t.codesOfKeys(t.ints.keys())
	case t.ints != nil:
		k.codes = []keyCodes{{vals: t.ints.keys()}}
		if id := t.ints.null; id > 0 {
			k.codes[0].nulls = make([]bool, t.n)
			k.codes[0].nulls[id-1] = true
		}
	case len(t.forms) > 1:
		k.codes = t.codesOfPairs()
	}
	return k
}

// codesOfPairs takes apart what pairs has numbered.
func (t *groupTable) codesOfPairs() []keyCodes {
	out := make([]keyCodes, len(t.forms))
	var ids []int64 // of the pairs wanted, by number of key
	for k := len(t.pairs) - 1; k >= 0; k-- {
		a, b := t.pairs[k].keys()
		if ids == nil {
			out[k+1] = b
			ids = a.vals
			out[0] = a
			continue
		}
		left, right := keyCodes{vals: make([]int64, t.n), nulls: make([]bool, t.n)}, keyCodes{vals: make([]int64, t.n), nulls: make([]bool, t.n)}
		for i, id := range ids {
			left.vals[i], left.nulls[i] = a.vals[id], a.nulls[id]
			right.vals[i], right.nulls[i] = b.vals[id], b.nulls[id]
		}
		out[k+1], out[0], ids = right, left, left.vals
	}
	return out
}

// fill puts column c of n keys from number from on into a vector.
func (k *tableKeys) fill(c, from, n int, dst *column.Vec) {
	bytes := k.table.bytes[c]
	if bytes == nil {
		dst.Resize(column.Int, n)
		codes := &k.codes[c]
		copy(dst.I, codes.vals[from:from+n])
		if codes.nulls != nil {
			for i, null := range codes.nulls[from : from+n] {
				if null {
					dst.Nulls.Set(i)
				}
			}
		}
		return
	}
	dst.Resize(column.Bytes, n)
	for i := range n {
		code := int32(from + i)
		if k.codes != nil {
			code = int32(k.codes[c].vals[from+i])
		}
		if code == bytes.null-1 {
			dst.Nulls.Set(i)
			dst.B[i] = nil
			continue
		}
		b := bytes.entries.get(code)
		dst.B[i] = b[:len(b):len(b)]
	}
}
