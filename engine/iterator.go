package engine

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/engine/segment"
)

// ScanOptions say what to read.
type ScanOptions struct {
	Lower, Upper []byte // half-open; nil is unbounded
	Cols         []int  // wanted columns; nil is all, empty is none: rows are only counted
	Keys         bool   // make Keys available
	Reverse      bool
	NoModel      bool // search without the learned models; rows are the same
	// Wanted are conditions of which the caller checks every row: the scan may
	// leave out rows that do not meet all of them, and need not.
	Wanted []ColumnRange
	// Late lets Next leave columns to be loaded later: see Iterator.Deferred.
	Late  bool
	Stats *ReadStats // counts what the scan does, if not nil
}

// ReadStats counts what scans did, for EXPLAIN.
type ReadStats struct {
	segment.Stats
	Rows         int64 // yielded
	MemtableRows int64 // of these: from memtables and private writes
	Unwanted     int64 // not yielded: rows of memtables that ScanOptions.Wanted leaves out
	RowsPassed   int64 // keys of memtables that were not looked at because of their zones
}

// Iterator yields the rows of a scan in key order (descending with Reverse),
// in batches. Batches have no selection: every row is present.
type Iterator struct {
	snap    *Snapshot
	def     *storeDef
	cols    []int
	opts    ScanOptions
	err     error
	sources []source // those that have not ended
	keys    [][]byte
	count   ReadStats
	zoned   []memtable.Range // the wanted ranges that zones of memtables can be asked about
	noted   scanNote
	held    []*run // private runs that are read
	lastKey []byte // of a batch that newer rows are put into
	passed  []byte // the key that sources were moved behind last
	above   bool   // all that is not in the base is newer than the base

	horizons horizons // that the snapshot sees
	late     lateColumns
}

// Scan reads a range. The iterator must be closed before the snapshot. An
// unknown store is reported by the first Next.
func (s *Snapshot) Scan(id StoreID, o ScanOptions) *Iterator {
	it := &Iterator{snap: s, opts: o}
	st, def, err := s.resolve(id)
	if err != nil {
		it.err = err
		return it
	}
	it.def, it.cols = def, def.columns(o.Cols)
	it.zoned = it.tableRanges()
	if s.noting(def) {
		it.opts.Keys = true
		it.noted = scanNote{on: true, store: id, budget: firstBatch}
	}
	if own := s.own(id); own != nil {
		it.addTable(own, s.ownSeq, true)
	}
	if s.txn != nil && len(s.txn.bulk) > 0 {
		it.addPrivate(s.txn.bulk[id])
	}
	if st == nil {
		return it
	}
	it.horizons = st.horizons.seen(s.ts)
	st.tables(func(t *memtable.Table) bool {
		it.addTable(t, s.ts, false)
		return true
	})
	it.above = it.newerThanBase(st)
	p, base, pruning := it.pruner(st), st.base, segmentPruning{}
	for _, r := range st.level0 {
		if p == nil {
			it.addRuns(0, segmentPruning{}, r)
		} else if visit, pruning := p.level0(r); visit {
			it.addRuns(0, pruning, r)
		}
	}
	if p != nil {
		base, pruning = p.base()
	}
	if it.addRuns(0, pruning, base...) && it.above {
		it.sources[len(it.sources)-1].(*runSource).below = true
	}
	it.allowLate()
	return it
}

func (it *Iterator) addTable(t *memtable.Table, ts uint64, own bool) {
	if t.Empty() {
		return
	}
	src := &tableSource{ts: ts, own: own}
	src.cur.Init(t, it.opts.Lower, it.opts.Upper, it.opts.Reverse)
	if src.next(); src.at != nil {
		it.sources = append(it.sources, src)
	}
}

// addPrivate adds the transaction's private runs, which the scan keeps alive:
// the transaction may merge them while it is read.
func (it *Iterator) addPrivate(links []*bulkLink) {
	for i, l := range links {
		var runs []*run
		for _, r := range l.runs {
			if r.info.MinTS <= it.snap.ownSeq && r.overlaps(it.opts.Lower, it.opts.Upper) {
				r.refs.Add(byViews)
				runs = append(runs, r)
			}
		}
		it.addRuns(uint64(i+1), segmentPruning{}, runs...)
		it.held = append(it.held, runs...)
	}
}

// addRuns adds segments that follow one another, and reports whether there is
// something in them. Private ones have a rank, the greater the newer.
func (it *Iterator) addRuns(rank uint64, p segmentPruning, runs ...*run) bool {
	src := &runSource{due: true, rank: rank}
	for _, r := range runs {
		if r.overlaps(it.opts.Lower, it.opts.Upper) {
			src.runs = append(src.runs, r)
		}
	}
	if len(src.runs) == 0 {
		return false
	}
	src.batch = it.snap.lend()
	if it.opts.Reverse {
		slices.Reverse(src.runs)
	}
	src.opts = segment.IterOptions{Lower: it.opts.Lower, Upper: it.opts.Upper, Snapshot: it.snap.ts, Cols: it.cols,
		Defaults: it.def.defaults, Keys: it.opts.Keys, Reverse: it.opts.Reverse,
		NoModel: it.opts.NoModel || it.snap.noModel, Plain: it.snap.db.opts.PlainReads, Stats: &it.count.Stats, Prune: p.prune, Needed: p.needed}
	if rank > 0 {
		src.opts.Snapshot = it.snap.ownSeq
	} else {
		src.horizons, src.def = it.horizons, it.def
	}
	it.sources = append(it.sources, src)
	return true
}

// Next fills dst with the next rows and reports whether there are any.
func (it *Iterator) Next(dst *column.Batch) (bool, error) {
	if it.err != nil {
		return false, it.err
	}
	resetBatch(dst, it.def, it.cols)
	it.keys = it.keys[:0]
	it.late.from, it.late.patches = nil, it.late.patches[:0]
	if len(it.sources) == 1 && !it.noted.on && !it.snap.db.opts.PlainReads {
		if src, ok := it.sources[0].(*runSource); ok {
			if ok, err := src.direct(it, dst); ok || err != nil {
				it.err = err
				it.count.Rows += int64(dst.N)
				return ok, err
			}
		}
	}
	limit := column.BatchSize
	if it.noted.on {
		limit = min(limit, it.noted.budget)
		it.noted.budget = limit * 4
	}
	for dst.N < limit {
		ready, err := it.refill(dst.N > 0)
		if err != nil {
			it.err = err
			return false, err
		}
		if !ready || len(it.sources) == 0 {
			break
		}
		if done, err := it.overlay(dst, limit); done || err != nil {
			if it.err = err; err != nil {
				return false, err
			}
			continue
		}
		best, bound := it.first()
		best.copy(it, dst, bound, limit)
	}
	if it.noted.on {
		if err := it.note(dst.N == 0); err != nil {
			it.err = err
			return false, err
		}
	}
	it.count.Rows += int64(dst.N)
	return dst.N > 0, nil
}

// refill brings every source to a key and forgets those at their end. When
// rows that a refill would invalidate are in use it reports false.
func (it *Iterator) refill(inUse bool) (bool, error) {
	for i := 0; i < len(it.sources); {
		src := it.sources[i]
		if src.pending() {
			if inUse {
				return false, nil
			}
			if err := src.refill(); err != nil {
				return false, err
			}
		}
		if src.key() == nil {
			src.close()
			it.snap.giveBack(src)
			it.sources = slices.Delete(it.sources, i, i+1)
			continue
		}
		i++
	}
	return true, nil
}

// first returns the source whose row comes next, after passing the versions
// that it hides, and the key that its rows have to stay before.
func (it *Iterator) first() (best source, bound []byte) {
	best = it.sources[0]
	if len(it.sources) == 1 {
		return best, nil
	}
	for _, src := range it.sources[1:] {
		if c := it.compare(src.key(), best.key()); c < 0 || c == 0 && src.version() > best.version() {
			best = src
		}
	}
	for _, src := range it.sources {
		if src == best {
			continue
		}
		if bytes.Equal(src.key(), best.key()) {
			if src.next(); src.pending() || src.key() == nil {
				// Where it continues is not known: take one row.
				bound = best.key()
				continue
			}
		}
		if bound == nil || it.compare(src.key(), bound) < 0 {
			bound = src.key()
		}
	}
	return best, bound
}

// compare orders keys as the scan does.
func (it *Iterator) compare(a, b []byte) int {
	if it.opts.Reverse {
		return bytes.Compare(b, a)
	}
	return bytes.Compare(a, b)
}

// before reports whether a key comes before a bound, nil being the end.
func (it *Iterator) before(key, bound []byte) bool {
	return bound == nil || it.compare(key, bound) < 0
}

// Keys returns the keys of the last batch, row by row, when the scan asked for them.
func (it *Iterator) Keys() [][]byte { return it.keys }

// Close ends the scan and adds what it did to ScanOptions.Stats.
func (it *Iterator) Close() {
	for _, src := range it.sources {
		src.close()
		it.snap.giveBack(src)
	}
	it.sources = nil
	if len(it.held) > 0 {
		it.snap.db.letGo(it.held)
		it.held = nil
	}
	if it.opts.Stats != nil {
		it.opts.Stats.add(&it.count)
	}
	it.count = ReadStats{}
}

// lend returns the memory of a scan that has ended, if there is some.
func (s *Snapshot) lend() (b column.Batch) {
	b, s.spare = s.spare, column.Batch{}
	return b
}

// giveBack keeps the memory of a source that has ended for the next scan.
func (s *Snapshot) giveBack(src source) {
	if r, ok := src.(*runSource); ok {
		s.spare, r.batch = r.batch, column.Batch{}
	}
}

func (s *ReadStats) add(o *ReadStats) {
	s.Rows += o.Rows
	s.MemtableRows += o.MemtableRows
	s.Unwanted += o.Unwanted
	s.RowsPassed += o.RowsPassed
	s.Segments += o.Segments
	s.Window += o.Window
	s.Predictions += o.Predictions
	s.Mispredictions += o.Mispredictions
	s.BlocksRead += o.BlocksRead
	s.CacheHits += o.CacheHits
	s.BytesRead += o.BytesRead
	s.ExtentsPruned += o.ExtentsPruned
	s.MemoryHits += o.MemoryHits
	s.Batched += o.Batched
}
