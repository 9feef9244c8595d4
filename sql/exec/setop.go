package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// setOp is INTERSECT or EXCEPT: it counts the rows of both sides by value and
// yields each distinct row of the left as often as the kind demands.
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
}

func (st *state) newSetOperation(n *plan.SetOperation) (operator, error) {
	o := &setOp{st: st, kind: n.Kind, all: n.All, kinds: st.kinds(n.Left)}
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
	var err error
	if o.table, err = o.st.newGroupTable(o.types); err != nil {
		return err
	}
	o.rows = newRowBuf(o.kinds, o.st.rt.batchSize())
	if err := o.count(o.left, 0); err != nil {
		return err
	}
	return o.count(o.right, 1)
}

// count reads a side. Rows that only the right has are of no use.
func (o *setOp) count(in operator, side int) error {
	if err := in.open(); err != nil {
		return err
	}
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
		for i, id := range o.table.findAll(vecs, rows, side == 0) {
			if id < 0 {
				continue
			}
			if r := rows[i]; int(id) == len(o.counts) {
				o.counts = append(o.counts, [2]int64{})
				fresh = append(fresh, r)
			}
			o.counts[id][side]++
		}
		o.idx = fresh
		if len(fresh) > 0 {
			o.rows.add(&column.Batch{Cols: b.Cols, N: b.N, Sel: fresh})
		}
		held := o.table.memory() + o.rows.memory() + int64(cap(o.counts))*16
		err = o.st.grow(held - o.held)
		o.held = held
		if err != nil {
			return err
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
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
		return nil, nil
	}
	o.out.Reset(o.kinds...)
	for c := range o.kinds {
		o.rows.gather(c, o.idx, &o.out.Cols[c])
	}
	o.out.N = len(o.idx)
	return &o.out, nil
}

func (o *setOp) drop() {
	o.st.shrink(o.held)
	o.held, o.at, o.times, o.counts, o.rows, o.table = 0, 0, 0, nil, nil, nil
}

func (o *setOp) close() {
	o.drop()
	o.left.close()
	o.right.close()
}
