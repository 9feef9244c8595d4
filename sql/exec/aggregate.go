package exec

import (
	"bytes"
	"slices"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// aggSpec is one aggregate call, compiled.
type aggSpec struct {
	node     *plan.Agg
	newState func(*functions.Ctx) functions.AggState
	ctx      *functions.Ctx
	args     []expr
	direct   []expr
	grouped  bool // direct arguments read columns of the group
	filter   predicate
	sorted   bool // rows are fed in order: ORDER BY, WITHIN GROUP, or DISTINCT where order shows
	unique   bool // DISTINCT by a set: order does not show
	order    *rowKey
	same     *rowKey // DISTINCT: what makes rows equal
	kinds    []column.Kind
	argType  []plan.Type
	lane     laneExpr // the only argument, a numeric
}

// orderless names aggregates whose answer does not depend on the order of rows,
// so that DISTINCT needs a set only.
var orderless = map[string]bool{"count": true, "sum": true, "min": true, "max": true, "avg": true, "bool_and": true, "bool_or": true, "every": true, "bit_and": true, "bit_or": true, "bit_xor": true}

func (st *state) aggSpec(a *plan.Agg, lanes *slotLanes) (*aggSpec, error) {
	newState, err := st.aggregateState(a.Func, append(slices.Clone(a.Direct), a.Args...), len(a.Direct), a.Typ, a.InputColl)
	if err != nil {
		return nil, err
	}
	s := &aggSpec{newState: newState, node: a, kinds: st.exprKinds(a.Args), argType: exprTypes(a.Args)}
	c := &compiler{st: st}
	s.ctx = c.site(a.InputColl, a.Typ.OID, append(slices.Clone(a.Direct), a.Args...)...)
	s.ctx.Variadic = a.Variadic
	if a.Within {
		for _, k := range a.OrderBy {
			s.ctx.AggOrder = append(s.ctx.AggOrder, functions.AggSort{Type: k.Expr.ResultType().OID, Collation: k.Collation, Desc: k.Desc, NullsFirst: k.NullsFirst})
		}
	}
	for _, e := range a.Direct {
		plan.Walk(e, func(x plan.Expr) bool {
			_, slot := x.(*plan.Slot)
			s.grouped = s.grouped || slot
			return true
		})
	}
	if s.args, err = st.compileAll(a.Args); err != nil {
		return nil, err
	}
	if len(a.Args) == 1 && !a.Distinct && len(a.OrderBy) == 0 {
		if s.lane, err = (&compiler{st: st, lanes: lanes}).laneOf(a.Args[0]); err != nil {
			return nil, err
		}
	}
	if s.direct, err = st.compileAll(a.Direct); err != nil {
		return nil, err
	}
	if s.filter, err = st.predicate(a.Filter); err != nil {
		return nil, err
	}
	s.sorted = len(a.OrderBy) > 0 || (a.Distinct && (!orderless[a.Func.Name] || a.Func.Agg.Trans != nil))
	s.unique = a.Distinct && !s.sorted
	if a.Distinct {
		if s.same, err = st.equalKey(a.Args); err != nil {
			return nil, err
		}
	}
	if s.sorted {
		keys := a.OrderBy
		if len(keys) == 0 {
			for _, e := range a.Args {
				keys = append(keys, plan.SortKey{Expr: e})
			}
		}
		s.order, err = st.sortKey(keys)
	}
	return s, err
}

// aggRun is one aggregate call while it accumulates the groups of one table.
type aggRun struct {
	*aggSpec
	st    *state
	state functions.AggState
	seen  *groupTable   // unique: groups and arguments of rows fed so far
	owner column.Vec    // unique: the group of each row, the first column of seen
	cols  []*column.Vec // unique: the columns of seen
	fresh []int32       // unique: the rows of a batch that are new

	freshIDs []int32          // and their groups
	given    [][]column.Datum // grouped: the direct arguments of each group
	rows     *rowBuf          // sorted: argument rows waiting for their order
	items    []pendingRow
	bytes    int64
	vecs     []*column.Vec
	sel      []int32
	ids      []int32
	buf      []byte
	whole    functions.NumericAccumulator // takes lanes
	keys     arena                        // sorted: of the items
	vals     []column.Datum
	part     column.Batch // of the rows fed
	out      column.Batch // rows in their order
}

// pendingRow is a row of a sorted aggregate.
type pendingRow struct {
	group int32
	row   int32
	key   []byte
	same  []byte
}

func (st *state) aggRun(s *aggSpec) *aggRun {
	r := &aggRun{aggSpec: s, st: st, vecs: make([]*column.Vec, len(s.args)), vals: make([]column.Datum, len(s.args))}
	if s.sorted {
		r.rows = newRowBuf(s.kinds, st.rt.batchSize())
	}
	r.begin()
	return r
}

// begin makes a state without groups.
func (r *aggRun) begin() {
	r.state = r.newState(r.ctx)
	if r.lane != nil {
		r.whole, _ = r.state.(functions.NumericAccumulator)
	}
}

// restart forgets all groups and keeps the memory of rows that waited.
func (r *aggRun) restart() {
	r.begin()
	if r.seen != nil {
		r.seen.restart()
	}
	r.given, r.bytes = nil, 0
	if r.rows != nil {
		r.forgetRows()
	}
}

// forgetRows drops the rows that waited for their order.
func (r *aggRun) forgetRows() {
	r.items = r.items[:0]
	if r.rows.memory()+r.bytes <= spareBytes {
		r.rows.restart()
		r.keys.restart()
		return
	}
	r.items = nil
	r.rows.reset()
	r.keys = arena{}
}

// feed adds the rows sel of b; group ids belong to the rows in order (nil: group 0).
func (r *aggRun) feed(b *column.Batch, sel, groups []int32) error {
	if r.grouped {
		if err := r.noteDirect(b, sel, groups); err != nil {
			return err
		}
	}
	if r.filter != nil {
		var err error
		if sel, groups, err = r.filtered(b, sel, groups); err != nil || len(sel) == 0 {
			return err
		}
	}
	if r.whole != nil {
		l, err := r.lane.lane(b, sel)
		if err != nil {
			return err
		}
		if l != nil {
			return r.whole.AccumulateLane(groups, l, sel, b.N)
		}
	}
	for i, a := range r.args {
		v, err := a.vec(b, sel)
		if err != nil {
			return err
		}
		r.vecs[i] = v
	}
	switch {
	case r.sorted:
		return r.hold(b, sel, groups)
	case r.unique:
		var err error
		if sel, groups, err = r.novel(sel, groups, b.N); err != nil || len(sel) == 0 {
			return err
		}
	}
	return r.state.Accumulate(groups, r.vecs, sel, b.N)
}

// filtered applies FILTER, keeping each row's group.
func (r *aggRun) filtered(b *column.Batch, sel, groups []int32) ([]int32, []int32, error) {
	out, err := r.filter.filter(b, sel, r.sel[:0])
	if err != nil {
		return nil, nil, err
	}
	r.sel = out
	if groups == nil {
		return out, nil, nil
	}
	r.ids = r.ids[:0]
	i := 0
	for _, row := range out {
		for sel[i] != row {
			i++
		}
		r.ids = append(r.ids, groups[i])
	}
	return out, r.ids, nil
}

// novel drops rows whose arguments the group has had already.
func (r *aggRun) novel(sel, groups []int32, n int) (outSel, outIDs []int32, err error) {
	if r.seen == nil {
		kinds := r.argType
		if groups != nil {
			kinds = append([]plan.Type{{OID: types.Int4OID, Typmod: -1}}, kinds...)
		}
		if r.seen, err = r.st.newGroupTable(kinds); err != nil {
			return nil, nil, err
		}
	}
	r.cols = r.cols[:0]
	if groups != nil {
		r.owner.Resize(column.Int, n)
		for i, row := range sel {
			r.owner.I[row] = int64(groups[i])
		}
		r.cols = append(r.cols, &r.owner)
	}
	r.cols = append(r.cols, r.vecs...)
	next := int32(r.seen.n)
	r.fresh, r.freshIDs = r.fresh[:0], r.freshIDs[:0]
	for i, id := range r.seen.findAll(r.cols, sel, true) {
		if id != next {
			continue
		}
		next++
		r.fresh = append(r.fresh, sel[i])
		if groups != nil {
			r.freshIDs = append(r.freshIDs, groups[i])
		}
	}
	return r.fresh, r.freshIDs, nil
}

// hold keeps rows until all of them are there to be sorted.
func (r *aggRun) hold(b *column.Batch, sel, groups []int32) error {
	r.part = column.Batch{Cols: b.Cols, N: b.N, Sel: sel}
	if err := r.order.prepare(&r.part); err != nil {
		return err
	}
	vals := r.vals
	for i, row := range sel {
		r.buf = r.order.at(row, r.buf[:0])
		p := pendingRow{row: int32(r.rows.n), key: r.keys.copy(r.buf)}
		if groups != nil {
			p.group = groups[i]
		}
		for k, v := range r.vecs {
			vals[k] = at(v, int(row))
		}
		if r.same != nil {
			r.buf = r.buf[:0]
			for k, d := range vals {
				r.buf = r.same.encoder[k](r.buf, d)
			}
			p.same = r.keys.copy(r.buf)
		}
		r.rows.addRow(vals)
		r.items = append(r.items, p)
		r.bytes += int64(len(p.key)+len(p.same)) + 64
	}
	return nil
}

// flush feeds the rows that waited, in order.
func (r *aggRun) flush() error {
	if len(r.items) == 0 {
		return nil
	}
	err := sortUntil(r.st.rt, r.items, true, func(a, b pendingRow) int {
		if a.group != b.group {
			return int(a.group) - int(b.group)
		}
		if c := bytes.Compare(a.key, b.key); c != 0 {
			return c
		}
		return bytes.Compare(a.same, b.same)
	})
	if err != nil {
		return err
	}
	if r.same != nil {
		r.items = slices.CompactFunc(r.items, func(a, b pendingRow) bool {
			return a.group == b.group && bytes.Equal(a.same, b.same)
		})
	}
	out := &r.out
	for items := r.items; len(items) > 0; {
		n := min(len(items), r.st.rt.batchSize())
		r.sel, r.ids = r.sel[:0], r.ids[:0]
		for i := range items[:n] {
			r.sel, r.ids = append(r.sel, items[i].row), append(r.ids, items[i].group)
		}
		out.Reset(r.kinds...)
		for c := range r.kinds {
			r.rows.gather(c, r.sel, &out.Cols[c])
			r.vecs[c] = &out.Cols[c]
		}
		if err := r.state.Accumulate(r.ids, r.vecs, allRows(n), n); err != nil {
			return err
		}
		items = items[n:]
		if err := r.st.rt.canceled(); err != nil {
			return err
		}
	}
	r.forgetRows()
	return nil
}

// noteDirect evaluates the direct arguments at the first row of each group: they only read what all
// rows of a group share.
func (r *aggRun) noteDirect(b *column.Batch, sel, groups []int32) error {
	for i, at := range sel {
		g := 0
		if groups != nil {
			g = int(groups[i])
		}
		for len(r.given) <= g {
			r.given = append(r.given, nil)
		}
		if r.given[g] != nil {
			continue
		}
		for _, e := range r.direct {
			d, err := e.row(&row{batch: b, at: int(at)})
			if err != nil {
				return err
			}
			r.given[g] = append(r.given[g], d.Clone())
		}
	}
	return nil
}

// result returns the value of a group.
func (r *aggRun) result(group int) (column.Datum, error) {
	if group < len(r.given) && r.given[group] != nil {
		return r.state.Result(group, r.given[group])
	}
	var direct []column.Datum
	for _, e := range r.direct {
		d, err := e.row(&row{})
		if err != nil {
			return d, err
		}
		direct = append(direct, d)
	}
	return r.state.Result(group, direct)
}

// results puts the values of n groups from start on into an empty vector.
func (r *aggRun) results(start, n int, v *column.Vec) error {
	if whole, ok := r.state.(functions.AggLane); ok && len(r.given) == 0 {
		v.Resize(v.Kind, n)
		whole.Results(start, n, v)
		return nil
	}
	for i := range n {
		d, err := r.result(start + i)
		if err != nil {
			return err
		}
		v.Append(d)
	}
	return nil
}

func (r *aggRun) memory() int64 {
	n := r.state.Size() + r.bytes
	if r.rows != nil {
		n += r.rows.memory()
	}
	if r.seen != nil {
		n += r.seen.memory()
	}
	return n
}

// hashKey is the hash by which rows of a spilled aggregation are partitioned.
func hashKey(key []byte, depth int) uint64 {
	return types.CombineHash(types.HashBytes(key), uint64(depth))
}
