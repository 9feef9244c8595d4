package segment

import "github.com/omendb/omendb/engine/column"

// Columns of a batch that Defer has not decoded can be had as they are stored,
// to choose rows by, and then be decoded for these rows alone.

// sparseShare is the share of a batch's rows from which on a column is decoded
// as a whole: a cell by itself costs a few times as much as one in a loop.
const sparseShare = 4

// Pieces appends column i of those asked for, as it is stored. It reports false
// where cells stand elsewhere: wide values, and columns that were added later.
func (it *Iterator) Pieces(dst []column.Piece, i int) ([]column.Piece, bool) {
	for j := range it.spans {
		s := &it.spans[j]
		p := column.Piece{Lo: s.lo, Hi: s.hi, At: s.at}
		if !it.encoded(&p.Encoded, i, s) || p.HasMarks() {
			return dst, false
		}
		dst = append(dst, p)
	}
	return dst, true
}

// Load decodes column i of those asked for into dst: all rows, or at least the
// physical rows sel, which ascend. Other cells are unspecified.
func (it *Iterator) Load(dst *column.Batch, i int, sel []int32) error {
	v := &dst.Cols[i]
	if sel == nil || len(sel)*sparseShare > it.rows || it.opts.Cols[i] >= len(it.r.info.Schema.Columns) {
		return it.decode(v, i)
	}
	v.Resize(it.r.info.Schema.Columns[it.opts.Cols[i]], it.rows)
	clear(v.B) // nothing refers to blocks that may be gone
	var e column.Encoded
	for j := range it.spans {
		s := &it.spans[j]
		n := 0
		for n < len(sel) && int(sel[n]) < s.at+s.hi-s.lo {
			n++
		}
		if n == 0 {
			continue
		}
		it.encoded(&e, i, s)
		if e.HasMarks() {
			return it.decode(v, i)
		}
		e.Gather(v, sel[:n], s.at-s.lo)
		sel = sel[n:]
	}
	return nil
}
