package segment

// rowModel predicts the row of a key within a block: the range of the keys'
// numbers is cut into cells of equal width, of each of which it knows the
// first row, and within a cell rows are taken to be evenly spaced. It is made
// when a block comes into the cache, and costs a few hundredths of a byte per
// row of memory and nothing in the file.
//
// The bounds of a cell are exact. Whether the spacing within cells is even is
// measured: where it is not, a search halves the cell instead of walking from
// the prediction.
type rowModel struct {
	scale  float32              // cells per number
	starts [rowCells - 1]uint16 // first row of cell 1, of cell 2, …
	rough  bool                 // predictions within cells are far off
}

const (
	// rowCells make the model fill what is left of a cache line.
	rowCells = 30

	// roughRows is the average distance of predicted rows from which halving
	// a cell costs less than walking.
	roughRows = 10

	// roughSample rows are the distance of rows whose prediction is measured.
	roughSample = 8
)

// fit makes the model of rows whose numbers, which never fall, at returns.
func (m *rowModel) fit(rows int, at func(int) uint64) {
	last := at(rows - 1)
	if last == 0 {
		m.scale = 0
		for c := range m.starts {
			m.starts[c] = uint16(rows)
		}
		return
	}
	m.scale = float32(rowCells / (float64(last/2) + 1))
	next := 0
	for row := range rows {
		for c, _ := m.cell(at(row)); next < c; next++ {
			m.starts[next] = uint16(row)
		}
	}
	for ; next < len(m.starts); next++ {
		m.starts[next] = uint16(rows)
	}
	off, seen := 0, 0
	for row := 0; row < rows; row += roughSample {
		place, _, _ := m.place(at(row), rows)
		off += max(place-row, row-place)
		seen++
	}
	m.rough = off > roughRows*seen
}

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
		lo = int(m.starts[c-1])
	}
	if c < rowCells-1 {
		hi = int(m.starts[c])
	}
	return min(lo+int(share*float64(hi-lo)), rows-1), lo, hi
}
