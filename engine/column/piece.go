package column

import (
	"bytes"
	"encoding/binary"
)

// Piece is a part of a batch's column as it is stored: rows Lo to Hi-1 of an
// encoded column are rows At and following of the batch.
type Piece struct {
	Encoded
	Lo, Hi, At int
}

// Gather sets rows of dst, which has them and none of them NULL yet, to the
// cells that are shift rows before them.
func (c *Encoded) Gather(dst *Vec, rows []int32, shift int) {
	for _, r := range rows {
		i := int(r) - shift
		switch {
		case c.nulls != nil && bitAt(c.nulls, i):
			dst.Nulls.Set(int(r))
		case c.kind == Bytes:
			if c.form != formAllNull {
				dst.B[r] = c.BytesAt(i)
			}
		case c.kind == Int:
			dst.I[r] = c.NumberAt(i)
		default:
			dst.Set(int(r), Datum{I: c.NumberAt(i)})
		}
	}
}

// Strings hands the strings of a piece over in the form in which they are
// stored: distinct ones, or all of them side by side. NULLs are not looked at.
type Strings interface {
	// Match reports whether a string is selected.
	Match(s []byte) bool
	// MatchAll appends to dst the numbers of the strings that are selected,
	// counted from first on. String i ends at ends[i], in heap; the first one
	// begins at its start.
	MatchAll(heap []byte, ends []int64, first int32, dst []int32) []int32
}

// Select appends to dst the rows of the batch in which the piece, of kind
// Bytes, has a string that m selects.
func (p *Piece) Select(m Strings, dst []int32) []int32 {
	start := len(dst)
	switch p.form {
	case formAllNull:
		return dst
	case formConstant:
		if m.Match(p.blob) {
			for i := p.Lo; i < p.Hi; i++ {
				dst = append(dst, int32(p.At+i-p.Lo))
			}
		}
	case formDict:
		dst = p.selectCodes(m, dst)
	case formPlain:
		dst = p.selectPlain(m, dst)
	default:
		for i := p.Lo; i < p.Hi; i++ {
			if m.Match(p.BytesAt(i)) {
				dst = append(dst, int32(p.At+i-p.Lo))
			}
		}
	}
	return p.dropNulls(dst, start)
}

// selectCodes asks for every entry of the dictionary once.
func (p *Piece) selectCodes(m Strings, dst []int32) []int32 {
	var small [4 * smallDict]bool
	wanted := small[:]
	if p.n > len(small) {
		wanted = make([]bool, p.n)
	}
	count := 0
	for k := range p.n {
		if wanted[k] = m.Match(p.entry(k)); wanted[k] {
			count++
		}
	}
	if count == 0 {
		return dst
	}
	var codes [unpackRows]int64
	for lo := p.Lo; lo < p.Hi; {
		part := codes[:min(p.Hi-lo, unpackRows)]
		unpack(part, p.codes, lo, p.width, 0)
		n := len(dst)
		dst = growRows(dst, len(part))
		out, row := dst[:n+len(part)], int32(p.At+lo-p.Lo)
		for i, k := range part {
			out[n] = row + int32(i)
			if wanted[k] {
				n++
			}
		}
		dst, lo = out[:n], lo+len(part)
	}
	return dst
}

// growRows makes room for n more rows.
func growRows(rows []int32, n int) []int32 {
	if cap(rows)-len(rows) < n {
		rows = append(make([]int32, 0, max(len(rows)+n, BatchSize)), rows...)
	}
	return rows
}

// selectPlain hands over strings side by side.
func (p *Piece) selectPlain(m Strings, dst []int32) []int32 {
	var ends [unpackRows]int64
	start := int64(0)
	if p.Lo > 0 {
		start = int64(PackedAt(p.codes, p.Lo-1, p.width))
	}
	for lo := p.Lo; lo < p.Hi; {
		part := ends[:min(p.Hi-lo, unpackRows)]
		unpack(part, p.codes, lo, p.width, uint64(-start)) // relative to the first string
		last := part[len(part)-1]
		dst = m.MatchAll(p.blob[start:start+last:start+last], part, int32(p.At+lo-p.Lo), dst)
		start, lo = start+last, lo+len(part)
	}
	return dst
}

// SelectNumbers appends to dst the rows of the batch in which the piece, of kind
// Int, has a number from lo to hi, or, with not, another one.
func (p *Piece) SelectNumbers(lo, hi int64, not bool, dst []int32) []int32 {
	if p.form == formAllNull || lo > hi && !not || !not && !p.mayHave(lo, hi) {
		return dst
	}
	start, keep := len(dst), 1
	if not {
		keep = 0
	}
	var nums [unpackRows]int64
	base, span := uint64(lo), uint64(hi)-uint64(lo)
	if lo > hi { // then not, and all are other ones: no difference is less than 0
		base, span, keep = 0, 1<<64-1, 1
	}
	for at := p.Lo; at < p.Hi; {
		part := nums[:min(p.Hi-at, unpackRows)]
		p.decodeNumbers(part, at)
		n := len(dst)
		dst = growRows(dst, len(part))
		out, row := dst[:n+len(part)], int32(p.At+at-p.Lo)
		for i, x := range part {
			out[n] = row + int32(i)
			in := 0
			if uint64(x)-base <= span {
				in = 1
			}
			n += 1 ^ in ^ keep
		}
		dst, at = out[:n], at+len(part)
	}
	return p.dropNulls(dst, start)
}

// dropNulls removes the rows from start on in which the piece is NULL.
func (p *Piece) dropNulls(rows []int32, start int) []int32 {
	if p.nulls == nil {
		return rows
	}
	out := rows[:start]
	for _, r := range rows[start:] {
		if !bitAt(p.nulls, int(r)-p.At+p.Lo) {
			out = append(out, r)
		}
	}
	return out
}

// mayHave reports, without unpacking, whether a number from lo to hi can be in it.
func (p *Piece) mayHave(lo, hi int64) bool {
	least := int64(p.base)
	switch p.form {
	case formConstant:
		return lo <= least && least <= hi
	case formPacked:
		if p.width < 64 {
			greatest := least + int64(uint64(1)<<uint(p.width)-1)
			return greatest < least || lo <= greatest && least <= hi
		}
	case formDict, formRuns:
		for k := range p.n {
			if x := int64(binary.LittleEndian.Uint64(p.vals[8*k:])); lo <= x && x <= hi {
				return true
			}
		}
		return false
	}
	return true
}

// EqualStrings selects strings by comparison with one.
type EqualStrings struct {
	To  []byte
	Not bool
}

// Match implements Strings.
func (e *EqualStrings) Match(s []byte) bool { return bytes.Equal(s, e.To) != e.Not }

// MatchAll implements Strings.
func (e *EqualStrings) MatchAll(heap []byte, ends []int64, first int32, dst []int32) []int32 {
	start := int64(0)
	for i, end := range ends {
		if (string(heap[start:end]) == string(e.To)) != e.Not {
			dst = append(dst, first+int32(i))
		}
		start = end
	}
	return dst
}
