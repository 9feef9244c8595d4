package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/plan"
)

// workTable holds the rows of the last step of a recursive query.
type workTable struct{ rows *tupleStore }

// recursiveOp runs its base, then its step over the rows of the step before
// until a step yields nothing new.
type recursiveOp struct {
	st         *state
	id         int
	base, step operator
	kinds      []column.Kind
	seen       *distinctSet // UNION: rows yielded so far
	types      []plan.Type
	table      *workTable
	pending    *tupleStore // rows of the running step
	inStep     bool
	sel        []int32
	out        column.Batch
}

func (st *state) newRecursiveUnion(n *plan.RecursiveUnion) (operator, error) {
	if st.work == nil {
		st.work = map[int]*workTable{}
	}
	o := &recursiveOp{st: st, id: n.ID, kinds: st.kinds(n), table: &workTable{}}
	st.work[n.ID] = o.table
	var err error
	if o.base, err = st.operator(n.Base); err != nil {
		return nil, err
	}
	if o.step, err = st.operator(n.Step); err != nil {
		return nil, err
	}
	if !n.All {
		for _, c := range n.Columns {
			o.types = append(o.types, c.Type)
		}
	}
	return o, nil
}

func (o *recursiveOp) open() error {
	o.drop()
	if o.types != nil {
		var err error
		if o.seen, err = o.st.newDistinctSet(o.types); err != nil {
			return err
		}
	}
	o.inStep = false
	o.pending = o.st.newTupleStore(o.kinds)
	return o.base.open()
}

func (o *recursiveOp) next() (*column.Batch, error) {
	for {
		in := o.base
		if o.inStep {
			in = o.step
		}
		b, err := in.next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			if more, err := o.advance(); err != nil || !more {
				return nil, err
			}
			continue
		}
		if b, err = o.novel(b); err != nil || b == nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if err := o.pending.add(b); err != nil {
			return nil, err
		}
		return b, nil
	}
}

// novel drops rows that were yielded before, for UNION.
func (o *recursiveOp) novel(b *column.Batch) (*column.Batch, error) {
	if o.seen == nil {
		return b, nil
	}
	var err error
	if o.sel, err = o.seen.add(b, o.sel[:0]); err != nil || len(o.sel) == 0 {
		return nil, err
	}
	o.out = column.Batch{Cols: b.Cols, N: b.N, Sel: o.sel}
	return &o.out, nil
}

// advance makes the rows of the step that ended the work table of the next.
func (o *recursiveOp) advance() (bool, error) {
	if err := o.st.rt.canceled(); err != nil {
		return false, err
	}
	if o.table.rows != nil {
		o.table.rows.close()
	}
	o.table.rows = o.pending
	if o.pending.rows() == 0 {
		return false, nil
	}
	o.pending = o.st.newTupleStore(o.kinds)
	o.inStep = true
	return true, o.step.open()
}

func (o *recursiveOp) drop() {
	for _, s := range []*tupleStore{o.table.rows, o.pending} {
		if s != nil {
			s.close()
		}
	}
	o.table.rows, o.pending = nil, nil
	if o.seen != nil {
		o.seen.close()
		o.seen = nil
	}
}

func (o *recursiveOp) close() {
	o.drop()
	o.base.close()
	o.step.close()
}

// workTableOp reads the work table of a recursive query.
type workTableOp struct {
	selection
	st     *state
	id     int
	reader *tupleReader
}

func (st *state) newWorkTableScan(n *plan.WorkTableScan) (operator, error) {
	cond, err := st.predicate(n.Filter)
	return &workTableOp{selection: selection{cond: cond, figures: st.figures(n)}, st: st, id: n.ID}, err
}

func (o *workTableOp) open() error {
	t := o.st.work[o.id]
	if t == nil || t.rows == nil {
		return fmt.Errorf("exec: work table %d read outside its recursion", o.id)
	}
	o.reader = t.rows.reader()
	return nil
}

func (o *workTableOp) close() {}

func (o *workTableOp) next() (*column.Batch, error) {
	if err := o.raised(); err != nil {
		return nil, err
	}
	for {
		b, err := o.reader.read()
		if err != nil || b == nil {
			return nil, err
		}
		if out, err := o.apply(b); err != nil || out != nil {
			return out, err
		}
	}
}
