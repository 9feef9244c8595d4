package exec

import (
	"slices"

	"github.com/omendb/omendb/engine/column"
)

// arena copies byte strings into large blocks, so that keeping many small
// values costs few allocations. What it returned stays valid; reset allows to
// use the newest block again.
type arena struct {
	block []byte
	total int64
}

// Blocks grow up to arenaBlock: many arenas never hold more than a few values.
const (
	arenaBlock = 64 << 10
	firstBlock = 1 << 8
)

func (a *arena) copy(b []byte) []byte {
	if len(b) == 0 {
		return b[:0:0]
	}
	if cap(a.block)-len(a.block) < len(b) {
		size := min(max(firstBlock, 2*cap(a.block)), arenaBlock)
		if len(b) > size/4 {
			a.total += int64(len(b))
			return append([]byte(nil), b...)
		}
		a.block = make([]byte, 0, size)
		a.total += int64(size)
	}
	n := len(a.block)
	a.block = append(a.block, b...)
	return a.block[n:len(a.block):len(a.block)]
}

// restart allows to use the newest block again: nobody may look at what was copied into it before.
func (a *arena) restart() { a.block, a.total = a.block[:0], int64(cap(a.block)) }

// rowBuf keeps rows in memory, in batches of a fixed size that own their bytes.
type rowBuf struct {
	kinds   []column.Kind
	size    int // rows per batch
	batches []*column.Batch
	n       int
	bytes   arena
	fixed   int64 // bytes in lanes
	lanes   *rowLanes
	interns []interner // by column: byte strings that are kept once; nil: none is
}

func newRowBuf(kinds []column.Kind, size int) *rowBuf { return &rowBuf{kinds: kinds, size: size} }

// memory returns the bytes held.
func (s *rowBuf) memory() int64 { return s.fixed + s.bytes.total }

// tail returns the batch that the next of n rows goes to.
func (s *rowBuf) tail(n int) *column.Batch {
	s.lanes = nil
	if k := len(s.batches); k > 0 && s.batches[k-1].N < s.size {
		return s.batches[k-1]
	}
	b := &column.Batch{}
	b.Reset(s.kinds...)
	n = s.room(n)
	for i, k := range s.kinds {
		v := &b.Cols[i]
		switch k {
		case column.Int:
			v.I = make([]int64, 0, n)
		case column.Float:
			v.F = make([]float64, 0, n)
		default:
			v.B = make([][]byte, 0, n)
		}
	}
	s.batches = append(s.batches, b)
	return b
}

// room returns for how many rows a new batch has room when n are to be added: the first one grows as needed, since
// many buffers hold few rows, but not where many come at once.
func (s *rowBuf) room(n int) int {
	if len(s.batches) > 0 || 4*n >= s.size {
		return s.size
	}
	return max(16, n)
}

func (s *rowBuf) rowBytes() int64 {
	var n int64
	for _, k := range s.kinds {
		if k == column.Bytes {
			n += 24
		} else {
			n += 8
		}
	}
	return n
}

// add copies the rows of b.
func (s *rowBuf) add(b *column.Batch) {
	rows := selected(b, b.Sel)
	s.fixed += s.rowBytes() * int64(len(rows))
	for len(rows) > 0 {
		t := s.tail(len(rows))
		n := min(len(rows), s.size-t.N)
		for c := range s.kinds {
			var in *interner
			if s.interns != nil {
				in = &s.interns[c]
				in.batch()
			}
			s.addColumn(&t.Cols[c], &b.Cols[c], rows[:n], t.N, in)
		}
		t.N += n
		s.n += n
		rows = rows[n:]
	}
}

func (s *rowBuf) addColumn(dst, src *column.Vec, rows []int32, start int, in *interner) {
	dst.Grow(len(rows))
	nulls := len(src.Nulls) > 0
	if nulls {
		for i, r := range rows {
			if src.Null(int(r)) {
				dst.Nulls.Set(start + i)
			}
		}
	}
	switch dst.Kind {
	case column.Int:
		dst.I = appendRows(dst.I, src.I, rows)
	case column.Float:
		dst.F = appendRows(dst.F, src.F, rows)
	default:
		for _, r := range rows {
			if nulls && src.Null(int(r)) {
				dst.B = append(dst.B, nil)
				continue
			}
			if in != nil {
				dst.B = append(dst.B, in.copy(src.B[r], &s.bytes))
				continue
			}
			dst.B = append(dst.B, s.bytes.copy(src.B[r]))
		}
	}
}

// intern makes columns of few byte strings keep each of them once.
func (s *rowBuf) intern() { s.interns = make([]interner, len(s.kinds)) }

// appendRows appends the values of ascending rows: all at once where none between them is left out.
func appendRows[T any](dst, src []T, rows []int32) []T {
	if n := len(rows); n > 0 && int(rows[n-1]-rows[0]) == n-1 {
		return append(dst, src[rows[0]:rows[n-1]+1]...)
	}
	for _, r := range rows {
		dst = append(dst, src[r])
	}
	return dst
}

// addRow copies one row.
func (s *rowBuf) addRow(row []column.Datum) {
	t := s.tail(1)
	for c := range s.kinds {
		d := row[c]
		if s.kinds[c] == column.Bytes && !d.Null {
			d.B = s.bytes.copy(d.B)
		}
		t.Cols[c].Append(d)
	}
	t.N++
	s.n++
	s.fixed += s.rowBytes()
}

// share adds rows of batches whose bytes stay as they are, counted as virtual indexes count them.
func (s *rowBuf) share(batches []column.Batch, refs []int32) {
	s.fixed += s.rowBytes() * int64(len(refs))
	for len(refs) > 0 {
		t := s.tail(len(refs))
		n := min(len(refs), s.size-t.N)
		for c := range t.Cols {
			v := &t.Cols[c]
			for _, k := range refs[:n] {
				v.Append(batches[int(k)/column.BatchSize].Cols[c].Datum(int(k) % column.BatchSize))
			}
		}
		t.N += n
		s.n += n
		refs = refs[n:]
	}
}

// datum returns column c of row i.
func (s *rowBuf) datum(i, c int) column.Datum {
	return s.batches[i/s.size].Cols[c].Datum(i % s.size)
}

// load copies row i into dst, sharing bytes.
func (s *rowBuf) load(i int, dst []column.Datum) {
	b, r := s.batches[i/s.size], i%s.size
	for c := range s.kinds {
		dst[c] = b.Cols[c].Datum(r)
	}
}

// gather appends column c of the given rows to dst; -1 is a row of NULLs.
func (s *rowBuf) gather(c int, rows []int32, dst *column.Vec) {
	if s.lanes != nil && !s.lanes.nulls[c] {
		s.gatherLanes(c, rows, dst)
		return
	}
	dst.Grow(len(rows))
	if s.size != column.BatchSize {
		for _, r := range rows {
			s.gatherRow(c, int(r)/s.size, int(r)%s.size, dst)
		}
		return
	}
	if s.whole(c, rows) {
		switch dst.Kind {
		case column.Int:
			for _, r := range rows {
				dst.I = append(dst.I, s.batches[uint32(r)/column.BatchSize].Cols[c].I[uint32(r)%column.BatchSize])
			}
		case column.Float:
			for _, r := range rows {
				dst.F = append(dst.F, s.batches[uint32(r)/column.BatchSize].Cols[c].F[uint32(r)%column.BatchSize])
			}
		default:
			for _, r := range rows {
				dst.B = append(dst.B, s.batches[uint32(r)/column.BatchSize].Cols[c].B[uint32(r)%column.BatchSize])
			}
		}
		return
	}
	start := dst.Len()
	for i, r := range rows { // as it nearly always is: a division less for each row
		if r < 0 {
			dst.Nulls.Set(start + i)
		} else if v := &s.batches[uint32(r)/column.BatchSize].Cols[c]; len(v.Nulls) > 0 && v.Null(int(uint32(r)%column.BatchSize)) {
			dst.Nulls.Set(start + i)
		}
	}
	switch dst.Kind {
	case column.Int:
		dst.I = appendCells(dst.I, rows, func(b, r uint32) int64 { return s.batches[b].Cols[c].I[r] })
	case column.Float:
		dst.F = appendCells(dst.F, rows, func(b, r uint32) float64 { return s.batches[b].Cols[c].F[r] })
	default:
		dst.B = appendCells(dst.B, rows, func(b, r uint32) []byte { return s.batches[b].Cols[c].B[r] })
	}
}

// appendCells appends the values of rows of batches; a negative one is NULL, whose value does not matter.
func appendCells[T any](dst []T, rows []int32, at func(batch, row uint32) T) []T {
	var none T
	for _, r := range rows {
		if r < 0 {
			dst = append(dst, none)
			continue
		}
		dst = append(dst, at(uint32(r)/column.BatchSize, uint32(r)%column.BatchSize))
	}
	return dst
}

// whole reports whether none of some rows is a row of NULLs, and the column has none.
func (s *rowBuf) whole(c int, rows []int32) bool {
	if len(s.batches) > len(rows) {
		return false // looking costs more than it saves
	}
	for _, b := range s.batches {
		if len(b.Cols[c].Nulls) > 0 {
			return false
		}
	}
	for _, r := range rows {
		if r < 0 {
			return false
		}
	}
	return true
}

// copyCell appends row k of v to dst, as its row at.
func copyCell(dst *column.Vec, at int, v *column.Vec, k int) {
	if len(v.Nulls) > 0 && v.Null(k) {
		dst.Nulls.Set(at)
	}
	switch dst.Kind {
	case column.Int:
		dst.I = append(dst.I, v.I[k])
	case column.Float:
		dst.F = append(dst.F, v.F[k])
	default:
		dst.B = append(dst.B, v.B[k])
	}
}

// gatherRow appends column c of row k of a batch; a negative batch or row is NULL.
func (s *rowBuf) gatherRow(c, batch, k int, dst *column.Vec) {
	if batch < 0 || k < 0 {
		dst.Append(column.Null())
		return
	}
	copyCell(dst, dst.Len(), &s.batches[batch].Cols[c], k)
}

// reset drops all rows.
func (s *rowBuf) reset() {
	s.batches, s.n, s.fixed, s.lanes = nil, 0, 0, nil
	s.bytes = arena{}
	if s.interns != nil {
		s.intern()
	}
}

// restart drops all rows and keeps the memory of the first batch. Nobody may look at rows handed out before.
func (s *rowBuf) restart() {
	if len(s.batches) > 1 {
		clear(s.batches[1:])
		s.batches = s.batches[:1]
	}
	for _, b := range s.batches {
		b.Reset(s.kinds...)
	}
	s.n, s.fixed, s.lanes = 0, 0, nil
	s.bytes.restart()
	if s.interns != nil {
		s.intern()
	}
}

// gatherVec appends the given rows of src to dst; -1 is NULL.
func gatherVec(src *column.Vec, rows []int32, dst *column.Vec) {
	dst.Grow(len(rows))
	start := dst.Len()
	nulls := len(src.Nulls) > 0
	if !nulls && !slices.ContainsFunc(rows, func(r int32) bool { return r < 0 }) {
		switch dst.Kind {
		case column.Int:
			for _, r := range rows {
				dst.I = append(dst.I, src.I[r])
			}
		case column.Float:
			for _, r := range rows {
				dst.F = append(dst.F, src.F[r])
			}
		default:
			for _, r := range rows {
				dst.B = append(dst.B, src.B[r])
			}
		}
		return
	}
	for i, r := range rows {
		if r < 0 {
			dst.Append(column.Null())
			continue
		}
		if nulls && src.Null(int(r)) {
			dst.Nulls.Set(start + i)
		}
		switch dst.Kind {
		case column.Int:
			dst.I = append(dst.I, src.I[r])
		case column.Float:
			dst.F = append(dst.F, src.F[r])
		default:
			dst.B = append(dst.B, src.B[r])
		}
	}
}
