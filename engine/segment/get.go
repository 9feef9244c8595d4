package segment

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment/cache"
)

// Get looks key up and, when a row is found, sets dst to the cells of o.Cols.
// Byte strings in dst and in the result stand in o.Buf until its next use.
func (r *Reader) Get(key []byte, dst []column.Datum, o *ReadOptions) (Result, error) {
	if !r.mayHold(key, o) {
		return Result{}, nil
	}
	return r.GetWithin(key, dst, o)
}

// GetWithin is Get for a key that need not be compared with the bounds of the segment.
func (r *Reader) GetWithin(key []byte, dst []column.Datum, o *ReadOptions) (Result, error) {
	if o.Snapshot < r.info.MinTS || r.info.Rows == 0 {
		return Result{}, nil
	}
	if o.Stats != nil {
		o.Stats.Segments++
	}
	o.Buf = o.Buf[:0]
	var w window
	r.fences.predict(&w, key, o.NoModel, o.Stats)
	i := r.fences.firstBlock(&w, o.Stats)
	o.Tally.add(r, &w)
	var pin cache.Block
	if err := r.pinData(&pin, i, o.Stats); err != nil {
		return Result{}, err
	}
	h, data := headOf(pin.Head()), blockData(&pin)
	var p probe
	h.probe(&p, data, key, &w, o.NoModel)
	if p.kind == probeFixed {
		o.touched += h.touch(data, o.Cols, p.row)
	}
	row, exact := h.finish(data, key, &p)
	switch {
	case !exact:
		pin.Release()
		return Result{}, nil
	case o.Plain || !r.oneVersion(o.Snapshot):
		b := pinned{pin: pin}
		b.view(data, h)
		res, err := r.getVersion(&b, i, row, dst, o)
		b.pin.Release()
		return res, err
	}
	res, err := r.found(data, h, row, dst, o)
	pin.Release()
	return res, err
}

// oneVersion reports whether every row of the segment is visible, the only
// version of its key or the newest, and no tombstone: the first row of a key
// is its answer.
func (r *Reader) oneVersion(snapshot uint64) bool {
	return r.info.MaxTS <= snapshot && r.info.Tombstones == 0
}

// blockData returns the content of a pinned block.
func blockData(pin *cache.Block) []byte { return pin.Data[:len(pin.Data)-crcSize] }

// found returns a row of a block as the answer, its cells in dst.
func (r *Reader) found(data []byte, h *blockHead, row int, dst []column.Datum, o *ReadOptions) (Result, error) {
	res := Result{Status: Found, Version: r.info.MaxTS}
	var b block
	if r.info.MinTS != r.info.MaxTS {
		b.view(data, h)
		res.Version = r.versionAt(&b, row)
	}
	for i, c := range o.Cols {
		if c < headColumns { // a column that the segment does not have has no head
			k := &h.cols[c]
			if v, ok := k.Number(data, row); ok {
				dst[i] = column.Datum{I: v}
				continue
			}
			if v, ok := k.Bytes(data, row); ok {
				dst[i] = column.Datum{B: o.keep(v)}
				continue
			}
		}
		if b.data == nil {
			b.view(data, h)
		}
		d, err := r.cell(&b, c, row, o)
		if err != nil {
			return Result{}, err
		}
		dst[i] = d
	}
	return res, nil
}

// touch loads the cells of columns near a row that is yet to be found: their
// misses overlap with those of the search. It loads no more than the line that is
// likely: more would hold up what the processor does meanwhile.
func (h *blockHead) touch(data []byte, cols []int, row int) (sum byte) {
	for _, c := range cols {
		if c < headColumns {
			sum += data[h.cols[c].Near(data, row)]
		}
	}
	return sum
}

// mayHold reports whether the bounds of the segment admit a visible version of key.
func (r *Reader) mayHold(key []byte, o *ReadOptions) bool {
	return r.info.Rows > 0 && o.Snapshot >= r.info.MinTS && bytes.Compare(key, r.info.MinKey) >= 0 &&
		(bytes.Compare(key, r.info.MaxKey) <= 0 || r.damage != nil)
}

// getVersion finds the visible version of the key that begins at row of b.
func (r *Reader) getVersion(b *pinned, i, row int, dst []column.Datum, o *ReadOptions) (Result, error) {
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
			if err := r.pinBlock(b, i, o.Stats); err != nil {
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
		res.Version = r.versionAt(&b.block, row)
	}
	if r.info.Tombstones > 0 && b.tombstone(row) {
		res.Status = Deleted
		if s := b.successor(row); s != nil {
			res.Successor = o.keep(s)
		}
		return res, nil
	}
	if !o.Plain {
		return r.found(b.data, b.head, row, dst, o)
	}
	for i, c := range o.Cols {
		d, err := r.cell(&b.block, c, row, o)
		if err != nil {
			return Result{}, err
		}
		dst[i] = d
	}
	return res, nil
}

// cell returns a cell of b, its bytes in o.Buf.
func (r *Reader) cell(b *block, c, row int, o *ReadOptions) (column.Datum, error) {
	if c >= len(r.info.Schema.Columns) {
		return defaultOf(o.Defaults, c).Value, nil
	}
	k := r.info.Schema.Columns[c]
	e := b.column(c, k)
	d := e.Datum(row)
	if k != column.Bytes || d.Null {
		return d, nil
	}
	if !e.Marked(row) {
		d.B = o.keep(d.B)
		return d, nil
	}
	at := len(o.Buf)
	buf, err := r.appendValue(o.Buf, d.B, o.Stats)
	if err != nil {
		return column.Datum{}, err
	}
	o.Buf = buf
	d.B = buf[at:len(buf):len(buf)]
	return d, nil
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
