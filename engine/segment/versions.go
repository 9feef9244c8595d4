package segment

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment/cache"
)

// readAheadBytes is what a version iterator reads at once.
const readAheadBytes = 256 << 10

// VersionIterator yields every version of every key, one at a time, for
// merging. It reads the file in long stretches and leaves the cache alone.
type VersionIterator struct {
	r            *Reader
	lower, upper []byte
	next, last   int // blocks still to read
	buf          []byte
	at           uint64 // file offset of buf
	block        block
	head         cache.Head
	loaded       bool
	row          int
	cols         []column.Encoded
	versions     column.Encoded
	key          []byte
	wide         []byte
	scratch      []byte
	datums       []column.Datum
	err          error
}

// Versions starts an iteration over the versions of keys from lower to upper,
// half-open; nil is no bound.
func (r *Reader) Versions(lower, upper []byte) *VersionIterator {
	n := len(r.info.Schema.Columns)
	it := &VersionIterator{r: r, lower: lower, upper: upper, last: r.fences.count() - 1,
		cols: make([]column.Encoded, n), datums: make([]column.Datum, n)}
	if lower != nil && r.info.Rows > 0 {
		var w window
		r.fences.predict(&w, lower, false, nil)
		it.next = r.fences.firstBlock(&w, nil)
	}
	return it
}

// Next moves to the next version and reports whether there is one.
func (it *VersionIterator) Next() bool {
	for it.err == nil {
		it.row++
		if !it.loaded || it.row >= it.block.rows {
			if it.next > it.last {
				return false
			}
			if it.err = it.load(); it.err != nil {
				return false
			}
		}
		it.key = it.block.appendKey(it.key[:0], it.row)
		if it.upper != nil && bytes.Compare(it.key, it.upper) >= 0 {
			it.next = it.last + 1
			it.loaded = false
			return false
		}
		if it.lower == nil || bytes.Compare(it.key, it.lower) >= 0 {
			return true
		}
	}
	return false
}

// load makes block next the current one.
func (it *VersionIterator) load() error {
	f := it.r.fences
	offset, length := uint64(f.offset(it.next)), uint64(f.lengths[it.next])
	if offset < it.at || offset+length > it.at+uint64(len(it.buf)) {
		size := max(length, min(readAheadBytes, it.r.end-offset))
		if uint64(cap(it.buf)) < size {
			it.buf = make([]byte, size)
		}
		it.buf = it.buf[:size]
		it.at = offset
		if err := it.r.readAt(it.buf, int64(offset)); err != nil {
			it.buf = it.buf[:0]
			return err
		}
	}
	p := it.buf[offset-it.at:][:length]
	if err := it.r.checkSum(p, int64(offset), &it.head, func(data []byte, h *cache.Head) error { return it.r.checkData(it.next, data, headOf(h), false) }); err != nil {
		return err
	}
	it.block.view(p[:len(p)-crcSize], headOf(&it.head))
	for c, k := range it.r.info.Schema.Columns {
		it.cols[c] = it.block.column(c, k)
	}
	it.versions = it.block.versions()
	it.next++
	it.row, it.loaded = 0, true
	return nil
}

// Err returns the error that ended the iteration, if any.
func (it *VersionIterator) Err() error { return it.err }

// Key returns the current key, valid until Next.
func (it *VersionIterator) Key() []byte { return it.key }

// Version returns the current commit timestamp.
func (it *VersionIterator) Version() uint64 { return it.r.version(&it.versions, it.row) }

// Deleted reports whether the current version is a tombstone.
func (it *VersionIterator) Deleted() bool { return it.block.tombstone(it.row) }

// Successor returns the successor key of a tombstone, nil when it has none.
func (it *VersionIterator) Successor() []byte { return it.block.successor(it.row) }

// Row returns the cells of all columns, wide values included, valid until
// the next call of Row or Next.
func (it *VersionIterator) Row() ([]column.Datum, error) {
	it.wide = it.wide[:0]
	for c := range it.cols {
		e := &it.cols[c]
		d := e.Datum(it.row)
		if !d.Null && e.Marked(it.row) {
			at := len(it.wide)
			var mem []byte
			var err error
			mem, it.scratch, err = it.r.appendValuePast(it.wide, d.B, it.scratch)
			if err != nil {
				return nil, err
			}
			it.wide = mem
			d.B = mem[at:len(mem):len(mem)]
		}
		it.datums[c] = d
	}
	return it.datums, nil
}
