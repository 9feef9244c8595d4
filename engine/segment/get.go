package segment

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
)

// batchKeys is the number of keys that GetBatch takes through a stage at once:
// enough to overlap their cache misses, few enough to stay in the L1 cache.
const batchKeys = 32

// Get looks key up and, when a row is found, sets dst to the cells of o.Cols.
// Byte strings in dst and in the result stand in o.Buf until its next use.
func (r *Reader) Get(key []byte, dst []column.Datum, o *ReadOptions) (Result, error) {
	if !r.mayHold(key, o) {
		return Result{}, nil
	}
	if o.Stats != nil {
		o.Stats.Segments++
	}
	o.Buf = o.Buf[:0]
	w := r.fences.predict(key, o.NoModel, o.Stats)
	i := r.fences.firstBlock(&w, o.Stats)
	b, err := r.dataBlock(i, o.Stats)
	if err != nil {
		return Result{}, err
	}
	defer func() { b.pin.Release() }()
	return r.getFrom(&b, i, key, dst, o)
}

// mayHold reports whether the bounds of the segment admit a visible version of key.
func (r *Reader) mayHold(key []byte, o *ReadOptions) bool {
	return r.info.Rows > 0 && o.Snapshot >= r.info.MinTS && bytes.Compare(key, r.info.MinKey) >= 0 && bytes.Compare(key, r.info.MaxKey) <= 0
}

// getFrom looks key up in b, which is block i and the first that may hold
// key; b becomes the block in which the search ended.
func (r *Reader) getFrom(b *pinned, i int, key []byte, dst []column.Datum, o *ReadOptions) (Result, error) {
	row, exact := b.lowerBound(key)
	if !exact {
		return Result{}, nil
	}
	if r.info.MaxTS > o.Snapshot {
		for versions := b.versions(); r.version(&versions, row) > o.Snapshot; {
			row++
			if row < b.rows {
				if !b.repeats(row) {
					return Result{}, nil
				}
				continue
			}
			i++
			if i == r.fences.count() || !r.fences.continued.Get(i) {
				return Result{}, nil
			}
			b.pin.Release()
			var err error
			if *b, err = r.dataBlock(i, o.Stats); err != nil {
				return Result{}, err
			}
			row, versions = 0, b.versions()
		}
	}
	return r.result(b, row, dst, o)
}

// result returns row of b, its cells in dst.
func (r *Reader) result(b *pinned, row int, dst []column.Datum, o *ReadOptions) (Result, error) {
	res := Result{Status: Found, Version: r.info.MaxTS}
	if r.info.MinTS != r.info.MaxTS {
		versions := b.versions()
		res.Version = r.version(&versions, row)
	}
	if r.info.Tombstones > 0 && b.tombstone(row) {
		res.Status = Deleted
		if s := b.successor(row); s != nil {
			res.Successor = o.keep(s)
		}
		return res, nil
	}
	for i, c := range o.Cols {
		if c >= len(r.info.Schema.Columns) {
			dst[i] = defaultOf(o.Defaults, c).Value
			continue
		}
		k := r.info.Schema.Columns[c]
		e := b.column(c, k)
		d := e.Datum(row)
		if k == column.Bytes && !d.Null {
			if e.Marked(row) {
				at := len(o.Buf)
				buf, err := r.appendValue(o.Buf, d.B, o.Stats)
				if err != nil {
					return Result{}, err
				}
				o.Buf = buf
				d.B = buf[at:len(buf):len(buf)]
			} else {
				d.B = o.keep(d.B)
			}
		}
		dst[i] = d
	}
	return res, nil
}

// keep copies b behind the other results in Buf. Results that stand in an
// older, smaller Buf stay valid.
func (o *ReadOptions) keep(b []byte) []byte {
	at := len(o.Buf)
	o.Buf = append(o.Buf, b...)
	return o.Buf[at:len(o.Buf):len(o.Buf)]
}

func defaultOf(defaults []Default, c int) Default {
	if c < len(defaults) {
		return defaults[c]
	}
	return Default{Kind: column.Bytes, Value: column.Null()}
}

// GetBatch looks up those keys whose results are Absent and sets their
// results and, when a row is found, row i of dst, which has the columns of
// o.Cols and len(keys) rows. Byte strings stand in o.Buf, behind what is
// there already: the caller empties it before the first of several segments.
// Keys may come in any order; neighbours in one block are cheapest.
func (r *Reader) GetBatch(keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	var (
		windows [batchKeys]window
		which   [batchKeys]int32
		blocks  [batchKeys]int32
		row     []column.Datum
	)
	if len(o.Cols) > 0 {
		row = make([]column.Datum, len(o.Cols))
	}
	if o.Stats != nil {
		o.Stats.Segments++
	}
	var b pinned
	current := int32(-1)
	defer func() { b.pin.Release() }()
	for next := 0; next < len(keys); {
		n := 0
		for ; next < len(keys) && n < batchKeys; next++ {
			if results[next].Status == Absent && r.mayHold(keys[next], o) {
				windows[n] = r.fences.predict(keys[next], o.NoModel, o.Stats)
				which[n] = int32(next)
				n++
			}
		}
		r.fences.touch(windows[:n])
		for k := range n {
			blocks[k] = int32(r.fences.firstBlock(&windows[k], o.Stats))
		}
		for k := range n {
			if blocks[k] != current {
				b.pin.Release()
				current = -1
				var err error
				if b, err = r.dataBlock(int(blocks[k]), o.Stats); err != nil {
					return err
				}
				current = blocks[k]
			}
			if err := r.batchCell(&b, int(current), int(which[k]), keys, results, row, dst, o); err != nil {
				return err
			}
			if b.pin.Data == nil || r.fences.continued.Any() {
				current = -1 // the search may have moved on to a later block
			}
		}
	}
	return nil
}

func (r *Reader) batchCell(b *pinned, i, k int, keys [][]byte, results []Result, row []column.Datum, dst *column.Batch, o *ReadOptions) error {
	res, err := r.getFrom(b, i, keys[k], row, o)
	if err != nil {
		return err
	}
	results[k] = res
	if res.Status == Found {
		for c := range row {
			dst.Cols[c].Set(k, row[c])
		}
	}
	return nil
}

// touch loads the middle of every window, so that the processor fetches them
// side by side instead of one after the other.
//
//go:noinline
func (f *fences) touch(ws []window) uint64 {
	var sum uint64
	for i := range ws {
		if w := &ws[i]; w.side == 0 && w.lower < len(f.chunks) {
			sum += f.chunks[int(uint(w.lower+min(w.upper, len(f.chunks)-1))>>1)]
		}
	}
	return sum
}
