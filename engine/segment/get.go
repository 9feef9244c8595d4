package segment

import (
	"bytes"

	"github.com/omendb/omendb/engine/column"
)

// Get looks key up and, when a row is found, sets dst to the cells of o.Cols.
// Byte strings in dst and in the result stand in o.Buf until its next use.
func (r *Reader) Get(key []byte, dst []column.Datum, o *ReadOptions) (Result, error) {
	if !r.mayHold(key, o) {
		return Result{}, nil
	}
	return r.GetWithin(key, dst, o)
}

// GetWithin is Get for a key that lies within the bounds of the segment, and
// a snapshot that sees some of it.
func (r *Reader) GetWithin(key []byte, dst []column.Datum, o *ReadOptions) (Result, error) {
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
	p := b.probe(key, r.fences.share(&w, i))
	o.touched += b.touchColumns(o.Cols, len(r.info.Schema.Columns))
	res, err := r.getFrom(&b, i, key, &p, dst, o)
	b.pin.Release()
	return res, err
}

// touchColumns loads the heads of columns: their misses overlap with those of
// the search for the row.
func (b *block) touchColumns(cols []int, known int) (sum byte) {
	for _, c := range cols {
		if c < known {
			sum += b.section(sectionColumns + c)[0]
		}
	}
	return sum
}

// mayHold reports whether the bounds of the segment admit a visible version of key.
func (r *Reader) mayHold(key []byte, o *ReadOptions) bool {
	return r.info.Rows > 0 && o.Snapshot >= r.info.MinTS && bytes.Compare(key, r.info.MinKey) >= 0 && bytes.Compare(key, r.info.MaxKey) <= 0
}

// getFrom looks key up in b, which is block i and the first that may hold
// key; b becomes the block in which the search ended.
func (r *Reader) getFrom(b *pinned, i int, key []byte, p *probe, dst []column.Datum, o *ReadOptions) (Result, error) {
	row, exact := b.finish(key, p)
	if !exact {
		return Result{}, nil
	}
	return r.getVersion(b, i, row, dst, o)
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
		res.Version = r.versionAt(&b.block, row)
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
		if k != column.Bytes {
			if v, ok := column.PeekNumber(b.section(sectionColumns+c), row); ok {
				dst[i] = column.Datum{I: v}
				continue
			}
		} else if v, ok := column.PeekBytes(b.section(sectionColumns+c), b.rows, row); ok {
			dst[i] = column.Datum{B: o.keep(v)}
			continue
		}
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
