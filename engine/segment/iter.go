package segment

import (
	"bytes"
	"sort"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/learned"
)

// IterOptions are the parameters of a scan.
type IterOptions struct {
	// Lower and Upper bound the keys, half-open; nil is no bound.
	Lower, Upper []byte
	// Snapshot is the greatest commit timestamp that is visible.
	Snapshot uint64
	// Cols are the columns to decode, in this order. Others are not touched.
	Cols []int
	// Defaults holds, by column number, what columns are that the segment
	// does not have. A column beyond both is a NULL Bytes column.
	Defaults []Default
	// Keys asks for Iterator.Keys.
	Keys bool
	// Reverse yields the rows in descending order.
	Reverse bool
	// NoModel searches the fences without the learned model.
	NoModel bool
	// Plain decodes every column by its own head in its block.
	Plain bool
	// Prune, if not nil, is shown the zone maps, by column of the segment,
	// of a stretch of rows and reports whether none of them is wanted. Such
	// rows are left out, unless Needed says otherwise.
	Prune func([]Zone) bool
	// Needed, if not nil, is asked whether rows with keys of [lower, upper) are
	// needed all the same: a row that is left out does not hide its older
	// versions elsewhere. nil is right where there are none.
	Needed func(lower, upper []byte) bool
	// Stats, if not nil, is added to.
	Stats *Stats
}

// Iterator yields the newest visible version of each key in batches,
// tombstones included (Deleted tells). A batch shares the memory of cached
// blocks, pinned until the next call of Next or Close.
//
// Within a batch physical rows always ascend by key; old versions stand among
// them and Batch.Sel leaves them out. A reverse scan yields batches from the
// end and their rows by a descending Sel.
type Iterator struct {
	r    *Reader
	opts IterOptions

	next, last int // blocks still to come: next to last ascending; with Reverse, last down to next
	lowerBlock int // the block in which Lower falls, -1 without a bound
	upperBlock int

	target  int // rows of the next batch
	spans   []span
	rows    int // physical rows of the batch
	sel     []int32
	keys    [][]byte
	keyMem  []byte
	wideMem []byte

	touched byte // keeps loads alive whose only purpose is the cache

	ahead ahead

	extent int // whose pruning was decided; -1 none
	pruned bool
	zones  []Zone
	fence  [2][]byte // of the extent
}

// span is the part of a block that is in the current batch.
type span struct {
	pinned
	index  int  // of the block
	lo, hi int  // rows of the block
	at     int  // physical row of lo in the batch
	asked  bool // for what its columns are decoded from
}

// firstBatchRows is the aim for the first batch. It and its successors grow
// fourfold up to a full batch, so that a scan of which only a few rows are
// wanted reads one or two blocks.
const firstBatchRows = column.BatchSize / 16

// Iter starts a scan. The caller ends it with Close.
func (r *Reader) Iter(o IterOptions) *Iterator {
	it := &Iterator{r: r, opts: o, last: r.fences.count() - 1, lowerBlock: -1, upperBlock: -1, extent: -1, target: firstBatchRows}
	empty := r.info.Rows == 0 || o.Snapshot < r.info.MinTS ||
		o.Lower != nil && bytes.Compare(o.Lower, r.info.MaxKey) > 0 && r.damage == nil ||
		o.Upper != nil && bytes.Compare(o.Upper, r.info.MinKey) <= 0 ||
		o.Lower != nil && o.Upper != nil && bytes.Compare(o.Lower, o.Upper) >= 0
	if empty {
		it.next = it.last + 1
		return it
	}
	if o.Stats != nil {
		o.Stats.Segments++
	}
	if o.Lower != nil {
		var w window
		r.fences.predict(&w, o.Lower, o.NoModel, o.Stats)
		it.next = r.fences.firstBlock(&w, o.Stats)
		it.lowerBlock = it.next
		r.use(&w)
	}
	if o.Upper != nil {
		var w window
		r.fences.predict(&w, o.Upper, o.NoModel, o.Stats)
		it.last = r.fences.firstBlock(&w, o.Stats)
		it.upperBlock = it.last
		r.use(&w)
	}
	return it
}

// Close releases what the iterator holds.
func (it *Iterator) Close() {
	it.release()
	it.dropAhead()
	it.next = it.last + 1
}

func (it *Iterator) release() {
	for i := range it.spans {
		it.spans[i].pin.Release()
	}
	it.spans = it.spans[:0]
	it.rows = 0
}

// Next fills dst with the next batch, which has at least one row present, and
// reports whether there was one.
func (it *Iterator) Next(dst *column.Batch) (bool, error) {
	ok, err := it.Defer(dst)
	if !ok {
		return false, err
	}
	if err := it.Fill(dst); err != nil {
		it.Close()
		return false, err
	}
	return true, nil
}

// Defer is Next without the columns, which Fill decodes, or Load one by one.
func (it *Iterator) Defer(dst *column.Batch) (bool, error) {
	for {
		it.release()
		ok, err := it.collect()
		if err != nil || !ok {
			it.Close()
			return false, err
		}
		if it.rows == 0 {
			continue
		}
		present := it.choose(dst)
		if present == 0 {
			continue
		}
		for len(dst.Cols) < len(it.opts.Cols) {
			dst.Cols = append(dst.Cols, column.Vec{})
		}
		dst.Cols = dst.Cols[:len(it.opts.Cols)]
		dst.N = it.rows
		it.wideMem, it.keys = it.wideMem[:0], it.keys[:0]
		return true, nil
	}
}

// collect pins the blocks of the next batch. Blocks that share a key stay
// together, so that no batch begins or ends among the versions of a key.
func (it *Iterator) collect() (bool, error) {
	for it.next <= it.last {
		lo, hi, err := it.nextRun()
		if err != nil {
			return false, err
		}
		if lo > hi {
			continue // a pruned extent
		}
		rows := int(it.r.fences.rows[hi+1] - it.r.fences.rows[lo])
		if len(it.spans) > 0 && it.rows+rows > it.target {
			break
		}
		if it.opts.Reverse {
			it.last = lo - 1
		} else {
			it.next = hi + 1
		}
		if err := it.pinRun(lo, hi); err != nil {
			return false, err
		}
	}
	it.target = min(4*it.target, column.BatchSize)
	if it.opts.Reverse {
		it.ascend()
	}
	return len(it.spans) > 0 || it.next <= it.last, nil
}

// nextRun returns the next run of blocks linked by shared keys, or, when
// their extent is pruned, an empty range after stepping over it.
func (it *Iterator) nextRun() (lo, hi int, err error) {
	f := it.r.fences
	lo = it.next
	if it.opts.Reverse {
		lo = max(f.runStart(it.last), it.next)
	}
	if it.opts.Prune != nil {
		extent := lo / extentBlocks
		skip, err := it.prunes(extent)
		if err != nil {
			return 0, 0, err
		}
		if skip {
			if it.opts.Reverse {
				it.last = min(it.last, extent*extentBlocks-1)
			} else {
				it.next = (extent + 1) * extentBlocks
			}
			return 1, 0, nil
		}
	}
	hi = lo
	for hi < it.last && f.continued.Get(hi+1) {
		hi++
	}
	return lo, hi, nil
}

// pinRun adds the rows within the bounds of blocks lo to hi to the batch.
func (it *Iterator) pinRun(lo, hi int) error {
	for k := lo; k <= hi; k++ {
		at := len(it.spans)
		it.spans = append(it.spans, span{})
		s := &it.spans[at]
		if err := it.pin(s, k); err != nil {
			it.spans = it.spans[:at]
			return err
		}
		s.index, s.hi, s.at = k, s.rows, it.rows
		if k == it.lowerBlock {
			s.lo, _ = s.lowerBound(it.opts.Lower, it.opts.NoModel)
		}
		if k == it.upperBlock {
			s.hi, _ = s.lowerBound(it.opts.Upper, it.opts.NoModel)
		}
		if s.lo >= s.hi {
			s.pin.Release()
			it.spans = it.spans[:at]
			continue
		}
		it.rows += s.hi - s.lo
	}
	return nil
}

// ascend puts the spans that a reverse scan collected into ascending order.
func (it *Iterator) ascend() {
	n := len(it.spans)
	for i := 1; i < n; i++ { // runs came descending, blocks within a run ascending
		for k := i; k > 0 && it.spans[k].index < it.spans[k-1].index; k-- {
			it.spans[k], it.spans[k-1] = it.spans[k-1], it.spans[k]
		}
	}
	at := 0
	for i := range it.spans {
		it.spans[i].at = at
		at += it.spans[i].hi - it.spans[i].lo
	}
}

// choose sets the selection of the batch and returns the number of rows present.
func (it *Iterator) choose(dst *column.Batch) int {
	dst.Sel = nil
	info := &it.r.info
	all := info.MaxTS <= it.opts.Snapshot && info.Rows == info.Keys
	if all && !it.opts.Reverse {
		return it.rows
	}
	sel := it.sel[:0]
	resolved := false // whether the current key's visible version was found
	for i := range it.spans {
		s := &it.spans[i]
		repeats := s.section(sectionRepeats)
		versions := s.versions()
		for row := s.lo; row < s.hi; row++ {
			if !(sectionBit(repeats, row) || row == 0 && it.r.fences.continued.Get(s.index)) {
				resolved = false
			}
			if !resolved && (all || it.r.version(&versions, row) <= it.opts.Snapshot) {
				resolved = true
				sel = append(sel, int32(s.at+row-s.lo))
			}
		}
	}
	if it.opts.Reverse {
		for i, k := 0, len(sel)-1; i < k; i, k = i+1, k-1 {
			sel[i], sel[k] = sel[k], sel[i]
		}
	}
	it.sel = sel
	if it.opts.Reverse || len(sel) < it.rows {
		dst.Sel = sel
	}
	return len(sel)
}

// Fill decodes all columns of the batch.
func (it *Iterator) Fill(dst *column.Batch) error {
	it.lookAhead()
	it.touch()
	for i := range it.opts.Cols {
		if err := it.decode(&dst.Cols[i], i); err != nil {
			return err
		}
	}
	if it.opts.Keys {
		it.fillKeys()
	}
	return nil
}

// encoded returns column i of those asked for in a span; false where the segment
// does not have it.
func (it *Iterator) encoded(e *column.Encoded, i int, s *span) bool {
	c := it.opts.Cols[i]
	if c >= len(it.r.info.Schema.Columns) {
		return false
	}
	k := it.r.info.Schema.Columns[c]
	if c >= headColumns || it.opts.Plain || !s.head.cols[c].View(e, s.data, k, s.rows) {
		*e = s.column(c, k)
	}
	return true
}

// decode decodes column i of those asked for.
func (it *Iterator) decode(v *column.Vec, i int) error {
	c := it.opts.Cols[i]
	if c >= len(it.r.info.Schema.Columns) {
		fillDefault(v, defaultOf(it.opts.Defaults, c), it.rows)
		return nil
	}
	v.Reset(it.r.info.Schema.Columns[c])
	var e column.Encoded
	for j := range it.spans {
		s := &it.spans[j]
		if c < headColumns && !it.opts.Plain && s.head.cols[c].Append(v, s.data, s.lo, s.hi) {
			continue
		}
		it.encoded(&e, i, s)
		e.Decode(v, s.lo, s.hi)
		if e.HasMarks() {
			if err := it.fillWide(v, &e, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// touch loads what the asked columns are decoded from, where lookAhead has not
// asked for it.
func (it *Iterator) touch() {
	for _, c := range it.opts.Cols {
		if c < headColumns {
			for j := range it.spans {
				s := &it.spans[j]
				if s.asked {
					continue
				}
				it.touched += s.head.cols[c].TouchRows(s.data, s.lo, s.hi)
			}
		}
	}
}

func fillDefault(v *column.Vec, d Default, rows int) {
	v.Reset(d.Kind)
	for range rows {
		v.Append(d.Value)
	}
}

// fillWide replaces references by the wide values that they refer to.
func (it *Iterator) fillWide(v *column.Vec, e *column.Encoded, s *span) error {
	for row := s.lo; row < s.hi; row++ {
		if !e.Marked(row) {
			continue
		}
		at := len(it.wideMem)
		mem, err := it.r.appendValue(it.wideMem, e.BytesAt(row), it.opts.Stats)
		if err != nil {
			return err
		}
		it.wideMem = mem
		v.B[s.at+row-s.lo] = mem[at:len(mem):len(mem)]
	}
	return nil
}

func (it *Iterator) fillKeys() {
	mem := it.keyMem[:0]
	for i := range it.spans {
		s := &it.spans[i]
		for row := s.lo; row < s.hi; row++ {
			at := len(mem)
			mem = s.appendKey(mem, row)
			it.keys = append(it.keys, mem[at:len(mem):len(mem)])
		}
	}
	it.keyMem = mem
}

// Keys returns the keys of the last batch by physical row, if IterOptions
// asked for them.
func (it *Iterator) Keys() [][]byte { return it.keys }

// Clean reports whether no batch of this scan holds a tombstone.
func (it *Iterator) Clean() bool { return it.r.info.Tombstones == 0 }

// Whole reports whether the batches of this scan are nothing but rows to
// yield: ascending, without tombstones and old versions.
func (it *Iterator) Whole() bool {
	info := &it.r.info
	return !it.opts.Reverse && info.Tombstones == 0 && info.Rows == info.Keys && info.MaxTS <= it.opts.Snapshot
}

// spanOf returns the span that holds physical row i of the last batch.
func (it *Iterator) spanOf(i int) *span {
	lo, hi := 0, len(it.spans)-1
	for lo < hi {
		m := int(uint(lo+hi+1) >> 1)
		if it.spans[m].at <= i {
			lo = m
		} else {
			hi = m - 1
		}
	}
	return &it.spans[lo]
}

// AppendKey appends the key of physical row i of the last batch to dst.
func (it *Iterator) AppendKey(dst []byte, i int) []byte {
	s := it.spanOf(i)
	return s.appendKey(dst, s.lo+i-s.at)
}

// Version returns the commit timestamp of physical row i of the last batch.
func (it *Iterator) Version(i int) uint64 {
	s := it.spanOf(i)
	v := s.versions()
	return it.r.version(&v, s.lo+i-s.at)
}

// Deleted reports whether physical row i of the last batch is a tombstone.
func (it *Iterator) Deleted(i int) bool {
	s := it.spanOf(i)
	return s.tombstone(s.lo + i - s.at)
}

// Successor returns the successor key that the tombstone at physical row i of
// the last batch carries, nil when it carries none.
func (it *Iterator) Successor(i int) []byte {
	s := it.spanOf(i)
	return s.successor(s.lo + i - s.at)
}

// Find returns the first physical row of the last batch whose key is not less
// than key, and whether it is equal. The newest version of a key comes first;
// Batch.Sel tells which version is visible.
func (it *Iterator) Find(key []byte) (row int, exact bool) {
	lo, hi := 0, len(it.spans)
	for lo < hi { // the first span whose last key is not less than key
		m := int(uint(lo+hi) >> 1)
		s := &it.spans[m]
		if at, _ := s.lowerBound(key, it.opts.NoModel); at >= s.hi {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(it.spans) {
		return it.rows, false
	}
	s := &it.spans[lo]
	at, exact := s.lowerBound(key, it.opts.NoModel)
	if at < s.lo {
		return s.at, false
	}
	return s.at + at - s.lo, exact
}

// FindFrom is Find for keys that are asked for in ascending order: the search
// begins at a span of the batch, first 0, then the one that was returned last.
func (it *Iterator) FindFrom(key []byte, span int) (row int, exact bool, next int) {
	for ; span < len(it.spans); span++ {
		s := &it.spans[span]
		at, exact := s.lowerBound(key, it.opts.NoModel)
		switch {
		case at < s.lo:
			return s.at, false, span
		case at < s.hi:
			return s.at + at - s.lo, exact, span
		}
	}
	return it.rows, false, span
}

// Rank returns the number of rows (versions) whose keys are less than key. It
// reads at most one block.
func (r *Reader) Rank(key []byte, st *Stats) (uint64, error) {
	if r.damage != nil {
		return 0, r.damage
	}
	if r.info.Rows == 0 || bytes.Compare(key, r.info.MinKey) <= 0 {
		return 0, nil
	}
	if bytes.Compare(key, r.info.MaxKey) > 0 {
		return r.info.Rows, nil
	}
	var w window
	r.fences.predict(&w, key, false, st)
	i := r.fences.firstBlock(&w, st)
	r.use(&w)
	var b pinned
	if err := r.pinBlock(&b, i, st); err != nil {
		return 0, err
	}
	defer b.pin.Release()
	row, _ := b.lowerBound(key, false)
	return uint64(r.fences.rows[i]) + uint64(row), nil
}

// KeyAt appends the key of a row, counted over all versions from 0 on, to dst.
// It reads at most one block.
func (r *Reader) KeyAt(row uint64, dst []byte, st *Stats) ([]byte, error) {
	if r.damage != nil {
		return nil, r.damage
	}
	if row >= r.info.Rows {
		panic("segment: row beyond the end")
	}
	rows := r.fences.rows
	i := sort.Search(len(rows), func(i int) bool { return uint64(rows[i]) > row }) - 1
	var b pinned
	if err := r.pinBlock(&b, i, st); err != nil {
		return nil, err
	}
	defer b.pin.Release()
	return b.appendKey(dst, int(row-uint64(rows[i]))), nil
}

// EstimateRange returns about how many rows have keys from lower to upper
// (half-open, nil is no bound), from the fences alone: each bound is off by
// less than one block's rows.
func (r *Reader) EstimateRange(lower, upper []byte) float64 {
	lo, hi := 0.0, float64(r.info.Rows)
	if lower != nil {
		lo = r.estimateRank(lower)
	}
	if upper != nil {
		hi = r.estimateRank(upper)
	}
	return max(hi-lo, 0)
}

func (r *Reader) estimateRank(key []byte) float64 {
	f := r.fences
	switch {
	case r.info.Rows == 0 || bytes.Compare(key, r.info.MinKey) <= 0:
		return 0
	case bytes.Compare(key, r.info.MaxKey) > 0:
		return float64(r.info.Rows)
	}
	var w window
	f.predict(&w, key, false, nil)
	i := f.find(&w, nil)
	lo, rows := float64(f.rows[i]), float64(f.blockRows(i))
	end := learned.Chunk(r.info.MaxKey[min(len(f.prefix.Bytes()), len(r.info.MaxKey)):])
	if i+1 < f.count() {
		end = f.chunks[i+1]
	}
	if w.side != 0 || end <= f.chunks[i] || w.chunk <= f.chunks[i] {
		return lo + rows/2
	}
	return lo + rows*min(1, float64(w.chunk-f.chunks[i])/float64(end-f.chunks[i]))
}
