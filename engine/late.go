package engine

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
)

// A scan with a condition needs most columns of few rows. So a batch that comes
// from one segment, with newer rows from memtables and newer segments in their
// places, may be handed over without its columns: the caller chooses rows by
// the columns of its condition and loads the others for these rows alone. The
// newer rows stay a list beside the batch, so that the stored form of the
// others, dictionaries and packed numbers, is of use.

// lateColumns is what Next has left to be loaded.
type lateColumns struct {
	from    *runSource // whose batch it is; nil: all columns are decoded
	patches []patch    // by row
	rows    []int32    // of the patches
	pieces  []column.Piece
}

// patch is a row that a memtable, or the batch in hand of a newer segment, has
// for a row of the batch. Neither goes on to other rows before the next batch.
type patch struct {
	row  int32
	own  int32 // of the newer segment's batch
	data memtable.Row
	from *runSource // nil: data has it
}

// allowLate lets the base defer its columns.
func (it *Iterator) allowLate() {
	if !it.opts.Late || it.opts.Keys || it.opts.Reverse || it.noted.on || len(it.horizons) > 0 || it.snap.db.opts.PlainReads || len(it.sources) == 0 {
		return
	}
	if base, ok := it.sources[len(it.sources)-1].(*runSource); ok {
		base.late = base.rank == 0
	}
}

// settle decodes the columns of the batch in hand, if that was put off.
func (s *runSource) settle(it *Iterator) error {
	if !s.deferred {
		return nil
	}
	s.deferred = false
	if err := s.it.Fill(&s.batch); err != nil {
		return err
	}
	for i := range s.batch.Cols {
		it.applyPatches(&s.batch.Cols[i], i, nil)
	}
	it.late.patches = it.late.patches[:0]
	return nil
}

// applyPatches puts the cells of patched rows into a column: of all of them, or
// of those among the rows sel.
func (it *Iterator) applyPatches(v *column.Vec, i int, sel []int32) {
	c, all := it.cols[i], sel == nil
	for k := range it.late.patches {
		p := &it.late.patches[k]
		if !all {
			for len(sel) > 0 && sel[0] < p.row {
				sel = sel[1:]
			}
			if len(sel) == 0 {
				return
			}
			if sel[0] != p.row {
				continue
			}
		}
		if p.from != nil {
			if from := &p.from.batch.Cols[i]; v.Kind == column.Int && len(v.Nulls)+len(from.Nulls) == 0 {
				v.I[p.row] = from.I[p.own]
			} else {
				v.Set(int(p.row), from.Datum(int(p.own)))
			}
			continue
		}
		if v.Kind == column.Bytes || c >= p.data.Columns() {
			v.Set(int(p.row), it.def.cell(p.data, c))
			continue
		}
		x, null := p.data.Number(c)
		switch {
		case null:
			v.Nulls.Set(int(p.row))
			continue
		case v.Kind == column.Int:
			v.I[p.row] = int64(x)
		default:
			v.F[p.row] = math.Float64frombits(x)
		}
		if len(v.Nulls) > 0 {
			v.Nulls.Clear(int(p.row))
		}
	}
}

// Deferred reports whether the last batch came without its columns. N is set,
// and there is no selection; Load, Pieces and Patches are to be used then.
func (it *Iterator) Deferred() bool { return it.late.from != nil }

// Load decodes a column of the last batch, which was deferred: of all rows, or
// at least of the rows sel, which ascend. Other cells are unspecified.
func (it *Iterator) Load(dst *column.Batch, i int, sel []int32) error {
	if err := it.late.from.it.Load(dst, i, sel); err != nil {
		return err
	}
	it.applyPatches(&dst.Cols[i], i, sel)
	return nil
}

// Pieces returns a column of the last batch, which was deferred, as it is
// stored, without the patches. It reports false where it is not stored as such.
func (it *Iterator) Pieces(i int) ([]column.Piece, bool) {
	var ok bool
	it.late.pieces, ok = it.late.from.it.Pieces(it.late.pieces[:0], i)
	return it.late.pieces, ok
}

// Patches returns the rows of the last batch, ascending, whose stored form is
// not what they are now.
func (it *Iterator) Patches() []int32 {
	it.late.rows = it.late.rows[:0]
	for i := range it.late.patches {
		it.late.rows = append(it.late.rows, it.late.patches[i].row)
	}
	return it.late.rows
}

// LoadPatches makes v what the patched rows have in a column.
func (it *Iterator) LoadPatches(v *column.Vec, i int) {
	v.Reset(it.def.kinds[it.cols[i]])
	for k := range it.late.patches {
		p := &it.late.patches[k]
		if p.from == nil {
			v.Append(it.def.cell(p.data, it.cols[i]))
			continue
		}
		v.Append(p.from.batch.Cols[i].Datum(int(p.own)))
	}
}
