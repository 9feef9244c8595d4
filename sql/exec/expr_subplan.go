package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// subPlanExpr computes an expression from a subquery's rows.
type subPlanExpr struct {
	st     *state
	node   *plan.SubPlan
	kind   column.Kind
	params []expr
	test   expr
	cols   []*cell
	plan   *subplan
	cached bool // the answer for the current parameters is known
	answer column.Datum
	keep   keeper
	rows   *tupleStore // the subquery's rows, kept for tests that depend on the outer row
	hash   *subHash
}

func (c *compiler) subPlan(e *plan.SubPlan) (expr, error) {
	def := c.st.stmt.Plans[e.Plan]
	x := &subPlanExpr{st: c.st, node: e, kind: c.kind(e), keep: keeper{st: c.st, node: def.Root}}
	for _, p := range e.Params {
		v, err := c.expr(p.Expr)
		if err != nil {
			return nil, err
		}
		x.params = append(x.params, v)
	}
	if e.Test != nil {
		outer := c.subs
		for _, col := range def.Root.Info().Columns {
			x.cols = append(x.cols, &cell{kind: c.st.env.Kind(col.Type.OID)})
		}
		c.subs = x.cols
		var err error
		x.test, err = c.expr(e.Test)
		c.subs = outer
		if err != nil {
			return nil, err
		}
	}
	if e.Hashed && e.Kind == plan.SubAny {
		h, err := c.subHash(e, def)
		if err != nil {
			return nil, err
		}
		x.hash = h
	}
	return &rowLoop{st: c.st, kind: x.kind, eval: x.row}, nil
}

func (x *subPlanExpr) row(r *row) (column.Datum, error) {
	if x.plan == nil {
		p, err := x.st.subplan(x.node.Plan)
		if err != nil {
			return column.Datum{}, err
		}
		x.plan = p
	}
	for i, p := range x.params {
		d, err := p.row(r)
		if err != nil {
			return d, err
		}
		x.st.setExec(x.node.Params[i].ID, d)
	}
	if !x.keep.fresh() {
		x.cached = false
		if x.rows != nil {
			x.rows.close()
			x.rows = nil
		}
		if x.hash != nil {
			x.hash.built = false
		}
		x.keep.mark()
	}
	if x.hash != nil {
		return x.hash.test(x, r)
	}
	if x.test != nil {
		return x.compare(r)
	}
	if x.cached {
		return x.answer, nil
	}
	d, err := x.compute()
	if err != nil {
		x.keep.forget()
		return d, err
	}
	x.cached, x.answer = true, d
	return d, nil
}

// compute runs the subquery for a value that does not depend on the outer row
// but through its parameters.
func (x *subPlanExpr) compute() (column.Datum, error) {
	switch x.node.Kind {
	case plan.SubExists:
		if err := x.plan.open(); err != nil {
			return column.Datum{}, err
		}
		b, err := x.plan.root.next()
		return column.BoolDatum(b != nil), err
	case plan.SubScalar:
		return x.plan.scalar()
	case plan.SubArray:
		return x.array()
	}
	return column.Datum{}, pgerr.Unsupported("this kind of subquery is not supported")
}

// arrayElementBytes is what an element takes beside its bytes while an array is collected.
const arrayElementBytes = 40

// array collects the subquery's only column.
func (x *subPlanExpr) array() (column.Datum, error) {
	if err := x.plan.open(); err != nil {
		return column.Datum{}, err
	}
	vals, held := []column.Datum{}, int64(0)
	defer func() { x.st.shrink(held) }()
	for {
		b, err := x.plan.root.next()
		if err != nil {
			return column.Datum{}, err
		}
		if b == nil {
			break
		}
		if err := x.st.rt.canceled(); err != nil {
			return column.Datum{}, err
		}
		for i := range b.Len() {
			vals = append(vals, b.Cols[0].Datum(b.Row(i)).Clone())
			size := arrayElementBytes + int64(len(vals[len(vals)-1].B))
			held += size
			if err := x.st.grow(size); err != nil {
				return column.Datum{}, err
			}
		}
	}
	return x.st.makeArray(x.node.Typ.OID, x.st.stmt.Plans[x.node.Plan].Root.Info().Columns[0].Type.OID, vals)
}

// compare tests the outer row against the subquery's rows: ANY, ALL, and the
// comparison with a single row.
func (x *subPlanExpr) compare(r *row) (column.Datum, error) {
	if x.rows == nil {
		rows := x.st.newTupleStore(x.plan.kinds)
		if err := x.plan.open(); err != nil {
			return column.Datum{}, err
		}
		if err := rows.fill(x.plan.root); err != nil {
			x.keep.forget()
			return column.Datum{}, err
		}
		x.rows = rows
	}
	if x.node.Kind == plan.SubRow && x.rows.rows() > 1 {
		return column.Datum{}, pgerr.New(pgerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
	}
	if x.node.Kind == plan.SubRow && x.rows.rows() == 0 {
		return column.Null(), nil
	}
	null := false
	for read := x.rows.reader(); ; {
		b, err := read.read()
		if err != nil {
			return column.Datum{}, err
		}
		if b == nil {
			break
		}
		for i := range b.Len() {
			at := b.Row(i)
			for k, c := range x.cols {
				c.setRow(b.Cols[k].Datum(at))
			}
			d, err := x.test.row(r)
			switch {
			case err != nil || x.node.Kind == plan.SubRow:
				return d, err
			case d.Null:
				null = true
			case d.Bool() == (x.node.Kind == plan.SubAny):
				return d, nil
			}
		}
		if err := x.st.rt.canceled(); err != nil {
			return column.Datum{}, err
		}
	}
	if null {
		return column.Null(), nil
	}
	return column.BoolDatum(x.node.Kind == plan.SubAll), nil
}

// subHash answers IN by a table of the subquery's rows.
type subHash struct {
	left    []expr
	cols    []int
	keys    *keyColumns
	table   map[string]struct{}
	nulls   [][]column.Datum // rows with a NULL: unknown where the rest agrees
	built   bool
	rows    int64
	compare []func(a, b column.Datum) int
	buf     []byte
}

func (c *compiler) subHash(e *plan.SubPlan, def *plan.Plan) (*subHash, error) {
	left, err := c.list(e.HashLeft)
	if err != nil {
		return nil, err
	}
	h := &subHash{left: left, cols: e.HashRight}
	var ts []plan.Type
	for i, col := range e.HashRight {
		rt, lt := def.Root.Info().Columns[col].Type, e.HashLeft[i].ResultType()
		if !sameKeys(c.st, lt.OID, rt.OID) {
			return nil, nil // encoded differently: compared one by one
		}
		ts = append(ts, rt)
		h.compare = append(h.compare, c.st.comparator(rt))
	}
	h.keys, err = c.st.keyColumns(ts)
	return h, err
}

// sameKeys reports whether equal values of two types have equal keys.
func sameKeys(st *state, a, b OID) bool {
	a, b = st.baseType(a), st.baseType(b)
	if a == b {
		return true
	}
	for _, family := range [][]OID{
		{types.Int2OID, types.Int4OID, types.Int8OID, types.OIDOID, types.RegclassOID, types.RegtypeOID, types.RegprocOID},
		{types.Float4OID, types.Float8OID},
		{types.TextOID, types.VarcharOID, types.NameOID},
	} {
		in := 0
		for _, t := range family {
			if t == a || t == b {
				in++
			}
		}
		if in == 2 {
			return true
		}
	}
	return false
}

func (h *subHash) build(x *subPlanExpr) error {
	h.table, h.nulls, h.rows = map[string]struct{}{}, nil, 0
	if err := x.plan.open(); err != nil {
		return err
	}
	vecs := make([]*column.Vec, len(h.cols))
	for {
		b, err := x.plan.root.next()
		if err != nil {
			return err
		}
		if b == nil {
			h.built = true
			return nil
		}
		for i, c := range h.cols {
			vecs[i] = &b.Cols[c]
		}
		before := len(h.table)
		for _, r := range selected(b, b.Sel) {
			h.rows++
			if anyNull(vecs, int(r)) {
				vals := make([]column.Datum, len(vecs))
				for i, v := range vecs {
					vals[i] = v.Datum(int(r)).Clone()
				}
				h.addNull(vals)
				continue
			}
			h.buf = h.keys.of(vecs, r, h.buf[:0])
			h.table[string(h.buf)] = struct{}{}
		}
		if err := x.st.grow(int64(len(h.table)-before) * int64(len(h.buf)+64)); err != nil {
			return err
		}
		if err := x.st.rt.canceled(); err != nil {
			return err
		}
	}
}

// addNull keeps a row with a NULL; for one column, one such row says it all.
func (h *subHash) addNull(vals []column.Datum) {
	if len(vals) > 1 || len(h.nulls) == 0 {
		h.nulls = append(h.nulls, vals)
	}
}

func anyNull(vecs []*column.Vec, r int) bool {
	for _, v := range vecs {
		if at(v, r).Null {
			return true
		}
	}
	return false
}

func (h *subHash) test(x *subPlanExpr, r *row) (column.Datum, error) {
	if !h.built {
		if err := h.build(x); err != nil {
			x.keep.forget()
			return column.Datum{}, err
		}
	}
	if h.rows == 0 {
		return column.BoolDatum(false), nil
	}
	vals := make([]column.Datum, len(h.left))
	null := false
	h.buf = h.buf[:0]
	for i, e := range h.left {
		d, err := e.row(r)
		if err != nil {
			return d, err
		}
		vals[i] = d
		null = null || d.Null
		h.buf = h.keys.encoder[i](h.buf, d)
	}
	if !null {
		if _, ok := h.table[string(h.buf)]; ok {
			return column.BoolDatum(true), nil
		}
		for _, n := range h.nulls {
			if h.maybe(vals, n) {
				return column.Null(), nil
			}
		}
		return column.BoolDatum(false), nil
	}
	if len(vals) == 1 {
		return column.Null(), nil
	}
	return h.scan(x, vals)
}

// maybe reports whether two rows agree wherever neither has a NULL.
func (h *subHash) maybe(a, b []column.Datum) bool {
	for i := range a {
		if !a[i].Null && !b[i].Null && h.compare[i](a[i], b[i]) != 0 {
			return false
		}
	}
	return true
}

// scan compares a row that has a NULL with every row of the subquery.
func (h *subHash) scan(x *subPlanExpr, vals []column.Datum) (column.Datum, error) {
	for _, n := range h.nulls {
		if h.maybe(vals, n) {
			return column.Null(), nil
		}
	}
	if err := x.plan.open(); err != nil {
		return column.Datum{}, err
	}
	other := make([]column.Datum, len(vals))
	for {
		b, err := x.plan.root.next()
		if err != nil {
			return column.Datum{}, err
		}
		if b == nil {
			return column.BoolDatum(false), nil
		}
		for i := range b.Len() {
			for k, c := range h.cols {
				other[k] = b.Cols[c].Datum(b.Row(i))
			}
			if h.maybe(vals, other) {
				return column.Null(), nil
			}
		}
	}
}
