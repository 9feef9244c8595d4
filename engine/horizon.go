package engine

import (
	"fmt"
	"math"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// Horizons. A store's horizon says that committed rows whose value in a column
// is below a bound are gone. It moves by a record of the log, as everything
// does: a snapshot sees the horizon that its timestamp sees, recovery and
// restores find the same one, and no row is touched. Merges drop what every
// snapshot sees to be behind a horizon, whole segments without reading them.
//
// An expired version counts as a tombstone wherever versions are compared: it
// hides the older ones of its key. A transaction's own writes are not hidden
// before they are committed.

// horizon is one position of a store's horizon.
type horizon struct {
	from   uint64 // log position: snapshots from here on see it
	column int    // an Int column
	before int64  // values below it are expired
	last   uint64 // versions up to this timestamp are concerned; MaxUint64 until the horizon ends
}

const noEnd = uint64(math.MaxUint64)

// horizons are the positions that some snapshot may need, by log position.
type horizons []horizon

// seen returns the positions that a snapshot sees.
func (hs horizons) seen(ts uint64) horizons {
	n := len(hs)
	for n > 0 && hs[n-1].from > ts {
		n--
	}
	return hs[:n]
}

// hides reports whether a version that was written at ts is expired; value
// returns one of its columns.
func (hs horizons) hides(ts uint64, value func(column int) column.Datum) bool {
	for _, h := range hs {
		if ts > h.last {
			continue
		}
		if v := value(h.column); !v.Null && v.I < h.before {
			return true
		}
	}
	return false
}

// columns returns cols and behind them the horizon's columns, and where those stand.
func (hs horizons) columns(cols []int) (all []int, place map[int]int) {
	all, place = slices.Clone(cols), make(map[int]int, 1)
	for _, h := range hs {
		if _, ok := place[h.column]; !ok {
			place[h.column] = len(all)
			all = append(all, h.column)
		}
	}
	return all, place
}

// moved returns the horizons after one has moved at a position of the log. What
// no live snapshot needs any more is left out.
func (hs horizons) moved(h horizon, snapshots []uint64) horizons {
	next := slices.Clone(hs)
	for i := range next {
		if o := &next[i]; o.last == noEnd && o.column != h.column {
			o.last = h.from // another column takes over
		} else if o.last == noEnd && o.before >= h.before {
			return next // it moves forward only
		}
	}
	all := append(slices.Clip(next), h)
	return slices.DeleteFunc(slices.Clone(all), func(o horizon) bool {
		return slices.ContainsFunc(all, func(p horizon) bool {
			return p.from > o.from && p.column == o.column && p.before >= o.before && p.last >= o.last &&
				!slices.ContainsFunc(snapshots, func(ts uint64) bool { return ts >= o.from && ts < p.from })
		})
	})
}

// ended returns the horizons after they have ended by the record at a position of the log:
// what they hid stays hidden, what is written by it or later is not.
func (hs horizons) ended(at uint64) horizons {
	next := slices.Clone(hs)
	for i := range next {
		next[i].last = min(next[i].last, at-1)
	}
	return next
}

// MoveHorizon has the rows of a store disappear whose value in an Int column is
// less than before. It takes effect at commit, for later snapshots. A horizon
// moves forward only; on another column it ends the one before.
func (t *Txn) MoveHorizon(id StoreID, col int, before int64) error {
	def, err := t.writable(id)
	if err != nil {
		return err
	}
	if col < 0 || col >= len(def.kinds) || def.kinds[col] != column.Int || def.Temp {
		return fmt.Errorf("store %d cannot have a horizon on column %d", id, col)
	}
	t.change(ddlOp{kind: ddlMoveHorizon, id: id, column: col, before: before})
	return nil
}

// EndHorizon keeps a store's horizon from hiding rows that are committed later.
func (t *Txn) EndHorizon(id StoreID) error {
	if _, err := t.writable(id); err != nil {
		return err
	}
	t.change(ddlOp{kind: ddlEndHorizon, id: id})
	return nil
}

func (t *Txn) writable(id StoreID) (*storeDef, error) {
	if err := t.checkWrite(); err != nil {
		return nil, err
	}
	return t.def(id)
}

// Horizon returns the newest position of a store's horizon, false if it has none.
func (db *DB) Horizon(id StoreID) (col int, before int64, ok bool) {
	v := db.acquireView()
	defer db.releaseView(v)
	if st := v.stores[id]; st != nil {
		for _, h := range st.horizons {
			if h.last == noEnd {
				col, before, ok = h.column, h.before, true
			}
		}
	}
	return col, before, ok
}

// Expires reports whether a horizon at before may hide rows of a store that are
// there now; it reads none.
func (db *DB) Expires(id StoreID, col int, before int64) (may bool) {
	v := db.acquireView()
	defer db.releaseView(v)
	st := v.stores[id]
	if st == nil {
		return false
	}
	st.tables(func(t *memtable.Table) bool {
		may = may || !t.Empty()
		return !may
	})
	hs := horizons{{column: col, before: before, last: noEnd}}
	st.runs(func(r *run) {
		some, _ := r.expires(st.def, hs)
		may = may || some
	})
	return may
}

// RunMerges has merges begin that are due, as after every flush: a horizon that
// moved, or a snapshot that ended, is none of the engine's own occasions.
func (db *DB) RunMerges() { db.scheduleMerge() }

// horizonChange is a record's section about a horizon.
type horizonChange struct {
	store StoreID
	horizon
	end bool
}

func (c *changes) decodeHorizon(d *decoder, kind ddlKind, lsn LSN) {
	h := horizonChange{store: StoreID(d.uvarint()), end: kind == ddlEndHorizon}
	h.from, h.last = uint64(lsn), noEnd
	if !h.end {
		h.column, h.before = int(d.uvarint()), d.varint()
	}
	if d.err == nil && !c.known {
		c.horizons = append(c.horizons, h)
	}
}

// moveHorizons applies a record's changes of horizons to the stores of a new view.
func (c *changes) moveHorizons(stores map[StoreID]*storeState) {
	var snapshots []uint64
	for _, h := range c.horizons {
		old := stores[h.store]
		if old == nil || !h.end && (h.column >= len(old.def.kinds) || old.def.kinds[h.column] != column.Int) {
			continue
		}
		if snapshots == nil {
			snapshots = c.db.snapshots()
		}
		st := *old
		if h.end {
			st.horizons = old.horizons.ended(h.from)
		} else {
			st.horizons = old.horizons.moved(h.horizon, snapshots)
		}
		stores[h.store] = &st
	}
}

// bury turns the newest committed version of a key into a tombstone if it is
// behind the newest horizon.
func (s *storeState) bury(v *memtable.Version) {
	if len(s.horizons) == 0 || v.Deleted() {
		return
	}
	if s.horizons.hides(v.TS, func(c int) column.Datum { return s.def.cell(v.Data, c) }) {
		v.Flags, v.Data = memtable.Tombstone, nil
	}
}

// getUnexpired is get where the snapshot sees horizons.
func (s *storeState) getUnexpired(def *storeDef, hs horizons, key []byte, dst []column.Datum, o *segment.ReadOptions) (bool, error) {
	wanted := o.Cols
	all, place := hs.columns(wanted)
	o.Cols = all
	defer func() { o.Cols = wanted }()
	row := make([]column.Datum, len(all))
	v, ok := s.newestInTables(key, o.Snapshot)
	live := ok && !v.Deleted()
	if live {
		def.read(v.Data, all, row)
	}
	newest := v.TS
	err := s.candidates(key, func() uint64 { return newest }, func(r *run) error {
		return r.getNewer(key, row, o, &newest, &live)
	})
	if err != nil || !live || hs.hides(newest, func(c int) column.Datum { return row[place[c]] }) {
		return false, err
	}
	if newest == v.TS && o.Stats != nil {
		o.Stats.MemoryHits++
	}
	copy(dst, row)
	return true, nil
}

// expires reports whether a segment may hold versions that are behind one of
// the horizons, and whether it holds nothing else.
func (r *run) expires(def *storeDef, hs horizons) (some, all bool) {
	i := r.info
	if r.open { // what it holds cannot be read
		return len(hs) > 0, false
	}
	for _, h := range hs {
		if i.MinTS > h.last {
			continue
		}
		if h.column >= len(i.Columns) { // the rows are older than the column
			if m := def.Columns[h.column].Missing; !m.Null && m.I < h.before {
				return true, i.MaxTS <= h.last
			}
			continue
		}
		z, before := i.Columns[h.column].Zone, keys.IntBits(h.before)
		if z.AllNull() || z.Min >= before {
			continue
		}
		some = true
		if z.Max < before && z.Nulls == i.Tombstones && i.MaxTS <= h.last {
			return true, true
		}
	}
	return some, false
}

// expiredShare is about the part of a segment's versions that is behind a
// horizon, its values being spread evenly.
func (r *run) expiredShare(def *storeDef, hs horizons) (share float64) {
	some, all := r.expires(def, hs)
	if !some || all {
		if all {
			share = 1
		}
		return share
	}
	i := r.info
	for _, h := range hs {
		if i.MaxTS > h.last || h.column >= len(i.Columns) {
			continue
		}
		z, before := i.Columns[h.column].Zone, keys.IntBits(h.before)
		if z.AllNull() || z.Min >= before {
			continue
		}
		part := min(1, float64(before-z.Min)/(float64(z.Max-z.Min)+1))
		share = max(share, part*float64(z.Rows-z.Nulls)/float64(z.Rows))
	}
	return share
}

// leads reports whether a horizon's column is what the store is ordered by, so
// that whole segments expire.
func (d *storeDef) leads(hs horizons) bool {
	for _, h := range hs {
		if h.last == noEnd && len(d.KeyColumns) > 0 && d.KeyColumns[0] == h.column {
			return true
		}
	}
	return false
}

// expiry returns the test of a merge for versions that every snapshot sees to
// be expired, nil if there are none.
func (s *storeState) expiry(oldest uint64) func(row []column.Datum, ts uint64) bool {
	hs := s.horizons.seen(oldest)
	if len(hs) == 0 {
		return nil
	}
	def := s.def
	return func(row []column.Datum, ts uint64) bool {
		return hs.hides(ts, func(c int) column.Datum {
			if c < len(row) {
				return row[c]
			}
			return def.Columns[c].Missing
		})
	}
}

// hideExpired turns rows that a batch of look-ups found, and that are behind a
// horizon, into rows that do not exist. Private rows stay.
func (hs horizons) hideExpired(dst *column.Batch, place map[int]int, results []segment.Result) {
	for i := range results {
		r := &results[i]
		if r.Status != segment.Found || r.Version == math.MaxUint64 {
			continue
		}
		if hs.hides(r.Version, func(c int) column.Datum { return dst.Cols[place[c]].Datum(i) }) {
			r.Status = segment.Deleted
		}
	}
}
