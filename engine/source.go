package engine

import (
	"bytes"
	"math"
	"sort"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// source is one of the ordered inputs of a scan, standing at a key.
type source interface {
	// key returns the current key, nil at the end.
	key() []byte
	// version returns the current version's timestamp; private writes are newest.
	version() uint64
	// next moves to the next key; pending says that a refill is due first.
	next()
	// pending reports that refill must be called before anything else. It
	// invalidates what was copied from the source.
	pending() bool
	refill() error
	// copy appends the current row to dst, unless it is a tombstone, and
	// those behind it up to the key bound (nil: all) and limit rows, as far as
	// it can without a refill; it moves behind them.
	copy(it *Iterator, dst *column.Batch, bound []byte, limit int)
	// replace puts the current row in the place of a row of the base's batch.
	// It reports false, having done nothing, if it is a tombstone.
	replace(it *Iterator, base *runSource, row int) bool
	close()
}

// tableSource walks a memtable at a timestamp.
type tableSource struct {
	cur memtable.Cursor
	ts  uint64
	own bool
	at  []byte
	v   memtable.Version
}

func (s *tableSource) key() []byte   { return s.at }
func (s *tableSource) pending() bool { return false }
func (s *tableSource) refill() error { return nil }
func (s *tableSource) close()        {}

func (s *tableSource) version() uint64 {
	if s.own {
		return math.MaxUint64
	}
	return s.v.TS
}

func (s *tableSource) next() {
	for s.cur.Next() {
		var ok bool
		if s.v, ok = s.cur.Version(s.ts); ok {
			s.at = s.cur.Key()
			return
		}
	}
	s.at = nil
}

func (s *tableSource) copy(it *Iterator, dst *column.Batch, bound []byte, limit int) {
	for first := true; s.at != nil && (first || dst.N < limit && it.before(s.at, bound)); s.next() {
		first = false
		if s.v.Deleted() || !s.own && it.expired(s.v) {
			continue
		}
		if it.unwantedRow(s.v.Data) {
			it.count.Unwanted++
			if !s.own && len(it.zoned) > 0 {
				it.count.RowsPassed += int64(s.cur.Pass(it.zoned, bound, s.ts))
			}
			continue
		}
		for i, c := range it.cols {
			dst.Cols[i].Append(it.def.cell(s.v.Data, c))
		}
		if it.opts.Keys {
			it.keys = append(it.keys, s.at)
		}
		dst.N++
		it.count.MemtableRows++
	}
}

// runSource walks segments that follow one another in key order.
type runSource struct {
	runs  []*run // still to come, in walking order
	opts  segment.IterOptions
	it    *segment.Iterator
	batch column.Batch
	at    int // in the rows present of batch
	mem   []byte
	due   bool
	rank  uint64 // of private runs, the greater the newer; else 0

	below    bool // every other source is newer
	late     bool // batches may be deferred
	deferred bool // the columns of batch are not decoded

	horizons horizons
	def      *storeDef
	expiring bool        // the open segment may hold expired rows,
	place    map[int]int // which these columns of the batch tell
}

func (s *runSource) key() []byte {
	if s.at >= s.batch.Len() {
		return nil
	}
	return s.mem
}

func (s *runSource) pending() bool { return s.due }

func (s *runSource) version() uint64 { return s.versionAt(s.batch.Row(s.at)) }

// versionAt returns the version of a physical row of the batch.
func (s *runSource) versionAt(row int) uint64 {
	if s.rank > 0 {
		return privateRank + s.rank
	}
	return s.it.Version(row)
}

// privateRank is above every timestamp and below that of the private memtable.
const privateRank = math.MaxUint64 / 2

// open begins with the next segment, if none is open, and reports whether one is.
func (s *runSource) open() bool {
	if s.it == nil && len(s.runs) > 0 {
		o := s.opts
		o.Snapshot = min(o.Snapshot, s.runs[0].cut)
		if s.expiring = false; len(s.horizons) > 0 {
			if s.expiring, _ = s.runs[0].expires(s.def, s.horizons); s.expiring {
				o.Cols, s.place = s.horizons.columns(o.Cols)
			}
		}
		s.it = s.runs[0].reader.Iter(o)
		s.runs = s.runs[1:]
	}
	return s.it != nil
}

// direct fills dst with the next batch of a source that has no rows in hand
// and is the only one. It reports false, having done nothing, where rows have
// to be chosen, or at the end.
func (s *runSource) direct(it *Iterator, dst *column.Batch) (bool, error) {
	for s.due && s.open() && s.it.Whole() && !s.expiring {
		read := s.it.Next
		if s.late {
			read, it.late.from = s.it.Defer, s
		}
		ok, err := read(dst)
		if ok || err != nil {
			it.keys = append(it.keys, s.it.Keys()...)
			return ok, err
		}
		it.late.from = nil
		s.it.Close()
		s.it = nil
	}
	return false, nil
}

func (s *runSource) refill() error {
	s.due, s.at = false, 0
	for {
		if !s.open() {
			s.batch.Reset()
			return nil
		}
		read := s.it.Next
		if s.late {
			read = s.it.Defer
		}
		ok, err := read(&s.batch)
		if err != nil {
			return err
		}
		if s.deferred = ok && s.late; ok {
			s.mem = s.it.AppendKey(s.mem[:0], s.batch.Row(0))
			return nil
		}
		s.it.Close()
		s.it = nil
	}
}

func (s *runSource) next() { s.move(s.at + 1) }

func (s *runSource) move(at int) {
	if s.at = at; at >= s.batch.Len() {
		s.due = true
		return
	}
	s.mem = s.it.AppendKey(s.mem[:0], s.batch.Row(at))
}

// before returns how many of the rows present come before bound.
func (s *runSource) before(bound []byte, reverse bool) int {
	n := s.batch.Len()
	if bound == nil {
		return n
	}
	row, exact := s.it.Find(bound)
	if !reverse {
		if s.batch.Sel == nil {
			return row
		}
		return sort.Search(n, func(i int) bool { return int(s.batch.Sel[i]) >= row })
	}
	end := sort.Search(n, func(i int) bool { return s.batch.Row(i) < row })
	if exact && end > 0 && bytes.Equal(s.it.AppendKey(nil, s.batch.Row(end-1)), bound) {
		end--
	}
	return end
}

func (s *runSource) copy(it *Iterator, dst *column.Batch, bound []byte, limit int) {
	end := max(s.at+1, min(s.before(bound, it.opts.Reverse), s.at+limit-dst.N))
	clean := s.it.Clean() && !s.expiring
	if clean && s.batch.Sel == nil {
		s.give(it, dst, end)
		return
	}
	for at := s.at; at < end; {
		lo := s.batch.Row(at)
		if !clean && s.gone(lo) {
			at++
			continue
		}
		n := 1 // rows that lie side by side
		for at+n < end && s.batch.Row(at+n) == lo+n && (clean || !s.gone(lo+n)) {
			n++
		}
		for i := range dst.Cols {
			appendRows(&dst.Cols[i], &s.batch.Cols[i], lo, lo+n)
		}
		if it.opts.Keys {
			it.keys = append(it.keys, s.it.Keys()[lo:lo+n]...)
		}
		dst.N += n
		at += n
	}
	s.move(end)
}

// gone reports whether a physical row of the batch is a tombstone, or expired.
func (s *runSource) gone(row int) bool {
	return s.it.Deleted(row) || s.expiring && s.horizons.hides(s.it.Version(row), func(c int) column.Datum {
		return s.batch.Cols[s.place[c]].Datum(row)
	})
}

// expired reports whether a version in a memtable is behind a horizon.
func (it *Iterator) expired(v memtable.Version) bool {
	return len(it.horizons) > 0 && it.horizons.hides(v.TS, func(c int) column.Datum { return it.def.cell(v.Data, c) })
}

// appendRows appends rows lo to hi of src to dst, sharing bytes.
func appendRows(dst, src *column.Vec, lo, hi int) {
	if src.Nulls.Any() {
		at := dst.Len()
		for i := lo; i < hi; i++ {
			if src.Nulls.Get(i) {
				dst.Nulls.Set(at + i - lo)
			}
		}
	}
	switch src.Kind {
	case column.Int:
		dst.I = append(dst.I, src.I[lo:hi]...)
	case column.Float:
		dst.F = append(dst.F, src.F[lo:hi]...)
	default:
		dst.B = append(dst.B, src.B[lo:hi]...)
	}
}

func (s *runSource) close() {
	s.deferred = false
	if s.it != nil {
		s.it.Close()
		s.it = nil
	}
	s.runs = nil
}
