package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// divisible reports whether workers can aggregate parts of the input.
func (o *aggOp) divisible() bool {
	n := o.node
	if n.Strategy == plan.SortedAgg && len(n.Keys) > 0 || o.st.rt.Knobs.Workers < 2 {
		return false
	}
	for i, a := range n.Aggs {
		s := o.specs[i]
		if s.sorted || s.unique || len(a.Direct) > 0 || a.Func.Agg.Trans != nil || a.Func.Parallel != 's' || !divisibleExprs(a.Filter) || !divisibleExprs(a.Args...) || !functions.CanCombine(s.newState(s.ctx)) {
			return false
		}
	}
	for _, k := range n.Keys {
		if !divisibleExprs(k.Expr) {
			return false
		}
	}
	return o.st.divisible(n.Input)
}

// byWorkers aggregates the parts of the input side by side and puts the groups
// together. It reports false, having read nothing, where that is not worth it.
func (o *aggOp) byWorkers() (bool, error) {
	uses, _ := o.st.dependencies(o.node)
	list, err := o.st.workers(o.node.Input, o.input, uses)
	if err != nil || list == nil {
		return false, err
	}
	defer closeWorkers(list)
	for _, w := range list {
		if err := w.aggregate(o); err != nil {
			return false, err
		}
	}
	defer func() {
		for _, w := range list {
			w.agg.drop()
		}
	}()
	if err := o.st.runWorkers(list); err != nil {
		return false, err
	}
	if err := o.adopt(list); err != nil {
		return false, err
	}
	o.ended = true
	return true, o.finish()
}

// aggregate makes the worker's own aggregation.
func (w *worker) aggregate(main *aggOp) error {
	n := *main.node
	a, err := w.st.aggregateOver(&n, w.way)
	if err != nil {
		return err
	}
	w.agg = a
	w.run = func() error {
		if err := a.open(); err != nil {
			return err
		}
		return a.consume()
	}
	return nil
}

// consume reads the input to its end. Rows that did not fit into memory are in
// the partitions of the sets.
func (o *aggOp) consume() error {
	for {
		b, err := o.input.next()
		if err != nil || b == nil {
			return err
		}
		if err := o.keysOf(b); err != nil {
			return err
		}
		for _, s := range o.current {
			if err := s.add(b); err != nil {
				return err
			}
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

// adopt makes the groups of the first worker the operator's own and adds those
// of the others, in their order; then the rows that workers have put on disk.
func (o *aggOp) adopt(list []*worker) error {
	o.release(o.current)
	first := list[0].agg
	o.current, o.lanes, first.current = first.current, first.lanes, nil
	var files []*spillFile
	defer func() {
		for _, f := range files {
			f.close()
		}
	}()
	take := func(s *groupSet) error {
		for _, f := range s.parts {
			if f == nil {
				continue
			}
			files = append(files, f)
			if err := f.seal(); err != nil {
				return err
			}
			o.figures.Spilled += f.size
		}
		s.parts = nil
		return nil
	}
	for i, s := range o.current {
		s.op = o
		for _, a := range s.aggs {
			a.st = o.st
		}
		held := s.held
		s.held = 0
		if err := o.st.grow(held); err != nil {
			return err
		}
		s.held = held
		if err := take(s); err != nil {
			return err
		}
		for _, w := range list[1:] {
			other := w.agg.current[i]
			if err := take(other); err != nil {
				return err
			}
			if err := s.absorb(other); err != nil {
				return err
			}
			w.agg.release([]*groupSet{other})
		}
		for _, f := range files {
			if err := o.addFile(s, f); err != nil {
				return err
			}
		}
		for _, f := range files {
			f.close()
		}
		files = files[:0]
	}
	return nil
}

// absorb adds the groups of another worker.
func (s *groupSet) absorb(other *groupSet) error {
	if other.groups() == 0 {
		return nil
	}
	ids := []int32{0}
	if len(s.keys) > 0 {
		ids = make([]int32, 0, other.table.n)
		vecs := make([]*column.Vec, len(s.keys))
		if err := s.absorbKeys(other, vecs, &ids); err != nil {
			return err
		}
	}
	s.grow()
	other.grow()
	for i, a := range s.aggs {
		if err := a.state.Combine(other.aggs[i].state, ids); err != nil {
			return err
		}
	}
	return s.account()
}

// absorbKeys appends to ids what the keys of another worker's groups are here.
func (s *groupSet) absorbKeys(other *groupSet, vecs []*column.Vec, ids *[]int32) error {
	part := column.Batch{Cols: make([]column.Vec, len(s.op.keyKinds))}
	for start := 0; start < other.table.n; start += part.N {
		part.N = min(column.BatchSize, other.table.n-start)
		idx := make([]int32, part.N)
		for i := range idx {
			idx[i] = int32(start + i)
		}
		for c := range part.Cols {
			part.Cols[c].Reset(s.op.keyKinds[c])
			other.keyColumn(c, start, idx, &part.Cols[c])
		}
		for i, k := range s.keys {
			vecs[i], s.op.keyVecs[k] = &part.Cols[k], &part.Cols[k]
		}
		rows, next := allRows(part.N), int32(s.table.n)
		found := s.table.findAll(vecs, rows, true)
		*ids = append(*ids, found...)
		if int(next) < s.table.n && !s.table.exact() {
			s.remember(rows, found, next, part.N)
		}
		if err := s.op.st.rt.canceled(); err != nil {
			return err
		}
	}
	return nil
}

// addFile aggregates rows that a worker could not keep.
func (o *aggOp) addFile(s *groupSet, f *spillFile) error {
	r, err := f.reader()
	if err != nil {
		return err
	}
	var b column.Batch
	for {
		ok, err := r.batch(&b, o.st.rt.batchSize())
		if err != nil || !ok {
			return err
		}
		if err := o.keysOf(&b); err != nil {
			return err
		}
		if err := s.add(&b); err != nil {
			return err
		}
		if err := o.st.rt.canceled(); err != nil {
			return err
		}
	}
}

// aggregateOver makes an aggregation over an operator that is there already.
func (st *state) aggregateOver(n *plan.Aggregate, input operator) (*aggOp, error) {
	o := &aggOp{
		st: st, node: n, input: input, inKinds: st.kinds(n.Input), sets: n.Sets, groupings: n.Groupings,
		keyVecs: make([]*column.Vec, len(n.Keys)), wide: make([]column.Vec, len(n.Keys)), figures: st.figures(n),
		keeper: keeper{st: st, node: n.Input},
	}
	exprs := make([]plan.Expr, len(n.Keys))
	for i, k := range n.Keys {
		exprs[i] = k.Expr
	}
	var err error
	if o.keyExprs, err = st.compileAll(exprs); err != nil {
		return nil, err
	}
	o.keyKinds = st.exprKinds(exprs)
	for _, a := range n.Aggs {
		s, err := st.aggSpec(a, &o.lanes)
		if err != nil {
			return nil, err
		}
		o.specs = append(o.specs, s)
	}
	if s, ok := input.(*scanOp); ok && s.apart != nil && len(n.Keys) == 0 { // with keys, whole rows may be spilled
		s.apart.readOnly(len(n.Input.Info().Columns), aggregateExprs(n.Aggs))
	}
	if o.sets == nil {
		all := make([]int, len(n.Keys))
		for i := range all {
			all[i] = i
		}
		o.sets = [][]int{all}
	}
	return o, nil
}

// aggregateExprs lists all that aggregates compute from rows.
func aggregateExprs(aggs []*plan.Agg) (out []plan.Expr) {
	for _, a := range aggs {
		out = append(append(append(out, a.Args...), a.Direct...), a.Filter)
		for _, k := range a.OrderBy {
			out = append(out, k.Expr)
		}
	}
	return out
}
