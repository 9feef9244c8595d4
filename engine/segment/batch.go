package segment

import "github.com/omendb/omendb/engine/column"

// batchKeys is the number of keys that a batch takes through a stage at once:
// enough to overlap their cache misses, few enough to stay in the L1 cache.
const batchKeys = 32

// GetBatch looks up those keys whose results are Absent and sets their
// results and, when a row is found, row i of dst, which has the columns of
// o.Cols and len(keys) rows. Byte strings stand in o.Buf, behind what is
// there already: the caller empties it before the first of several segments.
// Keys may come in any order; neighbours in one block are cheapest.
func (r *Reader) GetBatch(keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	return getBatch(func(int) *Reader { return r }, keys, results, dst, o)
}

// GetEach is GetBatch with a segment for each key, nil where there is none.
func GetEach(readers []*Reader, keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	return getBatch(func(i int) *Reader { return readers[i] }, keys, results, dst, o)
}

func getBatch(of func(int) *Reader, keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	var st batchStage
	if len(o.Cols) > 0 {
		if cap(o.row) < len(o.Cols) {
			o.row = make([]column.Datum, len(o.Cols))
		}
		st.row = o.row[:len(o.Cols)]
	}
	var last *Reader
	for next := 0; next < len(keys); {
		st.n = 0
		for ; next < len(keys) && st.n < batchKeys; next++ {
			if results[next].Status != Absent {
				continue
			}
			r := of(next)
			if r == nil || !r.mayHold(keys[next], o) {
				continue
			}
			if r != last && o.Stats != nil {
				o.Stats.Segments++
			}
			last = r
			st.readers[st.n], st.places[st.n] = r, int32(next)
			st.windows[st.n] = r.fences.predict(keys[next], o.NoModel, o.Stats)
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
	}
	for k := 0; k < st.n && err == nil; k++ {
		err = st.cells(k, results, dst, o)
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

// pin finds and pins the blocks of all keys, and loads their first bytes.
func (st *batchStage) pin(o *ReadOptions) error {
	for k := range st.n {
		st.blocks[k] = int32(st.readers[k].fences.firstBlock(&st.windows[k], o.Stats))
	}
	for k := range st.n {
		b, err := st.readers[k].dataPin(int(st.blocks[k]), o.Stats)
		if err != nil {
			return err
		}
		st.pins[k].pin = b
		st.pinned = k + 1
	}
	st.touchHeads()
	for k := range st.n {
		p := &st.pins[k]
		p.block = parseBlock(p.pin.Data[:len(p.pin.Data)-crcSize])
	}
	return nil
}

//go:noinline
func (st *batchStage) touchHeads() (sum byte) {
	for k := range st.n {
		sum += st.pins[k].pin.Data[0]
	}
	return sum
}

// search finds the rows of all keys, and loads the heads of their columns.
func (st *batchStage) search(keys [][]byte, o *ReadOptions) {
	for k := range st.n {
		st.probes[k] = st.pins[k].probe(keys[st.places[k]], st.readers[k].fences.share(&st.windows[k], int(st.blocks[k])))
	}
	st.touchRows()
	st.touchColumns(o.Cols)
	for k := range st.n {
		row, exact := st.pins[k].finish(keys[st.places[k]], &st.probes[k])
		if st.rows[k] = int32(row); !exact {
			st.rows[k] = -1
		}
	}
	st.touchCells(o.Cols)
}

//go:noinline
func (st *batchStage) touchRows() (sum uint64) {
	for k := range st.n {
		if p := &st.probes[k]; p.kind == probeFixed {
			sum += st.pins[k].keys.at(p.row)
		}
	}
	return sum
}

//go:noinline
func (st *batchStage) touchColumns(cols []int) (sum byte) {
	for k := range st.n {
		sum += st.pins[k].touchColumns(cols, len(st.readers[k].info.Schema.Columns))
	}
	return sum
}

//go:noinline
func (st *batchStage) touchCells(cols []int) (sum byte) {
	for k := range st.n {
		if st.rows[k] < 0 {
			continue
		}
		for _, c := range cols {
			if c < len(st.readers[k].info.Schema.Columns) {
				sum += column.Touch(st.pins[k].section(sectionColumns+c), int(st.rows[k]))
			}
		}
	}
	return sum
}

// cells reads the row of a key.
func (st *batchStage) cells(k int, results []Result, dst *column.Batch, o *ReadOptions) error {
	at := int(st.places[k])
	if st.rows[k] < 0 {
		return nil
	}
	res, err := st.readers[k].getVersion(&st.pins[k], int(st.blocks[k]), int(st.rows[k]), st.row, o)
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
