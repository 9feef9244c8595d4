package exec

import (
	"unsafe"

	"github.com/omendb/omendb/engine/column"
)

// rowLanes are the columns of a rowBuf that is complete, laid out for reading
// rows in any order: one look-up less on the way to a value, and no NULLs looked
// for where there are none.
type rowLanes struct {
	ints   [][][]int64
	floats [][][]float64
	bytes  [][][][]byte
	nulls  []bool // by column: some row is NULL
}

// seal prepares for reading; the next row that is added undoes it.
func (s *rowBuf) seal() {
	if s.size != column.BatchSize || s.lanes != nil {
		return
	}
	k := len(s.kinds)
	l := &rowLanes{ints: make([][][]int64, k), floats: make([][][]float64, k), bytes: make([][][][]byte, k), nulls: make([]bool, k)}
	for c, kind := range s.kinds {
		for _, b := range s.batches {
			v := &b.Cols[c]
			l.nulls[c] = l.nulls[c] || v.Nulls.Any()
			switch kind {
			case column.Int:
				l.ints[c] = append(l.ints[c], v.I)
			case column.Float:
				l.floats[c] = append(l.floats[c], v.F)
			default:
				l.bytes[c] = append(l.bytes[c], v.B)
			}
		}
	}
	s.lanes = l
}

// scatter writes column c of row from[i] to row sel[i] of dst, which gets n
// rows, for all of sel; a negative row is NULL. Other rows of dst hold anything.
func (s *rowBuf) scatter(c int, from, sel []int32, n int, dst *column.Vec) {
	dst.Resize(s.kinds[c], n)
	if s.lanes == nil || s.lanes.nulls[c] {
		for i, r := range sel {
			d := column.Null()
			if from[i] >= 0 {
				d = s.datum(int(from[i]), c)
			}
			dst.Set(int(r), d)
		}
		return
	}
	from = from[:len(sel)]
	switch s.kinds[c] {
	case column.Int:
		scatterLane(s.lanes.ints[c], from, sel, dst.I, &dst.Nulls)
	case column.Float:
		scatterLane(s.lanes.floats[c], from, sel, dst.F, &dst.Nulls)
	default:
		scatterLane(s.lanes.bytes[c], from, sel, dst.B, &dst.Nulls)
	}
}

func scatterLane[T any](lanes [][]T, from, sel []int32, dst []T, nulls *column.Bitmap) {
	for i, r := range sel {
		f := from[i]
		if f < 0 {
			nulls.Set(int(r))
			continue
		}
		dst[r] = lanes[uint32(f)/column.BatchSize][uint32(f)%column.BatchSize]
	}
}

// gatherLanes appends column c of rows of a sealed buffer that has no NULLs there.
func (s *rowBuf) gatherLanes(c int, rows []int32, dst *column.Vec) {
	start := dst.Len()
	dst.Grow(len(rows))
	switch s.kinds[c] {
	case column.Int:
		dst.I = gatherLane(s.lanes.ints[c], rows, dst.I, start, &dst.Nulls)
	case column.Float:
		dst.F = gatherLane(s.lanes.floats[c], rows, dst.F, start, &dst.Nulls)
	default:
		dst.B = gatherLane(s.lanes.bytes[c], rows, dst.B, start, &dst.Nulls)
	}
}

func gatherLane[T any](lanes [][]T, rows []int32, dst []T, start int, nulls *column.Bitmap) []T {
	var none T
	for i, r := range rows {
		if r < 0 {
			if r != unpaired {
				nulls.Set(start + i)
			}
			dst = append(dst, none)
			continue
		}
		dst = append(dst, lanes[uint32(r)/column.BatchSize][uint32(r)%column.BatchSize])
	}
	return dst
}

// interner keeps byte strings of a column with few values once, so that rows
// with the same value share their bytes: less memory, and a look at where they
// stand tells that they are equal (see groupKeys.numberBytes).
type interner struct {
	seen  [pointerCache]internEntry
	known map[string][]byte
	off   bool
}

type internEntry struct {
	at  *byte
	n   int
	own []byte
}

// internMost is how many values a column may have; one with more copies them.
const internMost = 256

// batch forgets where the strings of the batch before stood.
func (t *interner) batch() {
	if !t.off {
		clear(t.seen[:])
	}
}

// copy returns a copy of b that stays, an earlier one if there is one.
func (t *interner) copy(b []byte, a *arena) []byte {
	if t.off || len(b) == 0 {
		return a.copy(b)
	}
	at := unsafe.SliceData(b)
	e := &t.seen[uint64(uintptr(unsafe.Pointer(at)))*pointerMix>>58]
	if e.at == at && e.n == len(b) {
		return e.own
	}
	own, ok := t.known[string(b)]
	if !ok {
		if len(t.known) == internMost {
			t.off, t.known = true, nil
			return a.copy(b)
		}
		if t.known == nil {
			t.known = map[string][]byte{}
		}
		own = a.copy(b)
		t.known[string(own)] = own
	}
	*e = internEntry{at, len(b), own}
	return own
}
