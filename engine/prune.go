package engine

import (
	"bytes"
	"math"
	"sort"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// ColumnRange bounds the values of a column that a scan wants, both ends
// included, in the ordered form of numbers (keys.IntBits, keys.FloatBits).
// Rows in which the column is NULL are not wanted.
type ColumnRange struct {
	Column   int
	Min, Max uint64
}

// newerThanBase reports whether all that the scan visits besides the base is
// newer than the base.
func (it *Iterator) newerThanBase(st *storeState) bool {
	var newest uint64
	for _, r := range st.base {
		if r.overlaps(it.opts.Lower, it.opts.Upper) {
			newest = max(newest, r.info.MaxTS)
		}
	}
	newer := true
	for _, r := range st.level0 {
		newer = newer && (r.info.MinTS > newest || !r.overlaps(it.opts.Lower, it.opts.Upper))
	}
	st.tables(func(t *memtable.Table) bool {
		oldest, _ := t.Bounds()
		newer = newer && (t.Empty() || oldest > newest)
		return newer
	})
	return newer
}

// A row that is left out does not hide the older versions of its key. So zones
// alone decide only about segments than which everything else is newer. From
// others an extent is left out if, besides, no extent of another segment that
// may have wanted rows has keys in its range: what it hides is not wanted then,
// and left out or sorted out by the caller. Which of the two is newer does not
// matter. Memtables are not asked: where one may have versions that a segment
// hides, nothing of the segment is left out.

// askedExtents bounds the questions about one extent's range of keys: reading
// it costs about as much as two or three hundred.
const askedExtents = 256

// pruner tells what segments of a state a scan may leave out.
type pruner struct {
	it       *Iterator
	st       *storeState
	inTables uint64 // no version in memtables is older
}

// pruner returns the one of the scan, nil when nothing may be left out.
func (it *Iterator) pruner(st *storeState) *pruner {
	if len(it.opts.Wanted) == 0 {
		return nil
	}
	p := &pruner{it: it, st: st, inTables: math.MaxUint64}
	st.tables(func(t *memtable.Table) bool {
		if oldest, _ := t.Bounds(); !t.Empty() {
			p.inTables = min(p.inTables, oldest)
		}
		return true
	})
	return p
}

// segmentPruning is what a segment's scan is to know: see segment.IterOptions.
type segmentPruning struct {
	prune  func([]segment.Zone) bool // nil: nothing is left out
	needed func(lower, upper []byte) bool
}

// base returns the base runs that the scan has to visit, and how.
func (p *pruner) base() ([]*run, segmentPruning) {
	sp := segmentPruning{prune: p.it.unwanted}
	if !p.it.above {
		for _, r := range p.st.base {
			if r.info.MaxTS >= p.inTables && r.overlaps(p.it.opts.Lower, p.it.opts.Upper) {
				return p.st.base, segmentPruning{}
			}
		}
		sp.needed = func(lower, upper []byte) bool {
			budget := askedExtents
			return p.wantedInLevel0(nil, lower, upper, &budget)
		}
	}
	var left []*run
	for _, r := range p.st.base {
		if !p.leaves(r, sp) {
			left = append(left, r)
		}
	}
	return left, sp
}

// level0 reports whether the scan has to visit a run of level 0, and how.
func (p *pruner) level0(r *run) (bool, segmentPruning) {
	if r.info.MaxTS >= p.inTables {
		return true, segmentPruning{}
	}
	sp := segmentPruning{prune: p.it.unwanted, needed: func(lower, upper []byte) bool {
		budget := askedExtents
		return p.wantedInBase(lower, upper, &budget) || p.wantedInLevel0(r, lower, upper, &budget)
	}}
	return !p.leaves(r, sp), sp
}

// leaves reports whether a run is left out as a whole.
func (p *pruner) leaves(r *run, sp segmentPruning) bool {
	if !p.it.unwantedRun(r) || !r.overlaps(p.it.opts.Lower, p.it.opts.Upper) {
		return false
	}
	if sp.needed != nil {
		lower, upper := r.info.MinKey, append(bytes.Clone(r.info.MaxKey), 0)
		if l := p.it.opts.Lower; l != nil && bytes.Compare(lower, l) < 0 {
			lower = l
		}
		if u := p.it.opts.Upper; u != nil && bytes.Compare(upper, u) > 0 {
			upper = u
		}
		if sp.needed(lower, upper) {
			return false
		}
	}
	p.it.count.ExtentsPruned += int64(r.reader.Extents())
	return true
}

// unwanted reports whether no row of a stretch can be wanted.
func (it *Iterator) unwanted(zones []segment.Zone) bool {
	for _, w := range it.opts.Wanted {
		if w.Column >= len(zones) { // added later: the rows have its default
			continue
		}
		if z := zones[w.Column]; z.AllNull() || z.Max < w.Min || z.Min > w.Max {
			return true
		}
	}
	return false
}

// tableRanges returns the conditions that the zones of memtables can answer.
func (it *Iterator) tableRanges() (list []memtable.Range) {
	if it.snap.db.opts.PlainReads {
		return nil
	}
	for _, w := range it.opts.Wanted {
		if k := it.def.kinds[w.Column]; k != column.Bytes {
			list = append(list, memtable.Range{Column: w.Column, Kind: k, Min: w.Min, Max: w.Max})
		}
	}
	return list
}

// unwantedRow reports whether a row of a memtable that nothing hides is not wanted.
func (it *Iterator) unwantedRow(r memtable.Row) bool {
	for i := range it.opts.Wanted {
		w := &it.opts.Wanted[i]
		d := it.def.cell(r, w.Column)
		if d.Null {
			return true
		}
		var x uint64
		switch it.def.kinds[w.Column] {
		case column.Int:
			x = keys.IntBits(d.I)
		case column.Float:
			x = keys.FloatBits(d.Float())
		default:
			continue
		}
		if x < w.Min || x > w.Max {
			return true
		}
	}
	return false
}

// unwantedRun is unwanted for a whole segment, whose zones are in memory.
func (it *Iterator) unwantedRun(r *run) bool {
	for _, w := range it.opts.Wanted {
		if w.Column >= len(r.info.Columns) {
			continue
		}
		if z := r.info.Columns[w.Column].Zone; z.AllNull() || z.Max < w.Min || z.Min > w.Max {
			return true
		}
	}
	return false
}

// wantedInLevel0 reports whether a run of level 0 but one may have wanted rows
// with keys of [lower, upper).
func (p *pruner) wantedInLevel0(but *run, lower, upper []byte, budget *int) bool {
	for _, r := range p.st.level0 {
		if r != but && p.wantedIn(r, lower, upper, budget) {
			return true
		}
	}
	return false
}

// wantedInBase is the same for the base.
func (p *pruner) wantedInBase(lower, upper []byte, budget *int) bool {
	base := p.st.base
	for i := sort.Search(len(base), func(i int) bool { return base[i].reaches(lower) }); i < len(base) && base[i].overlaps(lower, upper); i++ {
		if p.wantedIn(base[i], lower, upper, budget) {
			return true
		}
	}
	return false
}

func (p *pruner) wantedIn(r *run, lower, upper []byte, budget *int) bool {
	if r.damaged.Load() || r.open {
		return r.overlaps(lower, upper)
	}
	return r.overlaps(lower, upper) && !p.it.unwantedRun(r) && r.reader.Wanted(lower, upper, p.it.unwanted, budget)
}
