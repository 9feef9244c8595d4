package engine

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
)

// newest returns the newest version of a key at or below ts, over all runs.
func (s *storeState) newest(key []byte, ts uint64) (best memtable.Version, ok bool, err error) {
	s.tables(func(t *memtable.Table) bool {
		if _, maxTS := t.Bounds(); ok && maxTS <= best.TS {
			return true
		}
		if v, found := t.Get(key, ts); found && (!ok || v.TS > best.TS) {
			best, ok = v, true
		}
		return true
	})
	return best, ok, nil
}

// get reads the columns of a key's newest row at or below ts.
func (s *storeState) get(def *storeDef, key []byte, ts uint64, cols []int, dst []column.Datum) (bool, error) {
	v, ok, err := s.newest(key, ts)
	if err != nil || !ok || v.Deleted() {
		return false, err
	}
	def.read(v.Data, cols, dst)
	return true, nil
}

// estimate returns about how many rows lie in a range.
func (s *storeState) estimate(lower, upper []byte) float64 {
	var n float64
	s.tables(func(t *memtable.Table) bool {
		in := float64(t.EstimateRange(lower, upper))
		if all, dead := t.Versions(); dead > 0 {
			in *= 1 - min(1, float64(dead)/float64(all))
		}
		n += in
		return true
	})
	return n
}
