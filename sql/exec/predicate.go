package exec

import (
	"bytes"
	"cmp"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
)

// predicate is a condition that selects rows.
type predicate interface {
	// filter appends to dst the rows of sel for which the condition is true.
	// dst may be the memory of sel.
	filter(b *column.Batch, sel, dst []int32) ([]int32, error)
	// test reports whether it is true for one row.
	test(r *row) (bool, error)
}

// predicate compiles a condition; nil gives nil, which selects everything.
func (st *state) predicate(e plan.Expr) (predicate, error) {
	if e == nil {
		return nil, nil
	}
	c := &compiler{st: st}
	p, err := c.predicate(e)
	if err == nil && isVolatile(e) {
		p = volatilePredicate{p}
	}
	return p, err
}

func (c *compiler) predicate(e plan.Expr) (predicate, error) {
	if !c.st.rt.Knobs.RowAtATime {
		if b, ok := e.(*plan.BoolOp); ok && b.Op == plan.And {
			all := make(conjunction, len(b.Args))
			for i, a := range b.Args {
				var err error
				if all[i], err = c.predicate(a); err != nil {
					return nil, err
				}
			}
			return all, nil
		}
		if k, ok := e.(*plan.Call); ok {
			if p, err := c.kernel(k); p != nil || err != nil {
				return p, err
			}
			if p, err := c.numericKernel(k); p != nil || err != nil {
				return p, err
			}
			if p, err := c.likeKernel(k); p != nil || err != nil {
				return p, err
			}
		}
	}
	x, err := c.top(e)
	if err != nil {
		return nil, err
	}
	return &condition{arg: x}, nil
}

// conjunction is AND of conditions: like PostgreSQL's qualifications it stops at
// the first one that is not true.
type conjunction []predicate

func (a conjunction) filter(b *column.Batch, sel, dst []int32) ([]int32, error) {
	for i, p := range a {
		out, err := p.filter(b, sel, dst)
		if err != nil || len(out) == 0 || i == len(a)-1 {
			return out, err
		}
		sel, dst = out, out[:0]
	}
	return append(dst, sel...), nil
}

func (a conjunction) test(r *row) (bool, error) {
	for _, p := range a {
		if ok, err := p.test(r); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// condition is any boolean expression.
type condition struct{ arg expr }

func (p *condition) test(r *row) (bool, error) {
	d, err := p.arg.row(r)
	return d.Bool(), err
}

func (p *condition) filter(b *column.Batch, sel, dst []int32) ([]int32, error) {
	v, err := p.arg.vec(b, sel)
	if err != nil {
		return nil, err
	}
	sel = selected(b, sel)
	switch {
	case isConst(v, b.N):
		if v.Datum(0).Bool() {
			return append(dst, sel...), nil
		}
	case len(v.Nulls) == 0:
		for _, r := range sel {
			if v.I[r] != 0 {
				dst = append(dst, r)
			}
		}
	default:
		for _, r := range sel {
			if v.I[r] != 0 && !v.Null(int(r)) {
				dst = append(dst, r)
			}
		}
	}
	return dst, nil
}

// comparison is column op value, the value being the same for all rows.
type comparison struct {
	slot  int
	value expr
	kind  plan.CompareKind
	lane  column.Kind
}

// comparisons names the functions that compare lanes directly.
var comparisons = func() map[string]plan.CompareKind {
	m := map[string]plan.CompareKind{}
	ops := map[string]plan.CompareKind{
		"lt": plan.Less, "le": plan.LessEqual, "eq": plan.Equal, "ge": plan.GreaterEqual, "gt": plan.Greater, "ne": plan.NotEqual,
	}
	lanes := []string{
		"int2", "int4", "int8", "int24", "int28", "int42", "int48", "int82", "int84", "oid", "float8", "float4", "float48", "float84",
		"date_", "time_", "timestamp_", "cash_", "bytea", "uuid_", "text_", "bool",
	}
	for _, l := range lanes {
		for op, k := range ops {
			m[l+op] = k
		}
	}
	for _, l := range []string{"text", "name", "char", "xid", "cid"} {
		m[l+"eq"], m[l+"ne"] = plan.Equal, plan.NotEqual
	}
	m["nameeqtext"], m["texteqname"] = plan.Equal, plan.Equal
	m["namenetext"], m["textnename"] = plan.NotEqual, plan.NotEqual
	return m
}()

var mirrored = map[plan.CompareKind]plan.CompareKind{
	plan.Less: plan.Greater, plan.LessEqual: plan.GreaterEqual, plan.Equal: plan.Equal,
	plan.GreaterEqual: plan.LessEqual, plan.Greater: plan.Less, plan.NotEqual: plan.NotEqual,
}

// kernel returns a comparison for slot op constant and constant op slot, or nil.
func (c *compiler) kernel(e *plan.Call) (predicate, error) {
	if p, err := c.paddedKernel(e); p != nil || err != nil {
		return p, err
	}
	kind, ok := comparisons[e.Func.Src]
	if !ok || len(e.Args) != 2 || e.Func.Lang != functions.LangInternal {
		return nil, nil
	}
	left, right := e.Args[0], e.Args[1]
	if c.kind(left) == column.Bytes && !c.comparesBytes(kind, e.InputColl) {
		return nil, nil
	}
	s := slotOf(left)
	if s == nil || !rowless(right) {
		if s = slotOf(right); s == nil || !rowless(left) {
			return nil, nil
		}
		left, right, kind = right, left, mirrored[kind]
	}
	value, err := c.expr(right)
	if err != nil {
		return nil, err
	}
	return &comparison{slot: s.Index, value: value, kind: kind, lane: c.kind(left)}, nil
}

// comparesBytes reports whether a comparison under a collation is one of bytes.
func (c *compiler) comparesBytes(kind plan.CompareKind, coll OID) bool {
	if kind == plan.Equal || kind == plan.NotEqual {
		return c.st.env.EqualsBytes(coll)
	}
	return c.st.env.OrdersBytes(coll)
}

// slotOf returns the column that e is, looking through relabelings.
func slotOf(e plan.Expr) *plan.Slot {
	for {
		switch x := e.(type) {
		case *plan.Slot:
			return x
		case *plan.Relabel:
			if x.Wraps() {
				return nil
			}
			e = x.Arg
		default:
			return nil
		}
	}
}

// rowless reports whether e is the same for all rows of a batch.
func rowless(e plan.Expr) bool {
	switch e.(type) {
	case *plan.Const, *plan.Param, *plan.Exec:
		return true
	}
	return fixed(e)
}

func (p *comparison) test(r *row) (bool, error) {
	d := r.slot(p.slot)
	c, err := p.value.row(r)
	if err != nil || d.Null || c.Null {
		return false, err
	}
	switch p.lane {
	case column.Int:
		return holds(p.kind, cmp.Compare(d.I, c.I)), nil
	case column.Float:
		return holds(p.kind, cmpFloat(d.Float(), c.Float())), nil
	}
	return holds(p.kind, bytes.Compare(d.B, c.B)), nil
}

func holds(k plan.CompareKind, order int) bool {
	switch k {
	case plan.Less:
		return order < 0
	case plan.LessEqual:
		return order <= 0
	case plan.Equal:
		return order == 0
	case plan.GreaterEqual:
		return order >= 0
	case plan.Greater:
		return order > 0
	}
	return order != 0
}

// cmpFloat orders floats as PostgreSQL does: NaN is equal to itself and greatest.
func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case a != a && b != b:
		return 0
	case a != a:
		return 1
	}
	return -1
}

func (p *comparison) filter(b *column.Batch, sel, dst []int32) ([]int32, error) {
	cv, err := p.value.vec(b, sel)
	if err != nil {
		return nil, err
	}
	c := cv.Datum(0)
	if c.Null {
		return dst, nil
	}
	v := &b.Cols[p.slot]
	rows := selected(b, sel)
	if isConst(v, b.N) {
		if ok, err := p.test(&row{batch: b}); !ok || err != nil {
			return dst, err
		}
		return append(dst, rows...), nil
	}
	start := len(dst)
	switch p.lane {
	case column.Int:
		dst = compareLane(p.kind, v.I, c.I, rows, dst)
	case column.Float:
		for _, r := range rows {
			if holds(p.kind, cmpFloat(v.F[r], c.Float())) {
				dst = append(dst, r)
			}
		}
	default:
		dst = compareBytes(p.kind, v.B, c.B, rows, dst)
	}
	if len(v.Nulls) > 0 {
		dst = dropNulls(v, dst, start)
	}
	return dst, nil
}

// dropNulls removes the rows from start on in which v is NULL.
func dropNulls(v *column.Vec, rows []int32, start int) []int32 {
	out := rows[:start]
	for _, r := range rows[start:] {
		if !v.Null(int(r)) {
			out = append(out, r)
		}
	}
	return out
}

// compareLane selects rows without a branch in the loop: every row is written,
// and the end moves on only for those that pass.
func compareLane(k plan.CompareKind, lane []int64, c int64, rows, dst []int32) []int32 {
	n := len(dst)
	if cap(dst) < n+len(rows) {
		grown := make([]int32, n, max(n+len(rows), column.BatchSize))
		copy(grown, dst)
		dst = grown
	}
	out := dst[: n+len(rows) : n+len(rows)]
	switch k {
	case plan.Less:
		for _, r := range rows {
			out[n] = r
			n += b2i(lane[r] < c)
		}
	case plan.LessEqual:
		for _, r := range rows {
			out[n] = r
			n += b2i(lane[r] <= c)
		}
	case plan.Equal:
		for _, r := range rows {
			out[n] = r
			n += b2i(lane[r] == c)
		}
	case plan.GreaterEqual:
		for _, r := range rows {
			out[n] = r
			n += b2i(lane[r] >= c)
		}
	case plan.Greater:
		for _, r := range rows {
			out[n] = r
			n += b2i(lane[r] > c)
		}
	default:
		for _, r := range rows {
			out[n] = r
			n += b2i(lane[r] != c)
		}
	}
	return out[:n]
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareBytes(k plan.CompareKind, lane [][]byte, c []byte, rows, dst []int32) []int32 {
	switch k {
	case plan.Equal:
		for _, r := range rows {
			if string(lane[r]) == string(c) {
				dst = append(dst, r)
			}
		}
	case plan.NotEqual:
		for _, r := range rows {
			if string(lane[r]) != string(c) {
				dst = append(dst, r)
			}
		}
	default:
		for _, r := range rows {
			if holds(k, bytes.Compare(lane[r], c)) {
				dst = append(dst, r)
			}
		}
	}
	return dst
}
