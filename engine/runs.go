package engine

import (
	"math"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// Versions of a key usually are the newer the earlier their run is visited:
// memtables, level 0, base. Bulk-loaded segments may break that, so a run is
// passed over only when its greatest timestamp shows that it holds nothing newer.

// newestInTables returns the newest version of a key at or below ts in the memtables.
func (s *storeState) newestInTables(key []byte, ts uint64) (best memtable.Version, ok bool) {
	best, ok = s.active.Get(key, ts)
	for _, t := range s.frozen {
		if _, maxTS := t.Bounds(); ok && maxTS <= best.TS {
			continue
		}
		if v, found := t.Get(key, ts); found && (!ok || v.TS > best.TS) {
			best, ok = v, true
		}
	}
	return best, ok
}

// candidates calls fn for the segments that may hold a version of key newer
// than have(), until it returns an error.
func (s *storeState) candidates(key []byte, have func() uint64, fn func(*run) error) error {
	for _, r := range s.level0 {
		if r.info.MaxTS > have() {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	if r := s.baseFor(key); r != nil && r.info.MaxTS > have() {
		return fn(r)
	}
	return nil
}

// newest returns the newest version of a key at or below ts, over all runs.
// Its data is in the form of memtables.
func (s *storeState) newest(key []byte, ts uint64) (best memtable.Version, ok bool, err error) {
	best, ok = s.newestInTables(key, ts)
	if len(s.level0)+len(s.base) == 0 {
		return best, ok, nil
	}
	o := segment.ReadOptions{Snapshot: ts, Cols: s.def.all, Defaults: s.def.defaults}
	row := make([]column.Datum, len(s.def.all))
	err = s.candidates(key, func() uint64 { return best.TS }, func(r *run) error {
		res, err := r.reader.Get(key, row, &o)
		if err != nil || res.Status == segment.Absent || ok && res.Version <= best.TS {
			return err
		}
		best, ok = memtable.Version{TS: res.Version}, true
		if res.Status == segment.Deleted {
			best.Flags, best.Data = memtable.Tombstone, append([]byte(nil), res.Successor...)
		} else {
			best.Data = memtable.AppendRow(nil, s.def.kinds, row)
		}
		return nil
	})
	return best, ok, err
}

// get reads the columns of a key's newest row at the snapshot. o has the
// snapshot's timestamp, the columns and memory for byte strings.
func (s *storeState) get(def *storeDef, key []byte, dst []column.Datum, o *segment.ReadOptions) (bool, error) {
	if s.onlyBase() && !o.Plain { // the usual case: nothing newer anywhere
		r := s.baseFor(key)
		if r == nil {
			return false, nil
		}
		res, err := r.reader.GetWithin(key, dst, o)
		return err == nil && res.Status == segment.Found, err
	}
	v, ok := s.newestInTables(key, o.Snapshot)
	live := ok && !v.Deleted()
	if live {
		def.read(v.Data, o.Cols, dst)
	}
	newest := v.TS
	for _, r := range s.level0 {
		if r.info.MaxTS > newest {
			if err := r.getNewer(key, dst, o, &newest, &live); err != nil {
				return false, err
			}
		}
	}
	if r := s.baseFor(key); r != nil && r.info.MaxTS > newest {
		if err := r.getNewer(key, dst, o, &newest, &live); err != nil {
			return false, err
		}
	}
	if live && newest == v.TS && o.Stats != nil {
		o.Stats.MemoryHits++
	}
	return live, nil
}

// onlyBase reports whether there is nothing but the base. A row that comes
// into the active memtable later is newer than every snapshot of now.
func (s *storeState) onlyBase() bool {
	return len(s.frozen)+len(s.level0) == 0 && s.active.Empty()
}

// getNewer looks a key up in a segment and takes what it finds over if that is
// newer than what was found before.
func (r *run) getNewer(key []byte, dst []column.Datum, o *segment.ReadOptions, newest *uint64, live *bool) error {
	target, buf := dst, o.Buf
	if *newest > 0 { // keep what is in dst, and the bytes that it refers to
		target, o.Buf = make([]column.Datum, len(dst)), nil
	}
	res, err := r.reader.Get(key, target, o)
	if err != nil || res.Status == segment.Absent || res.Version <= *newest {
		if *newest > 0 {
			o.Buf = buf
		}
		return err
	}
	*newest, *live = res.Version, res.Status == segment.Found
	if *live {
		copy(dst, target)
	}
	return nil
}

// estimate returns about how many rows lie in a range.
func (s *storeState) estimate(lower, upper []byte) float64 {
	var n, dead float64
	s.tables(func(t *memtable.Table) bool {
		in := float64(t.EstimateRange(lower, upper))
		if all, tombstones := t.Versions(); tombstones > 0 {
			dead += 2 * in * float64(tombstones) / float64(all)
		}
		n += in
		return true
	})
	s.runs(func(r *run) {
		if !r.overlaps(lower, upper) {
			return
		}
		in := r.reader.EstimateRange(lower, upper)
		if r.info.Tombstones > 0 {
			dead += 2 * in * float64(r.info.Tombstones) / float64(r.info.Rows)
		}
		if len(s.horizons) > 0 {
			in *= 1 - r.expiredShare(s.def, s.horizons)
		}
		n += in * float64(r.info.Keys) / math.Max(1, float64(r.info.Rows))
	})
	return math.Max(0, n-dead)
}
