package segment

import "math"

// rowModel predicts the row of a key within a block: the range of the keys'
// numbers is cut into cells of equal width, of each of which it knows the
// first row, and within a cell rows are taken to be evenly spaced. It is made
// when a block comes into the cache, and costs a few hundredths of a byte per
// row of memory and nothing in the file.
//
// The bounds of a cell hold for every key. A first row is kept as its distance
// from where it would be if all rows were evenly spaced, which is small or, in
// a block that is far from that, rounded. Whether the spacing within cells is
// even is measured: where it is not, a search halves the cell instead of
// walking from the prediction.
type rowModel struct {
	scale float32            // cells per number
	off   [rowCells - 1]int8 // of cell 1, of cell 2, …: distance of its first row, in steps of 1<<shift rows
	shift uint8
	// spread is the average distance of predicted rows, rounded up.
	spread uint8
}

const (
	// rowCells make the model half a cache line.
	rowCells = 27

	// roughRows is the average distance of predicted rows from which halving
	// a cell costs less than walking.
	roughRows = 10

	// roughSample rows are the distance of rows whose prediction is measured.
	roughSample = 8
)

// fit makes the model of rows whose numbers, which never fall, at returns.
func (m *rowModel) fit(rows int, at func(int) uint64) {
	var starts [rowCells]int // first row of each cell
	*m = rowModel{}
	last := at(rows - 1)
	if last == 0 {
		for c := 1; c < rowCells; c++ {
			starts[c] = rows
		}
		m.keep(&starts, rows)
		return
	}
	m.scale = float32(rowCells / (float64(last/2) + 1))
	next := 1
	for row := range rows {
		for c, _ := m.cell(at(row)); next <= c; next++ {
			starts[next] = row
		}
	}
	for ; next < rowCells; next++ {
		starts[next] = rows
	}
	m.keep(&starts, rows)
	off, seen := 0, 0
	for row := 0; row < rows; row += roughSample {
		place, _, _ := m.place(at(row), rows)
		off += max(place-row, row-place)
		seen++
	}
	m.spread = uint8(min((off+seen-1)/seen, math.MaxUint8))
}

// rough reports whether predictions within cells are far off.
func (m *rowModel) rough() bool { return m.spread > roughRows }

// keep sets the distances of first rows, as exactly as they fit.
func (m *rowModel) keep(starts *[rowCells]int, rows int) {
	for c := 1; c < rowCells; c++ {
		for d := starts[c] - evenly(c, rows); d>>m.shift != int(int8(d>>m.shift)); {
			m.shift++
		}
	}
	for c := 1; c < rowCells; c++ {
		m.off[c-1] = int8((starts[c] - evenly(c, rows)) >> m.shift) // rounds down
	}
}

// evenly returns the first row of a cell in a block of evenly spaced rows.
func evenly(cell, rows int) int { return int(uint(cell*rows) / rowCells) }

// cell returns the cell of a number and how far the number is on the way
// through it. The cell never falls as numbers grow.
func (m *rowModel) cell(x uint64) (c int, share float64) {
	f := float64(int64(x>>1)) * float64(m.scale) // signed numbers convert in one instruction
	if f >= rowCells {
		return rowCells - 1, 1
	}
	c = int(f)
	return c, f - float64(c)
}

// place returns the row at which number x is expected, and the bounds of the
// first row whose number is not less: lo to hi, hi included.
func (m *rowModel) place(x uint64, rows int) (row, lo, hi int) {
	c, share := m.cell(x)
	hi = rows
	if c > 0 {
		lo = max(evenly(c, rows)+int(m.off[c-1])<<(m.shift&15), 0)
	}
	if c < rowCells-1 {
		hi = min(evenly(c+1, rows)+int(m.off[c])<<(m.shift&15)+1<<(m.shift&15)-1, rows)
	}
	return min(lo+int(share*float64(hi-lo)), rows-1), lo, hi
}
