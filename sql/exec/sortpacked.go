package exec

import (
	"math"
	"math/bits"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// A sort by integers that fits into memory writes no keys. When all rows are
// there the ranges of the key columns are known: the values, less the least,
// are packed into one word together with the number of the row, and the words
// are sorted by their digits. Columns by which the rows came in order already
// are left out, since the sort is stable.

// packedColumn is a key column of such a sort.
type packedColumn struct {
	col              int
	desc, nullsFirst bool
	lower, upper     int64
	nulls            bool
	bits             uint
}

// packable returns the key columns, nil where the sort cannot be done that way.
func (o *sortOp) packable() []packedColumn {
	k := o.st.rt.Knobs
	if k.NoPacking || k.RowAtATime || k.AlwaysSpill || o.node.Limit != nil || o.st.rt.batchSize() != column.BatchSize {
		return nil
	}
	var out []packedColumn
	for _, key := range o.node.Keys {
		s, ok := key.Expr.(*plan.Slot)
		if !ok || o.st.keyForm(s.ResultType()) != keyInt {
			return nil
		}
		out = append(out, packedColumn{col: s.Index, desc: key.Desc, nullsFirst: key.NullsFirst})
	}
	return out
}

// packedRowBytes is what sorting needs for each row beside it: its word, twice.
const packedRowBytes = 16

// addPacked keeps rows.
func (o *sortOp) addPacked(b *column.Batch) error {
	o.rows.add(b)
	held := o.rows.memory() + int64(o.rows.n)*packedRowBytes
	err := o.st.grow(held - o.held)
	o.held = held
	o.figures.Memory = max(o.figures.Memory, held)
	if err != nil || held <= o.st.rt.memoryLimit() || o.st.rt.TempFS == nil {
		return err
	}
	if err := o.toKeys(); err != nil {
		return err
	}
	return o.spill()
}

// toKeys goes over to encoded keys: from here on rows have them.
func (o *sortOp) toKeys() error {
	o.packed = nil
	for i, b := range o.rows.batches {
		if err := o.key.prepare(b); err != nil {
			return err
		}
		o.items, o.keys.ends = room(o.items, b.N), room(o.keys.ends, b.N)
		o.keys.bytes = room(o.keys.bytes, prefixBytes*b.N)
		for r := range b.N {
			start := len(o.keys.bytes)
			o.keys.bytes = o.key.at(int32(r), o.keys.bytes)
			o.noteKey(start, int32(i*column.BatchSize+r))
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
	return nil
}

// sortPacked orders the rows; false when their keys are too wide.
func (o *sortOp) sortPacked() (bool, error) {
	o.rows.seal()
	keys := o.measurePacked()
	keys = keys[:o.unsorted(keys)]
	width := uint(0)
	for i := range keys {
		width += keys[i].bits
	}
	rowBits := uint(bits.Len(uint(len(o.rows.batches) * column.BatchSize)))
	if width+rowBits > 64 {
		return false, nil
	}
	words := make([]uint64, 0, o.rows.n)
	for i, b := range o.rows.batches {
		start := len(words)
		for r := range b.N {
			words = append(words, uint64(i*column.BatchSize+r))
		}
		shift := rowBits + width
		for k := range keys {
			shift -= keys[k].bits
			keys[k].put(words[start:], &b.Cols[keys[k].col], shift)
		}
	}
	if err := o.st.rt.canceled(); err != nil {
		return false, err
	}
	o.order, o.rowMask = sortWords(words, rowBits, width), 1<<rowBits-1
	return true, nil
}

// measurePacked returns the key columns with their ranges.
func (o *sortOp) measurePacked() []packedColumn {
	keys := slices.Clone(o.packed)
	for k := range keys {
		p := &keys[k]
		p.lower, p.upper = math.MaxInt64, math.MinInt64
		for _, b := range o.rows.batches {
			v := &b.Cols[p.col]
			if !v.Nulls.Any() {
				for _, x := range v.I {
					p.lower, p.upper = min(p.lower, x), max(p.upper, x)
				}
				continue
			}
			p.nulls = true
			for i, x := range v.I {
				if !v.Null(i) {
					p.lower, p.upper = min(p.lower, x), max(p.upper, x)
				}
			}
		}
		if p.lower > p.upper {
			p.lower, p.upper = 0, 0
		}
		span := uint64(p.upper) - uint64(p.lower)
		p.bits = uint(bits.Len64(span))
		if p.nulls {
			p.bits = uint(bits.Len64(max(span, span+1)))
		}
	}
	return keys
}

// put writes a column's field into words.
func (p *packedColumn) put(words []uint64, v *column.Vec, shift uint) {
	plus, null := uint64(0), uint64(p.upper)-uint64(p.lower)+1
	if p.nulls && p.nullsFirst {
		plus, null = 1, 0
	}
	lane := v.I[:len(words)]
	switch {
	case p.nulls && v.Nulls.Any():
		for i, x := range lane {
			f := null
			switch {
			case v.Null(i):
			case p.desc:
				f = uint64(p.upper) - uint64(x) + plus
			default:
				f = uint64(x) - uint64(p.lower) + plus
			}
			words[i] |= f << shift
		}
	case p.desc:
		for i, x := range lane {
			words[i] |= (uint64(p.upper) - uint64(x) + plus) << shift
		}
	default:
		for i, x := range lane {
			words[i] |= (uint64(x) - uint64(p.lower) + plus) << shift
		}
	}
}

// unsorted returns how many of the leading key columns have to be sorted by:
// the rows came in the order of the others.
func (o *sortOp) unsorted(keys []packedColumn) int {
	for from := range keys {
		if o.inOrder(keys[from:]) {
			return from
		}
	}
	return len(keys)
}

// inOrder reports whether the rows are in the order of some columns without NULLs.
func (o *sortOp) inOrder(keys []packedColumn) bool {
	for i := range keys {
		if keys[i].nulls {
			return false
		}
	}
	last := make([]int64, len(keys))
	for i, b := range o.rows.batches {
		for r := range b.N {
			order := 0
			for k := range keys {
				x := b.Cols[keys[k].col].I[r]
				if order == 0 && x != last[k] {
					order = 1
					if (x < last[k]) != keys[k].desc {
						order = -1
					}
				}
				last[k] = x
			}
			if order < 0 && i+r > 0 {
				return false
			}
		}
	}
	return true
}

// digitBits is the greatest width of a digit: its counters stay in the first cache.
const digitBits = 11

// fewWords are sorted by comparing.
const fewWords = 512

// sortWords orders words by their bits from low on; those below are in order already.
func sortWords(words []uint64, low, width uint) []uint64 {
	if width == 0 {
		return words
	}
	if len(words) <= fewWords {
		slices.Sort(words)
		return words
	}
	other := make([]uint64, len(words))
	passes := (width + digitBits - 1) / digitBits
	each := (width + passes - 1) / passes
	for p := range passes {
		shift := low + p*each
		mask := uint64(1)<<min(each, low+width-shift) - 1
		var at [1 << digitBits]int
		for _, w := range words {
			at[w>>shift&mask]++
		}
		sum := 0
		for d, n := range at[:mask+1] {
			at[d] = sum
			sum += n
		}
		for _, w := range words {
			d := w >> shift & mask
			other[at[d]] = w
			at[d]++
		}
		words, other = other, words
	}
	return words
}

// nextPacked yields the next rows.
func (o *sortOp) nextPacked() (*column.Batch, error) {
	n := min(len(o.order)-o.at, o.st.rt.batchSize())
	if n <= 0 {
		return nil, nil
	}
	o.idx = o.idx[:0]
	for _, w := range o.order[o.at : o.at+n] {
		o.idx = append(o.idx, int32(w&o.rowMask))
	}
	o.at += n
	o.out.Reset(o.kinds...)
	for c := range o.kinds {
		o.rows.gather(c, o.idx, &o.out.Cols[c])
	}
	o.out.N = n
	return &o.out, o.st.rt.canceled()
}

// join takes the rows of workers, each a part of the input in order, to sort
// them together; false where some of them went over to encoded keys.
func (o *sortOp) join(p *sortParts) (bool, error) {
	for _, s := range p.sorts {
		if s.packed == nil {
			return false, nil
		}
	}
	for _, s := range p.sorts {
		o.rows.batches = append(o.rows.batches, s.rows.batches...)
		o.rows.n += s.rows.n
	}
	o.rows.lanes = nil
	ok, err := o.sortPacked()
	if !ok {
		o.rows = newRowBuf(o.kinds, o.st.rt.batchSize())
	}
	return ok, err
}
