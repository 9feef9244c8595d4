package engine

import (
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

// pruner returns the question that a segment's zone maps are asked, nil when
// nothing may be skipped: a row that is skipped does not hide its older
// versions in other runs.
func (it *Iterator) pruner() func([]segment.Zone) bool {
	if len(it.opts.Wanted) == 0 || !it.above {
		return nil
	}
	return it.unwanted
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

// neededBase returns the base runs that the scan has to visit.
func (it *Iterator) neededBase(base []*run, prune func([]segment.Zone) bool) []*run {
	if prune == nil {
		return base
	}
	var needed []*run
	for _, r := range base {
		if it.unwantedRun(r) && r.overlaps(it.opts.Lower, it.opts.Upper) {
			it.count.ExtentsPruned += int64(r.reader.Extents())
			continue
		}
		needed = append(needed, r)
	}
	return needed
}
