package engine

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// SkipByRank finds where a scan of [lower, upper) continues that passes over
// its first n rows, without reading them: the key of the row behind them, or,
// with reverse, a key between it and the rows passed over. It reads a block of
// each segment at most. done says that there are no more than n rows; ok is
// false where rows would have to be read: under the conditions of CountByRank,
// and where there is anything newer than the base.
func (s *Snapshot) SkipByRank(id StoreID, lower, upper []byte, n int64, reverse bool) (at []byte, done, ok bool, err error) {
	st, _, err := s.resolve(id)
	if err != nil || st == nil || !st.onlyBaseIn(lower, upper) {
		return nil, false, false, err
	}
	total, ok, err := s.CountByRank(id, lower, upper)
	if !ok || err != nil || total <= n {
		return nil, ok && err == nil, ok, err
	}
	left := uint64(n) // rows in front of the one that is looked for, in ascending order
	if reverse {
		left = uint64(total - n - 1)
	}
	for _, r := range st.base {
		if !r.overlaps(lower, upper) {
			continue
		}
		from, to, err := s.ranks(r, lower, upper)
		if err != nil {
			return nil, false, false, err
		}
		if left >= to-from {
			left -= to - from
			continue
		}
		if at, err = r.reader.KeyAt(from+left, nil, s.segStats); err != nil {
			return nil, false, false, err
		}
		if reverse {
			at = append(at, 0)
		}
		return at, false, true, nil
	}
	return nil, true, true, nil
}

// CountByRank is Count where the models can answer, reading two blocks of each
// segment at most, and those of the few keys that are newer than the base; ok
// is false where more rows would have to be read.
func (s *Snapshot) CountByRank(id StoreID, lower, upper []byte) (n int64, ok bool, err error) {
	st, def, err := s.resolve(id)
	if err != nil || s.noModel {
		return 0, false, err
	}
	if err := s.noteRead(id, def, lower, upper); err != nil {
		return 0, false, err
	}
	return s.countByRank(st, def, lower, upper)
}

// countByRank counts without reading rows where every row of every segment of
// the base in the range is the one version of its key there, no tombstones, no
// second versions, all older than the snapshot. Of what is newer, if it is
// little, each key is looked up.
func (s *Snapshot) countByRank(st *storeState, def *storeDef, lower, upper []byte) (n int64, ok bool, err error) {
	if st == nil || s.own(def.ID) != nil || s.txn != nil && len(s.txn.bulk[def.ID]) > 0 {
		return 0, false, nil
	}
	for _, r := range st.base {
		if !r.overlaps(lower, upper) {
			continue
		}
		if i := r.info; i.Tombstones > 0 || i.Keys != i.Rows || i.MaxTS > s.ts {
			return 0, false, nil
		}
		if hs := st.horizons.seen(s.ts); len(hs) > 0 {
			if some, _ := r.expires(st.def, hs); some {
				return 0, false, nil
			}
		}
	}
	if lower != nil && upper != nil && bytes.Compare(lower, upper) >= 0 {
		return 0, true, nil
	}
	for _, r := range st.base {
		if !r.overlaps(lower, upper) {
			continue
		}
		from, to, err := s.ranks(r, lower, upper)
		if err != nil {
			return 0, false, err
		}
		n += int64(to - from)
	}
	if st.onlyBaseIn(lower, upper) {
		return n, true, nil
	}
	keys, ok, err := st.newerKeys(lower, upper, min(float64(n)/newerShare, maxNewer))
	if !ok || err != nil {
		return 0, false, err
	}
	for _, k := range keys {
		change, err := s.countedOtherwise(st, def, k)
		if err != nil {
			return 0, false, err
		}
		n += change
	}
	return n, true, nil
}

const (
	// newerShare: two look-ups cost what a scan needs for some sixty rows.
	newerShare = 64

	// maxNewer bounds the memory for the keys that are looked up.
	maxNewer = 1 << 16
)

// onlyBaseIn reports whether nothing but the base has keys of a range.
func (s *storeState) onlyBaseIn(lower, upper []byte) bool {
	only := true
	s.tables(func(t *memtable.Table) bool {
		only = t.Empty() || t.EstimateRange(lower, upper) == 0
		return only
	})
	for _, r := range s.level0 {
		only = only && !r.overlaps(lower, upper)
	}
	return only
}

// newerKeys lists the keys of a range that memtables and level 0 have, each
// once; ok is false if they are more than limit.
func (s *storeState) newerKeys(lower, upper []byte, limit float64) (keys [][]byte, ok bool, err error) {
	var about float64
	s.tables(func(t *memtable.Table) bool {
		about += float64(t.EstimateRange(lower, upper))
		return true
	})
	for _, r := range s.level0 {
		if r.overlaps(lower, upper) {
			about += r.reader.EstimateRange(lower, upper)
		}
	}
	if about > limit {
		return nil, false, nil
	}
	// It is an estimate: some more are taken, any number is not.
	full := func() bool { return float64(len(keys)) > 2*limit }
	s.tables(func(t *memtable.Table) bool {
		var c memtable.Cursor
		for c.Init(t, lower, upper, false); !full() && c.Next(); {
			keys = append(keys, bytes.Clone(c.Key()))
		}
		return !full()
	})
	for _, r := range s.level0 {
		if !r.overlaps(lower, upper) {
			continue
		}
		v := r.reader.Versions(lower, upper)
		for !full() && v.Next() {
			if n := len(keys); n == 0 || !bytes.Equal(keys[n-1], v.Key()) {
				keys = append(keys, bytes.Clone(v.Key()))
			}
		}
		if err := v.Err(); err != nil {
			return nil, false, err
		}
	}
	if full() {
		return nil, false, nil
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal), true, nil
}

// countedOtherwise is 1 for a key that has a row but none in the base, and -1
// for one that has none any more.
func (s *Snapshot) countedOtherwise(st *storeState, def *storeDef, key []byte) (change int64, err error) {
	s.readOptions(def, []int{})
	var live bool
	if hs := st.horizons.seen(s.ts); len(hs) > 0 {
		live, err = st.getUnexpired(def, hs, key, nil, &s.read)
	} else {
		live, err = st.get(def, key, nil, &s.read)
	}
	if err != nil {
		return 0, err
	}
	if live {
		change++
	}
	if r := st.baseFor(key); r != nil {
		res, err := r.reader.Get(key, nil, &s.read)
		if err != nil {
			return 0, err
		}
		if res.Status == segment.Found {
			change--
		}
	}
	return change, nil
}

// ranks returns between which ranks of a segment a range of keys lies.
func (s *Snapshot) ranks(r *run, lower, upper []byte) (from, to uint64, err error) {
	to = r.info.Rows
	if lower != nil {
		if from, err = r.reader.Rank(lower, s.segStats); err != nil {
			return 0, 0, err
		}
	}
	if upper != nil {
		to, err = r.reader.Rank(upper, s.segStats)
	}
	return from, max(from, to), err
}
