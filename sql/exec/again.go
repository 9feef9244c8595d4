package exec

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// A statement that changes one row by its key, or inserts one, costs more to
// compile than to run. Its operators are therefore kept by the session that ran
// it, with its prepared statement, and run again with other parameters: the
// same operators, so that nothing is done in another way. Only statements whose
// expressions hold nothing of their first run are kept; what differs between
// runs is listed here.
type again struct {
	params   []boundParam
	times    []boundTime
	once     []*once
	sites    []*functions.Ctx
	captured bool // something else of the first run was kept: not again
}

type boundParam struct {
	n    int
	expr *constant
}

type boundTime struct {
	of   *plan.ValueFunc
	expr *constant
}

// set gives a constant its value in the next run.
func (c *constant) set(d column.Datum) {
	c.d = d
	setOne(&c.v, c.v.Kind, d)
}

// keep decides whether a statement that is about to be compiled may be kept.
func (rt *Runtime) keep(stmt *plan.Statement) *again {
	m, ok := stmt.Root.(*plan.Modify)
	if !ok || rt.Knobs.NoFastPath || rt.Knobs.RowAtATime || rt.Instrument || len(stmt.Plans)+len(stmt.ExecTypes)+len(m.Merge)+len(m.Inherited)+len(m.Checks) > 0 ||
		m.OnConflict != nil {
		return nil
	}
	var list []plan.Expr
	switch in := m.Input.(type) {
	case *plan.KeyLookup:
		if len(in.Keys) != 1 || in.Array != nil {
			return nil
		}
		list = append(append(list, in.Keys[0]...), in.Filter)
	case *plan.Values:
		if len(in.Rows) != 1 {
			return nil
		}
		list = append(list, in.Rows[0]...)
	case *plan.Result:
		list = append(append(list, in.Exprs...), in.Filter)
	default:
		return nil
	}
	for _, s := range m.Set {
		list = append(list, s.Value)
	}
	for _, s := range m.Recheck {
		list = append(list, s.Cond, s.Value)
	}
	for _, e := range append(list, m.Returning...) {
		if e != nil && !repeatable(e) {
			return nil
		}
	}
	return &again{}
}

// repeatable reports whether an expression's compiled form depends on nothing
// but its inputs, the parameters and the time.
func repeatable(e plan.Expr) bool {
	ok := true
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Const, *plan.Param, *plan.Slot, *plan.Var, *plan.Relabel, *plan.BoolOp, *plan.NullTest, *plan.BoolTest, *plan.Case:
		case *plan.ValueFunc:
			ok = plainType(e.Typ.OID) // the time, not a name
		case *plan.Call:
			ok = ok && !e.ReturnSet && repeatableCall(e)
		default:
			ok = false
		}
		return ok
	})
	return ok
}

// repeatableCall reports whether a function is one of plain values: arithmetic,
// comparison, conversion. Patterns are compiled for the first of their values.
func repeatableCall(e *plan.Call) bool {
	name := e.Func.Name
	if isRoutine(e.Func) || functions.AsksCatalog(e.Func) || strings.Contains(name, "like") || strings.Contains(name, "reg") {
		return false
	}
	if name == "now" && len(e.Args) == 0 {
		return true
	}
	if e.Func.Volatile == 's' && (name == "timestamp" || name == "timestamptz" || name == "date") { // by the time zone
		return true
	}
	if e.Func.Volatile != 'i' || len(e.Args) > 3 || !plainType(e.Typ.OID) {
		return false
	}
	for _, a := range e.Args {
		if !plainType(a.ResultType().OID) {
			return false
		}
	}
	return true
}

func plainType(oid OID) bool {
	switch oid {
	case types.BoolOID, types.Int2OID, types.Int4OID, types.Int8OID, types.Float4OID, types.Float8OID, types.NumericOID, types.TextOID,
		types.VarcharOID, types.BPCharOID, types.DateOID, types.TimestampOID, types.TimestamptzOID, types.ByteaOID, types.UUIDOID:
		return true
	}
	return false
}

// Again reports whether the statement, which has ended well, may run again by RunAgain.
func (r *Rows) Again() bool {
	if r.st == nil || r.st.again == nil || r.st.again.captured || len(r.st.domains) > 0 {
		return false
	}
	o, ok := r.root.(*modifyOp)
	return ok && o.tables == nil && len(r.st.writers) == 1 && o.w.plain()
}

// plain reports whether a table's rows are changed without a look at other
// tables or at an index that is being built.
func (w *tableWriter) plain() bool {
	for _, ix := range w.indexes {
		if ix.build != nil || ix.ix.Deferrable() {
			return false
		}
	}
	return len(w.children)+len(w.parents) == 0 && (w.keyIndex == nil || !w.keyIndex.Deferrable())
}

// RunAgain is Run for a statement that has run before, for the same session
// and in the same state of its catalog and settings. ok is false where it has
// to be compiled anew.
func (r *Rows) RunAgain(rt *Runtime) (ok bool, err error) {
	st := r.st
	for _, p := range st.again.params {
		if p.n > len(rt.Params) {
			return false, nil
		}
	}
	if rt.BeforeWrite != nil && !changesTemporary(st.stmt) {
		if err := rt.BeforeWrite(); err != nil {
			return false, err
		}
	}
	st.rt, r.rt = rt, rt
	st.affected, st.memory, st.events, st.uniques = 0, 0, nil, nil
	for _, p := range st.again.params {
		p.expr.set(rt.Params[p.n-1])
	}
	for _, t := range st.again.times {
		d, err := st.valueOf(t.of)
		if err != nil {
			return false, MapError(err)
		}
		t.expr.set(d)
	}
	for _, o := range st.again.once {
		o.val = nil
	}
	for _, s := range st.again.sites {
		s.Context, s.Session, s.Catalog = live{rt}, rt.Functions.Session, rt.Functions.Catalog
	}
	o := r.root.(*modifyOp)
	o.inserted = 0
	o.w.access = rt.access(o.w.rel.OID)
	o.w.nextID, o.w.lastID = 0, 0
	if k, ok := o.input.(*keyLookupOp); ok {
		k.access = rt.keyAccess(o.w.rel)
	}
	r.opened, r.done = false, false
	return true, nil
}
