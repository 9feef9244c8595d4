package engine

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
)

// A scan over a segment whose rows were updated since mostly meets newer
// versions of keys that the segment has as well. Such rows are put in the place
// of the old ones, in the batch of the segment, so that the batch stays in one
// piece and in order. A row that has no such place, because it was inserted, or
// takes one away, because it was deleted, goes the way of all sources.

// overlay appends to dst rows of the oldest source under what newer ones say,
// up to limit rows and as far as every newer row has its place among them. It
// reports whether it got anywhere. Where rows expire, it gets up to the next
// one that has.
func (it *Iterator) overlay(dst *column.Batch, limit int) (bool, error) {
	last := len(it.sources) - 1
	base, ok := it.sources[last].(*runSource)
	if !ok {
		return false, nil
	}
	if last == 0 || it.opts.Reverse || it.noted.on || it.snap.db.opts.PlainReads || base.batch.Sel != nil || !base.it.Clean() {
		return false, base.settle(it)
	}
	end := base.batch.N
	if dst.N > 0 || base.at > 0 {
		end = min(end, base.at+limit-dst.N)
	}
	if base.expiring {
		if end = base.untilGone(end); end == base.at {
			return false, nil
		}
	}
	end = it.replaceRows(base, it.sources[:last], end)
	if base.deferred && base.at == 0 && dst.N == 0 && end == base.batch.N {
		base.deferred, it.late.from = false, base
	} else if err := base.settle(it); err != nil {
		return false, err
	}
	if end == base.at {
		return false, nil
	}
	base.give(it, dst, end)
	return true, nil
}

// replaceRows puts the rows of newer sources into the batch of base, from the
// row where it stands to end, and moves these sources behind them. It returns
// where it had to stop.
func (it *Iterator) replaceRows(base *runSource, newer []source, end int) int {
	it.lastKey = base.it.AppendKey(it.lastKey[:0], end-1)
	span := 0
	for {
		src := it.newestOfFirst(newer)
		if bytes.Compare(src.key(), it.lastKey) > 0 {
			return end
		}
		row, exact, at := base.it.FindFrom(src.key(), span)
		if span = at; !exact || row < base.at {
			return max(row, base.at)
		}
		if (base.below || src.version() >= base.versionAt(row)) && !src.replace(it, base, row) {
			return row // deleted, or expired
		}
		if !it.passKey(newer, src.key()) {
			return row + 1
		}
	}
}

// newestOfFirst returns the source with the newest version of the least key.
func (it *Iterator) newestOfFirst(list []source) source {
	best := list[0]
	for _, src := range list[1:] {
		if c := bytes.Compare(src.key(), best.key()); c < 0 || c == 0 && src.version() > best.version() {
			best = src
		}
	}
	return best
}

// passKey moves the sources that stand at a key behind it and reports whether
// it is known where all of them stand then.
func (it *Iterator) passKey(list []source, key []byte) (known bool) {
	it.passed = append(it.passed[:0], key...)
	known = true
	for _, src := range list {
		if bytes.Equal(src.key(), it.passed) {
			src.next()
			known = known && !src.pending() && src.key() != nil
		}
	}
	return known
}

func (s *tableSource) replace(it *Iterator, base *runSource, row int) bool {
	if s.v.Deleted() || !s.own && it.expired(s.v) {
		return false
	}
	it.count.MemtableRows++
	if base.deferred {
		it.late.patches = append(it.late.patches, patch{row: int32(row), data: s.v.Data})
		return true
	}
	for i, c := range it.cols {
		base.batch.Cols[i].Set(row, it.def.cell(s.v.Data, c))
	}
	return true
}

func (s *runSource) replace(it *Iterator, base *runSource, row int) bool {
	own := s.batch.Row(s.at)
	if (s.expiring || !s.it.Clean()) && s.gone(own) {
		return false
	}
	if base.deferred {
		it.late.patches = append(it.late.patches, patch{row: int32(row), own: int32(own), from: s})
		return true
	}
	for i := range it.cols { // either batch may have more, which tell of expiry
		base.batch.Cols[i].Set(row, s.batch.Cols[i].Datum(own))
	}
	return true
}

// untilGone returns the first row from where the source stands on that has
// expired, end if none has. All rows of the batch are present.
func (s *runSource) untilGone(end int) int {
	for row := s.at; row < end; row++ {
		if s.gone(row) {
			return row
		}
	}
	return end
}

// give moves the rows up to end to dst. All rows of the batch are present and
// none is a tombstone.
func (s *runSource) give(it *Iterator, dst *column.Batch, end int) {
	if s.at == 0 && dst.N == 0 && end == s.batch.N && !s.expiring {
		// The whole batch goes as it is; the next refill comes later.
		*dst, s.batch = s.batch, *dst
		it.keys = append(it.keys, s.it.Keys()...)
		s.batch.Sel, s.batch.N, s.at, s.due = nil, 0, 0, true
		return
	}
	for i := range dst.Cols {
		appendRows(&dst.Cols[i], &s.batch.Cols[i], s.at, end)
	}
	if it.opts.Keys {
		it.keys = append(it.keys, s.it.Keys()[s.at:end]...)
	}
	dst.N += end - s.at
	s.move(end)
}
