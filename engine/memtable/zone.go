package memtable

import (
	"bytes"
	"math"
	"sync/atomic"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// Zones bound the values that a column has in a stretch of the append lane, in
// any version, so that a scan for a range of values passes by rows without a
// look at them. The first scan that asks for a column of a stretch finds its
// bounds out; writers do nothing for them but say when a row got a new version.

// zoneStretch records of the append lane have a zone: few enough that one row
// far from its neighbours costs little, many enough that asking costs nothing.
const (
	zoneStretch = 256
	// zoneColumns of a stretch are remembered at most.
	zoneColumns = 8
)

// Range bounds the values of a column that a scan wants, both ends included, in
// ordered form: keys.IntBits of an Int, keys.FloatBits of a Float. Bytes are not
// asked for. Rows in which the column is NULL are not wanted.
type Range struct {
	Column   int
	Kind     column.Kind
	Min, Max uint64
}

// Unzoned returns the number of keys that no zone can be asked about.
func (t *Table) Unzoned() int64 { return t.random.length() + int64(t.lane.length())%zoneStretch }

// zone bounds the values of a column; min is above max if there are none.
type zone struct {
	column   int
	min, max uint64
}

// stretchZones is what is known of a stretch. It is immutable.
type stretchZones struct {
	upTo  uint64 // versions above this timestamp may be missing
	zones []zone
}

// laneZones belongs to a chunk of the append lane.
type laneZones struct {
	known     []atomic.Pointer[stretchZones]
	rewritten []uint64 // timestamp of the newest version that a record of the stretch got later; published
}

func newLaneZones(records int) laneZones {
	n := records / zoneStretch
	if n == 0 {
		return laneZones{}
	}
	return laneZones{make([]atomic.Pointer[stretchZones], n), make([]uint64, n)}
}

// rewrote notes that the record at a place got another version.
func (l *appendLane) rewrote(i uint32, ts uint64) {
	k, at := chunkOf(i)
	if z := &l.chunks[k].zones; len(z.rewritten) > 0 {
		publish64(&z.rewritten[at/zoneStretch], ts)
	}
}

// stretch returns the places of the stretch that a record is in, false if it
// has no zone.
func (l *appendLane) stretch(i uint32) (lo, hi uint32, ok bool) {
	k, at := chunkOf(i)
	if len(l.chunks[k].zones.known) == 0 {
		return 0, 0, false
	}
	lo = i - at%zoneStretch
	return lo, lo + zoneStretch, true
}

// Pass moves the cursor behind the stretches of the append lane that follow,
// as far as all their keys come before bound (nil: the end) and no version at or below ts
// has a value within every one of the ranges. It returns how many keys it
// left out; the current one stays. The table must not be private: what Undo
// takes back it does not tell.
func (c *Cursor) Pass(ranges []Range, bound []byte, ts uint64) (passed int) {
	n := c.t.lane.length()
	for c.at != c.end {
		lo, hi, ok := c.t.lane.stretch(uint32(c.at))
		if !ok || hi > n {
			return passed
		}
		to, last := min(int(hi), c.end), min(int(hi), c.end)-1
		if c.reverse {
			to = max(int(lo)-1, c.end)
			last = to + 1
		}
		known := c.t.lane.knownZones(lo, ts)
		if known == nil || !known.has(ranges) {
			if !c.precedes(last, bound) {
				return passed
			}
			known = c.t.findZones(known, lo, hi, ranges, ts)
		}
		if !known.unwanted(ranges) || !c.precedes(last, bound) {
			return passed
		}
		if c.reverse {
			passed += c.at - to
		} else {
			passed += to - c.at
		}
		c.at = to
	}
	return passed
}

// precedes reports whether the key at a place of the lane comes before bound.
func (c *Cursor) precedes(at int, bound []byte) bool {
	if bound == nil {
		return true
	}
	d := bytes.Compare(c.t.key(c.t.lane.at(uint32(at))), bound)
	return d < 0 && !c.reverse || d > 0 && c.reverse
}

// knownZones returns what is known of the stretch from lo on that holds at a
// timestamp, nil if nothing is. All versions at or below that timestamp have
// been put before the caller learned of it.
func (l *appendLane) knownZones(lo uint32, ts uint64) *stretchZones {
	k, at := chunkOf(lo)
	z := &l.chunks[k].zones
	s := z.known[at/zoneStretch].Load()
	if s == nil || ts > s.upTo && atomic.LoadUint64(&z.rewritten[at/zoneStretch]) > s.upTo {
		return nil
	}
	return s
}

// has reports whether the bounds of all columns asked for are known.
func (s *stretchZones) has(ranges []Range) bool {
	for i := range ranges {
		if s.of(ranges[i].Column) == nil {
			return false
		}
	}
	return true
}

func (s *stretchZones) of(column int) *zone {
	for i := range s.zones {
		if s.zones[i].column == column {
			return &s.zones[i]
		}
	}
	return nil
}

// unwanted reports whether no row can be within all of the ranges.
func (s *stretchZones) unwanted(ranges []Range) bool {
	for i := range ranges {
		r := &ranges[i]
		if z := s.of(r.Column); z.min > z.max || z.max < r.Min || z.min > r.Max {
			return true
		}
	}
	return false
}

// findZones finds out the bounds of the columns asked for in a whole stretch
// and remembers them, beside those in known that hold as well.
func (t *Table) findZones(known *stretchZones, lo, hi uint32, ranges []Range, ts uint64) *stretchZones {
	s := &stretchZones{upTo: ts}
	if known != nil && len(known.zones)+len(ranges) <= zoneColumns {
		s.upTo = min(ts, known.upTo)
		s.zones = append(s.zones, known.zones...)
	}
	from := len(s.zones)
	for i := range ranges {
		if s.of(ranges[i].Column) == nil {
			s.zones = append(s.zones, zone{column: ranges[i].Column, min: math.MaxUint64})
		}
	}
	for i := lo; i < hi; i++ {
		record := t.lane.at(i)
		for ref := t.newest(record); ref != noVersion; {
			w := t.arena.at(ref)
			if v := decode(w); !v.Deleted() {
				for k := range s.zones[from:] {
					z := &s.zones[from+k]
					z.add(v.Data, kindOf(ranges, z.column))
				}
			}
			ref = older(record, ref, w)
		}
	}
	k, at := chunkOf(lo)
	t.lane.chunks[k].zones.known[at/zoneStretch].Store(s)
	return s
}

func kindOf(ranges []Range, c int) column.Kind {
	for i := range ranges {
		if ranges[i].Column == c {
			return ranges[i].Kind
		}
	}
	panic("memtable: a zone of a column that is not asked for")
}

// add widens the zone by a row. A row that was written before there was the
// column has a default that the table does not know: it can be anything.
func (z *zone) add(r Row, kind column.Kind) {
	if z.column >= r.Columns() {
		z.min, z.max = 0, math.MaxUint64
		return
	}
	x, null := r.Number(z.column)
	if null {
		return
	}
	switch kind {
	case column.Int:
		x = keys.IntBits(int64(x))
	case column.Float:
		x = keys.FloatBits(math.Float64frombits(x))
	default:
		z.min, z.max = 0, math.MaxUint64
		return
	}
	z.min, z.max = min(z.min, x), max(z.max, x)
}
