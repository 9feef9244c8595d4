package exec

import "github.com/omendb/omendb/engine/column"

// tupleStore keeps rows for several readings: in memory up to the limit, the
// rest in a temporary file.
type tupleStore struct {
	st     *state
	mem    *rowBuf
	file   *spillFile
	counts int64 // bytes accounted for
}

func (st *state) newTupleStore(kinds []column.Kind) *tupleStore {
	return &tupleStore{st: st, mem: newRowBuf(kinds, st.rt.batchSize())}
}

func (s *tupleStore) rows() int64 {
	n := int64(s.mem.n)
	if s.file != nil {
		n += s.file.rows
	}
	return n
}

func (s *tupleStore) add(b *column.Batch) error {
	if s.file == nil {
		s.mem.add(b)
		grown := s.mem.memory() - s.counts
		s.counts += grown
		if err := s.st.grow(grown); err != nil {
			return err
		}
		if s.counts <= s.st.rt.memoryLimit() || s.st.rt.TempFS == nil {
			return nil
		}
		var err error
		s.file, err = s.st.newSpill(s.mem.kinds)
		return err
	}
	row := make([]column.Datum, len(s.mem.kinds))
	for i := range b.Len() {
		r := b.Row(i)
		for c := range row {
			row[c] = b.Cols[c].Datum(r)
		}
		if err := s.file.add(row); err != nil {
			return err
		}
	}
	return nil
}

// fill reads an operator to its end.
func (s *tupleStore) fill(op operator) error {
	for {
		b, err := op.next()
		if err != nil || b == nil {
			return err
		}
		if err := s.add(b); err != nil {
			return err
		}
		if err := s.st.rt.canceled(); err != nil {
			return err
		}
	}
}

func (s *tupleStore) close() {
	s.st.shrink(s.counts)
	s.counts = 0
	s.mem.reset()
	if s.file != nil {
		s.file.close()
		s.file = nil
	}
}

// tupleReader reads a tuple store from its start. Rows that are added while it
// reads are seen as long as they go to memory.
type tupleReader struct {
	s    *tupleStore
	next int // batch in memory
	part int // rows of that batch that were read already
	file *spillReader
	out  column.Batch
	disk column.Batch // rows from the file; out shares columns with the memory part
}

func (s *tupleStore) reader() *tupleReader { return &tupleReader{s: s} }

// read returns the next batch, nil when there is none now.
func (r *tupleReader) read() (*column.Batch, error) {
	for r.next < len(r.s.mem.batches) {
		b := r.s.mem.batches[r.next]
		if r.part >= b.N {
			if b.N < r.s.mem.size {
				break // a last batch that may still grow
			}
			r.next, r.part = r.next+1, 0
			continue
		}
		r.out = column.Batch{Cols: b.Cols, N: b.N}
		if r.part > 0 {
			sel := make([]int32, 0, b.N-r.part)
			for i := r.part; i < b.N; i++ {
				sel = append(sel, int32(i))
			}
			r.out.Sel = sel
		}
		r.part = b.N
		return &r.out, nil
	}
	if r.s.file == nil {
		return nil, nil
	}
	if r.file == nil {
		var err error
		if r.file, err = r.s.file.reader(); err != nil {
			return nil, err
		}
	}
	ok, err := r.file.batch(&r.disk, r.s.mem.size)
	if err != nil || !ok {
		return nil, err
	}
	return &r.disk, nil
}
