package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// setOp is INTERSECT or EXCEPT: it counts the rows of both sides by value and
// yields each distinct row of the left as often as the kind demands. Over the
// memory limit, rows that are not known yet go to partitions on disk, both sides
// by the same hash, which are counted one after the other.
type setOp struct {
	st          *state
	kind        plan.SetOpKind
	all         bool
	left, right operator
	types       []plan.Type
	kinds       []column.Kind

	table  *groupTable
	rows   *rowBuf
	counts [][2]int64
	held   int64
	at     int
	times  int64
	idx    []int32
	out    column.Batch

	figures *NodeStats
	depth   int
	parts   []joinPart // not nil: spilling
	queue   []joinPart // spilled rows that wait
	buf     []byte
	vals    []column.Datum
}

func (st *state) newSetOperation(n *plan.SetOperation) (operator, error) {
	o := &setOp{st: st, kind: n.Kind, all: n.All, kinds: st.kinds(n.Left), figures: st.figures(n)}
	o.vals = make([]column.Datum, len(o.kinds))
	for _, c := range n.Left.Info().Columns {
		o.types = append(o.types, c.Type)
	}
	var err error
	if o.left, err = st.operator(n.Left); err != nil {
		return nil, err
	}
	o.right, err = st.operator(n.Right)
	return o, err
}

func (o *setOp) open() error {
	o.drop()
	if err := o.begin(0); err != nil {
		return err
	}
	if err := o.left.open(); err != nil {
		return err
	}
	if err := o.count(o.left, 0); err != nil {
		return err
	}
	if err := o.right.open(); err != nil {
		return err
	}
	if err := o.count(o.right, 1); err != nil {
		return err
	}
	return o.enqueue()
}

// begin starts with an empty table.
func (o *setOp) begin(depth int) (err error) {
	o.st.shrink(o.held)
	o.held, o.at, o.times, o.depth, o.counts = 0, 0, 0, depth, nil
	o.rows = newRowBuf(o.kinds, o.st.rt.batchSize())
	o.table, err = o.st.newGroupTable(o.types)
	return err
}

// count reads a side to its end. Rows that only the right has are of no use.
func (o *setOp) count(in rowSource, side int) error {
	vecs := make([]*column.Vec, len(o.kinds))
	for {
		b, err := in.next()
		if err != nil || b == nil {
			return err
		}
		for i := range vecs {
			vecs[i] = &b.Cols[i]
		}
		fresh := o.idx[:0]
		rows := selected(b, b.Sel)
		for i, id := range o.table.findAll(vecs, rows, side == 0 && o.parts == nil) {
			r := rows[i]
			if id < 0 {
				if err := o.spill(b, vecs, r, side); err != nil {
					return err
				}
				continue
			}
			if int(id) == len(o.counts) {
				o.counts = append(o.counts, [2]int64{})
				fresh = append(fresh, r)
			}
			o.counts[id][side]++
		}
		o.idx = fresh
		if len(fresh) > 0 {
			o.rows.add(&column.Batch{Cols: b.Cols, N: b.N, Sel: fresh})
		}
		if err := o.account(); err != nil {
			return err
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

// account notices how much memory is in use and starts to spill when it is too much.
func (o *setOp) account() error {
	held := o.table.memory() + o.rows.memory() + int64(cap(o.counts))*16
	err := o.st.grow(held - o.held)
	o.held = held
	o.figures.Memory = max(o.figures.Memory, held)
	if err == nil && o.parts == nil && held > o.st.rt.hashLimit() && o.st.rt.TempFS != nil && o.depth < maxSpillDepth && o.table.n >= 16 {
		o.parts = make([]joinPart, spillParts)
	}
	return err
}

// spill writes a row whose key is not in the table to its side's partition. One of the right matters only where
// the left has rows that wait.
func (o *setOp) spill(b *column.Batch, vecs []*column.Vec, r int32, side int) error {
	if o.parts == nil {
		return nil
	}
	o.buf = o.table.keys.of(vecs, r, o.buf[:0])
	p := &o.parts[hashKey(o.buf, o.depth+1)%spillParts]
	f := &p.left
	if side == 1 {
		if p.left == nil {
			return nil
		}
		f = &p.right
	}
	if *f == nil {
		var err error
		if *f, err = o.st.newSpill(o.kinds); err != nil {
			return err
		}
	}
	for c := range o.vals {
		o.vals[c] = b.Cols[c].Datum(int(r))
	}
	return (*f).add(o.vals)
}

// enqueue makes the partitions that were written wait for their turn.
func (o *setOp) enqueue() error {
	parts := o.parts
	o.parts = nil
	for _, p := range parts {
		if p.left == nil {
			continue
		}
		p.depth = o.depth + 1
		o.queue = append(o.queue, p)
		for _, f := range []*spillFile{p.left, p.right} {
			if f == nil {
				continue
			}
			if err := f.seal(); err != nil {
				return err
			}
			o.figures.Spilled += f.size
		}
		o.figures.Parts++
	}
	return nil
}

// nextPart counts the rows of the next partition; false when there is none.
func (o *setOp) nextPart() (bool, error) {
	if len(o.queue) == 0 {
		return false, nil
	}
	p := o.queue[len(o.queue)-1]
	o.queue = o.queue[:len(o.queue)-1]
	defer p.close()
	if err := o.begin(p.depth); err != nil {
		return false, err
	}
	for side, f := range []*spillFile{p.left, p.right} {
		if f == nil {
			continue
		}
		r, err := f.reader()
		if err != nil {
			return false, err
		}
		if err := o.count(&fileSource{r: r, size: o.st.rt.batchSize()}, side); err != nil {
			return false, err
		}
	}
	return true, o.enqueue()
}

// copies returns how often a row with these counts is yielded.
func (o *setOp) copies(c [2]int64) int64 {
	var n int64
	if o.kind == plan.Intersect {
		n = min(c[0], c[1])
	} else if o.all {
		n = max(c[0]-c[1], 0)
	} else if c[1] == 0 {
		n = c[0]
	}
	if !o.all {
		n = min(n, 1)
	}
	return n
}

func (o *setOp) next() (*column.Batch, error) {
	for {
		if b := o.emit(); b != nil {
			return b, nil
		}
		if more, err := o.nextPart(); err != nil || !more {
			return nil, err
		}
	}
}

// emit yields the next rows of the table, nil when there are no more.
func (o *setOp) emit() *column.Batch {
	o.idx = o.idx[:0]
	for o.at < len(o.counts) && len(o.idx) < o.st.rt.batchSize() {
		if o.times >= o.copies(o.counts[o.at]) {
			o.at, o.times = o.at+1, 0
			continue
		}
		o.times++
		o.idx = append(o.idx, int32(o.at))
	}
	if len(o.idx) == 0 {
		return nil
	}
	o.out.Reset(o.kinds...)
	for c := range o.kinds {
		o.rows.gather(c, o.idx, &o.out.Cols[c])
	}
	o.out.N = len(o.idx)
	return &o.out
}

func (o *setOp) drop() {
	o.st.shrink(o.held)
	o.held, o.at, o.times, o.counts, o.rows, o.table = 0, 0, 0, nil, nil, nil
	for _, p := range append(o.parts, o.queue...) {
		p.close()
	}
	o.parts, o.queue = nil, nil
}

func (o *setOp) close() {
	o.drop()
	o.left.close()
	o.right.close()
}
