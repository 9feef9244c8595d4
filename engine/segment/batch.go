package segment

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment/cache"
)

// batchKeys is the number of keys that a batch takes through a stage at once:
// enough to overlap their cache misses, few enough to stay in the L1 cache.
const batchKeys = 32

// There is room to ask for two lines of each.
var _ [column.LinesRoom - 2*batchKeys]byte

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
			st.windows[st.n].many = true
			r.fences.predict(&st.windows[st.n], keys[next], o.NoModel, o.Stats)
			st.n++
		}
		if o.Stats != nil && st.n > 1 {
			o.Stats.Batched += int64(st.n)
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
	pins    [batchKeys]cache.Block
	pinned  int
	probes  [batchKeys]probe
	rows    [batchKeys]int32 // -1: no such key
	row     []column.Datum
	lines   column.Lines
}

// run takes the keys in hand through the stages.
func (st *batchStage) run(keys [][]byte, results []Result, dst *column.Batch, o *ReadOptions) error {
	st.touchFences()
	err := st.pin(o)
	if err == nil {
		st.search(keys, dst, o)
		err = st.answer(results, dst, o)
	}
	for k := range st.pinned {
		st.pins[k].Release()
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
	st.askFrames()
	for k := range st.n {
		if err := st.readers[k].pinData(&st.pins[k], int(st.blocks[k]), o.Stats); err != nil {
			return err
		}
		st.pinned = k + 1
	}
	return nil
}

// askFrames asks for what the cache knows of the blocks: a pin is an atomic
// operation, before which the processor waits for all loads.
func (st *batchStage) askFrames() {
	for k := range st.n {
		r := st.readers[k]
		column.Prefetch(r.cache.Frame(&r.slots[st.blocks[k]]))
	}
}

// search finds the rows of all keys, having asked for the bytes near which they
// are expected, and asks for their cells.
func (st *batchStage) search(keys [][]byte, dst *column.Batch, o *ReadOptions) {
	for k := range st.n {
		pin := &st.pins[k]
		h, data := headOf(pin.Head()), blockData(pin)
		p := &st.probes[k]
		h.probe(p, data, keys[st.places[k]], &st.windows[k], o.NoModel)
		if p.kind != probeDone {
			from, to := h.near(p.row)
			st.lines.Add(&data[from], to-from+1)
		}
	}
	st.lines.Ask()
	for k := range st.n {
		pin := &st.pins[k]
		row, exact := headOf(pin.Head()).finish(blockData(pin), keys[st.places[k]], &st.probes[k])
		if st.rows[k] = int32(row); !exact {
			st.rows[k] = -1
		}
	}
	for _, c := range o.Cols {
		st.askCells(c)
	}
	for i, c := range o.Cols {
		if dst.Cols[i].Kind == column.Bytes {
			st.askStrings(c)
		}
	}
}

// askCells asks for the cells of a column of the rows that were found. Before
// they were found, one in eight would have been another line than that of the row.
func (st *batchStage) askCells(c int) {
	if c >= headColumns {
		return
	}
	for k := range st.n {
		if row := int(st.rows[k]); row >= 0 {
			pin := &st.pins[k]
			data := blockData(pin)
			at := headOf(pin.Head()).cols[c].Near(data, row)
			st.lines.Add(&data[at], 8) // numbers are read as eight bytes
		}
	}
	st.lines.Ask()
}

// askStrings asks for the byte strings of a column, where askCells has asked for
// what leads to them.
func (st *batchStage) askStrings(c int) {
	if c >= headColumns {
		return
	}
	for k := range st.n {
		if row := int(st.rows[k]); row >= 0 {
			pin := &st.pins[k]
			if v, ok := headOf(pin.Head()).cols[c].Bytes(blockData(pin), row); ok && len(v) > 0 {
				st.lines.Add(&v[0], len(v))
			}
		}
	}
	st.lines.Ask()
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
		if o.Plain || !r.oneVersion(o.Snapshot) {
			if err := st.single(k, results, dst, o); err != nil {
				return err
			}
			continue
		}
		plain[k] = true
		res := &results[st.places[k]]
		if res.Status, res.Version = Found, r.info.MaxTS; r.info.MinTS != r.info.MaxTS {
			var b block
			b.view(blockData(&st.pins[k]), headOf(st.pins[k].Head()))
			res.Version = r.versionAt(&b, row)
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
		row, at := int(st.rows[k]), int(st.places[k])
		head, data := headOf(st.pins[k].Head()), blockData(&st.pins[k])
		if c < headColumns { // a column that the segment does not have has no head
			h := &head.cols[c]
			switch v.Kind {
			case column.Int:
				if x, ok := h.Number(data, row); ok {
					v.I[at] = x
					continue
				}
			case column.Bytes:
				if x, ok := h.Bytes(data, row); ok {
					v.B[at] = o.keep(x)
					continue
				}
			}
		}
		var b block
		b.view(data, head)
		d, err := st.readers[k].cell(&b, c, row, o)
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
	b := pinned{pin: st.pins[k]}
	b.view(blockData(&b.pin), headOf(b.pin.Head()))
	res, err := st.readers[k].getVersion(&b, int(st.blocks[k]), int(st.rows[k]), row, o)
	st.pins[k] = b.pin // the version may stand in another block
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
