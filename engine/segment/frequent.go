package segment

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/omendb/omendb/engine/column"
)

// Frequent lists the most common values of a column. Every value that is in more
// than one of 32 rows counted is in it, unless it is too long; others may be.
type Frequent struct {
	Values   []FrequentValue // most common first
	Counted  uint64          // rows whose values were counted; NULLs are not among them
	Omitted  uint64          // of these: values of more than MaxFrequentBytes bytes, which are not listed
	Unlisted uint64          // each other value that is not listed is in at most this many of the rows counted
}

// FrequentValue is a value with an estimate of its rows and with what is certain.
type FrequentValue struct {
	Value  column.Datum
	Rows   uint64 // estimate
	Least  uint64 // the value is in at least this many rows
	Missed uint64 // and in at most this many more of the rows counted
}

const (
	// MaxFrequent is the greatest number of values listed for a column. What
	// holds of more than one of 32 rows holds at this length: see frequencies.
	MaxFrequent = 48

	// MaxFrequentBytes is the length of a byte string above which it is not
	// listed: footers stay in memory.
	MaxFrequentBytes = 256

	// heldFrequencies values survive when there are twice as many: a value in
	// more than one of 129 rows is never lost.
	heldFrequencies = 128

	// leastShare is the part of rows below which a value is not listed, as one of so many.
	leastShare = 512

	// dearRows are counted one by one even where that is dear; of the blocks
	// behind them one in flatEvery is counted while no value stands out, else
	// one in steepEvery.
	dearRows   = 2048
	steepEvery = 4
	flatEvery  = 32
	flatShare  = 64 // a value stands out that is in more than one of so many rows

	// pairedRows in a sampled block are enough for what stands out to be in it
	// twice: the values that are in it once are not taken up.
	pairedRows = 64
)

var errFrequent = errors.New("malformed list of most common values")

// frequencies finds the most common values of a column in one pass, block by
// block, in memory that does not grow with the rows: J. Misra and D. Gries,
// Finding repeated elements, Science of Computer Programming 2, 1982, in the form
// that adds whole summaries: P. Agarwal, G. Cormode, Z. Huang, J. Phillips, Z. Wei
// and K. Yi, Mergeable summaries, PODS 2012. Each block is a summary whose
// counts come from its encoding. We deviate in two ways. The numbers that the method
// takes away from all counters are summed up in floor instead, and a value remembers
// the floor at which it came in, so that each has an error bound of its own and
// its count stays a lower bound. And blocks with many different values are only
// sampled once enough of them have been seen: their rows weigh more in the
// estimate and are not in the lower bound.
//
// What holds: a value that is not held is in no more than floor rows counted, by weight;
// as long as no block was passed over, floor is at most the weight of all rows by heldFrequencies+1.
type frequencies struct {
	held   []frequency
	slots  []int16 // hash table of places in held; 0 is free, else place+1
	floor  uint64
	weight uint64 // of all rows counted

	counted, omitted uint64
	top              uint64 // the greatest estimate
	dear             uint64 // rows in blocks that are dear to count
	blocks           uint64 // of these
	skipped          uint64 // rows in such blocks since the last that was counted
	counts           []column.Count
	scratch          []uint64
}

// frequency is a value that is held.
type frequency struct {
	value  column.Datum
	hash   uint64
	rows   uint64 // by weight, since it is held
	least  uint64 // rows, since it is held
	missed uint64 // the floor when it came in
}

// add counts the values of a block's column, which e has just encoded; wide
// are the cells that do not hold their value.
func (f *frequencies) add(e *column.Encoder, v *column.Vec, wide column.Bitmap) {
	rows := uint64(v.Len())
	weight := uint64(1)
	if few := e.Distinct(); few < 0 || 8*uint64(few) > rows {
		if weight = f.turn(rows); weight == 0 {
			return
		}
	}
	f.counts = e.Tally(v, f.counts[:0])
	cut := f.blockFloor()
	if weight > 1 && rows >= pairedRows {
		cut = max(cut, 1)
	}
	for _, c := range f.counts {
		n := uint64(c.N)
		f.counted += n
		f.weight += n * weight
		d := v.Datum(int(c.Row))
		if wide.Get(int(c.Row)) || len(d.B) > MaxFrequentBytes {
			f.omitted += n
			continue
		}
		f.count(v.Kind, d, n, weight, n > cut)
	}
	f.floor += cut * weight
}

// turn decides about a block of rows that are dear to count: 0 to skip it, else what each row of it weighs.
func (f *frequencies) turn(rows uint64) (weight uint64) {
	if f.dear += rows; f.dear <= dearRows {
		return 1
	}
	every := uint64(flatEvery)
	if f.top > f.weight/flatShare {
		every = steepEvery
	}
	if f.blocks++; f.blocks%every != 0 {
		f.skipped += rows
		return 0
	}
	weight = (f.skipped + rows) / rows
	f.skipped -= (weight - 1) * rows
	return weight
}

// blockFloor returns what the count of a value in the block must exceed for the value to
// be taken up, so that no more than heldFrequencies are.
func (f *frequencies) blockFloor() uint64 {
	if len(f.counts) <= heldFrequencies {
		return 0
	}
	f.scratch = f.scratch[:0]
	for _, c := range f.counts {
		if c.N > 1 {
			f.scratch = append(f.scratch, uint64(c.N))
		}
	}
	if len(f.scratch) <= heldFrequencies {
		return 1
	}
	return f.rank()
}

// rank returns the greatest number in scratch that is not among the first heldFrequencies.
func (f *frequencies) rank() uint64 {
	slices.Sort(f.scratch)
	return f.scratch[len(f.scratch)-1-heldFrequencies]
}

// count adds n rows of a value that is held already, or else takes it up if it may be.
func (f *frequencies) count(k column.Kind, d column.Datum, n, weight uint64, take bool) {
	h := hashOf(k, d)
	p := f.place(k, d, h)
	if p == nil {
		if !take {
			return
		}
		p = f.take(k, d, h)
	}
	p.rows += n * weight
	p.least += n
	f.top = max(f.top, p.rows)
}

func hashOf(k column.Kind, d column.Datum) uint64 {
	if k == column.Bytes {
		return column.HashBytes(d.B)
	}
	return column.HashUint64(uint64(d.I))
}

// sameValue compares two values bit by bit, as hashes do.
func sameValue(k column.Kind, a, b column.Datum) bool {
	if k == column.Bytes {
		return bytes.Equal(a.B, b.B)
	}
	return a.I == b.I
}

// place returns the counter of a value, nil if it is not held.
func (f *frequencies) place(k column.Kind, d column.Datum, h uint64) *frequency {
	if len(f.slots) == 0 {
		return nil
	}
	mask := uint64(len(f.slots) - 1)
	for i := h & mask; f.slots[i] != 0; i = (i + 1) & mask {
		if p := &f.held[f.slots[i]-1]; p.hash == h && sameValue(k, p.value, d) {
			return p
		}
	}
	return nil
}

// take makes a counter for a value, first making room for it.
func (f *frequencies) take(k column.Kind, d column.Datum, h uint64) *frequency {
	if len(f.held) == 2*heldFrequencies {
		f.evict()
	}
	n := len(f.held)
	if n < cap(f.held) {
		f.held = f.held[:n+1]
	} else {
		f.held = append(f.held, frequency{})
	}
	p := &f.held[n]
	own := p.value.B[:0]
	*p = frequency{value: d, hash: h, missed: f.floor}
	if k == column.Bytes {
		p.value.B = append(own, d.B...)
	}
	if 2*len(f.held) > len(f.slots) {
		f.index()
	} else {
		f.link(n)
	}
	return p
}

// evict raises the floor so that half of the values are left.
func (f *frequencies) evict() {
	f.scratch = f.scratch[:0]
	for i := range f.held {
		f.scratch = append(f.scratch, f.held[i].rows+f.held[i].missed)
	}
	f.floor = max(f.floor, f.rank())
	kept := 0
	for i := range f.held {
		if p := &f.held[i]; p.rows+p.missed > f.floor {
			f.held[kept], f.held[i] = f.held[i], f.held[kept] // what goes keeps its memory for what comes
			kept++
		}
	}
	f.held = f.held[:kept]
	f.index()
}

// index makes the hash table anew.
func (f *frequencies) index() {
	size := 32
	for size < 2*len(f.held) {
		size *= 2
	}
	if size > len(f.slots) {
		f.slots = make([]int16, size)
	} else {
		clear(f.slots)
	}
	for i := range f.held {
		f.link(i)
	}
}

func (f *frequencies) link(place int) {
	mask := uint64(len(f.slots) - 1)
	i := f.held[place].hash & mask
	for f.slots[i] != 0 {
		i = (i + 1) & mask
	}
	f.slots[i] = int16(place + 1)
}

// list returns the values that are common among rows that are not NULL.
func (f *frequencies) list(k column.Kind, rows uint64) Frequent {
	out := Frequent{Counted: f.counted, Omitted: f.omitted, Unlisted: f.floor}
	short := f.counted - f.omitted
	scale := float64(rows) / float64(max(f.weight, 1))
	held := slices.Clone(f.held)
	slices.SortFunc(held, func(a, b frequency) int {
		if c := cmp.Compare(b.rows, a.rows); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.value.I, b.value.I), bytes.Compare(a.value.B, b.value.B))
	})
	for _, p := range held {
		if len(out.Values) == MaxFrequent || p.least < 2 && f.counted > 1 || p.rows < f.weight/leastShare {
			out.Unlisted = max(out.Unlisted, p.least+p.missed)
			continue
		}
		estimate := uint64(math.Round(float64(p.rows) * scale))
		v := FrequentValue{Value: p.value.Clone(), Rows: min(max(estimate, p.least), rows), Least: p.least, Missed: p.missed}
		if k == column.Bytes && v.Value.B == nil {
			v.Value.B = []byte{}
		}
		out.Values = append(out.Values, v)
	}
	out.Unlisted = min(out.Unlisted, short)
	for i := range out.Values {
		out.Values[i].Missed = min(out.Values[i].Missed, out.Unlisted)
	}
	slices.SortStableFunc(out.Values, func(a, b FrequentValue) int { return cmp.Compare(b.Rows, a.Rows) })
	return out
}

// append encodes the list: counted, omitted, unlisted and the number of values,
// uvarints, and for each value u64 or, of a Bytes column, a string, then rows,
// least and missed, uvarints.
func (f *Frequent) append(dst []byte, k column.Kind) []byte {
	for _, x := range []uint64{f.Counted, f.Omitted, f.Unlisted, uint64(len(f.Values))} {
		dst = binary.AppendUvarint(dst, x)
	}
	for _, v := range f.Values {
		if k == column.Bytes {
			dst = appendString(dst, v.Value.B)
		} else {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v.Value.I))
		}
		for _, x := range []uint64{v.Rows, v.Least, v.Missed} {
			dst = binary.AppendUvarint(dst, x)
		}
	}
	return dst
}

// readFrequent reads what append wrote about a column of rows that are not NULL.
func readFrequent(r *footerReader, k column.Kind, rows uint64) (f Frequent) {
	f.Counted, f.Omitted, f.Unlisted = r.uvarint(), r.uvarint(), r.uvarint()
	n := r.uvarint()
	bad := n > MaxFrequent || f.Counted > rows || f.Omitted > f.Counted || f.Unlisted > f.Counted-f.Omitted
	for i := uint64(0); i < n && !bad && !r.bad; i++ {
		var v FrequentValue
		if k == column.Bytes {
			v.Value.B = r.string()
			bad = len(v.Value.B) > MaxFrequentBytes
		} else {
			v.Value.I = int64(r.u64())
		}
		v.Rows, v.Least, v.Missed = r.uvarint(), r.uvarint(), r.uvarint()
		bad = bad || v.Least == 0 || v.Least > v.Rows || v.Rows > rows || v.Missed > f.Unlisted
		f.Values = append(f.Values, v)
	}
	if bad || !f.consistent(k) {
		r.bad, r.err, r.b = true, errFrequent, nil
	}
	return f
}

// consistent reports whether values come in order, each once, and in no more rows than were counted.
func (f *Frequent) consistent(k column.Kind) bool {
	left := f.Counted - f.Omitted
	for i, v := range f.Values {
		if v.Least > left || i > 0 && f.Values[i-1].Rows < v.Rows {
			return false
		}
		left -= v.Least
		if slices.ContainsFunc(f.Values[:i], func(o FrequentValue) bool { return sameValue(k, o.Value, v.Value) }) {
			return false
		}
	}
	return true
}

// Bounds returns in how many of a column's rows, of which rows are not NULL, value i of the list is.
func (f *Frequent) Bounds(i int, rows uint64) (least, most uint64) {
	v := &f.Values[i]
	return v.Least, min(rows-f.Omitted, v.Least+v.Missed+(rows-f.Counted))
}
