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
	if o.Stats != nil {
		o.Stats.Segments++
	}
	var st batchStage
	if len(o.Cols) > 0 {
		if cap(o.row) < len(o.Cols) {
			o.row = make([]column.Datum, len(o.Cols))
		}
		st.row = o.row[:len(o.Cols)]
	}
	for next := 0; next < len(keys); {
		st.n = 0
		for ; next < len(keys) && st.n < batchKeys; next++ {
			if results[next].Status == Absent && r.mayHold(keys[next], o) {
				st.windows[st.n] = r.fences.predict(keys[next], o.NoModel, o.Stats)
				st.keys[st.n] = int32(next)
				st.n++
			}
		}
		r.fences.touch(st.windows[:st.n])
		err := r.pinBatch(&st, o)
		for k := 0; k < st.n && err == nil; k++ {
			err = r.batchCell(&st, k, keys, results, dst, o)
		}
		for i := range st.pinned {
			st.pins[i].pin.Release()
		}
		st.pinned = 0
		if err != nil {
			return err
		}
	}
	return nil
}

// batchStage is what GetBatch knows about the keys that it has in hand. Every
// stage runs over all of them before the next begins: the processor then
// waits for many cache misses at once, and no branch of a search that it
// guessed wrong throws away the loads of the next key.
type batchStage struct {
	n       int
	keys    [batchKeys]int32 // place in the caller's slice
	windows [batchKeys]window
	blocks  [batchKeys]int32 // block that may hold the key
	pin     [batchKeys]int32 // its place in pins
	pins    [batchKeys]pinned
	pinned  int
	row     []column.Datum
}

// pinBatch finds and pins the blocks of all keys in hand. Neighbours in one
// block share its pin, unless a search may leave the block for the next.
func (r *Reader) pinBatch(st *batchStage, o *ReadOptions) error {
	share := !r.fences.continued.Any()
	for k := range st.n {
		st.blocks[k] = int32(r.fences.firstBlock(&st.windows[k], o.Stats))
	}
	for k := range st.n {
		if !share || k == 0 || st.blocks[k] != st.blocks[k-1] {
			b, err := r.dataBlock(int(st.blocks[k]), o.Stats)
			if err != nil {
				return err
			}
			st.pins[st.pinned] = b
			st.pinned++
		}
		st.pin[k] = int32(st.pinned - 1)
	}
	return nil
}

func (r *Reader) batchCell(st *batchStage, k int, keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	at := int(st.keys[k])
	res, err := r.getFrom(&st.pins[st.pin[k]], int(st.blocks[k]), keys[at], st.row, o)
	if err != nil {
		return err
	}
	results[at] = res
	if res.Status == Found {
		for c := range st.row {
			dst.Cols[c].Set(at, st.row[c])
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
