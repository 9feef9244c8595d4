package segment

import (
	"bytes"
	"encoding/binary"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
)

// probe is the first half of a search in a block: what is known before a row
// was looked at.
type probe struct {
	x      uint64 // number that is looked for, relative to the first key's
	row    int    // where the model expects it, or where the search ended
	lo, hi int    // bounds of the first row that is not less, hi included
	kind   probeKind
	exact  bool // row, if it has the number x, has the key
	rough  bool // row is of no use
}

type probeKind uint8

const (
	probeDone     probeKind = iota // row is the answer, and not exact
	probeFixed                     // search the numbers
	probeVariable                  // search the suffixes
)

// lowerBound returns the first row whose key is not less than key, and
// whether it is equal.
func (b *block) lowerBound(key []byte, noModel bool) (row int, exact bool) {
	var p probe
	b.head.probe(&p, b.data, key, nil, noModel)
	return b.head.finish(b.data, key, &p)
}

// probe begins the search for a key. With the window of the search of the
// fences, it often does not look at the block. It sets all of p.
func (h *blockHead) probe(p *probe, data, key []byte, w *window, noModel bool) {
	if noModel {
		if h.probeSuffix(p, data, key); p.kind != probeDone {
			p.lo, p.hi, p.rough = 0, int(h.rows), true
		}
		return
	}
	if w == nil || int(h.whole) != len(w.rest) || h.whole == 0 || w.side != 0 {
		h.probeSuffix(p, data, key)
		return
	}
	n := w.chunk >> (64 - 8*uint(h.whole))
	if n < h.base {
		p.kind, p.row = probeDone, 0
		return
	}
	p.kind, p.exact = probeFixed, true
	h.expect(p, n-h.base)
}

// expect sets the range and the row where the model expects number x.
func (h *blockHead) expect(p *probe, x uint64) {
	p.x, p.rough = x, h.model.rough()
	p.row, p.lo, p.hi = h.model.place(x, int(h.rows))
}

// probeSuffix is probe for a key whose prefix must be compared with the block's.
func (h *blockHead) probeSuffix(p *probe, data, key []byte) {
	n := int(h.prefixLength)
	prefix := data[h.prefix:][:n]
	p.kind, p.row = probeDone, 0
	if len(key) < n || string(key[:n]) != string(prefix) {
		if bytes.Compare(key, prefix) > 0 {
			p.row = int(h.rows)
		}
		return
	}
	rest, base := key[n:], h.base
	x := learned.Chunk(rest)
	if h.length >= 0 {
		if base = h.suffixBase(); h.length < 8 {
			x >>= 64 - 8*uint(h.length)
		}
	}
	if x < base {
		return
	}
	if x -= base; h.length < 0 {
		p.kind = probeVariable
		h.expect(p, x)
		return
	}
	if len(rest) > int(h.length) { // such a key follows the row whose suffix it extends
		if x++; x == 0 {
			p.row = int(h.rows)
			return
		}
	}
	p.kind, p.exact = probeFixed, len(rest) == int(h.length)
	h.expect(p, x)
}

// near returns the first and the last byte that a search from a row on is
// likely to read: the processor fetches the lines of both at once, and not the
// second after the first has told which way to go.
func (h *blockHead) near(row int) (from, to int) {
	reach := int(min(h.model.spread, roughRows)+1) * int(h.width)
	at, bit := h.packed(), row*int(h.width)
	return at + max(bit-reach, 0)>>3, at + (bit+reach)>>3 + 7
}

// finish ends a search that probe began.
func (h *blockHead) finish(data, key []byte, p *probe) (row int, exact bool) {
	switch p.kind {
	case probeDone:
		return p.row, false
	case probeVariable:
		return h.searchSuffixes(data, key[h.prefixLength:], p)
	}
	row = h.searchNumbers(data, p)
	return row, p.exact && row < int(h.rows) && h.number(data, row) == p.x
}

// number returns the number of row i, relative to the first, in the fixed form.
func (h *blockHead) number(data []byte, i int) uint64 {
	if h.width == 0 {
		return 0
	}
	return packedAt(data[h.packed():], i*int(h.width), 1<<h.width-1)
}

// packedAt returns the packed number that begins at a bit.
func packedAt(p []byte, bit int, mask uint64) uint64 {
	return binary.LittleEndian.Uint64(p[bit>>3:]) >> (uint(bit) & 7) & mask
}

// walkRows rows are compared one by one before the rest is halved.
const walkRows = 8

// searchNumbers returns the first row whose number is not less than the
// probe's. From a good prediction it walks: the branch that ends a short walk
// is cheaper than the halving of a range. From a rough one it halves without a
// branch that the processor could guess wrong.
func (h *blockHead) searchNumbers(data []byte, p *probe) int {
	x, row, lo, hi := p.x, p.row, p.lo, p.hi
	width := int(h.width)
	switch {
	case lo == hi:
		return lo
	case width == 0: // one key, in several versions
		if x > 0 {
			return hi
		}
		return lo
	}
	k, mask := data[h.packed():], uint64(1)<<h.width-1
	if !p.rough {
		if packedAt(k, row*width, mask) < x {
			for end := min(row+walkRows, hi); row < end; {
				if row++; row == hi || packedAt(k, row*width, mask) >= x {
					return row
				}
			}
			lo = min(row+1, hi)
		} else {
			for end := max(row-walkRows, lo); row > end; row-- {
				if packedAt(k, (row-1)*width, mask) < x {
					return row
				}
			}
			hi = row
		}
	}
	n := hi - lo
	if n == 0 {
		return lo
	}
	for n > 1 {
		half := n >> 1
		if packedAt(k, (lo+half-1)*width, mask) < x {
			lo += half
		}
		n -= half
	}
	if packedAt(k, lo*width, mask) < x {
		lo++
	}
	return lo
}

// searchSuffixes returns the first row whose suffix is not less than rest, and
// whether it is equal.
func (h *blockHead) searchSuffixes(data, rest []byte, p *probe) (int, bool) {
	k, width := data[h.packed():], int(h.width)
	blob := k[column.PackedSize(int(h.rows), width):]
	suffix := func(i int) []byte {
		var from uint64
		if i > 0 {
			from = column.PackedAt(k, i-1, width)
		}
		to := column.PackedAt(k, i, width)
		return blob[from:to:to]
	}
	lo, hi, at := p.lo, p.hi, p.row
	if p.rough {
		at = int(uint(lo+hi) >> 1)
	}
	for step := 1; lo < hi; step *= 2 { // away from the prediction in growing steps
		at = min(max(at, lo), hi-1)
		c := bytes.Compare(suffix(at), rest)
		if c == 0 && (at == 0 || !bytes.Equal(suffix(at-1), rest)) {
			return at, true
		}
		if c < 0 {
			lo = at + 1
		} else {
			hi = at
		}
		switch {
		case p.rough || step > walkRows:
			at = int(uint(lo+hi) >> 1)
		case c < 0:
			at += step
		default:
			at -= step
		}
	}
	return lo, lo < int(h.rows) && bytes.Equal(suffix(lo), rest)
}
