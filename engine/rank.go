package engine

import (
	"bytes"

	"github.com/omendb/omendb/engine/memtable"
)

// SkipByRank finds where a scan of [lower, upper) continues that passes over
// its first n rows, without reading them: the key of the row behind them, or,
// with reverse, a key between it and the rows passed over. It reads a block of
// each segment at most. done says that there are no more than n rows; ok is
// false where rows would have to be read, under the conditions of CountByRank.
func (s *Snapshot) SkipByRank(id StoreID, lower, upper []byte, n int64, reverse bool) (at []byte, done, ok bool, err error) {
	total, ok, err := s.CountByRank(id, lower, upper)
	if !ok || err != nil || total <= n {
		return nil, ok && err == nil, ok, err
	}
	st, _, err := s.resolve(id)
	if err != nil {
		return nil, false, false, err
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
// segment at most; ok is false where rows would have to be read.
func (s *Snapshot) CountByRank(id StoreID, lower, upper []byte) (n int64, ok bool, err error) {
	st, def, err := s.resolve(id)
	if err != nil || s.noModel {
		return 0, false, err
	}
	if err := s.noteRead(id, def, lower, upper); err != nil {
		return 0, false, err
	}
	return s.countByRank(st, id, lower, upper)
}

// countByRank counts without reading rows where every row of every segment in
// the range is the one visible version of its key: nothing in memory, no
// tombstones, no second versions, no overlap, all older than the snapshot.
func (s *Snapshot) countByRank(st *storeState, id StoreID, lower, upper []byte) (n int64, ok bool, err error) {
	if st == nil || s.own(id) != nil || len(st.level0) > 0 || s.txn != nil && len(s.txn.bulk[id]) > 0 {
		return 0, false, nil
	}
	clean := true
	st.tables(func(t *memtable.Table) bool {
		clean = t.Empty() || t.EstimateRange(lower, upper) == 0
		return clean
	})
	for _, r := range st.base {
		if i := r.info; clean && r.overlaps(lower, upper) {
			clean = i.Tombstones == 0 && i.Keys == i.Rows && i.MaxTS <= s.ts
			if hs := st.horizons.seen(s.ts); clean && len(hs) > 0 {
				some, _ := r.expires(st.def, hs)
				clean = !some
			}
		}
	}
	if !clean || lower != nil && upper != nil && bytes.Compare(lower, upper) >= 0 {
		return 0, clean, nil
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
	return n, true, nil
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
