package segment

import "github.com/omendb/omendb/engine/column"

// batchKeys is the number of keys that a batch takes through a stage at once:
// enough to overlap their cache misses, few enough to stay in the L1 cache.
const batchKeys = 32

// GetBatch looks up those keys whose results are Absent and sets their
// results and, when a row is found, row i of dst, which has the columns of
// o.Cols and len(keys) rows, none of them NULL yet. Byte strings stand in
// o.Buf, behind what is there already: the caller empties it before the first
// of several segments. Keys may come in any order; neighbours in one block are
// cheapest.
func (r *Reader) GetBatch(keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	return getBatch(r, nil, keys, results, dst, o)
}

// GetEach is GetBatch with a segment for each key, nil where there is none.
func GetEach(readers []*Reader, keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	return getBatch(nil, readers, keys, results, dst, o)
}

func getBatch(one *Reader, each []*Reader, keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	if o.stage == nil {
		o.stage = new(batchStage)
	}
	st := o.stage
	if len(st.row) < len(o.Cols) {
		st.row = make([]column.Datum, len(o.Cols))
	}
	var last *Reader
	for next := 0; next < len(keys); {
		st.n = 0
		for ; next < len(keys) && st.n < batchKeys; next++ {
			r := one
			if each != nil {
				r = each[next]
			}
			if results[next].Status != Absent || r == nil || o.Snapshot < r.info.MinTS || r.info.Rows == 0 {
				continue
			}
			if r != last && o.Stats != nil {
				o.Stats.Segments++
			}
			last = r
			st.readers[st.n], st.places[st.n] = r, int32(next)
			r.fences.predict(&st.windows[st.n], keys[next], o.NoModel, o.Stats)
			st.n++
		}
		if err := st.run(keys, results, dst, o); err != nil {
			return err
		}
	}
	return nil
}

// batchStage is what a batch knows about the keys that it has in hand. Every
// stage runs over all of them before the next begins: the processor then
// waits for many cache misses at once, and no branch of a search that it
// guessed wrong throws away the loads of the next key.
type batchStage struct {
	n       int
	readers [batchKeys]*Reader
	places  [batchKeys]int32 // in the caller's slices
	windows [batchKeys]window
	blocks  [batchKeys]int32 // block that may hold the key
	pins    [batchKeys]pinned
	pinned  int
	probes  [batchKeys]probe
	rows    [batchKeys]int32 // -1: no such key
	row     []column.Datum
}

// run takes the keys in hand through the stages.
func (st *batchStage) run(keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	st.touchFences()
	err := st.pin(o)
	if err == nil {
		st.search(keys, o)
		err = st.answer(results, dst, o)
	}
	for k := range st.pinned {
		st.pins[k].pin.Release()
	}
	st.pinned = 0
	return err
}

// touchFences loads the middle of every window, so that the processor fetches
// them side by side instead of one after the other.
//
//go:noinline
func (st *batchStage) touchFences() (sum uint64) {
	for k := range st.n {
		f, w := st.readers[k].fences, &st.windows[k]
		if w.side == 0 && w.lower < len(f.chunks) {
			sum += f.chunks[int(uint(w.lower+min(w.upper, len(f.chunks)-1))>>1)]
		}
	}
	return sum
}

// pin finds and pins the blocks of all keys.
func (st *batchStage) pin(o *ReadOptions) error {
	for k := range st.n {
		st.blocks[k] = int32(st.readers[k].fences.firstBlock(&st.windows[k], o.Stats))
		o.Tally.add(st.readers[k], &st.windows[k])
	}
	for k := range st.n {
		if err := st.readers[k].pinBlock(&st.pins[k], int(st.blocks[k]), o.Stats); err != nil {
			return err
		}
		st.pinned = k + 1
	}
	return nil
}

// search finds the rows of all keys, having loaded the bytes near which keys
// and cells are expected.
func (st *batchStage) search(keys [][]byte, o *ReadOptions) {
	st.touchKeys()
	for k := range st.n {
		st.probes[k] = st.pins[k].probe(keys[st.places[k]], st.readers[k].fences.share(&st.windows[k], int(st.blocks[k])))
	}
	st.touchRows(o.Cols)
	for k := range st.n {
		row, exact := st.pins[k].finish(keys[st.places[k]], &st.probes[k])
		if st.rows[k] = int32(row); !exact {
			st.rows[k] = -1
		}
	}
}

// touchKeys loads the prefixes of the blocks' keys.
//
//go:noinline
func (st *batchStage) touchKeys() (sum byte) {
	for k := range st.n {
		p := &st.pins[k]
		sum += p.data[p.head.prefix]
	}
	return sum
}

//go:noinline
func (st *batchStage) touchRows(cols []int) (sum uint64) {
	for k := range st.n {
		p := &st.probes[k]
		if p.kind != probeFixed {
			continue
		}
		b := &st.pins[k].block
		sum += b.keys.at(p.row) + uint64(b.touch(cols, p.row))
	}
	return sum
}

// answer sets the results and the cells of the rows that were found. The cells
// are read column by column, where the heads of the columns tell how; what is
// out of the ordinary goes row by row.
func (st *batchStage) answer(results []Result, dst *column.Batch, o *ReadOptions) error {
	var plain [batchKeys]bool
	for k := range st.n {
		r, row := st.readers[k], int(st.rows[k])
		if row < 0 {
			continue
		}
		if r.info.MaxTS > o.Snapshot || r.info.Tombstones > 0 || o.Plain {
			if err := st.single(k, results, dst, o); err != nil {
				return err
			}
			continue
		}
		plain[k] = true
		res := &results[st.places[k]]
		if res.Status, res.Version = Found, r.info.MaxTS; r.info.MinTS != r.info.MaxTS {
			res.Version = r.versionAt(&st.pins[k].block, row)
		}
	}
	for i, c := range o.Cols {
		if err := st.column(&plain, &dst.Cols[i], c, o); err != nil {
			return err
		}
	}
	return nil
}

// column reads the cells of one column of the plain rows into v.
func (st *batchStage) column(plain *[batchKeys]bool, v *column.Vec, c int, o *ReadOptions) error {
	for k := range st.n {
		if !plain[k] {
			continue
		}
		b, row, at := &st.pins[k].block, int(st.rows[k]), int(st.places[k])
		if c < headColumns && !o.Plain { // a column that the segment does not have has no head
			h := &b.head.cols[c]
			switch v.Kind {
			case column.Int:
				if x, ok := h.Number(b.data, row); ok {
					v.I[at] = x
					continue
				}
			case column.Bytes:
				if x, ok := h.Bytes(b.data, row); ok {
					v.B[at] = o.keep(x)
					continue
				}
			}
		}
		d, err := st.readers[k].cell(b, c, row, o)
		if err != nil {
			return err
		}
		v.Set(at, d)
	}
	return nil
}

// single finds the visible version of key k and reads its row.
func (st *batchStage) single(k int, results []Result, dst *column.Batch, o *ReadOptions) error {
	at, row := int(st.places[k]), st.row[:len(o.Cols)]
	res, err := st.readers[k].getVersion(&st.pins[k], int(st.blocks[k]), int(st.rows[k]), row, o)
	if err != nil {
		return err
	}
	results[at] = res
	if res.Status == Found {
		for c := range row {
			dst.Cols[c].Set(at, row[c])
		}
	}
	return nil
}
